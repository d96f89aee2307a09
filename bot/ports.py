"""What the core asks of the world. The docstrings are the contract; one suite of tests runs over every adapter of a
port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.cards.card import Answer, Card, Option
from bot.domain.calendar import Busy
from bot.domain.events import CalendarEvent, Event, Measurement
from bot.domain.people import Who
from bot.domain.summary import DeploymentRow as DeploymentRow
from checklists.policy import FreezePolicy, ProbePolicy


class Clock(Protocol):
    """The one source of `now` (UTC, aware). Rules never ask it: services do, and pass the answer on."""

    def now(self) -> datetime:
        """The present instant."""
        ...


# --- chats ---


class ChatError(Exception):
    """Something a chat said no to. The sentence is for the log and the status page."""


class Ambiguous(ChatError):
    """The message may or may not have been posted (timeout, dropped connection, 5xx): look before posting again."""


class Busy429(ChatError):
    """The chat asked to wait. `retry_after` is in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"the chat asked to wait {retry_after:.1f} s")
        self.retry_after = retry_after


class MessageGone(ChatError):
    """The message to be edited no longer exists, or can no longer be edited: post it again."""


class Uneditable(MessageGone):
    """It stands, and can no longer be edited."""


class ChannelGone(ChatError):
    """No such channel, or the bot is not in it."""


class Chat(Protocol):
    """A chat the channel stands in. It draws neutral cards; no rule lives in it."""

    @property
    def name(self) -> str:
        """`web`, `slack` or `discord`."""
        ...

    def parts(self, card: Card) -> tuple[Card, ...]:
        """The messages a card needs in this chat, in order; one where it fits. What stands in which part does not
        change with what is done about it: buttons do not wander between messages."""
        ...

    async def has_channel(self, channel: str) -> bool:
        """Whether a channel of this name (with `#`) exists and can be posted to."""
        ...

    async def post(self, channel: str, card: Card, *, key: str, thread: str | None = None) -> str:
        """Post a message and return its id. `key` is stable for this message and can be found again with `find`.

        `thread` is the id of the message it hangs under. Raises Ambiguous, Busy429, ChannelGone, MessageGone (the
        thread).
        Posting the same key twice posts twice: it is the caller who looks first.
        """
        ...

    async def update(self, channel: str, message: str, card: Card, *, thread: str | None = None) -> None:
        """Replace what a message says. Repeating it is harmless. Raises MessageGone, Busy429, Ambiguous."""
        ...

    async def find(self, channel: str, key: str, *, since: datetime, thread: str | None = None) -> str | None:
        """The id of the message posted with this key since then, or None if it is certain that there is none.

        Raises Ambiguous or Busy429 when that cannot be told now.
        """
        ...


class Dialogue(Protocol):
    """What a chat hands in: a command, a click, a form; and the answer only its author sees.

    `key` names the delivery (interaction id, trigger id): a repeat changes nothing and gets the same answer. When
    the call
    returns, what it did is committed. It raises only when the database cannot be written (`StoreError`): then nothing
    was changed, and the person must be told to try again.
    """

    async def command(self, text: str, *, who: Who, key: str, channel: str) -> Answer:
        """`start v1.2.0 …`: what stands behind `/deploy`."""
        ...

    async def click(self, action: str, *, who: Who, key: str, channel: str) -> Answer:
        """A button's `action`."""
        ...

    async def submit(self, action: str, values: Mapping[str, str], *, who: Who, key: str, channel: str) -> Answer:
        """A form's `action` with its answers by field name."""
        ...

    async def complete(self, text: str, *, who: Who) -> list[Option]:
        """Ways to go on with a half-typed command, best first: `value` replaces the text, `label` explains. At most
        25."""
        ...


# --- the world that is measured ---


@dataclass(frozen=True, slots=True)
class Asked:
    """About what a measurement is asked: the deployment, and the instant it should be as of."""

    service: str
    environment: str
    version: str
    as_of: datetime


class Probe(Protocol):
    """A source of measurements."""

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once. Never raises: a failure is a Measurement with outcome error, refused or no data, and says why.

        `probe` is None for a measure the policy has no source for.
        """
        ...


class Calendars(Protocol):
    """Reads the calendars that policies name."""

    async def busy(self, freeze: FreezePolicy, *, start: datetime, end: datetime, zone: str) -> list[Busy]:
        """The events of `freeze.calendar` that count, between two instants.

        Raises `bot.domain.calendar.Unreadable` when the source cannot be read.
        """
        ...


class Changelog(Protocol):
    """The repository's own record of changes."""

    async def changes(self, path: str | None, version: str) -> tuple[str, ...] | str:
        """The changes of this version, or a sentence why they are not known."""
        ...


# --- the store ---


class StoreError(Exception):
    """The database cannot do it. The sentence says what was wrong and what to do now."""


class Conflict(StoreError):
    """Somebody else has written meanwhile; load again and decide again."""


class LockHeld(Conflict):
    """Another deployment of the same service and environment holds the lock."""


@dataclass(frozen=True, slots=True)
class FrozenChecklist:
    """The exact texts a deployment runs on, kept by content hash for ever."""

    digest: str
    name: str
    markdown: bytes
    policy: str | None


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something due at an instant. `key` is unique within the deployment (`check:t30:0`, `phase:abc`)."""

    deployment: str
    key: str
    due: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """A due row this process holds until `lease_until`."""

    deadline: Deadline
    lease: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be said once. `key` is unique for ever (`ID:announced:succeeded:web:#deployments`)."""

    key: str
    chat: str
    channel: str
    card: Card
    deployment: str | None = None
    thread: str | None = None
    """Slot of the deployment under whose message it hangs."""


@dataclass(frozen=True, slots=True)
class Posting:
    """An outgoing message this process holds. `first_tried` is set when it may already have been posted."""

    id: int
    message: Outgoing
    lease: str
    attempts: int
    first_tried: datetime | None


@dataclass(frozen=True, slots=True)
class Mirror:
    """A deployment whose cards in one chat are behind the database; this process holds it."""

    deployment: str
    chat: str
    wanted: int
    """The deployment's revision when it was claimed."""
    lease: str


@dataclass(frozen=True, slots=True)
class PostedCard:
    """Where a slot stands in a chat, and what it said last. `message` is None between the intention to post and the
    answer."""

    slot: str
    channel: str
    message: str | None
    thread: str | None
    digest: str
    tried_at: datetime


class Unit(Protocol):
    """One transaction. Everything in it happens, or nothing does. Never held over network I/O."""

    async def delivered(self, key: str) -> str | None:
        """The answer given to this delivery before, or None."""
        ...

    async def remember_delivery(self, key: str, answer: str, at: datetime) -> None:
        """Keep the answer. Raises Conflict if the key was delivered meanwhile."""
        ...

    async def keep_checklist(self, frozen: FrozenChecklist) -> None:
        """Keep the texts; the same digest again changes nothing."""
        ...

    async def checklist(self, digest: str) -> FrozenChecklist:
        """The texts of this digest. Raises StoreError if they were never kept."""
        ...

    async def events(self, deployment: str) -> list[Event]:
        """All facts of a deployment, in order. Empty if there is none of this id."""
        ...

    async def append(self, row: DeploymentRow, after: int, events: Sequence[Event]) -> None:
        """Add facts after the `after`-th and replace the projection by `row`.

        Marks the deployment's mirrors as behind. Raises Conflict if there are more facts already, LockHeld if
        `row.locked`
        and another row holds the same service and environment.
        """
        ...

    async def plan_deadlines(self, deployment: str, wanted: Sequence[Deadline]) -> None:
        """Make the open deadlines of the deployment exactly these. Those done stay done, whatever is wanted."""
        ...

    async def finish_deadline(self, deployment: str, key: str, at: datetime) -> None:
        """The due work is done. Raises Conflict if it was done, or dropped, meanwhile."""
        ...

    async def say(self, messages: Sequence[Outgoing]) -> None:
        """Put messages into the outbox; a key that is there already is left as it is."""
        ...

    async def calendar(self) -> list[CalendarEvent]:
        """All freezes and incidents ever added and removed, in order."""
        ...

    async def append_calendar(self, events: Sequence[CalendarEvent]) -> None:
        """Add facts about freezes and incidents."""
        ...

    async def row(self, deployment: str) -> DeploymentRow | None:
        """The projection of one deployment."""
        ...

    async def rows(
        self,
        *,
        service: str | None = None,
        environment: str | None = None,
        live: bool | None = None,
        limit: int = 50,
    ) -> list[DeploymentRow]:
        """Projections, newest first."""
        ...

    async def lock_holder(self, service: str, environment: str) -> DeploymentRow | None:
        """Who holds the lock of this service and environment."""
        ...


class Store(Protocol):
    """The truth. All instants in and out are aware UTC."""

    def write(self) -> AbstractAsyncContextManager[Unit]:
        """A transaction that may write; committed when the block ends without an exception."""
        ...

    def read(self) -> AbstractAsyncContextManager[Unit]:
        """A transaction that only reads and never waits for a writer."""
        ...

    async def next_due(self) -> datetime | None:
        """When the earliest open deadline is due."""
        ...

    async def claim_due(self, now: datetime, owner: str, lease: timedelta, limit: int = 10) -> list[Claimed]:
        """Open deadlines due by now, oldest first, that nobody holds; held by `owner` for `lease` of real time."""
        ...

    async def release_due(self, claimed: Claimed) -> None:
        """Give a deadline back undone (it will be claimed again)."""
        ...

    async def claim_mirrors(
        self, chat: str, owner: str, lease: timedelta, *, every: bool = False, limit: int = 10
    ) -> list[Mirror]:
        """Deployments whose cards in this chat are behind (`every`: all live ones), that nobody holds and nobody put
        off."""
        ...

    async def mirror_done(self, mirror: Mirror) -> None:
        """The cards show revision `wanted`; the deployment is behind again only if it moved on. Gives the lease
        back."""
        ...

    async def mirror_later(self, mirror: Mirror, seconds: float) -> None:
        """Give the lease back; not to be claimed for so many seconds of real time."""
        ...

    async def posted(self, deployment: str, chat: str) -> dict[str, PostedCard]:
        """Where the slots of a deployment stand in a chat."""
        ...

    async def note_posted(self, deployment: str, chat: str, card: PostedCard) -> None:
        """Remember where a slot stands (also the intention, before posting)."""
        ...

    async def claim_outbox(self, chat: str, owner: str, lease: timedelta, limit: int = 10) -> list[Posting]:
        """Messages not yet said in this chat, oldest first, that nobody holds and nobody put off.

        Of one deployment's messages to one channel only the first one unsaid: the later ones wait for it.
        """
        ...

    async def trying(self, posting: Posting, at: datetime) -> None:
        """About to post: from now on it may stand in the channel. Committed before the call goes out.

        Raises Conflict if the lease was lost or the message was said meanwhile: somebody else posts it.
        """
        ...

    async def said(self, posting: Posting, message: str, channel: str, at: datetime) -> None:
        """It stands in the channel."""
        ...

    async def say_later(self, posting: Posting, seconds: float, why: str) -> None:
        """Give the lease back; not to be claimed for so many seconds of real time."""
        ...

    async def close(self) -> None:
        """Give every connection back."""
        ...
