"""Due work: opening a phase at its time, and running a check. The deadline row is done in the transaction that saves the result."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.cards import replies
from bot.cards.card import Answer
from bot.domain import events as e
from bot.domain.course import open_due, record_check
from bot.domain.deployment import Deployment
from bot.domain.people import GONOGO, Who
from bot.domain.verdict import judge
from bot.ports import Asked, Claimed, Clock, Conflict, Probe, Store
from bot.services.deployments import Deployments
from bot.services.measuring import measure_all
from bot.services.records import Records, UnknownDeployment, load
from checklists.plan import Check, Plan

LATE = timedelta(seconds=60)
"""From here on a check says that it ran late, and asks as of its due time."""


class Checks:
    """Runs what is due. Only the caller's lease keeps two processes from doing the same work at once; the outcome is saved once."""

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

    async def run_due(self, claimed: Claimed) -> None:
        """Do what a deadline asks for. Work that is no longer wanted, or was done by another process, is dropped silently."""
        deadline = claimed.deadline
        kind, _, rest = deadline.key.partition(":")
        try:
            async with self._store.read() as unit:
                plan, state = await load(unit, deadline.deployment)
            result: e.CheckRan | None = None
            if kind == "check":
                check = plan.check(rest.rpartition(":")[0])
                if check is not None:
                    result = await self._measure(plan, state, check, deadline.due)
            async with self._store.write() as unit:
                now = self._clock.now()
                plan, state = await load(unit, deadline.deployment)
                await unit.finish_deadline(deadline.deployment, deadline.key, now)
                if result is not None:
                    facts = record_check(plan, state, result)
                else:
                    facts = open_due(plan, state, rest, deadline.due, now) if kind == "phase" else []
                if facts:
                    await self._records.add(unit, plan, state, facts, now)
        except UnknownDeployment:
            await self._store.release_due(claimed)
            return
        except Conflict:
            await self._store.release_due(claimed)
        self._changed()

    async def again(self, deployment: str, check: str, number: int, *, who: Who, key: str) -> Answer:
        """Measure once more because a person asked. Raises UnknownDeployment."""
        async with self._store.read() as unit:
            plan, state = await load(unit, deployment)
        known = plan.check(check)
        run = state.run(plan, check, number)
        if known is None or run is None:
            return replies.no_such_check()
        if run.passed:
            return replies.check_is_settled()
        due = run.result.due
        result = await self._measure(plan, state, known, due, again=True, who=who)

        def move(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
            run = state.runs.get(check, {}).get(due)
            return [] if run is None or run.passed else record_check(plan, state, result)

        return await self._deployments.act(deployment, move, replies.checked_again, key=key)

    async def _measure(
        self, plan: Plan, state: Deployment, check: Check, due: datetime, *, again: bool = False, who: Who = GONOGO
    ) -> e.CheckRan:
        now = self._clock.now()
        late = timedelta(0) if again else now - due
        as_of = due if late >= LATE else now
        names = tuple(dict.fromkeys([*check.probes, *check.measure, *check.alert]))
        started = state.started
        asked = Asked(plan.service, started.environment, started.version, as_of)
        measured = await measure_all(self._probe, names, plan.policy.probes, asked)
        found = judge(
            measured,
            probes=check.probes,
            measure=check.measure,
            alert=check.alert,
            matrix=plan.policy.matrix,
            rollback=plan.policy.rollback,
        )
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
            late_seconds=int(late.total_seconds()) if late >= LATE else 0,
            again=again,
        )
