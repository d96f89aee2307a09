"""SQLite through SQLAlchemy's synchronous connections: who goes to a thread, and who does not.

Only what may wait leaves the event loop: opening the file, a lock that somebody else has, the disk at a commit, and a
reader's questions, which may be long ones. A visit to a thread is two switches, and while the loop is busy it waits up
to 5 ms for the interpreter (`sys.getswitchinterval`). A statement of a transaction that holds the write lock takes some
20 microseconds and waits for nobody, so it runs where it is asked.

What is here has the shape of SQLAlchemy's AsyncEngine and AsyncConnection, as far as gonogo uses them.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import Connection, CursorResult, Dialect, Executable, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as Exhausted

READERS = 8
"""So many transactions read at a time; the others wait for one to end."""
QUEUE_SECONDS = 30
"""How long a transaction waits for the others of this process."""

P = ParamSpec("P")
R = TypeVar("R")
Values = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class SqliteEngine:
    """A file's connections, for one event loop. One transaction writes at a time, the others wait their turn, fairly:
    inside SQLite they would poll and could starve each other."""

    def __init__(self, url: URL, *, busy_seconds: float, pragmas: Sequence[str]) -> None:
        """`busy_seconds` is how long another process's lock is waited for; `pragmas` are set on each connection."""
        self.sync_engine = create_engine(
            url,
            # Never two threads at once: `_Threads.visit` sees to it.
            connect_args={"timeout": busy_seconds, "check_same_thread": False, "factory": _Buffered},
            # Who waits for a place waits here, on the loop, and never inside the pool.
            pool_size=READERS + 1,
            max_overflow=-1,
            # The one used last has the newest pages in its cache.
            pool_use_lifo=True,
        )
        self._busy_seconds = busy_seconds
        self._threads = _Threads(READERS + 1)
        self._turn, self._places = asyncio.Semaphore(1), asyncio.Semaphore(READERS)

        @event.listens_for(self.sync_engine, "connect")
        def connected(connection: sqlite3.Connection, _record: Any) -> None:
            connection.isolation_level = None  # or the driver begins by itself, too late and without the lock
            try:
                for pragma in (f"busy_timeout={int(busy_seconds * 1000)}", *pragmas):
                    connection.execute(f"PRAGMA {pragma}").close()
            except sqlite3.Error:
                connection.close()  # nobody else would
                raise

        @event.listens_for(self.sync_engine, "begin")
        def begun(connection: Connection) -> None:
            driver = _driver(connection)
            if not driver.in_transaction:  # `begin` below has taken the lock already
                driver.execute("BEGIN").close()

    @contextlib.asynccontextmanager
    async def begin(self) -> AsyncIterator[SqliteConnection]:
        """A transaction that has the write lock from its first moment; committed when the block ends without an
        exception. Raises what SQLAlchemy and sqlite3 raise."""
        async with self._place(self._turn) as connection:
            await self._lock(_driver(connection))
            try:
                connection.begin()
                found = SqliteConnection(connection, self._threads, writes=True)
                yield found
                found.still_there()
                await self._threads.visit(connection.commit)
            except BaseException:
                if connection.in_transaction() or _driver(connection).in_transaction:
                    await self._threads.visit(_undo, connection)
                raise

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[SqliteConnection]:
        """A snapshot that is only read, and never waits for a writer. Raises what SQLAlchemy and sqlite3 raise."""
        async with self._place(self._places) as connection:
            yield SqliteConnection(connection, self._threads, writes=False)

    async def dispose(self) -> None:
        """Close every connection."""
        self.sync_engine.dispose()
        self._threads.end()

    @contextlib.asynccontextmanager
    async def _place(self, places: asyncio.Semaphore) -> AsyncIterator[Connection]:
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await places.acquire()
        except TimeoutError:
            raise Exhausted(f"all places have been taken for {QUEUE_SECONDS} s") from None
        try:
            connection = await self._connection()
            try:
                yield connection
            finally:
                connection.close()
        finally:
            places.release()

    async def _connection(self) -> Connection:
        if self.sync_engine.pool.checkedin():  # type: ignore[attr-defined]  # it is a QueuePool
            return self.sync_engine.connect()
        opened: list[Connection] = []
        try:
            await self._threads.visit(lambda: opened.append(self.sync_engine.connect()))
        except BaseException:
            for connection in opened:
                connection.close()
            raise
        return opened[0]

    async def _lock(self, driver: sqlite3.Connection) -> None:
        """Take the write lock: here if it is free, which it mostly is as there is one process to a file."""
        driver.execute("PRAGMA busy_timeout=0").close()
        try:
            driver.execute("BEGIN IMMEDIATE").close()
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY"):
                raise
            patient = True
        else:
            patient = False
        finally:
            driver.execute(f"PRAGMA busy_timeout={int(self._busy_seconds * 1000)}").close()
        if patient:
            try:
                await self._threads.visit(driver.execute, "BEGIN IMMEDIATE")
            except asyncio.CancelledError:
                if driver.in_transaction:  # the thread has got it after all
                    driver.rollback()
                raise


class SqliteConnection:
    """A connection in a transaction."""

    def __init__(self, connection: Connection, threads: _Threads, *, writes: bool) -> None:
        self._connection, self._threads, self._writes = connection, threads, writes

    @property
    def dialect(self) -> Dialect:
        """SQLite's."""
        return self._connection.dialect

    async def execute(self, statement: Executable, parameters: Values = None) -> CursorResult[*tuple[Any, ...]]:
        """Run a statement; all its rows are there then. Raises what SQLAlchemy raises."""
        if self._writes:
            self.still_there()
            return self._connection.execute(statement, parameters)
        return await self._threads.visit(self._connection.execute, statement, parameters)

    async def scalar(self, statement: Executable, parameters: Values = None) -> Any:
        """The first column of the first row, or None."""
        return (await self.execute(statement, parameters)).scalar()

    async def run_sync(self, run: Callable[Concatenate[Connection, P], R], *arguments: P.args, **named: P.kwargs) -> R:
        """What runs for long, such as migrations, with SQLAlchemy's own connection."""
        return await self._threads.visit(lambda: run(self._connection, *arguments, **named))

    def still_there(self) -> None:
        """SQLite ends a transaction by itself when the disk is full or fails (sqlite.org/lang_transaction.html): what
        came after that would be kept by itself, and the commit say that all of it is. Raises OperationalError."""
        if not _driver(self._connection).in_transaction:
            undone = sqlite3.OperationalError("SQLite has undone this transaction: the disk is full, or fails")
            raise OperationalError(None, None, undone)


class _Threads:
    """Where what may wait is done."""

    def __init__(self, most: int) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="sqlite")

    async def visit(self, run: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """Run it on a thread. Returns when it has ended there, also to who was cancelled meanwhile: nobody may touch
        the connection before."""
        doing = asyncio.wrap_future(self._pool.submit(run, *arguments, **named))
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            while not doing.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({doing})
            doing.exception()  # nobody else asks for it
            raise

    def end(self) -> None:
        """What is under way ends by itself."""
        self._pool.shutdown(wait=False)


class _Buffered(sqlite3.Connection):
    """Its cursors have all rows once a statement has run: reading on is no more work for the disk."""

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or _Rows)


class _Rows(sqlite3.Cursor):
    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._left: deque[Any] = deque()

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        super().execute(sql, parameters)
        self._left = deque(super().fetchall() if self.description else ())
        return self

    def fetchall(self) -> list[Any]:
        rows, self._left = list(self._left), deque()
        return rows

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        return [self._left.popleft() for _ in range(min(size or 1, len(self._left)))]

    def fetchone(self) -> Any:
        return self._left.popleft() if self._left else None


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _undo(connection: Connection) -> None:
    connection.rollback()
    _driver(connection).rollback()  # where SQLAlchemy had not begun yet
