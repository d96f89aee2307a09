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
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import Connection, CursorResult, Dialect, Executable, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as Exhausted

from adapters.store.threads import Threads, ended
from adapters.store.together import Group, driver_of, undone

READERS = 8
"""So many transactions read at a time; the others wait for one to end."""
TOGETHER = 16
"""So many units are committed together at most: the first of them waits for the last."""
QUEUE_SECONDS = 30
"""How long a transaction waits for the others of this process."""

_LOCK = "BEGIN IMMEDIATE"

P = ParamSpec("P")
R = TypeVar("R")
Values = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class SqliteEngine:
    """A file's connections, for one event loop. One transaction writes at a time, the others wait their turn, fairly:
    inside SQLite they would poll and could starve each other.

    Who waits for that while another one is at work is committed together with it, in a transaction of which each has a
    part of its own (a savepoint): the disk takes as long for many as for one. One that fails is undone alone, unless it
    is the disk that failed.
    """

    def __init__(self, url: URL, *, busy_seconds: float, pragmas: Sequence[str]) -> None:
        """`busy_seconds` is how long another process's lock is waited for; `pragmas` are set on each connection."""
        self.sync_engine = create_engine(
            url,
            # Never two threads at once: `Threads.visit` sees to it.
            connect_args={"check_same_thread": False, "factory": _Buffered},
            # Who waits for a place waits here, on the loop, and never inside the pool.
            pool_size=READERS + 1,
            max_overflow=-1,
            # The one used last has the newest pages in its cache.
            pool_use_lifo=True,
        )
        self._patience = f"PRAGMA busy_timeout={int(busy_seconds * 1000)}"
        self._threads = Threads(READERS + 1)
        self._places, self._turn = asyncio.Semaphore(READERS), asyncio.Semaphore(1)
        self._waiting = 0
        self._group: Group | None = None
        """What is written and waits for the next in turn."""
        self._tasks: set[asyncio.Task[None]] = set()

        @event.listens_for(self.sync_engine, "connect")
        def connected(connection: sqlite3.Connection, _record: Any) -> None:
            connection.isolation_level = None  # or the driver begins by itself, too late and without the lock
            try:
                for statement in (self._patience, *(f"PRAGMA {pragma}" for pragma in pragmas)):
                    connection.execute(statement).close()
            except sqlite3.Error:
                connection.close()  # nobody else would
                raise

        @event.listens_for(self.sync_engine, "begin")
        def begun(connection: Connection) -> None:
            driver = driver_of(connection)
            if not driver.in_transaction:  # who writes has taken the lock already
                driver.execute("BEGIN").close()

    @contextlib.asynccontextmanager
    async def begin(self) -> AsyncIterator[SqliteConnection]:
        """A transaction that has the write lock from its first moment. What it wrote is on the disk when the block has
        ended without an exception. Raises what SQLAlchemy raises.

        A block must not wait for another one of these, whether that has begun or has ended: it may be committed only
        together with this one.
        """
        self._waiting += 1
        try:
            await _acquired(self._turn)
        finally:
            self._waiting -= 1
        try:
            group = self._group or await self._opened()
        except BaseException:
            self._turn.release()
            raise
        try:
            group.save()
            yield (unit := SqliteConnection(group.connection, self._threads, writes=True))
            unit.still_there()
            group.keep()
        except BaseException as error:
            try:
                if not group.undo():
                    self._group = None
                    if isinstance(error, GeneratorExit):
                        group.drop()  # nothing can be waited for
                    else:
                        await group.fail(self._threads, error)
            finally:
                self._turn.release()
            raise
        if self._waiting and group.units < TOGETHER:
            if self._group is None:
                self._group = group
                self._commit_later(group)
            self._turn.release()
            await ended(group.done)
        else:
            await self._commit(group)

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[SqliteConnection]:
        """A snapshot that is only read, and never waits for a writer. Raises what SQLAlchemy raises."""
        await _acquired(self._places)
        try:
            with contextlib.closing(await self._connection()) as connection:
                yield SqliteConnection(connection, self._threads, writes=False)
        finally:
            self._places.release()

    async def dispose(self) -> None:
        """Close every connection, once what has ended is committed."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))
        self.sync_engine.dispose()
        self._threads.end()

    async def _opened(self) -> Group:
        """A transaction with the write lock, which mostly is free, as there is one process to a file."""
        connection = await self._connection()
        try:
            driver = driver_of(connection)
            if not self._taken(driver):
                await self._threads.visit(driver.execute, _LOCK)
            connection.begin()
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise OperationalError(None, None, error) from error
            raise
        return Group(connection)

    def _taken(self, driver: sqlite3.Connection) -> bool:
        """Whether the write lock could be taken at once."""
        driver.execute("PRAGMA busy_timeout=0").close()
        try:
            driver.execute(_LOCK).close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname.startswith("SQLITE_BUSY"):
                return False
            raise
        finally:
            driver.execute(self._patience).close()
        return True

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

    def _commit_later(self, group: Group) -> None:
        task = asyncio.create_task(self._commit_after(group))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._commit_later_ended(done, group))

    def _commit_later_ended(self, task: asyncio.Task[None], group: Group) -> None:
        """Whoever ends the loop cancels every task. Those that wait for this one must not wait for ever."""
        self._tasks.discard(task)
        if self._group is group:
            self._commit_later(group)

    async def _commit_after(self, group: Group) -> None:
        """Commit it after those who waited when its first unit ended, if none of them has done it."""
        await self._turn.acquire()
        if self._group is group:
            with contextlib.suppress(Exception):  # each of them is told
                await self._commit(group)
        else:
            self._turn.release()

    async def _commit(self, group: Group) -> None:
        """For all of its units; the turn is given on. Raises what went wrong."""
        self._group = None
        try:
            await group.commit(self._threads)
        finally:
            self._turn.release()


class SqliteConnection:
    """A connection in a transaction."""

    def __init__(self, connection: Connection, threads: Threads, *, writes: bool) -> None:
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
        if not driver_of(self._connection).in_transaction:
            raise undone()


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


async def _acquired(places: asyncio.Semaphore) -> None:
    if not places.locked():
        await places.acquire()  # at once
        return
    try:
        async with asyncio.timeout(QUEUE_SECONDS):
            await places.acquire()
    except TimeoutError:
        raise Exhausted(f"all places have been taken for {QUEUE_SECONDS} s") from None
