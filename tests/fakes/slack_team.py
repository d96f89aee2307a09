"""A team in the loopback Slack, and the whole of gonogo in this process: real Bolt, real store, a clock to move."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import httpx
from pydantic import SecretStr
from sqlalchemy import text
from starlette.applications import Starlette

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
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_deliveries import Ack
from tests.fakes.slack_screen import pressables
from tests.fakes.slack_things import Message, View

MAIN = "#deployments"
USERS = {persona.id: f"U{persona.id.upper()}" for persona in PERSONAS}
HOLDERS = {role: persona.id for persona in PERSONAS for role in persona.roles}
_FIRST = "- [ ] Tests pass\n"
_SERVICE = "http://service.test/service"
_FOR_A_ROLE = re.compile(r"is for (.+?) to tick")
_ROLE_WORDS = {
    "QA": "quinn", "product owner": "pat", "tech lead": "theo", "senior engineer": "sam", "on-call": "olu",
    "VP Engineering": "vera",
}  # fmt: skip


class Rehearsal(ChatsFront):
    """The front of a Slack workspace with a clock that a test moves, and the sandbox's numbers for measurements."""

    def __init__(self, settings: Settings, clock: SandboxClock, service: SimulatedService) -> None:
        super().__init__(settings, clock)
        app = Starlette(routes=service.routes())
        self._measures = httpx.AsyncClient(transport=httpx.ASGITransport(app=app))

    def probe(self, store: Store) -> Probe:
        """The sandbox's: real HTTP probe, simulated metrics."""
        http = HttpProbe(self._measures, reroute=lambda url: _SERVICE + httpx.URL(url).path)
        metrics = SimulatedMetrics(self._measures, _SERVICE)
        return Sources(http, metrics, connected={"incidents": OwnIncidents(store)})

    async def open(self, core: App) -> None:  # type: ignore[override]
        """Nothing waits for a rate limit that no test has set."""
        await super().open(core)
        unpaced(self._slack.api)
        self._slack.home.pause = 0.0

    async def close(self) -> None:
        """Both clients."""
        await self._measures.aclose()
        await super().close()


@dataclass
class Team:
    """What people do and read. `ann`, `quinn`, … are those of the sandbox, by their first names."""

    slack: FakeSlack
    app: App
    clock: SandboxClock
    time: SandboxTime
    service: SimulatedService
    sandbox: Sandbox
    settings: Settings
    home: str = MAIN
    ticked: list[str] = field(default_factory=list)

    # --- doing ---

    async def types(self, text: str, who: str = "ann", channel: str = "") -> str:
        """`/deploy …`: what only they read afterwards."""
        actor, place = self.slack.user(USERS[who]), channel or self.home
        seen = len(self.whispers(who))
        ack = await actor.command("/deploy", text, channel=place)
        assert ack.error is None, ack.error
        await self.app.settle()
        return "\n".join(self.slack.text(each) for each in self.whispers(who)[seen:])

    async def press(self, where: Message | View, what: str, who: str = "ann") -> Ack:
        """A button or an entry of a menu, by label or value; what it changes stands then."""
        ack = await self.slack.user(USERS[who]).click(where, what)
        assert ack.error is None, ack.error
        await self.app.settle()
        return ack

    async def modal(self, who: str = "ann") -> View:
        """The form that has opened for them."""
        opened = await self.slack.until(lambda: self.slack.user(USERS[who]).modal, what="a modal")
        assert opened is not None
        return opened

    async def fills(self, who: str = "ann", **values: str) -> Ack:
        """Send the open form."""
        ack = await self.slack.user(USERS[who]).submit(await self.modal(who), values)
        await self.app.settle()
        return ack

    async def move(self, **by: float) -> None:
        """Let time pass, with all that is due on the way."""
        await self.time.move(timedelta(**by))
        await self.app.settle()

    async def tick_all(self) -> None:
        """Everything that is open, message by message, each item by somebody who may."""
        while found := [(m, p.value) for m in self.thread() for p in pressables(m.blocks) if _ticks(p.label, p.value)]:
            for message, value in found:
                assert value is not None
                await self.tick(message, value)
            await self.app.settle()

    async def tick(self, message: Message, value: str) -> None:
        """One item; if it belongs to a role, whoever tries is told so, and then who holds it does."""
        seen = len(self.whispers("ann"))
        ack = await self.slack.user(USERS["ann"]).click(message, value=value)
        assert ack.error is None
        if await self.item(value):
            return
        await self.slack.until(lambda: len(self.whispers("ann")) > seen, what="a word why not")
        told = self.slack.text(self.whispers("ann")[-1])
        needed = _FOR_A_ROLE.search(told)
        assert needed, told
        who = _ROLE_WORDS[needed[1].partition(" or ")[0]]
        await self.slack.user(USERS[who]).click(message, value=value)
        self.ticked.append(who)

    async def item(self, value: str) -> bool:
        """Whether the item of a button is ticked, by the database."""
        _, deployment, item = value.split(":", 2)
        return item in (await self.app._views.bare(deployment)).state.marks

    async def run_to_deployed(self) -> None:
        """All phases up to T0, then Deployed."""
        for _ in range(40):
            await self.tick_all()
            labels = [each.label for each in pressables(self.card().blocks)]
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
        """The newest deployment's card."""
        return next(m for m in reversed(self.slack.messages(self.home)) if ":card" in key_of(m))

    def thread(self) -> list[Message]:
        """What hangs under it."""
        return self.slack.messages(self.home, self.card().ts)

    def in_thread(self, words: str) -> Message:
        """The latest message there that says this."""
        return next(m for m in reversed(self.thread()) if words in self.slack.text(m))

    def reads(self, message: Message | View) -> str:
        """What it says."""
        return self.slack.text(message)

    def whispers(self, who: str = "ann") -> list[Message]:
        """What only they were told."""
        return [each for each in self.slack.ephemerals if each.ephemeral_to == USERS[who]]

    def said(self, channel: str) -> list[str]:
        """The announcements of a channel, letter for letter as they are read; who is called left out."""
        found = [m for m in self.slack.messages(channel) if m.mine and re.search(r"^\w+:[a-z_]+:slack:#", key_of(m))]
        return [re.sub(r"^🔔 .*\n", "", self.slack.text(m)) for m in found]

    async def row(self) -> DeploymentRow:
        """The newest deployment."""
        async with self.app.store.read() as unit:
            return (await unit.rows(limit=1))[0]

    async def status(self) -> str:
        """How the newest deployment stands."""
        return (await self.row()).status


def _ticks(label: str, value: str | None) -> bool:
    return (value or "").startswith("tick:") and label == "Tick"


def key_of(message: Message) -> str:
    """What gonogo finds it by again."""
    return str(((message.metadata or {}).get("event_payload") or {}).get("key", ""))


def shipped(folder: Path) -> Path:
    """The five checklists, with people of this workspace in the roles that sign."""
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", "adoption"))
    for policy in folder.glob("*.yaml"):
        policy.write_text(_peopled(policy.read_text()))
    return folder


def _peopled(policy: str, others: Mapping[str, str] = MappingProxyType({})) -> str:
    """The policy with the roles held by people of this workspace."""
    for role, who in {**{role: USERS[who] for role, who in HOLDERS.items()}, **others}.items():
        policy = re.sub(rf"^  {role}: \{{(.*)\}}$", rf"  {role}: {{\1, slack: {who}}}", policy, flags=re.MULTILINE)
    return policy


def workspace(slack: FakeSlack, channels: Sequence[str]) -> None:
    """The people, a user group with Pat in it, and the channels with everybody and the bot in them."""
    slack.add_group("SQA", "qa", [USERS["pat"]])
    for persona in PERSONAS:
        slack.add_user(USERS[persona.id], persona.name)
    slack.channels["C1"].members.update(USERS.values())
    for name in channels:
        slack.add_channel(name.removeprefix("#"), members=tuple(USERS.values()))


def settings_for(slack: FakeSlack, database: str, folder: Path, checklist: str, *, http: bool = False) -> Settings:
    """Those of a process in this workspace."""
    return Settings(
        database_url=database,
        checklists=folder,
        checklist=checklist,
        slack_bot_token=SecretStr(slack.bot_token),
        slack_app_token=SecretStr("" if http else slack.app_token),
        slack_signing_secret=SecretStr(slack.courier.secret if http else ""),
        slack_api_url=slack.api_url,
    )


@contextlib.asynccontextmanager
async def team(
    database: str,
    folder: Path,
    checklist: str,
    at: str,
    *,
    home: str = MAIN,
    channels: Sequence[str] = (),
    http: bool = False,
) -> AsyncIterator[Team]:
    """A running gonogo over a migrated database. `at` is what its clock says, UTC; it stands still unless moved."""
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    sandbox = Sandbox(engine_for(address(database)))
    clock = SandboxClock(sandbox, lambda: now)
    await clock.load()
    try:
        async with FakeSlack(lambda: clock.now().timestamp()) as slack:
            workspace(slack, channels)
            settings = settings_for(slack, database, folder, checklist, http=http)
            async with started(slack, settings, sandbox, clock) as team:
                team.home = home
                yield team
            assert [line for line in slack.refused if "warning sign" not in line] == []
    finally:
        await sandbox.engine.dispose()


@contextlib.asynccontextmanager
async def beside(one: Team) -> AsyncIterator[Team]:
    """A second process over the same database, at the same channel; who delivers to it is said by the test."""
    before = one.slack.deliver_to
    async with started(one.slack, one.settings, one.sandbox, one.clock) as two:
        one.slack.deliver_to = before
        yield two


@contextlib.asynccontextmanager
async def started(
    slack: FakeSlack, settings: Settings, sandbox: Sandbox, clock: SandboxClock, *, kind: type[Rehearsal] = Rehearsal
) -> AsyncIterator[Team]:
    """One process of gonogo, listening; what is due is done when it is settled."""
    service = SimulatedService(sandbox, clock, _version)
    front = kind(settings, clock, service)
    async with App.open(settings, front) as app:
        time = SandboxTime(clock, app.store, app.settle, app.next_opening)
        await front.listen()
        if not settings.slack_app_token.get_secret_value():
            slack.deliver_to = front.asgi()
        try:
            yield Team(slack, app, clock, time, service, sandbox, settings)
        finally:
            await front.stop()


def shop(base: Path, qa: str = USERS["quinn"]) -> Path:
    """A small team's folder; `qa` is who signs for QA."""
    folder = base / "checklists"
    folder.mkdir(exist_ok=True)
    (folder / "shop.md").write_text(MARKDOWN.replace(_FIRST, f"{_FIRST}  ```sh\n  make test | tee log\n  ```\n"))
    (folder / "shop.yaml").write_text(_peopled(POLICY, {"qa": qa}) + "changelog: CHANGELOG.md\n")
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## 1.2.0\n- Faster for & <@U1> @everyone\n")
    return folder


async def _version() -> str:
    return "v1.2.0"


__all__ = ["MAIN", "Health", "Team", "beside", "shipped", "shop", "team"]
