"""SQLite's thread is visited for what may wait, and everything is as SQLAlchemy expects it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.store.engine import address, engine_for
from adapters.store.visits import READ, WRITE, Visiting, visiting


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(address(f"sqlite:///{tmp_path / 'visits.db'}"))
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"))
    yield engine
    await engine.dispose()


async def test_rows_counts_and_new_keys_are_known_after_the_statement(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        added = await connection.execute(text("INSERT INTO things (name) VALUES (:name)"), {"name": "a"})
        assert (added.rowcount, added.lastrowid) == (1, 1)
        await connection.execute(
            text("INSERT INTO things (name) VALUES (:name)"), [{"name": name} for name in ("b", "c", "d")]
        )
        found = await connection.execute(text("SELECT id, name FROM things ORDER BY id"))
        assert [tuple(row) for row in found] == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
        changed = await connection.execute(text("UPDATE things SET name = name || '!' WHERE id > 2"))
        assert changed.rowcount == 2
        gone = await connection.execute(text("DELETE FROM things WHERE id > 1 RETURNING id"))
        assert sorted(row.id for row in gone) == [2, 3, 4]
        assert (await connection.execute(text("SELECT 1 FROM things WHERE id = 9"))).first() is None


async def test_what_the_database_refuses_is_raised_and_undone(engine: AsyncEngine) -> None:
    async def run(*statements: str) -> None:
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))

    with pytest.raises(IntegrityError, match="UNIQUE"):
        await run(*["INSERT INTO things (name) VALUES ('a')"] * 2)
    with pytest.raises(OperationalError, match="no such table"):
        await run("INSERT INTO things (name) VALUES ('a')", "SELECT * FROM missing")
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM things"))).scalar_one() == 0


class Counting(Visiting):
    """Remembers what went to the thread."""

    visits = 0

    async def visit(self, run: Callable[..., None], *arguments: Any) -> None:
        self.visits += 1
        await super().visit(run, *arguments)


@pytest.fixture
async def counting(tmp_path: Path) -> AsyncIterator[Counting]:
    made = visiting(str(tmp_path / "visits.db"), timeout=1)()
    assert isinstance(made, Visiting)
    made.__class__ = Counting
    connection = await made
    assert isinstance(connection, Counting)
    connection._conn.isolation_level = None
    await connection.cursor().execute("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
    connection.visits = 0
    yield connection
    await connection.close()


async def test_a_question_is_one_visit(counting: Counting) -> None:
    cursor = await counting.cursor().__aenter__()
    await cursor.execute("SELECT 1 UNION SELECT 2")
    assert await cursor.fetchall() == [(1,), (2,)]
    assert [name for name, *_ in cursor.description] == ["1"]
    await cursor.close()
    assert counting.visits == 1


async def test_a_transaction_that_writes_visits_for_its_lock_and_for_the_disk(counting: Counting) -> None:
    await counting.cursor().execute(WRITE)
    assert counting.visits == 1
    for name in ("a", "b", "c"):
        await counting.cursor().execute("INSERT INTO things (name) VALUES (?)", (name,))
    assert counting.visits == 1
    await counting.commit()
    assert counting.visits == 2
    await counting.rollback()
    assert counting.visits == 2, "nothing is left to undo"
    await counting.cursor().execute("SELECT count(*) FROM things")
    assert counting.visits == 3, "outside of it a statement may wait"


async def test_a_transaction_that_reads_visits_for_its_questions_only(counting: Counting) -> None:
    await counting.cursor().execute(READ)
    await counting.cursor().execute("SELECT count(*) FROM things")
    await counting.rollback()
    assert counting.visits == 1


async def test_what_was_written_is_undone_on_the_thread(counting: Counting) -> None:
    await counting.cursor().execute(WRITE)
    await counting.cursor().execute("INSERT INTO things (name) VALUES ('a')")
    await counting.rollback()
    assert counting.visits == 2
    asked = await counting.cursor().execute("SELECT count(*) FROM things")
    assert await asked.fetchall() == [(0,)]


async def test_what_sqlite_has_undone_by_itself_is_neither_added_to_nor_committed(counting: Counting) -> None:
    await counting.cursor().execute(WRITE)
    await counting.cursor().execute("INSERT INTO things (name) VALUES ('a')")
    counting._conn.execute("ROLLBACK")  # as when the disk is full
    with pytest.raises(sqlite3.OperationalError, match="has undone"):
        await counting.cursor().execute("INSERT INTO things (name) VALUES ('b')")
    with pytest.raises(sqlite3.OperationalError, match="has undone"):
        await counting.commit()
    await counting.rollback()
    asked = await counting.cursor().execute("SELECT count(*) FROM things")
    assert await asked.fetchall() == [(0,)]


async def test_the_lock_is_waited_for_beside_the_loop(counting: Counting, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "visits.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(counting.cursor().execute(WRITE))
        for _ in range(100):
            await asyncio.sleep(0)  # the loop turns
        assert not waiting.done()
        other.execute("ROLLBACK")
        await waiting
    finally:
        other.close()


async def test_who_is_cancelled_while_waiting_for_the_lock_leaves_nothing_behind(
    counting: Counting, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "visits.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(counting.cursor().execute(WRITE))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        other.execute("ROLLBACK")
        await counting.rollback()  # the thread may have taken the lock after all
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    finally:
        other.close()


async def test_who_is_cancelled_in_a_statement_leaves_a_connection_that_works(engine: AsyncEngine) -> None:
    async def long() -> None:
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO things (name) VALUES ('lost')"))
            numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
            await connection.execute(text(f"{numbers} SELECT count(*) FROM n"))

    task = asyncio.create_task(long())
    await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO things (name) VALUES ('kept')"))
        found = await connection.execute(text("SELECT count(*) FROM things WHERE name = 'kept'"))
        assert found.scalar_one() == 1
