"""One visit to SQLite's thread for each statement, where aiosqlite makes four (cursor, execute, fetch, close).

A visit costs two switches between threads, 0.1 ms or so: more than what most statements do there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Self

import aiosqlite


class Visiting(aiosqlite.Connection):
    """aiosqlite's connection as SQLAlchemy uses it: whole statements, all rows at once."""

    def cursor(self) -> Cursor:  # type: ignore[override]
        """One that is made only when there is a statement."""
        return Cursor(self)

    async def visit(self, run: Callable[..., None], *arguments: Any) -> None:
        """Run it on the connection's thread, after what waits there already. Raises what it raises."""
        visit: Callable[..., Awaitable[None]] = self._execute
        await visit(run, *arguments)


class Cursor:
    """What SQLAlchemy's adapter asks of an asynchronous cursor (sqlalchemy/connectors/asyncio.py).

    It holds nothing open: all rows of a statement are there when it has run.
    """

    arraysize = 1

    def __init__(self, connection: Visiting) -> None:
        self._connection = connection
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, operation: str, parameters: Sequence[Any] = ()) -> Self:
        """Run a statement and take its rows. Raises what sqlite3 raises."""
        await self._connection.visit(self._run, sqlite3.Connection.execute, operation, parameters)
        return self

    async def executemany(self, operation: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Run a statement for each of these. Raises what sqlite3 raises."""
        await self._connection.visit(self._run, sqlite3.Connection.executemany, operation, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """The rows, which are here already."""
        return self._rows

    async def close(self) -> None:
        """Nothing is open."""

    def _run(self, run: Callable[..., sqlite3.Cursor], operation: str, parameters: Any) -> None:
        """On the connection's thread."""
        cursor = run(self._connection._conn, operation, parameters)
        try:
            self.description = cursor.description
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


def visiting(file: str, *, timeout: float) -> Callable[[], Awaitable[aiosqlite.Connection]]:
    """Makes connections to this file, which wait so many seconds for somebody else's lock."""

    def connect() -> Visiting:
        connection = Visiting(lambda: sqlite3.connect(file, timeout=timeout), iter_chunk_size=64)
        connection._thread.daemon = True  # as SQLAlchemy does: a connection nobody closed must not hold up the end
        return connection

    return connect
