"""The whole core over a real database and the real sandbox channel; its clock, probe and chat can be upset."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy import text

from adapters.calendars.ics import IcsCalendars
from adapters.changelog import MarkdownChangelog
from adapters.store.engine import address, engine_for
from adapters.store.store import SqlStore
from adapters.web.chat import WebChat
from adapters.web.messages import Message
from adapters.web.personas import Cast
from adapters.web.state import Sandbox
from bot.cards.card import Answer, Card
from bot.domain.events import Measurement, Outcome
from bot.domain.people import Who
from bot.ports import Ambiguous, Asked, Busy429, ChannelGone, DeploymentRow
from bot.relay import Relay
from bot.router import Router
from bot.scheduler import Scheduler
from bot.services.alerts import Alerts
from bot.services.checklists import Checklists
from bot.services.checks import Checks
from bot.services.deployments import Deployments
from bot.services.freezes import Freezes
from bot.services.gate import Gate
from bot.services.lock_mirror import LockMirror
from bot.services.locks import Locks
from bot.services.notices import Notices
from bot.services.records import Records
from bot.services.views import Views
from checklists.policy import ProbePolicy

TUESDAY = datetime(2026, 11, 24, 15, tzinfo=UTC)
ANN = Who(chat="web", id="u1", name="ann", roles=frozenset({"qa"}))
BEN = Who(chat="web", id="u2", name="ben")
HERE = "#deployments"

SHOP = """# Shop

## Prepare
- [ ] Tests pass
- [ ] Backup made

## Switch
- [ ] Traffic switched

## Watch
- [ ] Errors are low

## Rollback
- [ ] The old version is back
"""
SHOP_POLICY = """
service: shop
channels: {deployments: "#deployments", incidents: "#incidents"}
also_in: {issue: incidents, rollback_started: incidents}
changelog: CHANGELOG.md
phases:
  Switch: {deployed: true}
  Rollback: {kind: rollback}
items:
  Errors are low: {probe: error_rate}
probes:
  error_rate: {prometheus: errors, unit: ratio, target: "< 1%"}
watch:
  - {at: T+30m, phase: Watch, measure: {error_rate: "< 1%"}, alert: {error_rate: "> 5%"}, then: announce succeeded}
  - {at: T+24h, measure: {error_rate: "< 1%"}, then: announce stable}
"""
# The service is not called as its checklist is, and its channel is one of its own.
PET_POLICY = """
service: pet.store
timezone: America/New_York
channels: {deployments: "#engineering", incidents: "#incidents"}
also_in: {rollback_started: incidents}
windows: {production: ["tue-thu 10:00-16:00"], preprod: always}
freezes:
  - {incidents: true}
  - {calendar: events.ics, why: company event}
phases: {Switch: {deployed: true}, Rollback: {kind: rollback}}
may: {freeze: [lead]}
"""
NO_EVENTS = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:gonogo\r\nEND:VCALENDAR\r\n"
CHANGES = "# Changelog\n\n## 1.2.0\n- Faster checkout\n\n## 1.1.0\n- First\n"

Fault = Literal["fine", "lost", "stored", "busy", "channel gone", "killed", "killed after", "hangs", "broken"]


class Killed(BaseException):
    """The process ends here: nothing after this is done, nothing is tidied up."""


class ManualClock:
    """Stands still unless the test moves it."""

    def __init__(self) -> None:
        self.at = TUESDAY

    def now(self) -> datetime:
        return self.at

    def later(self, **by: float) -> None:
        self.at += timedelta(**by)


class UpsetChat:
    """`bot.ports.Chat` over the real one. What goes out meets `faults` in turn; afterwards everything is fine."""

    name = "web"

    def __init__(self, real: WebChat) -> None:
        self.real = real
        self.faults: list[Fault] = []
        self.posts: list[str] = []
        self.updates: list[str] = []
        self.edited = asyncio.Event()
        """Set when an edit is done."""
        self.finds: list[str] = []
        self.blind = 0
        """How often looking is answered by nothing."""
        self.out = asyncio.Event()
        """Set while a call hangs."""

    def parts(self, card: Card) -> tuple[Card, ...]:
        return self.real.parts(card)

    async def has_channel(self, channel: str) -> bool:
        return await self.real.has_channel(channel)

    async def post(self, channel: str, card: Card, *, key: str, thread: str | None = None) -> str:
        self.posts.append(key)
        return await self._meet(channel, lambda: self.real.post(channel, card, key=key, thread=thread))

    async def update(self, channel: str, message: str, card: Card, *, thread: str | None = None) -> None:
        self.updates.append(message)

        async def update() -> str:
            await self.real.update(channel, message, card, thread=thread)
            self.edited.set()
            return message

        if self.faults[:1] == ["channel gone"]:
            self.faults.pop(0)  # an update says that of the message
        await self._meet(channel, update)

    async def find(self, channel: str, key: str, *, since: datetime, thread: str | None = None) -> str | None:
        self.finds.append(key)
        if self.blind:
            self.blind -= 1
            raise Ambiguous("no answer")
        return await self.real.find(channel, key, since=since, thread=thread)

    async def _meet(self, channel: str, do: Callable[[], Awaitable[str]]) -> str:
        fault = self.faults.pop(0) if self.faults else "fine"
        if fault in ("fine", "stored", "killed after"):
            message = await do()
        match fault:
            case "lost" | "stored":
                raise Ambiguous("no answer")
            case "busy":
                raise Busy429(0)
            case "channel gone":
                raise ChannelGone(f"there is no {channel} any more")
            case "killed" | "killed after":
                raise Killed
            case "broken":
                raise RuntimeError("a fault of the adapter")
            case "hangs":
                self.out.set()
                await asyncio.Event().wait()
        return message


class Numbers:
    """`bot.ports.Probe`: what each measure says, an error rate as a ratio; and everything that was asked."""

    def __init__(self) -> None:
        self.values: dict[str, float | None] = {"error_rate": 0.001}
        self.asked: list[Asked] = []
        self.waits: asyncio.Event | None = None
        self.begun = asyncio.Event()

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        self.asked.append(asked)
        self.begun.set()
        if self.waits is not None:
            await self.waits.wait()
        value = self.values.get(name)
        if value is None:
            return Measurement(name=name, outcome=Outcome.NO_DATA, detail="no data")
        return Measurement(name=name, outcome=Outcome.MEASURED, value=value, dimension="ratio")


@dataclass
class Core:
    """One process. `second()` is another one over the same database and channel."""

    url: str
    folder: Path
    clock: ManualClock
    probe: Numbers
    store: SqlStore
    sandbox: Sandbox
    web: WebChat
    owner: str
    ids: itertools.count[int]
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    """Set after every commit."""
    keys: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.chat = UpsetChat(self.web)
        self.checklists = Checklists((self.folder,), "shop")
        self.gate = Gate(IcsCalendars(self.folder))
        self.views = Views(self.store, self.clock, self.gate)
        mirror = LockMirror()
        records = Records(("web",), mirror)
        self.alerts = Alerts(self.store, self.clock, records, changed=self.changed)
        self.deployments = Deployments(
            self.store, self.clock, self.gate, self.checklists, MarkdownChangelog(self.folder), records, Cast(),
            new_id=self.new_id, changed=self.changed,
        )  # fmt: skip
        self.checks = Checks(self.store, self.clock, self.probe, records, self.deployments, changed=self.changed)
        freezes = Freezes(self.store, self.clock, self.checklists, ("web",), new_id=self.new_id, changed=self.changed)
        locks = Locks(
            self.store, self.clock, self.checklists, ("web",), new_id=self.new_id, changed=self.changed, mirror=mirror
        )
        notices = Notices(self.store, self.clock, self.checklists, ("web",), changed=self.changed, mirror=mirror)
        self.router = Router(
            self.store,
            self.clock,
            self.gate,
            self.checklists,
            self.deployments,
            self.checks,
            freezes,
            locks,
            self.views,
        )
        self.relay = Relay(self.store, self.chat, self.views, self.clock, owner=self.owner)
        self.scheduler = Scheduler(self.store, self.clock, self.checks, notices, owner=self.owner)

    def new_id(self) -> str:
        return f"d{next(self.ids)}"

    def changed(self) -> None:
        self.bell.set()

    # --- what people do ---

    async def say(self, command: str, *, who: Who = ANN, key: str | None = None) -> Answer:
        return await self.router.command(command, who=who, key=key or self._key(), channel=HERE)

    async def click(self, action: str, *, who: Who = ANN, key: str | None = None) -> Answer:
        return await self.router.click(action, who=who, key=key or self._key(), channel=HERE)

    async def submit(self, action: str, values: Mapping[str, str], *, who: Who = ANN, key: str | None = None) -> Answer:
        return await self.router.submit(action, values, who=who, key=key or self._key(), channel=HERE)

    async def start(self, version: str = "v1.2.0", more: str = "shop") -> str:
        """Start it; its id."""
        before = {row.id for row in await self.rows()}
        answer = await self.say(f"start {version} {more}")
        new = {row.id for row in await self.rows()} - before
        assert new, told(answer)
        return new.pop()

    async def start_as(self, who: Who, command: str) -> str:
        """Start it by a command of somebody's; its id."""
        before = {row.id for row in await self.rows()}
        answer = await self.say(command, who=who)
        new = {row.id for row in await self.rows()} - before
        assert new, told(answer)
        return new.pop()

    async def tick(self, deployment: str, *phases: str) -> None:
        """Tick all of these phases."""
        view = await self.views.bare(deployment)
        for step in view.plan.every_step():
            if step.title in phases:
                for task in step.tasks:
                    await self.click(f"tick:{deployment}:{task.id}")

    async def deploy(self, deployment: str) -> None:
        """Through all phases up to T0."""
        await self.tick(deployment, "Prepare")
        await self.click(f"advance:{deployment}")
        await self.tick(deployment, "Switch")
        await self.click(f"deployed:{deployment}")

    async def succeed(self, deployment: str) -> None:
        """Up to the announcement of its success."""
        await self.deploy(deployment)
        await self.tick(deployment, "Watch")
        self.clock.later(minutes=30)
        await self.scheduler.settle()
        assert await self.status(deployment) == "succeeded"

    # --- what stands ---

    async def rows(self) -> list[DeploymentRow]:
        async with self.store.read() as unit:
            return await unit.rows()

    async def status(self, deployment: str) -> str:
        async with self.store.read() as unit:
            row = await unit.row(deployment)
        assert row is not None
        return row.status

    async def kinds(self, deployment: str) -> list[str]:
        async with self.store.read() as unit:
            return [fact.kind for fact in await unit.events(deployment)]

    async def channel(self, channel: str = HERE) -> list[Message]:
        return await self.web.messages.roots(channel, None, 500)

    async def thread(self, root: Message) -> list[Message]:
        return await self.web.messages.thread(root.id, 500)

    async def texts(self, channel: str = HERE) -> list[str]:
        return [message.card.text for message in await self.channel(channel)]

    async def sql(self, statement: str, **values: object) -> None:
        async with self.sandbox.engine.begin() as connection:
            await connection.execute(text(statement), values)

    async def time_passes(self) -> None:
        """So much real time that every lease is over and nothing is put off any more."""
        for table in ("mirrors", "outbox"):
            await self.sql(f"UPDATE {table} SET held_until = NULL, not_before = NULL")
        await self.sql("UPDATE deadlines SET held_until = NULL")

    async def delete(self, message: Message) -> None:
        await self.sql("DELETE FROM sandbox_messages WHERE id = :id OR thread = :id", id=message.id)

    @contextlib.asynccontextmanager
    async def second(self, owner: str = "second") -> AsyncIterator[Core]:
        store = await SqlStore.open(self.url)
        yield Core(
            self.url, self.folder, self.clock, self.probe, store, self.sandbox, self.web, owner, self.ids,
            keys=itertools.count(1_000),
        )  # fmt: skip
        await store.close()

    def _key(self) -> str:
        return f"k{next(self.keys)}"


def a_folder(folder: Path) -> Path:
    """Two checklists, their policies, a calendar and a changelog."""
    folder.mkdir(exist_ok=True)
    texts = {
        "shop.md": SHOP, "shop.yaml": SHOP_POLICY, "pet.md": SHOP, "pet.yaml": PET_POLICY, "events.ics": NO_EVENTS,
        "CHANGELOG.md": CHANGES,
    }  # fmt: skip
    for name, content in texts.items():
        (folder / name).write_bytes(content.encode())
    return folder


@contextlib.asynccontextmanager
async def open_core(url: str, folder: Path, channels: tuple[str, ...] = ("#incidents",)) -> AsyncIterator[Core]:
    """A core over a migrated database; the sandbox channel is empty."""
    store = await SqlStore.open(url)
    sandbox = Sandbox(engine_for(address(url)))
    clock = ManualClock()
    web = WebChat(sandbox, clock, channels)
    core = Core(url, folder, clock, Numbers(), store, sandbox, web, "first", itertools.count(1))
    await core.sql("DELETE FROM sandbox_messages")
    await core.sql("DELETE FROM sandbox_settings")
    try:
        yield core
    finally:
        await store.close()
        await sandbox.engine.dispose()


def told(answer: Answer) -> str:
    """What an answer says: its words, or the title of its form."""
    if answer.card is not None:
        return answer.card.text
    return f"form: {answer.form.title}" if answer.form is not None else ""
