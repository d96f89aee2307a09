"""What the two databases say differently, and the words every lease needs."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Table, or_
from sqlalchemy.dialects import postgresql, sqlite

from adapters.store.engine import AnyConnection


def real_now() -> datetime:
    """The instant by the machine's own clock. Leases are about processes, so the product's clock does not move them."""
    return datetime.fromtimestamp(time.time(), UTC)


def new_lease(owner: str) -> str:
    """A token no other claim has, not even the same owner's next one."""
    return f"{owner}:{secrets.token_hex(8)}"


def free(table: FromClause, now: datetime) -> ColumnElement[bool]:
    """Whether nobody holds a row."""
    return or_(table.c.held_until.is_(None), table.c.held_until <= now)


def ripe(table: Table, now: datetime) -> ColumnElement[bool]:
    """Whether nobody has put a row off."""
    return or_(table.c.not_before.is_(None), table.c.not_before <= now)


def insert_into(connection: AnyConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """The same, for a kind of database."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def insert_new(connection: AnyConnection, table: Table, key: str) -> Any:
    """An INSERT that leaves alone what has the same key."""
    return insert_into(connection, table).inline().on_conflict_do_nothing(index_elements=[key])
