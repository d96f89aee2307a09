"""What the parts of the sandbox share: its settings, and a bell that rings when anything changed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from sqlalchemy import CursorResult, Executable, select, text

from adapters.web.tables import settings

# One statement, the same on SQLite and PostgreSQL; on both it holds the row until the transaction ends.
_PUT = text(
    "INSERT INTO sandbox_settings (key, value) VALUES (:key, :value)"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)


class Asked(Protocol):
    """A connection in a transaction."""

    async def execute(self, statement: Executable, parameters: Any = None, /) -> CursorResult[*tuple[Any, ...]]:
        """Run a statement."""
        ...

    async def scalar(self, statement: Executable, parameters: Any = None, /) -> Any:
        """The first column of its first row, or None."""
        ...


class Engine(Protocol):
    """Connections to a database: SQLAlchemy's AsyncEngine is one."""

    def begin(self) -> AbstractAsyncContextManager[Asked]:
        """A transaction that writes; committed when the block ends without an exception."""
        ...

    def connect(self) -> AbstractAsyncContextManager[Asked]:
        """One that only reads."""
        ...


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

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.bell = Bell()

    async def get(self, key: str) -> Any:
        """A setting's JSON value, or None."""
        async with self.engine.connect() as connection:
            value = await connection.scalar(select(settings.c.value).where(settings.c.key == key))
        return None if value is None else json.loads(value)

    async def put(self, key: str, value: object) -> None:
        """Keep a setting, and ring."""
        async with self.engine.begin() as connection:
            await connection.execute(_PUT, {"key": key, "value": json.dumps(value)})
        self.bell.ring()
