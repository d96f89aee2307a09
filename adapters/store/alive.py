"""Who is alive, on a PostgreSQL that several processes share.

Each process keeps one connection, and on it an advisory lock of its own name. PostgreSQL gives the lock back the moment
the process is gone, however it ended; what it held is then free for the others at once, and not when its leases end.

A connection can be lost without its process (a restart of the database): only who is missing for `GRACE` counts as
gone, and whoever lives is connected again by then. Were one taken for gone that lives, it would be as if its leases had
ended: messages are looked for before they are posted again, and a result is saved once. On SQLite, and behind a
connection pooler, leases end by their time alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Callable

import psycopg
import structlog
from sqlalchemy import delete, select, update

from adapters.store import tables
from adapters.store.engine import Database, connect_parameters, describe
from adapters.store.errors import translated
from adapters.store.statements import insert_into, real_now
from adapters.store.wakes import is_pooled
from bot.ports import StoreError

LOOK = 1.0
"""Seconds between two looks at who is there."""
GRACE = 3.0
"""Seconds for which somebody must be missing to count as gone."""
AGAIN = 0.5
"""Seconds between two tries to connect."""
_LIFE = "life:"
_CLASS = zlib.crc32(b"gonogo") & 0x7FFF_FFFF
"""Tells these locks from everybody else's."""
_LOCK = "SELECT pg_try_advisory_lock(%s, %s)"
_LOCKS = (
    "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)

log = structlog.get_logger(__name__)


class Life:
    """That of one process, by a name no other has. `begin` it before anything is held under that name, then `run` it,
    and `end` it when nothing is held any more."""

    def __init__(self, database: Database, name: str) -> None:
        self._database, self.name = database, name
        self._possible = database.url.get_backend_name() == "postgresql"
        self._connection: psycopg.AsyncConnection | None = None
        self._holds = False
        self._missing: dict[str, float] = {}
        """Names -> since when they have not been there, on the loop's clock."""

    async def begin(self) -> None:
        """Be there for the others, if that is possible now; else `run` sees to it."""
        if self._possible:
            with contextlib.suppress(psycopg.Error, StoreError):
                await self._connect()

    async def run(self, freed: Callable[[], None]) -> None:
        """Stay there, and look who is gone; `freed` is called when something they held was freed. Until cancelled;
        returns where that cannot be (SQLite, a pooler). Never raises."""
        while self._possible:
            try:
                if self._connection is None or self._connection.closed:
                    await self._connect()
                elif await self._look(self._connection):
                    freed()
                await asyncio.sleep(LOOK)
            except (psycopg.Error, StoreError) as error:
                problem = error if isinstance(error, StoreError) else translated(error, describe(self._database.url))
                log.warning("alive.lost", problem=str(problem))
                await self._again()
            except Exception:
                log.exception("alive.failed")
                await self._again()

    async def end(self) -> None:
        """Be gone, in good order: what could not be given back before is free now."""
        if self._connection is not None:
            with contextlib.suppress(StoreError):
                await self._free(self.name)
            await self._connection.close()

    async def _again(self) -> None:
        if self._connection is not None:
            await self._connection.close()
        await asyncio.sleep(AGAIN)

    async def _connect(self) -> None:
        connection = await psycopg.AsyncConnection.connect(**connect_parameters(self._database.url), autocommit=True)
        try:
            if await is_pooled(connection):
                self._possible = False
                await connection.close()
                return
            self._holds = False
            await self._lock(connection)
            await self._enter()
        except BaseException:
            await connection.close()
            raise
        self._connection = connection

    async def _enter(self) -> None:
        async with self._database.write() as connection:
            row = insert_into(connection, tables.leases)
            row = row.values(name=_LIFE + self.name, held_by=self.name, held_until=real_now())
            await connection.execute(row.on_conflict_do_nothing(index_elements=["name"]))

    async def _lock(self, connection: psycopg.AsyncConnection) -> None:
        """The connection before this one may not have been missed yet; then the lock is there, and taken later."""
        if not self._holds:
            found = await (await connection.execute(_LOCK, (_CLASS, _signed(_key(self.name))))).fetchone()
            self._holds = found is not None and bool(found[0])

    async def _look(self, connection: psycopg.AsyncConnection) -> bool:
        """Whether anybody was found to be gone."""
        await self._lock(connection)
        there = {key for (key,) in await (await connection.execute(_LOCKS, (_CLASS,))).fetchall()}
        async with self._database.read() as reading:
            asked = select(tables.leases.c.name).where(tables.leases.c.name.startswith(_LIFE))
            names = [name.removeprefix(_LIFE) for name in (await reading.execute(asked)).scalars()]
        if self.name not in names:
            await self._enter()  # somebody took this one for gone
        now = asyncio.get_running_loop().time()
        missing = [name for name in names if name != self.name and _key(name) not in there]
        self._missing = {name: self._missing.get(name, now) for name in missing}
        gone = [name for name, since in self._missing.items() if now - since >= GRACE]
        for name in gone:
            await self._free(name)
            log.warning("alive.gone", process=name)
        return bool(gone)

    async def _free(self, name: str) -> None:
        """What they held is free; nothing else of theirs is changed."""
        async with self._database.write() as connection:
            for table in (tables.deadlines, tables.mirrors, tables.outbox):
                held = update(table).where(table.c.held_by.startswith(f"{name}:"))
                await connection.execute(held.values(held_by=None, held_until=None))
            theirs = tables.leases.c.held_by
            await connection.execute(delete(tables.leases).where((theirs == name) | theirs.startswith(f"{name}:")))


def _key(name: str) -> int:
    return zlib.crc32(name.encode())


def _signed(key: int) -> int:
    return key - 2**32 if key >= 2**31 else key
