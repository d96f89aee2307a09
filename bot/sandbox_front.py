"""The sandbox page as the place the channel stands in."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp

from adapters.pictures.pictures import MatplotlibPictures
from adapters.probes.http import HttpProbe
from adapters.probes.simulated import SimulatedMetrics
from adapters.probes.sources import Sources
from adapters.probes.turns import CONNECTIONS
from adapters.store.engine import address, engine_for
from adapters.web.chat import WebChat
from adapters.web.clock import SandboxClock, SandboxTime
from adapters.web.entrance import Entrance
from adapters.web.personas import Cast
from adapters.web.server import make_app
from adapters.web.service import SimulatedService
from adapters.web.state import Sandbox
from bot.front import Core, channels_of
from bot.ports import Chat, Probe, Roster, Store
from bot.reaching import make_client
from bot.services.incidents import OwnIncidents
from bot.settings import Settings

_EVERYWHERE = "0.0.0.0"  # noqa: S104 (compared with, not bound to)


class SandboxFront:
    """The page on loopback, with a clock to move and a simulated service: nothing leaves the machine. With a token only
    who knows it comes in. Raises ValueError for one that can be guessed."""

    chat_names: tuple[str, ...] = (WebChat.name,)

    def __init__(self, settings: Settings, port: int) -> None:
        self._host = "127.0.0.1" if settings.host in ("localhost", _EVERYWHERE) else settings.host
        self._service = f"http://{self._host}:{port}/service"
        self._engine = engine_for(address(settings.database_url))
        self._client = make_client(limits=CONNECTIONS)
        token = settings.sandbox_token.get_secret_value().strip()
        self._entrance = Entrance(token) if token else None
        if token:
            self._client.headers["Authorization"] = f"Bearer {token}"  # it asks nobody but its own page
        self.sandbox = Sandbox(self._engine)
        self.clock = SandboxClock(self.sandbox)
        self.chats: list[Chat] = []

    def roster(self) -> Roster:
        """The personas."""
        return Cast()

    def probe(self, store: Store) -> Probe:
        """The real HTTP probe, asking the page's own service; every metrics source is simulated there too."""
        http = HttpProbe(self._client, reroute=lambda url: self._service + httpx.URL(url).path)
        metrics = SimulatedMetrics(self._client, self._service)
        return Sources(http, metrics, connected={"incidents": OwnIncidents(store)})

    async def open(self, core: Core) -> None:
        """The chat has every channel that the checklists name."""
        await self.clock.load()
        self._core = core
        self._chat = WebChat(self.sandbox, self.clock, await channels_of(core.checklists))
        self.chats = [self._chat]

    async def listen(self) -> None:
        """The web server is all there is to hear."""

    async def follow(self) -> None:
        """Another process serves the page, and its clock may be moved there: look again every second."""
        while True:
            await asyncio.sleep(1)
            with contextlib.suppress(SQLAlchemyError):
                await self.clock.load()

    def asgi(self) -> ASGIApp:
        """The page."""
        return make_app(
            sandbox=self.sandbox,
            chat=self._chat,
            dialogue=self._core.router,
            clock=self.clock,
            time=SandboxTime(self.clock, self._core.store, self._core.settle, self._core.next_opening),
            service=SimulatedService(self.sandbox, self.clock, self._deployed_version),
            pictures=MatplotlibPictures(),
            entrance=self._entrance,
        )

    def where(self, port: int) -> str:
        """The address of the page."""
        return f"gonogo: the sandbox channel is at http://{self._host}:{port}/  (Ctrl-C stops it)"

    def changed(self) -> None:
        """The page hears of it from the chat."""

    async def lost(self) -> str:
        """The page is this machine's own."""
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never

    def stopping(self) -> None:
        """Open pages hold their streams."""
        self.sandbox.bell.close()

    async def stop(self) -> None:
        """Nothing listens by itself."""

    async def close(self) -> None:
        """The page's own connections to the database."""
        await self._client.aclose()
        await self._engine.dispose()

    async def _deployed_version(self) -> str | None:
        async with self._core.store.read() as unit:
            rows = await unit.rows()
        return next((row.version for row in rows if row.deployed_at is not None and row.status != "rolled back"), None)
