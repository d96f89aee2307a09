"""What people do to a deployment. Each move takes the state and `now`, and gives new facts or raises Refused.

An empty result means that it is so already: a repeated click changes nothing. What follows from a move (announcements,
phases that complete themselves) is in `bot.domain.course`.
"""

from __future__ import annotations

from datetime import datetime

from bot.domain import events as e
from bot.domain.deployment import Deployment, Status, evolve
from bot.domain.errors import Code, Refused
from bot.domain.people import Act, Who, holds, may
from checklists.plan import Plan, Step, Task
from checklists.spellings import without_v


def tick(plan: Plan, state: Deployment, item: str, who: Who, now: datetime) -> list[e.Event]:
    """Tick an item of a phase that is open. A role's item only by who holds the role. What is ticked stays ticked,
    also where that tick was the last and has ended the run."""
    mark = state.marks.get(item)
    if mark is not None and not mark.excused:
        return []
    task, step = _open_task(plan, state, item, who)
    return _kept_complete(state, step, task, e.Ticked(at=now, by=who, item=task.id))


def untick(plan: Plan, state: Deployment, item: str, who: Who, now: datetime) -> list[e.Event]:
    """Undo a tick or an excuse, unless the phase has been completed on the strength of it."""
    task, step = _open_task(plan, state, item, who)
    if task.id not in state.marks:
        return []
    return _kept_complete(state, step, task, e.Unticked(at=now, by=who, item=task.id))


def excuse(plan: Plan, state: Deployment, item: str, reason: str, who: Who, now: datetime) -> list[e.Event]:
    """Say that an item does not apply, and why."""
    task, step = _open_task(plan, state, item, who)
    if not reason.strip():
        raise Refused(Code.REASON_NEEDED, task=task)
    mark = state.marks.get(task.id)
    if mark is not None and mark.excused and mark.reason == reason.strip():
        return []
    return _kept_complete(state, step, task, e.Excused(at=now, by=who, item=task.id, reason=reason.strip()))


def note(plan: Plan, state: Deployment, item: str, text: str, who: Who, now: datetime) -> list[e.Event]:
    """Write something about an item, whatever its state. Nobody needs its role for that."""
    task = plan.task(item)
    if task is None:
        raise Refused(Code.UNKNOWN_ITEM)
    _allowed(plan, "tick", who)
    if not text.strip():
        raise Refused(Code.REASON_NEEDED, task=task)
    return [e.Noted(at=now, by=who, item=task.id, text=text.strip())]


def advance(plan: Plan, state: Deployment, who: Who, now: datetime) -> list[e.Event]:
    """Complete the current phase and open the next one. Names every required item that is missing."""
    _running_on(state)
    _allowed(plan, "tick", who)
    step = state.current(plan)
    if step is None:
        raise Refused(Code.NO_MORE_PHASES)
    if step.id not in state.opened:
        raise Refused(Code.NOT_YET, step=step)
    if missing := state.missing(step):
        raise Refused(Code.MISSING_ITEMS, step=step, missing=missing)
    if step.deployed and state.t0 is None:
        raise Refused(
            Code.WAITS if state.status is Status.WAITING else Code.NOT_DEPLOYED, step=step, at=state.planned_t0
        )
    facts: list[e.Event] = [e.PhaseDone(at=now, by=who, phase=step.id)]
    following = (plan.index(step.id) or 0) + 1
    if following < len(plan.steps) and state.t0 is None and plan.steps[following].id not in state.opened:
        facts.append(e.PhaseOpened(at=now, by=who, phase=plan.steps[following].id))
    return facts


def deployed(plan: Plan, state: Deployment, who: Who, now: datetime) -> list[e.Event]:
    """Set T0, in the phase in which it happens. All phases before must be complete."""
    _running_on(state)
    if state.status is Status.WAITING:
        raise Refused(Code.WAITS, at=state.planned_t0)
    _allowed(plan, "tick", who)
    if state.t0 is not None:
        raise Refused(Code.ALREADY_DEPLOYED, at=state.t0, by=state.deployed_by.name if state.deployed_by else "")
    for step in plan.steps[: plan.deployed_at]:
        if step.id not in state.done:
            raise Refused(Code.MISSING_ITEMS, step=step, missing=state.missing(step))
    return [e.Deployed(at=now, by=who)]


def accept(
    plan: Plan, state: Deployment, check: str, number: int, reason: str, who: Who, now: datetime
) -> list[e.Event]:
    """Go on although the `number`-th run of a check was not healthy: a person decides, with a written reason."""
    _running_on(state)
    _allowed(plan, "decide", who)
    run = state.run(plan, check, number)
    if run is None:
        raise Refused(Code.UNKNOWN_CHECK)
    if run.passed:
        raise Refused(Code.CHECK_SETTLED, by=run.accepted.by.name if run.accepted else "")
    if not reason.strip():
        raise Refused(Code.REASON_NEEDED)
    return [e.CheckAccepted(at=now, by=who, check=check, due=run.result.due, reason=reason.strip())]


def roll_back(
    plan: Plan, state: Deployment, to_version: str, reason: str, next_steps: str, who: Who, now: datetime
) -> list[e.Event]:
    """Start the rollback. No window, freeze, lock or unticked item stands in its way; only who may, a reason, and that
    it does not go back to the very version that is left (unless that one ran before it, too)."""
    _allowed(plan, "rollback", who)
    if state.status is Status.WAITING:
        raise Refused(Code.WAITS, at=state.planned_t0)
    if state.status is Status.ROLLING_BACK:
        raise _rolling_back(state)
    if state.status.ended and state.status is not Status.STABLE:
        raise Refused(Code.ENDED, at=state.ended_at)
    left, before = without_v(state.started.version), without_v(state.started.previous_version or "")
    if without_v(to_version) == left != before:
        raise Refused(Code.SAME_VERSION)
    if not reason.strip():
        raise Refused(Code.REASON_NEEDED)
    started = e.RollbackStarted(
        at=now, by=who, to_version=to_version.strip(), reason=reason.strip(), next_steps=next_steps.strip()
    )
    return [started, *(e.PhaseOpened(at=now, by=who, phase=step.id) for step in plan.rollback)]


def rolled_back(plan: Plan, state: Deployment, status: str, who: Who, now: datetime) -> list[e.Event]:
    """The old version is back. Open items of the rollback list do not hold it up."""
    _allowed(plan, "rollback", who)
    if state.status.ended and state.status is not Status.STABLE:
        raise Refused(Code.ENDED, at=state.ended_at)
    if state.status is not Status.ROLLING_BACK:
        raise Refused(Code.NOT_ROLLING_BACK)
    return [e.RolledBack(at=now, by=who, status=status.strip())]


def cancel(plan: Plan, state: Deployment, reason: str, who: Who, now: datetime) -> list[e.Event]:
    """Give up before T0, with a reason. After T0 there is only the rollback."""
    _running_on(state)
    _allowed(plan, "cancel", who)
    if state.status not in (Status.WAITING, Status.RUNNING):
        raise Refused(Code.CANNOT_CANCEL)
    if not reason.strip():
        raise Refused(Code.REASON_NEEDED)
    return [e.Cancelled(at=now, by=who, reason=reason.strip())]


def _running_on(state: Deployment) -> None:
    if state.status.ended:
        raise Refused(Code.ENDED, at=state.ended_at)
    if state.status is Status.ROLLING_BACK:
        raise _rolling_back(state)


def _rolling_back(state: Deployment) -> Refused:
    begun = state.rollback
    return Refused(Code.ROLLING_BACK, by=begun.by.name if begun else "", at=begun.at if begun else None)


def _kept_complete(state: Deployment, step: Step, task: Task, mark: e.Event) -> list[e.Event]:
    """The mark, unless the phase has been completed and would then lack an item: what is complete stays so."""
    if step.id in state.done and evolve(state, [mark]).missing(step):
        raise Refused(Code.PHASE_DONE, step=step, task=task, at=state.done[step.id])
    return [mark]


def _allowed(plan: Plan, act: Act, who: Who) -> None:
    if not may(plan.policy, act, who):
        raise Refused(Code.NOT_ENTITLED, roles=plan.policy.may.get(act, ()))


def _open_task(plan: Plan, state: Deployment, item: str, who: Who) -> tuple[Task, Step]:
    task = plan.task(item)
    step = plan.step(task.phase) if task else None
    if task is None or step is None:
        raise Refused(Code.UNKNOWN_ITEM)
    if state.on_hold(step):
        _running_on(state)
    if step.id not in state.opened:
        raise Refused(Code.PHASE_NOT_OPEN, step=step, task=task)
    _allowed(plan, "tick", who)
    if not holds(who, task.role):
        raise Refused(Code.NOT_ENTITLED, task=task, roles=(task.role,) if task.role else ())
    return task, step
