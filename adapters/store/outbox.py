"""Messages to be said once, in order.

Of the messages of one deployment to one channel only the oldest unsaid one is ever handed out: while it is held or put
off, the later ones wait, so "succeeded" never stands above "started". So it is with messages of no deployment that name
the same thread. Messages of other deployments, and the others of none, go past.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row, and_, exists, func, literal, or_, select, update

from adapters.store.claims import claiming, giving_back, in_doubt
from adapters.store.codec import load_card
from adapters.store.engine import Database
from adapters.store.statements import free, real_now, ripe
from adapters.store.tables import Instant, outbox
from bot.ports import Conflict, Outgoing, Posting, UnknownRecord

_earlier = outbox.alias("earlier")
_FIRST = ~exists().where(
    _earlier.c.chat == outbox.c.chat,
    _earlier.c.channel == outbox.c.channel,
    or_(
        _earlier.c.deployment == outbox.c.deployment,
        # A comparison with NULL is not true: those without a thread wait for nobody.
        and_(_earlier.c.deployment.is_(None), outbox.c.deployment.is_(None), _earlier.c.thread == outbox.c.thread),
    ),
    _earlier.c.said_at.is_(None),
    _earlier.c.id < outbox.c.id,
)
_GIVEN_BACK = {"held_by": None, "held_until": None}
_ROUNDS = 10
_UNREAD = timedelta(seconds=5)
"""So long what a newer release has written is left for it to take."""

log = structlog.get_logger(__name__)


async def claim_outbox(database: Database, chat: str, owner: str, lease: timedelta, limit: int) -> list[Posting]:
    """Messages not yet said in this chat, oldest first, that nobody holds and nobody put off; held from now on.

    One that a newer release has written, and that this one cannot read, is put off: it holds up what is behind it in
    its line, and nothing else.
    """
    for _ in range(_ROUNDS):
        found = await _claim(database, chat, owner, lease, limit)
        read = [posting for posting in found if isinstance(posting, Posting)]
        unread = [id for id in found if isinstance(id, int)]
        if unread:
            later = update(outbox).where(outbox.c.id.in_(unread), outbox.c.said_at.is_(None))
            async with database.write() as connection:
                await connection.execute(later.values(not_before=real_now() + _UNREAD, **_GIVEN_BACK))
        if read or not unread:
            return read
    return []


async def _claim(database: Database, chat: str, owner: str, lease: timedelta, limit: int) -> list[Posting | int]:
    """Those that can be read, and the ids of the others."""
    unsaid = select(outbox).where(outbox.c.chat == chat, outbox.c.said_at.is_(None), _FIRST)
    unsaid = unsaid.order_by(outbox.c.id).limit(limit)
    async with database.read() as connection:
        real = real_now()
        nothing = (await connection.execute(unsaid.where(free(outbox, real), ripe(outbox, real)))).first() is None
        if nothing and not in_doubt(database, outbox):
            return []
    async with claiming(database, outbox, owner) as (connection, token):
        real = real_now()
        claimable = unsaid.where(free(outbox, real), ripe(outbox, real)).with_for_update(skip_locked=True, of=outbox)
        found = (await connection.execute(claimable)).all()
        if not found:
            return []
        held = update(outbox).where(outbox.c.id.in_([each.id for each in found]))
        await connection.execute(held.values(held_by=token, held_until=real + lease, attempts=outbox.c.attempts + 1))
    return [_posting(each, token) or each.id for each in found]


async def behind(database: Database, posting: Posting, limit: int) -> list[Posting]:
    """Messages of no deployment that wait for this one in its thread, oldest first, as far as they can be read; nobody
    holds them."""
    message = posting.message
    waiting = select(outbox).where(
        outbox.c.chat == message.chat,
        outbox.c.channel == message.channel,
        outbox.c.thread == message.thread,
        outbox.c.deployment.is_(None),
        outbox.c.said_at.is_(None),
        outbox.c.id > posting.id,
    )
    async with database.read() as connection:
        found = (await connection.execute(waiting.order_by(outbox.c.id).limit(limit))).all()
    read: list[Posting] = []
    for each in found:
        waits = _posting(each, "")
        if waits is None:
            break
        read.append(waits)
    return read


async def trying(database: Database, posting: Posting, at: datetime) -> None:
    """About to post. Raises Conflict if the lease was lost or it was said: it is not ours to post."""
    ours = update(outbox).where(
        outbox.c.id == posting.id, outbox.c.held_by == posting.lease, outbox.c.said_at.is_(None)
    )
    async with database.write() as connection:
        # Only the first instant counts: from then on it may stand in the channel.
        first = func.coalesce(outbox.c.first_tried, literal(at, Instant))
        noted = await connection.execute(ours.values(first_tried=first))
    if noted.rowcount != 1:
        raise Conflict("Somebody else posts this message meanwhile. Leave it to them.")


async def said(database: Database, posting: Posting, message: str, channel: str, at: datetime) -> None:
    """It stands in the channel. That is true whoever holds it by now; the first one to say so counts."""
    unsaid = update(outbox).where(outbox.c.id == posting.id, outbox.c.said_at.is_(None))
    async with giving_back(database, outbox, posting.lease) as connection:
        await connection.execute(unsaid.values(said_at=at, message=message, said_in=channel, **_GIVEN_BACK))


async def say_later(database: Database, posting: Posting, seconds: float, why: str) -> None:
    """Give the lease back and wait; if it was lost meanwhile there is nothing to give."""
    ours = update(outbox).where(outbox.c.id == posting.id, outbox.c.held_by == posting.lease)
    async with giving_back(database, outbox, posting.lease) as connection:
        until = real_now() + timedelta(seconds=seconds)
        await connection.execute(ours.values(not_before=until, why_later=why, **_GIVEN_BACK))


def _posting(found: Row[Any], lease: str) -> Posting | None:
    """None: this release cannot read it."""
    try:
        card = load_card(found.card)
    except UnknownRecord as unknown:
        log.warning("outbox.unread", key=found.key, problem=str(unknown))
        return None
    message = Outgoing(found.key, found.chat, found.channel, card, found.deployment, found.thread)
    return Posting(found.id, message, lease, found.attempts, found.first_tried)
