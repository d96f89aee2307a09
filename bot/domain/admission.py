"""From waiting to running: approvals, the go/no-go at the planned time, being held. Pure.

A deployment that waits holds no lock, and its phases before T0 open at their times. Whether the gate is open is decided
elsewhere and comes in as a `Decision`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain import events as e
from bot.domain.deployment import Deployment, Status
from bot.domain.errors import Code, Refused
from bot.domain.people import GONOGO, Who, may
from checklists.plan import Plan

ASK_AGAIN = timedelta(minutes=5)
"""When nobody knows how long what holds it will last, it is asked again after this."""
SHORTLY = timedelta(minutes=1)
"""The same, where it is another deployment that is in the way."""


def approvers(state: Deployment, needed: e.Approvals, now: datetime) -> list[Who]:
    """Who has approved for a role, and whose approval has not expired."""
    fresh = timedelta(seconds=needed.expires) if needed.expires is not None else None
    return [
        fact.by
        for fact in state.approved.values()
        if fact.role == needed.role and (fresh is None or now - fact.at < fresh)
    ]


def lacking(state: Deployment, now: datetime) -> list[e.Approvals]:
    """What is still to be approved: the roles, each with how many are missing."""
    found = []
    for needed in state.started.approvals:
        missing = needed.count - len(approvers(state, needed, now))
        if missing > 0:
            found.append(needed.model_copy(update={"count": missing}))
    return found


def approve(plan: Plan, state: Deployment, who: Who, now: datetime) -> list[e.Event]:
    """Approve for a role one holds. Not what one has asked for oneself, and each person once, for one role."""
    _waiting(state)
    if not state.started.approvals:
        raise Refused(Code.NO_APPROVAL_NEEDED)
    if same_person(plan, who, state.started.by):
        raise Refused(Code.OWN_APPROVAL)
    open_roles = [needed.role for needed in lacking(state, now)]
    mine = next((role for role in open_roles if role in who.roles), None)
    if any(same_person(plan, who, fact.by) for fact in state.approved.values()):
        stale = {needed.role for needed in state.started.approvals} & who.roles & set(open_roles)
        standing = [by for needed in state.started.approvals for by in approvers(state, needed, now)]
        if not stale or any(same_person(plan, who, by) for by in standing):
            return []
    if mine is None:
        raise Refused(Code.NOT_ENTITLED, roles=tuple(open_roles) or _roles(state))
    return [e.Approved(at=now, by=who, role=mine)]


def drop_approvals(plan: Plan, state: Deployment, why: str, who: Who, now: datetime) -> list[e.Event]:
    """What was approved has changed: approvals and sign-offs are taken back. Nothing where there are none."""
    signed = {task.id for step in plan.every_step() for task in step.tasks if task.role} & state.marks.keys()
    if not state.approved and not signed:
        return []
    facts: list[e.Event] = [e.ApprovalsDropped(at=now, by=who, why=why)]
    return [*facts, *(e.Unticked(at=now, by=who, item=item) for item in sorted(signed))]


def reschedule(plan: Plan, state: Deployment, planned: datetime, who: Who, now: datetime) -> list[e.Event]:
    """Another time. What was approved was approved for the old one."""
    _waiting(state)
    if not may(plan.policy, "start", who):
        raise Refused(Code.NOT_ENTITLED, roles=plan.policy.may.get("start", ()))
    if planned == state.planned_t0:
        return []
    moved: list[e.Event] = [e.Rescheduled(at=now, by=who, planned_t0=planned)]
    return [*moved, *drop_approvals(plan, state, "it was planned for another time", who, now)]


def go(
    plan: Plan, state: Deployment, gate: e.Decision, who: Who, now: datetime, *, overrode: tuple[str, ...] = (),
    reason: str = "",
) -> list[e.Event]:  # fmt: skip
    """Go. The gate has been asked: it is open, or what it says is overridden. Raises Refused while approvals are
    missing."""
    if state.status is Status.ROLLING_BACK:
        raise Refused(Code.ROLLING_BACK, by=state.rollback.by.name if state.rollback else "")
    if state.status is not Status.WAITING:
        _not_ended(state)
        return []
    if not may(plan.policy, "start", who):
        raise Refused(Code.NOT_ENTITLED, roles=plan.policy.may.get("start", ()))
    if missing := lacking(state, now):
        raise Refused(Code.NOT_APPROVED, roles=tuple(needed.role for needed in missing))
    return [e.Admitted(at=now, by=who, gate=gate, overrode=overrode, reason=reason)]


def when_due(plan: Plan, state: Deployment, now: datetime) -> datetime | None:
    """When it has to be asked whether it may go: at the planned time, when it was held again later, or, where only
    approvals were waited for, once they are there. None: nothing to ask."""
    if state.status is not Status.WAITING or state.go_asked is not None:
        return None
    if state.held is not None:
        return state.held.again
    if state.planned_t0 is not None:
        return state.planned_t0
    if lacking(state, now):
        return None
    return max((fact.at for fact in state.approved.values()), default=state.started.at)


def come_due(plan: Plan, state: Deployment, due: datetime, gate: e.Decision, now: datetime) -> list[e.Event]:
    """Its time has come: it is held, or people are asked, or (where somebody asked for now and it only had to be
    approved) it goes."""
    if when_due(plan, state, now) != due:
        return []
    lane = plan.policy.overrides.get(state.started.lane)
    passes = gate.open or (lane is not None and lane.closed_windows) or bool(state.started.overrode)
    if gate.lock or not passes:
        ends = [cause.until for cause in gate.causes]
        certain = gate.next_open if gate.next_open is not None and gate.next_open > now else None
        again = certain if not gate.lock and certain and None not in ends else now + ASK_AGAIN
        again = now + SHORTLY if gate.lock else again
        return [e.Held(at=now, by=GONOGO, due=due, gate=gate, again=again)]
    if state.planned_t0 is None and not lacking(state, now):
        overrode = tuple(dict.fromkeys(cause.text for cause in gate.causes))
        return [e.Admitted(at=now, by=GONOGO, gate=gate, overrode=overrode, reason=state.started.reason)]
    return [e.GoAsked(at=now, by=GONOGO, due=due, gate=gate)]


def same_person(plan: Plan, one: Who, other: Who) -> bool:
    """Whether these are one person, also where they speak from two chats and the policy knows both."""
    if (one.chat, one.id) == (other.chat, other.id):
        return True
    for person in plan.policy.people.values():
        known = {("slack", person.slack), ("discord", person.discord)}
        if (one.chat, one.id) in known and (other.chat, other.id) in known:
            return True
    return False


def _roles(state: Deployment) -> tuple[str, ...]:
    return tuple(needed.role for needed in state.started.approvals)


def _waiting(state: Deployment) -> None:
    if state.status is not Status.WAITING:
        _not_ended(state)
        raise Refused(Code.NOTHING_TO_DO)


def _not_ended(state: Deployment) -> None:
    if state.status.ended:
        raise Refused(Code.ENDED, at=state.ended_at)
