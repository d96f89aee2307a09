"""Claiming rows, and giving them back: held by a token for as long as a lease lasts.

Where the database goes away while a claim is committed, nobody here knows whether it was kept; where it is away when
rows are given back, they are not. Nobody would touch what is held until its lease is over, as the process that holds it
lives. So all that is in doubt is given back before the next claim.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator

from sqlalchemy import Table, update

from adapters.store.engine import AnyConnection, Database
from adapters.store.statements import new_lease

SURE = 10.0
"""Seconds after which nothing is committed any more of which the answer was lost: a server may still be at it when the
next claim comes."""
MOST = 500
"""So many are remembered, the newest of them."""


def in_doubt(database: Database, table: Table) -> bool:
    """Whether something may be held that is not worked on."""
    return bool(database.doubtful[table.name])


@contextlib.asynccontextmanager
async def claiming(database: Database, table: Table, owner: str) -> AsyncIterator[tuple[AnyConnection, str]]:
    """A transaction, and a token no other claim has, to hold rows of this table by. Raises StoreError."""
    doubtful, begun = database.doubtful[table.name], time.monotonic()
    token, before, asked = new_lease(owner), tuple(doubtful), False
    try:
        async with database.write() as connection:
            if before:
                theirs = update(table).where(table.c.held_by.in_(before))
                await connection.execute(theirs.values(held_by=None, held_until=None))
            yield connection, token
            asked = True
    except BaseException:
        if asked:
            _doubt(database, table, token)
        raise
    for known in before:
        if begun - doubtful.get(known, begun) > SURE:
            doubtful.pop(known)


@contextlib.asynccontextmanager
async def giving_back(database: Database, table: Table, token: str) -> AsyncIterator[AnyConnection]:
    """A transaction that gives back what is held by this token; if it fails, that is done before the next claim. Raises
    StoreError."""
    try:
        async with database.write() as connection:
            yield connection
    except BaseException:
        _doubt(database, table, token)
        raise


def _doubt(database: Database, table: Table, token: str) -> None:
    doubtful = database.doubtful[table.name]
    doubtful[token] = time.monotonic()
    while len(doubtful) > MOST:
        del doubtful[next(iter(doubtful))]
