"""What is forgotten after a time: deliveries that nobody repeats any more, and starts that were turned away long ago.
No fact of a deployment, freeze, incident or lock ever is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError

from adapters.store.errors import translated
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
        forgotten = 0
        old = select(deliveries.c.key).where(deliveries.c.at < before).limit(self._at_once)
        try:
            for _ in range(self._rounds):
                async with self._database.read() as connection:
                    keys = (await connection.execute(old)).scalars().all()
                if keys:
                    async with self._database.write() as connection:
                        await connection.execute(delete(deliveries).where(deliveries.c.key.in_(keys)))
                forgotten += len(keys)
                if len(keys) < self._at_once:
                    break
        except SQLAlchemyError as error:
            raise translated(error, self._database.where) from error
        return forgotten

    async def denials(self, before: datetime) -> int:
        """Forget the starts that were turned away earlier; how many they were. Raises StoreError."""
        forgotten = 0
        # Only the oldest are looked at: facts are added in the order of their time.
        denied = select(calendar_events.c.seq, calendar_events.c.at).where(calendar_events.c.kind == "turned_away")
        oldest = denied.order_by(calendar_events.c.seq).limit(self._at_once)
        try:
            for _ in range(self._rounds):
                async with self._database.read() as connection:
                    old = [seq for seq, at in await connection.execute(oldest) if at < before]
                if old:
                    async with self._database.write() as connection:
                        await connection.execute(delete(calendar_events).where(calendar_events.c.seq.in_(old)))
                forgotten += len(old)
                if len(old) < self._at_once:
                    break
        except SQLAlchemyError as error:
            raise translated(error, self._database.where) from error
        return forgotten
