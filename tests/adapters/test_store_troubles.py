"""What goes wrong with databases, and the sentence people get: what it was, and what to do now."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from adapters.store import engine
from adapters.store.engine import address
from adapters.store.migrate import check, migrate
from adapters.store.onlyone import hold
from adapters.store.store import SqlStore
from bot.ports import Conflict, StoreError
from tests.adapters.store_kit import (
    a_row,
    migrated_file,
    note,
    python,
    spoiled_url,
    sqlite_url,
    start,
    tick,
)
from tests.postgres import PostgresServer

__all__ = ["migrated_file", "python", "spoiled_url", "sqlite_url"]


async def complaint(work: Awaitable[object]) -> str:
    """The sentence of the StoreError it ends with."""
    with pytest.raises(StoreError) as raised:
        await work
    assert not isinstance(raised.value, Conflict)
    return str(raised.value)


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def execute(url: str, *statements: str) -> None:
    """What somebody with a database shell does."""
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(file_of(url))) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
    else:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:///var/gonogo.db", "sqlite:///var/gonogo.db"),
        ("sqlite:////srv/gonogo.db", "sqlite:////srv/gonogo.db"),
        (" sqlite+pysqlite:///gonogo.db\n", "sqlite:///gonogo.db"),
        ("postgres://ann:p%40ss@db/gonogo", "postgresql+psycopg://ann:p%40ss@db/gonogo"),
        ("postgresql://db:5433/gonogo?sslmode=require", "postgresql+psycopg://db:5433/gonogo?sslmode=require"),
        ("postgresql+asyncpg://db/gonogo", "postgresql+psycopg://db/gonogo"),
    ],
)
def test_an_address_is_used_with_the_driver_gonogo_has(given: str, used: str) -> None:
    assert address(given).render_as_string(hide_password=False) == used


@pytest.mark.parametrize(
    "given", ["", "gonogo.db", "mysql://db/gonogo", "sqlite://", "sqlite:///:memory:", "postgres:"]
)
def test_an_address_that_is_none_is_refused_with_examples(given: str) -> None:
    with pytest.raises(StoreError, match="Write `sqlite:///path/to"):
        address(given)


# --- SQLite -----------------------------------------------------------------------------------------------------------


async def test_a_missing_file_is_not_made_by_opening_it(tmp_path: Path) -> None:
    said = await complaint(SqlStore.open(f"sqlite:///{tmp_path}/gonogo.db"))
    assert "There is no database at" in said
    assert "gonogo migrate" in said
    assert not (tmp_path / "gonogo.db").exists()


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    said = await complaint(migrate(f"sqlite:///{tmp_path}/nowhere/gonogo.db"))
    assert f"{tmp_path}/nowhere/gonogo.db" in said
    assert "Check that its folder exists" in said


async def test_a_folder_is_no_database(tmp_path: Path) -> None:
    assert "cannot be opened" in await complaint(migrate(f"sqlite:///{tmp_path}"))
    assert "There is no database" in await complaint(check(f"sqlite:///{tmp_path}"))


@pytest.mark.parametrize("work", [migrate, check, SqlStore.open])
async def test_another_kind_of_file_is_left_alone(tmp_path: Path, work: Callable[[str], Awaitable[object]]) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but long enough to be taken for one\n" * 100)
    before = file.read_bytes()
    assert "is not a SQLite database" in await complaint(work(f"sqlite:///{file}"))
    assert file.read_bytes() == before


async def test_a_damaged_file_is_said_to_be_damaged(sqlite_url: str) -> None:
    with file_of(sqlite_url).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (file_of(sqlite_url).stat().st_size - 4096))
    assert "damaged" in await complaint(SqlStore.open(sqlite_url))


@pytest.fixture
def unwritable(migrated_file: Path) -> Iterator[Path]:
    """A migrated file, and then neither it nor its folder can be written; root becomes nobody for that."""
    folder = Path(tempfile.mkdtemp())
    file = Path(shutil.copy(migrated_file, folder / "gonogo.db"))
    file.chmod(0o444)
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield file
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)
        shutil.rmtree(folder)


async def test_a_read_only_file_in_a_read_only_folder_is_said_to_be_so(unwritable: Path) -> None:
    for work in (migrate, SqlStore.open):
        said = await complaint(work(f"sqlite:///{unwritable}"))
        assert "the user gonogo runs as" in said
    said = await complaint(migrate(f"sqlite:///{unwritable.with_name('new.db')}"))
    assert "the user gonogo runs as" in said
    with pytest.raises(StoreError, match="cannot be made"), hold(f"sqlite:///{unwritable}"):
        pass


async def test_a_file_that_became_read_only_is_said_to_be_so(sqlite_url: str) -> None:
    store = await SqlStore.open(sqlite_url)
    event.listen(store._database._engine.sync_engine, "begin", lambda c: c.exec_driver_sql("PRAGMA query_only=ON"))
    assert "cannot be written" in await complaint(start(store))
    await store.close()


async def test_a_full_disk_loses_nothing_but_the_change(sqlite_url: str) -> None:
    store = await SqlStore.open(sqlite_url)
    await start(store)
    limited = True

    def as_full(connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={1 if limited else 2**30}")

    event.listen(store._database._engine.sync_engine, "begin", as_full)

    async def write_much() -> None:
        async with store.write() as unit:
            await unit.append(a_row(revision=2), 1, [note("x" * 500_000)])

    said = await complaint(write_much())
    assert "is full; nothing was changed" in said
    async with store.read() as unit:
        assert await unit.events("one") == [tick()]
    limited = False
    await write_much()
    await store.close()


async def test_a_file_locked_by_another_process_is_said_to_be_so(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0)
    store = await SqlStore.open(sqlite_url)
    with contextlib.closing(sqlite3.connect(file_of(sqlite_url), isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        assert "is locked by another process" in await complaint(start(store))
        assert await store.next_due() is None, "reading goes on"
    await start(store)
    await store.close()


# --- either -----------------------------------------------------------------------------------------------------------


async def test_an_older_database_asks_for_the_migration(spoiled_url: str) -> None:
    execute(spoiled_url, "DELETE FROM alembic_version")
    assert "gonogo migrate" in await complaint(SqlStore.open(spoiled_url))


async def test_a_table_that_is_gone_asks_for_the_migration(spoiled_url: str) -> None:
    store = await SqlStore.open(spoiled_url)
    execute(spoiled_url, "DROP TABLE events")
    said = await complaint(start(store))
    await store.close()
    assert "lacks a table" in said
    assert "gonogo migrate" in said


async def test_a_fact_of_a_newer_release_is_refused(spoiled_url: str) -> None:
    store = await SqlStore.open(spoiled_url)
    await start(store)
    execute(spoiled_url, """UPDATE events SET body = '{"kind": "teleported"}'""")

    async def read() -> None:
        async with store.read() as unit:
            await unit.events("one")

    assert "another version of gonogo" in await complaint(read())
    await store.close()


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


async def test_a_server_that_is_down_is_named_without_the_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        port = taken.getsockname()[1]
        said = await complaint(SqlStore.open(f"postgres://ann:secret@127.0.0.1:{port}/gonogo"))
    assert f"The PostgreSQL database gonogo at 127.0.0.1:{port} cannot be reached" in said
    assert "secret" not in said
    assert "ann:" not in said


async def test_a_database_that_does_not_exist_is_named(postgres_server: PostgresServer) -> None:
    said = await complaint(SqlStore.open(postgres_server.url("no_such")))
    assert "no_such" in said
    assert "does not exist" in said


async def test_an_empty_database_asks_for_the_migration(postgres_url: str) -> None:
    assert "gonogo migrate" in await complaint(SqlStore.open(postgres_url))


HANG_UP = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND datname = current_database()
"""


@pytest.fixture
async def on_postgres(postgres_url: str) -> Any:
    """A Store on PostgreSQL."""
    await migrate(postgres_url)
    store = await SqlStore.open(postgres_url)
    yield store
    await store.close()


async def test_a_server_that_was_restarted_is_found_again(on_postgres: SqlStore, postgres_url: str) -> None:
    await start(on_postgres)
    execute(postgres_url, HANG_UP)
    async with on_postgres.read() as unit:
        assert await unit.row("one") == a_row()


async def test_a_server_lost_in_the_middle_keeps_nothing(on_postgres: SqlStore, postgres_url: str) -> None:
    async def lose_it() -> None:
        async with on_postgres.write() as unit:
            await unit.append(a_row(), 0, [tick()])
            execute(postgres_url, HANG_UP)
            await unit.row("one")

    await complaint(lose_it())
    async with on_postgres.read() as unit:
        assert await unit.row("one") is None
    await start(on_postgres)


# --- one gonogo per file ----------------------------------------------------------------------------------------------

HOLDS = """
import sys
from adapters.store.onlyone import hold

with hold(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""


async def test_a_file_is_held_against_other_processes_until_the_holder_dies(
    sqlite_url: str, python: Callable[..., Any]
) -> None:
    holder = await python(HOLDS, sqlite_url)
    assert await holder.stdout.readline() == b"held\n"
    with pytest.raises(StoreError) as raised, hold(sqlite_url):
        pass
    assert f"Another gonogo (pid {holder.pid}) already runs on {file_of(sqlite_url)}" in str(raised.value)
    assert "GONOGO_DATABASE_URL" in str(raised.value)
    holder.kill()
    await holder.wait()
    with hold(sqlite_url):
        pass


def test_a_file_under_another_name_is_the_same_file(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(file_of(sqlite_url))
    with hold(sqlite_url):
        with pytest.raises(StoreError, match=str(os.getpid())), hold(f"sqlite:///{tmp_path}/link.db"):
            pass
        with hold(f"sqlite:///{tmp_path}/another.db"):
            pass
    with hold(f"sqlite:///{tmp_path}/link.db"):
        pass


def test_on_postgres_any_number_may_run() -> None:
    with hold("postgresql://db/gonogo"), hold("postgresql://db/gonogo"):
        pass
