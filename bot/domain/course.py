"""What follows by itself: announcements, phases that complete, the end, and what is due when. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.domain import events as e
from bot.domain.deployment import Deployment, Status, evolve
from bot.domain.people import GONOGO
from checklists.plan import Check, Plan, Step, Task
from checklists.policy import Announcement

_LIVE_AFTER = {Status.DEPLOYED, Status.SUCCEEDED}


def begin(plan: Plan, started: e.Started) -> list[e.Event]:
    """The facts a start consists of: the first phase stands open."""
    facts: list[e.Event] = [started]
    if plan.steps:
        facts.append(e.PhaseOpened(at=started.at, by=started.by, phase=plan.steps[0].id))
    return facts


def consequences(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
    """All that follows from the state, until nothing more does. Every fact is gonogo's own."""
    facts: list[e.Event] = []
    while new := _next(plan, state, now):
        facts += new
        state = evolve(state, new)
    return facts


def deadlines(plan: Plan, state: Deployment) -> dict[str, datetime]:
    """Everything that is due at some time, by key: `check:ID:N`, `phase:ID`, `items:ID` (what ticks itself). Derived from the state alone."""
    due: dict[str, datetime] = {}
    if state.status is Status.RUNNING and state.started.planned_t0 is not None:
        for step in plan.steps[: plan.deployed_at + 1]:
            if step.opens is not None and step.id not in state.opened:
                due[f"phase:{step.id}"] = state.started.planned_t0 + step.opens.offset
    if state.t0 is not None and state.status in _LIVE_AFTER:
        for check in plan.checks:
            for number, when in enumerate(state.due_times(check)):
                if when not in state.runs.get(check.id, {}):
                    due[f"check:{check.id}:{number}"] = when
        for step in plan.steps[plan.deployed_at + 1 :]:
            if step.opens is not None and step.id not in state.opened:
                due[f"phase:{step.id}"] = state.t0 + step.opens.offset
    if not state.status.ended:
        for step in plan.every_step():
            if step.id in state.opened and any(task.probe for task in step.tasks):
                due[f"items:{step.id}"] = state.opened[step.id]
    if state.t0 is not None and state.status in {*_LIVE_AFTER, Status.STABLE}:
        for step in plan.follow_ups:
            if step.opens is not None and step.id not in state.opened:
                due[f"phase:{step.id}"] = state.t0 + step.opens.offset
    return due


def open_due(plan: Plan, state: Deployment, phase: str, due: datetime, now: datetime) -> list[e.Event]:
    """A phase whose time has come."""
    if phase in state.opened or plan.step(phase) is None:
        return []
    return [e.PhaseOpened(at=now, by=GONOGO, phase=phase, due=due)]


def record_check(plan: Plan, state: Deployment, result: e.CheckRan) -> list[e.Event]:
    """A check has run: its result, its phase opened, and the items bound to what it measured ticked."""
    check = plan.check(result.check)
    if check is None or (result.due in state.runs.get(result.check, {}) and not result.again):
        return []
    facts: list[e.Event] = [result]
    if check.phase is not None and check.phase not in state.opened:
        facts.append(e.PhaseOpened(at=result.at, by=GONOGO, phase=check.phase, due=result.due))
    return facts


def measurable(plan: Plan, state: Deployment, phase: str) -> list[Task]:
    """The open items of an open phase that tick themselves when a probe is healthy. A sign-off is never one of them."""
    step = plan.step(phase)
    if step is None or step.id not in state.opened or state.status.ended:
        return []
    return [task for task in step.tasks if task.probe and task.role is None and task.id not in state.marks]


def tick_measured(plan: Plan, state: Deployment, healthy: Mapping[str, str], now: datetime) -> list[e.Event]:
    """Tick the items that were measured healthy (id -> what was found), unless somebody was faster."""
    return [
        e.Ticked(at=now, by=GONOGO, item=task.id, value=healthy[task.id])
        for step in plan.every_step()
        for task in measurable(plan, state, step.id)
        if task.id in healthy
    ]


def _next(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
    said = _announcement(plan, state)
    if said is not None:
        facts: list[e.Event] = [e.Announced(at=now, by=GONOGO, announcement=said)]
        return facts
    if ticks := _ticks(plan, state, now):
        return ticks
    if moved := _phases(plan, state, now):
        return moved
    if state.status is Status.SUCCEEDED or (state.status is Status.DEPLOYED and not _announces(plan)):
        if _all_done(plan, state):
            return [e.Ended(at=now, by=GONOGO)]
    if state.status is Status.STABLE:
        for step in plan.follow_ups:
            if step.opens is None and step.id not in state.opened:
                return [e.PhaseOpened(at=now, by=GONOGO, phase=step.id)]
    return []


def _announcement(plan: Plan, state: Deployment) -> Announcement | None:
    """What has become due to be said and has not been said."""
    said = state.announced
    if state.status is Status.ROLLING_BACK and Announcement.ROLLBACK_STARTED not in said:
        return Announcement.ROLLBACK_STARTED
    if state.status is Status.ROLLED_BACK and Announcement.ROLLED_BACK not in said:
        return Announcement.ROLLED_BACK
    if state.status is Status.CANCELLED:
        spoken = Announcement.STARTED in said or Announcement.STARTING in said
        return Announcement.CANCELLED if spoken and Announcement.CANCELLED not in said else None
    if state.status.ended or state.status is Status.ROLLING_BACK:
        return None
    for kind in (Announcement.STARTING, Announcement.STARTED):
        if kind not in said and _opening(plan, state, kind):
            return kind
    if state.status in _LIVE_AFTER:
        if Announcement.ISSUE not in said and any(
            run.result.verdict is e.Verdict.FAILING for runs in state.runs.values() for run in runs.values()
        ):
            return Announcement.ISSUE
        for check in plan.checks:
            for kind in check.then:
                if kind not in said and _earned(plan, state, check, kind):
                    return kind
    return None


def _opening(plan: Plan, state: Deployment, kind: Announcement) -> bool:
    """Whether the phase is open in which this announcement belongs: where an item waits for it, else where T0 happens."""
    bound = {step.id for step in plan.steps for task in step.tasks if task.announces is kind}
    if not bound and kind is Announcement.STARTED and plan.steps:
        bound = {plan.steps[plan.deployed_at].id}
    return any(phase in state.opened for phase in bound)


def _earned(plan: Plan, state: Deployment, check: Check, kind: Announcement) -> bool:
    """Whether the check has passed and everything due by its moment is done."""
    if not state.settled(plan, check):
        return False
    if kind is Announcement.STABLE and state.status is not Status.SUCCEEDED and Announcement.SUCCEEDED in _announces(plan):
        return False
    last = plan.index(check.phase) if check.phase else None
    upto = plan.deployed_at if last is None else last
    return not any(state.lacking_people(step, check.offsets[-1]) for step in plan.steps[: upto + 1])


def _announces(plan: Plan) -> set[Announcement]:
    return {kind for check in plan.checks for kind in check.then}


def _ticks(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
    """Items that wait for an announcement that stands in the channel."""
    return [
        e.Ticked(at=now, by=GONOGO, item=task.id, value="announced")
        for step in plan.every_step()
        if step.id in state.opened
        for task in step.tasks
        if task.announces in state.announced and task.id not in state.marks
    ]


def _phases(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
    """After T0 a phase completes itself, and the next one opens unless its time has not come."""
    if state.t0 is None or state.status not in _LIVE_AFTER:
        return []
    for index, step in enumerate(plan.steps):
        if step.id in state.done:
            continue
        if step.id not in state.opened:
            return [] if _waits(plan, state, step, now) else [e.PhaseOpened(at=now, by=GONOGO, phase=step.id)]
        if state.missing(step) or index < plan.deployed_at:
            return []
        return [e.PhaseDone(at=now, by=GONOGO, phase=step.id)]
    return []


def _waits(plan: Plan, state: Deployment, step: Step, now: datetime) -> bool:
    """Whether a phase opens at a time of its own that has not come."""
    if state.t0 is None:
        return True
    times = [state.t0 + step.opens.offset] if step.opens is not None else []
    times += [state.due_times(check)[0] for check in plan.checks if check.phase == step.id]
    return bool(times) and min(times) > now


def _all_done(plan: Plan, state: Deployment) -> bool:
    return (
        all(step.id in state.done for step in plan.steps)
        and all(state.settled(plan, check) for check in plan.checks)
        and _announces(plan) <= set(state.announced)
    )
