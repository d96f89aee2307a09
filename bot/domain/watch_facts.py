"""Facts of the watch: what was measured, what a check found, and what followed from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
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


class Past(BaseModel):
    """What a source knew of a measure in a time in which nobody asked it: whole seconds after `start`, and the value in
    the dimension's base unit; oldest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    start: datetime
    points: tuple[tuple[int, float], ...]

    def samples(self) -> Iterator[tuple[datetime, float]]:
        """The points by their instants."""
        return ((self.start + timedelta(seconds=seconds), value) for seconds, value in self.points)


class CheckRan(Fact):
    """A check was decided: what it found."""

    kind: Literal["check_ran"] = "check_ran"
    check: str
    due: datetime
    verdict: Verdict
    judged: tuple[Judged, ...] = ()
    severity: str = ""
    action: str = ""
    within: str = ""
    why: str = ""
    """Why it could not be told, in words; empty for any other verdict."""
    late_seconds: int = 0
    again: bool = False
    """A person asked for it once more."""
    tries: int = 1
    """How many times it was asked until this was decided."""
    asked: datetime | None = None
    """The instant it speaks of, where that is neither its due time nor when it ran: a late one, asked several times."""
    past: tuple[Past, ...] = ()
    """Of the measures that are drawn, the time before it."""

    @property
    def speaks_of(self) -> datetime:
        """The instant at which it was so: late ones are asked as of their time."""
        return self.asked or (self.due if self.late_seconds else self.at)


class CheckTried(Fact):
    """A check was asked, and its result does not decide yet: it is asked again. Failing, inconclusive, or in error."""

    kind: Literal["check_tried"] = "check_tried"
    check: str
    due: datetime
    number: int
    """Of the tries of this due time, from 1."""
    verdict: Verdict
    judged: tuple[Judged, ...] = ()
    late_seconds: int = 0
    asked: datetime | None = None
    """The instant it speaks of, where it is late."""

    @property
    def speaks_of(self) -> datetime:
        """The instant at which it was so."""
        return self.asked or self.at


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


class Reminded(Fact):
    """People were reminded of a check that waits for them: of the items of its phase, or of a decision about a result
    that nobody could tell."""

    kind: Literal["reminded"] = "reminded"
    check: str
    due: datetime
    """The due time of the check."""
    what: Literal["items", "decision"]
    number: int
    """From 1."""
    role: str
    """Who was called."""


class NewerStarted(Fact):
    """A newer deployment of the same service and environment is under way: from here on what is measured may be its
    doing."""

    kind: Literal["newer_started"] = "newer_started"
    id: str
    version: str


class Escalated(Fact):
    """Nobody had acknowledged in time: the next role of the escalation was called."""

    kind: Literal["escalated"] = "escalated"
    role: str
    level: int
