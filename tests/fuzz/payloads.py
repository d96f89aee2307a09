"""What comes in over the wire: Slack's signed requests and Discord's interactions, bent out of shape, to the real
libraries and the real core over SQLite. Only the chats themselves are stood in for."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import copy
import json
import os
import tempfile
import urllib.parse
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import discord
import httpx
import structlog
from starlette.applications import Starlette

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.config import DiscordConfig
from adapters.slack.adapter import SlackAdapter
from adapters.slack.config import SlackConfig
from adapters.store.migrate import migrate
from tests.core_kit import a_folder, open_core
from tests.fakes.discord import FakeDiscord
from tests.fakes.slack import FakeSlack
from tests.fuzz.texts import Choices, text_of

Json = Any
Send = Callable[[Choices], Coroutine[Any, Any, None]]

_FAULTS = ("slack.failed", "discord.failed", "discord.event", "relay.failed")
"""What a fault nobody foresaw is logged as."""


class Ours(AssertionError):
    """A fault of ours."""


def bent(choices: Choices, payload: Json) -> Json:
    """The payload with a few of its parts replaced, left out or doubled."""
    bent = copy.deepcopy(payload)
    for _ in range(choices.ConsumeIntInRange(0, 4)):
        place, key = _somewhere(choices, bent)
        if place is None:
            break
        match choices.ConsumeIntInRange(0, 3):
            case 0:
                del place[key]
            case 1:
                place[key] = _anything(choices)
            case 2:
                place[key] = text_of(choices, 80)
            case _:
                place[key] = [place[key], place[key]]
    return bent


def _somewhere(choices: Choices, node: Json) -> tuple[Any, Any]:
    place, key = None, None
    for _ in range(choices.ConsumeIntInRange(1, 8)):
        keys = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
        if not keys:
            break
        place, key = node, keys[choices.ConsumeIntInRange(0, len(keys) - 1)]
        node = place[key]
    return place, key


def _anything(choices: Choices) -> Json:
    some: list[Json] = [
        None, True, 0, -1, 2**63, 1.5, "", "a" * 3_000, [], {}, [[]], {"id": None}, "tick:d1:x", "\x00", "\ud800",
    ]  # fmt: skip
    return some[choices.ConsumeIntInRange(0, len(some) - 1)]


class World:
    """One loop, one core, one loopback Slack and one Discord, for the life of the process."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._open = contextlib.AsyncExitStack()
        self.faults: list[str] = []
        structlog.configure(processors=[self._heard])
        os.environ.pop("GONOGO_DATABASE_URL", None)

    def _heard(self, logger: object, method: str, event: dict[str, Any]) -> str:
        if event.get("event") in _FAULTS or method in ("error", "critical", "exception"):
            problem = event.get("exc_info")
            self.faults.append(f"{event.get('event')}: {problem!r}")
        raise structlog.DropEvent

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it to its end. Raises Ours for a fault that was only logged."""
        self.loop.run_until_complete(asyncio.wait_for(work, 30))
        if self.faults:
            raise Ours(self.faults[0])

    async def core(self) -> Any:
        """The shop of the tests, with one deployment that runs."""
        folder = Path(self._open.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder}/fuzz.db"
        await migrate(url)
        core = await self._open.enter_async_context(open_core(url, a_folder(folder)))
        await core.say("start v1.2.0 shop")
        return core

    async def enter(self, what: Any) -> Any:
        return await self._open.enter_async_context(what)

    def close(self) -> None:
        self.loop.run_until_complete(self._open.aclose())


@contextlib.asynccontextmanager
async def _listening(adapter: Any) -> AsyncIterator[Any]:
    await adapter.start()
    try:
        yield adapter
    finally:
        await adapter.stop()
        await adapter.close()


_world: World | None = None


def world() -> World:
    """Made when the first payload comes."""
    global _world
    if _world is None:
        _world = World()
        atexit.register(_world.close)
    return _world


# --- Slack ---

_USER = {"id": "U1", "username": "ana", "name": "ana", "team_id": "T1"}
_BASE = {
    "team": {"id": "T1", "domain": "x"}, "api_app_id": "A1", "token": "t", "trigger_id": "1.2.3", "user": _USER,
    "is_enterprise_install": False, "enterprise": None,
}  # fmt: skip
_CLICK = {
    **_BASE, "type": "block_actions", "container": {"type": "message", "message_ts": "1.1", "channel_id": "C1"},
    "channel": {"id": "C1", "name": "deployments"}, "message": {"ts": "1.1", "thread_ts": "1.0", "blocks": []},
    "response_url": "RESPONSE", "state": {"values": {}},
    "actions": [{"type": "button", "action_id": "a1", "block_id": "b1", "value": "tick:d1:x", "action_ts": "2.2",
                 "text": {"type": "plain_text", "text": "Tick"}}],
}  # fmt: skip
_FORM = {
    **_BASE, "type": "view_submission", "view": {
        "id": "V1", "type": "modal", "hash": "h", "callback_id": "form", "blocks": [],
        "private_metadata": json.dumps({"action": "cancel:d1", "channel": "C1", "name": "#deployments", "url": ""}),
        "state": {"values": {"reason": {"reason": {"type": "plain_text_input", "value": "why"}}}},
    },
}  # fmt: skip
_HOME = {
    "type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": "E1", "event_time": 1, "token": "t",
    "event": {"type": "app_home_opened", "user": "U1", "tab": "home", "channel": "D1", "event_ts": "1.1"},
    "authorizations": [{"team_id": "T1", "user_id": "U1", "is_bot": True, "enterprise_id": None}],
}  # fmt: skip
_COMMAND = {
    "command": "/deploy", "text": "status", "user_id": "U1", "user_name": "ana", "channel_id": "C1", "team_id": "T1",
    "channel_name": "deployments", "trigger_id": "1.2.3", "response_url": "RESPONSE", "api_app_id": "A1", "token": "t",
}  # fmt: skip
_slack: tuple[FakeSlack, httpx.AsyncClient] | None = None


async def _slack_there() -> tuple[FakeSlack, httpx.AsyncClient]:
    global _slack
    if _slack is None:
        here = world()
        slack = await here.enter(FakeSlack())
        core = await here.core()
        config = SlackConfig(
            bot_token=slack.bot_token, app_token="", signing_secret=slack.courier.secret, api_url=slack.api_url
        )
        adapter = await here.enter(_listening(SlackAdapter(config, core.router, dict)))
        transport = httpx.ASGITransport(app=Starlette(routes=adapter.routes()))
        _slack = slack, await here.enter(httpx.AsyncClient(transport=transport, base_url="http://gonogo.test"))
    return _slack


async def _to_slack(choices: Choices) -> None:
    slack, client = await _slack_there()
    kind, signed = choices.ConsumeIntInRange(0, 4), choices.ConsumeIntInRange(0, 9) > 0
    payload = bent(choices, (_CLICK, _FORM, _HOME, _COMMAND, _COMMAND)[kind])
    content = "application/x-www-form-urlencoded"
    if kind == 4:
        body = choices.ConsumeBytes(2_000)
    elif kind == 3:
        fields = {str(key): str(value) for key, value in payload.items()} if isinstance(payload, dict) else {}
        body = urllib.parse.urlencode(fields, errors="replace").encode()
    elif kind == 2:
        body, content = json.dumps(payload).encode(), "application/json"
    else:
        body = urllib.parse.urlencode({"payload": json.dumps(payload)}).encode()
    headers = {**slack.courier.signed(body), "content-type": content}
    if not signed:
        headers["x-slack-signature"] = "v0=" + "0" * 64
    answer = await client.post("/slack/events", content=body, headers=headers)
    if answer.status_code >= 500:
        raise Ours(f"HTTP {answer.status_code}: {answer.text[:200]}")
    if not signed and not body.startswith(b"ssl_check=1"):
        assert answer.status_code == 401, answer.status_code


# --- Discord ---

_discord: tuple[FakeDiscord, DiscordAdapter, discord.Client] | None = None
_MEMBER = {
    "user": {"id": "1700000000000000001", "username": "ana", "discriminator": "0", "avatar": None,
             "global_name": "Ana"},
    "roles": [], "joined_at": "2024-01-01T00:00:00+00:00", "deaf": False, "mute": False, "flags": 0, "nick": None,
    "avatar": None, "premium_since": None, "permissions": "0", "pending": False,
}  # fmt: skip
_DATA: tuple[tuple[int, Json], ...] = (
    (2, {"id": "5", "name": "deploy", "type": 1, "options": [
        {"name": "start", "type": 1, "options": [{"name": "version", "type": 3, "value": "v1"}]}]}),
    (2, {"id": "5", "name": "deploy", "type": 1, "options": [
        {"name": "freeze", "type": 2, "options": [{"name": "list", "type": 1, "options": []}]}]}),
    (3, {"custom_id": "tick:d1:x", "component_type": 2}),
    (3, {"custom_id": "show", "component_type": 3, "values": ["tick:d1:x"]}),
    (4, {"id": "5", "name": "deploy", "type": 1, "options": [
        {"name": "start", "type": 1, "options": [{"name": "version", "type": 3, "value": "v", "focused": True}]}]}),
    (5, {"custom_id": "cancel:d1", "components": [
        {"type": 18, "id": 1, "component": {"type": 4, "custom_id": "reason", "value": "why", "id": 2}}]}),
)  # fmt: skip


async def _discord_there() -> tuple[FakeDiscord, DiscordAdapter, discord.Client]:
    global _discord
    if _discord is None:
        here = world()
        server = await here.enter(FakeDiscord())
        core = await here.core()
        config = DiscordConfig(token=server.token, guild=server.guild_id, api_url=server.api_url)
        adapter = await here.enter(_listening(DiscordAdapter(config, core.router, dict, core.store)))
        await adapter.gateway.listening.wait()
        client = await adapter.chat._api.call("a client", _itself)
        _discord = server, adapter, client
    return _discord


def _as_it_is(choices: Choices, payload: Json) -> Json:
    return payload


async def _itself(client: discord.Client) -> discord.Client:
    return client


async def _to_discord(choices: Choices) -> None:
    server, adapter, client = await _discord_there()
    kind, data = _DATA[choices.ConsumeIntInRange(0, len(_DATA) - 1)]
    data, whole = bent(choices, data), choices.ConsumeIntInRange(0, 9) == 0
    payload = (bent if whole else _as_it_is)(
        choices,
        {
            "id": str(1_800_000_000_000_000_000 + choices.ConsumeIntInRange(0, 2**31)), "application_id": "9",
            "type": kind, "token": "gone", "version": 1, "guild_id": str(server.guild_id), "channel_id": "7",
            "data": data, "member": _MEMBER, "locale": "en-US", "app_permissions": "0", "entitlements": [],
            "authorizing_integration_owners": {}, "attachment_size_limit": 1, "context": 0,
            "channel": {"id": "7", "type": 0, "name": "deployments", "guild_id": str(server.guild_id),
                        "permissions": "0", "position": 0, "permission_overwrites": [], "nsfw": False,
                        "parent_id": None, "topic": None},
        },
    )  # fmt: skip
    try:
        interaction = discord.Interaction(data=payload, state=client._connection)
    except Exception:
        return  # discord.py's own affair: it never reaches us
    await adapter.inbox.take(interaction)


def _target(send: Send) -> Callable[[Choices], None]:
    return lambda choices: world().run(send(choices))


TARGETS: dict[str, Callable[[Choices], None]] = {"slack": _target(_to_slack), "discord": _target(_to_discord)}
