"""What the core asks of the world. The docstrings are the contract; one suite of tests runs over every adapter of a
port."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from bot.access import TokenUnit
from bot.cards.card import Answer, Card, Option
from bot.cards.chart import Chart
from bot.domain.calendar import Busy
from bot.domain.deployment import Deployment
from bot.domain.events import CalendarEvent, Event, Measurement
from bot.domain.people import Who
from bot.domain.summary import DeploymentRow as DeploymentRow
from bot.kept import Claimed as Claimed
from bot.kept import Conflict as Conflict
from bot.kept import Deadline as Deadline
from bot.kept import FrozenChecklist as FrozenChecklist
from bot.kept import LockHeld as LockHeld
from bot.kept import Mirror as Mirror
from bot.kept import Outgoing as Outgoing
from bot.kept import PostedCard as PostedCard
from bot.kept import Posting as Posting
from bot.kept import StoreError as StoreError
from bot.kept import UnknownRecord as UnknownRecord
from checklists.policy import FreezePolicy, Person, ProbePolicy


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


class Roster(Protocol):
    """Who holds which role, as far as the chats can tell."""

    async def holders(self, role: str, people: Mapping[str, Person]) -> frozenset[tuple[str, str]] | None:
        """Chat and id of everybody who holds the role; None when no chat can tell."""
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


class Pictures(Protocol):
    """Draws charts."""

    async def png(self, chart: Chart) -> bytes:
        """The chart as a PNG, drawn off the event loop. Raises ValueError for one without any point."""
        ...


# --- the world that is measured ---


@dataclass(frozen=True, slots=True)
class Asked:
    """About what a measurement is asked: the deployment, and the instant it should be as of."""

    service: str
    environment: str
    version: str
    as_of: datetime
    repository: str | None = None
    """`owner/name` of its source, where the policy says."""
    deployed_at: datetime | None = None
    """T0; None before it."""


TURN = timedelta(seconds=10)
"""How long a measurement may wait until fewer others ask the same source."""


class Probe(Protocol):
    """A source of measurements."""

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once. Never raises: a failure is a Measurement with outcome error, refused or no data, and says why.

        `probe` is None for a measure the policy has no source for. Where too many ask the same source it may wait for
        its turn, at most `TURN` and not on the probe's own time.
        """
        ...


@runtime_checkable
class History(Protocol):
    """A source that also knows the past."""

    async def history(
        self, name: str, probe: ProbePolicy, asked: Asked, *, start: datetime, end: datetime, step: timedelta
    ) -> list[tuple[datetime, float]]:
        """What the measure was between two instants, oldest first, in its base unit; gaps are left out. Never raises:
        empty when it cannot be told."""
        ...


class Calendars(Protocol):
    """Reads what freezes have to be read elsewhere: calendars, status pages, PagerDuty."""

    async def busy(self, freeze: FreezePolicy, *, start: datetime, end: datetime, zone: str) -> list[Busy]:
        """What closes, between two instants: the events of `freeze.calendar` that count, the unresolved incidents of
        `freeze.statuspage`, the open ones of `freeze.pagerduty` (both until further notice).

        May answer from a copy a few minutes old. Raises `bot.domain.calendar.Unreadable` when the source cannot be
        read; never an empty list for what is not known.
        """
        ...


class Changelog(Protocol):
    """The repository's own record of changes."""

    async def changes(self, path: str | None, version: str) -> tuple[str, ...] | str:
        """The changes of this version, or a sentence why they are not known."""
        ...


# --- the store ---


class Unit(TokenUnit, Protocol):
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

    async def state(self, deployment: str) -> Deployment | None:
        """What all its facts add up to. None if there is none of this id. Not to be changed in place."""
        ...

    async def append(self, row: DeploymentRow, after: int, events: Sequence[Event]) -> None:
        """Add facts after the `after`-th and replace the projection by `row`.

        Marks the deployment's mirrors as behind. Raises Conflict if there are more facts already, LockHeld if
        `row.locked` and another row holds the same service and environment.
        """
        ...

    async def plan_deadlines(
        self, deployment: str, wanted: Sequence[Deadline], kinds: Collection[str] | None = None
    ) -> None:
        """Make the open deadlines of the deployment exactly these. Those done stay done, whatever is wanted; so do
        those of kinds (the first words of keys) that are not among `kinds`."""
        ...

    async def finish_deadline(self, deployment: str, key: str, at: datetime) -> None:
        """The due work is done. Raises Conflict if it was done, or dropped, meanwhile."""
        ...

    async def say(self, messages: Sequence[Outgoing]) -> None:
        """Put messages into the outbox; a key that is there already is left as it is."""
        ...

    async def alone(self, service: str, environment: str) -> None:
        """Until this transaction ends, nobody else decides about who may deploy this service here: others wait."""
        ...

    async def calendar(self) -> list[CalendarEvent]:
        """All freezes, incidents and locks ever set and lifted, in order; not the starts that were turned away."""
        ...

    async def denials(self, limit: int = 1_000) -> list[CalendarEvent]:
        """The newest starts that were turned away, oldest of them first."""
        ...

    async def append_calendar(self, events: Sequence[CalendarEvent]) -> None:
        """Add facts about freezes, incidents and locks."""
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
        """Who holds the lock of this service and environment; where nobody does, whoever is rolled back there."""
        ...


class Store(Protocol):
    """The truth. All instants in and out are aware UTC."""

    def write(self) -> AbstractAsyncContextManager[Unit]:
        """A transaction that may write; committed when the block ends without an exception."""
        ...

    def read(self) -> AbstractAsyncContextManager[Unit]:
        """A transaction that only reads and never waits for a writer."""
        ...

    async def next_due(self, after: datetime | None = None) -> datetime | None:
        """When the earliest open deadline (later than `after`) is due."""
        ...

    async def claim_due(
        self, now: datetime, owner: str, lease: timedelta, limit: int = 10, *, busy: Collection[str] = ()
    ) -> list[Claimed]:
        """Open deadlines due by now, oldest first, that nobody holds; held by `owner` for `lease` of real time. Of each
        deployment only the first, and none of the deployments that are `busy`: what is due for one is done in turn."""
        ...

    async def keep_due(self, held: Sequence[Claimed], lease: timedelta) -> None:
        """Hold these for another `lease` of real time; those lost or done meanwhile are left as they are."""
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

    async def mirror_done(self, mirror: Mirror, *, rest: timedelta = timedelta(0)) -> None:
        """The cards show revision `wanted`; the deployment is behind again only if it moved on, and is not claimed
        before `rest` is over, by real time. Gives the lease back."""
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

    async def behind(self, posting: Posting, limit: int = 100) -> list[Posting]:
        """Messages not yet said that wait for this one in its thread, oldest first; not held by anybody."""
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

    async def hold(self, name: str, owner: str, lease: timedelta) -> bool:
        """Take a named lease of real time, or keep it; False while somebody else holds it."""
        ...

    async def drop(self, name: str, owner: str) -> None:
        """Give a named lease back, if it is still the owner's."""
        ...

    async def close(self) -> None:
        """Give every connection back."""
        ...
