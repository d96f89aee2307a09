"""Freezes and incidents said in the channel."""

from __future__ import annotations

from collections.abc import Callable

from bot.cards import replies
from bot.cards.card import Answer, Card, escape
from bot.cards.codec import answer_from_text, answer_to_text
from bot.domain import events as e
from bot.domain.errors import Unwell
from bot.domain.people import Who, may
from bot.ports import Clock, Outgoing, Store, Unit
from bot.services.checklists import Checklists
from bot.services.gate import standing_freezes, standing_incidents
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
        async with self._store.write() as unit:
            if (before := await unit.delivered(key)) is not None:
                return answer_from_text(before)
            freeze = e.FreezeAdded(
                at=now, by=who, id=self._new_id(), words=when, start=start, end=end, reason=reason.strip(),
                service=service or None,
            )  # fmt: skip
            await unit.append_calendar([freeze])
            await self._tell(unit, freeze.id, "added", replies.freeze_notice(freeze, policy.timezone, now))
            answer = replies.freeze_added(freeze, policy.timezone, now)
            await unit.remember_delivery(key, answer_to_text(answer), now)
        self._changed()
        return answer

    async def remove(self, freeze_id: str, *, who: Who, key: str) -> Answer:
        """Lift a freeze added here; one of a policy is changed in its file."""
        policy, now = await self._policy(""), self._clock.now()
        if not may(policy, "freeze", who):
            return replies.not_entitled(policy.may.get("freeze", ()))
        async with self._store.write() as unit:
            if (before := await unit.delivered(key)) is not None:
                return answer_from_text(before)
            standing = {freeze.id: freeze for freeze in standing_freezes(await unit.calendar())}
            freeze = standing.get(freeze_id.strip("`"))
            if freeze is None:
                return replies.no_such_freeze(freeze_id)
            await unit.append_calendar([e.FreezeRemoved(at=now, by=who, id=freeze.id)])
            await self._tell(unit, freeze.id, "removed", replies.freeze_removed_notice(freeze, who.name))
            answer = replies.ok("Freeze removed")
            await unit.remember_delivery(key, answer_to_text(answer), now)
        self._changed()
        return answer

    async def list(self) -> Answer:
        """Freezes that stand."""
        policy, now = await self._policy(""), self._clock.now()
        async with self._store.read() as unit:
            return replies.freezes(standing_freezes(await unit.calendar()), policy.timezone, now)

    async def open_incident(self, reason: str, service: str, *, who: Who, key: str) -> Answer:
        """Say that something is wrong; checklists whose policy freezes on incidents hold their starts."""
        now = self._clock.now()
        async with self._store.write() as unit:
            if (before := await unit.delivered(key)) is not None:
                return answer_from_text(before)
            incident = e.IncidentOpened(at=now, by=who, id=self._new_id(), reason=reason, service=service or None)
            await unit.append_calendar([incident])
            line = replies.incident_line(incident, now)
            await self._tell(unit, incident.id, "opened", replies.notice(line))
            answer = replies.ok("Incident opened", line, f"Close it with `/deploy incident close {incident.id}`.")
            await unit.remember_delivery(key, answer_to_text(answer), now)
        self._changed()
        return answer

    async def close_incident(self, incident_id: str, *, who: Who, key: str) -> Answer:
        """It is over."""
        now = self._clock.now()
        async with self._store.write() as unit:
            if (before := await unit.delivered(key)) is not None:
                return answer_from_text(before)
            standing = {incident.id: incident for incident in standing_incidents(await unit.calendar())}
            incident = standing.get(incident_id.strip("`"))
            if incident is None:
                return replies.no_such_incident(incident_id)
            await unit.append_calendar([e.IncidentClosed(at=now, by=who, id=incident.id)])
            await self._tell(unit, incident.id, "closed", replies.incident_closed_notice(incident, who.name))
            answer = replies.ok("Incident closed")
            await unit.remember_delivery(key, answer_to_text(answer), now)
        self._changed()
        return answer

    async def incidents(self) -> Answer:
        """Incidents that are open."""
        async with self._store.read() as unit:
            return replies.incidents(standing_incidents(await unit.calendar()), self._clock.now())

    async def _policy(self, service: str) -> Policy:
        name = service or await self._checklists.default()
        if name is None:
            return Policy()
        return (await self._checklists.load(name)).policy

    async def _tell(self, unit: Unit, subject: str, what: str, card: Card) -> None:
        await unit.say(
            [
                Outgoing(key=f"{subject}:{what}:{chat}", chat=chat, channel="#deployments", card=card)
                for chat in self._chats
            ]
        )
