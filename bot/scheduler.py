"""Rings when something is due; decides nothing. The database remembers what is due (rule 5), APScheduler only rings."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.ports import Claimed, Clock, Store
from bot.services.checks import Checks
from bot.services.notices import Notices

LEASE = timedelta(seconds=120)
"""Longer than the slowest probe with its retries; a process that dies gives its work back after this."""
EVERY = timedelta(seconds=5)
"""How often the database is asked: a check is at most this much after its time."""
_ROUNDS = 1_000

log = structlog.get_logger(__name__)


class Scheduler:
    """Runs due work, in order of its time. Any number of processes may: a due row is claimed with a lease."""

    def __init__(self, store: Store, clock: Clock, checks: Checks, notices: Notices, *, owner: str) -> None:
        self._store, self._clock, self._checks, self._owner = store, clock, checks, owner
        self._notices = notices
        self._ringer = AsyncIOScheduler(timezone="UTC")
        self._turn = asyncio.Lock()
        self._worker: asyncio.Task[None] | None = None
        self._rung = False
        self._ringing = self._stopped = False

    def start(self) -> None:
        """Begin to ring, at once for what became due while nobody looked. Must be called inside the running loop."""
        self._ringer.add_job(
            self._ring,
            IntervalTrigger(seconds=int(EVERY.total_seconds())),
            id="due",
            replace_existing=True,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )
        self._ringer.start()
        self._ringing = True
        self.wake()

    async def stop(self) -> None:
        """Stop ringing, and let the work that has begun come to its end (APScheduler would cancel it)."""
        self._stopped = True
        if self._ringing:
            self._ringing = False
            self._ringer.shutdown(wait=False)
        if self._worker is not None:
            await asyncio.gather(self._worker, return_exceptions=True)

    def wake(self) -> None:
        """Something new may be due. However often it is said, one worker looks; a process that does not ring does no
        due work."""
        self._rung = True
        if self._ringing and (self._worker is None or self._worker.done()):
            self._worker = asyncio.get_running_loop().create_task(self._work())

    async def settle(self) -> None:
        """Do all that is due now, and what became due by it."""
        async with self._turn:
            await self._notices.settle()
            for _ in range(_ROUNDS):
                # One at a time is claimed, so that each has its whole lease.
                claimed = await self._store.claim_due(self._clock.now(), self._owner, LEASE, limit=1)
                for one in claimed:
                    await self._run(one)
                if not claimed or self._stopped:
                    return

    async def _ring(self) -> None:
        self.wake()

    async def _work(self) -> None:
        while self._rung and self._ringing:
            self._rung = False
            try:
                await self.settle()
            except Exception:
                log.exception("scheduler.failed")

    async def _run(self, claimed: Claimed) -> None:
        """Work that fails keeps its lease: it is tried again when that is over, and holds nobody up until then."""
        try:
            await self._checks.run_due(claimed)
        except Exception:
            log.exception("scheduler.work_failed", deployment=claimed.deadline.deployment, key=claimed.deadline.key)
