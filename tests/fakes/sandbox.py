"""A small core for the sandbox channel: a real Dialogue over one checklist in memory, deadlines, and a server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from adapters.store.engine import AnyEngine, address, engine_for
from adapters.web.chat import WebChat
from adapters.web.clock import SandboxClock, SandboxTime
from adapters.web.entrance import Entrance
from adapters.web.server import make_app
from adapters.web.service import SimulatedService
from adapters.web.state import Sandbox
from adapters.web.tables import metadata
from bot.cards import card as c
from bot.cards.card import Answer, Card, escape
from bot.domain.people import Who
from bot.ports import Pictures, StoreError

NOW = datetime(2026, 11, 24, 10, 4, tzinfo=UTC)
COMMANDS = {
    "start": "Start a deployment: start v1.2.0 [service] [staging|production]",
    "status": "Where it stands",
    "help": "What can be typed",
    "rollback": "Go back to an earlier version",
}


@dataclass
class Item:
    id: str
    text: str
    section: str
    command: str | None = None
    hints: tuple[str, ...] = ()
    depth: int = 1
    group: str | None = None
    state: c.ItemState = c.ItemState.OPEN
    status: str = ""


ITEMS = (
    Item("tests", "All tests passing (`npm test`)", "Code", "npm test -- --ci\nnpm run lint"),
    Item("review", "Code review approved by [2+ team members](https://example.org/review)", "Code"),
    Item("qa", "QA sign-off", "Code", hints=("sign-off: QA",)),
    Item("backup", "Database backup completed", "Infrastructure", hints=("may be left open",)),
    Item("disk", "Disk space ≥ 30% free", "Infrastructure", group="**Storage**"),
    Item("memory", "Memory usage < 70%", "Infrastructure", depth=2, group="**Storage**"),
)


class Core:
    """`bot.ports.Dialogue` for one deployment; it posts and edits by itself, as the relay would."""

    def __init__(self, chat: WebChat, clock: SandboxClock, items: tuple[Item, ...] = ITEMS) -> None:
        self.chat = chat
        self.clock = clock
        self.items = {item.id: Item(**vars(item)) for item in items}
        self.answers: dict[str, Answer] = {}
        self.calls: list[tuple[str, str, str]] = []
        self.broken: str | None = None
        self.root: str | None = None
        self.version = ""
        self.phase = ""

    async def command(self, text: str, *, who: Who, key: str, channel: str) -> Answer:
        return await self._once("command", text, who, key, self._command(text, who, channel))

    async def click(self, action: str, *, who: Who, key: str, channel: str) -> Answer:
        return await self._once("click", action, who, key, self._click(action, who, channel))

    async def submit(self, action: str, values: Mapping[str, str], *, who: Who, key: str, channel: str) -> Answer:
        return await self._once("submit", action, who, key, self._submit(action, values, who, channel))

    async def complete(self, text: str, *, who: Who) -> list[c.Option]:
        return [c.Option(name, label) for name, label in COMMANDS.items() if name.startswith(text.strip())]

    async def _once(self, kind: str, what: str, who: Who, key: str, work) -> Answer:
        self.calls.append((kind, what, key))
        if self.broken or key in self.answers:
            work.close()
            if self.broken:
                raise StoreError(self.broken)
            return self.answers[key]
        self.answers[key] = Answer()
        self.answers[key] = await work
        return self.answers[key]

    async def _command(self, text: str, who: Who, channel: str) -> Answer:
        word, _, rest = text.partition(" ")
        if word == "start":
            if not rest.startswith("v"):
                return said("Not started", f"“{escape(rest, limit=40)}” is not a version. Use one like `v1.2.0`.")
            self.version = rest.split()[0]
            self.root = await self.chat.post(channel, self.card(who), key=f"{key_of(who)}:card")
            self.phase = await self.chat.post(channel, self.checklist(), key="phase", thread=self.root)
            return Answer()
        if word == "rollback":
            return Answer(form=rollback_form())
        if word == "status" and self.root:
            return Answer(card=self.card(who))
        return said("gonogo", *(f"`/deploy {name}` {label}" for name, label in COMMANDS.items()))

    async def _click(self, action: str, who: Who, channel: str) -> Answer:
        verb, _, item = action.partition(":d1:")
        if verb == "note":
            return Answer(form=note_form(self.items[item]))
        if verb == "advance":
            open_items = [item for item in self.items.values() if item.state is c.ItemState.OPEN]
            return said(f"{len(open_items)} items are missing", *(f"• {item.text}" for item in open_items))
        if verb == "rollback":
            return Answer(form=rollback_form())
        if verb == "tick" and item == "qa" and "qa" not in who.roles:
            return said("That is not yours to tick", "It is a sign-off of **QA**. Ask Quinn.")
        states = {"tick": c.ItemState.TICKED, "untick": c.ItemState.OPEN, "excuse": c.ItemState.EXCUSED}
        self.items[item].state = states[verb]
        self.items[item].status = "" if verb == "untick" else f"{escape(who.name)} {self.clock.now():%H:%M}"
        await self._show(channel, who)
        return Answer()

    async def _submit(self, action: str, values: Mapping[str, str], who: Who, channel: str) -> Answer:
        verb, _, item = action.partition(":d1:")
        if verb == "note":
            written = f"📝 {escape(who.name)}: {escape(values['note'])}"
            self.items[item].hints += (written,)
            await self._show(channel, who)
            return Answer()
        if len(values["reason"]) < 5:
            return Answer(form=rollback_form("Say why, in a few words.", values["reason"]))
        text = f"🔄 ROLLBACK COMPLETE\nRolled back to: {values['version']}\nReason: {values['reason']}"
        await self.chat.post(
            channel,
            Card("Rolled back", text, (c.Verbatim(text),), tone=c.Tone.BAD, mentions=("on_call",)),
            key="rolled-back",
        )
        return Answer()

    async def _show(self, channel: str, who: Who) -> None:
        await self.chat.update(channel, self.phase, self.checklist(), thread=self.root)
        await self.chat.update(channel, str(self.root), self.card(who))

    def card(self, who: Who) -> Card:
        done = sum(item.state is not c.ItemState.OPEN for item in self.items.values())
        total = len(self.items)
        return Card(
            title=f"🚀 azora {self.version} → production",
            text=f"azora {self.version}: {done} of {total}",
            blocks=(
                c.Text("started by Ann 10:04", small=True),
                c.Text("Phase 1 of 9: **Pre-Deployment Checks**"),
                c.Progress(done, total, f"{done} of {total}"),
                c.Text("Next: QA sign-off (QA) · Database backup completed · and 2 more"),
                c.Text("Window open until 14:00 UTC, 1 h 12 m left."),
                c.Buttons(
                    (
                        c.Button("Next phase", "advance:d1:", "primary"),
                        c.Button("Deployed", "deployed:d1:"),
                        c.Button("Roll back…", "rollback:d1:", "danger"),
                    )
                ),
            ),
        )

    def checklist(self) -> Card:
        blocks: list[c.Block] = [c.Text("T-48 h: due now. Please tick what is true.", small=True)]
        sections = dict.fromkeys(item.section for item in self.items.values())
        for section in sections:
            here = [item for item in self.items.values() if item.section == section]
            done = sum(item.state is not c.ItemState.OPEN for item in here)
            blocks.append(c.Heading(f"{section} · {done} of {len(here)}"))
            blocks += [row(item) for item in here]
        missing = sum(item.state is c.ItemState.OPEN for item in self.items.values())
        return Card(
            title="Pre-Deployment Checks (48 hours before)",
            text=f"Pre-Deployment Checks: {missing} items to do",
            blocks=tuple(blocks),
            tone=c.Tone.PLAIN if missing else c.Tone.GOOD,
            mentions=("qa", "on_call"),
        )


def key_of(who: Who) -> str:
    return f"d1:{who.id}"


def said(title: str, *lines: str) -> Answer:
    return Answer(card=Card(title=title, text=". ".join((title, *lines)), blocks=tuple(c.Text(line) for line in lines)))


def note_form(item: Item) -> c.Form:
    return c.Form("Note", f"note:d1:{item.id}", (c.Field("note", "Note", "paragraph"),), text=item.text)


def rollback_form(hint: str = "", reason: str = "") -> c.Form:
    versions = (c.Option("v1.1.9", "v1.1.9, deployed Tue 17 Nov"), c.Option("v1.1.8", "v1.1.8"))
    return c.Form(
        "Roll back azora",
        "rolledback:d1:",
        (
            c.Field("version", "Back to", "choice", value="v1.1.9", options=versions),
            c.Field("reason", "Reason", "line", value=reason, hint=hint or "It is announced in the channel."),
            c.Field("next", "Next steps", "paragraph", required=False),
        ),
        submit="Roll back",
    )


def row(item: Item) -> c.ItemRow:
    if item.state is c.ItemState.OPEN:
        buttons: tuple[c.Button, ...] = (
            c.Button("Tick", f"tick:d1:{item.id}", "primary"),
            c.Button("Not applicable…", f"excuse:d1:{item.id}"),
        )
    else:
        buttons = (c.Button("Undo", f"untick:d1:{item.id}"),)
    return c.ItemRow(
        id=item.id,
        markdown=item.text,
        state=item.state,
        depth=item.depth,
        group=item.group,
        status=item.status,
        hints=item.hints,
        command=item.command,
        buttons=(*buttons, c.Button("Note…", f"note:d1:{item.id}")),
    )


@dataclass
class Deadlines:
    """The one question the sandbox's time asks of the store, and the work done when something is due."""

    clock: SandboxClock
    due: list[datetime] = field(default_factory=list)
    done: list[tuple[datetime, datetime]] = field(default_factory=list)
    """When it was due, and what time it was."""
    opening: datetime | None = None

    async def next_due(self) -> datetime | None:
        return min(self.due, default=None)

    async def settle(self) -> None:
        now = self.clock.now()
        for due in sorted(due for due in self.due if due <= now):
            self.due.remove(due)
            self.done.append((due, now))

    async def next_opening(self) -> datetime | None:
        return self.opening


@dataclass
class Room:
    """Everything of one sandbox, over one database file."""

    engine: AnyEngine
    sandbox: Sandbox
    clock: SandboxClock
    chat: WebChat
    deadlines: Deadlines
    time: SandboxTime
    service: SimulatedService
    core: Core
    app: Starlette


class Real:
    """Real time that stands still unless the test moves it."""

    def __init__(self, now: datetime = NOW) -> None:
        self.at = now

    def __call__(self) -> datetime:
        return self.at

    def later(self, **by: float) -> None:
        self.at += timedelta(**by)


@contextlib.asynccontextmanager
async def open_room(
    file: Path,
    *,
    real=None,
    items: tuple[Item, ...] = ITEMS,
    poll: float = 5.0,
    heartbeat: float = 15.0,
    pictures: Pictures | None = None,
    entrance: Entrance | None = None,
) -> AsyncIterator[Room]:
    """A sandbox with its small core; what was said and set before in the same file is there again."""
    engine = engine_for(address(f"sqlite:///{file}"))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    sandbox = Sandbox(engine)
    clock = SandboxClock(sandbox, real or Real())
    await clock.load()
    chat = WebChat(sandbox, clock, ["#incidents"])
    deadlines = Deadlines(clock)
    time = SandboxTime(clock, deadlines, deadlines.settle, deadlines.next_opening)  # type: ignore[arg-type]

    async def version() -> str | None:
        return core.version or None

    service = SimulatedService(sandbox, clock, version)
    core = Core(chat, clock, items)
    app = make_app(
        sandbox=sandbox,
        chat=chat,
        dialogue=core,
        clock=clock,
        time=time,
        service=service,
        pictures=pictures,
        entrance=entrance,
        poll=poll,
        heartbeat=heartbeat,
    )
    try:
        yield Room(engine, sandbox, clock, chat, deadlines, time, service, core, app)
    finally:
        sandbox.bell.close()
        await engine.dispose()


@contextlib.asynccontextmanager
async def serving(room: Room, port: int = 0) -> AsyncIterator[str]:
    """The sandbox on a free loopback port; gives its address."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()  # who comes before it is served waits, and is not refused
    server = uvicorn.Server(uvicorn.Config(room.app, log_level="warning", lifespan="off", timeout_graceful_shutdown=5))
    listening = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        room.sandbox.bell.close()
        server.should_exit = True
        await listening
        listener.close()
