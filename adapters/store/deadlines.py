"""Deadlines: claimed by one process at a time, for as long as its lease lasts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select, tuple_, update

from adapters.store.engine import Database
from adapters.store.statements import free, new_lease, real_now
from adapters.store.tables import deadlines
from bot.ports import Claimed, Deadline

_earlier = deadlines.alias("earlier")


async def next_due(database: Database, after: datetime | None) -> datetime | None:
    """When the earliest open deadline (later than `after`) is due, whoever holds it."""
    earliest = select(func.min(deadlines.c.due)).where(deadlines.c.done_at.is_(None))
    if after is not None:
        earliest = earliest.where(deadlines.c.due > after)
    async with database.read() as connection:
        found: datetime | None = await connection.scalar(earliest)
        return found


async def claim_due(
    database: Database, now: datetime, owner: str, lease: timedelta, limit: int, busy: Collection[str]
) -> list[Claimed]:
    """Open deadlines due by now, oldest first, that nobody holds; held from now on. Of each deployment only the first,
    so that one with a long backlog takes one place, not all; none of the `busy`."""
    due = select(deadlines.c.deployment, deadlines.c.key)
    due = due.where(deadlines.c.done_at.is_(None), deadlines.c.due <= now)
    if busy:
        due = due.where(deadlines.c.deployment.not_in(list(busy)))
    async with database.read() as connection:  # mostly there is nothing, and a look disturbs no writer
        if (await connection.execute(due.where(free(deadlines, real_now())).limit(1))).first() is None:
            return []
    token = new_lease(owner)
    async with database.write() as connection:
        real = real_now()
        before = exists().where(
            _earlier.c.deployment == deadlines.c.deployment,
            _earlier.c.done_at.is_(None),
            free(_earlier, real),
            tuple_(_earlier.c.due, _earlier.c.key) < tuple_(deadlines.c.due, deadlines.c.key),
        )
        first = due.where(free(deadlines, real), ~before)
        first = first.order_by(deadlines.c.due, deadlines.c.deployment, deadlines.c.key).limit(limit)
        # SQLite leaves FOR UPDATE out and needs none: this transaction already is the only writer.
        chosen = first.with_for_update(skip_locked=True, of=deadlines).cte("chosen")
        held = update(deadlines).where(deadlines.c.deployment == chosen.c.deployment, deadlines.c.key == chosen.c.key)
        held = held.values(held_by=token, held_until=real + lease)
        found = (
            await connection.execute(held.returning(deadlines.c.deployment, deadlines.c.key, deadlines.c.due))
        ).all()
    claimed = [Deadline(each.deployment, each.key, each.due) for each in found]
    return [Claimed(each, token) for each in sorted(claimed, key=lambda each: (each.due, each.deployment, each.key))]


async def keep_due(database: Database, held: Sequence[Claimed], lease: timedelta) -> None:
    """Hold these for another `lease` from now; those lost or done meanwhile are left as they are."""
    ours = tuple_(deadlines.c.deployment, deadlines.c.key, deadlines.c.held_by).in_(
        [(each.deadline.deployment, each.deadline.key, each.lease) for each in held]
    )
    async with database.write() as connection:
        await connection.execute(update(deadlines).where(ours).values(held_until=real_now() + lease))


async def release_due(database: Database, claimed: Claimed) -> None:
    """Give a deadline back undone; if the lease was lost meanwhile there is nothing to give."""
    ours = update(deadlines).where(
        deadlines.c.deployment == claimed.deadline.deployment,
        deadlines.c.key == claimed.deadline.key,
        deadlines.c.held_by == claimed.lease,
    )
    async with database.write() as connection:
        await connection.execute(ours.values(held_by=None, held_until=None))
