"""Claiming rows, and giving them back: held by a token for as long as a lease lasts.

Where the database goes away while a claim is committed, nobody here knows whether it was kept; where it is away when
rows are given back, they are not. Nobody would touch what is held until its lease is over, as the process that holds it
lives. So all that is in doubt is given back before the next claim.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from sqlalchemy import Table, update

from adapters.store.engine import AnyConnection, Database
from adapters.store.statements import new_lease


def in_doubt(database: Database, table: Table) -> bool:
    """Whether something may be held that is not worked on."""
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


@contextlib.asynccontextmanager
async def giving_back(database: Database, table: Table, token: str) -> AsyncIterator[AnyConnection]:
    """A transaction that gives back what is held by this token; if it fails, that is done before the next claim. Raises
    StoreError."""
    try:
        async with database.write() as connection:
            yield connection
    except BaseException:
        database.doubtful[table.name].add(token)
        raise
