"""The only place that wires adapters to the core."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from types import FrameType

import uvicorn
from starlette.routing import BaseRoute

from adapters.alerts.doors import alert_doors
from adapters.api.doors import doors as api_doors
from adapters.changelog import MarkdownChangelog
from adapters.store.engine import address, file_of
from adapters.store.migrate import migrate
from adapters.store.onlyone import hold
from adapters.store.purge import Purge
from adapters.store.store import SqlStore
from adapters.web.entrance import SHORTEST
from bot.calls import Calls
from bot.chats_front import chats_of
from bot.connections import webhook_caller
from bot.domain.errors import Unwell
from bot.doors import with_doors
from bot.front import Front, SystemClock
from bot.fronts import front_for
from bot.gating import freeze_sources
from bot.housekeeping import Housekeeping
from bot.hub import Hub
from bot.metering import MeteredRouter, Metering
from bot.ports import Probe
from bot.relay import REST, Relay
from bot.router import Router
from bot.scheduler import Scheduler
from bot.services.alerts import Alerts
from bot.services.checklists import UNREADABLE, Checklists
from bot.services.checks import Checks
from bot.services.deployments import Deployments
from bot.services.dispatching import DUE, Dispatching
from bot.services.freezes import Freezes
from bot.services.gate import Gate
from bot.services.github_events import GitHubEvents
from bot.services.lock_mirror import LockMirror
from bot.services.locks import Locks
from bot.services.measuring import OneAtATime
from bot.services.news import News
from bot.services.notices import Notices
from bot.services.pipeline import Pipeline
from bot.services.programs import Programs
from bot.services.protection import Protection
from bot.services.records import Records
from bot.services.tokens import Tokens
from bot.services.views import Views
from bot.services.workflows import Dispatches
from bot.settings import EMBEDDED, Settings

LOOPBACK = ("127.0.0.1", "localhost")
MAKE_ONE = (
    "Set GONOGO_SANDBOX_TOKEN to what this prints: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'."
)


class PortTaken(Exception):
    """The address cannot be listened on; the sentence says what to do."""


class Unreachable(Exception):
    """Nobody can be heard any more; the sentence says what to do."""


class App:
    """Everything of one process, put together but not yet running. Made by `App.open`, which also gives it back."""

    def __init__(self, settings: Settings, store: SqlStore, front: Front) -> None:
        self.store, self.front = store, front
        self._owner = f"{os.getpid()}-{secrets.token_hex(4)}"
        clock, chats = front.clock, front.chat_names
        folder = settings.checklist_file.parent if settings.checklist_file else settings.checklists
        self.checklists = Checklists((folder,), settings.checklist, file=settings.checklist_file)
        self._sources = freeze_sources(settings, folder)
        self._gate = Gate(self._sources)
        self._hub = Hub(settings)
        self._views = Views(store, clock, self._gate, github=self._hub.forge is not None)
        # Nothing leaves the sandbox: what is played there is no deployment of anybody's.
        self._caller = webhook_caller(settings) if chats_of(settings) else None
        mirror = LockMirror() if self._caller is not None else None
        records = Records(chats, mirror)
        deployments = Deployments(
            store,
            clock,
            self._gate,
            self.checklists,
            MarkdownChangelog(folder),
            records,
            front.roster(),
            new_id=new_id,
            changed=self.wake,
        )
        metering = Metering(settings, store, front)
        probe = OneAtATime(metering.probe(front.probe(store)))
        checks = Checks(store.in_background(), clock, probe, records, deployments, changed=self.wake)
        freezes = Freezes(store, clock, self.checklists, chats, new_id=new_id, changed=self.wake)
        locks = Locks(store, clock, self.checklists, chats, new_id=new_id, changed=self.wake, mirror=mirror)
        notices = Notices(store, clock, self.checklists, chats, changed=self.wake, mirror=mirror)
        alerts = Alerts(store, clock, records, changed=self.wake)
        metered = MeteredRouter(
            store, clock, self._gate, self.checklists, deployments, checks, freezes, locks, self._views
        )
        metered.meters, checks.measured = metering.page, metering.page.checked
        self.router: Router = metered
        self.scheduler = Scheduler(store, clock, checks, notices, owner=self._owner)
        self.housekeeping = Housekeeping(store, clock, Purge(store.in_background(1)), owner=self._owner)
        self.relays: list[Relay] = []
        self.calls: Calls | None = None
        if self._caller is not None:
            self.calls = Calls(store, clock, self._caller, self.checklists, chats, owner=self._owner, changed=self.wake)
        self.pipeline = Pipeline(
            store, clock, self._gate, records, repository=settings.github_repository, changed=self.wake
        )
        tokens = Tokens(store, SystemClock())
        self.desk = Programs(store, clock, self._gate, self.checklists, deployments, self.pipeline, tokens)
        self.doors: list[BaseRoute] = api_doors(self.desk)
        """Routes for programs, beside the front's own."""
        self.doors += alert_doors(
            alerts.take,
            token=settings.alerts_token.get_secret_value(),
            sentry_secret=settings.sentry_webhook_secret.get_secret_value(),
        )
        self.doors += metering.doors(tokens.known)
        self.doors += self._hub.doors(self._github(settings, deployments, records, checks, probe))

    def _github(
        self, settings: Settings, deployments: Deployments, records: Records, checks: Checks, probe: Probe
    ) -> GitHubEvents:
        """What is started on GitHub, what is due about it, and what GitHub tells."""
        store, clock, forge, repository = self.store, self.front.clock, self._hub.forge, settings.github_repository
        dispatches = Dispatches(store, clock, deployments, forge, repository=repository, new_id=new_id)
        dispatching = Dispatching(store, clock, records, forge, repository=repository, new_id=new_id, changed=self.wake)
        self.router.dispatches = dispatches
        if forge is not None:
            deployments.before_go = dispatches.look_before_go
        news = News(store, clock, probe, records, changed=self.wake)
        checks.others |= dict.fromkeys(DUE, dispatching.run_due)
        checks.others["news"] = news.run_due
        protection = Protection(
            store, clock, self._gate, self.checklists, self.pipeline, repository=repository, new_id=new_id
        )
        return GitHubEvents(store, clock, self.pipeline, records, dispatching, protection, forge, changed=self.wake)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, settings: Settings, front: Front) -> AsyncIterator[App]:
        """A process's parts over a migrated database. Raises StoreError."""
        store = await SqlStore.open(settings.database_url)
        try:
            app = cls(settings, store, front)
            await store.begin(app._owner)
            try:
                await front.open(app)
                rest = REST if chats_of(settings) else timedelta(0)
                app.relays = [
                    Relay(store, chat, app._views, front.clock, owner=app._owner, rest=rest) for chat in front.chats
                ]
                yield app
            finally:
                await app._hub.close()
                await app._sources.close()
                if app._caller is not None:
                    await app._caller.close()
        finally:
            await front.close()
            await store.close()

    def wake(self) -> None:
        """Something was committed."""
        for relay in self.relays:
            relay.wake()
        if self.calls is not None:
            self.calls.wake()
        self.scheduler.wake()
        self.front.changed()

    async def settle(self) -> None:
        """Do everything that is due now, and show it. What the sandbox's clock calls at every step."""
        await self.scheduler.settle()
        if self.calls is not None:
            await self.calls.settle()
        for relay in self.relays:
            await relay.settle()

    async def next_opening(self) -> datetime | None:
        """When the window of the default checklist opens; None while it is open, or if there is no default."""
        name = await self.checklists.default()
        if name is None:
            return None
        try:
            policy, now = (await self.checklists.load(name)).policy, self.front.clock.now()
            read = await self._gate.read_calendars(policy, "production", now)
        except (*UNREADABLE, Unwell):
            return None  # whoever starts it is told
        async with self.store.read() as unit:
            opening = await self._gate.opening(
                unit, policy, service=policy.service or name, environment="production", at=now, read=read
            )
        return None if opening.open else opening.next_open


async def serve(settings: Settings, tell: Callable[[str], None], *, web: bool = True, work: bool = True) -> None:
    """Run until SIGINT or SIGTERM: the web application, the due work and the relay, or one of them.

    `tell` gets the line that says where the page is.
    Raises StoreError and PortTaken before anything runs, and Unreachable when the only chat is lost for good. One
    process to a SQLite file; on PostgreSQL any number.
    """
    file = file_of(address(settings.database_url))
    if settings.database_url == EMBEDDED and file is not None:
        file.parent.mkdir(exist_ok=True)
    host = _host(settings)
    with hold(settings.database_url), _listening(host, settings.port if web else 0) as listener:
        await migrate(settings.database_url)
        port = listener.getsockname()[1] if web else settings.port
        async with App.open(settings, front_for(settings, port)) as app:
            if file is not None:
                # Nobody else is on this file: what a killed process held is free at once, not when its lease ends.
                await app.store.forget_leases()
            await _run(app, listener if web else None, tell, work=work, port=port)


async def _run(app: App, listener: socket.socket | None, tell: Callable[[str], None], *, work: bool, port: int) -> None:
    living = asyncio.create_task(app.store.live(app.wake))
    tasks = [asyncio.create_task(app.store.listen(app.wake))]
    if work:
        app.scheduler.start()
        tasks += [asyncio.create_task(relay.run()) for relay in app.relays]
        tasks.append(asyncio.create_task(app.housekeeping.run()))
        if app.calls is not None:
            tasks.append(asyncio.create_task(app.calls.run()))
    try:
        if listener is not None:
            config = uvicorn.Config(
                with_doors(app.front.asgi(), app.doors), log_config=None, lifespan="off", timeout_graceful_shutdown=5
            )
            await app.front.listen()
            server = _Server(config, app.front, lambda: tell(app.front.where(port)))
            lost = asyncio.create_task(server.stopped_when_lost())
            await server.serve(sockets=[listener])
            if not lost.cancel():
                raise Unreachable(lost.result())
        else:
            tasks.append(asyncio.create_task(app.front.follow()))
            await _until_stopped(lambda: tell("gonogo: working (Ctrl-C stops it)"))
    finally:
        # What has begun ends: clicks are answered, checks are saved.
        await asyncio.gather(app.front.stop(), *([app.scheduler.stop()] if work else []))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)


class _Server(uvicorn.Server):
    """Says that it is there only once a signal ends it in good order; then lets the open pages go first, whose streams
    would hold up the stop."""

    def __init__(self, config: uvicorn.Config, front: Front, there: Callable[[], None]) -> None:
        super().__init__(config)
        self._front, self._there = front, there

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Signals are heard from before this on."""
        await super().startup(sockets)
        self._there()

    async def stopped_when_lost(self) -> str:
        """Stop when nobody can be heard any more; the sentence that says why."""
        sentence = await self._front.lost()
        self.should_exit = True
        return sentence

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGINT or SIGTERM has come. Asked to stop and stopped is a good end: the signal is not raised again."""
        self._front.stopping()
        self.force_exit = self.should_exit
        self.should_exit = True


async def _until_stopped(there: Callable[[], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sig in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sig, stop.set)
    there()
    await stop.wait()


def _host(settings: Settings) -> str:
    """Where to listen. The sandbox channel lets anybody be anybody: it stays on this machine, or asks for a token."""
    if chats_of(settings):
        return settings.host
    token = settings.sandbox_token.get_secret_value().strip()
    if settings.host not in LOOPBACK and not token:
        raise PortTaken(
            f"The sandbox channel listens on 127.0.0.1 only, not on {settings.host}: anybody there could act as "
            f"anybody. {MAKE_ONE} GONOGO_HOST alone is for Slack over HTTP."
        )
    if token and len(token) < SHORTEST:
        raise PortTaken(f"GONOGO_SANDBOX_TOKEN is shorter than {SHORTEST} letters and could be guessed. {MAKE_ONE}")
    return settings.host


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    # TCP by name: only then does asyncio turn Nagle's algorithm off, which held every answer back for 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"Port {port} on {host} cannot be used ({error.strerror}). "
            "Stop what uses it, or choose another: GONOGO_PORT=8700 make run"
        ) from error
    try:
        yield listener
    finally:
        listener.close()


def new_id() -> str:
    """An id of a deployment, freeze or incident: eight hexadecimal digits."""
    return secrets.token_hex(4)
