"""Starting a deployment, and moving one: load, decide, save, answer, all in one transaction."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from bot.cards import replies
from bot.cards.card import Answer, escape
from bot.cards.view import View
from bot.domain import events as e
from bot.domain.course import begin
from bot.domain.deployment import Deployment, Status
from bot.domain.errors import Refused, Unwell
from bot.domain.people import Who, may
from bot.ports import Changelog, Clock, Store, Unit
from bot.services.checklists import Checklists, environments_of, freeze
from bot.services.delivery import answered, once
from bot.services.gate import Gate
from bot.services.records import Records, load
from checklists.library import Loaded
from checklists.plan import Plan, make_plan
from checklists.windows import parse_when
from checklists.zones import find_zone

Move = Callable[[Plan, Deployment, datetime], list[e.Event]]
Reply = Callable[[View, View, list[e.Event]], Answer]
Guard = Callable[[Unit, View], Awaitable[Answer | None]]

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,63}")
"""What a version may look like: a tag, a branch or a commit. Nothing a chat would read as markup or a mention."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked to start."""

    version: str
    service: str
    environment: str = "production"
    when: str = ""
    note: str = ""


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
        *,
        new_id: Callable[[], str],
        changed: Callable[[], None],
    ) -> None:
        self._store, self._clock, self._gate = store, clock, gate
        self._checklists, self._changelog, self._records = checklists, changelog, records
        self._new_id, self._changed = new_id, changed

    async def start(self, request: Request, *, who: Who, key: str) -> Answer:
        """Start a deployment if the gate is open and nobody else's runs.

        Raises Unwell for input nobody can act on, and what `Checklists.load` raises.
        """
        if (before := await answered(self._store, key)) is not None:
            return before
        if not VERSION.fullmatch(request.version):
            raise Unwell(replies.bad_version(request.version))
        loaded = await self._checklists.load(request.service)
        known = environments_of(loaded)
        if request.environment not in known:
            raise Unwell(replies.unknown_environment(request.environment, known))
        plan = make_plan(loaded.checklist, loaded.policy, environment=request.environment)
        if not plan.steps:
            raise Unwell(replies.nothing_to_tick(plan.name))
        planned = planned_time(request.when, self._clock.now(), loaded.policy.timezone)
        at = planned or self._clock.now()
        read = await self._gate.read_calendars(loaded.policy, request.environment, at)
        changes = await self._changelog.changes(loaded.policy.changelog, request.version)

        async def work(unit: Unit) -> Answer:
            now = self._clock.now()
            if not may(loaded.policy, "start", who):
                return replies.not_entitled(loaded.policy.may.get("start", ()))
            holder = await unit.lock_holder(plan.service, request.environment)
            if holder is not None:
                return replies.locked(View(*await load(unit, holder.id), now))
            opening = await self._gate.opening(
                unit, loaded.policy, service=plan.service, environment=request.environment, at=at, read=read
            )
            if not opening.open:
                return replies.closed(plan, request.version, opening, at)
            started = await self._started(unit, request, loaded, plan, who, now, planned, changes)
            await unit.keep_checklist(freeze(loaded))
            state = await self._records.begin(unit, plan, begin(plan, started), now)
            return replies.started(View(plan, state, now, opening))

        answer = await once(self._store, self._clock, key, work)
        self._changed()
        return answer

    async def go(self, deployment: str, move: Move, reply: Reply, *, key: str) -> Answer:
        """A move towards T0: like `act`, and the window is asked once more where the start was permitted for another
        moment (a planned time still to come), or the policy does not let a permitted run finish."""
        async with self._store.read() as unit:
            plan, state = await load(unit, deployment)
        started, now = state.started, self._clock.now()
        early = started.planned_t0 is not None and now < started.planned_t0
        if state.status is not Status.RUNNING or not (early or not plan.policy.run_may_finish):
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

    async def _started(
        self,
        unit: Unit,
        request: Request,
        loaded: Loaded,
        plan: Plan,
        who: Who,
        now: datetime,
        planned: datetime | None,
        changes: tuple[str, ...] | str,
    ) -> e.Started:
        known = isinstance(changes, tuple)
        return e.Started(
            at=now,
            by=who,
            id=self._new_id(),
            version=request.version,
            service=plan.service,
            environment=request.environment,
            checklist=plan.name,
            digest=loaded.source.digest,
            planned_t0=planned,
            previous_version=await previous_version(unit, plan.service, request.environment),
            changes=changes if isinstance(changes, tuple) else None,
            changes_unknown="" if known else str(changes),
            note=request.note.strip(),
            defaults=loaded.stated,
        )


async def previous_version(unit: Unit, service: str, environment: str) -> str | None:
    """The version that runs now, as far as deployments tell: what a rollback would go back to."""
    versions = await good_versions(unit, service, environment)
    return versions[0] if versions else None


async def good_versions(unit: Unit, service: str, environment: str) -> tuple[str, ...]:
    """Versions that were deployed with success, newest first, without repeats."""
    good = {Status.SUCCEEDED, Status.STABLE, Status.SUPERSEDED}
    rows = await unit.rows(service=service, environment=environment)
    return tuple(dict.fromkeys(row.version for row in rows if row.status in good))


def planned_time(when: str, now: datetime, zone: str) -> datetime | None:
    """The instant somebody means, in the policy's zone; None for no words. Raises Unwell."""
    if not when.strip():
        return None
    try:
        return parse_when(when, now, find_zone(zone))
    except ValueError as error:
        raise Unwell(escape(str(error))) from error
