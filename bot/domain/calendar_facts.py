"""Facts about services rather than one deployment: freezes, incidents, locks, queues, starts turned away; and what
stands for a fact that nobody here can read."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from bot.domain.facts import Decision, Fact


class FreezeAdded(Fact):
    """A freeze added in chat. `environments` empty: all of them; `service` None: every service."""

    kind: Literal["freeze_added"] = "freeze_added"
    id: str
    words: str
    start: datetime
    end: datetime
    reason: str
    service: str | None = None


class FreezeRemoved(Fact):
    kind: Literal["freeze_removed"] = "freeze_removed"
    id: str
    reason: str = ""


class IncidentOpened(Fact):
    """An incident of a service (None: of every service); while it is open, freezes on incidents hold."""

    kind: Literal["incident_opened"] = "incident_opened"
    id: str
    reason: str
    service: str | None = None


class IncidentClosed(Fact):
    kind: Literal["incident_closed"] = "incident_closed"
    id: str


class Locked(Fact):
    """Nobody but who set it starts this service here, until it is lifted or `until` has come. `deployment` is the one
    whose rollback set it."""

    kind: Literal["locked"] = "locked"
    id: str
    service: str
    environment: str
    reason: str
    until: datetime | None = None
    deployment: str = ""


class Unlocked(Fact):
    kind: Literal["unlocked"] = "unlocked"
    id: str
    reason: str = ""


class Queued(Fact):
    """Somebody wants to be told when a service is free."""

    kind: Literal["queued"] = "queued"
    id: str
    service: str
    environment: str
    version: str = ""


class Unqueued(Fact):
    kind: Literal["unqueued"] = "unqueued"
    id: str


class TurnedAway(Fact):
    """A start that was not permitted."""

    kind: Literal["turned_away"] = "turned_away"
    id: str
    service: str
    environment: str
    version: str
    why: str
    """What the person was told."""
    gate: Decision


class Unread(Fact):
    """Stands for a fact that a newer release has kept and this one cannot read; it is never kept itself. Nobody knows
    whether it closes the gate, so the gate of its service is closed here; `service` None: of every service."""

    kind: Literal["unread"] = "unread"
    what: str
    """The kind it has there."""
    service: str | None = None
