"""The channel's messages in the database, and the one order of everything that happened to them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, Select, func, insert, select, text, update

from adapters.web.state import Asked, Sandbox
from adapters.web.tables import messages, settings
from bot.cards.card import Card
from bot.cards.codec import card_from_json, card_to_json

_CHANGES = "changes"
# It comes before every other change: it takes the write lock on SQLite and the row lock on PostgreSQL, so changes are
# committed in the order of their numbers and a page that has seen number 7 has seen 1 to 6.
_NEXT_CHANGE = text(
    "INSERT INTO sandbox_settings (key, value) VALUES ('changes', '1') ON CONFLICT (key) DO UPDATE"
    " SET value = CAST(CAST(sandbox_settings.value AS BIGINT) + 1 AS TEXT) RETURNING value"
)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it stands in the channel."""

    id: int
    channel: str
    thread: int | None
    card: Card
    revision: int
    """How many times it was edited."""
    change: int
    posted_at: datetime
    edited_at: datetime | None


@dataclass(frozen=True, slots=True)
class Replies:
    """What hangs under a message."""

    count: int
    last_at: datetime


class Messages:
    """Reads and writes the messages."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def add(self, channel: str, thread: int | None, key: str, card: Card, at: datetime) -> int | None:
        """The new message's id; None if the message to hang it under does not exist."""
        async with self._sandbox.engine.begin() as connection:
            if thread is not None:
                parent = await _one(connection, thread)
                if parent is None or parent.channel != channel:
                    return None
                thread = parent.thread or parent.id
            change = await _next_change(connection)
            new = insert(messages).values(
                channel=channel, thread=thread, key=key, card=_write(card), revision=0, change=change, posted_at=at
            )
            message: int = (await connection.execute(new.returning(messages.c.id))).scalar_one()
        self._sandbox.bell.ring()
        return message

    async def replace(self, message: int, channel: str, card: Card, at: datetime) -> bool:
        """Whether there is such a message. One that says the same already is left alone."""
        written = _write(card)
        async with self._sandbox.engine.connect() as connection:
            found = await _one(connection, message)
        if found is None or found.channel != channel:
            return False
        if found.card == written:
            return True
        async with self._sandbox.engine.begin() as connection:
            change = await _next_change(connection)
            await connection.execute(
                update(messages)
                .where(messages.c.id == message)
                .values(card=written, revision=messages.c.revision + 1, change=change, edited_at=at)
            )
        self._sandbox.bell.ring()
        return True

    async def with_key(self, channel: str, thread: int | None, key: str, since: datetime) -> int | None:
        """The newest message posted with this key since then."""
        found = select(messages.c.id).where(
            messages.c.key == key,
            messages.c.channel == channel,
            messages.c.posted_at >= since,
            messages.c.thread.is_(None) if thread is None else messages.c.thread == thread,
        )
        async with self._sandbox.engine.connect() as connection:
            newest: int | None = await connection.scalar(found.order_by(messages.c.id.desc()).limit(1))
        return newest

    async def last_change(self) -> int:
        """The number of the last change, 0 if nothing was ever said."""
        value = await self._sandbox.get(_CHANGES)
        return int(value or 0)

    async def roots(self, channel: str, before: int | None, limit: int) -> list[Message]:
        """The latest messages of a channel, threads left out, oldest first; `before` a message id pages back."""
        query = select(messages).where(messages.c.channel == channel, messages.c.thread.is_(None))
        if before is not None:
            query = query.where(messages.c.id < before)
        return (await self._read(query.order_by(messages.c.id.desc()).limit(limit)))[::-1]

    async def thread(self, root: int, limit: int) -> list[Message]:
        """What hangs under a message, oldest first."""
        return (
            await self._read(
                select(messages).where(messages.c.thread == root).order_by(messages.c.id.desc()).limit(limit)
            )
        )[::-1]

    async def get(self, message: int) -> Message | None:
        """One message."""
        found = await self._read(select(messages).where(messages.c.id == message))
        return found[0] if found else None

    async def changed(self, after: int, limit: int) -> list[Message]:
        """Messages whose last change comes after that number, in the order of their changes."""
        return await self._read(
            select(messages).where(messages.c.change > after).order_by(messages.c.change).limit(limit)
        )

    async def replies(self, roots: Sequence[int]) -> dict[int, Replies]:
        """How many messages hang under each of these, and when the last was posted."""
        query = (
            select(messages.c.thread, func.count(), func.max(messages.c.posted_at))
            .where(messages.c.thread.in_(roots))
            .group_by(messages.c.thread)
        )
        if not roots:
            return {}
        async with self._sandbox.engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return {int(root): Replies(count, last) for root, count, last in rows}

    async def channels(self) -> list[str]:
        """Every channel something was said in."""
        async with self._sandbox.engine.connect() as connection:
            asked = select(messages.c.channel).distinct().order_by(messages.c.channel)
            return list((await connection.execute(asked)).scalars())

    async def alive(self) -> None:
        """Raises if the database cannot be read."""
        async with self._sandbox.engine.connect() as connection:
            await connection.execute(select(settings.c.key).limit(1))

    async def _read(self, query: Select[*tuple[object, ...]]) -> list[Message]:
        async with self._sandbox.engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [_message(row) for row in rows]


async def _next_change(connection: Asked) -> int:
    return int((await connection.execute(_NEXT_CHANGE)).scalar_one())


async def _one(connection: Asked, message: int) -> Row[*tuple[object, ...]] | None:
    return (await connection.execute(select(messages).where(messages.c.id == message))).one_or_none()


def _write(card: Card) -> str:
    return json.dumps(card_to_json(card))  # ASCII: PostgreSQL keeps no NUL and no lone surrogate as they are


def _read(text: str) -> Card:
    try:
        return card_from_json(json.loads(text))
    except (KeyError, TypeError, ValueError):  # the other messages of the channel are still to be shown
        told = "This message was written by a newer gonogo. Install that one here too."
        return Card(title="", text=told, blocks=())


def _message(row: Row[*tuple[object, ...]]) -> Message:
    data = row._mapping
    return Message(
        id=data["id"],
        channel=data["channel"],
        thread=data["thread"],
        card=_read(data["card"]),
        revision=data["revision"],
        change=data["change"],
        posted_at=data["posted_at"],
        edited_at=data["edited_at"],
    )
