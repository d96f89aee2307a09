"""How an answer reaches the one person it is for: with the acknowledgement where Slack takes it, else beside it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import structlog

from adapters.slack import blocks, limits, modals, packing
from adapters.slack.blocks import Files
from adapters.slack.client import Api
from adapters.slack.dialogue import Place, not_done, refusal_of, unsaved
from adapters.slack.faults import Refusal
from adapters.slack.people import first_holders
from adapters.slack.pictures import Uploads
from adapters.slack.roles import People
from adapters.slack.tasks import Tasks
from bot.cards.card import Answer, Buttons, Card, Form
from bot.ports import ChatError

Ack = Callable[..., Awaitable[Any]]

LATE = 2.5
"""Seconds after which Slack may have given up on the acknowledgement (it waits 3): the answer goes beside it."""
LIVE = ("service", "environment")
"""Fields of the form that starts a deployment whose answer the gate depends on."""
_RESPONSES = 5
_ERROR = 500
_TOO_LATE = {
    "expired_trigger_id", "trigger_expired", "exchanged_trigger_id", "trigger_exchanged", "invalid_trigger_id",
}  # fmt: skip

log = structlog.get_logger(__name__)


class Answers:
    """Every answer is acknowledged when the core has committed, and not before. `tasks` runs what follows."""

    def __init__(self, api: Api, people: People, tasks: Tasks, uploads: Uploads | None = None) -> None:
        self._api, self._people, self._tasks = api, people, tasks
        self._uploads = uploads or Uploads(api, None)

    # --- by surface ---

    async def to_command(self, ack: Ack, place: Place, answer: Answer) -> None:
        """A card with the acknowledgement (ephemeral, no further call), unless it has a picture; a form by its
        trigger."""
        if unsaved(answer) and is_late(place):
            await self._beside(ack, place, answer)
        elif answer.form is not None:
            await ack()
            self._tasks.spawn(self.open_form(place, answer.form))
        elif answer.card is None:
            await ack()
        elif is_late(place) or not self._uploads.at_once(answer.card):
            await ack()
            self._tasks.spawn(self.whisper(place, answer.card))
        else:
            first, *rest = self._messages(answer.card)
            await ack({"response_type": "ephemeral", **first})
            if rest:
                self._tasks.spawn(self._respond(place, rest))

    async def to_click(self, ack: Ack, place: Place, answer: Answer) -> None:
        """The acknowledgement of a click says nothing: a card is whispered, a form opened."""
        if unsaved(answer):
            await self._beside(ack, place, answer)
            return
        await ack()
        if answer.form is not None:
            self._tasks.spawn(self.open_form(place, answer.form))
        elif answer.card is not None:
            self._tasks.spawn(self.whisper(place, answer.card))

    async def to_form(self, ack: Ack, place: Place, answer: Answer, view: Mapping[str, Any]) -> None:
        """A refusal stays in the modal, with what was typed; anything else closes it."""
        inputs = [str(block["block_id"]) for block in view.get("blocks") or () if block.get("type") == "input"]
        card, refusal, late = answer.card, refusal_of(answer), is_late(place)
        if refusal is not None and inputs and not late:
            await ack(response_action="errors", errors={inputs[0]: clip(refusal.text)})
            if place.channel and any(isinstance(block, Buttons) for block in refusal.blocks):
                self._tasks.spawn(self.whisper(place, refusal))
        elif answer.form is not None and not late:
            await ack(response_action="update", view=self._view(place, answer.form))
        elif card is not None and not place.channel and not late:
            await ack(response_action="update", view=self._notice(place, card))
        elif unsaved(answer):
            await self._beside(ack, place, answer)
        else:
            # Nothing stands below this form that is worth going back to.
            await (ack(response_action="clear") if view.get("previous_view_id") else ack())
            if card is not None:
                self._tasks.spawn(self.whisper(place, card))

    async def _beside(self, ack: Ack, place: Place, answer: Answer) -> None:
        """What is not in the database is acknowledged only when the person has been told so in time; else Slack shows
        by itself that it failed."""
        assert answer.card is not None
        told = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(place.began + LATE):
                told = await self.whisper(place, answer.card)
        if told:
            await ack()

    # --- the means ---

    async def whisper(self, place: Place, card: Card, *, folded: bool = True) -> bool:
        """Say it where they are so that only they see it: in the thread, the channel, or over the Home tab. False if
        it could not be said."""
        if not place.channel:
            return await self._open(place, self._notice(place, card)) is not None
        files = await self._uploads.of(card)
        where = {"channel": place.channel, "user": place.user, "thread_ts": place.thread}
        for said, part in enumerate(packing.parts(card)):
            draw = partial(self._whispered, part, where, folded)
            try:
                await self._uploads.call("chat.postEphemeral", files, draw)
            except ChatError as problem:
                # Where the bot is no member, the response_url still leads to who clicked.
                log.info("slack.whisper", problem=str(problem), channel=place.channel)
                return await self._respond(place, self._messages(card, folded=folded)[said:])
        return True

    async def tell(self, place: Place, sentence: str) -> None:
        """One sentence, for what went wrong."""
        card = not_done(sentence).card
        assert card is not None
        await self.whisper(place, card)

    async def open_form(self, place: Place, form: Form) -> None:
        """The modal of a form; over a modal, on top of it."""
        await self._open(place, self._view(place, form))

    async def opening(self, place: Place, asked: Awaitable[Answer], *, patience: float = 1.0) -> None:
        """The form that starts a deployment. Its trigger expires in 3 seconds: if the gate takes longer than `patience`
        seconds to be read, a modal that says so is opened and then replaced."""
        asking = asyncio.ensure_future(asked)
        done, _ = await asyncio.wait({asking}, timeout=patience)
        view_id = "" if done else await self._open(place, _LOOKING)
        answer = await asking
        if view_id is None:
            return
        card = answer.card or not_done("There is nothing to start.").card
        assert card is not None
        view = self._view(place, answer.form) if answer.form else self._notice(place, card)
        if view_id:
            await self._replace(view_id, view)
        elif answer.form:
            await self._open(place, view)
        else:
            await self.whisper(place, card)

    async def refresh(self, place: Place, view: Mapping[str, Any], form: Form) -> None:
        """Redraw an open form; what was typed stays. A newer one than this wins."""
        await self._replace(str(view["id"]), self._view(place, form), str(view["hash"]))

    # --- drawing ---

    def _messages(self, card: Card, *, folded: bool = True) -> list[dict[str, Any]]:
        people = first_holders(self._people())
        return [blocks.message(part, people=people, folded=folded) for part in packing.parts(card)]

    def _whispered(self, part: Card, where: Mapping[str, str | None], folded: bool, files: Files) -> dict[str, Any]:
        return {**where} | blocks.message(part, people=first_holders(self._people()), folded=folded, files=files)

    def _view(self, place: Place, form: Form) -> dict[str, Any]:
        live = LIVE if form.action.partition(":")[0] == "start" else ()
        return modals.view(form, private=place.private(form.action), live=live)

    def _notice(self, place: Place, card: Card) -> dict[str, Any]:
        """A card as a modal with nothing to fill in."""
        drawn = self._messages(card, folded=False)[0]["blocks"]
        return {
            "type": "modal",
            "callback_id": "notice",
            "title": limits.plain_text(card.title or "gonogo", limits.MODAL_TITLE),
            "close": limits.plain_text("Close", limits.MODAL_TITLE),
            "private_metadata": place.private(""),
            "blocks": [block for block in drawn if block["type"] != "header"] or drawn,
        }

    async def _open(self, place: Place, view: dict[str, Any]) -> str | None:
        """Open a modal while the trigger is good; its id, or None when it could not be opened, which the person is
        told where that is possible."""
        method = "views.push" if place.within == "modal" else "views.open"
        try:
            answer = await self._api.call(method, trigger_id=place.trigger, view=view)
        except ChatError as problem:
            log.warning("slack.form", problem=str(problem))
            late = isinstance(problem, Refusal) and problem.code in _TOO_LATE
            why = "Slack waits three seconds for it and this took longer" if late else str(problem)
            if place.channel:
                await self.tell(place, f"The form could not be opened: {why}. Please try again.")
            return None
        return str(answer["view"]["id"])

    async def _replace(self, view_id: str, view: dict[str, Any], expected: str | None = None) -> None:
        """Redraw a modal, unless it was closed or is newer than `expected`."""
        try:
            await self._api.call("views.update", view_id=view_id, hash=expected, view=view)
        except ChatError as problem:
            log.info("slack.form", problem=str(problem))

    async def _respond(self, place: Place, messages: list[dict[str, Any]]) -> bool:
        """Whether all of it was said."""
        if not place.response_url:
            return False
        for message in messages[:_RESPONSES]:
            body = {"response_type": "ephemeral", "replace_original": False, **message}
            try:
                await self._api.respond(place.response_url, body)
            except ChatError as problem:
                log.warning("slack.answer", problem=str(problem))
                return False
        return True


def is_late(place: Place) -> bool:
    """Whether Slack may have given up on the acknowledgement."""
    return asyncio.get_running_loop().time() - place.began > LATE


def clip(text: str) -> str:
    """A sentence short enough to stand below a field."""
    return text if len(text) <= _ERROR else text[: _ERROR - 1].rstrip() + "…"


_LOOKING: dict[str, Any] = {
    "type": "modal",
    "title": limits.plain_text("Start a deployment", limits.MODAL_TITLE),
    "close": limits.plain_text("Close", limits.MODAL_TITLE),
    "blocks": [{"type": "section", "text": limits.plain_text("Looking at windows and freezes…", limits.TEXT)}],
}
