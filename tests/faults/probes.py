"""The endpoints that the checks ask: well, ill, slow, or hanging."""

from __future__ import annotations

import asyncio
import random
import socket
from collections import Counter
from types import TracebackType
from typing import Self

from aiohttp import web

MOODS = ("fails", "hangs", "drops", "slow")


class Probes:
    """`/health` and `/backup` on a free port of 127.0.0.1. Well while `ill` is 0; it is the share of bad answers."""

    def __init__(self, dice: random.Random, counts: Counter[str]) -> None:
        self._dice, self._counts = dice, counts
        self.ill = 0.0
        self._closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{name}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handle_signals=False)
        await self._runner.setup()
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        await web.SockSite(self._runner, listening).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self._dice.random() >= self.ill:
            return web.Response(text="ok")
        mood = self._dice.choice(MOODS)
        self._counts[f"probe {mood}"] += 1
        if mood == "fails":
            return web.Response(status=500)
        if mood == "drops" and request.transport is not None:
            request.transport.abort()
        elif mood != "drops":
            seconds = 1.0 if mood == "slow" else 8.0
            await asyncio.wait({asyncio.ensure_future(self._closing.wait())}, timeout=seconds)
        return web.Response(text="ok")
