"""How many ask one source at the same time, and which connections they share.

Waiting for a turn is our own doing, so it happens before a probe's time begins: a service that is asked too often by us
must never look like one that does not answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx

from bot.ports import TURN

PER_SOURCE = 8
"""Measurements in flight at one host: as many as one check asks at once. A thousand deployments share them."""
IN_ALL = 500
"""Measurements in flight at all hosts together: each holds a connection, and a process may open 1,024 files or so."""
CONNECTIONS = httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=15.0)
"""For the one client that all sources share. The turns bound the connections; a second bound inside the client would
count as the source's slowness. Idle ones are few, because httpcore looks at each of them for each of them at every
request (connection_pool.py, _assign_requests_to_connections): a hundred cost 5 ms."""


class NoTurn(Exception):
    """So many were asking all the time that it was given up; the sentence goes into the measurement."""


@dataclass(slots=True)
class _Source:
    places: asyncio.Semaphore
    wanted: int = field(default=0)
    """How many ask it, or wait to."""


class Turns:
    """Lets few at a time ask each source, in the order of their coming; sources that hang hold up only themselves."""

    def __init__(self, per_source: int = PER_SOURCE, in_all: int = IN_ALL, patience: float = TURN.total_seconds()):
        self._per_source, self._patience = per_source, patience
        self._all = asyncio.Semaphore(in_all)
        self._sources: dict[str, _Source] = {}

    @contextlib.asynccontextmanager
    async def at(self, source: str) -> AsyncIterator[None]:
        """A turn at this source, for the block. Raises NoTurn after `patience` seconds of waiting."""
        known = self._sources.setdefault(source, _Source(asyncio.Semaphore(self._per_source)))
        known.wanted += 1
        try:
            async with contextlib.AsyncExitStack() as held:
                try:
                    async with asyncio.timeout(self._patience):
                        # Its own places first: who waits for a source that hangs must not hold a place of all.
                        await held.enter_async_context(known.places)
                        await held.enter_async_context(self._all)
                except TimeoutError:
                    raise NoTurn(
                        f"{source} was not asked: {known.wanted - 1} others ask it, and none of them made room within "
                        f"{self._patience:g} s"
                    ) from None
                yield
        finally:
            known.wanted -= 1
            if known.wanted == 0:
                del self._sources[source]
