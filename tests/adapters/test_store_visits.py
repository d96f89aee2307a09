"""SQLite's thread is visited once for a statement, and everything is as SQLAlchemy expects it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.store.engine import address, engine_for
from adapters.store.visits import Visiting, visiting


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


async def test_a_statement_is_one_visit(tmp_path: Path) -> None:
    class Counting(Visiting):
        visits = 0

        async def visit(self, run: Callable[..., None], *arguments: Any) -> None:
            self.visits += 1
            await super().visit(run, *arguments)

    made = visiting(str(tmp_path / "visits.db"), timeout=1)()
    assert isinstance(made, Visiting)
    made.__class__ = Counting
    connection = await made
    assert isinstance(connection, Counting)
    cursor = await connection.cursor().__aenter__()
    await cursor.execute("SELECT 1 UNION SELECT 2")
    assert await cursor.fetchall() == [(1,), (2,)]
    assert [name for name, *_ in cursor.description] == ["1"]
    await cursor.close()
    assert connection.visits == 1
    await connection.close()


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
