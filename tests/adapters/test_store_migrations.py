"""The migrations make exactly the tables the code expects, all or nothing, wherever gonogo is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect, text

from adapters.store.engine import address, engine_for
from adapters.store.migrate import check, config_for, migrate
from adapters.store.store import SqlStore
from bot.ports import StoreError
from tests.adapters.store_kit import a_row, empty, migrated_file, start

__all__ = ["empty", "migrated_file"]


T = TypeVar("T")


async def inside(url: str, work: Callable[[Connection], T]) -> T:
    """Do it on a connection, and save it."""
    engine = engine_for(address(url))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


async def test_the_migrations_make_exactly_the_tables_of_the_code(empty: str) -> None:
    await migrate(empty)
    await inside(empty, lambda connection: command.check(config_for(connection)))


async def test_a_table_the_migrations_forgot_would_be_noticed(empty: str) -> None:
    await migrate(empty)
    await inside(empty, lambda connection: connection.execute(text("ALTER TABLE outbox DROP COLUMN why_later")))
    with pytest.raises(Exception, match="why_later"):
        await inside(empty, lambda connection: command.check(config_for(connection)))


async def test_migrating_again_changes_nothing(empty: str) -> None:
    await migrate(empty)
    store = await SqlStore.open(empty)
    await start(store)
    await migrate(empty)
    await check(empty)
    async with store.read() as unit:
        assert await unit.row("one") == a_row()
    await store.close()


async def test_two_may_migrate_at_once(empty: str) -> None:
    await asyncio.gather(*(migrate(empty) for _ in range(3)))
    await check(empty)


async def test_a_migration_that_fails_leaves_the_database_as_it_was(empty: str) -> None:
    await inside(empty, lambda connection: connection.execute(text("CREATE TABLE posted_cards (mine int)")))
    with pytest.raises(StoreError, match="already exists"):
        await migrate(empty)
    assert await inside(empty, lambda connection: inspect(connection).get_table_names()) == ["posted_cards"]


async def test_a_database_without_tables_asks_for_the_migration(empty: str) -> None:
    await inside(empty, lambda connection: connection.execute(text("SELECT 1")))
    with pytest.raises(StoreError, match="gonogo migrate"):
        await check(empty)


async def test_it_needs_no_file_of_the_folder_it_runs_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "100% away").mkdir()
    monkeypatch.chdir(tmp_path / "100% away")
    await migrate("sqlite:///gonogo.db")
    await check("sqlite:///gonogo.db")
    assert (tmp_path / "100% away" / "gonogo.db").is_file()


async def test_there_is_no_way_back(migrated_file: Path, tmp_path: Path) -> None:
    def downgrade(connection: Connection) -> None:
        config: Config = config_for(connection)
        command.downgrade(config, "base")

    (tmp_path / "copy.db").write_bytes(migrated_file.read_bytes())
    with pytest.raises(NotImplementedError, match="restore the backup"):
        await inside(f"sqlite:///{tmp_path}/copy.db", downgrade)
    await check(f"sqlite:///{tmp_path}/copy.db")
