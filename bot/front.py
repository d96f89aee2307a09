"""What a front is: where the channel stands. The sandbox page is one, the chats of a team are another."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from starlette.types import ASGIApp

from bot.ports import Chat, Clock, Probe, Roster, Store
from bot.router import Router
from bot.services.checklists import UNREADABLE, Checklists
from checklists.policy import Person


class Core(Protocol):
    """What a front needs of the process it stands in."""

    router: Router
    checklists: Checklists

    @property
    def store(self) -> Store:
        """The truth."""
        ...

    async def settle(self) -> None:
        """Do everything that is due now, and show it."""
        ...

    async def next_opening(self) -> datetime | None:
        """When the window of the default checklist opens; None while it is open."""
        ...


class Front(Protocol):
    """One place for the channel to stand in. `open` comes first, then `listen`, `stop` and `close`."""

    chat_names: tuple[str, ...]

    @property
    def clock(self) -> Clock:
        """The one source of now."""
        ...

    @property
    def chats(self) -> Sequence[Chat]:
        """The chats; empty before `open`."""
        ...

    def probe(self, store: Store) -> Probe:
        """Where measurements come from."""
        ...

    def roster(self) -> Roster:
        """Who holds which role."""
        ...

    async def open(self, core: Core) -> None:
        """Make the adapters."""
        ...

    async def listen(self) -> None:
        """Begin to hear clicks and commands, where that is not the web server's part."""
        ...

    async def follow(self) -> None:
        """Until cancelled, for a process that does not serve: keep up with what the one that does decides."""
        ...

    def asgi(self) -> ASGIApp:
        """What the web server serves."""
        ...

    def where(self, port: int) -> str:
        """The line that says what runs, and where."""
        ...

    def changed(self) -> None:
        """Something was committed."""
        ...

    async def lost(self) -> str:
        """Returns when nobody can be heard any more until a person mends it: the sentence that says what. Otherwise it
        never does."""
        ...

    def stopping(self) -> None:
        """The web server is asked to stop: let open streams go."""
        ...

    async def stop(self) -> None:
        """Hear no more; let what has begun come to its end."""
        ...

    async def close(self) -> None:
        """Give every connection back."""
        ...


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC)


async def people_of(checklists: Checklists) -> dict[str, list[Person]]:
    """Who holds which role, over all checklists without errors."""
    people: dict[str, list[Person]] = {}
    for name in await checklists.names():
        with contextlib.suppress(*UNREADABLE):
            mapped: Mapping[str, Person] = (await checklists.load(name)).policy.people
            for role, person in mapped.items():
                people.setdefault(role, []).append(person)
    return people


async def channels_of(checklists: Checklists) -> set[str]:
    """Every channel that a checklist without errors names."""
    channels: set[str] = set()
    for name in await checklists.names():
        with contextlib.suppress(*UNREADABLE):
            channels.update((await checklists.load(name)).policy.channels.values())
    return channels
