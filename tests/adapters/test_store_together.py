"""Who waits for a turn at SQLite is committed together with who has it, and undone alone."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from adapters.store.engine import address
from adapters.store.sqlite import TOGETHER, SqliteEngine

ADD = text("INSERT INTO things (name) VALUES (:name)")


async def made(folder: Path, *, busy_seconds: float = 5) -> SqliteEngine:
    engine = SqliteEngine(
        address(f"sqlite:///{folder / 'things.db'}"),
        busy_seconds=busy_seconds,
        pragmas=("journal_mode=WAL", "foreign_keys=ON"),
    )
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"))
        await connection.execute(
            text("CREATE TABLE parts (thing INTEGER REFERENCES things DEFERRABLE INITIALLY DEFERRED)")
        )
    return engine


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    engine = await made(tmp_path)
    yield engine
    await engine.dispose()


@pytest.fixture
def commits(engine: SqliteEngine) -> list[int]:
    """One for each commit."""
    made: list[int] = []
    event.listen(engine.sync_engine, "commit", lambda _: made.append(1))
    return made


async def names(engine: SqliteEngine) -> set[str]:
    async with engine.connect() as connection:
        return set((await connection.execute(text("SELECT name FROM things"))).scalars())


async def add(engine: SqliteEngine, name: str, *, pause: int = 0, fail: bool = False) -> str:
    async with engine.begin() as connection:
        await connection.execute(ADD, {"name": name})
        for _ in range(pause):
            await asyncio.sleep(0)
        if fail:
            raise ValueError(name)
    return name


async def test_who_is_alone_is_committed_alone(engine: SqliteEngine, commits: list[int]) -> None:
    for name in "abc":
        await add(engine, name)
    assert len(commits) == 3
    assert await names(engine) == {"a", "b", "c"}


async def test_who_waits_is_committed_with_who_goes_before(engine: SqliteEngine, commits: list[int]) -> None:
    await asyncio.gather(*(add(engine, name, pause=2) for name in "abcdef"))
    assert len(commits) == 1
    assert await names(engine) == set("abcdef")


async def test_nobody_waits_for_more_than_so_many(engine: SqliteEngine, commits: list[int]) -> None:
    everybody = {str(number) for number in range(3 * TOGETHER)}
    await asyncio.gather(*(add(engine, name) for name in everybody))
    assert len(commits) >= 3
    assert await names(engine) == everybody


async def test_when_a_block_has_ended_others_can_read_what_it_wrote(engine: SqliteEngine) -> None:
    async def add_and_look(name: str) -> bool:
        await add(engine, name)
        return name in await names(engine)

    assert all(await asyncio.gather(*(add_and_look(name) for name in "abcdef")))


async def test_the_next_one_sees_what_waits_with_it(engine: SqliteEngine) -> None:
    async def counted() -> int:
        async with engine.begin() as connection:
            await connection.execute(ADD, {"name": str(random.random())})
            return int(await connection.scalar(text("SELECT count(*) FROM things")))

    assert await asyncio.gather(*(counted() for _ in range(5))) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("bad", "abcd")
async def test_one_that_fails_is_undone_alone(engine: SqliteEngine, bad: str) -> None:
    done = await asyncio.gather(
        *(add(engine, name, pause=2, fail=name == bad) for name in "abcd"), return_exceptions=True
    )
    assert [each for each in done if isinstance(each, str)] == [name for name in "abcd" if name != bad]
    assert await names(engine) == set("abcd") - {bad}


async def test_one_that_the_database_refuses_is_undone_alone(engine: SqliteEngine) -> None:
    done = await asyncio.gather(*(add(engine, name, pause=2) for name in "aabab"), return_exceptions=True)
    assert [isinstance(each, IntegrityError) for each in done] == [False, True, False, True, True]
    assert await names(engine) == {"a", "b"}


async def test_where_sqlite_undoes_the_transaction_nobody_is_told_that_it_is_kept(engine: SqliteEngine) -> None:
    async def as_when_the_disk_is_full() -> None:
        async with engine.begin() as connection:
            await connection.execute(ADD, {"name": "c"})
            connection._connection.connection.driver_connection.execute("ROLLBACK")  # type: ignore[union-attr]

    done = await asyncio.gather(
        add(engine, "a", pause=2),
        add(engine, "b"),
        as_when_the_disk_is_full(),
        add(engine, "d"),
        return_exceptions=True,
    )
    assert [isinstance(each, OperationalError) for each in done] == [True, True, True, False]
    assert await names(engine) == {"d"}


async def test_where_the_commit_fails_it_fails_all_of_them(engine: SqliteEngine) -> None:
    async def spoil() -> None:
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO parts VALUES (9)"))  # refused at the commit only

    done = await asyncio.gather(add(engine, "a", pause=2), spoil(), add(engine, "b"), return_exceptions=True)
    assert all(isinstance(each, IntegrityError) for each in done)
    assert await names(engine) == set()
    assert await add(engine, "c") == "c"


async def test_if_those_who_wait_give_up_the_first_is_committed_all_the_same(engine: SqliteEngine) -> None:
    first = asyncio.create_task(add(engine, "a", pause=3))
    await asyncio.sleep(0)
    others = [asyncio.create_task(add(engine, name)) for name in "bc"]
    for _ in range(4):
        await asyncio.sleep(0)
    for other in others:
        other.cancel()
    async with asyncio.timeout(5):
        assert await first == "a"
    await asyncio.gather(*others, return_exceptions=True)
    assert "a" in await names(engine)
    assert await add(engine, "d") == "d"


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_fails_or_is_cancelled_what_was_said_to_be_kept_is(engine: SqliteEngine, seed: int) -> None:
    dice = random.Random(seed)
    tasks: dict[str, asyncio.Task[str]] = {}
    for number in range(60):
        name = str(number)
        tasks[name] = asyncio.create_task(add(engine, name, pause=dice.randrange(3), fail=dice.random() < 0.2))
        for _ in range(dice.choice([0, 0, 0, 1, 5, 20])):
            await asyncio.sleep(0)
        if dice.random() < 0.2:
            tasks[dice.choice(list(tasks))].cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    kept = {name for name, task in tasks.items() if not task.cancelled() and task.exception() is None}
    failed = {name for name, task in tasks.items() if not task.cancelled() and task.exception() is not None}
    assert not any(isinstance(tasks[name].exception(), DBAPIError) for name in failed)
    there = await names(engine)
    assert kept <= there
    assert not failed & there
    assert await add(engine, "last") == "last"


# --- the end ----------------------------------------------------------------------------------------------------------


def test_a_loop_that_ends_while_a_commit_is_waited_for_ends(tmp_path: Path) -> None:
    """Whoever ends it cancels every task, also the one that was to commit."""
    tasks: list[asyncio.Task[str]] = []

    async def main() -> None:
        engine = await made(tmp_path)
        tasks.extend(asyncio.create_task(add(engine, name, pause=5)) for name in "abc")
        for _ in range(9):
            await asyncio.sleep(0)

    asyncio.run(main())
    assert all(task.done() for task in tasks)


async def test_closing_that_is_given_up_leaves_nobody_waiting(engine: SqliteEngine) -> None:
    tasks = [asyncio.create_task(add(engine, name, pause=20)) for name in "ab"]
    for _ in range(30):
        await asyncio.sleep(0)
    closing = asyncio.create_task(engine.dispose())
    await asyncio.sleep(0)
    closing.cancel()
    async with asyncio.timeout(5):
        assert await asyncio.gather(*tasks) == ["a", "b"]
    assert await names(engine) == {"a", "b"}


async def test_closing_while_somebody_writes_says_so_and_leaves_nobody_waiting(engine: SqliteEngine) -> None:
    tasks = [asyncio.create_task(add(engine, name, pause=20)) for name in "ab"]
    for _ in range(5):
        await asyncio.sleep(0)
    await engine.dispose()
    async with asyncio.timeout(5):
        done = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, DBAPIError) for each in done)
    assert await names(SqliteEngine(engine.sync_engine.url, busy_seconds=1, pragmas=())) == set()


async def test_a_block_that_is_closed_by_hand_gives_the_turn_on(engine: SqliteEngine) -> None:
    written = add(engine, "a", pause=20)
    written.send(None)
    written.close()
    assert await add(engine, "b") == "b"
    assert await names(engine) == {"b"}


async def test_a_lock_that_somebody_keeps_is_a_database_error(tmp_path: Path) -> None:
    engine = await made(tmp_path, busy_seconds=0)
    with contextlib.closing(sqlite3.connect(tmp_path / "things.db", isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            await add(engine, "a")
    assert await add(engine, "b") == "b"
    await engine.dispose()
