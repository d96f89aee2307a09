"""What the store keeps and hands out, and what it says when it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.cards.card import Card


class StoreError(Exception):
    """The database cannot do it. The sentence says what was wrong and what to do now."""


class Conflict(StoreError):
    """Somebody else has written meanwhile; load again and decide again."""


class UnknownRecord(StoreError):
    """A record was written by a newer release, and this one cannot read it."""


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
    """Slot of the deployment under whose message it hangs. Without a deployment: what it is in one line with."""


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
