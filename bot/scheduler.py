"""Rings when something is due; decides nothing. The database remembers what is due (rule 5), APScheduler only rings."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.ports import Claimed, Clock, Store
from bot.services.checks import Checks

LEASE = timedelta(seconds=120)
"""Longer than the slowest probe with its retries; a process that dies gives its work back after this."""
EVERY = timedelta(seconds=5)
"""How often the database is asked: a check is at most this much after its time."""
_ROUNDS = 1_000

log = structlog.get_logger(__name__)


class Scheduler:
    """Runs due work, in order of its time. Any number of processes may: a due row is claimed with a lease."""

    def __init__(self, store: Store, clock: Clock, checks: Checks, *, owner: str) -> None:
        self._store, self._clock, self._checks, self._owner = store, clock, checks, owner
        self._ringer = AsyncIOScheduler(timezone="UTC")
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to ring. Must be called inside the running loop."""
        trigger = IntervalTrigger(seconds=int(EVERY.total_seconds()))
        self._ringer.add_job(
            self._ring,
            trigger,
            id="due",
            replace_existing=True,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )
        self._ringer.start()

    async def stop(self) -> None:
        """Stop ringing, and let work that has begun come to its end (APScheduler would cancel it)."""
        self._ringer.shutdown(wait=False)
        if self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    def wake(self) -> None:
        """Something new may be due."""
        self._spawn()

    async def settle(self) -> None:
        """Do all that is due now, and what became due by it."""
        async with self._turn:
            for _ in range(_ROUNDS):
                claimed = await self._store.claim_due(self._clock.now(), self._owner, LEASE, limit=1)
                if not claimed:
                    return
                for one in claimed:
                    await self._run(one)

    async def _ring(self) -> None:
        self._spawn()

    def _spawn(self) -> None:
        task = asyncio.get_running_loop().create_task(self._settle_logged())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _settle_logged(self) -> None:
        try:
            await self.settle()
        except Exception:
            log.exception("scheduler.failed")

    async def _run(self, claimed: Claimed) -> None:
        try:
            await self._checks.run_due(claimed)
        except Exception:
            log.exception("scheduler.work_failed", deployment=claimed.deadline.deployment, key=claimed.deadline.key)
            raise
