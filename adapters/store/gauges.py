"""What stands in the database, counted for whoever watches gonogo. Every question is answered from an index over what
is live, due, unsaid or was written lately, so years of history cost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, func, select
from sqlalchemy.exc import SQLAlchemyError

from adapters.store.engine import AnyConnection
from adapters.store.errors import translated
from adapters.store.mirrors import RECENT, live_or_written_since
from adapters.store.statements import real_now
from adapters.store.store import SqlStore
from adapters.store.tables import deadlines, deployments, mirrors, outbox
from bot.meters import Figures

MOST = 10_000
"""So many are counted of what is due, or unsaid."""


class Gauges:
    """Reads figures over a store. They are of one moment: one transaction that only reads."""

    def __init__(self, store: SqlStore) -> None:
        self._database = store._database

    async def read(self, now: datetime, chats: Sequence[str]) -> Figures:
        """The figures by the product's clock, for these chats at least. Raises StoreError."""
        async with self._database.read() as connection:
            try:
                return await _figures(connection, now, chats)
            except SQLAlchemyError as error:
                raise translated(error, self._database.where) from error


async def _figures(connection: AnyConnection, now: datetime, chats: Sequence[str]) -> Figures:
    async def all(statement: Executable) -> list[Any]:
        return [*await connection.execute(statement)]

    real = real_now()
    [(due, begun, oldest)] = await all(_due(now, real))
    live = select(deployments.c.status, func.count()).where(deployments.c.live).group_by(deployments.c.status)
    unsaid = select(outbox.c.chat).where(outbox.c.said_at.is_(None)).limit(MOST).subquery()
    waiting = await all(select(unsaid.c.chat, func.count()).group_by(unsaid.c.chat))
    return Figures(
        deployments=dict(await all(live)),
        waiting=due - begun,
        begun=begun,
        lag=max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0,
        behind={chat: (await all(_behind(chat, real)))[0][0] for chat in chats},
        unsaid={**dict.fromkeys(chats, 0), **dict(waiting)},
    )


def _due(now: datetime, real: datetime) -> Executable:
    """How much is due, how much of it is held, and since when the oldest has been."""
    open = select(deadlines.c.due, deadlines.c.held_until).where(deadlines.c.done_at.is_(None), deadlines.c.due <= now)
    first = open.order_by(deadlines.c.due).limit(MOST).subquery()
    held = func.count().filter(first.c.held_until > real)
    return select(func.count(), held, func.min(first.c.due)).select_from(first)


def _behind(chat: str, real: datetime) -> Executable:
    """Deployments that the chat shows in an older state, or not at all: live ones, and those written within a day."""
    seen = (mirrors.c.deployment == deployments.c.id) & (mirrors.c.chat == chat)
    shown = func.coalesce(mirrors.c.shown, 0)
    counted = select(func.count()).select_from(deployments.outerjoin(mirrors, seen))
    return counted.where(deployments.c.id.in_(live_or_written_since(real - RECENT)), shown < deployments.c.revision)
