"""Many watched deployments over a real store, and the loopback hosts their probes ask."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

import httpx
from aiohttp import web

from adapters.calendars.ics import IcsCalendars
from adapters.changelog import MarkdownChangelog
from adapters.probes.http import HttpProbe
from adapters.probes.sources import Sources
from adapters.probes.turns import CONNECTIONS
from adapters.store.store import SqlStore
from adapters.web.personas import Cast
from bot.domain import events as e
from bot.domain.people import Who
from bot.ports import FrozenChecklist, Probe
from bot.scheduler import Scheduler
from bot.services.checklists import Checklists, frozen_plan
from bot.services.checks import Checks
from bot.services.deployments import Deployments
from bot.services.gate import Gate
from bot.services.measuring import OneAtATime
from bot.services.notices import Notices
from bot.services.records import Records
from checklists.library import digest

ANN = Who(chat="web", id="u1", name="ann")
MARKDOWN = b"# Service\n\n## Switch\n- [ ] Traffic switched\n\n## Watch\n- [ ] Errors are low\n"


class RunningClock:
    """Product time that stands still until it is started, and then runs `speed` times as fast as real time."""

    def __init__(self, at: datetime, speed: float = 1.0) -> None:
        self._at, self.speed = at, speed
        self._since: float | None = None

    def start(self) -> None:
        """From here on it runs."""
        self._since = monotonic()

    async def until(self, instant: datetime) -> None:
        """Until it says that."""
        loop = asyncio.get_running_loop()
        reached = loop.create_future()
        loop.call_later((instant - self.now()).total_seconds() / self.speed, reached.set_result, None)
        await reached

    def now(self) -> datetime:
        """See the port."""
        return self._at + timedelta(seconds=(monotonic() - self._since) * self.speed if self._since else 0)


@dataclass
class Host:
    """A source on loopback that answers one number; it counts who asks what, and how many at the same time."""

    hangs: bool = False
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Service and probe -> how often."""
    in_flight: int = 0
    most: int = 0
    port: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        """`/SERVICE/PROBE`: a number well within its limit, or nothing for ever."""
        one = request.match_info["service"], request.match_info["probe"]
        self.asked[one] += 1
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            if self.hangs:
                await asyncio.Event().wait()
            return web.json_response({"value": 0.001})
        finally:
            self.in_flight -= 1


@contextlib.asynccontextmanager
async def serving(hosts: Sequence[Host]) -> AsyncIterator[None]:
    """All of them listen for the block."""
    async with contextlib.AsyncExitStack() as stack:
        for host in hosts:
            app = web.Application()
            app.router.add_get("/{service}/{probe}", host.answer)
            runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host.port = runner.addresses[0][1]
        yield


def a_policy(service: str, ports: Sequence[int], every: str, during: str) -> str:
    """A check of as many probes as there are ports, again and again from T0."""
    probes = "\n".join(
        f'  m{n}: {{http: "http://127.0.0.1:{port}/{service}/m{n}", json: value, unit: ratio, timeout: 5s}}'
        for n, port in enumerate(ports)
    )
    measures = ", ".join(f'm{n}: "< 1%"' for n in range(len(ports)))
    watch = f"- {{at: T+0, every: {every}, for: {during}, measure: {{{measures}}}}}"
    return f"service: {service}\nphases: {{Switch: {{deployed: true}}}}\nprobes:\n{probes}\nwatch:\n  {watch}\n"


@dataclass
class Fleet:
    """The core of one process, as `bot/app.py` puts it together, without a chat."""

    store: SqlStore
    clock: RunningClock
    client: httpx.AsyncClient
    folder: Path
    owner: str = "first"
    probe: Probe | None = None
    """Instead of HTTP."""

    def __post_init__(self) -> None:
        gate, checklists, chats = Gate(IcsCalendars(self.folder)), Checklists((self.folder,), None), ("web",)
        self.records = Records(chats)
        deployments = Deployments(
            self.store,
            self.clock,
            gate,
            checklists,
            MarkdownChangelog(self.folder),
            self.records,
            Cast(),
            new_id=lambda: "new",
            changed=self.wake,
        )
        probe = OneAtATime(self.probe or Sources(HttpProbe(self.client)))
        background = self.store.in_background()
        self.checks = Checks(background, self.clock, probe, self.records, deployments, changed=self.wake)
        notices = Notices(self.store, self.clock, checklists, chats, changed=self.wake)
        self.scheduler = Scheduler(self.store, self.clock, self.checks, notices, owner=self.owner)

    def wake(self) -> None:
        self.scheduler.wake()

    async def deploy(self, service: str, environment: str, policy: str, t0: datetime) -> str:
        """A deployment that has reached T0, its checks still to come; its id."""
        seal, id = digest(MARKDOWN, policy), f"{service}-{environment}"
        async with self.store.write() as unit:
            await unit.keep_checklist(FrozenChecklist(seal, service, MARKDOWN, policy))
            plan = await frozen_plan(unit, seal, environment)
            first = plan.steps[0]
            started = e.Started(
                at=t0, by=ANN, id=id, version="v1", service=service, environment=environment, checklist=service,
                digest=seal,
            )  # fmt: skip
            facts: list[e.Event] = [
                started,
                e.PhaseOpened(at=t0, by=ANN, phase=first.id),
                *(e.Ticked(at=t0, by=ANN, item=task.id) for task in first.tasks),
                e.PhaseDone(at=t0, by=ANN, phase=first.id),
                e.Deployed(at=t0, by=ANN),
            ]
            await self.records.begin(unit, plan, facts, t0)
        return id

    async def runs(self, deployment: str) -> list[e.CheckRan]:
        """The checks of it that have run."""
        async with self.store.read() as unit:
            return [fact for fact in await unit.events(deployment) if isinstance(fact, e.CheckRan)]


@contextlib.asynccontextmanager
async def open_fleet(
    url: str, folder: Path, clock: RunningClock, owner: str = "first", probe: Probe | None = None
) -> AsyncIterator[Fleet]:
    """A process over a migrated database."""
    store = await SqlStore.open(url)
    async with httpx.AsyncClient(limits=CONNECTIONS, trust_env=False) as client:
        try:
            yield Fleet(store, clock, client, folder, owner, probe)
        finally:
            await store.close()
