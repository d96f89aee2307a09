"""A loopback Discord that the real discord.py talks to unmodified, and that refuses what Discord refuses.

    async with FakeDiscord() as server:
        with server.pointed():
            client = discord.Client(intents=discord.Intents(guilds=True))
            ...
        answer = await server.person("ana").slash("deploy start", channel="deployments", version="v1.2.0")
        await server.until(lambda: server.messages("deployments"))
        await server.person("ana").click(server.messages("deployments")[0], "Tick")

At first there is the guild `acme` with the people `ana`, `ben` and `eva`, the roles `qa` (which cannot be mentioned),
`on-call` (which can) and the bot's own `gonogo`, and the channel `deployments`. Nothing is limited and nothing fails
until a test says so. A process of its own is told `api_url`; it finds the gateway through GET /gateway.
"""

from __future__ import annotations

import socket as sockets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import yarl
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.fakes import discord_shapes
from tests.fakes.discord_faults import Fault, Faults, Limits, matches
from tests.fakes.discord_gateway import Gateway
from tests.fakes.discord_people import Actor
from tests.fakes.discord_screen import message_text, modal_text
from tests.fakes.discord_things import BOT, PERMISSIONS, Call, Channel, Message, Modal, Person, Role, Thread
from tests.fakes.discord_web import PREFIX, Rest
from tests.fakes.discord_world import Named, World

__all__ = ["FakeDiscord", "Fault"]


class FakeDiscord(World):
    """One guild with one bot in it, on a free port of 127.0.0.1."""

    def __init__(self, now: Callable[[], float] = time.time, *, seed: int = 0) -> None:
        super().__init__(now, seed)
        self.faults = Faults()
        self.limits = Limits(self.clock.now)
        self.gateway = Gateway(self)
        self.dispatch = self.gateway.dispatch
        self._fixed = 1_300_000_000_000_000_000
        self.add_role("gonogo")
        self.people[BOT].roles = [self.role("gonogo").id]
        self.add_role("qa")
        self.add_role("on-call", mentionable=True)
        for name in ("ana", "ben", "eva"):
            self.add_person(name)
        self.add_channel("deployments")

    # --- running ---

    async def __aenter__(self) -> Self:
        self.rest = Rest(self, self.faults, self.limits)
        app = web.Application(client_max_size=64 * 1024 * 1024)
        for path in ("/gateway", "/gateway/"):
            app.router.add_get(path, self.gateway.handle)
        self.rest.routes(app)
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
        self.rest.closing.set()
        await self.stop_tasks()
        self.gateway.drop()
        await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        """For `discord.http.Route.BASE`."""
        return self.base + PREFIX

    @property
    def gateway_url(self) -> str:
        """For `discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY`."""
        return self.gateway.url

    @contextmanager
    def pointed(self) -> Iterator[None]:
        """The discord.py of this process talks to this Discord."""
        before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = self.api_url, yarl.URL(self.gateway_url)
        try:
            yield
        finally:
            Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before

    async def ready(self, within: float = 5.0) -> None:
        """Until the bot has a session on the gateway."""
        await self.until(lambda: self.gateway.is_ready, within=within, what="a session on the gateway")

    def go_down(self) -> None:
        """The network is gone: what is connected is reset, and so is whoever tries."""
        self.rest.down = self.gateway.down = True
        self.gateway.drop()
        self.rest.cut()

    def come_back(self) -> None:
        self.rest.down = self.gateway.down = False

    # --- the guild ---

    def _next(self) -> int:
        self._fixed += 1
        return self._fixed

    def add_person(self, name: str, *, roles: Sequence[Named] = (), id: int = 0) -> Person:
        found = Person(id or self._next(), name, roles=[self.role(each).id for each in roles])
        self.people[found.id] = found
        return found

    def add_role(self, name: str, *, mentionable: bool = False, permissions: int = 0, id: int = 0) -> Role:
        found = Role(id or self._next(), name, mentionable, permissions, len(self.roles))
        self.roles[found.id] = found
        return found

    def add_channel(self, name: str, *, id: int = 0) -> Channel:
        found = Channel(id or self._next(), name, position=len(self.channels))
        self.channels[found.id] = found
        self.dispatch("CHANNEL_CREATE", discord_shapes.channel(found))
        return found

    def give_role(self, person: Named, role: Named) -> None:
        self.someone(person).roles.append(self.role(role).id)

    def take_role(self, person: Named, role: Named) -> None:
        self.someone(person).roles.remove(self.role(role).id)

    def forbid(self, channel: Named, *names: str, who: Named | None = None) -> None:
        """Deny permissions (`SEND_MESSAGES`) in a channel to the bot, or to somebody else."""
        self._overwrite(channel, 0, _bits(names), who)

    def allow(self, channel: Named, *names: str, who: Named | None = None) -> None:
        """Allow them there."""
        self._overwrite(channel, _bits(names), 0, who)

    def _overwrite(self, channel: Named, allow: int, deny: int, who: Named | None) -> None:
        place = self.place(channel)
        assert isinstance(place, Channel), "a thread has no overwrites"
        key = (1, self.someone(who).id if who is not None else BOT)
        had = place.overwrites.get(key, (0, 0))
        place.overwrites[key] = (had[0] & ~deny | allow, had[1] & ~allow | deny)
        self.dispatch("CHANNEL_UPDATE", discord_shapes.channel(place))
        self.changed()

    # --- what others do ---

    def thread_changed(self, thread: Thread) -> None:
        self.dispatch("THREAD_UPDATE", discord_shapes.thread(thread))
        self.changed()

    def archive(self, thread: Named, *, locked: bool = False) -> None:
        """It was quiet for long, or somebody closed it; `locked`: only moderators open it again."""
        found = self.place(thread)
        assert isinstance(found, Thread)
        found.archived, found.locked, found.archived_at = True, locked, self.clock.now()
        self.thread_changed(found)

    def remove_thread(self, thread: Named) -> None:
        found = self.place(thread)
        assert isinstance(found, Thread)
        self.thread_gone(found)

    def remove_message(self, message: Message) -> None:
        self.delete(message)

    def remove_channel(self, channel: Named) -> None:
        found = self.place(channel)
        for each in [each for each in self.threads.values() if each.parent == found.id]:
            self.thread_gone(each)
        self.channels.pop(found.id)
        for message in self.posted.pop(found.id, {}).values():
            message.deleted = True
        self.dispatch("CHANNEL_DELETE", discord_shapes.place(found))
        self.changed()

    # --- what can be seen ---

    def person(self, who: Named) -> Actor:
        """A person who acts."""
        return Actor(self, self.someone(who))

    def messages(self, where: Named) -> list[Message]:
        """What stands in a channel or thread, oldest first."""
        return self.standing(self.place(where).id)

    def thread(self, of: Named) -> Thread | None:
        """The one under a message, or of this name or id."""
        key = str(getattr(of, "id", of))
        return next((each for each in self.threads.values() if key in (str(each.id), each.name)), None)

    def find(self, where: Named, words: str) -> Message:
        """The latest message there that says this."""
        rows = self.messages(where)
        for each in reversed(rows):
            if words in self.text(each):
                return each
        shown = "\n\n".join(self.text(each) for each in rows)
        raise AssertionError(f"nothing there says {words!r}:\n{shown}")

    def text(self, shown: Message | Modal) -> str:
        """What it says, as text."""
        return modal_text(self, shown) if isinstance(shown, Modal) else message_text(self, shown)

    def screen(self, who: Named, where: Named) -> str:
        """What this person reads there."""
        return self.person(who).screen(where)

    def pings(self, message: Message) -> list[str]:
        """Whom it notified: `@ana`, `@&qa`, `@everyone`."""
        there = message.pinged
        users = [f"@{self.people[key].name}" for key in there.users]
        roles = [f"@&{self.roles[key].name}" for key in there.roles]
        return users + roles + (["@everyone"] if there.everyone else [])

    def called(self, pattern: str) -> list[Call]:
        """The requests that match (`POST /channels/*/messages`), in order."""
        return [call for call in self.calls if matches(call, pattern)]

    @property
    def invalid_requests(self) -> int:
        return self.rest.invalid


def _bits(names: Sequence[str]) -> int:
    found = 0
    for name in names:
        found |= PERMISSIONS[name]
    return found
