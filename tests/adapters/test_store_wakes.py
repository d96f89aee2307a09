"""Processes on one PostgreSQL hear of each other's commits at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from adapters.store import wakes
from adapters.store.store import SqlStore
from bot import relay
from tests.adapters.store_kit import a_row, migrated_database, migrated_file, sqlite_url, start, store, tick
from tests.core_kit import Core, a_folder, open_core

__all__ = ["migrated_database", "migrated_file", "sqlite_url", "store"]

HANG_UP = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' AND datname = %s"


class Ear:
    """Counts what it hears."""

    def __init__(self) -> None:
        self.heard = 0
        self.rang = asyncio.Event()

    def __call__(self) -> None:
        self.heard += 1
        self.rang.set()

    async def hears(self, count: int) -> None:
        """Until it has heard so often."""
        async with asyncio.timeout(20):
            while self.heard < count:
                self.rang.clear()
                await self.rang.wait()


@contextlib.asynccontextmanager
async def listening(store: SqlStore, ear: Ear) -> AsyncIterator[None]:
    """From when it is connected, which is heard as well, to the end of the block."""
    task = asyncio.create_task(store.listen(ear))
    try:
        await ear.hears(ear.heard + 1)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def url(postgres_url: str, migrated_database: str) -> str:
    """PostgreSQL alone. Emptied as every test of the Store does."""
    del postgres_url
    with psycopg.connect(migrated_database.replace("+psycopg", "")) as connection:
        connection.execute("TRUNCATE deployments CASCADE")
    return migrated_database


@pytest.fixture
async def other(url: str) -> AsyncIterator[SqlStore]:
    store = await SqlStore.open(url)
    yield store
    await store.close()


async def test_a_commit_is_heard_by_the_other_process_and_not_by_its_own(store: SqlStore, other: SqlStore) -> None:
    own, others = Ear(), Ear()
    async with listening(store, own), listening(other, others):
        await start(store)
        await others.hears(2)
        await start(other, "two")
        await own.hears(2)
        # Notifications come in order: its own would have come first.
        assert (own.heard, others.heard) == (2, 2)


async def test_what_only_reads_or_is_undone_is_not_heard(store: SqlStore, other: SqlStore) -> None:
    ear = Ear()
    async with listening(other, ear):
        async with store.read() as unit:
            await unit.rows()
        async with store.write() as unit:
            await unit.rows()
        with contextlib.suppress(KeyError):
            async with store.write() as unit:
                await unit.append(a_row(), 0, [tick()])
                raise KeyError
        await start(store, "two")
        await ear.hears(2)
        assert ear.heard == 2


async def test_a_lost_connection_is_made_again_and_what_was_missed_is_looked_for(
    store: SqlStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakes, "FIRST", 0.01)
    ear = Ear()
    async with listening(store, ear):
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute(HANG_UP, [connection.info.dbname])
        await ear.hears(2)
        other = await SqlStore.open(url)
        await start(other)
        await ear.hears(3)
        await other.close()


async def test_on_sqlite_there_is_nobody_to_hear(sqlite_url: str) -> None:
    store = await SqlStore.open(sqlite_url)
    ear = Ear()
    async with asyncio.timeout(5):
        await store.listen(ear)
    await store.close()
    assert ear.heard == 0


async def test_a_click_in_one_process_is_shown_by_the_relay_of_another_without_a_poll(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "POLL", relay.POLL * 10_000)
    async with open_core(url, a_folder(tmp_path / "checklists")) as core, core.second() as worker:
        ear = Ear()

        def wake() -> None:
            worker.relay.wake()
            ear()

        listening = asyncio.create_task(worker.store.listen(wake))
        working = asyncio.create_task(worker.relay.run())
        try:
            await ear.hears(1)
            await core.start("v1.2.0")
            await _shown(core)
        finally:
            for task in (listening, working):
                task.cancel()
            await asyncio.gather(listening, working, return_exceptions=True)


async def _shown(core: Core) -> None:
    async with asyncio.timeout(20):
        while not await core.texts():  # noqa: ASYNC110 the page's bell is the worker's
            await asyncio.sleep(0.01)
