"""The sandbox channel's own tables. Nothing else reads or writes them.

What people type, and the answers that only they see, stand on their own page alone and are kept nowhere.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Column, Dialect, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

metadata = MetaData()


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept as whole microseconds since 1970 UTC: exact and in order on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """As it is kept."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"{value.isoformat()} has no time zone: an instant needs one")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """As it was given, in UTC."""
        return None if value is None else _EPOCH + value * _MICROSECOND


messages = Table(
    "sandbox_messages",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("channel", String(100), nullable=False),
    Column("thread", Integer),
    # Not unique: whoever posts the same key twice sees the message twice, here as on every other chat.
    Column("key", String(300), nullable=False),
    Column("card", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    # Position in the one order of everything that happened in the channel; pages ask for what comes after theirs.
    Column("change", BigInteger, nullable=False),
    Column("posted_at", Instant(), nullable=False),
    Column("edited_at", Instant()),
    Index("ix_sandbox_messages_channel_thread", "channel", "thread", "id"),
    Index("ix_sandbox_messages_key", "key"),
    Index("ix_sandbox_messages_change", "change", unique=True),
    sqlite_autoincrement=True,
)

settings = Table(
    "sandbox_settings",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
