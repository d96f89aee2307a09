"""What is forgotten after a time: deliveries that nobody repeats any more, and starts that were turned away long ago.
No fact of a deployment, freeze, incident or lock ever is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Select, delete, select

from adapters.store.store import SqlStore
from adapters.store.tables import calendar_events, deliveries

AT_ONCE = 500
"""So many are forgotten in a transaction, so that none holds up a click."""
ROUNDS = 2_000
"""And so many transactions at most, each time."""


class Purge:
    """Forgets, over a store. What is old is looked for in transactions that only read."""

    def __init__(self, store: SqlStore, *, at_once: int = AT_ONCE, rounds: int = ROUNDS) -> None:
        self._database = store._database
        self._at_once, self._rounds = at_once, rounds

    async def deliveries(self, before: datetime) -> int:
        """Forget what was delivered earlier; how many they were. A repeat that comes later still counts as new. Raises
        StoreError."""
        old = select(deliveries.c.key, deliveries.c.at).where(deliveries.c.at < before)
        return await self._forget(deliveries.c.key, old, before)

    async def denials(self, before: datetime) -> int:
        """Forget the starts that were turned away earlier; how many they were. Raises StoreError."""
        denied = select(calendar_events.c.seq, calendar_events.c.at).where(calendar_events.c.kind == "turned_away")
        # Only the oldest are looked at: facts are added in the order of their time.
        return await self._forget(calendar_events.c.seq, denied.order_by(calendar_events.c.seq), before)

    async def _forget(self, key: Column[Any], rows: Select[Any], before: datetime) -> int:
        """Of these rows (their key, and when) the earlier ones."""
        forgotten = 0
        for _ in range(self._rounds):
            async with self._database.read() as connection:
                old = [each for each, at in (await connection.execute(rows.limit(self._at_once))).all() if at < before]
            if old:
                async with self._database.write() as connection:
                    await connection.execute(delete(key.table).where(key.in_(old), key.table.c.at < before))
            forgotten += len(old)
            if len(old) < self._at_once:
                break
        return forgotten
