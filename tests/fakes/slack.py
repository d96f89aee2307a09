"""A loopback Slack that the real slack_sdk and slack_bolt talk to unmodified, and that refuses what Slack refuses.

    async with FakeSlack() as slack:
        app = AsyncApp(client=AsyncWebClient(slack.bot_token, base_url=slack.api_url))
        handler = AsyncSocketModeHandler(app, slack.app_token)
        await handler.connect_async()
        ack = await slack.user("U1").command("/deploy", "start v1.2.0", channel="C1")
        await slack.until(lambda: slack.messages("C1"))
        await slack.user("U1").click(slack.messages("C1")[0], "Tick")

At first there are the people U1 `ana`, U2 `ben` and U3 `eva`, and the channel C1 `#deployments` with all of them and
the bot in it. Nothing is limited and nothing fails until a test says so.
"""

from __future__ import annotations

import socket as sockets
import time
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.fakes import slack_files
from tests.fakes.slack_deliveries import Courier, EventDelivery, Target
from tests.fakes.slack_faults import Fault, Faults, Limits
from tests.fakes.slack_people import Actor
from tests.fakes.slack_screen import message_text, pings, view_text
from tests.fakes.slack_shapes import JSON
from tests.fakes.slack_sockets import SocketMode
from tests.fakes.slack_things import BOT_USER, Call, Channel, Group, Message, Person, View
from tests.fakes.slack_web import WebApi
from tests.fakes.slack_world import World

__all__ = ["FakeSlack", "Fault"]


class FakeSlack(World):
    """One workspace with one app installed, on a free port of 127.0.0.1."""

    def __init__(self, now: Callable[[], float] = time.time, *, seed: int = 0) -> None:
        super().__init__(now, seed)
        self.faults = Faults()
        self.limits = Limits(self.clock.now)
        self.socket = SocketMode(self)
        self.courier = Courier(self, self.socket)
        self.should_escape = True
        """As the manifest says for its slash commands."""
        for key, name in (("U1", "ana"), ("U2", "ben"), ("U3", "eva")):
            self.add_user(key, name)
        self.add_channel("deployments", id="C1", members=("U1", "U2", "U3"))

    # --- running ---

    async def __aenter__(self) -> Self:
        self.web = WebApi(self, self.faults, self.limits)
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self.web.handle)
        app.router.add_get("/link/", self.socket.handle)
        app.router.add_post("/response/{key}", self.web.respond)
        app.router.add_post("/upload/v1/{token}", partial(slack_files.receive, self))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handle_signals=False)
        await self._runner.setup()
        listening = sockets.socket()
        listening.bind(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        await web.SockSite(self._runner, listening).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.web.closing.set()
        await self.stop_tasks()
        await self.socket.close()
        await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        """For `AsyncWebClient(base_url=…)`."""
        return f"{self.base}/api/"

    # --- the workspace ---

    def add_user(self, id: str, name: str, real_name: str = "") -> Person:
        self.people[id] = Person(id, name, real_name)
        return self.people[id]

    def add_group(self, id: str, handle: str, members: Sequence[str] = ()) -> Group:
        self.groups[id] = Group(id, handle, handle.title(), list(members))
        return self.groups[id]

    def add_channel(
        self, name: str, *, id: str = "", members: Sequence[str] = (), private: bool = False, bot: bool = True
    ) -> Channel:
        """A channel; `bot` says whether the app was invited."""
        key = id or self.id("C")
        self.channels[key] = Channel(key, name, {*members, *([BOT_USER] if bot else [])}, private)
        return self.channels[key]

    def revoke(self, error: str = "token_revoked") -> None:
        """The bot's token works no more (token_revoked, account_inactive, token_expired…); `restore` mends it."""
        self.bad_tokens[self.bot_token] = error

    def restore(self) -> None:
        self.bad_tokens.clear()

    # --- what can be seen ---

    def messages(self, channel: str, thread: str | None = None) -> list[Message]:
        """What stands in a channel, oldest first, or the replies of one thread. Deleted ones are gone."""
        found = self.channel_of(channel)
        if thread is not None:
            return self.replies(found.id, thread)
        return [each for each in self.standing(found.id) if not each.is_reply or each.broadcast]

    def called(self, method: str) -> list[Call]:
        """The calls of one method, in order."""
        return [call for call in self.calls if call.method == method]

    def screen(self, user: str, channel: str, thread: str | None = None) -> str:
        """What this person reads there."""
        return self.user(user).screen(channel, thread)

    def text(self, shown: Message | View) -> str:
        """What it says, as text."""
        return view_text(self, shown) if isinstance(shown, View) else message_text(self, shown)

    def pings(self, message: Message) -> list[str]:
        """Whom it notifies: `@U1`, `!subteam^S1`, `!channel`."""
        return pings(message)

    # --- people and events ---

    def user(self, id: str) -> Actor:
        """A person who acts."""
        if id not in self.people:
            raise AssertionError(f"nobody is {id}; add_user first")
        return Actor(self, self.courier, id, self.should_escape)

    async def event(self, event: JSON, *, retry: bool = True) -> EventDelivery:
        """Something the app subscribed to; over when it was acknowledged or given up."""
        return await self.courier.event(event, retry=retry)

    @property
    def deliver_to(self) -> Target | Sequence[Target] | None:
        """The request URL, or an ASGI app; several are taken in turn. None: Socket Mode."""
        return self.courier.target

    @deliver_to.setter
    def deliver_to(self, target: Target | Sequence[Target] | None) -> None:
        self.courier.target = target

    def finish_files(self) -> None:
        """All processing is over now."""
        for file in self.files.values():
            if file.done and not file.ready:
                file.ready_after = 0
                slack_files.share(self, file)
