"""A team in the loopback Discord, and the whole of gonogo in this process: the real discord.py, the real store, a clock
to move. The same process may stand in the loopback Slack, too."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from pydantic import SecretStr
from sqlalchemy import text
from starlette.applications import Starlette

from adapters.discord.layout import marker
from adapters.probes.http import HttpProbe
from adapters.probes.simulated import SimulatedMetrics
from adapters.probes.sources import Sources
from adapters.store.engine import address, engine_for
from adapters.web.clock import SandboxClock, SandboxTime
from adapters.web.personas import PERSONAS
from adapters.web.service import Health, SimulatedService
from adapters.web.state import Sandbox
from bot.app import App
from bot.chats_front import ChatsFront
from bot.ports import DeploymentRow, Probe, Store
from bot.services.incidents import OwnIncidents
from bot.settings import SHIPPED, Settings
from tests.adapters.slack.kit import unpaced
from tests.conversation.small import MARKDOWN, POLICY
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_people import Answer
from tests.fakes.discord_screen import pressables
from tests.fakes.discord_things import Message, Modal

MAIN = "#deployments"
NUMBERS = {persona.id: 1_500_000_000_000_000_000 + place for place, persona in enumerate(PERSONAS)}
HOLDERS = {role: persona.id for persona in PERSONAS for role in persona.roles}
_FIRST = "- [ ] Tests pass\n"
_SERVICE = "http://service.test/service"
_FOR_A_ROLE = re.compile(r"is for (.+?) to tick")
_BUTTONS = re.compile(r"\n(?:\[[^\]\n]+\] ?)+$")
_SHOWN = re.compile(r"\\([^\w\s])|<(https?://[^>\s]+)>|\u200b|(?m:^-# )")
"""What Discord does not show: a backslash before a special letter, brackets around a link, a zero-width space."""
_ROLE_WORDS = {
    "QA": "quinn", "product owner": "pat", "tech lead": "theo", "senior engineer": "sam", "on-call": "olu",
    "VP Engineering": "vera",
}  # fmt: skip


class Rehearsal(ChatsFront):
    """The front of a team's chats with a clock that a test moves, and the sandbox's numbers for measurements."""

    def __init__(self, settings: Settings, clock: SandboxClock, service: SimulatedService) -> None:
        super().__init__(settings, clock)
        self._measures = httpx.AsyncClient(transport=httpx.ASGITransport(app=Starlette(routes=service.routes())))

    def probe(self, store: Store) -> Probe:
        """The sandbox's: real HTTP probe, simulated metrics."""
        http = HttpProbe(self._measures, reroute=lambda url: _SERVICE + httpx.URL(url).path)
        metrics = SimulatedMetrics(self._measures, _SERVICE)
        return Sources(http, metrics, connected={"incidents": OwnIncidents(store)})

    async def open(self, core: App) -> None:  # type: ignore[override]
        """Nothing waits for a rate limit that no test has set."""
        await super().open(core)
        if self._slack is not None:
            unpaced(self._slack.api)
            self._slack.home.pause = 0.0

    async def close(self) -> None:
        """Both clients."""
        await self._measures.aclose()
        await super().close()


@dataclass
class Team:
    """What people do and read. `ann`, `quinn`, … are those of the sandbox, by their first names."""

    discord: FakeDiscord
    app: App
    clock: SandboxClock
    time: SandboxTime
    service: SimulatedService
    sandbox: Sandbox
    settings: Settings
    home: str = MAIN
    ticked: list[str] = field(default_factory=list)

    # --- doing ---

    async def types(self, command: str, who: str = "ann", channel: str = "", **options: str) -> Answer:
        """`/deploy …`, filled in whole."""
        answer = await self.discord.person(NUMBERS[who]).slash(
            f"deploy {command}", channel=channel or self.home, options=options
        )
        await self._done(answer)
        return answer

    async def press(self, where: Message, what: str, who: str = "ann") -> Answer:
        """A button, by label or custom_id; what it changes stands then."""
        answer = await self.discord.person(NUMBERS[who]).click(where, what)
        await self._done(answer)
        return answer

    async def choose(self, where: Message, what: str, value: str, who: str = "ann") -> Answer:
        """An entry of a menu."""
        answer = await self.discord.person(NUMBERS[who]).choose(where, what, value)
        await self._done(answer)
        return answer

    async def fills(self, who: str = "ann", **values: str) -> Answer:
        """Send the open form."""
        answer = await self.discord.person(NUMBERS[who]).submit(self.modal(who), values)
        await self._done(answer)
        return answer

    def modal(self, who: str = "ann") -> Modal:
        """The form that is open before them."""
        opened = self.discord.person(NUMBERS[who]).modal
        assert opened is not None
        return opened

    async def _done(self, answer: Answer) -> None:
        assert not answer.failed
        await answer.settled()
        await self.app.settle()

    async def move(self, **by: float) -> None:
        """Let time pass, with all that is due on the way."""
        await self.time.move(timedelta(**by))
        await self.app.settle()

    async def tick_all(self) -> None:
        """Everything that is open, message by message, each item by somebody who may."""
        while found := [(m, p.custom_id) for m in self.thread() for p in pressables(m) if _ticks(p.label, p.custom_id)]:
            for message, action in found:
                await self.tick(message, action)
            await self.app.settle()

    async def tick(self, message: Message, action: str) -> None:
        """One item; if it belongs to a role, whoever tries is told so, and then who holds it does."""
        answer = await self.discord.person(NUMBERS["ann"]).click(message, action)
        assert not answer.failed
        if await self.item(action):
            return
        needed = _FOR_A_ROLE.search(answer.text)
        assert needed, answer.text
        who = _ROLE_WORDS[needed[1].partition(" or ")[0]]
        await self.discord.person(NUMBERS[who]).click(message, action)
        self.ticked.append(who)

    async def item(self, action: str) -> bool:
        """Whether the item of a button is ticked, by the database."""
        _, deployment, item = action.split(":", 2)
        return item in (await self.app._views.bare(deployment)).state.marks

    async def run_to_deployed(self) -> None:
        """All phases up to T0, then Deployed."""
        for _ in range(40):
            await self.tick_all()
            labels = [each.label for each in pressables(self.card())]
            if "Deployed" in labels:
                await self.press(self.card(), "Deployed")
                return
            await self.press(self.card(), "Next phase")
        raise AssertionError("the phases do not end")

    async def time_passes(self) -> None:
        """So much real time that nothing is put off any more, and no lease stands; then all is settled."""
        async with self.sandbox.engine.begin() as connection:
            for table in ("mirrors", "outbox"):
                await connection.execute(text(f"UPDATE {table} SET held_until = NULL, not_before = NULL"))
        await self.app.settle()

    async def look_round(self) -> None:
        """What the relay does once a minute: look at every live card, whatever is known of it."""
        for relay in self.app.relays:
            relay._known.clear()
            await relay.settle(every=True)

    # --- reading ---

    def card(self) -> Message:
        """The newest deployment's card: under it is a thread."""
        return next(m for m in reversed(self.discord.messages(self.home)) if self.discord.thread(m) is not None)

    def thread(self) -> list[Message]:
        """What hangs under it."""
        return self.discord.messages(self.card().id)

    def in_thread(self, words: str) -> Message:
        """The latest message there that says this."""
        return self.discord.find(self.card().id, words)

    def reads(self, message: Message | Modal) -> str:
        """What it says."""
        return self.discord.text(message)

    async def said(self, channel: str) -> list[str]:
        """The announcements of a channel, letter for letter as they are read; who is called left out."""
        cards = {marker(f"{row.id}:card") for row in await self.rows()}
        rows = [m for m in self.discord.messages(channel) if m.mine and m.marker not in cards]
        read = (_BUTTONS.sub("", re.sub(r"^🔔 .*\n", "", self.reads(m)).rstrip("\n")) for m in rows)
        return [_SHOWN.sub(r"\1\2", each).rstrip("\n") for each in read]

    def markers(self) -> list[tuple[int, ...]]:
        """By which every message that stands anywhere is found again."""
        return [tuple(m.marker or ()) for rows in self.discord.posted.values() for m in rows.values() if not m.deleted]

    async def rows(self) -> list[DeploymentRow]:
        """All deployments, newest first."""
        async with self.app.store.read() as unit:
            return await unit.rows()

    async def row(self) -> DeploymentRow:
        """The newest deployment."""
        return (await self.rows())[0]

    async def status(self) -> str:
        """How the newest deployment stands."""
        return (await self.row()).status


def _ticks(label: str, action: str) -> bool:
    return action.startswith("tick:") and label == "Tick"


def shipped(folder: Path) -> Path:
    """The five checklists, with people of this server in the roles that sign."""
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", "adoption"))
    for policy in folder.glob("*.yaml"):
        policy.write_text(_peopled(policy.read_text()))
    return folder


def shop(base: Path, **others: str) -> Path:
    """A small team's folder; `others` are roles held otherwise than by their persona."""
    folder = base / "checklists"
    folder.mkdir(exist_ok=True)
    (folder / "shop.md").write_text(MARKDOWN.replace(_FIRST, f"{_FIRST}  ```sh\n  make test | tee log\n  ```\n"))
    (folder / "shop.yaml").write_text(_peopled(POLICY, **others) + "changelog: CHANGELOG.md\n")
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## 1.2.0\n- Faster for & <@1> @everyone\n")
    return folder


def _peopled(policy: str, **others: str) -> str:
    for role, who in {**{role: str(NUMBERS[who]) for role, who in HOLDERS.items()}, **others}.items():
        policy = re.sub(rf"^  {role}: \{{(.*)\}}$", rf'  {role}: {{\1, discord: "{who}"}}', policy, flags=re.MULTILINE)
    return policy


def server_of(discord: FakeDiscord, channels: Sequence[str] = ()) -> None:
    """The people, and the channels."""
    for persona in PERSONAS:
        discord.add_person(persona.name, id=NUMBERS[persona.id])
    for name in channels:
        discord.add_channel(name.removeprefix("#"))


def settings_for(discord: FakeDiscord, database: str, folder: Path, checklist: str) -> Settings:
    """Those of a process in this server."""
    return Settings(
        database_url=database,
        checklists=folder,
        checklist=checklist,
        discord_token=SecretStr(discord.token),
        discord_guild_id=discord.guild_id,
        discord_api_url=discord.api_url,
    )


@contextlib.asynccontextmanager
async def team(
    database: str, folder: Path, checklist: str, at: str, *, home: str = MAIN, channels: Sequence[str] = ()
) -> AsyncIterator[Team]:
    """A running gonogo over a migrated database. `at` is what its clock says, UTC; it stands still unless moved."""
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    sandbox = Sandbox(engine_for(address(database)))
    clock = SandboxClock(sandbox, lambda: now)
    await clock.load()
    try:
        async with FakeDiscord(lambda: clock.now().timestamp()) as discord:
            server_of(discord, channels)
            with discord.pointed():
                settings = settings_for(discord, database, folder, checklist)
                async with started(discord, settings, sandbox, clock) as team:
                    team.home = home
                    yield team
    finally:
        await sandbox.engine.dispose()


@contextlib.asynccontextmanager
async def started(
    discord: FakeDiscord, settings: Settings, sandbox: Sandbox, clock: SandboxClock, *, listening: bool = True
) -> AsyncIterator[Team]:
    """One process of gonogo, listening; what is due is done when it is settled."""
    service = SimulatedService(sandbox, clock, _version)
    front = Rehearsal(settings, clock, service)
    async with App.open(settings, front) as app:
        time = SandboxTime(clock, app.store, app.settle, app.next_opening)
        await front.listen()
        if listening:
            assert front._discord is not None
            await front._discord.gateway.listening.wait()
        try:
            yield Team(discord, app, clock, time, service, sandbox, settings)
        finally:
            await front.stop()


async def _version() -> str:
    return "v1.2.0"


__all__ = ["MAIN", "Health", "Team", "shipped", "shop", "started", "team"]
