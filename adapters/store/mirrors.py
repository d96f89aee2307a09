"""Which cards in which chat are behind, and where they stand.

A mirror is a deployment in one chat and the revision it shows there. Its row is made when the chat first looks, so a
chat that joins later needs no preparation: it gets every live deployment, and of those that ended only what was written
within `RECENT`. One that ends is still brought to its last revision.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import CompoundSelect, Executable, Select, Update, exists, literal, or_, select, union, update

from adapters.store.claims import claiming, giving_back, in_doubt
from adapters.store.engine import Database
from adapters.store.statements import free, insert_for, insert_into, real_now, ripe
from adapters.store.tables import Instant, deployments, mirrors, posted_cards
from bot.ports import Mirror, PostedCard

RECENT = timedelta(days=1)
KEPT = timedelta(days=30)
"""So long after it was last written a deployment that ended is still brought to its last revision; what is older is
not looked at again, so that years of it cost nothing."""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_SLOT = [posted_cards.c[field.name] for field in dataclasses.fields(PostedCard)]


async def claim_mirrors(
    database: Database, chat: str, owner: str, lease: timedelta, *, every: bool, limit: int
) -> list[Mirror]:
    """Deployments whose cards in this chat are behind (`every`: all live ones too), longest untouched first."""
    async with database.read() as connection:
        real = real_now()
        unseen = (await connection.execute(_unseen(chat, real).limit(1))).first() is not None
        doubt = in_doubt(database, mirrors)
        if not unseen and not doubt and (await connection.execute(_behind(chat, real, every=every))).first() is None:
            return []
    async with claiming(database, mirrors, owner) as (connection, token):
        real = real_now()
        if unseen:
            new = insert_into(connection, mirrors).from_select(
                ["deployment", "chat", "shown", "shown_at"], _unseen(chat, real)
            )
            await connection.execute(new.on_conflict_do_nothing())
        claimable = _behind(chat, real, every=every).limit(limit).with_for_update(skip_locked=True, of=mirrors)
        found = (await connection.execute(claimable)).all()
        if not found:
            return []
        held = update(mirrors).where(mirrors.c.chat == chat, mirrors.c.deployment.in_([each.id for each in found]))
        await connection.execute(held.values(held_by=token, held_until=real + lease))
    return [Mirror(each.id, chat, each.revision, token) for each in found]


async def mirror_done(database: Database, mirror: Mirror, rest: timedelta = timedelta(0)) -> None:
    """The cards show revision `wanted`, and are not claimed again while they `rest`.

    Whoever lost the lease may have drawn over newer cards without knowing, so then they count as behind once more.
    """
    held = mirrors.c.held_by == mirror.lease
    async with giving_back(database, mirrors, mirror.lease) as connection:
        real = real_now()
        shown = {"shown": mirror.wanted, "shown_at": real, "not_before": real + rest if rest else None}
        done = await connection.execute(_mirror(mirror).where(held).values(**shown, held_by=None, held_until=None))
        if done.rowcount != 1:
            await connection.execute(_mirror(mirror).values(shown=0))


async def mirror_later(database: Database, mirror: Mirror, seconds: float) -> None:
    """Give the lease back and wait; if it was lost meanwhile there is nothing to give."""
    ours = _mirror(mirror).where(mirrors.c.held_by == mirror.lease)
    async with giving_back(database, mirrors, mirror.lease) as connection:
        until = real_now() + timedelta(seconds=seconds)
        await connection.execute(ours.values(not_before=until, held_by=None, held_until=None))


async def posted(database: Database, deployment: str, chat: str) -> dict[str, PostedCard]:
    """Where the slots of a deployment stand in a chat."""
    here = (posted_cards.c.deployment == deployment) & (posted_cards.c.chat == chat)
    async with database.read() as connection:
        found = await connection.execute(select(*_SLOT).where(here))
        return {each.slot: PostedCard(**each._mapping) for each in found}


async def note_posted(database: Database, deployment: str, chat: str, card: PostedCard) -> None:
    """Remember where a slot stands."""
    row = {"deployment": deployment, "chat": chat} | {column.name: getattr(card, column.name) for column in _SLOT}
    async with database.write() as connection:
        await connection.execute(_noting(connection.dialect.name), row)


@cache
def _noting(dialect: str) -> Executable:
    noted = insert_for(dialect, posted_cards)
    new = {column.name: noted.excluded[column.name] for column in _SLOT}
    return noted.on_conflict_do_update(index_elements=["deployment", "chat", "slot"], set_=new)


def _mirror(mirror: Mirror) -> Update:
    return update(mirrors).where(mirrors.c.deployment == mirror.deployment, mirrors.c.chat == mirror.chat)


def _unseen(chat: str, real: datetime) -> Select[Any]:
    """Rows to be made: the deployments this chat has to show and has never looked at."""
    seen = exists().where(mirrors.c.deployment == deployments.c.id, mirrors.c.chat == chat)
    row = select(deployments.c.id, literal(chat), literal(0), literal(_NEVER, Instant))
    return row.where(deployments.c.id.in_(live_or_written_since(real - RECENT)), ~seen)


def _behind(chat: str, real: datetime, *, every: bool) -> Select[Any]:
    behind = mirrors.c.shown < deployments.c.revision
    asked = select(deployments.c.id, deployments.c.revision)
    asked = asked.join(mirrors, (mirrors.c.deployment == deployments.c.id) & (mirrors.c.chat == chat))
    asked = asked.where(deployments.c.id.in_(live_or_written_since(real - KEPT)))
    asked = asked.where(or_(behind, deployments.c.live) if every else behind, free(mirrors, real), ripe(mirrors, real))
    return asked.order_by(mirrors.c.shown_at, deployments.c.id)


def live_or_written_since(instant: datetime) -> CompoundSelect[str]:
    """The ids of what is live, or was written later than that."""
    # A union, as each half has an index of its own: SQLite reads the whole table for an OR of the two.
    lately = select(deployments.c.id).where(deployments.c.written_at > instant)
    return union(select(deployments.c.id).where(deployments.c.live), lately)
