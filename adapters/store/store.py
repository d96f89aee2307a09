"""The Store of SQLite and PostgreSQL."""

from __future__ import annotations

import contextlib
import copy
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, update

from adapters.store import deadlines, leases, mirrors, outbox, tables, wakes
from adapters.store.alive import Life
from adapters.store.engine import Database, address
from adapters.store.migrate import check
from adapters.store.states import States
from adapters.store.unit import SqlUnit
from bot.ports import Claimed, Mirror, PostedCard, Posting


class SqlStore:
    """The `Store`. Open it with `SqlStore.open(url)`, close it with `close()`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._token = secrets.token_hex(8)
        """By which other processes' commits are told from those of this one."""
        self._life: Life | None = None
        self._states = States()

    @classmethod
    async def open(cls, url: str) -> SqlStore:
        """The store at `sqlite:///path/to/file` or `postgresql://user:password@host/database`.

        Raises StoreError if it cannot be reached, or lacks this release's tables (`adapters.store.migrate.migrate`).
        """
        await check(url)
        return cls(Database(address(url)))

    def in_background(self, at_once: int = 4) -> SqlStore:
        """The same store, for work that can wait: at most so many of its transactions at a time. Not to be closed."""
        found = copy.copy(self)
        found._database = self._database.in_background(at_once)
        return found

    async def begin(self, name: str) -> None:
        """From now on what is held by `name` is freed soon after this process is gone, however it ended; else it is
        when its lease ends. Call it before anything is held."""
        self._life = Life(self._database, name)
        await self._life.begin()

    async def live(self, freed: Callable[[], None]) -> None:
        """Stay there after `begin`, and free what those held who are gone; then `freed` is called. Until cancelled;
        returns where nobody can tell (SQLite, a pooler)."""
        if self._life is not None:
            await self._life.run(freed)

    async def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever another process has committed something, until cancelled. Returns where that cannot be
        heard (SQLite, a pooler): then looking from time to time is all there is."""
        await wakes.listen(self._database.url, self._token, wake)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[SqlUnit]:
        """A transaction that may write; committed when the block ends without an exception."""
        async with self._database.write() as connection:
            unit = SqlUnit(connection, self._database.where, self._states, writes=True)
            yield unit
            if unit.failed:
                raise unit.failed
            if unit.changed:
                await wakes.tell(connection, self._token)
        unit.remember()

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[SqlUnit]:
        """A transaction that only reads and never waits for a writer."""
        async with self._database.read() as connection:
            unit = SqlUnit(connection, self._database.where, self._states, writes=False)
            yield unit
        unit.remember()

    async def next_due(self, after: datetime | None = None) -> datetime | None:
        """When the earliest open deadline (later than `after`) is due, whoever holds it."""
        return await deadlines.next_due(self._database, after)

    async def claim_due(
        self, now: datetime, owner: str, lease: timedelta, limit: int = 10, *, busy: Collection[str] = ()
    ) -> list[Claimed]:
        """Open deadlines due by now, oldest first, that nobody holds; held by `owner` for `lease` of real time.

        Of each deployment only the first, and none of the deployments that are `busy`.
        """
        return await deadlines.claim_due(self._database, now, owner, lease, limit, busy)

    async def keep_due(self, held: Sequence[Claimed], lease: timedelta) -> None:
        """Hold these for another `lease` of real time; those lost or done meanwhile are left as they are."""
        await deadlines.keep_due(self._database, held, lease)

    async def release_due(self, claimed: Claimed) -> None:
        """Give a deadline back undone (it will be claimed again)."""
        await deadlines.release_due(self._database, claimed)

    async def claim_mirrors(
        self, chat: str, owner: str, lease: timedelta, *, every: bool = False, limit: int = 10
    ) -> list[Mirror]:
        """Deployments whose cards in this chat are behind (`every`: all live ones too).

        None that somebody holds or put off. The ones shown longest ago come first, so `every` goes round all of them.
        """
        return await mirrors.claim_mirrors(self._database, chat, owner, lease, every=every, limit=limit)

    async def mirror_done(self, mirror: Mirror, *, rest: timedelta = timedelta(0)) -> None:
        """The cards show revision `wanted`. If the lease was lost meanwhile they count as behind once more."""
        await mirrors.mirror_done(self._database, mirror, rest)

    async def mirror_later(self, mirror: Mirror, seconds: float) -> None:
        """Give the lease back; not to be claimed for so many seconds of real time."""
        await mirrors.mirror_later(self._database, mirror, seconds)

    async def posted(self, deployment: str, chat: str) -> dict[str, PostedCard]:
        """Where the slots of a deployment stand in a chat."""
        return await mirrors.posted(self._database, deployment, chat)

    async def note_posted(self, deployment: str, chat: str, card: PostedCard) -> None:
        """Remember where a slot stands (also the intention, before posting)."""
        await mirrors.note_posted(self._database, deployment, chat, card)

    async def claim_outbox(self, chat: str, owner: str, lease: timedelta, limit: int = 10) -> list[Posting]:
        """Messages not yet said in this chat, oldest first, that nobody holds and nobody put off.

        Of one deployment's messages to one channel only the first unsaid one: the later ones wait for it.
        """
        return await outbox.claim_outbox(self._database, chat, owner, lease, limit)

    async def behind(self, posting: Posting, limit: int = 100) -> list[Posting]:
        """Messages not yet said that wait for this one in its thread, oldest first; not held by anybody."""
        return await outbox.behind(self._database, posting, limit)

    async def trying(self, posting: Posting, at: datetime) -> None:
        """About to post: from now on it may stand in the channel. Raises Conflict if the lease was lost meanwhile."""
        await outbox.trying(self._database, posting, at)

    async def said(self, posting: Posting, message: str, channel: str, at: datetime) -> None:
        """It stands in the channel."""
        await outbox.said(self._database, posting, message, channel, at)

    async def say_later(self, posting: Posting, seconds: float, why: str) -> None:
        """Give the lease back; not to be claimed for so many seconds of real time."""
        await outbox.say_later(self._database, posting, seconds, why)

    async def hold(self, name: str, owner: str, lease: timedelta) -> bool:
        """Take a named lease of real time, or keep it; False while somebody else holds it."""
        return await leases.hold(self._database, name, self._ours(owner), lease)

    async def drop(self, name: str, owner: str) -> None:
        """Give a named lease back, if it is still the owner's."""
        await leases.drop(self._database, name, self._ours(owner))

    async def forget_leases(self) -> None:
        """Free everything that is held, whoever held it. Only for who knows that no other process is at work."""
        async with self._database.write() as connection:
            for table in (tables.deadlines, tables.mirrors, tables.outbox):
                held = update(table).where(table.c.held_by.is_not(None))
                await connection.execute(held.values(held_by=None, held_until=None))
            await connection.execute(delete(tables.leases))

    async def close(self) -> None:
        """Give every connection back."""
        if self._life is not None:
            await self._life.end()
        await self._database.close()

    def _ours(self, owner: str) -> str:
        return f"{self._life.name}:{owner}" if self._life is not None else owner
