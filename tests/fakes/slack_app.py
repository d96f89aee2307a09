"""A small app on the real slack_bolt, over Socket Mode or HTTP: what the loopback Slack is tried out with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.slack import FakeSlack

JSON = dict[str, Any]


def plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


def button(label: str, action_id: str, value: str = "v") -> JSON:
    return {"type": "button", "text": plain(label), "action_id": action_id, "value": value}


MENU = [{"text": plain("Undo"), "value": "undo:1"}, {"text": plain("Note…"), "value": "note:1"}]
CARD: list[JSON] = [
    {"type": "section", "block_id": "i1", "text": {"type": "mrkdwn", "text": "Backup"}},
    {
        "type": "actions",
        "block_id": "a1",
        "elements": [button("Tick", "tick:1", "t1"), {"type": "overflow", "action_id": "more:1", "options": MENU}],
    },
]
NOTE: JSON = {
    "type": "modal",
    "callback_id": "note",
    "title": plain("Note"),
    "submit": plain("Keep"),
    "notify_on_close": True,
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Reason"),
            "element": {"type": "plain_text_input", "action_id": "text", "max_length": 20},
        },
        {
            "type": "input",
            "block_id": "env",
            "optional": True,
            "label": plain("Environment"),
            "element": {
                "type": "static_select",
                "action_id": "choice",
                "options": [{"text": plain("Staging"), "value": "s"}, {"text": plain("Production"), "value": "p"}],
            },
        },
        {"type": "actions", "block_id": "x", "elements": [button("Look", "look")]},
    ],
}


class Bot:
    """A small app; `got` is what reached its listeners."""

    def __init__(self, slack: FakeSlack) -> None:
        self.slack = slack
        self.got: list[JSON] = []
        self.retries: list[str | None] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.on_submit: JSON = {}
        client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        self.app = app = AsyncApp(client=client, signing_secret=slack.courier.secret)
        app.command("/deploy")(self.deploy)
        app.action("tick:1")(self.tick)
        app.action("more:1")(self.more)
        app.action("look")(self.tick)
        app.view("note")(self.note)
        app.view_closed("note")(self.tick)
        app.event("app_home_opened")(self.home)

    async def deploy(self, ack: Any, client: AsyncWebClient, body: JSON) -> None:
        self.got.append(body)
        await self.gate.wait()
        await ack(f"starting {body['text']}" if body["text"] else "")
        await client.chat_postMessage(channel=body["channel_id"], text="card", blocks=CARD)

    async def tick(self, ack: Any, body: JSON) -> None:
        self.got.append(body)
        await ack()

    async def more(self, ack: Any, client: AsyncWebClient, body: JSON) -> None:
        self.got.append(body)
        await client.views_open(trigger_id=body["trigger_id"], view=NOTE)
        await ack()

    async def note(self, ack: Any, body: JSON) -> None:
        self.got.append(body)
        await ack(**self.on_submit)

    async def home(self, client: AsyncWebClient, event: JSON, request: Any) -> None:
        self.got.append(event)
        self.retries.append(request.headers.get("x-slack-retry-num", [None])[0])
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": CARD})


@asynccontextmanager
async def over_socket(slack: FakeSlack) -> AsyncIterator[Bot]:
    bot = Bot(slack)
    handler = AsyncSocketModeHandler(bot.app, slack.app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await slack.until(lambda: slack.socket.live)
    try:
        yield bot
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def over_http(slack: FakeSlack) -> AsyncIterator[Bot]:
    bot = Bot(slack)
    bolt = AsyncSlackRequestHandler(bot.app)

    async def endpoint(request: Request) -> Response:
        return await bolt.handle(request)

    slack.deliver_to = Starlette(routes=[Route("/slack/events", endpoint, methods=["POST"])])
    yield bot
