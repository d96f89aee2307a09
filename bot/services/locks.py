"""Locks that people set, and the queue of who wants to be told."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.cards import locks as said
from bot.cards import replies
from bot.cards.card import Answer, Card, escape
from bot.cards.words import code
from bot.domain.calendar_facts import Locked, Queued, Unlocked, Unqueued
from bot.domain.errors import Unwell
from bot.domain.locks import locked_by, queue_of
from bot.domain.people import Who, may
from bot.ports import Clock, Outgoing, Store, Unit
from bot.services.checklists import Checklists, service_of
from bot.services.delivery import once
from bot.services.lock_mirror import LockMirror
from bot.services.records import home_of
from checklists.policy import Policy
from checklists.quantities import parse_duration
from checklists.windows import parse_when
from checklists.zones import find_zone

LONGEST = timedelta(days=366)
"""A lock that ends by itself ends within a year; more than that is a slip of the keys."""


class Locks:
    """One lock for each service and environment; every change is a fact, and the channel is told."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        checklists: Checklists,
        chats: tuple[str, ...],
        *,
        new_id: Callable[[], str],
        changed: Callable[[], None],
        mirror: LockMirror | None = None,
    ) -> None:
        self._store, self._clock, self._checklists, self._chats = store, clock, checklists, chats
        self._new_id, self._changed, self._mirror = new_id, changed, mirror

    async def set(
        self, name: str, environment: str, reason: str, until: str, *, take: bool, who: Who, key: str
    ) -> Answer:
        """Lock a service. Its own holder renews it; anybody else's is taken over only with `take`, by who may unlock.

        `until` is a duration ("2h") or a time ("fri 18:00"). Raises Unwell.
        """
        service, policy = await self._meant(name)
        if not may(policy, "start", who):
            return replies.not_entitled(policy.may.get("start", ()))
        if not reason.strip():
            raise Unwell("Please write why; it is what people read when the lock turns them away.")
        zone, end = policy.timezone, _end(until, self._clock.now(), policy.timezone)

        async def work(unit: Unit) -> Answer:
            await unit.alone(service, environment)
            now = self._clock.now()
            standing = locked_by(await unit.calendar(), service, environment, now)
            mine = standing is not None and (standing.by.chat, standing.by.id) == (who.chat, who.id)
            if standing is not None and not mine:
                if not take:
                    return said.locked_already(standing, zone, now)
                if not may(policy, "unlock", who):
                    return replies.not_entitled(policy.may.get("unlock", ()))
            lock = Locked(
                at=now, by=who, id=self._new_id(), service=service, environment=environment, reason=reason.strip(),
                until=end,
            )  # fmt: skip
            lifted = [Unlocked(at=now, by=who, id=standing.id, reason="replaced")] if standing is not None else []
            await unit.append_calendar([*lifted, lock])
            taken_from = standing.by.name if standing is not None and not mine else ""
            card = said.locked_notice(lock, zone, now, taken_from=taken_from)
            await self._tell(unit, f"lock:{lock.id}:set", card, policy)
            if self._mirror is not None:
                await self._mirror.set(unit, policy, lock)
            holder = await unit.lock_holder(service, environment)
            return said.locked(lock, zone, now, running=f"{holder.service} {holder.version}" if holder else "")

        return await self._once(key, work)

    async def lift(self, name: str, environment: str, reason: str, *, who: Who, key: str) -> Answer:
        """Unlock a service: by who set the lock, or by who may."""
        service, policy = await self._meant(name)

        async def work(unit: Unit) -> Answer:
            await unit.alone(service, environment)
            now = self._clock.now()
            standing = locked_by(await unit.calendar(), service, environment, now)
            if standing is None:
                return said.not_locked(service, environment)
            mine = (standing.by.chat, standing.by.id) == (who.chat, who.id)
            if not mine and not may(policy, "unlock", who):
                return replies.not_entitled(policy.may.get("unlock", ()))
            await unit.append_calendar([Unlocked(at=now, by=who, id=standing.id, reason=reason.strip())])
            card = said.unlocked_notice(standing, who, reason.strip())
            await self._tell(unit, f"lock:{standing.id}:lifted", card, policy)
            if self._mirror is not None:
                await self._mirror.lifted(unit, policy, standing, who, reason.strip(), now)
            return said.unlocked(standing)

        return await self._once(key, work)

    async def queue(self, name: str, environment: str, *, who: Who, key: str) -> Answer:
        """Be told when a service is free; asked for again, no longer."""
        service, _ = await self._meant(name)

        async def work(unit: Unit) -> Answer:
            await unit.alone(service, environment)
            now, facts = self._clock.now(), await unit.calendar()
            waiting = queue_of(facts, service, environment)
            mine = [one for one in waiting if (one.by.chat, one.by.id) == (who.chat, who.id)]
            if mine:
                await unit.append_calendar([Unqueued(at=now, by=who, id=one.id) for one in mine])
                return said.unqueued(service, environment)
            lock = locked_by(facts, service, environment, now)
            if lock is None and await unit.lock_holder(service, environment) is None:
                return said.free_already(service, environment)
            fact = Queued(at=now, by=who, id=self._new_id(), service=service, environment=environment)
            await unit.append_calendar([fact])
            return said.queued(len(waiting) + 1, service, environment)

        return await self._once(key, work)

    async def _meant(self, name: str) -> tuple[str, Policy]:
        chosen = name or await self._checklists.default()
        if chosen is None:
            raise Unwell("Which service? `/deploy lock azora production` and why.")
        loaded = await self._checklists.load(chosen)
        return service_of(loaded), loaded.policy

    async def _tell(self, unit: Unit, key: str, card: Card, policy: Policy) -> None:
        channel = home_of(policy)
        await unit.say([Outgoing(f"{key}:{chat}", chat, channel, card) for chat in self._chats])

    async def _once(self, key: str, work: Callable[[Unit], Awaitable[Answer]]) -> Answer:
        answer = await once(self._store, self._clock, key, work)
        self._changed()
        return answer


def _end(words: str, now: datetime, zone: str) -> datetime | None:
    """When a lock ends; None for no words. Raises Unwell, also for what would be over at once."""
    if not words.strip():
        return None
    span: timedelta | None = None
    with contextlib.suppress(ValueError):
        span = parse_duration(words.strip())
    if span is not None and not timedelta(0) < span <= LONGEST:
        raise Unwell(
            f"{code(words.strip(), limit=40)} is no time to lock for: write how long, at most a year (`for 2h`), or "
            'until when (`until "fri 18:00"`). Without an end it stands until it is unlocked.'
        )
    if span is not None:
        return now + span
    try:
        return parse_when(words, now, find_zone(zone))
    except ValueError as error:
        raise Unwell(escape(str(error))) from error
