"""Every fact of a deployment: who, what, when, why. Events are only ever added; the state is what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bot.domain.alert_facts import AlertCleared as AlertCleared
from bot.domain.alert_facts import AlertRaised as AlertRaised
from bot.domain.calendar_facts import FreezeAdded as FreezeAdded
from bot.domain.calendar_facts import FreezeRemoved as FreezeRemoved
from bot.domain.calendar_facts import IncidentClosed as IncidentClosed
from bot.domain.calendar_facts import IncidentOpened as IncidentOpened
from bot.domain.calendar_facts import Locked as Locked
from bot.domain.calendar_facts import Queued as Queued
from bot.domain.calendar_facts import TurnedAway as TurnedAway
from bot.domain.calendar_facts import Unlocked as Unlocked
from bot.domain.calendar_facts import Unqueued as Unqueued
from bot.domain.calendar_facts import Unread as Unread
from bot.domain.facts import Approvals as Approvals
from bot.domain.facts import Cause as Cause
from bot.domain.facts import Decision as Decision
from bot.domain.facts import Fact as Fact
from bot.domain.pipeline_facts import PipelineFailed as PipelineFailed
from bot.domain.pipeline_facts import Reported as Reported
from bot.domain.pipeline_facts import SaidDeployed as SaidDeployed
from bot.domain.watch_facts import Acknowledged as Acknowledged
from bot.domain.watch_facts import CheckAccepted as CheckAccepted
from bot.domain.watch_facts import CheckRan as CheckRan
from bot.domain.watch_facts import CheckTried as CheckTried
from bot.domain.watch_facts import Escalated as Escalated
from bot.domain.watch_facts import Judged as Judged
from bot.domain.watch_facts import Measurement as Measurement
from bot.domain.watch_facts import NewerStarted as NewerStarted
from bot.domain.watch_facts import Outcome as Outcome
from bot.domain.watch_facts import Past as Past
from bot.domain.watch_facts import Recovered as Recovered
from bot.domain.watch_facts import Reminded as Reminded
from bot.domain.watch_facts import RollbackProposed as RollbackProposed
from bot.domain.watch_facts import RollbackStopped as RollbackStopped
from bot.domain.watch_facts import Verdict as Verdict
from bot.domain.watch_facts import Watched as Watched
from bot.domain.workflow_facts import CommitKnown as CommitKnown
from bot.domain.workflow_facts import DispatchAnswered as DispatchAnswered
from bot.domain.workflow_facts import Dispatched as Dispatched
from bot.domain.workflow_facts import DispatchEnded as DispatchEnded
from bot.domain.workflow_facts import DispatchTried as DispatchTried
from bot.domain.workflow_facts import NewsHeard as NewsHeard
from checklists.policy import Announcement


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
    """What was measured, posted or reported, when gonogo ticked it."""
    link: str | None = None
    """Where that can be read."""


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


class Announced(Fact):
    kind: Literal["announced"] = "announced"
    announcement: Announcement
    text: str = ""
    """Exactly what was said."""
    number: int = 1
    """Of its kind: only an issue comes again."""


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
    | CheckTried
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
    | Dispatched
    | DispatchTried
    | DispatchAnswered
    | DispatchEnded
    | CommitKnown
    | NewsHeard
    | Reminded
    | NewerStarted
    | Reported
    | PipelineFailed
    | SaidDeployed
    | AlertRaised
    | AlertCleared,
    Field(discriminator="kind"),
]

Events = Sequence[Event]


CalendarEvent = Annotated[
    FreezeAdded
    | FreezeRemoved
    | IncidentOpened
    | IncidentClosed
    | Locked
    | Unlocked
    | Queued
    | Unqueued
    | TurnedAway
    | Unread,
    Field(discriminator="kind"),
]

deployment_event: TypeAdapter[Event] = TypeAdapter(Event)
calendar_event: TypeAdapter[CalendarEvent] = TypeAdapter(CalendarEvent)
