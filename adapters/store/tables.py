"""The tables of gonogo's own data. `migrations/versions` makes them; a test holds the two equal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept as whole microseconds since 1970 UTC: exact and in order on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"{value.isoformat()} has no time zone: an instant needs one")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MICROSECOND


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

ONE_LOCK = "ix_deployments_one_lock"
"""The index that lets one deployment at most hold a service and environment."""


def _deployment(*, primary_key: bool) -> Column[Any]:
    # Looked at on commit, so that a unit may plan and say things before it appends the deployment they belong to.
    row = ForeignKey("deployments.id", deferrable=True, initially="DEFERRED")
    return Column("deployment", String, row, primary_key=primary_key, nullable=not primary_key)


def _lease() -> tuple[Column[Any], Column[Any]]:
    """Who holds a row, as a token no other claim has, and until when by the real clock."""
    return Column("held_by", String), Column("held_until", Instant)


checklists = Table(
    "checklists",
    metadata,
    Column("digest", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("markdown", LargeBinary, nullable=False),
    Column("policy", Text),
)

deployments = Table(
    "deployments",
    metadata,
    Column("id", String, primary_key=True),
    Column("service", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("version", String, nullable=False),
    Column("checklist", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("status", String, nullable=False),
    Column("locked", Boolean, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("started_by", String, nullable=False),
    Column("deployed_at", Instant),
    Column("ended_at", Instant),
    Column("revision", Integer, nullable=False),
    # By the real clock, like the leases: a chat that joins later need not retell what ended long ago.
    Column("written_at", Instant, nullable=False),
)
Index(
    ONE_LOCK,
    deployments.c.service,
    deployments.c.environment,
    unique=True,
    sqlite_where=text("locked = 1"),
    postgresql_where=text("locked"),
)
Index("ix_deployments_started_at", deployments.c.started_at, deployments.c.id)
# Few are live, whatever the history is.
Index(
    "ix_deployments_live",
    deployments.c.started_at,
    deployments.c.id,
    sqlite_where=text("live = 1"),
    postgresql_where=text("live"),
)
Index(
    "ix_deployments_service",
    deployments.c.service,
    deployments.c.environment,
    deployments.c.started_at,
    deployments.c.id,
)
Index("ix_deployments_written_at", deployments.c.written_at)

# Rows here are only ever added.
events = Table(
    "events",
    metadata,
    _deployment(primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", Text, nullable=False),
)

# Rows here are only ever added; starts that were turned away are forgotten after a year.
calendar_events = Table(
    "calendar_events",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", Text, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("key", String, primary_key=True),
    Column("answer", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

deadlines = Table(
    "deadlines",
    metadata,
    _deployment(primary_key=True),
    Column("key", String, primary_key=True),
    Column("due", Instant, nullable=False),
    Column("done_at", Instant),
    *_lease(),
)
Index(
    "ix_deadlines_open",
    deadlines.c.due,
    sqlite_where=text("done_at IS NULL"),
    postgresql_where=text("done_at IS NULL"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("chat", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("card", Text, nullable=False),
    _deployment(primary_key=False),
    Column("thread", String),
    Column("attempts", Integer, nullable=False),
    Column("first_tried", Instant),
    Column("why_later", Text),
    Column("not_before", Instant),
    *_lease(),
    Column("said_at", Instant),
    Column("message", String),
    Column("said_in", String),
)
Index(
    "ix_outbox_unsaid",
    outbox.c.chat,
    outbox.c.id,
    sqlite_where=text("said_at IS NULL"),
    postgresql_where=text("said_at IS NULL"),
)

mirrors = Table(
    "mirrors",
    metadata,
    _deployment(primary_key=True),
    Column("chat", String, primary_key=True),
    Column("shown", Integer, nullable=False),
    Column("shown_at", Instant, nullable=False),
    Column("not_before", Instant),
    *_lease(),
)

posted_cards = Table(
    "posted_cards",
    metadata,
    _deployment(primary_key=True),
    Column("chat", String, primary_key=True),
    Column("slot", String, primary_key=True),
    Column("channel", String, nullable=False),
    Column("message", String),
    Column("thread", String),
    Column("digest", String, nullable=False),
    Column("tried_at", Instant, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("held_by", String, nullable=False),
    Column("held_until", Instant, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String, primary_key=True),
    Column("service", String, nullable=False),
    Column("name", String, nullable=False),
    Column("digest", String, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
)
