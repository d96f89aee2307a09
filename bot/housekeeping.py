"""Once a day what nobody needs any more is forgotten."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.ports import Clock, Store, StoreError

REPEATS = timedelta(days=30)
"""A click or webhook that comes again is known as long as this."""
DENIALS = timedelta(days=366)
"""A start that was turned away is told by `/deploy why` as long as this, and counted in a year's report."""
EVERY = timedelta(days=1)
AT_IT = timedelta(minutes=10)
"""So long nobody else begins."""
NAME = "housekeeping"

log = structlog.get_logger(__name__)


class Forgets(Protocol):
    """What can be forgotten, in bounded batches."""

    async def deliveries(self, before: datetime) -> int:
        """Forget what was delivered earlier; how many they were."""
        ...

    async def denials(self, before: datetime) -> int:
        """Forget the starts that were turned away earlier; how many they were."""
        ...


class Housekeeping:
    """One to a process that works. Where several do, each looks once a day, and mostly finds that another one has been
    there; two at the same time would only do the same work twice."""

    def __init__(self, store: Store, clock: Clock, forgets: Forgets, *, owner: str) -> None:
        self._store, self._clock, self._forgets, self._owner = store, clock, forgets, owner

    async def run(self) -> None:
        """Until cancelled: at once, then every day."""
        while True:
            try:
                await self.tidy()
            except StoreError as problem:
                log.warning("housekeeping.failed", problem=str(problem))
            except Exception:
                log.exception("housekeeping.failed")
            await asyncio.sleep(EVERY.total_seconds())

    async def tidy(self) -> bool:
        """Forget what is old enough; False where another process is at it. Raises StoreError."""
        if not await self._store.hold(NAME, self._owner, AT_IT):
            return False
        try:
            now = self._clock.now()
            deliveries = await self._forgets.deliveries(now - REPEATS)
            denials = await self._forgets.denials(now - DENIALS)
        finally:
            await self._store.drop(NAME, self._owner)
        if deliveries or denials:
            log.info("housekeeping.forgotten", deliveries=deliveries, denials=denials)
        return True
