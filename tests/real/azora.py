"""The shipped azora checklist on the loopback Slack, asking a real Prometheus and Alertmanager."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from adapters.store.engine import address, engine_for
from adapters.web.clock import SandboxClock, SandboxTime
from adapters.web.service import SimulatedService
from adapters.web.state import Sandbox
from bot.app import App
from bot.chats_front import ChatsFront
from bot.front import Core
from bot.settings import Settings
from tests.adapters.slack.kit import unpaced
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_team import Team, settings_for, shipped, workspace
from tests.fakes.vendors import Reply, Request, vendor_server
from tests.fakes.vendors_cloud import KUBERNETES_TOKEN, Kubernetes, node, pod
from tests.fakes.vendors_github import TOKEN, GitHub, check, pull, review
from tests.real.servers import BASIC

_HEALTH = "https://api.azora.io/health"


@dataclass(frozen=True)
class Surroundings:
    """What azora stands in: addresses of the servers it asks."""

    prometheus: str
    alertmanager: str
    kubernetes: str
    github: str
    api: str

    def settings(self, settings: Settings) -> Settings:
        """The settings of a team, with these connected."""
        return settings.model_copy(
            update={
                "prometheus_url": self.prometheus,
                "prometheus_token": SecretStr(BASIC),
                "alertmanager_url": self.alertmanager,
                "kubernetes_api_url": self.kubernetes,
                "kubernetes_token": SecretStr(KUBERNETES_TOKEN),
                "github_api_url": self.github,
                "github_repository": "acme/api",
                "github_token": SecretStr(TOKEN),
            }
        )


@contextlib.contextmanager
def surroundings(prometheus: str, alertmanager: str) -> Iterator[Surroundings]:
    """A cluster, a repository and a health endpoint beside the two: all in good order."""
    with vendor_server() as cluster, vendor_server() as hub, vendor_server() as api:
        pods = [pod(f"{slot}-{n}", slot=slot) for slot in ("green", "blue") for n in range(3)]
        cluster.serve = Kubernetes({"production": pods}, [node("a"), node("b")])
        hub.serve = GitHub(hub.base, pulls=[pull()], reviews=[review("ben"), review("eva")], check_runs=[check("test")])
        api.serve = _health
        yield Surroundings(prometheus, alertmanager, cluster.base, hub.base, api.base)


def _health(request: Request) -> Reply:
    return Reply({"status": "ok"}) if request.path == "/health" else Reply({}, 404)


def azora_in(folder: Path, around: Surroundings, *changes: tuple[str, str]) -> Path:
    """A folder with the shipped text: the one address that stands in it is replaced, and what a test says besides
    (regular expressions, each of which must be found)."""
    policy = shipped(folder) / "azora.yaml"
    text = policy.read_text()
    for pattern, words in ((re.escape(_HEALTH), f"{around.api}/health"), *changes):
        text, found = re.subn(pattern, words, text)
        assert found, pattern
    policy.write_text(text)
    return folder


class Unpaced(ChatsFront):
    """The front of a team with its own probes, which waits for no rate limit that no test has set."""

    async def open(self, core: Core) -> None:
        """See Front."""
        await super().open(core)
        assert self._slack is not None
        unpaced(self._slack.api)
        self._slack.home.pause = 0.0


@contextlib.asynccontextmanager
async def azora(
    database: str, folder: Path, around: Surroundings, now: Callable[[], datetime]
) -> AsyncIterator[tuple[Team, App]]:
    """gonogo on the loopback Slack, over a migrated database. `now` is what its clock says before a test moves it."""
    sandbox = Sandbox(engine_for(address(database)))
    clock = SandboxClock(sandbox, now)
    await clock.load()
    try:
        async with FakeSlack(lambda: clock.now().timestamp()) as slack:
            workspace(slack, ())
            settings = around.settings(settings_for(slack, database, folder, "azora"))
            front = Unpaced(settings, clock)
            async with App.open(settings, front) as app:
                time = SandboxTime(clock, app.store, app.settle, app.next_opening)
                await front.listen()
                try:
                    service = SimulatedService(sandbox, clock, _no_version)  # a team has one; nothing here asks it
                    yield Team(slack, app, clock, time, service, sandbox, settings), app
                finally:
                    await front.stop()
    finally:
        await sandbox.engine.dispose()


@contextlib.asynccontextmanager
async def ringing(app: App) -> AsyncIterator[None]:
    """Meanwhile what is due is done, and shown, by the process itself, as `gonogo run` does it."""
    app.scheduler.start()
    relays = [asyncio.create_task(relay.run()) for relay in app.relays]
    try:
        yield
    finally:
        for task in relays:
            task.cancel()
        await asyncio.gather(*relays, return_exceptions=True)
        await app.scheduler.stop()


async def _no_version() -> None:
    return None


def utc(text: str) -> datetime:
    """`2026-11-24 10:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
