"""Starting a deployment, and moving one: load, decide, save, answer, all in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from bot.cards import admission as admission_cards
from bot.cards import replies
from bot.cards.card import Answer
from bot.cards.view import View
from bot.domain import admission, moves
from bot.domain import events as e
from bot.domain.decisions import decision
from bot.domain.deployment import Deployment, Status
from bot.domain.errors import Refused, Unwell
from bot.domain.people import Who
from bot.ports import Changelog, Claimed, Clock, Conflict, Roster, Store, Unit
from bot.services.checklists import Checklists
from bot.services.delivery import once
from bot.services.gate import Gate, Read
from bot.services.records import Records, load
from bot.services.starting import Request as Request
from bot.services.starting import Starting, Unless
from bot.services.starting import good_versions as good_versions
from bot.services.starting import planned_time as planned_time
from checklists.plan import Plan

Move = Callable[[Plan, Deployment, datetime], list[e.Event]]
Reply = Callable[[View, View, list[e.Event]], Answer]
Guard = Callable[[Unit, View], Awaitable[Answer | None]]
_TRIES = 8


class Deployments:
    """All that people do to deployments. `changed` is called after every commit, to wake the relay and the
    scheduler."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        gate: Gate,
        checklists: Checklists,
        changelog: Changelog,
        records: Records,
        roster: Roster,
        *,
        new_id: Callable[[], str],
        changed: Callable[[], None],
    ) -> None:
        self._store, self._clock, self._gate, self._records, self._changed = store, clock, gate, records, changed
        self._starting = Starting(store, clock, gate, checklists, changelog, records, roster, new_id=new_id)
        self.before_go: Callable[[str], Awaitable[None]] | None = None
        """Called with a deployment that may be about to go, to find out whether it is what was approved."""

    async def start(self, request: Request, *, who: Who, key: str, unless: Unless | None = None) -> Answer:
        """Start a deployment, let it wait, or say why not; what `unless` says goes before. Raises Unwell, and what
        `Checklists.load` raises."""
        answer = await self._starting.start(request, who=who, key=key, unless=unless)
        self._changed()
        return answer

    async def go(self, deployment: str, move: Move, reply: Reply, *, key: str) -> Answer:
        """A move towards T0: like `act`, and the window is asked once more where the policy does not let a permitted
        run finish. One that overrides its window is not asked."""
        async with self._store.read() as unit:
            plan, state = await load(unit, deployment)
        now = self._clock.now()
        if state.status is not Status.RUNNING or plan.policy.run_may_finish or state.started.overrode:
            return await self.act(deployment, move, reply, key=key)
        read = await self._gate.read_calendars(plan.policy, plan.environment, now)

        async def guard(unit: Unit, view: View) -> Answer | None:
            step = view.state.current(view.plan)
            index = view.plan.index(step.id) if step else None
            if index is None or index < view.plan.deployed_at - 1:
                return None
            opening = await self._gate.opening(
                unit, view.plan.policy, service=view.plan.service, environment=plan.environment, at=view.now, read=read
            )
            return None if opening.open else replies.closed_now(view, opening)

        return await self.act(deployment, move, reply, key=key, guard=guard)

    async def act(self, deployment: str, move: Move, reply: Reply, *, key: str, guard: Guard | None = None) -> Answer:
        """Make one move and answer it; the same `key` again changes nothing and gives the same answer.

        A rule that says no is an answer too, and so is what `guard` says. Raises UnknownDeployment, and Conflict after
        several tries.
        """

        async def work(unit: Unit) -> Answer:
            now = self._clock.now()
            plan, state = await load(unit, deployment)
            if guard is not None and (no := await guard(unit, View(plan, state, now))) is not None:
                return no
            try:
                facts = move(plan, state, now)
            except Refused as refused:
                return replies.refused(View(plan, state, now), refused)
            after = await self._records.add(unit, plan, state, facts, now) if facts else state
            return reply(View(plan, state, now), View(plan, after, now), facts)

        answer = await once(self._store, self._clock, key, work)
        self._changed()
        return answer

    async def roll_back(
        self, deployment: str, version: str, reason: str, next_steps: str, *, who: Who, key: str
    ) -> Answer:
        """Start the rollback; the answer says what people must do, and whether the version is not known here. Raises
        what `act` raises."""
        async with self._store.read() as unit:
            started = (await load(unit, deployment))[1].started
            rows = await unit.rows(service=started.service, environment=started.environment)
        known = {row.version for row in rows if row.deployed_at is not None}
        return await self.act(
            deployment,
            lambda p, s, now: moves.roll_back(p, s, version, reason, next_steps, who, now),
            partial(replies.rollback_begun, known=known),
            key=key,
        )

    # --- from waiting to running ---

    async def admit(self, deployment: str, *, who: Who, key: str) -> Answer:
        """Go: the gate is asked once more, and the lock claimed. Raises UnknownDeployment."""
        read = await self._read(deployment)
        if self.before_go is not None:
            await self.before_go(deployment)

        async def work(unit: Unit) -> Answer:
            plan, state, gate, now = await self._judged(unit, deployment, read)
            view = View(plan, state, now)
            lane = plan.policy.overrides.get(state.started.lane)
            passes = gate.open or (lane is not None and lane.closed_windows) or bool(state.started.overrode)
            if state.status is Status.WAITING and (gate.lock or not passes):
                return admission_cards.not_gone(view, gate)
            overrode = tuple(dict.fromkeys(cause.text for cause in gate.causes))
            try:
                facts = admission.go(plan, state, gate, who, now, overrode=overrode, reason=state.started.reason)
            except Refused as refused:
                return replies.refused(view, refused)
            after = await self._records.add(unit, plan, state, facts, now) if facts else state
            return replies.quiet(view, View(plan, after, now), facts)

        answer = await once(self._store, self._clock, key, work)
        self._changed()
        return answer

    async def come_due(self, claimed: Claimed) -> None:
        """The time of one that waits has come: it is held, asked for its go, or goes. What is no longer wanted is
        dropped silently."""
        deadline = claimed.deadline
        read = await self._read(deadline.deployment)
        if self.before_go is not None:
            await self.before_go(deadline.deployment)
        for left in reversed(range(_TRIES)):
            ours = False
            try:
                async with self._store.write() as unit:
                    plan, state, gate, now = await self._judged(unit, deadline.deployment, read)
                    await unit.finish_deadline(deadline.deployment, deadline.key, now)
                    ours = True
                    if facts := admission.come_due(plan, state, deadline.due, gate, now):
                        await self._records.add(unit, plan, state, facts, now)
                break
            except Conflict:
                if not ours:
                    await self._store.release_due(claimed)
                    return
                if not left:
                    raise
        self._changed()

    async def reschedule(self, deployment: str, when: str, *, who: Who, key: str) -> Answer:
        """Another time for one that waits; its gate is judged for then. Raises Unwell, UnknownDeployment."""
        async with self._store.read() as unit:
            plan, _ = await load(unit, deployment)
        planned = planned_time(when, self._clock.now(), plan.policy.timezone)
        if planned is None:
            raise Unwell('Say when: `/deploy schedule v1.2.0 "tue 10:00"`.')
        read = await self._gate.read_calendars(plan.policy, plan.environment, planned)

        async def guard(unit: Unit, view: View) -> Answer | None:
            opening = await self._gate.opening(
                unit, plan.policy, service=plan.service, environment=plan.environment, at=planned, read=read
            )
            version = view.state.started.version
            if opening.open:
                return None
            return admission_cards.closed(plan, version, opening, planned, view.now, may_override=False)

        return await self.act(
            deployment,
            lambda p, s, now: admission.reschedule(p, s, planned, who, now),
            replies.moved,
            key=key,
            guard=guard,
        )

    async def _read(self, deployment: str) -> Read:
        async with self._store.read() as unit:
            plan, _ = await load(unit, deployment)
        return await self._gate.read_calendars(plan.policy, plan.environment, self._clock.now())

    async def _judged(self, unit: Unit, deployment: str, read: Read) -> tuple[Plan, Deployment, e.Decision, datetime]:
        """The gate for a deployment that waits, now: windows, freezes, and who holds the service."""
        plan, state = await load(unit, deployment)
        await unit.alone(plan.service, plan.environment)
        now = self._clock.now()
        opening = await self._gate.opening(
            unit, plan.policy, service=plan.service, environment=plan.environment, at=now, read=read
        )
        holder = await unit.lock_holder(plan.service, plan.environment)
        lock = await self._gate.lock(unit, plan.service, plan.environment, now, who=state.started.by)
        words = ""
        if holder is not None and holder.id != deployment:
            words = f"{holder.service} {holder.version} is being deployed, started by {holder.started_by}"
        elif lock is not None:
            words = f"locked by {lock.by.name}: {lock.reason}"
        return plan, state, decision(opening, now, lock=words), now
