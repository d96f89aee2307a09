"""Processes on one PostgreSQL tell each other of what they commit: LISTEN and NOTIFY.

It only saves waiting. A notification can be lost with its connection, so everybody still looks from time to time; on
SQLite, and behind a connection pooler, that is all there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import psycopg
import structlog
from psycopg import sql
from sqlalchemy import String, bindparam, func, select
from sqlalchemy.engine import URL

from adapters.store.engine import AnyConnection, connect_parameters, describe
from adapters.store.errors import translated

CHANNEL = "gonogo"
QUIET = 30.0
"""Seconds of silence after which the connection is tried: one that a firewall has dropped says nothing."""
FIRST, LONGEST = 1.0, 60.0
"""Seconds before the next try to connect, doubled each time."""

_TELL = select(func.pg_notify(CHANNEL, bindparam("token", type_=String)))

log = structlog.get_logger(__name__)


async def tell(connection: AnyConnection, token: str) -> None:
    """Tell the others when this transaction commits; nothing on SQLite, which belongs to one process."""
    if connection.dialect.name == "postgresql":
        await connection.execute(_TELL, {"token": token})


async def listen(url: URL, token: str, wake: Callable[[], None]) -> None:
    """Call `wake` whenever somebody with another token has committed something, until cancelled.

    Also once at every new connection, as something may have been missed. Never raises; returns where there is nothing
    to hear: on SQLite, and behind a pooler, which hands the connection to others between two transactions.
    """
    if url.get_backend_name() != "postgresql":
        return
    wait = FIRST
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(**connect_parameters(url), autocommit=True) as connection:
                if await is_pooled(connection):
                    log.info("wakes.pooled", database=describe(url), instead="looking every few seconds")
                    return
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
                wait = FIRST
                await _hear(connection, token, wake)
        except psycopg.Error as error:
            log.warning("wakes.lost", problem=str(translated(error, describe(url))), again_in=wait)
        await asyncio.sleep(wait)
        wait = min(LONGEST, wait * 2)


async def _hear(connection: psycopg.AsyncConnection, token: str, wake: Callable[[], None]) -> None:
    """Until the connection is lost, which raises."""
    wake()
    while True:
        async for notice in connection.notifies(timeout=QUIET):
            if notice.payload != token:
                wake()
        await connection.execute("SELECT 1")


async def is_pooled(connection: psycopg.AsyncConnection) -> bool:
    """Whether somebody between us and PostgreSQL hands this connection to others between two transactions."""
    row = await (await connection.execute("SELECT pg_backend_pid()")).fetchone()
    return row is None or row[0] != connection.info.backend_pid
