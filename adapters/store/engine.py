"""One database: its address, its connections, and the two kinds of transaction.

A write transaction on SQLite takes the write lock at once (BEGIN IMMEDIATE), so what it read is still true when it
writes. On PostgreSQL many write at once; there a unit locks each deployment it loads, and unique indexes hold the rest.
A read transaction sees one snapshot on both and waits for nobody.

Between gonogo and PostgreSQL there may be a pooler (PgBouncer) that gives every transaction another connection. Then
nothing is left on a connection for the next transaction: no prepared statement, and limits for one transaction only.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from adapters.store.errors import told
from adapters.store.sqlite import QUEUE_SECONDS, SqliteConnection, SqliteEngine
from bot.ports import StoreError

AnyConnection = AsyncConnection | SqliteConnection
AnyEngine = AsyncEngine | SqliteEngine

BUSY_SECONDS = 5
"""How long a transaction waits for another process's."""
_POOLED = "pooled"
_EXAMPLES = (
    "Write `sqlite:///path/to/gonogo.db` or `postgresql://user:password@host/database` into GONOGO_DATABASE_URL."
)


def address(url: str) -> URL:
    """What GONOGO_DATABASE_URL says, with the driver gonogo uses. Raises StoreError if it is no such address."""
    try:
        parsed = make_url(url.strip())
    except (ArgumentError, ValueError):
        raise StoreError(f"The database address cannot be read. {_EXAMPLES}") from None
    match parsed.drivername.partition("+")[0]:
        case "postgres" | "postgresql":
            # Some hosts write `?pgbouncer=true` for other libraries. The driver knows no such word; a pooler shows
            # itself.
            return parsed.set(drivername="postgresql+psycopg").difference_update_query(["pgbouncer"])
        case "sqlite" if parsed.database in (None, "", ":memory:") or "mode=memory" in parsed.render_as_string():
            raise StoreError(f"A database in memory is lost with the process. {_EXAMPLES}")
        case "sqlite":
            return parsed.set(drivername="sqlite")
        case other:
            raise StoreError(f"gonogo knows no database called {other!r}. {_EXAMPLES}")


def file_of(url: URL) -> Path | None:
    """The SQLite file of an address; None for a server."""
    return Path(url.database).absolute() if url.get_backend_name() == "sqlite" and url.database else None


def engine_for(url: URL, *, foreign_keys: bool = True) -> AnyEngine:
    """Connections to the database of this address."""
    if url.get_backend_name() == "sqlite":
        pragmas = (
            "journal_mode=WAL",
            # Not NORMAL: in WAL mode that may forget the last commits on a power cut, and an acked click is a promise.
            "synchronous=FULL",
            "fullfsync=ON",  # macOS only: fsync there does not reach the disk
            f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
        )
        return SqliteEngine(url, busy_seconds=BUSY_SECONDS, pragmas=pragmas)
    engine = create_async_engine(_patient(url), pool_pre_ping=True, pool_size=10)
    _set_up_postgres(engine)
    return engine


def connect_parameters(url: URL) -> dict[str, Any]:
    """What psycopg itself needs for a connection to this address."""
    _, parameters = url.get_dialect()().create_connect_args(_patient(url))
    return dict(parameters)


class Database:
    """The open connections. Everything that goes wrong leaves as a StoreError."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.where = describe(url)
        self._engine = engine_for(url)
        if isinstance(self._engine, SqliteEngine):
            self._reader: AnyEngine = self._engine
        else:
            self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._few: contextlib.AbstractAsyncContextManager[None] = contextlib.nullcontext()
        self.doubtful: defaultdict[str, dict[str, float]] = defaultdict(dict)
        """By table the tokens by which something may be held, and since when that is in doubt (`claims.py`)."""

    def in_background(self, at_once: int) -> Database:
        """The same connections, for work that can wait: at most so many of its transactions at a time, so that people
        never stand behind all of it. A transaction must not begin inside another one of these."""
        found = copy.copy(self)
        found._few = asyncio.Semaphore(at_once)
        return found

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AnyConnection]:
        """A transaction, committed when the block ends without an exception."""
        with told(self.where):
            async with self._few, self._engine.begin() as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AnyConnection]:
        """A snapshot that is only read."""
        with told(self.where):
            async with self._few, self._reader.connect() as connection:
                yield connection

    async def close(self) -> None:
        """Give every connection back."""
        await self._engine.dispose()


def describe(url: URL) -> str:
    """The database in words, for a sentence; no password."""
    if file := file_of(url):
        return f"The database {file}"
    host = url.host or url.query.get("host") or "localhost"
    return f"The PostgreSQL database {url.database or url.username} at {host}{f':{url.port}' if url.port else ''}"


def _set_up_postgres(engine: AsyncEngine) -> None:
    limits = {
        "lock_timeout": f"{BUSY_SECONDS}s",
        # A replica that hangs in the middle must not hold the others up for ever.
        "idle_in_transaction_session_timeout": f"{QUEUE_SECONDS}s",
    }

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        # The number that a pooler made up when it was greeted is not that of the process which answers.
        [[pid]] = _execute(connection, "SELECT pg_backend_pid()")
        if pid != connection.info.backend_pid:
            record.info[_POOLED] = True
            connection.driver_connection.prepare_threshold = None
        else:
            _execute(connection, *(f"SET {name} = '{value}'" for name, value in limits.items()))
        connection.commit()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Connection) -> None:
        if connection.info.get(_POOLED):
            each = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in limits.items())
            connection.exec_driver_sql(f"SELECT {each}")


def _patient(url: URL) -> URL:
    return url.update_query_dict({"connect_timeout": url.query.get("connect_timeout", str(BUSY_SECONDS))})


def _execute(connection: Any, *statements: str) -> list[Any]:
    """On a new connection, which nobody else would close if this fails; the rows of the last statement."""
    try:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        rows = list(cursor.fetchall()) if cursor.description else []
        cursor.close()
    except Exception:
        connection.close()
        raise
    return rows
