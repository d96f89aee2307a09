"""Facts of the watch: what was measured, what a check found, and what followed from it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.domain.facts import Fact


class Verdict(StrEnum):
    """What a check found. Unknown is never success: no data is inconclusive."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    FAILING = "failing"
    INCONCLUSIVE = "inconclusive"


class Outcome(StrEnum):
    """How asking for a measurement ended; the four are kept apart."""

    MEASURED = "measured"
    NO_DATA = "no data"
    ERROR = "error"
    REFUSED = "refused"


class Measurement(BaseModel):
    """One measured value. `value` is in the dimension's base unit (ratio 0..1, seconds, count) and None unless
    measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    outcome: Outcome
    value: float | None = None
    dimension: str = ""
    detail: str = ""
    """What was found or why not, in words."""
    link: str | None = None


class Judged(BaseModel):
    """A measurement held against its target and alert. `ok` None: could not be judged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measurement: Measurement
    target: str = ""
    verdict: Verdict


class CheckRan(Fact):
    kind: Literal["check_ran"] = "check_ran"
    check: str
    due: datetime
    verdict: Verdict
    judged: tuple[Judged, ...] = ()
    severity: str = ""
    action: str = ""
    within: str = ""
    late_seconds: int = 0
    again: bool = False
    """A person asked for it once more."""


class CheckAccepted(Fact):
    """A person decided to go on although the check was not healthy, with a written reason."""

    kind: Literal["check_accepted"] = "check_accepted"
    check: str
    due: datetime
    reason: str


class Watched(Fact):
    """A look between two checks: whether what may lead to a rollback is still beyond its limit (`breach`; None: that
    cannot be told), or, while rolling back, whether the old version is well."""

    kind: Literal["watched"] = "watched"
    due: datetime
    breach: bool | None
    judged: tuple[Judged, ...] = ()


class RollbackProposed(Fact):
    """What was measured leads to a rollback by itself at `stops_at`, unless it is stopped or better by then."""

    kind: Literal["rollback_proposed"] = "rollback_proposed"
    to_version: str
    reason: str
    stops_at: datetime


class RollbackStopped(Fact):
    """The rollback that was to come by itself does not: a person says so, or (by gonogo) it is within its limits."""

    kind: Literal["rollback_stopped"] = "rollback_stopped"
    reason: str


class Recovered(Fact):
    """While rolling back: the probes that found the old version well."""

    kind: Literal["recovered"] = "recovered"
    judged: tuple[Judged, ...] = ()


class Acknowledged(Fact):
    """Somebody looks after the issue."""

    kind: Literal["acknowledged"] = "acknowledged"


class Escalated(Fact):
    """Nobody had acknowledged in time: the next role of the escalation was called."""

    kind: Literal["escalated"] = "escalated"
    role: str
    level: int
