"""A real Alertmanager posts to gonogo, and what it posts is understood."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp

from adapters.alerts.doors import alert_doors
from tests.adapters.alerts import bodies
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.core_kit import Core, a_folder, open_core
from tests.fakes.serving import serving
from tests.real.conftest import now
from tests.real.servers import MISSING, running_alertmanager

__all__ = ["migrated_file", "sqlite_url"]

pytestmark = pytest.mark.real

ALERTS = """
alerts:
  - {from: alertmanager, matching: 'namespace="production",alertname=~"High.*"'}
"""


@contextlib.contextmanager
def an_alertmanager(folder: Path, gonogo: str) -> Iterator[str]:
    """One that tells gonogo as docs/alerts.md has it, and at once."""
    hook = {
        "url": f"{gonogo}/hooks/alertmanager",
        "send_resolved": True,
        "http_config": {"authorization": {"credentials": bodies.TOKEN}},
    }
    config = {
        "route": {"receiver": "gonogo", "group_wait": "100ms", "group_interval": "200ms", "group_by": ["alertname"]},
        "receivers": [{"name": "gonogo", "webhook_configs": [hook]}],
    }
    with running_alertmanager(folder, config) as address:
        yield address


class Heard:
    """The doors, and how often each request was answered with what."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.statuses: list[int] = []
        self.changed = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def noted(message: Any) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])
            elif not message.get("more_body"):
                self.changed.set()

        await self.app(scope, receive, noted)

    async def once_more(self) -> None:
        """The next request is answered."""
        async with asyncio.timeout(20):
            await self.changed.wait()
        self.changed.clear()


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    folder = a_folder(tmp_path / "checklists")
    (folder / "shop.yaml").write_text((folder / "shop.yaml").read_text() + ALERTS)
    async with open_core(sqlite_url, folder) as core:
        yield core


async def test_what_alertmanager_posts_raises_and_clears(
    core: Core, tmp_path: Path, unavailable: Callable[[str, str], NoReturn]
) -> None:
    if MISSING:
        unavailable("prometheus", f"{' and '.join(MISSING)} not installed")
    core.clock.at = now()
    deployment = await core.start()
    heard = Heard(Starlette(routes=alert_doors(core.alerts.take, token=bodies.TOKEN, sentry_secret="")))
    async with serving(heard) as gonogo, httpx.AsyncClient(trust_env=False) as client:
        with contextlib.ExitStack() as running:
            address = await asyncio.to_thread(running.enter_context, an_alertmanager(tmp_path, gonogo))

            async def post(name: str, **more: str) -> None:
                labels = {"alertname": name, "namespace": "production", "severity": "critical"}
                said = {
                    "labels": labels,
                    "annotations": {"summary": "5xx"},
                    "generatorURL": "http://prometheus/g",
                    **more,
                }
                (await client.post(f"{address}/api/v2/alerts", json=[said])).raise_for_status()
                await heard.once_more()

            began = now() - timedelta(minutes=2)
            await post("HighErrorRate", startsAt=began.isoformat())
            await post("OtherTeams", startsAt=began.isoformat())
            await core.relay.settle()
            titles = [message.card.title for message in await core.channel()]
            assert [title for title in titles if title.startswith("🔔")] == ["🔔 HighErrorRate (critical)"]
            ended = now()
            await post("HighErrorRate", startsAt=began.isoformat(), endsAt=ended.isoformat())
            await asyncio.to_thread(running.close)
    assert set(heard.statuses) == {200}
    async with core.store.read() as unit:
        raised, cleared = [fact for fact in await unit.events(deployment) if fact.kind.startswith("alert_")]
    assert raised.kind == "alert_raised"
    assert (raised.name, raised.severity, raised.summary, raised.link) == (
        "HighErrorRate", "critical", "5xx", "http://prometheus/g",
    )  # fmt: skip
    assert raised.since == began
    assert cleared.kind == "alert_cleared"
    assert abs(cleared.ended - ended) < timedelta(seconds=1)
