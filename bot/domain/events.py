"""Every fact of a deployment: who, what, when, why. Events are only ever added; the state is what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from bot.domain.calendar_facts import FreezeAdded as FreezeAdded
from bot.domain.calendar_facts import FreezeRemoved as FreezeRemoved
from bot.domain.calendar_facts import IncidentClosed as IncidentClosed
from bot.domain.calendar_facts import IncidentOpened as IncidentOpened
from bot.domain.calendar_facts import Locked as Locked
from bot.domain.calendar_facts import Queued as Queued
from bot.domain.calendar_facts import TurnedAway as TurnedAway
from bot.domain.calendar_facts import Unlocked as Unlocked
from bot.domain.calendar_facts import Unqueued as Unqueued
from bot.domain.facts import Approvals as Approvals
from bot.domain.facts import Cause as Cause
from bot.domain.facts import Decision as Decision
from bot.domain.facts import Fact as Fact
from checklists.policy import Announcement


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


class Started(Fact):
    kind: Literal["started"] = "started"
    id: str
    version: str
    service: str
    environment: str
    checklist: str
    digest: str
    """Content hash of the exact checklist and policy this deployment keeps."""
    planned_t0: datetime | None = None
    previous_version: str | None = None
    changes: tuple[str, ...] | None = None
    """From the repository's changelog; None: not known."""
    changes_unknown: str = ""
    note: str = ""
    defaults: tuple[str, ...] = ()
    """What was assumed because the checklist has no policy."""
    lane: str = ""
    """The override of the policy it runs by: `emergency`, `hotfix`."""
    reason: str = ""
    """Why that lane, or why in spite of a freeze."""
    overrode: tuple[str, ...] = ()
    """What it was started in spite of, in words."""
    approvals: tuple[Approvals, ...] = ()
    """What has to be approved before it may go."""
    waits: bool = False
    """It is not running yet: for its planned time, for approvals, or for both."""
    gate: Decision | None = None


class Approved(Fact):
    """Somebody who may has approved it."""

    kind: Literal["approved"] = "approved"
    role: str


class ApprovalsDropped(Fact):
    """What was approved has changed: all approvals are taken back, and so are the sign-offs among the items."""

    kind: Literal["approvals_dropped"] = "approvals_dropped"
    why: str


class GoAsked(Fact):
    """Its time has come and the gate is open: go or no-go?"""

    kind: Literal["go_asked"] = "go_asked"
    due: datetime
    gate: Decision


class Held(Fact):
    """Its time has come and it may not go; it is asked again at `again`."""

    kind: Literal["held"] = "held"
    due: datetime
    gate: Decision
    again: datetime


class Admitted(Fact):
    """Go: from here on it runs and holds the lock."""

    kind: Literal["admitted"] = "admitted"
    gate: Decision
    reason: str = ""
    overrode: tuple[str, ...] = ()


class Rescheduled(Fact):
    kind: Literal["rescheduled"] = "rescheduled"
    planned_t0: datetime


class Chased(Fact):
    """People were reminded of a list that has to be closed."""

    kind: Literal["chased"] = "chased"
    phase: str
    due: datetime


class PhaseOpened(Fact):
    kind: Literal["phase_opened"] = "phase_opened"
    phase: str
    due: datetime | None = None
    """When it was to open, if the clock opened it."""


class PhaseDone(Fact):
    kind: Literal["phase_done"] = "phase_done"
    phase: str


class Ticked(Fact):
    kind: Literal["ticked"] = "ticked"
    item: str
    value: str = ""
    """What was measured or posted, when gonogo ticked it."""


class Unticked(Fact):
    kind: Literal["unticked"] = "unticked"
    item: str


class Excused(Fact):
    """Not applicable, with the reason."""

    kind: Literal["excused"] = "excused"
    item: str
    reason: str


class Noted(Fact):
    kind: Literal["noted"] = "noted"
    item: str
    text: str


class Deployed(Fact):
    """T0: the clock of the checks starts here."""

    kind: Literal["deployed"] = "deployed"


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


class Announced(Fact):
    kind: Literal["announced"] = "announced"
    announcement: Announcement
    text: str = ""
    """Exactly what was said."""


class RollbackStarted(Fact):
    kind: Literal["rollback_started"] = "rollback_started"
    to_version: str
    reason: str
    next_steps: str = ""


class RolledBack(Fact):
    kind: Literal["rolled_back"] = "rolled_back"
    status: str


class Cancelled(Fact):
    kind: Literal["cancelled"] = "cancelled"
    reason: str


class Superseded(Fact):
    """A newer deployment of the same service and environment has taken over the watch."""

    kind: Literal["superseded"] = "superseded"
    id: str
    version: str


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


class Ended(Fact):
    """All checks passed, all items done: the record is closed as stable."""

    kind: Literal["ended"] = "ended"


Event = Annotated[
    Started
    | PhaseOpened
    | PhaseDone
    | Ticked
    | Unticked
    | Excused
    | Noted
    | Deployed
    | CheckRan
    | CheckAccepted
    | Announced
    | RollbackStarted
    | RolledBack
    | Cancelled
    | Superseded
    | Ended
    | Approved
    | ApprovalsDropped
    | GoAsked
    | Held
    | Admitted
    | Rescheduled
    | Chased
    | Watched
    | RollbackProposed
    | RollbackStopped
    | Recovered
    | Acknowledged
    | Escalated,
    Field(discriminator="kind"),
]

Events = Sequence[
    Started
    | PhaseOpened
    | PhaseDone
    | Ticked
    | Unticked
    | Excused
    | Noted
    | Deployed
    | CheckRan
    | CheckAccepted
    | Announced
    | RollbackStarted
    | RolledBack
    | Cancelled
    | Superseded
    | Ended
    | Approved
    | ApprovalsDropped
    | GoAsked
    | Held
    | Admitted
    | Rescheduled
    | Chased
    | Watched
    | RollbackProposed
    | RollbackStopped
    | Recovered
    | Acknowledged
    | Escalated
]


CalendarEvent = Annotated[
    FreezeAdded | FreezeRemoved | IncidentOpened | IncidentClosed | Locked | Unlocked | Queued | Unqueued | TurnedAway,
    Field(discriminator="kind"),
]

deployment_event: TypeAdapter[Event] = TypeAdapter(Event)
calendar_event: TypeAdapter[CalendarEvent] = TypeAdapter(CalendarEvent)
