"""What one process is watched by: its counters, what stands in the database, and the door both are read through."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, runtime_checkable

from starlette.routing import BaseRoute

from adapters.metrics.doors import metrics_doors
from adapters.metrics.page import MetricsPage
from adapters.store.gauges import Gauges
from adapters.store.store import SqlStore
from bot.access import ApiToken
from bot.cards.card import Answer
from bot.domain.people import Who
from bot.front import Front
from bot.meters import Meters
from bot.ports import Probe
from bot.router import Router
from bot.services.metered import MeteredProbe
from bot.settings import Settings

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@runtime_checkable
class Connected(Protocol):
    """A front that listens to chats over connections of its own."""

    def connected(self) -> Mapping[str, bool]:
        """Chat -> whether it can be heard now."""
        ...


class MeteredRouter(Router):
    """Counts how long what people do takes until it is answered."""

    meters: Meters | None = None

    async def command(self, text: str, *, who: Who, key: str, channel: str) -> Answer:
        """As the router does."""
        return await self._timed("command", super().command(text, who=who, key=key, channel=channel))

    async def click(self, action: str, *, who: Who, key: str, channel: str) -> Answer:
        """As the router does."""
        return await self._timed("click", super().click(action, who=who, key=key, channel=channel))

    async def submit(self, action: str, values: Mapping[str, str], *, who: Who, key: str, channel: str) -> Answer:
        """As the router does."""
        return await self._timed("submit", super().submit(action, values, who=who, key=key, channel=channel))

    async def _timed(self, kind: str, answering: Awaitable[Answer]) -> Answer:
        loop = asyncio.get_running_loop()
        how, begun = "failed", loop.time()
        try:
            answer = await answering
            how = "refused" if answer.refused else "done"
            return answer
        finally:
            if self.meters is not None:
                self.meters.answered(kind, how, loop.time() - begun)


class Metering:
    """Made before the services: `probe` counts what sources are asked. One to an App, with a registry of its own."""

    def __init__(self, settings: Settings, store: SqlStore, front: Front) -> None:
        self._front = front
        self._gauges = Gauges(store.in_background(1))
        self._near = settings.host in _LOOPBACK and not settings.sandbox_token.get_secret_value().strip()
        self.page = MetricsPage(self._gauges.read, front.clock, front.chat_names, self._connected)

    def probe(self, probe: Probe) -> Probe:
        """The same, counted."""
        return MeteredProbe(probe, self.page)

    def doors(self, known: Callable[[str], Awaitable[ApiToken | None]]) -> list[BaseRoute]:
        """`GET /metrics`: with a token for it, or without one from this very machine where nobody else is listened
        to."""
        return metrics_doors(self.page, known, near=self._near)

    def _connected(self) -> Mapping[str, bool]:
        return self._front.connected() if isinstance(self._front, Connected) else {}
