"""The workspace behind the loopback Slack: people, channels, messages, views, files, and the clock they share."""

from __future__ import annotations

import asyncio
import copy
import random
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from tests.fakes.slack_blocks import elements
from tests.fakes.slack_elements import INTERACTIVE
from tests.fakes.slack_shapes import JSON
from tests.fakes.slack_things import (
    BOT_USER,
    SCOPES,
    TEAM,
    Answer,
    Call,
    Channel,
    Clock,
    Group,
    Message,
    Person,
    Refused,
    StoredFile,
    Trigger,
    View,
)

T = TypeVar("T")


class World:
    """The state everything else works on, and the waiting for it to change."""

    def __init__(self, now: Callable[[], float] = time.time, seed: int = 0) -> None:
        self.clock = Clock(now)
        self.random = random.Random(seed)
        self.base = ""
        self.people: dict[str, Person] = {BOT_USER: Person(BOT_USER, "gonogo", "gonogo", bot=True)}
        self.groups: dict[str, Group] = {}
        self.channels: dict[str, Channel] = {}
        self.posted: dict[str, dict[str, Message]] = {}
        self.ephemerals: list[Message] = []
        self.views: dict[str, View] = {}
        self.homes: dict[str, View] = {}
        self.files: dict[str, StoredFile] = {}
        self.triggers: dict[str, Trigger] = {}
        self.answers: dict[str, Answer] = {}
        self.tickets: dict[str, bool] = {}
        self.calls: list[Call] = []
        self.refused: list[str] = []
        """What people would have seen go wrong outside the Web API: an ack's blocks refused, an unknown block_id."""
        self.scopes: set[str] = set(SCOPES)
        self.bot_token, self.app_token = "xoxb-fake-bot", "xapp-1-fake-app"
        self.app_scopes: set[str] = {"connections:write"}
        self.bad_tokens: dict[str, str] = {}
        self.budget = (9_000, 12_000)
        """Characters of block text and bytes of JSON above which a message is msg_blocks_too_long."""
        self.action_scope = "message"
        self.edit_window: float | None = None
        """Seconds after which a message can no longer be edited; None: always."""
        self.missing_thread = "unthread"
        """What chat.postMessage does under a parent that is gone: `unthread` (the observed behaviour: the reply stands
        in the channel, and `message.thread_ts` is missing), or an error to refuse with."""
        self.file_checks = 0
        self.home_enabled = True
        self._numbers: dict[str, int] = {}
        self._last_ts: dict[str, int] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    # --- names and instants ---

    def id(self, kind: str) -> str:
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return f"{kind}{self._numbers[kind]:04d}"

    def ts(self, channel: str) -> str:
        """Unique and increasing in its channel (docs.slack.dev/messaging: ts is the message's id)."""
        micro = max(int(self.clock.now() * 1_000_000), self._last_ts.get(channel, 0) + 1)
        self._last_ts[channel] = micro
        return f"{micro // 1_000_000}.{micro % 1_000_000:06d}"

    def trigger(self, user: str, view: str | None = None) -> str:
        """Valid for 3 s and once (docs.slack.dev/interactivity/handling-user-interaction)."""
        key = f"{self.id('')}.{TEAM[1:]}.{self.random.getrandbits(64):016x}"
        self.triggers[key] = Trigger(user, self.clock.now() + 3.0, view)
        return key

    def exchange(self, key: str) -> Trigger:
        found = self.triggers.get(key)
        if found is None:
            raise Refused("invalid_trigger_id")
        if found.used:
            raise Refused("exchanged_trigger_id")
        if self.clock.now() > found.until:
            raise Refused("expired_trigger_id")
        return found

    def response_url(self, user: str, channel: str, message: Message | None = None) -> str:
        """Valid 30 minutes and five times (handling-user-interaction: message responses)."""
        key = f"{self.random.getrandbits(64):016x}"
        self.answers[key] = Answer(user, channel, self.clock.now() + 1800, message)
        return f"{self.base}/response/{key}"

    # --- finding ---

    def channel_of(self, wanted: str) -> Channel:
        """By id, or by name with or without `#`."""
        for channel in self.channels.values():
            if wanted in (channel.id, channel.name, f"#{channel.name}"):
                return channel
        raise Refused("channel_not_found")

    def direct(self, user: str) -> Channel:
        key = "D" + user[1:]
        if key not in self.channels:
            self.channels[key] = Channel(key, f"dm-{user}", {user, BOT_USER}, private=True, direct=True)
        return self.channels[key]

    def message(self, channel: str, ts: str) -> Message:
        found = self.posted.get(channel, {}).get(ts)
        if found is None or found.deleted:
            raise Refused("message_not_found")
        return found

    def standing(self, channel: str) -> list[Message]:
        """In order: nothing is ever put between two messages."""
        return [each for each in self.posted.get(channel, {}).values() if not each.deleted]

    def replies(self, channel: str, ts: str) -> list[Message]:
        return [each for each in self.standing(channel) if each.is_reply and each.thread_ts == ts]

    def delete(self, message: Message) -> None:
        """A parent with replies leaves a tombstone, and its thread goes on."""
        if self.replies(message.channel, message.ts):
            message.say("This message was deleted.", [])
            message.tombstone, message.metadata = True, None
        else:
            message.deleted = True
        self.changed()

    def put(self, message: Message) -> Message:
        if message.ephemeral_to:
            self.ephemerals.append(message)
        else:
            self.posted.setdefault(message.channel, {})[message.ts] = message
        self.changed()
        return message

    def stored(self, blocks: Iterable[JSON]) -> list[JSON]:
        """As Slack keeps them: with ids for those that had none, `emoji` and `verbatim` filled in."""
        kept = copy.deepcopy(list(blocks))
        for block in kept:
            block.setdefault("block_id", self.id("b"))
            for _, element in elements(block):
                if element.get("type") in INTERACTIVE:
                    element.setdefault("action_id", self.id("a"))
            _fill(block)
        return kept

    # --- waiting ---

    def changed(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)

    async def until(self, predicate: Callable[[], T | None], *, within: float = 5.0, what: str = "") -> T:
        """Wait for something to become true; asked again whenever anything changes here. Fails when time is up."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        while True:
            if result := predicate():
                return result
            left = end - loop.time()
            if left <= 0:
                last = ", ".join(f"{call.method}→{call.error or call.status}" for call in self.calls[-8:])
                raise AssertionError(f"still not {what or 'so'} after {within} s; last calls: {last or 'none'}")
            turn: asyncio.Future[None] = loop.create_future()
            self._waiting.append(turn)
            await asyncio.wait({turn}, timeout=left)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Not waited for, but ended with the workspace."""
        _ = self.spawn(work)

    async def stop_tasks(self) -> None:
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _fill(value: Any) -> None:
    if isinstance(value, dict):
        if isinstance(value.get("text"), str) and value.get("type") == "plain_text":
            value.setdefault("emoji", True)
        if isinstance(value.get("text"), str) and value.get("type") == "mrkdwn":
            value.setdefault("verbatim", False)
        for each in value.values():
            _fill(each)
    elif isinstance(value, list):
        for each in value:
            _fill(each)
