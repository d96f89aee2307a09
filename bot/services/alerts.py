"""Alerts that come in are attached to the deployments they are about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from bot.domain import alerts
from bot.domain.alerts import Signal
from bot.domain.deployment import Status
from bot.ports import Clock, Conflict, DeploymentRow, Store, UnknownRecord
from bot.services.checklists import frozen_plan
from bot.services.records import Records, load

AFTERWARDS = timedelta(days=1)
"""So long after a deployment has ended the alerts it has still clear: after a rollback they do."""
_ATTACHED = frozenset({Status.RUNNING, Status.DEPLOYED, Status.SUCCEEDED, Status.ROLLING_BACK})
_ROWS = 1_000
_TRIES = 8

log = structlog.get_logger(__name__)


class Alerts:
    """Takes alerts for every deployment that is under way: from its start, by the policy it was started with."""

    def __init__(self, store: Store, clock: Clock, records: Records, *, changed: Callable[[], None]) -> None:
        self._store, self._clock, self._records, self._changed = store, clock, records, changed

    async def take(self, signals: Sequence[Signal]) -> int:
        """Attach alerts; how many of them are of a deployment that is under way, known ones included.

        When it returns, they are durable. A repeat changes nothing. Raises StoreError when the database cannot do it:
        then some may be attached, and the same call again completes it. Where a newer release has written a deployment
        they are about, the others get theirs first.
        """
        attached: set[tuple[str, str]] = set()
        written = False
        unread: UnknownRecord | None = None
        for row, meant in await self._meant(signals):
            try:
                written |= await self._attach(row.id, meant)
            except UnknownRecord as problem:
                unread = problem
                continue
            if row.live:
                attached |= {(signal.source, signal.fingerprint) for signal in meant}
        if written:
            self._changed()
        if unread is not None:
            raise unread  # its sender repeats it, and it comes to who can read
        return len(attached)

    async def _meant(self, signals: Sequence[Signal]) -> list[tuple[DeploymentRow, list[Signal]]]:
        """The deployments, each with the signals that are its own by the policy it runs on."""
        now = self._clock.now()
        found = []
        async with self._store.read() as unit:
            rows = [*await unit.rows(live=True, limit=_ROWS), *await unit.rows(live=False, limit=_ROWS)]
            for row in rows:
                if row.status == Status.WAITING or _long_over(row, now):
                    continue
                try:
                    policy = (await frozen_plan(unit, row.digest, row.environment)).policy
                except UnknownRecord as unknown:
                    log.warning("alerts.skipped", deployment=row.id, problem=str(unknown))
                    continue
                if meant := [signal for signal in signals if alerts.belongs(policy, row.environment, signal)]:
                    found.append((row, meant))
        return found

    async def _attach(self, deployment: str, signals: Sequence[Signal]) -> bool:
        """Save what is new of these; whether anything was."""
        for left in reversed(range(_TRIES)):
            try:
                async with self._store.write() as unit:
                    plan, state = await load(unit, deployment)
                    now = self._clock.now()
                    facts = alerts.news(state.alerts, signals, now, takes=state.status in _ATTACHED)
                    if facts:
                        await self._records.add(unit, plan, state, facts, now)
                return bool(facts)
            except Conflict:
                if not left:
                    raise
        raise AssertionError("unreachable: the last try raises")


def _long_over(row: DeploymentRow, now: datetime) -> bool:
    return not row.live and (row.ended_at is None or now - row.ended_at > AFTERWARDS)
