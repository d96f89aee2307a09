"""Claiming rows: held by a token for as long as a lease lasts.

Where the database goes away while a claim is committed, nobody here knows whether it was kept. If it was, nobody would
touch what it holds until its lease is over, as its process lives and does not know of it. So such claims are given back
before the next one.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from sqlalchemy import Table, update

from adapters.store.engine import AnyConnection, Database
from adapters.store.statements import new_lease


def in_doubt(database: Database, table: Table) -> bool:
    """Whether there are claims of which nobody knows."""
    return bool(database.doubtful[table.name])


@contextlib.asynccontextmanager
async def claiming(database: Database, table: Table, owner: str) -> AsyncIterator[tuple[AnyConnection, str]]:
    """A transaction, and a token no other claim has, to hold rows of this table by. Raises StoreError."""
    doubtful = database.doubtful[table.name]
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
            doubtful.add(token)
        raise
    doubtful.difference_update(before)
