"""What the channel is told by the clock: freezes that begin and end, locks that end, and whose turn it is.

Nothing is remembered but what was said: every message has a key of its own, so it is said once, by whichever process
comes first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from bot.cards import locks as said
from bot.cards.card import Card
from bot.domain.calendar_facts import FreezeAdded, FreezeRemoved, Locked, Queued, Unlocked
from bot.domain.events import CalendarEvent
from bot.domain.locks import ended_locks, locked_by, queue_of
from bot.ports import Clock, Outgoing, Store, Unit
from bot.services.checklists import UNREADABLE, Checklists
from bot.services.lock_mirror import LockMirror
from bot.services.records import home_of
from checklists.policy import Policy

WARNING = timedelta(minutes=15)
"""So long before a lock ends its holder is told."""
RECENT = timedelta(days=1)
"""What should have been said longer ago than this is not said any more."""
LONG_AGO = timedelta(days=30)
"""That a lock is over is told outside so long: a flag that is never cleared would stand for ever."""


class Notices:
    """Says what is due. `changed` wakes the relay when there was something."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        checklists: Checklists,
        chats: tuple[str, ...],
        *,
        changed: Callable[[], None],
        mirror: LockMirror | None = None,
    ) -> None:
        self._store, self._clock, self._checklists, self._chats = store, clock, checklists, chats
        self._changed, self._mirror = changed, mirror
        self._told: set[str] = set()
        """Keys this process has put into the outbox already: they need no transaction again."""
        self._freed: set[str] = set()
        """Locks of which it has told outside that they are over."""

    async def settle(self) -> None:
        """Say everything that is due now."""
        now = self._clock.now()
        async with self._store.read() as unit:
            facts = await unit.calendar()
            due = [*_freezes(facts, now), *_locks(facts, now), *await _turns(unit, facts, now)]
        fresh = [one for one in due if one[0] not in self._told]
        policies = await self._policies([lock for lock in self._over(facts, now) if lock.id not in self._freed])
        if not fresh and not policies:
            return
        messages: list[Outgoing] = []
        for key, service, draw in fresh:
            policy = await policy_of(self._checklists, service)
            card = draw(policy.timezone, now)
            messages += [Outgoing(f"{key}:{chat}", chat, home_of(policy), card) for chat in self._chats]
        async with self._store.write() as unit:
            await unit.say(messages)
            for lock, policy in policies:
                assert self._mirror is not None
                await self._mirror.over(unit, policy, lock, now)
        self._told.update(key for key, _, _ in fresh)
        self._freed.update(lock.id for lock, _ in policies)
        self._changed()

    async def _policies(self, locks: list[Locked]) -> list[tuple[Locked, Policy]]:
        """Locks with what says whom to tell; a policy that cannot be read now may be read the next time."""
        found: list[tuple[Locked, Policy]] = []
        for lock in locks:
            with contextlib.suppress(*UNREADABLE):
                found.append((lock, (await self._checklists.load(lock.service)).policy))
        return found

    def _over(self, facts: list[CalendarEvent], now: datetime) -> list[Locked]:
        """The locks that have ended by themselves and that somebody outside may still believe in."""
        return ended_locks(facts, now, LONG_AGO) if self._mirror is not None else []


async def policy_of(checklists: Checklists, service: str | None) -> Policy:
    """The policy of a service as it is now, or of the default one; an empty one where it cannot be read."""
    name = service or await checklists.default()
    if name is not None:
        with contextlib.suppress(*UNREADABLE):
            return (await checklists.load(name)).policy
    return Policy()


_Due = tuple[str, str | None, Callable[[str, datetime], Card]]
"""Its key, the service whose channel it is said in, and how it is drawn, given the zone and now."""


def _freezes(facts: list[CalendarEvent], now: datetime) -> Iterator[_Due]:
    removed = {fact.id: fact.at for fact in facts if isinstance(fact, FreezeRemoved)}
    for freeze in (fact for fact in facts if isinstance(fact, FreezeAdded)):
        lifted = removed.get(freeze.id)
        if freeze.at < freeze.start <= now < freeze.start + RECENT and (lifted is None or lifted > freeze.start):
            yield f"freeze:{freeze.id}:begins", freeze.service, partial(said.freeze_begins, freeze)
        if freeze.end <= now < freeze.end + RECENT and lifted is None:
            yield f"freeze:{freeze.id}:ends", freeze.service, partial(said.freeze_ends, freeze)


def _locks(facts: list[CalendarEvent], now: datetime) -> Iterator[_Due]:
    lifted = {fact.id for fact in facts if isinstance(fact, Unlocked)}
    for lock in (fact for fact in facts if isinstance(fact, Locked)):
        if lock.until is None or lock.id in lifted:
            continue
        if max(lock.until - WARNING, lock.at + timedelta(minutes=1)) <= now < lock.until:
            yield f"lock:{lock.id}:ends", lock.service, partial(said.ending_notice, lock)
        if lock.until <= now < lock.until + RECENT:
            yield f"lock:{lock.id}:over", lock.service, partial(said.ended_notice, lock)


async def _turns(unit: Unit, facts: list[CalendarEvent], now: datetime) -> list[_Due]:
    """Who is first in the queue of a service that is free."""
    found: list[_Due] = []
    for service, environment in dict.fromkeys(
        (fact.service, fact.environment) for fact in facts if isinstance(fact, Queued)
    ):
        waiting = queue_of(facts, service, environment)
        if not waiting or locked_by(facts, service, environment, now) is not None:
            continue
        if await unit.lock_holder(service, environment) is None:
            first = waiting[0]
            found.append((f"queue:{first.id}:next", service, partial(said.next_notice, first)))
    return found
