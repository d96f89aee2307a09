"""Brings a database to the tables of this release, and tells whether it is there.

A release that needs other tables comes with a migration. Migrations only add (`tests/adapters/test_upgrades.py` holds
that), so a release works on the tables of a newer one too: while processes are upgraded one after the other, those of
both are at work, and an older one that is restarted meanwhile comes up again. There is no migration back: restore the
backup made before it.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection, inspect, text

from adapters.store.engine import address, describe, engine_for, file_of
from adapters.store.errors import MIGRATE, told
from adapters.store.tables import metadata
from bot.ports import StoreError

if TYPE_CHECKING:
    # Loaded when there is something to migrate: a start that has nothing to do does without it.
    from alembic.config import Config

REVISION = "0005"
"""The newest migration; a test holds the two equal."""
_ONE_AT_A_TIME = 0x676F6E6F  # the number of PostgreSQL's advisory lock: "gono"

log = structlog.get_logger(__name__)


async def migrate(url: str) -> None:
    """Make or change the tables; harmless to repeat, and all or nothing. The tables of a newer release are left as they
    are. Raises StoreError.

    A missing SQLite file is made, its folder is not.
    """
    parsed = address(url)
    # Changing a SQLite table means copying and dropping it, which foreign keys would forbid.
    engine = engine_for(parsed, foreign_keys=False)
    try:
        with told(describe(parsed)):
            async with engine.connect() as connection:
                if await connection.run_sync(_is_ready, describe(parsed)):
                    return
            async with engine.begin() as connection:
                await connection.run_sync(_upgrade, describe(parsed))
    finally:
        await engine.dispose()


async def check(url: str) -> None:
    """Raises StoreError, with what to do now, unless the database has the tables of this release, or of a newer one
    that this one can work on."""
    parsed = address(url)
    if (file := file_of(parsed)) and not file.is_file():
        raise StoreError(f"There is no database at {file}. {MIGRATE}")
    engine = engine_for(parsed)
    try:
        with told(describe(parsed)):
            async with engine.connect() as connection:
                await connection.run_sync(_check, describe(parsed))
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, where: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = '60s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ONE_AT_A_TIME})
    if _is_ready(connection, where):
        return  # somebody else was faster
    from alembic import command

    command.upgrade(config_for(connection), "heads")
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise StoreError(f"{where} has rows that belong to nothing, so it was left as it was. Restore a backup.")


def _check(connection: Connection, where: str) -> None:
    if not _is_ready(connection, where):
        raise StoreError(f"{where} does not have the tables of this release yet. {MIGRATE}")


def _is_ready(connection: Connection, where: str) -> bool:
    """Whether there is nothing to migrate. Raises StoreError for a newer release's tables that are of no use here."""
    has = _revisions(connection)
    if has == {REVISION}:
        return True
    unknown = has - _known()
    if unknown:
        revision = ", ".join(sorted(unknown))
        if lacks := _lacks(connection):
            raise StoreError(
                f"{where} was made by a newer gonogo (revision {revision}), and this one cannot work on it: {lacks}. "
                "Install that version or restore a backup."
            )
        log.warning("database.newer", revision=revision, database=where)
    return bool(unknown)


def _revisions(connection: Connection) -> set[str]:
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def _known() -> set[str]:
    """Every migration of this release."""
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory(str(files("migrations"))).walk_revisions()}


def _lacks(connection: Connection) -> str:
    """What keeps this release from working on the tables that are there, in words; empty: nothing."""
    there = {name: columns for (_, name), columns in inspect(connection).get_multi_columns().items()}
    for table in metadata.sorted_tables:
        if table.name not in there:
            return f"there is no table {table.name}"
        columns = {column["name"]: column for column in there[table.name]}
        if missing := [name for name in table.columns.keys() if name not in columns]:  # noqa: SIM118 keys are names
            return f"{table.name} has no {', '.join(missing)}"
        for name, column in columns.items():
            if name not in table.columns and not column["nullable"] and column["default"] is None:
                return f"{table.name} wants a {name}"
    return ""


def config_for(connection: Connection) -> Config:
    """Alembic's configuration for a connection already in a transaction, wherever the package is installed."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    return config
