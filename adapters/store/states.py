"""What the facts of a deployment add up to, remembered, so that only what is new is read and added up.

Rows of facts are only ever added, so what was read once stays true; only the newest known fact is read again, to be
sure. Who writes a thing by hand, or restores a backup under a running process, is believed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.store.codec import load_events
from bot.domain.deployment import Deployment, evolve, replay

REMEMBERED = 500
"""How many: those that were asked for last. One takes some 50 kB where a hundred items are ticked."""


@dataclass(frozen=True, slots=True)
class _Known:
    state: Deployment
    newest: str
    """The text of its last fact."""


class States:
    """The states of one database. Not shared between databases; safe to share between its transactions."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def begin(self, deployment: str) -> int:
        """The number of the first fact that `add_up` needs."""
        known = self._known.get(deployment)
        return known.state.revision if known is not None else 1

    def add_up(self, deployment: str, first: int, bodies: Sequence[str]) -> Deployment | None:
        """The state, from the texts of all facts from the `first`-th on; None if they cannot be added to what is known
        (then all of them are needed, from 1 on), or if there are none at all.

        Raises UnknownRecord at a fact this release does not know.
        """
        known = self._known.get(deployment) if first > 1 else None
        if not bodies or (first > 1 and (known is None or known.state.revision != first or known.newest != bodies[0])):
            return None
        if known is not None and len(bodies) == 1:
            return known.state
        if known is not None:
            return evolve(known.state, load_events(bodies[1:]))
        return replay(load_events(bodies))

    def remember(self, state: Deployment, newest: str) -> None:
        """For the next time. Only what is committed may be remembered; what is not is found out, and costs a reading
        of all facts."""
        self._known[state.id] = _Known(state, newest)
        self._known.move_to_end(state.id)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
