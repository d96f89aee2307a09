"""What every fact has, and what several of them carry."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from bot.domain.people import Who


class Fact(BaseModel):
    """Frozen, and closed: an event of a newer release is refused, never half understood."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: datetime
    by: Who


class Cause(BaseModel):
    """Why the gate was closed, as it was said then. `until` is when this cause ends, if anybody knew."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    text: str
    source: str
    until: datetime | None = None


class Decision(BaseModel):
    """What the gate said about an instant, kept as data: what `/deploy why` tells again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: datetime
    """The instant it was asked about: now, or a planned time."""
    open: bool
    causes: tuple[Cause, ...] = ()
    next_open: datetime | None = None
    next_close: datetime | None = None
    zone: str = "UTC"
    ignored: tuple[str, ...] = ()
    """Sources that could not be read and that the policy lets pass."""
    lock: str = ""
    """Who held the service, in words; empty where nobody did."""


class Approvals(BaseModel):
    """What has to be approved by `count` different people of a role, none of them who asked. `expires` is in
    seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    count: int = 1
    expires: int | None = None
