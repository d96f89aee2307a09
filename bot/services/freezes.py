"""Freezes and incidents said in the channel."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

from bot.cards import replies
from bot.cards.card import Answer, Card, escape
from bot.domain import events as e
from bot.domain.errors import Unwell
from bot.domain.people import Who, may
from bot.ports import Clock, Outgoing, Store, Unit
from bot.services.checklists import UNREADABLE, Checklists
from bot.services.delivery import once
from bot.services.gate import standing_freezes, standing_incidents
from bot.services.records import MAIN_CHANNEL, home_of
from checklists.policy import Policy
from checklists.windows import parse_freeze
from checklists.zones import find_zone


class Freezes:
    """Adds, removes and lists; every one is a fact, and the channel is told."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        checklists: Checklists,
        chats: tuple[str, ...],
        *,
        new_id: Callable[[], str],
        changed: Callable[[], None],
    ) -> None:
        self._store, self._clock, self._checklists, self._chats = store, clock, checklists, chats
        self._new_id, self._changed = new_id, changed

    async def add(self, when: str, reason: str, service: str, *, who: Who, key: str) -> Answer:
        """Add a freeze in the words of `parse_freeze`, in the zone of the checklist meant. Raises Unwell."""
        policy, now = await self._policy(service), self._clock.now()
        if not may(policy, "freeze", who):
            return replies.not_entitled(policy.may.get("freeze", ()))
        if not reason.strip():
            raise Unwell("Please write why; it is what people read when the freeze turns them away.")
        try:
            start, end = parse_freeze(when, now, find_zone(policy.timezone))
        except ValueError as error:
            raise Unwell(escape(str(error))) from error
        freeze = e.FreezeAdded(
            at=now, by=who, id=self._new_id(), words=when, start=start, end=end, reason=reason.strip(),
            service=await self._checklists.service(service) if service else None,
        )  # fmt: skip

        async def work(unit: Unit) -> Answer:
            await unit.append_calendar([freeze])
            notice = replies.freeze_notice(freeze, policy.timezone, now)
            await self._tell(unit, f"{freeze.id}:added", notice, home_of(policy))
            return replies.freeze_added(freeze, policy.timezone, now)

        return await self._once(key, work)

    async def remove(self, freeze_id: str, *, who: Who, key: str) -> Answer:
        """Lift a freeze added here; one of a policy is changed in its file."""
        policy = await self._policy("")
        if not may(policy, "freeze", who):
            return replies.not_entitled(policy.may.get("freeze", ()))

        async def work(unit: Unit) -> Answer:
            standing = {freeze.id: freeze for freeze in standing_freezes(await unit.calendar())}
            freeze = standing.get(freeze_id.strip("`"))
            if freeze is None:
                return replies.no_such_freeze(freeze_id)
            await unit.append_calendar([e.FreezeRemoved(at=self._clock.now(), by=who, id=freeze.id)])
            notice = replies.freeze_removed_notice(freeze, who.name)
            await self._tell(unit, f"{freeze.id}:removed", notice, home_of(policy))
            return replies.ok("Freeze removed")

        return await self._once(key, work)

    async def list(self) -> Answer:
        """Freezes that stand."""
        policy, now = await self._policy(""), self._clock.now()
        async with self._store.read() as unit:
            return replies.freezes(standing_freezes(await unit.calendar()), policy.timezone, now)

    async def open_incident(self, reason: str, service: str, *, who: Who, key: str) -> Answer:
        """Say that something is wrong; checklists whose policy freezes on incidents hold their starts."""
        now, home = self._clock.now(), await self._home(service)
        incident = e.IncidentOpened(
            at=now, by=who, id=self._new_id(), reason=reason,
            service=await self._checklists.service(service) if service else None,
        )  # fmt: skip

        async def work(unit: Unit) -> Answer:
            await unit.append_calendar([incident])
            line = replies.incident_line(incident, now)
            await self._tell(unit, f"{incident.id}:opened", replies.notice(line), home)
            return replies.ok("Incident opened", line, f"Close it with `/deploy incident close {incident.id}`.")

        return await self._once(key, work)

    async def close_incident(self, incident_id: str, *, who: Who, key: str) -> Answer:
        """It is over."""
        home = await self._home("")

        async def work(unit: Unit) -> Answer:
            standing = {incident.id: incident for incident in standing_incidents(await unit.calendar())}
            incident = standing.get(incident_id.strip("`"))
            if incident is None:
                return replies.no_such_incident(incident_id)
            await unit.append_calendar([e.IncidentClosed(at=self._clock.now(), by=who, id=incident.id)])
            notice = replies.incident_closed_notice(incident, who.name)
            await self._tell(unit, f"{incident.id}:closed", notice, home)
            return replies.ok("Incident closed")

        return await self._once(key, work)

    async def incidents(self) -> Answer:
        """Incidents that are open."""
        async with self._store.read() as unit:
            return replies.incidents(standing_incidents(await unit.calendar()), self._clock.now())

    async def _policy(self, service: str) -> Policy:
        name = service or await self._checklists.default()
        if name is None:
            return Policy()
        return (await self._checklists.load(name)).policy

    async def _once(self, key: str, work: Callable[[Unit], Awaitable[Answer]]) -> Answer:
        answer = await once(self._store, self._clock, key, work)
        self._changed()
        return answer

    async def _home(self, service: str) -> str:
        """Where people are told; a checklist with errors must not keep an incident from being said."""
        with contextlib.suppress(*UNREADABLE):
            return home_of(await self._policy(service))
        return MAIN_CHANNEL

    async def _tell(self, unit: Unit, key: str, card: Card, channel: str) -> None:
        await unit.say([Outgoing(f"{key}:{chat}", chat, channel, card) for chat in self._chats])
