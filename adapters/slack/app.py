"""What people do in Slack, handed to the core: commands, clicks, forms. Commit, then acknowledge.

Bolt runs the listeners with `process_before_response`: it then returns the acknowledgement when the listener returns,
instead of looking for it every 10 ms (slack_bolt, listener/asyncio_runner.py). What comes after the acknowledgement
runs on its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Mapping
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import modals
from adapters.slack.answers import Ack, Answers
from adapters.slack.client import Api
from adapters.slack.dialogue import UNKNOWN, UNSAVED, Place, SlackDialogue, carried_by, people_in, refusal_of, typed
from adapters.slack.home import Home
from adapters.slack.roles import Roster
from adapters.slack.shapes import fits
from adapters.slack.tasks import Tasks
from bot.cards.card import Answer, Card, ItemRow
from bot.cards.sections import OPEN, OPEN_ALL, SHOW, section_of, whole_item
from bot.ports import StoreError

_MANY = 1_000
_NAMED = 5
"""So many people named in a command are asked for."""

log = structlog.get_logger(__name__)


class Inbox:
    """The listeners. Slack delivers a command, click or form once and never again: when one is acknowledged, it is
    committed; when it could not be, the person is told to try again."""

    def __init__(self, dialogue: SlackDialogue, roster: Roster, answers: Answers, home: Home, tasks: Tasks) -> None:
        self._dialogue, self._roster, self._answers = dialogue, roster, answers
        self._home, self._tasks = home, tasks
        self._refused: dict[str, int] = {}
        """How often a form was turned away: the same answers once more are then a new delivery."""

    async def on_command(self, ack: Ack, body: dict[str, Any]) -> None:
        """`/deploy …`."""
        place = Place.of_command(body, _now())
        who, text = await asyncio.gather(
            self._roster.who(place.user, str(body.get("user_name") or "")), self._typed(str(body.get("text") or ""))
        )
        if not text:
            await ack()
            asked = _asked(self._dialogue.opening_form(who=who, answers={}))
            self._tasks.spawn(self._answers.opening(place, asked))
            return
        key = f"slack:{place.trigger or body.get('response_url')}"
        answer = await _asked(self._dialogue.command(text, who=who, key=key, channel=place.name))
        await self._answers.to_command(ack, place, answer)

    async def on_click(self, ack: Ack, body: dict[str, Any]) -> None:
        """A button, a menu, or a choice in an open form."""
        place, action = Place.of_click(body, _now()), (body.get("actions") or [{}])[0]
        if place.within == "modal" and action.get("type") not in ("button", "overflow"):
            await ack()
            self._tasks.spawn(self._rechosen(place, body))
            return
        value = str(action.get("value") or (action.get("selected_option") or {}).get("value") or "")
        if not value:
            await ack()  # a link: the click is reported, and wants an answer, all the same
            return
        if value.partition(":")[0] in (SHOW, OPEN, OPEN_ALL):
            await ack()
            self._tasks.spawn(self._show(place, value))
            return
        who = await self._roster.who(place.user, str(body["user"].get("username") or body["user"].get("name") or ""))
        answer = await _asked(self._dialogue.click(value, who=who, key=_click_key(body, action), channel=place.name))
        await self._answers.to_click(ack, place, answer)
        if place.within == "home":
            self._tasks.spawn(self._home.opened(place.user))

    async def on_form(self, ack: Ack, body: dict[str, Any]) -> None:
        """A form was sent."""
        place, view = Place.of_form(body, _now()), body["view"]
        values = modals.values(view.get("state") or {})
        who = await self._roster.who(place.user, str(body["user"].get("username") or body["user"].get("name") or ""))
        action, once = str(carried_by(view).get("action") or ""), _form_key(view, values)
        key = f"{once}:{self._refused.get(once, 0)}"
        answer = await _asked(self._dialogue.submit(action, values, who=who, key=key, channel=place.name))
        if refusal_of(answer) is not None:
            if len(self._refused) >= _MANY:
                self._refused.clear()
            self._refused[once] = self._refused.get(once, 0) + 1
        await self._answers.to_form(ack, place, answer, view)
        if not place.channel:
            self._tasks.spawn(self._home.opened(place.user))

    async def _typed(self, text: str) -> str:
        """What was typed, people by their names."""
        named = list(dict.fromkeys(people_in(text)))[:_NAMED]
        names = await asyncio.gather(*(self._roster.name(user) for user in named))
        return typed(text, dict(zip(named, names, strict=True))).strip()

    async def on_home(self, event: dict[str, Any]) -> None:
        """Somebody looks at the Home tab. Bolt acknowledges events by itself."""
        if event.get("tab") == "home":
            self._tasks.spawn(self._home.opened(str(event["user"])))

    async def _rechosen(self, place: Place, body: Mapping[str, Any]) -> None:
        """Another checklist or environment was chosen in the form that starts: the gate is said for that."""
        values = modals.values(body["view"].get("state") or {})
        who = await self._roster.who(place.user)
        answer = await _asked(self._dialogue.opening_form(who=who, answers=values))
        if answer.form is not None:
            await self._answers.refresh(place, body["view"], answer.form)

    async def _show(self, place: Place, value: str) -> None:
        """A folded section, or an item with its command, whole, for who asked."""
        verb, _, key = value.partition(":")
        deployment, _, item = key.partition(":")
        found = None
        try:
            for card in await self._dialogue.cards(deployment):
                found = (
                    _whole(card, item) if verb == OPEN_ALL else (whole_item if verb == SHOW else section_of)(card, item)
                )
                if found is not None:
                    break
        except StoreError as problem:
            log.warning("slack.show", problem=str(problem))
        if found is None:
            await self._answers.tell(place, "That cannot be shown now. `/deploy items` lists what is open.")
        else:
            await self._answers.whisper(place, found, folded=False)


class _App(AsyncApp):
    """Bolt reads SLACK_CLIENT_ID and SLACK_CLIENT_SECRET by itself and would then offer to install itself elsewhere."""

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """As Bolt does; what has not the shape that is read, by Bolt or here, is not acknowledged."""
        return await super().async_dispatch(req) if fits(req.body) else BoltResponse(status=400)

    @property
    def oauth_flow(self) -> AsyncOAuthFlow | None:
        """None."""
        return None


def make_app(inbox: Inbox, api: Api, signing_secret: str = "") -> AsyncApp:
    """Bolt, with the listeners. Nothing in the environment changes it: the token is the one of `api`, which the given
    `authorize` hands out without asking auth.test. In Socket Mode there is no signing secret."""

    async def authorize() -> AuthorizeResult:
        me = api.me
        return AuthorizeResult(
            enterprise_id=None,
            team_id=me.team_id if me else None,
            bot_id=me.bot_id if me else None,
            bot_user_id=me.user_id if me else None,
            bot_token=api.web.token,
        )

    app = _App(
        name="gonogo",
        client=AsyncWebClient(base_url=api.web.base_url, proxy=api.web.proxy),
        authorize=authorize,
        signing_secret=signing_secret,
        process_before_response=True,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    app.action(re.compile(".*"))(inbox.on_click)  # first, as Bolt asks them in turn, and most of what comes is clicks
    app.command(re.compile(".+"))(inbox.on_command)  # whatever the workspace calls it
    app.view(re.compile(".*"))(inbox.on_form)
    app.event("app_home_opened")(inbox.on_home)
    return app


async def _asked(answer: Awaitable[Answer]) -> Answer:
    """The core's answer; what goes wrong there becomes one."""
    try:
        return await answer
    except StoreError as problem:
        log.warning("slack.store", problem=str(problem))
        return UNSAVED
    except Exception as problem:
        log.error("slack.failed", exc_info=problem)
        return UNKNOWN


def _whole(card: Card, item: str) -> Card | None:
    return card if any(isinstance(block, ItemRow) and block.id == item for block in card.blocks) else None


def _click_key(body: Mapping[str, Any], action: Mapping[str, Any]) -> str:
    """One click: by its trigger, else by what it was a click on (block_actions has no id of its own)."""
    if body.get("trigger_id"):
        return f"slack:{body['trigger_id']}"
    container = body.get("container") or {}
    on = container.get("message_ts") or container.get("view_id")
    return f"slack:{on}:{body['user']['id']}:{action.get('action_id')}:{action.get('action_ts')}"


def _form_key(view: Mapping[str, Any], values: Mapping[str, str]) -> str:
    """One sending of a form: sent again because the acknowledgement was lost it has the same answers, corrected
    others."""
    said = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
    return f"slack:{view['id']}:{view.get('hash', '')}:{said}"


def _now() -> float:
    return asyncio.get_running_loop().time()
