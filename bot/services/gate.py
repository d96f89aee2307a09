"""May it start? One answer for a start, `/deploy window` and the command line, with reasons as data."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.cards.card import escape
from bot.domain.calendar import Busy, Code, Opening, Reason, Rules, Unreadable, opening, rules_for, to_be_read
from bot.domain.errors import Unwell
from bot.domain.events import (
    CalendarEvent,
    FreezeAdded,
    FreezeRemoved,
    IncidentClosed,
    IncidentOpened,
    Locked,
    Unread,
)
from bot.domain.locks import locked_by
from bot.domain.people import Who
from bot.ports import Calendars, Unit
from checklists.policy import FreezePolicy, Policy

Read = tuple[list[Busy], list[tuple[str, bool]]]
"""What was read before a transaction: what closes, and the sources that could not be read, each with whether that
blocks."""
_LOOK_BACK, _LOOK_AHEAD = timedelta(days=2), timedelta(days=400)


class Gate:
    """Puts together what the policy, its calendars and the channel say about one instant."""

    def __init__(self, calendars: Calendars) -> None:
        self._calendars = calendars

    async def read_calendars(
        self, policy: Policy, environment: str, at: datetime
    ) -> tuple[list[Busy], list[tuple[str, bool]]]:
        """What the policy's calendars and status pages say around an instant, and the sources that could not be read.

        Asks the file system or the network: not to be called inside a transaction. Raises Unwell for a policy whose
        zone or windows cannot be read.
        """
        _rules(policy, environment)

        async def read(freeze: FreezePolicy) -> tuple[list[Busy], list[tuple[str, bool]]]:
            try:
                busy = await self._calendars.busy(
                    freeze, start=at - _LOOK_BACK, end=at + _LOOK_AHEAD, zone=policy.timezone
                )
            except Unreadable as problem:
                return [], [(problem.source, freeze.unknown == "block")]
            return busy, []

        # Side by side: two that hang must not take the time of both.
        asked = [read(freeze) for freeze in to_be_read(policy, environment) if not freeze.incidents]
        found = await asyncio.gather(*asked)
        return [one for busy, _ in found for one in busy], [one for _, unreadable in found for one in unreadable]

    async def opening(
        self,
        unit: Unit,
        policy: Policy,
        *,
        service: str,
        environment: str,
        at: datetime,
        read: tuple[list[Busy], list[tuple[str, bool]]],
    ) -> Opening:
        """Whether a deployment of this service may start at `at`; `read` comes from `read_calendars`.

        Raises Unwell for a policy whose zone or windows cannot be read.
        """
        busy, unreadable = read
        said = await unit.calendar()
        by_incidents = any(freeze.incidents for freeze in to_be_read(policy, environment))
        held = [*busy, *chat_freezes(said, service=service, environment=environment)]
        if by_incidents:
            held += open_incidents(said, service=service)
        unread = [(source, True) for source in written_elsewhere(said, service=service)]
        return opening(_rules(policy, environment), at, busy=held, unreadable=[*unreadable, *unread])

    async def answer(
        self, unit: Unit, policy: Policy, *, service: str, environment: str, at: datetime, now: datetime, read: Read
    ) -> Opening:
        """What a start would be told at `at`: like `opening`, and for now also whether somebody has the service."""
        found = await self.opening(unit, policy, service=service, environment=environment, at=at, read=read)
        if at > now:
            return found
        holder = await unit.lock_holder(service, environment)
        lock = locked_by(await unit.calendar(), service, environment, now)
        if holder is not None:
            text = f"{holder.service} {holder.version} is being deployed, started by {holder.started_by}"
            held = Reason(Code.LOCK, text, "a deployment that runs", None)
        elif lock is not None:
            held = Reason(Code.LOCK, f"locked by {lock.by.name}: {lock.reason}", "/deploy lock", lock.until)
        else:
            return found
        return replace(found, open=False, reasons=(*found.reasons, held), next_open=None, next_close=None)

    async def lock(self, unit: Unit, service: str, environment: str, now: datetime, *, who: Who) -> Locked | None:
        """The lock that people have set and that keeps this person from starting; its own holder may."""
        lock = locked_by(await unit.calendar(), service, environment, now)
        return None if lock is None or (lock.by.chat, lock.by.id) == (who.chat, who.id) else lock


def _rules(policy: Policy, environment: str) -> Rules:
    try:
        return rules_for(policy, environment)
    except ValueError as error:
        raise Unwell(f"The windows of this checklist cannot be used: {escape(str(error), limit=300)}") from error


def standing_freezes(events: Iterable[CalendarEvent]) -> list[FreezeAdded]:
    """Freezes added in chat and not removed, in order of their beginning."""
    standing: dict[str, FreezeAdded] = {}
    for event in events:
        if isinstance(event, FreezeAdded):
            standing[event.id] = event
        elif isinstance(event, FreezeRemoved):
            standing.pop(event.id, None)
    return sorted(standing.values(), key=lambda freeze: freeze.start)


def standing_incidents(events: Iterable[CalendarEvent]) -> list[IncidentOpened]:
    """Incidents opened and not closed."""
    standing: dict[str, IncidentOpened] = {}
    for event in events:
        if isinstance(event, IncidentOpened):
            standing[event.id] = event
        elif isinstance(event, IncidentClosed):
            standing.pop(event.id, None)
    return list(standing.values())


def written_elsewhere(events: Iterable[CalendarEvent], *, service: str) -> list[str]:
    """What a newer release has kept about a service and this one cannot read, as sources: unknown is not open."""
    kinds = [event.what for event in events if isinstance(event, Unread) and event.service in (None, service)]
    return [f"“{kind}”, written by a newer gonogo (install it here too)," for kind in dict.fromkeys(kinds)]


def chat_freezes(events: Iterable[CalendarEvent], *, service: str, environment: str) -> list[Busy]:
    """The standing freezes that concern a service; like a policy's freeze they hold production and leave staging
    alone."""
    if environment.casefold() == "staging":
        return []
    return [
        Busy(freeze.start, freeze.end, freeze.reason, f"/deploy freeze by {freeze.by.name}", Code.FREEZE)
        for freeze in standing_freezes(events)
        if freeze.service in (None, service)
    ]


def open_incidents(events: Iterable[CalendarEvent], *, service: str) -> list[Busy]:
    """The open incidents that concern a service, until further notice."""
    return [
        Busy(incident.at, None, f"active incident: {incident.reason}", "/deploy incident", Code.INCIDENT)
        for incident in standing_incidents(events)
        if incident.service in (None, service)
    ]
