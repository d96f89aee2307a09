"""The locks that people set, and who waits for a service to be free. Pure: facts in, what stands out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.domain.calendar_facts import Locked, Queued, Unlocked, Unqueued
from bot.domain.deployment import Deployment
from bot.domain.events import CalendarEvent
from bot.domain.people import GONOGO


def standing_locks(events: Iterable[CalendarEvent], now: datetime) -> list[Locked]:
    """Locks set, not lifted and not over, in the order in which they were set."""
    standing: dict[str, Locked] = {}
    for event in events:
        if isinstance(event, Locked):
            standing[event.id] = event
        elif isinstance(event, Unlocked):
            standing.pop(event.id, None)
    return [lock for lock in standing.values() if lock.until is None or now < lock.until]


def ended_locks(events: Iterable[CalendarEvent], now: datetime, within: timedelta) -> list[Locked]:
    """Locks that nobody has lifted and that were over by themselves at most so long ago, in the order they were set."""
    known = list(events)
    lifted = {event.id for event in known if isinstance(event, Unlocked)}
    locks = (event for event in known if isinstance(event, Locked) and event.id not in lifted)
    return [lock for lock in locks if lock.until is not None and lock.until <= now <= lock.until + within]


def locked_by(events: Iterable[CalendarEvent], service: str, environment: str, now: datetime) -> Locked | None:
    """The lock of a service in an environment, if there is one."""
    here = (lock for lock in standing_locks(events, now) if (lock.service, lock.environment) == (service, environment))
    return next(here, None)


def queue_of(events: Iterable[CalendarEvent], service: str, environment: str) -> list[Queued]:
    """Who wants to be told when a service is free, first come first."""
    waiting: dict[str, Queued] = {}
    for event in events:
        if isinstance(event, Queued) and (event.service, event.environment) == (service, environment):
            waiting[event.id] = event
        elif isinstance(event, Unqueued):
            waiting.pop(event.id, None)
    return list(waiting.values())


def after_rollback(state: Deployment, now: datetime) -> Locked:
    """The lock a rollback leaves behind, until somebody lifts it: what was bad is not deployed again by accident."""
    reason = state.rollback.reason if state.rollback is not None else ""
    return Locked(
        at=now,
        by=GONOGO,
        id=f"back-{state.id}",
        service=state.started.service,
        environment=state.started.environment,
        reason=f"{state.started.version} was rolled back: {reason}",
        deployment=state.id,
    )
