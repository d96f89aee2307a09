"""Deadlines: claimed by one process at a time, for as long as its lease lasts."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select, tuple_, update

from adapters.store.engine import Database
from adapters.store.statements import free, new_lease, real_now
from adapters.store.tables import deadlines
from bot.ports import Claimed, Deadline

_KEY = tuple_(deadlines.c.deployment, deadlines.c.key)


async def next_due(database: Database) -> datetime | None:
    """When the earliest open deadline is due, whoever holds it."""
    async with database.read() as connection:
        found: datetime | None = await connection.scalar(
            select(func.min(deadlines.c.due)).where(deadlines.c.done_at.is_(None))
        )
        return found


async def claim_due(database: Database, now: datetime, owner: str, lease: timedelta, limit: int) -> list[Claimed]:
    """Open deadlines due by now, oldest first, that nobody holds; held from now on."""
    due = select(deadlines.c.deployment, deadlines.c.key, deadlines.c.due)
    due = (
        due.where(deadlines.c.done_at.is_(None), deadlines.c.due <= now)
        .order_by(deadlines.c.due, *_KEY.clauses)
        .limit(limit)
    )
    async with database.read() as connection:  # mostly there is nothing, and a look disturbs no writer
        if (await connection.execute(due.where(free(deadlines, real_now())))).first() is None:
            return []
    token = new_lease(owner)
    async with database.write() as connection:
        real = real_now()
        # SQLite leaves FOR UPDATE out and needs none: this transaction already is the only writer.
        found = (await connection.execute(due.where(free(deadlines, real)).with_for_update(skip_locked=True))).all()
        if not found:
            return []
        held = update(deadlines).where(_KEY.in_([(each.deployment, each.key) for each in found]))
        await connection.execute(held.values(held_by=token, held_until=real + lease))
    return [Claimed(Deadline(each.deployment, each.key, each.due), token) for each in found]


async def release_due(database: Database, claimed: Claimed) -> None:
    """Give a deadline back undone; if the lease was lost meanwhile there is nothing to give."""
    ours = update(deadlines).where(
        deadlines.c.deployment == claimed.deadline.deployment,
        deadlines.c.key == claimed.deadline.key,
        deadlines.c.held_by == claimed.lease,
    )
    async with database.write() as connection:
        await connection.execute(ours.values(held_by=None, held_until=None))
