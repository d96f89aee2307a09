"""Only what may wait leaves the loop, and everything is as SQLAlchemy expects it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from adapters.store import sqlite
from adapters.store.engine import address, engine_for
from adapters.store.sqlite import READERS, SqliteEngine

ADD = text("INSERT INTO things (name) VALUES (:name)")
COUNT = text("SELECT count(*) FROM things")
LONG = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT count(*) FROM n")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    engine = engine_for(address(f"sqlite:///{tmp_path / 'things.db'}"))
    assert isinstance(engine, SqliteEngine)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"))
    yield engine
    await engine.dispose()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else on the same file."""
    with contextlib.closing(sqlite3.connect(tmp_path / "things.db", isolation_level=None)) as shell:
        yield shell


@pytest.fixture
def threads(engine: SqliteEngine) -> list[str]:
    """On which threads statements ran, BEGIN and COMMIT too."""
    ran: list[str] = []

    def note(*_: object) -> None:
        ran.append("loop" if threading.current_thread() is threading.main_thread() else "thread")

    for moment in ("before_cursor_execute", "commit", "rollback"):
        event.listen(engine.sync_engine, moment, note)
    return ran


async def count(engine: SqliteEngine) -> int:
    async with engine.connect() as connection:
        return int(await connection.scalar(COUNT))


async def test_rows_counts_and_new_keys_are_known_after_the_statement(engine: SqliteEngine) -> None:
    async with engine.begin() as connection:
        added = await connection.execute(ADD, {"name": "a"})
        assert (added.rowcount, added.lastrowid) == (1, 1)
        await connection.execute(ADD, [{"name": name} for name in ("b", "c", "d")])
        asked = text("SELECT id, name FROM things ORDER BY id")
        expected = [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
        assert [tuple(row) for row in await connection.execute(asked)] == expected
        found = await connection.execute(asked)
        assert [tuple(found.fetchone() or ()), *map(tuple, found.fetchmany(2)), *map(tuple, found.all())] == expected
        changed = await connection.execute(text("UPDATE things SET name = name || '!' WHERE id > 2"))
        assert changed.rowcount == 2
        gone = await connection.execute(text("DELETE FROM things WHERE id > 1 RETURNING id"))
        assert sorted(row.id for row in gone) == [2, 3, 4]
        assert (await connection.execute(text("SELECT 1 FROM things WHERE id = 9"))).first() is None


async def test_what_the_database_refuses_is_raised_and_undone(engine: SqliteEngine) -> None:
    async def run(*statements: str) -> None:
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))

    with pytest.raises(IntegrityError, match="UNIQUE"):
        await run(*["INSERT INTO things (name) VALUES ('a')"] * 2)
    with pytest.raises(OperationalError, match="no such table"):
        await run("INSERT INTO things (name) VALUES ('a')", "SELECT * FROM missing")
    assert await count(engine) == 0


# --- who visits a thread ----------------------------------------------------------------------------------------------


async def test_who_writes_visits_a_thread_for_the_disk_only(engine: SqliteEngine, threads: list[str]) -> None:
    async with engine.begin() as connection:
        for name in ("a", "b"):
            await connection.execute(ADD, {"name": name})
        assert await connection.scalar(COUNT) == 2
    assert threads == ["loop", "loop", "loop", "thread"]


async def test_who_changes_nothing_visits_none(engine: SqliteEngine, threads: list[str]) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM things WHERE name = 'nobody'"))
    assert threads == ["loop", "loop"]


async def test_who_reads_visits_a_thread_for_each_question(engine: SqliteEngine, threads: list[str]) -> None:
    assert await count(engine) == 0
    assert threads[0] == "thread"


async def test_what_was_written_is_undone_on_a_thread(engine: SqliteEngine, threads: list[str]) -> None:
    async def fail() -> None:
        async with engine.begin() as connection:
            await connection.execute(ADD, {"name": "a"})
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await fail()
    assert threads == ["loop", "thread"]
    assert await count(engine) == 0


async def test_the_lock_is_waited_for_beside_the_loop(engine: SqliteEngine, shell: sqlite3.Connection) -> None:
    async def write() -> None:
        async with engine.begin() as connection:
            await connection.execute(ADD, {"name": "a"})

    shell.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(write())
    for _ in range(100):
        await asyncio.sleep(0)  # the loop turns
    assert not waiting.done()
    shell.execute("ROLLBACK")
    await waiting
    assert await count(engine) == 1


async def test_who_reads_waits_for_no_writer(engine: SqliteEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(ADD, {"name": "a"})
        assert await count(engine) == 0
    assert await count(engine) == 1


async def test_a_reader_sees_one_moment(engine: SqliteEngine) -> None:
    async with engine.connect() as reading:
        assert await reading.scalar(COUNT) == 0
        async with engine.begin() as connection:
            await connection.execute(ADD, {"name": "a"})
        assert await reading.scalar(COUNT) == 0


async def test_only_so_many_read_at_a_time_and_the_others_wait(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with contextlib.AsyncExitStack() as readers:
        for _ in range(READERS):
            await (await readers.enter_async_context(engine.connect())).execute(COUNT)
        waiting = asyncio.create_task(count(engine))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not waiting.done()
        monkeypatch.setattr(sqlite, "QUEUE_SECONDS", 0)
        with pytest.raises(sqlite.Exhausted, match="all places"):
            await count(engine)
    assert await waiting == 0


# --- what goes wrong --------------------------------------------------------------------------------------------------


async def test_what_sqlite_has_undone_by_itself_is_neither_added_to_nor_committed(engine: SqliteEngine) -> None:
    async def write(*names: str) -> None:
        async with engine.begin() as connection:
            await connection.execute(ADD, {"name": "a"})
            driver: Any = connection._connection.connection.driver_connection
            driver.execute("ROLLBACK")  # as when the disk is full
            for name in names:
                await connection.execute(ADD, {"name": name})

    with pytest.raises(OperationalError, match="has undone"):
        await write("b")
    with pytest.raises(OperationalError, match="has undone"):
        await write()
    async with engine.begin() as connection:
        await connection.execute(ADD, {"name": "c"})
    assert await count(engine) == 1


async def test_who_is_cancelled_while_waiting_for_the_lock_leaves_nothing_behind(
    engine: SqliteEngine, shell: sqlite3.Connection
) -> None:
    async def write() -> None:
        async with engine.begin() as connection:
            await connection.execute(ADD, {"name": "a"})

    shell.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(write())
    for _ in range(3):
        await asyncio.sleep(0)
    waiting.cancel()
    shell.execute("ROLLBACK")  # the thread may take the lock after all
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    shell.execute("BEGIN IMMEDIATE")
    shell.execute("ROLLBACK")
    assert await count(engine) == 0


@pytest.mark.parametrize("moments", range(0, 24, 2))
async def test_who_is_cancelled_writes_all_or_nothing_and_leaves_a_connection_that_works(
    engine: SqliteEngine, moments: int
) -> None:
    async def write() -> None:
        async with engine.begin() as connection:
            await connection.execute(ADD, {"name": "a"})
            await asyncio.sleep(0)
            await connection.execute(ADD, {"name": "b"})

    task = asyncio.create_task(write())
    for _ in range(moments):
        await asyncio.sleep(0)
    task.cancel()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    written = await count(engine)
    assert written in (0, 2)
    async with engine.begin() as connection:
        await connection.execute(ADD, {"name": "kept"})
    assert await count(engine) == written + 1


async def test_who_is_cancelled_in_a_long_question_leaves_a_connection_that_works(engine: SqliteEngine) -> None:
    async def ask() -> None:
        async with engine.connect() as connection:
            await connection.execute(LONG)

    task = asyncio.create_task(ask())
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await count(engine) == 0
