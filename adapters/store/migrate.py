"""Brings a database to the tables of this release, and tells whether it is there.

A release that needs other tables comes with a migration. There is none back: restore the backup made before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sqlite3
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from adapters.store.engine import BUSY_SECONDS, address, describe, engine_for, file_of
from adapters.store.errors import MIGRATE, told
from bot.ports import StoreError

_ONE_AT_A_TIME = 0x676F6E6F  # the number of PostgreSQL's advisory lock: "gono"


async def migrate(url: str) -> None:
    """Make or change the tables; harmless to repeat, and all or nothing. Raises StoreError.

    A missing SQLite file is made, its folder is not.
    """
    parsed = address(url)
    await _must_open(parsed)
    # Changing a SQLite table means copying and dropping it, which foreign keys would forbid.
    engine = engine_for(parsed, foreign_keys=False)
    try:
        with told(describe(parsed)):
            async with engine.begin() as connection:
                await connection.run_sync(_upgrade, describe(parsed))
    finally:
        await engine.dispose()


async def check(url: str) -> None:
    """Raises StoreError, with what to do now, unless the database has exactly the tables of this release."""
    parsed = address(url)
    if (file := file_of(parsed)) and not file.is_file():
        raise StoreError(f"There is no database at {file}. {MIGRATE}")
    await _must_open(parsed)
    engine = engine_for(parsed)
    try:
        with told(describe(parsed)):
            async with engine.execution_options(readonly=True).connect() as connection:
                await connection.run_sync(_check, describe(parsed))
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, where: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = '60s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ONE_AT_A_TIME})
    if _is_current(connection, where):
        return
    config = config_for(connection)
    command.upgrade(config, "heads")
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise StoreError(f"{where} has rows that belong to nothing, so it was left as it was. Restore a backup.")


def _check(connection: Connection, where: str) -> None:
    if not _is_current(connection, where):
        raise StoreError(f"{where} does not have the tables of this release yet. {MIGRATE}")


def _is_current(connection: Connection, where: str) -> bool:
    has = set(MigrationContext.configure(connection).get_current_heads())
    scripts = _scripts()
    known = {script.revision for script in scripts.walk_revisions()}
    if unknown := has - known:
        raise StoreError(
            f"{where} was made by a newer gonogo (revision {', '.join(sorted(unknown))}). "
            "Install that version or restore a backup."
        )
    return has == set(scripts.get_heads())


def config_for(connection: Connection) -> Config:
    """Alembic's configuration for a connection already in a transaction, wherever the package is installed."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    return config


@functools.cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(files("migrations")))


async def _must_open(url: URL) -> None:
    # aiosqlite that cannot open a file leaves a thread behind, which complains on the terminal when the program ends.
    def look(file: Path) -> None:
        with contextlib.closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA schema_version").fetchone()

    if file := file_of(url):
        with told(describe(url)):
            await asyncio.to_thread(look, file)
