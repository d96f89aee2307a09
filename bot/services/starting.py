"""Starting a deployment: the gate, the lane, the horizon and the approvals, decided in one transaction."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.cards import admission as said
from bot.cards import replies, taken
from bot.cards.card import Answer, escape
from bot.cards.locks import turned_away_notice
from bot.cards.opening import say_opening
from bot.cards.view import View
from bot.domain import events as e
from bot.domain.calendar import Code, Opening
from bot.domain.course import begin
from bot.domain.decisions import decision
from bot.domain.deployment import Status, replay
from bot.domain.errors import Unwell
from bot.domain.horizon import Concern, concerns, moments
from bot.domain.locks import queue_of
from bot.domain.people import Who, may
from bot.ports import Changelog, Clock, Roster, Store, Unit, UnknownRecord
from bot.services.checklists import Checklists, environments_of, freeze, service_of
from bot.services.delivery import answered, once
from bot.services.gate import Gate, Read
from bot.services.records import Records, load
from checklists.library import Loaded
from checklists.plan import Plan, make_plan
from checklists.policy import Override, Policy
from checklists.windows import parse_when
from checklists.zones import find_zone

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,63}")
"""What a version may look like: a tag, a branch or a commit. Nothing a chat would read as markup or a mention."""
Unless = Callable[[Unit], Awaitable[Answer | None]]
"""What else may decide a start, in its transaction; None: nothing."""
WHEN_OPEN = "open"
"""For `Request.when`: as soon as the window opens."""
_GENERAL = "emergency"
"""What everybody calls the lane past closed windows, whatever the policy's own name for it."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked to start. `lane` is an override of the policy, or `override` for who may start in spite of a
    freeze; `confirmed` says that what will fall badly is known."""

    version: str
    service: str
    environment: str = "production"
    when: str = ""
    note: str = ""
    lane: str = ""
    reason: str = ""
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request with what it means."""

    request: Request
    loaded: Loaded
    plan: Plan
    lane: str
    way: Override | None
    planned: datetime | None
    read: Read
    changes: tuple[str, ...] | str

    @property
    def policy(self) -> Policy:
        return self.loaded.policy

    @property
    def overrides(self) -> bool:
        """Whether it asks to start in spite of a freeze, by a right and not by a lane of the document."""
        return self.request.lane == said.OVERRIDE and self.way is None


class Starting:
    """Starts deployments, or says why not. Where the gate is closed one may wait; where approvals are missing it
    does."""

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
    ) -> None:
        self._store, self._clock, self._gate = store, clock, gate
        self._checklists, self._changelog, self._records = checklists, changelog, records
        self._roster, self._new_id = roster, new_id

    async def start(self, request: Request, *, who: Who, key: str, unless: Unless | None = None) -> Answer:
        """Start a deployment if the gate is open and nobody else's runs. What `unless` says is the answer, if anything:
        it is asked once nobody else decides about this service.

        Raises Unwell for input nobody can act on, and what `Checklists.load` raises.
        """
        if (before := await answered(self._store, key)) is not None:
            return before
        asked = await self._understood(request)
        if no := await self._unapprovable(asked, who):
            return no
        return await once(self._store, self._clock, key, self._work(asked, who, unless))

    async def _understood(self, request: Request) -> _Asked:
        if not VERSION.fullmatch(request.version):
            raise Unwell(replies.bad_version(request.version))
        loaded = await self._checklists.load(request.service)
        policy, known = loaded.policy, environments_of(loaded)
        if request.environment not in known:
            raise Unwell(replies.unknown_environment(request.environment, known))
        lane = _lane(request, loaded)
        way = policy.overrides.get(lane)
        if (way.reason if way is not None else bool(request.lane)) and not request.reason.strip():
            raise Unwell(said.reason_needed(request.lane))
        plan = make_plan(loaded.checklist, policy, environment=request.environment, lane=lane)
        if not plan.steps:
            raise Unwell(replies.nothing_to_tick(plan.name))
        now = self._clock.now()
        when_open = request.when.strip() == WHEN_OPEN
        planned = None if when_open else planned_time(request.when, now, policy.timezone)
        read = await self._gate.read_calendars(policy, request.environment, planned or now)
        if when_open:
            planned = await self._next_open(policy, plan, now, read)
        changes = await self._changelog.changes(policy.changelog, request.version)
        return _Asked(request, loaded, plan, lane, way, planned, read, changes)

    async def _next_open(self, policy: Policy, plan: Plan, now: datetime, read: Read) -> datetime | None:
        """When the window opens; None while it is open. Raises Unwell when nobody can tell."""
        async with self._store.read() as unit:
            opening = await self._gate.opening(
                unit, policy, service=plan.service, environment=plan.environment, at=now, read=read
            )
        if opening.open:
            return None
        if opening.next_open is None:
            raise Unwell(f"Nobody can tell when it opens. {say_opening(opening, now)}")
        return opening.next_open

    def _work(self, asked: _Asked, who: Who, unless: Unless | None) -> Callable[[Unit], Awaitable[Answer]]:
        plan, policy, request = asked.plan, asked.policy, asked.request

        async def work(unit: Unit) -> Answer:
            now = self._clock.now()
            await unit.alone(plan.service, plan.environment)
            if unless is not None and (known := await unless(unit)) is not None:
                return known
            at = asked.planned or now
            if not may(policy, "start", who):
                return replies.not_entitled(policy.may.get("start", ()))
            if asked.overrides and not may(policy, "override", who):
                return said.may_not_override(policy)
            opening = await self._gate.opening(
                unit, policy, service=plan.service, environment=plan.environment, at=at, read=asked.read
            )
            if asked.planned is None and (held := await self._held(unit, asked, who, opening, now)) is not None:
                return held
            passes = opening.open or asked.overrides or (asked.way is not None and asked.way.closed_windows)
            if not passes:
                may_override = may(policy, "override", who)
                answer = said.closed(plan, request.version, opening, at, now, may_override=may_override)
                await self._turned_away(unit, asked, who, answer, opening, now)
                return answer
            started = await self._started(unit, asked, who, now, opening)
            found = await self._concerns(unit, asked, opening, now)
            view = View(plan, replay([started]), now, opening)
            # Who starts in spite of everything is told about hours, but not asked.
            hurried = asked.overrides or (asked.way is not None and asked.way.closed_windows)
            if found and not request.confirmed and not hurried:
                names = await self._checklists.names()
                return said.confirm(
                    view, found, when=request.when, lane=request.lane, reason=request.reason, names=names
                )
            await unit.keep_checklist(freeze(asked.loaded))
            state = await self._records.begin(unit, plan, begin(plan, started), now)
            await self._leave_queue(unit, plan, who, now)
            told = tuple(said.say_concern(concern, view) for concern in found)
            return replies.started(View(plan, state, now, opening), told)

        return work

    async def _held(self, unit: Unit, asked: _Asked, who: Who, opening: Opening, now: datetime) -> Answer | None:
        """Who has the service just now, if that keeps this start away."""
        plan = asked.plan
        holder = await unit.lock_holder(plan.service, plan.environment)
        if holder is not None:
            try:
                answer = taken.locked(View(*await load(unit, holder.id), now))
            except UnknownRecord as unknown:  # whose it is, is known all the same
                log.warning("starting.unread", deployment=holder.id, problem=str(unknown))
                answer = taken.locked_elsewhere(holder, plan, now)
            name = f"{holder.service} {holder.version} → {holder.environment}"
            await self._turned_away(unit, asked, who, answer, opening, now, lock=name, tell=False)
            return answer
        lock = await self._gate.lock(unit, plan.service, plan.environment, now, who=who)
        if lock is None:
            return None
        answer = taken.held_by_lock(plan, asked.request.version, lock, now)
        await self._turned_away(unit, asked, who, answer, opening, now, lock=lock.reason)
        return answer

    async def _turned_away(
        self,
        unit: Unit,
        asked: _Asked,
        who: Who,
        answer: Answer,
        opening: Opening,
        now: datetime,
        *,
        lock: str = "",
        tell: bool = True,
    ) -> None:
        plan = asked.plan
        why = answer.card.text if answer.card is not None else ""
        fact = e.TurnedAway(
            at=now, by=who, id=self._new_id(), service=plan.service, environment=plan.environment,
            version=asked.request.version, why=why, gate=decision(opening, asked.planned or now, lock=lock),
        )  # fmt: skip
        await unit.append_calendar([fact])
        # Outside a window, or while another one runs, is daily life; a freeze or a lock is worth telling, once an hour
        # and person.
        causes = [reason for reason in opening.reasons if reason.code is not Code.WINDOW]
        if tell and (lock or causes):
            told = [f"locked: {lock}"] if lock else [reason.text for reason in causes]
            by = "lock" if lock else "-".join(sorted({reason.source for reason in causes}))
            key = f"turned:{plan.service}:{plan.environment}:{by}:{who.id}:{now:%Y%m%d%H}"[:200]
            await self._records.tell(unit, asked.policy, key, turned_away_notice(fact, told))

    async def _leave_queue(self, unit: Unit, plan: Plan, who: Who, now: datetime) -> None:
        """Who starts is waiting no longer."""
        waiting = queue_of(await unit.calendar(), plan.service, plan.environment)
        mine = [one for one in waiting if (one.by.chat, one.by.id) == (who.chat, who.id)]
        await unit.append_calendar([e.Unqueued(at=now, by=who, id=one.id) for one in mine])

    async def _concerns(self, unit: Unit, asked: _Asked, opening: Opening, now: datetime) -> list[Concern]:
        plan = asked.plan
        _, checks = moments(plan, now, asked.planned)
        openings = {
            when: await self._gate.opening(
                unit, asked.policy, service=plan.service, environment=plan.environment, at=when, read=asked.read
            )
            for _, when in checks
        }
        return concerns(plan, now, asked.planned, opening, openings.__getitem__)

    async def _unapprovable(self, asked: _Asked, who: Who) -> Answer | None:
        """A rule that nobody, or too few, could ever meet. Where a chat cannot tell who holds a role it is let
        pass."""
        for needed in _approvals(asked):
            holders = await self._roster.holders(needed.role, asked.policy.people)
            if holders is None:
                continue
            others = holders - {(who.chat, who.id)}
            if len(others) < needed.count:
                return said.nobody_can_approve(asked.policy, needed.role, needed.count, len(others))
        return None

    async def _started(self, unit: Unit, asked: _Asked, who: Who, now: datetime, opening: Opening) -> e.Started:
        request, plan, changes = asked.request, asked.plan, asked.changes
        approvals = _approvals(asked)
        return e.Started(
            at=now,
            by=who,
            id=self._new_id(),
            version=request.version,
            service=plan.service,
            environment=plan.environment,
            checklist=plan.name,
            digest=asked.loaded.source.digest,
            planned_t0=asked.planned,
            previous_version=await previous_version(unit, plan.service, plan.environment),
            changes=changes if isinstance(changes, tuple) else None,
            changes_unknown="" if isinstance(changes, tuple) else changes,
            note=request.note.strip(),
            defaults=asked.loaded.stated,
            lane=asked.lane,
            reason=request.reason.strip() if request.lane else "",
            overrode=tuple(dict.fromkeys(reason.text for reason in opening.reasons)),
            approvals=approvals,
            waits=asked.planned is not None or bool(approvals),
            gate=decision(opening, asked.planned or now),
        )


def _approvals(asked: _Asked) -> tuple[e.Approvals, ...]:
    """What has to be approved: as the lane asks, or else as the environment does."""
    if asked.way is not None:
        return (e.Approvals(role=asked.way.role),) if asked.way.role else ()
    rule = asked.policy.approvals.get(asked.plan.environment)
    if rule is None:
        return ()
    expires = int(rule.expires.total_seconds()) if rule.expires is not None else None
    return (e.Approvals(role=rule.role, count=rule.count, expires=expires),)


def _lane(request: Request, loaded: Loaded) -> str:
    """The lane of the policy somebody means; empty for none and for `--override`. Raises Unwell."""
    said_lane, policy = request.lane, loaded.policy
    if not said_lane or said_lane in policy.overrides:
        return said_lane
    if said_lane == said.OVERRIDE:
        return ""
    past = [name for name, way in policy.overrides.items() if way.closed_windows]
    if said_lane == _GENERAL and len(past) == 1:
        return past[0]
    raise Unwell(said.unknown_lane(said_lane, policy, service_of(loaded), request.environment))


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
