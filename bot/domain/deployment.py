"""The state of a deployment: what its facts add up to. `replay` of the same facts gives the same state, always."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain import events as e
from bot.domain.alerts import Alerts, heard
from bot.domain.issue import Issue, following
from bot.domain.people import Who
from bot.domain.pipeline_facts import DEPLOYED
from bot.domain.workflow_facts import Dispatch, followed
from checklists.document import PhaseKind
from checklists.names import fold
from checklists.plan import Check, Plan, Step, Task
from checklists.policy import Announcement


class Status(StrEnum):
    """Where a deployment stands. The last four are ends."""

    WAITING = "waiting"
    """For its planned time, or for approvals: it holds no lock yet."""
    RUNNING = "running"
    """Before T0."""
    DEPLOYED = "deployed"
    """After T0, success not yet announced."""
    SUCCEEDED = "succeeded"
    """Success announced; still watched."""
    ROLLING_BACK = "rolling back"
    STABLE = "stable"
    ROLLED_BACK = "rolled back"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"

    @property
    def ended(self) -> bool:
        """Whether the record is closed. Follow-up and rollback items can still be ticked."""
        return self in {Status.STABLE, Status.ROLLED_BACK, Status.CANCELLED, Status.SUPERSEDED}

    @property
    def locks(self) -> bool:
        """Whether it keeps another deployment of its service and environment from starting."""
        return self in {Status.RUNNING, Status.DEPLOYED, Status.ROLLING_BACK}


@dataclass(frozen=True, slots=True)
class Mark:
    """What was done about an item, by whom and when. `reason` is set when it was excused, `value` when gonogo ticked
    it."""

    by: Who
    at: datetime
    excused: bool = False
    reason: str = ""
    value: str = ""
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote about an item."""

    by: Who
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Run:
    """One due time of a check: its latest result and, if a person let it pass, the reason."""

    result: e.CheckRan
    accepted: e.CheckAccepted | None = None

    @property
    def passed(self) -> bool:
        """Healthy, or decided by a person."""
        return self.result.verdict is e.Verdict.HEALTHY or self.accepted is not None


@dataclass(slots=True)
class Deployment:
    """One deployment. Only `evolve` and `replay` make new states; nothing else writes to it."""

    started: e.Started
    status: Status = Status.RUNNING
    opened: dict[str, datetime] = field(default_factory=dict)
    """Phase id -> when it was opened."""
    due_opened: set[str] = field(default_factory=set)
    """Phases that the clock opened."""
    done: dict[str, datetime] = field(default_factory=dict)
    """Phase id -> when it was completed."""
    marks: dict[str, Mark] = field(default_factory=dict)
    notes: dict[str, list[Note]] = field(default_factory=dict)
    t0: datetime | None = None
    deployed_by: Who | None = None
    runs: dict[str, dict[datetime, Run]] = field(default_factory=dict)
    """Check id -> due -> run."""
    pasts: tuple[e.Past, ...] = ()
    """What sources knew of the times between the measurements."""
    tries: dict[str, dict[datetime, tuple[e.CheckTried, ...]]] = field(default_factory=dict)
    """Check id -> due -> results that did not decide, in order."""
    issue: Issue | None = None
    """The newest issue: since when a check fails, and since when it is well again."""
    reminded: dict[tuple[str, datetime, str], e.Reminded] = field(default_factory=dict)
    """Check id, due time and what of -> the last reminder."""
    newer: e.NewerStarted | None = None
    """A newer deployment is under way: what is measured since may be its doing."""
    announced: dict[Announcement, e.Announced] = field(default_factory=dict)
    rollback: e.RollbackStarted | None = None
    rolled_back: e.RolledBack | None = None
    cancelled: e.Cancelled | None = None
    superseded: e.Superseded | None = None
    ended_at: datetime | None = None
    planned_t0: datetime | None = None
    approved: dict[tuple[str, str], e.Approved] = field(default_factory=dict)
    """Approvals that stand, by person."""
    go_asked: e.GoAsked | None = None
    held: e.Held | None = None
    admitted: e.Admitted | None = None
    watched: list[e.Watched] = field(default_factory=list)
    """Looks between the checks, in order."""
    proposed: e.RollbackProposed | None = None
    stopped: e.RollbackStopped | None = None
    """A person has stopped the rollback that was to come by itself: none comes any more."""
    recovered: e.Recovered | None = None
    acknowledged: e.Acknowledged | None = None
    escalated: list[e.Escalated] = field(default_factory=list)
    chased: dict[str, datetime] = field(default_factory=dict)
    """Phase id -> when people were last reminded of it, as of its due time."""
    reports: dict[str, e.Reported] = field(default_factory=dict)
    """Item id -> what the pipeline has reported of it; until it is ticked, or somebody decides about it."""
    failures: dict[str, e.PipelineFailed] = field(default_factory=dict)
    """Step of the pipeline, folded -> that it failed; until it is reported done, all of them until T0."""
    said_deployed: e.SaidDeployed | None = None
    """GitHub says that it is deployed, and T0 is not set."""
    alerts: Alerts = field(default_factory=dict)
    """Alerts that came in while it was under way."""
    dispatches: dict[str, Dispatch] = field(default_factory=dict)
    """Workflows that were started from here, by id, in order."""
    commit: str = ""
    """The commit that was approved, where it is known."""
    news: e.NewsHeard | None = None
    """The last time it was heard that what items measure on GitHub may have changed."""
    revision: int = 0

    @property
    def id(self) -> str:
        return self.started.id

    def missing(self, step: Step) -> tuple[Task, ...]:
        """The required items of a phase that are neither ticked nor excused, in order."""
        waived = {task.id for task in step.tasks if (mark := self.marks.get(task.id)) and mark.excused}
        ticked = {task.id for task in step.tasks if task.id in self.marks} - waived
        chosen = {task.choice for task in step.tasks if task.choice and task.id in ticked}
        lacking = []
        for task in step.tasks:
            if task.item.parent in waived and task.role is None:  # a sign-off is waived by its own people only
                waived.add(task.id)
            elif task.required and task.id not in self.marks and not (task.choice and task.choice in chosen):
                lacking.append(task)
        return tuple(lacking)

    def current(self, plan: Plan) -> Step | None:
        """The first phase of the run that is not complete; None after the last."""
        return next((step for step in plan.steps if step.id not in self.done), None)

    def latest(self, check: Check) -> Run | None:
        """The latest run of a check."""
        runs = self.runs.get(check.id)
        return runs[max(runs)] if runs else None

    def due_times(self, check: Check) -> tuple[datetime, ...]:
        """When the check is due; empty before T0."""
        return tuple(self.t0 + offset for offset in check.offsets) if self.t0 else ()

    def run(self, plan: Plan, check: str, number: int) -> Run | None:
        """The `number`-th run of a check, counted from 0 by due time; None if it has not run."""
        known = plan.check(check)
        times = self.due_times(known) if known else ()
        return self.runs.get(check, {}).get(times[number]) if 0 <= number < len(times) else None

    def settled(self, plan: Plan, check: Check) -> bool:
        """Whether the check has run as often as it should and passed the last time.

        A check that measures nothing is passed by its people: when the items of its phase are done, at least one of
        them by a person, or by a decision.
        """
        times, runs = self.due_times(check), self.runs.get(check.id, {})
        if not times or any(due not in runs for due in times):
            return False
        if runs[times[-1]].passed:
            return True
        step = plan.step(check.phase) if check.phase else None
        if step is None or not measures_nothing(check) or self.lacking_people(step, check.offsets[-1]):
            return False
        return any((mark := self.marks.get(task.id)) is not None and not mark.by.is_gonogo for task in step.tasks)

    def on_hold(self, step: Step) -> bool:
        """Whether nothing is done in this phase any more: the run of a deployment that has ended or is rolled back."""
        return step.kind is PhaseKind.RUN and (self.status.ended or self.status is Status.ROLLING_BACK)

    def lacking_people(self, step: Step, upto: timedelta | None = None) -> tuple[Task, ...]:
        """Required items still open, less those that tick themselves when something is announced (sign-offs never do).

        With `upto`, an offset from T0, also less those that are not expected by then.
        """
        return tuple(
            task
            for task in self.missing(step)
            if (task.announces is None or task.role is not None)
            and not (upto is not None and task.due is not None and task.due > upto)
        )

    @property
    def duration(self) -> timedelta | None:
        """From the start to T0."""
        return self.t0 - self.started.at if self.t0 else None


def measures_nothing(check: Check) -> bool:
    """Whether a check is for people alone."""
    return not (check.probes or check.measure or check.alert or check.minimum)


def replay(events: Iterable[e.Event]) -> Deployment:
    """The state these facts add up to. Raises ValueError if the first is not `Started`."""
    steps = iter(events)
    first = next(steps, None)
    if not isinstance(first, e.Started):
        raise ValueError("a deployment begins with Started")
    status = Status.WAITING if first.waits else Status.RUNNING
    state = Deployment(started=first, status=status, planned_t0=first.planned_t0, revision=1)
    for event in steps:
        _apply(state, event)
    return state


def evolve(state: Deployment, events: Iterable[e.Event]) -> Deployment:
    """A new state with these facts added; the old one is left as it is."""
    new = copy.copy(state)
    new.opened, new.done, new.marks = dict(state.opened), dict(state.done), dict(state.marks)
    new.due_opened, new.announced = set(state.due_opened), dict(state.announced)
    new.notes = {item: list(notes) for item, notes in state.notes.items()}
    new.runs = {check: dict(runs) for check, runs in state.runs.items()}
    new.tries, new.reminded = {check: dict(tries) for check, tries in state.tries.items()}, dict(state.reminded)
    new.watched, new.escalated = list(state.watched), list(state.escalated)
    new.approved, new.chased = dict(state.approved), dict(state.chased)
    new.reports, new.failures = dict(state.reports), dict(state.failures)
    new.dispatches = dict(state.dispatches)
    new.alerts = dict(state.alerts)
    for event in events:
        _apply(new, event)
    return new


def _apply(state: Deployment, event: e.Event) -> None:
    state.revision += 1
    match event:
        case e.Started():
            raise ValueError("a deployment starts once")
        case e.PhaseOpened():
            state.opened.setdefault(event.phase, event.at)
            if event.due is not None:
                state.due_opened.add(event.phase)
        case e.PhaseDone():
            state.done[event.phase] = event.at
        case e.Ticked():
            state.marks[event.item] = Mark(event.by, event.at, value=event.value, link=event.link)
            state.reports.pop(event.item, None)
        case e.Unticked():
            state.marks.pop(event.item, None)
            state.reports.pop(event.item, None)
        case e.Excused():
            state.marks[event.item] = Mark(event.by, event.at, excused=True, reason=event.reason)
            state.reports.pop(event.item, None)
        case e.Reported():
            state.reports |= dict.fromkeys(event.items, event)
            state.failures.pop(fold(event.step), None)
            if fold(event.step) == DEPLOYED:
                state.failures = {}
        case e.PipelineFailed():
            state.failures[fold(event.step)] = event
        case e.SaidDeployed():
            state.said_deployed = event
        case e.Dispatched() | e.DispatchTried() | e.DispatchAnswered() | e.DispatchEnded():
            state.dispatches[event.id] = followed(state.dispatches.get(event.id), event)
        case e.CommitKnown():
            state.commit = event.commit
        case e.NewsHeard():
            state.news = event
        case e.AlertRaised() | e.AlertCleared():
            state.issue = heard(state.alerts, event, state.t0, state.issue)
        case e.Watched():
            state.watched.append(event)
        case e.Escalated():
            state.escalated.append(event)
        case e.Acknowledged():
            state.acknowledged = event
        case e.RollbackProposed():
            state.proposed = event
        case e.RollbackStopped():
            state.proposed, state.stopped = None, None if event.by.is_gonogo else event
        case e.Recovered():
            state.recovered = event
        case e.Chased():
            state.chased[event.phase] = event.due
        case e.Noted():
            state.notes.setdefault(event.item, []).append(Note(event.by, event.at, event.text))
        case e.CheckRan():
            state.runs.setdefault(event.check, {})[event.due] = Run(event)
            state.pasts += event.past
            state.issue = following(state.issue, event.verdict, event.at)
        case e.CheckTried():
            tries = state.tries.setdefault(event.check, {})
            tries[event.due] = (*tries.get(event.due, ()), event)
        case e.CheckAccepted():
            runs = state.runs[event.check]
            runs[event.due] = Run(runs[event.due].result, event)
            if runs[event.due].result.verdict is e.Verdict.FAILING:
                state.issue = following(state.issue, e.Verdict.HEALTHY, event.at)
        case e.Reminded():
            state.reminded[event.check, event.due, event.what] = event
        case e.NewerStarted():
            state.newer = event
        case e.Announced():
            state.announced[event.announcement] = event
            if event.announcement is Announcement.ISSUE:  # a new one is looked after anew
                state.acknowledged, state.escalated = None, []
            if event.announcement is Announcement.SUCCEEDED and state.status is Status.DEPLOYED:
                state.status = Status.SUCCEEDED
        case _:
            _turn(state, event)


def _turn(state: Deployment, event: e.Event) -> None:
    """The facts that change where the deployment stands."""
    match event:
        case e.Approved():
            state.approved[event.by.chat, event.by.id] = event
        case e.ApprovalsDropped():
            state.approved, state.go_asked, state.commit = {}, None, ""
        case e.GoAsked():
            state.go_asked, state.held = event, None
        case e.Held():
            state.held, state.go_asked = event, None
        case e.Rescheduled():
            state.planned_t0, state.go_asked, state.held = event.planned_t0, None, None
        case e.Admitted():
            state.admitted, state.status, state.held = event, Status.RUNNING, None
        case e.Deployed():
            state.t0, state.deployed_by, state.status = event.at, event.by, Status.DEPLOYED
            state.failures, state.said_deployed = {}, None
        case e.RollbackStarted():
            state.rollback, state.status, state.ended_at = event, Status.ROLLING_BACK, None
        case e.RolledBack():
            state.rolled_back, state.status, state.ended_at = event, Status.ROLLED_BACK, event.at
        case e.Cancelled():
            state.cancelled, state.status, state.ended_at = event, Status.CANCELLED, event.at
        case e.Superseded():
            state.superseded, state.status, state.ended_at = event, Status.SUPERSEDED, event.at
        case e.Ended():
            state.status, state.ended_at = Status.STABLE, event.at
