"""Deadlines: claimed by one process at a time, for as long as its lease lasts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    Update,
    bindparam,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.sql.selectable import FromClause

from adapters.store.claims import claiming, giving_back
from adapters.store.engine import Database
from adapters.store.statements import real_now
from adapters.store.tables import Instant, deadlines
from bot.ports import Claimed, Deadline

_earlier = deadlines.alias("earlier")
_NOW, _REAL = bindparam("now", type_=Instant), bindparam("real", type_=Instant)


def _free(table: FromClause) -> ColumnElement[bool]:
    return or_(table.c.held_until.is_(None), table.c.held_until <= _REAL)


def _due(asked: Select[Any], *, busy: bool) -> Select[Any]:
    """What is due and nobody holds; with `busy`, nothing of these deployments."""
    asked = asked.where(deadlines.c.done_at.is_(None), deadlines.c.due <= _NOW, _free(deadlines))
    return asked.where(deadlines.c.deployment.not_in(bindparam("busy", expanding=True))) if busy else asked


def _claim(*, busy: bool) -> Update:
    """Of each deployment the first."""
    before = exists().where(
        _earlier.c.deployment == deadlines.c.deployment,
        _earlier.c.done_at.is_(None),
        _free(_earlier),
        tuple_(_earlier.c.due, _earlier.c.key) < tuple_(deadlines.c.due, deadlines.c.key),
    )
    first = _due(select(deadlines.c.deployment, deadlines.c.key), busy=busy).where(~before)
    first = first.order_by(deadlines.c.due, deadlines.c.deployment, deadlines.c.key)
    first = first.limit(bindparam("most", type_=Integer))
    # SQLite leaves FOR UPDATE out and needs none: its transaction already is the only writer.
    chosen = first.with_for_update(skip_locked=True, of=deadlines).cte("chosen")
    held = update(deadlines).where(deadlines.c.deployment == chosen.c.deployment, deadlines.c.key == chosen.c.key)
    held = held.values(held_by=bindparam("token", type_=String), held_until=bindparam("until", type_=Instant))
    return held.returning(deadlines.c.deployment, deadlines.c.key, deadlines.c.due)


# Put together once: that takes longer than the database does.
_CLAIM = {busy: _claim(busy=busy) for busy in (False, True)}


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
    asked = {"now": now, "busy": list(busy)} if busy else {"now": now}
    async with claiming(database, deadlines, owner) as (connection, token):
        real = real_now()
        asked |= {"real": real, "until": real + lease, "token": token, "most": limit}
        found = (await connection.execute(_CLAIM[bool(busy)], asked)).all()
    found = sorted(found, key=lambda each: (each[2], each[0], each[1]))
    return [Claimed(Deadline(deployment, key, due), token) for deployment, key, due in found]


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
    async with giving_back(database, deadlines, claimed.lease) as connection:
        await connection.execute(ours.values(held_by=None, held_until=None))
