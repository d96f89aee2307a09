"""Starting the document's workflows: which may be started when, by whom, and that none is started twice. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.domain import events as e
from bot.domain.deployment import Deployment, Status
from bot.domain.errors import Code, Refused
from bot.domain.people import GONOGO, Act, Who, may
from bot.domain.workflow_facts import Dispatch, Purpose
from checklists.plan import Plan
from checklists.policy import Workflow
from checklists.quantities import say_duration

LOOK_AFTER = timedelta(seconds=30)
"""So long after a request without an answer it is looked whether it has arrived."""
GIVE_UP = timedelta(hours=1)
"""So long it is tried to look."""
GOOD_FOR = timedelta(minutes=10)
"""So long a confirmation to deploy is good: a process that was down meanwhile does not deploy at night."""
SETTLES = timedelta(seconds=10)
"""So long after news its items are asked: checks end in bursts, and one look is enough for all of them."""
SLOWER, SLOWEST = timedelta(minutes=1), timedelta(minutes=5)
"""The same, where there was news shortly before; and where it goes on and on."""
MANY = 5
"""So many looks in a row come after a minute, the others after five."""
CALM = timedelta(minutes=10)
"""So long after a look without news the next one is the first again."""


def workflow_of(plan: Plan, purpose: Purpose) -> Workflow | None:
    """The policy's workflow for it."""
    return plan.policy.pipeline.deploy if purpose == "deploy" else plan.policy.pipeline.rollback


def offered(plan: Plan, state: Deployment) -> Purpose | None:
    """The workflow that may be started now: the deploying one where T0 is next, the other while rolling back."""
    if state.status is Status.ROLLING_BACK:
        return "rollback" if plan.policy.pipeline.rollback is not None else None
    ready = state.status is Status.RUNNING and all(step.id in state.done for step in plan.steps[: plan.deployed_at])
    return "deploy" if ready and plan.policy.pipeline.deploy is not None else None


def dispatches(state: Deployment, purpose: Purpose) -> list[Dispatch]:
    """Every start of this workflow, in order."""
    return [one for one in state.dispatches.values() if one.asked.purpose == purpose]


def standing(state: Deployment, purpose: Purpose) -> Dispatch | None:
    """The latest start of this workflow that was not refused."""
    return next((one for one in reversed(dispatches(state, purpose)) if one.stands), None)


def must_be_offered(plan: Plan, state: Deployment, purpose: Purpose, who: Who) -> None:
    """Raises Refused where this person may not start it, or not now."""
    act: Act = "rollback" if purpose == "rollback" else "start"
    if not may(plan.policy, act, who):
        raise Refused(Code.NOT_ENTITLED, roles=plan.policy.may.get(act, ()))
    if offered(plan, state) == purpose:
        return
    if state.status.ended:
        raise Refused(Code.ENDED, at=state.ended_at)
    if purpose == "rollback":
        raise Refused(Code.NOT_ROLLING_BACK)
    if state.status is Status.ROLLING_BACK:
        raise Refused(Code.ROLLING_BACK, by=state.rollback.by.name if state.rollback else "")
    if state.status is Status.WAITING:
        raise Refused(Code.WAITS, at=state.planned_t0)
    if state.t0 is not None:
        raise Refused(Code.ALREADY_DEPLOYED, at=state.t0, by=state.deployed_by.name if state.deployed_by else "")
    for step in plan.steps[: plan.deployed_at]:
        if step.id not in state.done:
            raise Refused(Code.MISSING_ITEMS, step=step, missing=state.missing(step))
    raise Refused(Code.NOTHING_TO_DO)


def dispatch(
    plan: Plan, state: Deployment, purpose: Purpose, number: int, id: str, repository: str, ref: str,
    inputs: Mapping[str, str], who: Who, now: datetime,
) -> list[e.Event]:  # fmt: skip
    """Decide to start a workflow. `number` is how many starts of it the person had been told of: where there are more
    by now somebody was faster, and nothing happens. Raises Refused."""
    must_be_offered(plan, state, purpose, who)
    wanted = workflow_of(plan, purpose)
    if wanted is None or number != len(dispatches(state, purpose)) or id in state.dispatches:
        return []
    return [
        e.Dispatched(
            at=now, by=who, id=id, purpose=purpose, repository=repository, workflow=wanted.workflow, ref=ref,
            inputs=dict(inputs),
        )
    ]  # fmt: skip


def automatic(plan: Plan, state: Deployment) -> bool:
    """Whether the rollback's workflow is to be started without being asked: gonogo began the rollback by itself, and
    it has not been started yet."""
    return (
        state.status is Status.ROLLING_BACK
        and state.rollback is not None
        and state.rollback.by.is_gonogo
        and plan.policy.rollback.mode == "automatic"
        and plan.policy.pipeline.rollback is not None
        and not dispatches(state, "rollback")
    )


def tried(plan: Plan, state: Deployment, id: str, now: datetime) -> list[e.Event]:
    """The request goes out, unless it has gone out before. What is not next any more, or was confirmed long ago, is not
    sent: that is told instead."""
    known = state.dispatches.get(id)
    if known is None or known.tried is not None or known.answer is not None:
        return []
    if why := _too_late(plan, state, known.asked, now):
        return [e.DispatchAnswered(at=now, by=GONOGO, id=id, outcome="refused", problem=why)]
    return [e.DispatchTried(at=now, by=GONOGO, id=id)]


def _too_late(plan: Plan, state: Deployment, asked: e.Dispatched, now: datetime) -> str:
    """Why what was decided is not done any more; empty: it is. A rollback never comes too late while it lasts."""
    if offered(plan, state) != asked.purpose:
        stands = "T0 is not next" if state.status is Status.RUNNING else f"the deployment is {state.status.value}"
        return f"it could not be sent before, and {stands} now"
    late = now - asked.at
    if asked.purpose == "deploy" and late > GOOD_FOR:
        return f"it could not be sent before, and was confirmed {say_duration(late)} ago; confirm it again"
    return ""


def answered(state: Deployment, answer: e.DispatchAnswered) -> list[e.Event]:
    """What came of it, unless that is known."""
    known = state.dispatches.get(answer.id)
    return [answer] if known is not None and known.answer is None else []


def ended(state: Deployment, fact: e.DispatchEnded) -> list[e.Event]:
    """The run is over: whoever hears of it first. A run that was started anew ends more than once, and what is heard
    late of an earlier attempt is no news."""
    known = state.dispatches.get(fact.id)
    if known is None:
        return []
    before = known.ended
    if before is not None and (fact.attempt < before.attempt or _same_end(before, fact)):
        return []
    return [fact]


def _same_end(one: e.DispatchEnded, other: e.DispatchEnded) -> bool:
    return (one.attempt, one.conclusion) == (other.attempt, other.conclusion)


def news_due(news: e.NewsHeard) -> datetime:
    """When the items are asked after this news."""
    if news.looks == 1:
        return news.at + SETTLES
    return news.at + (SLOWER if news.looks <= MANY else SLOWEST)


def news_heard(state: Deployment, now: datetime) -> list[e.Event]:
    """What items measure on GitHub may have changed. Nothing where a look is still to come: it sees this, too. Where
    news goes on the looks become rarer."""
    looks = 1
    if (before := state.news) is not None:
        asked = news_due(before)
        if now < asked:
            return []
        looks = before.looks + 1 if now - asked < CALM else 1
    return [e.NewsHeard(at=now, by=GONOGO, looks=looks)]


def due(plan: Plan, state: Deployment) -> dict[str, datetime]:
    """What is due, by key: `dispatch:rollback` decides to start it, `call:ID` sends the request, `look:ID` looks what
    came of one without an answer, `commit:WHEN` asks which commit was approved, `news:WHEN` asks items again."""
    found: dict[str, datetime] = {}
    if automatic(plan, state) and state.rollback is not None:
        found["dispatch:rollback"] = state.rollback.at
    for one in state.dispatches.values():
        if one.answer is None:
            if one.tried is None:
                found[f"call:{one.asked.id}"] = one.asked.at
            else:
                found[f"look:{one.asked.id}"] = one.tried.at + LOOK_AFTER
    if state.status is Status.WAITING and state.approved and not state.commit:
        first = min(fact.at for fact in state.approved.values())
        found[f"commit:{first.isoformat()}"] = first
    if state.news is not None and not state.status.ended:
        found[f"news:{state.news.at.isoformat()}"] = news_due(state.news)
    return found
