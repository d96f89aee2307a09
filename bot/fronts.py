"""Where the channel stands: the sandbox page, or Slack. Each front wires its adapters and says how it runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

import httpx
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from adapters.probes.http import HttpProbe
from adapters.probes.simulated import SimulatedMetrics
from adapters.probes.sources import Sources
from adapters.slack.adapter import SlackAdapter
from adapters.slack.config import SlackConfig
from adapters.store.engine import address, engine_for
from adapters.web.chat import WebChat
from adapters.web.clock import SandboxClock, SandboxTime
from adapters.web.personas import Cast
from adapters.web.server import make_app
from adapters.web.service import SimulatedService
from adapters.web.state import Sandbox
from bot.ports import Chat, Clock, Probe, Roster, Store, StoreError
from bot.router import Router
from bot.services.checklists import UNREADABLE, Checklists
from bot.services.incidents import OwnIncidents
from bot.services.rosters import Named
from bot.settings import Settings
from checklists.policy import Person


class Core(Protocol):
    """What a front needs of the process it stands in."""

    router: Router
    checklists: Checklists

    @property
    def store(self) -> Store:
        """The truth."""
        ...

    async def settle(self) -> None:
        """Do everything that is due now, and show it."""
        ...

    async def next_opening(self) -> datetime | None:
        """When the window of the default checklist opens; None while it is open."""
        ...


class Front(Protocol):
    """One place for the channel to stand in. `open` comes first, then `listen`, `stop` and `close`."""

    chat_names: tuple[str, ...]

    @property
    def clock(self) -> Clock:
        """The one source of now."""
        ...

    @property
    def chats(self) -> Sequence[Chat]:
        """The chats; empty before `open`."""
        ...

    def probe(self, store: Store) -> Probe:
        """Where measurements come from."""
        ...

    def roster(self) -> Roster:
        """Who holds which role."""
        ...

    async def open(self, core: Core) -> None:
        """Make the adapters."""
        ...

    async def listen(self) -> None:
        """Begin to hear clicks and commands, where that is not the web server's part."""
        ...

    async def follow(self) -> None:
        """Until cancelled, for a process that does not serve: keep up with what the one that does decides."""
        ...

    def asgi(self) -> ASGIApp:
        """What the web server serves."""
        ...

    def where(self, port: int) -> str:
        """The line that says what runs, and where."""
        ...

    def changed(self) -> None:
        """Something was committed."""
        ...

    def stopping(self) -> None:
        """The web server is asked to stop: let open streams go."""
        ...

    async def stop(self) -> None:
        """Hear no more; let what has begun come to its end."""
        ...

    async def close(self) -> None:
        """Give every connection back."""
        ...


def front_for(settings: Settings, port: int) -> Front:
    """The front the settings ask for: Slack when there is a bot token, else the sandbox."""
    return SlackFront(settings) if settings.slack_bot_token.get_secret_value() else SandboxFront(settings, port)


class SandboxFront:
    """The page on loopback, with a clock to move and a simulated service: nothing leaves the machine."""

    chat_names: tuple[str, ...] = (WebChat.name,)

    def __init__(self, settings: Settings, port: int) -> None:
        self._service = f"http://127.0.0.1:{port}/service"
        self._engine: AsyncEngine = engine_for(address(settings.database_url))
        self._client = httpx.AsyncClient()
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
        self._chat = WebChat(self.sandbox, self.clock, await _channels(core.checklists))
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
        )

    def where(self, port: int) -> str:
        """The address of the page."""
        return f"gonogo: the sandbox channel is at http://127.0.0.1:{port}/  (Ctrl-C stops it)"

    def changed(self) -> None:
        """The page hears of it from the chat."""

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


class SlackFront:
    """A Slack workspace: Socket Mode with an app token, else signed HTTP. Time is real, and so are the probes."""

    chat_names: tuple[str, ...] = ("slack",)

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self._config = slack_config(settings)
        self._client = httpx.AsyncClient()
        self.clock: Clock = clock or SystemClock()
        self.chats: list[Chat] = []
        self._people: dict[str, list[Person]] = {}

    def roster(self) -> Roster:
        """As the policies name them."""
        return Named(self.chat_names)

    def probe(self, store: Store) -> Probe:
        """HTTP endpoints and own incidents; other sources say that they are not connected."""
        return Sources(HttpProbe(self._client), connected={"incidents": OwnIncidents(store)})

    async def open(self, core: Core) -> None:
        """The adapter, with the people of every policy."""
        self._core = core
        self._people = await people_of(core.checklists)
        self._slack = SlackAdapter(self._config, core.router, lambda: self._people)
        core.router.faults = self._slack.chat.faults
        self.chats = [self._slack.chat]
        await self._slack.open()

    async def follow(self) -> None:
        """Real time needs no following."""

    async def listen(self) -> None:
        """Socket Mode, the Home tab, the roster."""
        await self._slack.start()

    def asgi(self) -> ASGIApp:
        """`/healthz`, and Slack's requests when they come over HTTP."""
        return Starlette(routes=[Route("/healthz", self._healthz, methods=["GET"]), *self._slack.routes()])

    def where(self, port: int) -> str:
        """How Slack's clicks come in."""
        return f"gonogo: on Slack by {self._slack.way_in}; http://127.0.0.1:{port}/healthz  (Ctrl-C stops it)"

    def changed(self) -> None:
        """Home tabs are drawn anew."""
        self._slack.changed()

    def stopping(self) -> None:
        """No streams are open."""

    async def stop(self) -> None:
        """Running clicks are acknowledged first."""
        await self._slack.stop()

    async def close(self) -> None:
        """Those of Slack, and of the probes."""
        if self.chats:
            await self._slack.close()
        await self._client.aclose()

    async def _healthz(self, request: Request) -> Response:
        try:
            await self._core.store.next_due()
        except StoreError as problem:
            return JSONResponse({"status": "error", "database": str(problem)}, 503)
        return JSONResponse({"status": "ok"})


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC)


def slack_config(settings: Settings) -> SlackConfig:
    """What the settings say of Slack."""
    return SlackConfig(
        bot_token=settings.slack_bot_token.get_secret_value(),
        app_token=settings.slack_app_token.get_secret_value(),
        signing_secret=settings.slack_signing_secret.get_secret_value(),
        api_url=settings.slack_api_url,
        processes=settings.slack_processes,
    )


async def people_of(checklists: Checklists) -> dict[str, list[Person]]:
    """Who holds which role, over all checklists without errors."""
    people: dict[str, list[Person]] = {}
    for name in await checklists.names():
        with contextlib.suppress(*UNREADABLE):
            mapped: Mapping[str, Person] = (await checklists.load(name)).policy.people
            for role, person in mapped.items():
                people.setdefault(role, []).append(person)
    return people


async def _channels(checklists: Checklists) -> set[str]:
    channels: set[str] = set()
    for name in await checklists.names():
        with contextlib.suppress(*UNREADABLE):
            channels.update((await checklists.load(name)).policy.channels.values())
    return channels
