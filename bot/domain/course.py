"""What follows by itself: announcements, phases that complete, the end, and what is due when. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.domain import events as e
from bot.domain import pipeline, reminders, tries, watch, workflows
from bot.domain.admission import when_due
from bot.domain.deployment import Deployment, Status, evolve
from bot.domain.issue import QUIET
from bot.domain.measured import Healthy
from bot.domain.people import GONOGO
from checklists.plan import Check, Plan, Step, Task
from checklists.policy import Announcement

CHASE_EVERY = timedelta(days=1)
"""How often people are reminded of a list that has to be closed."""
LIVE_AFTER = frozenset({Status.DEPLOYED, Status.SUCCEEDED})
"""After T0 and watched: checks run, phases complete themselves."""


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
    """Everything that is due at some time, by key: `check:ID:N` and its later tries `check:ID:N:again:K`, `phase:ID`,
    `items:ID` (what ticks itself).

    Derived from the state alone; what has been done is not named again.
    """
    due: dict[str, datetime] = {}
    asked = when_due(plan, state, state.started.at)
    if asked is not None:
        # Each asking has a key of its own: what is done stays done.
        due[f"go:{asked.isoformat()}"] = asked
    if state.status in (Status.WAITING, Status.RUNNING) and state.planned_t0 is not None:
        for step in plan.steps[: plan.deployed_at + 1]:
            if step.opens is not None and step.id not in state.opened:
                due[f"phase:{step.id}"] = state.planned_t0 + step.opens.offset
    if state.t0 is not None and state.status in LIVE_AFTER:
        for check in plan.checks:
            for number, when in enumerate(state.due_times(check)):
                if when not in state.runs.get(check.id, {}):
                    before = state.tries.get(check.id, {}).get(when, ())
                    # Each try has a key of its own: what is done stays done.
                    key = f"check:{check.id}:{number}" + (f":again:{len(before)}" if before else "")
                    due[key] = tries.try_due(plan, check, when, before)
        for step in plan.steps[plan.deployed_at + 1 :]:
            if step.opens is not None and step.id not in state.opened:
                due[f"phase:{step.id}"] = state.t0 + step.opens.offset
    # What a rollback measures is the version that still serves when it begins: people ask for it when it is time.
    for step in (*plan.steps, *plan.follow_ups):
        if measurable(plan, state, step.id):
            due[f"items:{step.id}"] = state.opened[step.id]
    if state.t0 is not None and state.status in {*LIVE_AFTER, Status.STABLE}:
        for step in plan.follow_ups:
            if step.opens is not None and step.id not in state.opened:
                due[f"phase:{step.id}"] = state.t0 + step.opens.offset
    if state.t0 is not None and state.status is not Status.ROLLING_BACK:
        due |= _chases(plan, state)
    return due | watch.due(plan, state) | reminders.due(plan, state) | workflows.due(plan, state)


def check_of(plan: Plan, state: Deployment, key: str) -> tuple[Check, datetime] | None:
    """The check a deadline is about, and its due time: the tries of one due time differ in their own times only."""
    kind, name, number, *_ = [*key.split(":"), "", ""]
    check = plan.check(name) if kind == "check" and number.isdecimal() else None
    times = state.due_times(check) if check is not None else ()
    return (check, times[int(number)]) if check is not None and int(number) < len(times) else None


def _chases(plan: Plan, state: Deployment) -> dict[str, datetime]:
    """When people are reminded of lists that have to be closed: when each opens, and every day until it is."""
    due: dict[str, datetime] = {}
    for step in plan.follow_ups:
        if not step.chased or state.t0 is None:
            continue
        opens = state.t0 + (step.opens.offset if step.opens is not None else timedelta(0))
        if step.id not in state.opened:
            due[f"phase:{step.id}"] = opens
        elif state.missing(step):
            last = state.chased.get(step.id)
            when = opens if last is None else last + CHASE_EVERY
            due[f"chase:{step.id}:{when.isoformat()}"] = when
    return due


def chase(plan: Plan, state: Deployment, phase: str, due: datetime, now: datetime) -> list[e.Event]:
    """Remind people of a list, if it still has to be closed. Days that were slept through are not made up for."""
    if f"chase:{phase}:{due.isoformat()}" not in deadlines(plan, state):
        return []
    late = max(timedelta(0), now - due) // CHASE_EVERY
    return [e.Chased(at=now, by=GONOGO, phase=phase, due=due + late * CHASE_EVERY)]


def open_due(plan: Plan, state: Deployment, phase: str, due: datetime, now: datetime) -> list[e.Event]:
    """A phase whose time has come, if it is still awaited: a rollback or a cancellation may have been faster."""
    if f"phase:{phase}" not in deadlines(plan, state):
        return []
    return [e.PhaseOpened(at=now, by=GONOGO, phase=phase, due=due)]


def record_check(plan: Plan, state: Deployment, result: e.CheckRan) -> list[e.Event]:
    """A check has run: its result, or that it was tried and is asked again, and its phase opened.

    Nothing where it is no longer wanted: the deployment is not watched any more, the result is there already, or (asked
    for again) it has passed meanwhile.
    """
    check = plan.check(result.check)
    if check is None or state.status not in LIVE_AFTER or result.due not in state.due_times(check):
        return []
    run = state.runs.get(check.id, {}).get(result.due)
    if run is not None if not result.again else run is None or run.passed:
        return []
    before = state.tries.get(check.id, {}).get(result.due, ())
    facts: list[e.Event] = [result]
    if not result.again:
        stands = tries.stands(check, before, result)
        number = len(before) + 1
        facts = [result.model_copy(update={"tries": number}) if stands else tries.tried(result, number)]
    if check.phase is not None and check.phase not in state.opened:
        facts.append(e.PhaseOpened(at=result.at, by=GONOGO, phase=check.phase, due=result.due))
    return facts


def measurable(plan: Plan, state: Deployment, phase: str) -> list[Task]:
    """The open items of an open phase that tick themselves when a probe is healthy. A sign-off is never one of them."""
    step = plan.step(phase)
    if step is None or step.id not in state.opened or state.on_hold(step):
        return []
    return [task for task in step.tasks if task.probe and task.role is None and task.id not in state.marks]


def tick_measured(plan: Plan, state: Deployment, healthy: Mapping[str, Healthy], now: datetime) -> list[e.Event]:
    """Tick the items that were measured healthy (id -> what was found), unless somebody was faster."""
    return [
        e.Ticked(at=now, by=GONOGO, item=task.id, value=healthy[task.id].words, link=healthy[task.id].link)
        for step in plan.every_step()
        for task in measurable(plan, state, step.id)
        if task.id in healthy
    ]


def awaited(plan: Plan, state: Deployment, check: Check) -> tuple[Task, ...]:
    """The required items that people still have to tick before what the check announces can be said.

    Counted is what is due by the moment of the check: all phases up to T0 and to the check's own, less those that open
    later, and less items that are not expected by then or tick themselves when something is announced.
    """
    last = plan.index(check.phase) if check.phase else None
    upto = max(plan.deployed_at, last if last is not None else 0)
    expected = _expected(plan)
    moment = check.offsets[-1]
    return tuple(
        task
        for step in plan.steps[: upto + 1]
        if step.id == check.phase or expected[step.id] <= moment
        for task in state.lacking_people(step, moment)
    )


def own_times(plan: Plan, step: Step) -> list[timedelta]:
    """The moments after T0 at which a phase opens by itself: its own, and the first of each check it belongs to."""
    times = [step.opens.offset] if step.opens is not None else []
    return times + [check.offsets[0] for check in plan.checks if check.phase == step.id]


def _expected(plan: Plan) -> dict[str, timedelta]:
    """From when each phase can be worked on, relative to T0; one without a time of its own follows all before it."""
    latest = timedelta(0)
    expected: dict[str, timedelta] = {}
    for index, step in enumerate(plan.steps):
        own = own_times(plan, step) if index > plan.deployed_at else []
        expected[step.id] = min(own) if own else latest
        latest = max(latest, expected[step.id])
    return expected


def _next(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
    said = _announcement(plan, state)
    if said is not None:
        before = state.announced.get(said)
        number = before.number + 1 if before is not None else 1
        facts: list[e.Event] = [e.Announced(at=now, by=GONOGO, announcement=said, number=number)]
        return facts
    if watched := watch.follows(plan, state, now):
        return watched
    if ticks := _ticks(plan, state, now) or pipeline.ticks(plan, state, now):
        return ticks
    if moved := _phases(plan, state, now):
        return moved
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
    # What waits has not started; that it will is said where its time is known.
    opened = [Announcement.STARTING, Announcement.STARTED]
    if state.status is Status.WAITING:
        opened = opened[:1] if state.planned_t0 is not None else []
    for kind in opened:
        if kind not in said and _opening(plan, state, kind):
            return kind
    if state.status not in LIVE_AFTER:
        return None
    if _issue_unsaid(state):
        return Announcement.ISSUE
    for check in plan.checks:
        for kind in check.then:
            if kind not in said and _earned(plan, state, check, kind):
                return kind
    if Announcement.SUCCEEDED not in said and not _announces(plan) and _complete(plan, state):
        return Announcement.SUCCEEDED
    return None


def _issue_unsaid(state: Deployment) -> bool:
    """Whether there is an issue that nobody was told of: each is announced once, however it flaps."""
    said = state.announced.get(Announcement.ISSUE)
    return state.issue is not None and (said is None or state.issue.since - said.at > QUIET)


def _opening(plan: Plan, state: Deployment, kind: Announcement) -> bool:
    """Whether the run has come to the phase in which this announcement belongs: where an item waits for it, else where
    T0 happens. A phase that the clock has opened while one before it still has open items announces nothing yet."""
    bound = {step.id for step in plan.steps for task in step.tasks if task.announces is kind}
    if not bound and kind is Announcement.STARTED and plan.steps:
        bound = {plan.steps[plan.deployed_at].id}
    for step in plan.steps:
        if step.id in bound and step.id in state.opened:
            return True
        if step.id not in state.done:
            return False
    return False


def _earned(plan: Plan, state: Deployment, check: Check, kind: Announcement) -> bool:
    """Whether the check has passed, everything due by its moment is done, nothing newer was found to be wrong, and
    nothing is being asked again."""
    if not state.settled(plan, check) or awaited(plan, state, check) or watch.unwell(plan, state):
        return False
    if any(due not in state.runs.get(name, {}) for name, tried in state.tries.items() for due in tried):
        return False
    return kind is not Announcement.STABLE or state.status is Status.SUCCEEDED or not _says_success(plan)


def _announces(plan: Plan) -> set[Announcement]:
    return {kind for check in plan.checks for kind in check.then}


def _says_success(plan: Plan) -> bool:
    return Announcement.SUCCEEDED in _announces(plan)


def _ticks(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
    """Items that wait for an announcement that stands in the channel. A sign-off is never one of them."""
    return [
        e.Ticked(at=now, by=GONOGO, item=task.id, value="announced")
        for step in plan.every_step()
        if step.id in state.opened
        for task in step.tasks
        if task.announces in state.announced and task.role is None and task.id not in state.marks
    ]


def _phases(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
    """After T0 a phase completes itself, and the next one opens unless its time has not come.

    What only waits for an announcement of a check does not keep the next phase from opening: the check may need it.
    """
    if state.t0 is None or state.status not in LIVE_AFTER:
        return []
    for step in plan.steps:
        if step.id in state.done:
            continue
        if step.id not in state.opened:
            due = [state.t0 + offset for offset in own_times(plan, step)]
            if due and min(due) > now:
                return []
            return [e.PhaseOpened(at=now, by=GONOGO, phase=step.id, due=min(due, default=None))]
        if not state.missing(step):
            return [e.PhaseDone(at=now, by=GONOGO, phase=step.id)]
        if state.lacking_people(step):
            return []
    return []


def _complete(plan: Plan, state: Deployment) -> bool:
    """Whether people have done everything and every check has passed."""
    return (
        state.status in LIVE_AFTER
        and all(step.id in state.opened and not state.lacking_people(step) for step in plan.steps)
        and all(state.settled(plan, check) for check in plan.checks)
    )


def _all_done(plan: Plan, state: Deployment) -> bool:
    """Whether nothing is left: then the record is closed."""
    return (
        _complete(plan, state)
        and all(step.id in state.done for step in plan.steps)
        and _announces(plan) <= set(state.announced)
    )
