"""Checks that wait for people: who is reminded of them, and how often. Pure.

The items of a check's phase are the on-call's; while some are open they are reminded every half hour, four times. A
result that nobody could tell is put to the on-call at once, in the check's own message; when nobody has decided after
a quarter of an hour, the next of the escalation is called, once for each check.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from bot.domain import events as e
from bot.domain.deployment import Deployment, Run, Status, measures_nothing
from bot.domain.people import GONOGO
from checklists.plan import Check, Plan, Task

ITEMS_EVERY = timedelta(minutes=30)
ITEMS_TIMES = 4
DECIDE_WITHIN = timedelta(minutes=15)
LEFT_TO_PROBES = timedelta(minutes=1)
"""So long after its phase has opened an item that ticks itself is nobody's: its probe is being asked."""
ON_CALL = "on_call"
_LIVE = (Status.DEPLOYED, Status.SUCCEEDED)

What = Literal["items", "decision"]


def due(plan: Plan, state: Deployment) -> dict[str, datetime]:
    """When people are reminded next, by key: `remind:WHAT:CHECK:N:K`, the K-th reminder of the N-th run."""
    found: dict[str, datetime] = {}
    if state.status not in _LIVE:
        return found
    for check in plan.checks:
        times = state.due_times(check)
        if _is_last_of_its_phase(plan, state, check) and open_items(plan, state, check):
            number = _said(state, check, times[-1], "items") + 1
            if number <= ITEMS_TIMES:
                found[f"remind:items:{check.id}:{len(times) - 1}:{number}"] = times[-1] + number * ITEMS_EVERY
        run = _undecided(plan, state, check)
        if run is not None and not any((check.id, at, "decision") in state.reminded for at in times):
            at = times.index(run.result.due)
            found[f"remind:decision:{check.id}:{at}:1"] = run.result.at + DECIDE_WITHIN
    return found


def remind(plan: Plan, state: Deployment, key: str, now: datetime) -> list[e.Event]:
    """Remind people, if it is still needed. Half hours that were slept through are not made up for."""
    wanted = due(plan, state)
    if key not in wanted:
        return []
    _, what, name, at, nth = key.split(":")
    check, number = plan.check(name), int(nth)
    assert check is not None
    if what == "items":
        late = max(timedelta(0), now - wanted[key]) // ITEMS_EVERY
        number = min(ITEMS_TIMES, number + late)
    return [
        e.Reminded(
            at=now,
            by=GONOGO,
            check=name,
            due=state.due_times(check)[int(at)],
            what="items" if what == "items" else "decision",
            number=number,
            role=ON_CALL if what == "items" else called_next(plan),
        )
    ]


def open_items(plan: Plan, state: Deployment, check: Check) -> tuple[Task, ...]:
    """The required items of a check's phase that people still have to do by its time. Empty where it has no phase, or
    that is not open."""
    step = plan.step(check.phase) if check.phase is not None and check.phase in state.opened else None
    return state.lacking_people(step, check.offsets[-1]) if step is not None else ()


def for_people(state: Deployment, tasks: Iterable[Task], now: datetime) -> tuple[Task, ...]:
    """Those of open items that people must judge: not what ticks itself when measured healthy, unless it has been asked
    and did not. A sign-off never ticks itself."""
    return tuple(
        task
        for task in tasks
        if task.probe is None
        or task.role is not None
        or (opened := state.opened.get(task.phase)) is None
        or now >= opened + LEFT_TO_PROBES
    )


def called_next(plan: Plan) -> str:
    """Who is called when the on-call has not decided: the second of the escalation, or the on-call again."""
    return plan.policy.escalation[1] if len(plan.policy.escalation) > 1 else ON_CALL


def undecided(plan: Plan, state: Deployment, check: Check, run: Run) -> bool:
    """Whether a run waits for a decision because nobody could tell. Where nothing is measured its open items come
    first: doing them decides it."""
    if run.passed or run.result.verdict is not e.Verdict.INCONCLUSIVE:
        return False
    return not measures_nothing(check) or not (state.settled(plan, check) or open_items(plan, state, check))


def _undecided(plan: Plan, state: Deployment, check: Check) -> Run | None:
    """The first of the newest runs in a row that wait for a decision, once the check is over."""
    runs = state.runs.get(check.id, {})
    if not runs or any(due not in runs for due in state.due_times(check)):
        return None
    found = None
    for at in sorted(runs, reverse=True):
        if not undecided(plan, state, check, runs[at]):
            break
        found = runs[at]
    return found


def _is_last_of_its_phase(plan: Plan, state: Deployment, check: Check) -> bool:
    """Whether the check is over, and no later one of the same phase is: that reminds of the items then."""
    over = [
        one
        for one in plan.checks
        if one.phase is not None and one.phase == check.phase and state.due_times(one)[-1] in state.runs.get(one.id, {})
    ]
    return bool(over) and check is max(over, key=lambda one: one.offsets[-1])


def _said(state: Deployment, check: Check, at: datetime, what: What) -> int:
    last = state.reminded.get((check.id, at, what))
    return last.number if last is not None else 0
