"""Migrations only add: a release goes on working on the tables of the one after it, so that processes can be upgraded
one after the other. Each migration is run on rows of the release before it; then that release's own rows are written
once more."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.types import TypeEngine
from structlog.testing import capture_logs

from adapters.store.engine import address, engine_for
from adapters.store.migrate import REVISION, check, config_for, migrate
from adapters.store.store import SqlStore
from bot.ports import StoreError
from tests.adapters.store_kit import ROOT, empty, migrated_file, spoiled_url, sqlite_url, start
from tests.postgres import PostgresServer

__all__ = ["empty", "migrated_file", "spoiled_url", "sqlite_url"]

SCRIPTS = ScriptDirectory(str(ROOT / "migrations"))
CHAIN = [script.revision for script in reversed(list(SCRIPTS.walk_revisions()))]
STEPS = list(itertools.pairwise(CHAIN))


async def inside(url: str, *works: Callable[[Connection], Any]) -> list[Any]:
    """Do each on a connection, in a transaction of its own."""
    engine = engine_for(address(url))
    try:
        found = []
        for work in works:
            async with engine.begin() as connection:
                found.append(await connection.run_sync(work))
        return found
    finally:
        await engine.dispose()


def to(revision: str) -> Callable[[Connection], None]:
    return lambda connection: command.upgrade(config_for(connection), revision)


def tables_of(connection: Connection) -> dict[str, Table]:
    """All tables as they stand in the database, those first that others refer to."""
    metadata = MetaData()
    metadata.reflect(connection)
    return {table.name: table for table in metadata.sorted_tables if table.name != "alembic_version"}


# --- what a migration may do ------------------------------------------------------------------------------------------


def broken(before: dict[str, Table], after: dict[str, Table]) -> list[str]:
    """What the release before a migration could not work with."""
    found = []
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            found.append(f"{name} is gone")
            continue
        for column in old.columns:
            now = new.columns.get(column.name)
            if now is None:
                found.append(f"{name}.{column.name} is gone")
            elif column.nullable and not now.nullable:
                found.append(f"{name}.{column.name} may not be empty any more")
            elif not holds(now.type, column.type):
                found.append(f"{name}.{column.name} was {column.type} and is {now.type}")
        found += [
            f"{name}.{column.name} has to be written"
            for column in new.columns
            if column.name not in old.columns and not column.nullable and column.server_default is None
        ]
        found += [f"{name}: {rule} is new" for rule in sorted(rules(new) - rules(old))]
    return found


def holds(new: TypeEngine[Any], old: TypeEngine[Any]) -> bool:
    """Whether a column of the one type takes whatever the other took, and gives it back as it was."""
    if isinstance(new, String) and isinstance(old, String):  # Text is one of them
        return new.length is None or (old.length is not None and new.length >= old.length)
    if isinstance(old, Integer) and not isinstance(old, BigInteger):
        return isinstance(new, Integer)
    return isinstance(new, type(old)) or str(new) == str(old)


def rules(table: Table) -> set[str]:
    """What rows of a table are refused for."""
    keys = [f"unique {sorted(column.name for column in index.columns)}" for index in table.indexes if index.unique]
    others = [
        f"{type(rule).__name__} {sorted(column.name for column in rule.columns)} {getattr(rule, 'sqltext', '')}".strip()
        for rule in table.constraints
        if getattr(rule, "columns", None) is not None
    ]
    return {*keys, *others}


def a_value(column: Any, number: int) -> Any:
    if isinstance(column.type, Boolean):
        return number == 1  # one at most holds a lock
    if isinstance(column.type, Integer):
        return number
    if isinstance(column.type, LargeBinary):
        return b"# Shop"
    assert isinstance(column.type, String), column.type
    return f"r{number}"


def write_all(tables: dict[str, Table], number: int, *, every: bool) -> Callable[[Connection], None]:
    """A row for each table, with every column or only with what has to be there."""

    def write(connection: Connection) -> None:
        for table in tables.values():
            row = {column.name: a_value(column, number) for column in table.columns if every or not column.nullable}
            connection.execute(insert(table).values(row))

    return write


def change_all(tables: dict[str, Table], number: int) -> Callable[[Connection], None]:
    """Every column that is not part of a key, of the row of that number."""

    def change(connection: Connection) -> None:
        for table in tables.values():
            keys = [column == a_value(column, number) for column in table.primary_key.columns]
            values = {
                column.name: a_value(column, number)
                for column in table.columns
                if column.name not in table.primary_key.columns
            }
            assert connection.execute(update(table).where(*keys).values(values)).rowcount == 1, table.name

    return change


def everything(tables: dict[str, Table]) -> Callable[[Connection], dict[str, list[Any]]]:
    return lambda connection: {
        name: sorted(map(tuple, connection.execute(select(table))), key=repr) for name, table in tables.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), STEPS)
async def test_a_release_goes_on_on_the_tables_of_the_next(empty: str, before: str, after: str) -> None:
    _, old = await inside(empty, to(before), tables_of)
    _, _, kept = await inside(empty, write_all(old, 1, every=True), write_all(old, 2, every=False), everything(old))
    _, new, still = await inside(empty, to(after), tables_of, everything(old))
    assert broken(old, new) == []
    assert still == kept, "what was written before the migration reads as it did"
    await inside(
        empty, write_all(old, 3, every=True), write_all(old, 4, every=False), change_all(old, 3), change_all(old, 1)
    )


HARM = {
    "mirrors is gone": "DROP TABLE mirrors",
    "outbox.why_later is gone": "ALTER TABLE outbox RENAME COLUMN why_later TO why",
    "outbox.said_in is gone": "ALTER TABLE outbox DROP COLUMN said_in",
    "tokens.last_used_at may not be empty any more": "ALTER TABLE tokens ALTER COLUMN last_used_at SET NOT NULL",
    "deadlines.due was BIGINT and is INTEGER": "ALTER TABLE deadlines ALTER COLUMN due TYPE integer",
    "events.kind was VARCHAR and is VARCHAR(10)": "ALTER TABLE events ALTER COLUMN kind TYPE varchar(10)",
    "leases.since has to be written": "ALTER TABLE leases ADD COLUMN since bigint NOT NULL",
    "deployments: unique ['version'] is new": "CREATE UNIQUE INDEX one ON deployments (version)",
    "deliveries: UniqueConstraint ['answer'] is new": "ALTER TABLE deliveries ADD UNIQUE (answer)",
    "events: CheckConstraint [] seq < 10 is new": "ALTER TABLE events ADD CHECK (seq < 10)",
}
HARMLESS = (
    "ALTER TABLE leases ADD COLUMN note text",
    "ALTER TABLE leases ADD COLUMN tries integer NOT NULL DEFAULT 0",
    "ALTER TABLE outbox ALTER COLUMN attempts TYPE bigint",
    "ALTER TABLE sandbox_messages ALTER COLUMN key TYPE varchar(400)",
    "CREATE INDEX kinds ON events (kind)",
    "CREATE TABLE more (id integer PRIMARY KEY)",
)


@pytest.mark.slow
def test_what_would_stop_the_release_before_is_found(postgres_server: PostgresServer) -> None:
    template = postgres_server.create()
    asyncio.run(migrate(postgres_server.url(template)))
    for told, statements in [*((told, (harm,)) for told, harm in HARM.items()), ("", HARMLESS)]:
        name = postgres_server.create(template)
        url = postgres_server.url(name)
        changes = [lambda connection, s=statement: connection.execute(text(s)) for statement in statements]
        before, *_, after = asyncio.run(inside(url, tables_of, *changes, tables_of))
        assert broken(before, after) == ([told] if told else [])
        postgres_server.drop(name)
    postgres_server.drop(template)


def test_the_newest_migration_is_the_one_the_code_asks_for() -> None:
    assert SCRIPTS.get_heads() == [REVISION]


# --- on the tables of a newer release ---------------------------------------------------------------------------------


def newer(url: str, *statements: str) -> None:
    """As a newer release leaves it."""

    def change(connection: Connection) -> None:
        for statement in (*statements, "UPDATE alembic_version SET version_num = 'fe80'"):
            connection.execute(text(statement))

    asyncio.run(inside(url, change))


def test_an_older_process_comes_up_on_the_tables_of_a_newer_release(spoiled_url: str) -> None:
    newer(
        spoiled_url,
        "ALTER TABLE deployments ADD COLUMN region varchar",
        "ALTER TABLE events ADD COLUMN weight integer NOT NULL DEFAULT 0",
        "CREATE TABLE regions (name varchar PRIMARY KEY)",
    )

    async def work() -> None:
        await migrate(spoiled_url)
        store = await SqlStore.open(spoiled_url)
        await start(store)
        async with store.read() as unit:
            assert [row.id for row in await unit.rows()] == ["one"]
        await store.close()

    with capture_logs() as logs:
        asyncio.run(work())
    assert {(entry["event"], entry["revision"]) for entry in logs} == {("database.newer", "fe80")}
    left = asyncio.run(inside(spoiled_url, lambda connection: inspect(connection).get_table_names()))
    assert "regions" in left[0]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("DROP TABLE posted_cards", "there is no table posted_cards"),
        ("ALTER TABLE outbox DROP COLUMN why_later", "outbox has no why_later"),
        ("CREATE TABLE other (id integer); DROP TABLE leases", "there is no table leases"),
    ],
)
def test_a_newer_release_that_took_something_away_is_said_to_be_so(spoiled_url: str, change: str, why: str) -> None:
    newer(spoiled_url, *change.split("; "))
    for work in (migrate, check, SqlStore.open):
        with pytest.raises(StoreError) as raised:
            asyncio.run(work(spoiled_url))  # type: ignore[arg-type]
        assert f"was made by a newer gonogo (revision fe80), and this one cannot work on it: {why}." in str(
            raised.value
        )
        assert "Install that version or restore a backup." in str(raised.value)


def test_a_column_that_only_a_newer_release_can_fill_is_said_to_be_so(postgres_url: str) -> None:
    asyncio.run(migrate(postgres_url))
    newer(postgres_url, "ALTER TABLE events ADD COLUMN weight integer NOT NULL")
    with pytest.raises(StoreError, match="events wants a weight"):
        asyncio.run(check(postgres_url))
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("fe80",)]
