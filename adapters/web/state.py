"""What the parts of the sandbox share: its settings, and a bell that rings when anything changed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.web.tables import settings

# One statement, the same on SQLite and PostgreSQL; on both it holds the row until the transaction ends.
_PUT = text(
    "INSERT INTO sandbox_settings (key, value) VALUES (:key, :value)"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)


class Bell:
    """Wakes everybody who listens. Rings are counted, so none is missed between two waits."""

    def __init__(self) -> None:
        self.rings = 0
        self.closed = False
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Something changed."""
        self.rings += 1
        self._next.set()
        self._next = asyncio.Event()

    def close(self) -> None:
        """No more waiting: every open stream ends."""
        self.closed = True
        self.ring()

    async def wait(self, heard: int, seconds: float) -> int:
        """Until there are more rings than `heard`, or so many seconds have passed; the rings so far."""
        if self.rings == heard and not self.closed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._next.wait()
        return self.rings


class Sandbox:
    """The sandbox's corner of the database, given to every other part; `bell.close()` ends the open pages."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        # An engine may take the write lock on BEGIN; this says that it need not.
        self.reading = engine.execution_options(readonly=True)
        self.bell = Bell()

    async def get(self, key: str) -> Any:
        """A setting's JSON value, or None."""
        async with self.reading.connect() as connection:
            value = await connection.scalar(select(settings.c.value).where(settings.c.key == key))
        return None if value is None else json.loads(value)

    async def put(self, key: str, value: object) -> None:
        """Keep a setting, and ring."""
        async with self.engine.begin() as connection:
            await connection.execute(_PUT, {"key": key, "value": json.dumps(value)})
        self.bell.ring()
