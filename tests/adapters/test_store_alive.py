"""On PostgreSQL, what a process held is free soon after it has gone; on SQLite, when its lease ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest

from adapters.store import alive
from adapters.store.store import SqlStore
from tests.adapters.store_kit import (
    LEASE,
    NOON,
    a_message,
    due,
    migrated_database,
    migrated_file,
    sqlite_url,
    start,
)

__all__ = ["migrated_database", "migrated_file", "sqlite_url"]

HOUR = timedelta(hours=1)
HANG_UP = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND"
    " database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@pytest.fixture
def url(migrated_database: str) -> str:
    with psycopg.connect(migrated_database.replace("+psycopg", "")) as connection:
        connection.execute("TRUNCATE deployments, leases CASCADE")
        connection.execute("DELETE FROM outbox")
    return migrated_database


@pytest.fixture(autouse=True)
def in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alive, "LOOK", 0.02)
    monkeypatch.setattr(alive, "AGAIN", 0.02)
    monkeypatch.setattr(alive, "GRACE", 0.2)


@contextlib.asynccontextmanager
async def process(url: str, name: str) -> AsyncIterator[tuple[SqlStore, asyncio.Event]]:
    """A store that is there; the event is set when it has freed something."""
    store, freed = await SqlStore.open(url), asyncio.Event()
    await store.begin(name)
    living = asyncio.create_task(store.live(freed.set))
    try:
        yield store, freed
    finally:
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
        await store.close()


async def hold_everything(store: SqlStore, name: str) -> None:
    await start(store)
    async with store.write() as unit:
        await unit.plan_deadlines("one", [due("check:t30:0")])
        await unit.say([a_message("one:started", deployment="one")])
    assert await store.claim_due(NOON + HOUR, name, LEASE)
    assert await store.claim_outbox("web", name, LEASE)
    assert await store.claim_mirrors("web", name, LEASE)
    assert await store.hold("shard", "token", LEASE)


async def names(url: str) -> list[str]:
    async with await psycopg.AsyncConnection.connect(url.replace("+psycopg", "")) as connection:
        return [name for (name,) in await (await connection.execute("SELECT name FROM leases")).fetchall()]


async def is_free(store: SqlStore, name: str) -> list[bool]:
    return [
        bool(await store.claim_due(NOON + HOUR, name, LEASE)),
        bool(await store.claim_outbox("web", name, LEASE)),
        bool(await store.claim_mirrors("web", name, LEASE)),
        await store.hold("shard", "another", LEASE),
    ]


async def test_what_a_killed_process_held_is_free_for_the_others(url: str) -> None:
    async with process(url, "2-b") as (other, freed):
        killed = await SqlStore.open(url)
        await killed.begin("1-a")
        await hold_everything(killed, "1-a")
        assert await is_free(other, "2-b") == [False] * 4
        assert killed._life is not None
        assert killed._life._connection is not None
        await killed._life._connection.close()  # as the operating system does for a process that was killed
        async with asyncio.timeout(20):
            await freed.wait()
        assert await is_free(other, "2-b") == [True] * 4
        await killed._database.close()


async def test_the_next_start_finds_it_free_as_well(url: str) -> None:
    killed = await SqlStore.open(url)
    await killed.begin("1-a")
    await hold_everything(killed, "1-a")
    assert killed._life is not None
    assert killed._life._connection is not None
    await killed._life._connection.close()
    await killed._database.close()
    async with process(url, "2-b") as (other, freed), asyncio.timeout(20):
        await freed.wait()
        assert await is_free(other, "2-b") == [True] * 4


async def test_who_lives_keeps_what_it_holds_though_its_connection_was_lost(url: str) -> None:
    async with process(url, "1-a") as (store, _), process(url, "2-b") as (other, freed):
        await hold_everything(store, "1-a")
        for _ in range(3):
            with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
                connection.execute(HANG_UP)
            await asyncio.sleep(alive.GRACE / 2)
        await asyncio.sleep(alive.GRACE * 2)
        assert not freed.is_set()
        assert await is_free(other, "2-b") == [False] * 4


async def test_who_was_taken_for_gone_is_there_again(url: str) -> None:
    async with process(url, "1-a") as (store, _), process(url, "2-b") as (_, freed):
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("DELETE FROM leases")
        async with asyncio.timeout(20):
            while len(await names(url)) < 2:  # noqa: ASYNC110 only the database knows
                await asyncio.sleep(alive.LOOK)
        await hold_everything(store, "1-a")
        assert store._life is not None
        assert store._life._connection is not None
        store._life._possible = False  # it does not come back
        await store._life._connection.close()
        async with asyncio.timeout(20):
            await freed.wait()


async def test_a_database_that_is_away_at_first_is_no_reason_to_be_missing_for_ever(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("connection refused")

    store = await SqlStore.open(url)
    with monkeypatch.context() as patch:
        patch.setattr(psycopg.AsyncConnection, "connect", away)
        await store.begin("1-a")
    assert await names(url) == []
    living = asyncio.create_task(store.live(lambda: None))
    async with asyncio.timeout(20):
        while await names(url) == []:  # noqa: ASYNC110 only the database knows
            await asyncio.sleep(alive.LOOK)
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)
    await store.close()


async def test_a_process_that_ends_in_good_order_holds_nothing_and_leaves_no_name(url: str) -> None:
    async with process(url, "1-a") as (store, _):
        await hold_everything(store, "1-a")
    assert await names(url) == []
    other = await SqlStore.open(url)
    assert await is_free(other, "2-b") == [True] * 4
    await other.close()


async def test_on_sqlite_leases_end_by_their_time(sqlite_url: str) -> None:
    async with process(sqlite_url, "1-a") as (store, freed), asyncio.timeout(5):
        await store.live(freed.set)  # returns: there is nobody else
        assert not freed.is_set()
        assert await store.hold("shard", "token", LEASE)
