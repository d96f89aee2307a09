"""Who goes to SQLite's thread, and who does not: only what may wait.

What may wait is taking the write lock, committing, and a reader's questions, which may be long ones: each is one visit,
where aiosqlite makes four (cursor, execute, fetch, close). A visit is two switches between threads, and while the loop
is busy it waits up to 5 ms for the interpreter (`sys.getswitchinterval`). A statement of a transaction that holds the
write lock takes some 20 microseconds and waits for nobody, so it runs where it is asked, on the loop.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Self

import aiosqlite

WRITE = "BEGIN IMMEDIATE"
"""Takes the write lock; what follows in the transaction waits for nobody."""
READ = "BEGIN"
"""Takes nothing yet."""


class Visiting(aiosqlite.Connection):
    """aiosqlite's connection as SQLAlchemy uses it: whole statements, all rows at once."""

    _alone = False
    """Whether this transaction holds the write lock."""
    _at_rest = True
    """Whether the thread has nothing of this connection: a visit whose caller was cancelled may still be under way."""

    def cursor(self) -> Cursor:  # type: ignore[override]
        """One that is made only when there is a statement."""
        return Cursor(self)

    async def visit(self, run: Callable[..., None], *arguments: Any) -> None:
        """Run it on the connection's thread, after what waits there already. Raises what it raises."""
        visit: Callable[..., Awaitable[None]] = self._execute
        self._at_rest = False
        try:
            await visit(run, *arguments)
        except sqlite3.Error:
            self._at_rest = True
            raise
        self._at_rest = True

    async def run(self, operation: str, run: Callable[..., None], *arguments: Any) -> None:
        """Run a statement: here, or on the thread if it may wait. Raises what it raises."""
        self._still_there()
        if self._at_rest and (self._alone or operation == READ):
            run(*arguments)
            return
        await self.visit(run, *arguments)
        self._alone = operation == WRITE

    async def commit(self) -> None:
        """On the thread: it waits for the disk."""
        self._still_there()
        await self.visit(self._conn.commit)
        self._alone = False

    def _still_there(self) -> None:
        """SQLite ends a transaction by itself when the disk is full or fails (sqlite.org/lang_transaction.html): what
        came after that would be kept by itself, and the commit say that all of it is."""
        if self._at_rest and self._alone and not self._conn.in_transaction:
            raise sqlite3.OperationalError("SQLite has undone this transaction: the disk is full, or fails")

    async def rollback(self) -> None:
        """Nothing is left to undo after a commit, and nobody is waited for when nothing was written."""
        alone, self._alone = self._alone, False
        if self._at_rest and not alone:
            self._conn.rollback()
        else:
            await self.visit(self._conn.rollback)


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
        await self._connection.run(operation, self._run, sqlite3.Connection.execute, operation, parameters)
        return self

    async def executemany(self, operation: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Run a statement for each of these. Raises what sqlite3 raises."""
        await self._connection.run(operation, self._run, sqlite3.Connection.executemany, operation, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """The rows, which are here already."""
        return self._rows

    async def close(self) -> None:
        """Nothing is open."""

    def _run(self, run: Callable[..., sqlite3.Cursor], operation: str, parameters: Any) -> None:
        """Where the connection wants it."""
        cursor = run(self._connection._conn, operation, parameters)
        try:
            self.description = cursor.description
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


def visiting(file: str, *, timeout: float) -> Callable[[], Awaitable[aiosqlite.Connection]]:
    """Makes connections to this file, which wait so many seconds for somebody else's lock."""

    def connector() -> sqlite3.Connection:
        # Never two threads at once: `_at_rest` sees to it.
        return sqlite3.connect(file, timeout=timeout, check_same_thread=False)

    def connect() -> Visiting:
        connection = Visiting(connector, iter_chunk_size=64)
        connection._thread.daemon = True  # as SQLAlchemy does: a connection nobody closed must not hold up the end
        return connection

    return connect
