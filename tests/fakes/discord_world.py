"""The guild behind the loopback Discord: people, roles, channels, messages, permissions, and the clock they share."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from tests.fakes.discord_things import (
    ALL_INTENTS,
    BOT,
    EPOCH,
    GUILD,
    JSON,
    MEMBERS_MAY,
    PERMISSIONS,
    PRIVILEGED,
    Call,
    Channel,
    Clock,
    Interaction,
    Message,
    Modal,
    Person,
    Refused,
    Role,
    Thread,
    unknown,
)

T = TypeVar("T")
R = TypeVar("R", Role, Person)
Named = int | str | Channel | Thread | Message | Person | Role

LOOK = 0.02
"""Seconds after which a condition is looked at again, though nothing has changed in the guild."""


class World:
    """The state everything else works on, and the waiting for it to change."""

    def __init__(self, now: Callable[[], float] = time.time, seed: int = 0) -> None:
        self.clock = Clock(now, moved=self.changed)
        self.random = random.Random(seed)
        self.base = ""
        self.token = "fake.discord.token"
        self.application_id = self.bot_id = BOT
        self.guild_id = GUILD
        self.guild_name = "acme"
        self.owner = 0
        """The guild's owner, who may do everything; nobody at first."""
        self.roles: dict[int, Role] = {GUILD: Role(GUILD, "@everyone", permissions=MEMBERS_MAY, position=0)}
        self.people: dict[int, Person] = {BOT: Person(BOT, "gonogo", bot=True)}
        self.channels: dict[int, Channel] = {}
        self.threads: dict[int, Thread] = {}
        self.posted: dict[int, dict[int, Message]] = {}
        self.ephemerals: list[Message] = []
        self.nonces: dict[tuple[int, str], tuple[float, Message]] = {}
        self.nonce_window = 180.0
        """Seconds for which a nonce is enforced ("past few minutes": resources/message)."""
        self.interactions: dict[str, Interaction] = {}
        self.modals: list[Modal] = []
        self.commands: dict[int, list[JSON]] = {0: [], GUILD: []}
        """Application commands: 0 holds the global ones."""
        self.command_creates = 0
        self.calls: list[Call] = []
        self.allowed_intents = ALL_INTENTS & ~PRIVILEGED
        """Those that the bot was granted; privileged ones are not among them at first."""
        self.ack_within = 3.0
        """Seconds for the first answer to an interaction (interactions/receiving-and-responding)."""
        self.token_life = 900.0
        self.dispatch: Callable[[str, JSON], None] = lambda name, data: None
        """Puts an event on the gateway."""
        self._last_id = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    # --- names and instants ---

    def id(self) -> int:
        """A snowflake: unique and increasing (reference: snowflakes)."""
        self._last_id = max(int((self.clock.now() - EPOCH) * 1000) << 22, self._last_id + 1)
        return self._last_id

    def secret(self) -> str:
        return f"{self.random.getrandbits(256):064x}"

    # --- finding ---

    def place(self, wanted: Named) -> Channel | Thread:
        """A channel or thread, by id or name."""
        if isinstance(wanted, Channel | Thread):
            return wanted
        key = getattr(wanted, "id", wanted)
        there: list[Channel | Thread] = [*self.channels.values(), *self.threads.values()]
        for each in there:
            if str(key).removeprefix("#") in (str(each.id), each.name):
                return each
        raise unknown("Channel", 10003)

    def role(self, wanted: Named) -> Role:
        return _one(self.roles.values(), wanted, "role")

    def someone(self, wanted: Named) -> Person:
        return _one(self.people.values(), wanted, "person")

    def message(self, channel: int, message: int) -> Message:
        found = self.posted.get(channel, {}).get(message)
        if found is None or found.deleted:
            raise unknown("Message", 10008)
        return found

    def standing(self, channel: int) -> list[Message]:
        return [each for each in self.posted.get(channel, {}).values() if not each.deleted]

    # --- permissions (topics/permissions: permission overwrites) ---

    def may(self, person: int, where: Channel | Thread) -> int:
        """What somebody may do in a channel; in a thread, its parent's overwrites count."""
        if person == self.owner:
            return sum(PERMISSIONS.values())
        roles = [GUILD, *self.people[person].roles]
        allowed = 0
        for key in roles:
            allowed |= self.roles[key].permissions
        if allowed & PERMISSIONS["ADMINISTRATOR"]:
            return sum(PERMISSIONS.values())
        channel = self.channels[where.parent] if isinstance(where, Thread) else where
        over = channel.overwrites
        steps = [[(0, GUILD)], [(0, key) for key in roles if key != GUILD], [(1, person)]]
        for step in steps:
            deny = allow = 0
            for key_ in step:
                allow, deny = allow | over.get(key_, (0, 0))[0], deny | over.get(key_, (0, 0))[1]
            allowed = allowed & ~deny | allow
        if not allowed & PERMISSIONS["VIEW_CHANNEL"]:
            return 0
        if not allowed & PERMISSIONS["SEND_MESSAGES"] and not isinstance(where, Thread):
            for lost in ("MENTION_EVERYONE", "ATTACH_FILES", "EMBED_LINKS"):
                allowed &= ~PERMISSIONS[lost]
        return allowed

    def need(self, where: Channel | Thread, *names: str) -> None:
        """50001 for a channel that the bot cannot see, 50013 for anything else it may not do there."""
        held = self.may(BOT, where)
        if not held & PERMISSIONS["VIEW_CHANNEL"]:
            raise Refused(403, 50001, "Missing Access")
        if any(not held & PERMISSIONS[name] for name in names):
            raise Refused(403, 50013, "Missing Permissions")

    # --- changing ---

    def put(self, message: Message) -> Message:
        """It stands at the end of its channel; an archived thread opens again (resources/channel)."""
        if message.ephemeral_to is not None:
            self.ephemerals.append(message)
            self.changed()
            return message
        self.posted.setdefault(message.channel_id, {})[message.id] = message
        place = self.place(message.channel_id)
        place.last = message.id
        if isinstance(place, Thread):
            place.sent += 1
            place.members.add(message.author)
            if place.archived:
                place.archived = False
                self.thread_changed(place)
        self.changed()
        return message

    def thread_changed(self, thread: Thread) -> None:
        """Tells the gateway."""
        raise NotImplementedError

    def thread_gone(self, thread: Thread) -> None:
        self.threads.pop(thread.id, None)
        for each in self.posted.pop(thread.id, {}).values():
            each.deleted = True
        gone = {"id": str(thread.id), "guild_id": str(GUILD), "parent_id": str(thread.parent), "type": 11}
        self.dispatch("THREAD_DELETE", gone)
        self.changed()

    def delete(self, message: Message) -> None:
        """Its thread, if it has one, stays (topics/threads)."""
        message.deleted = True
        if message.ephemeral_to is None:
            gone = {"id": str(message.id), "channel_id": str(message.channel_id), "guild_id": str(GUILD)}
            self.dispatch("MESSAGE_DELETE", gone)
        self.changed()

    # --- waiting ---

    def changed(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)

    async def until(self, predicate: Callable[[], T | None], *, within: float = 5.0, what: str = "") -> T:
        """Wait for something to become true; asked again whenever anything changes here, and now and then for
        what changes elsewhere. Fails when time is up."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        while True:
            if result := predicate():
                return result
            left = end - loop.time()
            if left <= 0:
                last = ", ".join(f"{call.name}→{call.code or call.status}" for call in self.calls[-8:])
                raise AssertionError(f"still not {what or 'so'} after {within} s; last calls: {last or 'none'}")
            await self.turn(min(left, LOOK))

    async def turn(self, within: float) -> None:
        """Until the next change, or until so many seconds are over."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await asyncio.wait({turn}, timeout=within)

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Not waited for, but ended with the guild."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop_tasks(self) -> None:
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _one(there: Iterable[R], wanted: Named, what: str) -> R:
    key = str(getattr(wanted, "id", wanted)).removeprefix("@")
    for each in there:
        if key in (str(each.id), each.name.removeprefix("@")):
            return each
    raise AssertionError(f"there is no {what} {key!r}; there are {sorted(each.name for each in there)}")
