"""The forms that are asked for by a button or a command. One is opened only where what it asks about can be done: a
button of an old message is answered with how it stands now, not with a form that is refused when it is sent."""

from __future__ import annotations

from bot.actions import check_and_number
from bot.cards import forms, replies
from bot.cards.card import Answer
from bot.cards.view import View
from bot.domain import moves, watch
from bot.domain.errors import Code, Refused
from bot.domain.people import Who
from bot.ports import Store
from bot.services.deployments import good_versions
from bot.services.views import Views

ASKED = frozenset({"rollback", "rolledback", "cancel", "stop", "accept", "excuse", "note"})
"""The verbs that open a form."""
_ANSWER = "…"
"""Stands for what the form asks for."""
_OFFERED = 10
"""As many versions are offered to go back to."""


class Questions:
    """Reads only."""

    def __init__(self, store: Store, views: Views) -> None:
        self._store, self._views = store, views

    async def ask(self, verb: str, deployment: str, argument: str = "", *, who: Who) -> Answer:
        """The form of a verb of `ASKED`, or why it is not opened. `argument`: the item, the check and its run, or the
        version a rollback was asked for with. Raises UnknownDeployment."""
        view = await self._views.bare(deployment)
        try:
            _try(verb, view, argument, who)
        except Refused as refused:
            return replies.refused(view, refused)
        match verb:
            case "rollback":
                return forms.rollback_form(view, await self._versions(view), argument)
            case "rolledback":
                return forms.rolled_back_form(view)
            case "cancel":
                return forms.cancel_form(view)
            case "stop":
                return forms.stop_form(view)
            case "accept":
                return forms.accept_form(view, argument)
        task = view.plan.task(argument)
        if task is None:
            return replies.refused(view, Refused(Code.UNKNOWN_ITEM))
        return forms.excuse_form(view, task) if verb == "excuse" else forms.note_form(view, task)

    async def _versions(self, view: View) -> tuple[str, ...]:
        started = view.state.started
        async with self._store.read() as unit:
            versions = await good_versions(unit, started.service, started.environment)
        return tuple(version for version in versions if version != started.version)[:_OFFERED]


def _try(verb: str, view: View, argument: str, who: Who) -> None:
    """Make the move as if the form had been filled in; nothing is saved. Raises Refused."""
    plan, state, now = view.plan, view.state, view.now
    match verb:
        case "rollback":
            moves.roll_back(plan, state, argument, _ANSWER, "", who, now)
        case "rolledback":
            moves.rolled_back(plan, state, _ANSWER, who, now)
        case "cancel":
            moves.cancel(plan, state, _ANSWER, who, now)
        case "stop":
            watch.stop_rollback(plan, state, _ANSWER, who, now)
        case "accept":
            moves.accept(plan, state, *check_and_number(argument), _ANSWER, who, now)
        case "excuse":
            moves.excuse(plan, state, argument, _ANSWER, who, now)
        case "note":
            moves.note(plan, state, argument, _ANSWER, who, now)
