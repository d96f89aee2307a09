"""Due work: opening a phase at its time, and running a check. The deadline row is done in the transaction that saves
the result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot.cards import replies
from bot.cards.card import Answer
from bot.cards.view import View
from bot.domain import events as e
from bot.domain import reminders, watch
from bot.domain.course import LIVE_AFTER, chase, check_of, measurable, open_due, record_check, tick_measured
from bot.domain.deployment import Deployment, evolve
from bot.domain.errors import Code, Refused
from bot.domain.measured import Healthy
from bot.domain.people import GONOGO, Who
from bot.ports import Claimed, Clock, Conflict, Deadline, Probe, Store, UnknownRecord
from bot.services.asking import ask_check, ask_items, ask_limits, ask_recovery
from bot.services.baselines import others_before
from bot.services.delivery import answered
from bot.services.deployments import Deployments, Move
from bot.services.pasts import read_past
from bot.services.records import DUE_KINDS, Records, load
from checklists.plan import Check, Plan, Task

LATE = timedelta(seconds=60)
"""From here on a check says that it ran late, and asks as of its due time."""
_TRIES = 8

log = structlog.get_logger(__name__)


class Checks:
    """Runs what is due. Only the caller's lease keeps two processes from doing the same work at once; the outcome is
    saved once."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        probe: Probe,
        records: Records,
        deployments: Deployments,
        *,
        changed: Callable[[], None],
    ) -> None:
        self._store, self._clock, self._probe = store, clock, probe
        self._records, self._deployments, self._changed = records, deployments, changed
        self.others: dict[str, Callable[[Claimed], Awaitable[None]]] = {}
        """What other services do when it is due, by the first word of the deadline's key."""
        self.measured: Callable[[e.Verdict], None] = lambda verdict: None
        """Told what each check found that was measured."""
        self._unknown: set[str] = set()
        """Kinds it has warned of."""
        self.foreign: set[str] = set()
        """Deployments that a newer release has written: this process can do nothing for them, ever."""

    async def run_due(self, claimed: Claimed) -> None:
        """Do what a deadline asks for (`_run`). A deployment that a newer release has written is left to that one: its
        work is given back at once, and not asked for again."""
        try:
            await self._run(claimed)
        except UnknownRecord as unknown:
            if claimed.deadline.deployment not in self.foreign:
                log.warning("checks.foreign", deployment=claimed.deadline.deployment, problem=str(unknown))
            self.foreign.add(claimed.deadline.deployment)
            await self._store.release_due(claimed)

    async def _run(self, claimed: Claimed) -> None:
        """Do what a deadline asks for. Work that is no longer wanted, or was done by another process, is dropped
        silently; where people were faster the result is put on top of theirs, and nothing is asked twice.

        A kind that this release does not know is left to one that does: it keeps its lease, so that it comes again when
        that is over and holds up nothing else of its deployment meanwhile.
        """
        deadline = claimed.deadline
        if deadline.key.startswith("go:"):
            await self._deployments.come_due(claimed)
            return
        kind = deadline.key.partition(":")[0]
        if (work := self.others.get(kind)) is not None:
            await work(claimed)
            return
        if kind not in DUE_KINDS:
            if kind not in self._unknown:
                self._unknown.add(kind)
                log.warning("checks.unknown_kind", kind=kind, deployment=deadline.deployment)
            return
        async with self._store.read() as unit:
            plan, state = await load(unit, deadline.deployment)
        found = await self._find(plan, state, deadline)
        for left in reversed(range(_TRIES)):
            ours = False
            try:
                async with self._store.write() as unit:
                    now = self._clock.now()
                    plan, state = await load(unit, deadline.deployment)
                    await unit.finish_deadline(deadline.deployment, deadline.key, now)
                    ours = True
                    if facts := found(plan, state, now):
                        await self._records.add(unit, plan, state, facts, now)
                break
            except Conflict:
                if not ours:
                    await self._store.release_due(claimed)
                    return
                if not left:
                    raise
        self._changed()

    async def _find(self, plan: Plan, state: Deployment, deadline: Deadline) -> Move:
        """Ask the world what the deadline is about; the facts are made later, inside the transaction."""
        kind, _, rest = deadline.key.partition(":")
        if (wanted := check_of(plan, state, deadline.key)) is not None:
            check, due = wanted
            result = await self._measure(plan, state, check, due, at=deadline.due)
            phases = [step.id for step in plan.steps[plan.deployed_at :] if step.id in {*state.opened, check.phase}]
            healthy = await self._items(plan, state, phases)
            return lambda plan, state, now: _with_items(plan, state, record_check(plan, state, result), healthy, now)
        if kind == "items":
            healthy = await self._items(plan, state, [rest])
            return lambda plan, state, now: tick_measured(plan, state, healthy, now)
        if kind == "breach":
            disturbed = await others_before(self._store, plan, state)
            judged = await ask_limits(self._probe, plan, state, self._clock.now(), disturbed=disturbed)
            return lambda plan, state, now: watch.look(plan, state, deadline.due, judged, now)
        if kind == "recovery" and (known := watch.recovery_check(plan)) is not None:
            disturbed = await others_before(self._store, plan, state)
            found = await ask_recovery(self._probe, plan, state, known, self._clock.now(), disturbed=disturbed)
            well = found.verdict is e.Verdict.HEALTHY
            return lambda plan, state, now: watch.look_back(
                plan, state, deadline.due, found.judged, healthy=well, now=now
            )
        if kind == "escalate":
            return lambda plan, state, now: watch.escalate(plan, state, deadline.key, now)
        if kind == "remind":
            return lambda plan, state, now: reminders.remind(plan, state, deadline.key, now)
        if kind == "chase":
            phase = rest.partition(":")[0]
            return lambda plan, state, now: chase(plan, state, phase, deadline.due, now)
        if kind == "phase":
            return lambda plan, state, now: open_due(plan, state, rest, deadline.due, now)
        return lambda plan, state, now: []

    async def _items(self, plan: Plan, state: Deployment, phases: Sequence[str]) -> dict[str, Healthy]:
        """The items of these phases that tick themselves and are healthy now."""
        fresh = [phase for phase in phases if phase not in state.opened]
        now = self._clock.now()
        seen = evolve(state, [e.PhaseOpened(at=now, by=GONOGO, phase=phase) for phase in fresh])
        tasks = [task for phase in phases for task in measurable(plan, seen, phase)]
        return await self._ask_items(plan, state, tasks) if tasks else {}

    async def _ask_items(self, plan: Plan, state: Deployment, tasks: Sequence[Task]) -> dict[str, Healthy]:
        disturbed = await others_before(self._store, plan, state)
        return await ask_items(self._probe, plan, state, tasks, self._clock.now(), disturbed=disturbed)

    async def measure_item(self, deployment: str, item: str, *, who: Who, key: str) -> Answer:
        """Ask the probe of one item now. Raises UnknownDeployment."""
        if (before := await answered(self._store, key)) is not None:
            return before
        async with self._store.read() as unit:
            plan, state = await load(unit, deployment)
        task = plan.task(item)
        tasks = [task] if task is not None and task in measurable(plan, state, task.phase) else []
        healthy = await self._ask_items(plan, state, tasks)

        def reply(before: View, after: View, facts: list[e.Event]) -> Answer:
            unknown = tasks and not healthy
            return replies.not_measured_healthy(tasks[0]) if unknown else replies.quiet(before, after, facts)

        return await self._deployments.act(
            deployment, lambda plan, state, now: tick_measured(plan, state, healthy, now), reply, key=key
        )

    async def again(self, deployment: str, check: str, number: int, *, who: Who, key: str) -> Answer:
        """Measure once more because a person asked. Raises UnknownDeployment."""
        if (before := await answered(self._store, key)) is not None:
            return before
        async with self._store.read() as unit:
            plan, state = await load(unit, deployment)
        known = plan.check(check)
        run = state.run(plan, check, number)
        if known is None or run is None:
            return replies.no_such_check()
        asked = None
        if not run.passed and state.status in LIVE_AFTER:
            asked = await self._measure(plan, state, known, run.result.due, who=who)

        def move(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
            if state.status not in LIVE_AFTER:
                raise Refused(Code.ENDED if state.status.ended else Code.ROLLING_BACK, at=state.ended_at)
            return record_check(plan, state, asked) if asked is not None else []

        return await self._deployments.act(deployment, move, replies.checked_again, key=key)

    async def _measure(
        self,
        plan: Plan,
        state: Deployment,
        check: Check,
        due: datetime,
        *,
        at: datetime | None = None,
        who: Who = GONOGO,
    ) -> e.CheckRan:
        """What a check that was due at `due` finds now. `at` is when this try of it should have been made; without it,
        a person asked for it once more."""
        now = self._clock.now()
        late = now - at if at is not None else timedelta(0)
        as_of = at if at is not None and late >= LATE else now
        disturbed = await others_before(self._store, plan, state)
        found = await ask_check(self._probe, plan, state, check, as_of, disturbed=disturbed)
        self.measured(found.verdict)
        return e.CheckRan(
            at=self._clock.now(),
            by=who,
            check=check.id,
            due=due,
            verdict=found.verdict,
            judged=found.judged,
            severity=found.advice.severity,
            action=found.advice.action,
            within=found.advice.within,
            why=found.why if found.verdict is e.Verdict.INCONCLUSIVE and not found.people_only else "",
            late_seconds=int(late.total_seconds()) if late >= LATE else 0,
            again=at is None,
            asked=as_of if as_of not in (due, now) else None,
            past=await read_past(self._probe, plan, state, found.judged, as_of),
        )


def _with_items(
    plan: Plan, state: Deployment, facts: list[e.Event], healthy: Mapping[str, Healthy], now: datetime
) -> list[e.Event]:
    return [*facts, *tick_measured(plan, evolve(state, facts), healthy, now)] if facts else []
