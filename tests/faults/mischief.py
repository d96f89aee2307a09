"""What goes wrong in the chats while it is on: answers, connections, deliveries. Every one is counted by its name."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tests.fakes.discord import FakeDiscord
from tests.fakes.discord import Fault as DiscordFault
from tests.fakes.slack import FakeSlack
from tests.fakes.slack import Fault as SlackFault
from tests.fakes.slack_sockets import Connection

FAIR, FOUL = 0.1, 0.35
"""The share of calls that go wrong, in each weather."""
TWICE, LATE = 0.15, 0.2
"""The share of deliveries that come twice, and that come late."""
CUT = 0.04
"""The share of posts at which the process is killed, the answer not given."""
F = TypeVar("F")
Kill = Callable[[str, str], None]
"""Kills who is at work in a chat, for a reason."""


class Mischief:
    """Over the chats there are; `on` until told otherwise."""

    def __init__(self, dice: random.Random, counts: Counter[str], kill: Kill) -> None:
        self._dice, self.counts, self._kill = dice, counts, kill
        self.on = False
        self.foul = False
        self._storm: dict[str, float] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    # --- put between ---

    def into_slack(self, slack: FakeSlack) -> None:
        """Its calls and deliveries go through here from now on."""
        deliver = slack.socket.deliver
        slack.faults.next = lambda method, body: self._slack(method)  # type: ignore[method-assign]

        async def delivered(kind: str, payload: Any, within: float, retry: Any = None) -> tuple[str, Any]:
            if self._chance(LATE):
                self.counts["slack delivered late"] += 1
                await asyncio.sleep(self._dice.uniform(0.02, 0.4))
            if self._chance(TWICE):
                self.counts["slack delivered twice"] += 1
                self._soon(self._dice.uniform(0, 0.3), lambda: deliver(kind, payload, within, retry))
            return await deliver(kind, payload, within, retry)

        slack.socket.deliver = delivered  # type: ignore[method-assign]

    def into_discord(self, discord: FakeDiscord) -> None:
        """Its calls and deliveries go through here from now on."""
        dispatch = discord.gateway.dispatch
        discord.faults.next = lambda call: self._discord(f"{call.method} {call.route}")  # type: ignore[method-assign]

        async def later(name: str, data: Any) -> None:
            dispatch(name, data)

        def dispatched(name: str, data: Any) -> None:
            wait = 0.0
            if name == "INTERACTION_CREATE" and self._chance(LATE):
                self.counts["discord delivered late"] += 1
                wait = self._dice.uniform(0.02, 0.4)
                self._soon(wait, lambda: later(name, data))
            else:
                dispatch(name, data)
            if name == "INTERACTION_CREATE" and self._chance(TWICE):
                self.counts["discord delivered twice"] += 1
                self._soon(wait + self._dice.uniform(0, 0.3), lambda: later(name, data))

        discord.dispatch = dispatched

    def _chance(self, share: float) -> bool:
        return self.on and self._dice.random() < share

    def _soon(self, seconds: float, work: Callable[[], Awaitable[Any]]) -> None:
        async def do() -> None:
            await asyncio.sleep(seconds)
            await work()

        task = asyncio.get_running_loop().create_task(do())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Nothing more comes."""
        self.on = False
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def heal(self, *servers: Any) -> None:
        """The network is well: what hangs half open is reset."""
        for server in servers:
            server.closing.set()
            server.closing = asyncio.Event()

    # --- calls ---

    def _slack(self, method: str) -> SlackFault | None:
        dice = self._dice
        if not self.on:
            return None
        if method == "chat.postMessage" and dice.random() < CUT:
            stored = dice.random() < 0.7
            self._cut("slack", stored)
            return SlackFault.half_open(stored=stored)
        if self._storming("slack") and method.startswith("chat."):
            return self._counted("slack", SlackFault.ratelimited(1))
        if dice.random() >= (FOUL if self.foul else FAIR):
            return None
        fault: SlackFault = dice.choices(
            [
                SlackFault.status(503), SlackFault.status(502, stored=True), SlackFault.drop(),
                SlackFault.drop(stored=True), SlackFault.slow(round(dice.uniform(0.1, 1.5), 2)),
                SlackFault.half_open(stored=dice.random() < 0.5), SlackFault.ratelimited(1), SlackFault.error(),
                SlackFault.error("fatal_error", stored=True),
            ],
            [4, 4, 4, 4, 4, 0.3, 3, 2, 2],
        )[0]  # fmt: skip
        return self._counted("slack", fault)

    def _discord(self, name: str) -> DiscordFault | None:
        dice = self._dice
        if not self.on:
            return None
        if name == "POST /channels/{channel}/messages" and dice.random() < CUT:
            stored = dice.random() < 0.7
            self._cut("discord", stored)
            return DiscordFault.half_open(stored=stored)
        if self._storming("discord") and "/messages" in name:
            return self._counted("discord", DiscordFault.ratelimited(0.4))
        if dice.random() >= (FOUL if self.foul else FAIR):
            return None
        fault: DiscordFault = dice.choices(
            [
                DiscordFault.status(500), DiscordFault.status(502, stored=True), DiscordFault.drop(),
                DiscordFault.drop(stored=True), DiscordFault.slow(round(dice.uniform(0.1, 1.5), 2)),
                DiscordFault.half_open(stored=dice.random() < 0.5), DiscordFault.ratelimited(0.3),
            ],
            [4, 4, 4, 4, 4, 0.3, 3],
        )[0]  # fmt: skip
        return self._counted("discord", fault)

    def _counted(self, chat: str, fault: F) -> F:
        self.counts[f"{chat} {fault}"] += 1
        return fault

    def _cut(self, chat: str, stored: bool) -> None:
        why = "a message is posted, and not answered" if stored else "a message has been sent, and not posted"
        self.counts[f"{chat} half_open{':stored' if stored else ''}"] += 1
        asyncio.get_running_loop().call_later(0.003, self._kill, chat, why)

    def _storming(self, chat: str) -> bool:
        return asyncio.get_running_loop().time() < self._storm.get(chat, 0.0)

    def storm(self, chat: str, seconds: float) -> None:
        """Everything is one too many."""
        self.counts[f"{chat} storm of 429"] += 1
        self._storm[chat] = asyncio.get_running_loop().time() + seconds

    # --- connections ---

    async def shake_slack(self, slack: FakeSlack) -> None:
        """One thing that happens to Socket Mode."""
        dice, live = self._dice, slack.socket.live
        what = dice.choice(["refresh_requested", "warning", "drop", "ghost", "deaf", "mute", "storm"])
        if what == "storm":
            self.storm("slack", dice.uniform(0.5, 2.5))
            return
        if not live:
            return
        one = dice.choice(live)
        self.counts[f"slack socket {what}"] += 1
        if what in ("refresh_requested", "warning"):
            with contextlib.suppress(ConnectionError):  # it was just killed
                await slack.socket.disconnect(what, one if dice.random() < 0.7 else None)
        elif what == "drop":
            one.drop()
        elif what == "ghost":
            self._soon(dice.uniform(1, 3), lambda: _forgotten(slack, slack.socket.ghost()))
        else:
            one.state = what
            self._soon(dice.uniform(0.5, 2), lambda: _well(one))

    async def shake_discord(self, discord: FakeDiscord) -> None:
        """One thing that happens to the gateway, or to the network."""
        dice = self._dice
        what = dice.choice(
            ["reconnect", "invalid", "invalid, resumable", "drop", "close 4000", "close 4009", "down", "storm"]
        )
        if what == "storm":
            self.storm("discord", dice.uniform(0.5, 2.5))
            return
        self.counts[f"discord gateway {what}"] += 1
        with contextlib.suppress(ConnectionError):
            await self._shake_gateway(discord, what)

    async def _shake_gateway(self, discord: FakeDiscord, what: str) -> None:
        if what == "reconnect":
            await discord.gateway.reconnect()
        elif what.startswith("invalid"):
            await discord.gateway.invalidate(resumable=what != "invalid")
        elif what == "drop":
            discord.gateway.drop()
        elif what.startswith("close"):
            await discord.gateway.close(int(what.split()[1]))
        else:
            discord.go_down()
            self._soon(self._dice.uniform(0.3, 2), lambda: _back(discord))


async def _forgotten(slack: FakeSlack, ghost: Connection) -> None:
    await asyncio.sleep(1.0)
    if ghost in slack.socket.connections:
        slack.socket.connections.remove(ghost)


async def _well(connection: Connection) -> None:
    connection.state = "live"


async def _back(discord: FakeDiscord) -> None:
    discord.come_back()
