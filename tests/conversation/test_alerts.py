"""Alerts of the monitoring in a team's channel, and its own flag that follows the lock."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from adapters.store.engine import address, engine_for
from adapters.web.clock import SandboxClock
from adapters.web.state import Sandbox
from bot.doors import with_doors
from tests.adapters.alerts import bodies
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.fakes.serving import serving
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_team import MAIN, Team, settings_for, shipped, shop, started, workspace
from tests.fakes.vendors import Reply, Vendor, vendor_server
from tests.process import new_database
from tests.talk import talking

__all__ = ["migrated_file", "sqlite_url"]

TUESDAY = datetime(2026, 11, 24, 10, tzinfo=UTC)
ALERTS = """
alerts:
  - {from: alertmanager, matching: 'namespace="production"'}
"""


@pytest.fixture
def flags() -> Iterator[Vendor]:
    """Where the team keeps its own flag."""
    with vendor_server() as vendor:
        vendor.serve = lambda request: Reply("", 204)
        yield vendor


@contextlib.asynccontextmanager
async def watched(name: str, database: str, base: Path, flags: Vendor) -> AsyncIterator[tuple[Team, httpx.AsyncClient]]:
    """A team in Slack, with alerts and a flag; and its Alertmanager."""
    folder = shop(base) if name == "shop" else shipped(base / "checklists")
    policy = folder / f"{name}.yaml"
    policy.write_text(policy.read_text() + ALERTS + f"lock_webhook: {flags.base}/lock\n")
    sandbox = Sandbox(engine_for(address(database)))
    clock = SandboxClock(sandbox, lambda: TUESDAY)
    await clock.load()
    try:
        async with FakeSlack(lambda: clock.now().timestamp()) as slack:
            workspace(slack, ())
            settings = settings_for(slack, database, folder, name).model_copy(
                update={
                    "alerts_token": SecretStr(bodies.TOKEN),
                    "webhook_secret": SecretStr("not-a-real-secret"),
                    "webhook_private": True,
                }
            )
            async with started(slack, settings, sandbox, clock) as here:
                served = with_doors(here.app.front.asgi(), here.app.doors)
                async with serving(served) as base, httpx.AsyncClient(base_url=base, trust_env=False) as sender:
                    yield here, sender
    finally:
        await sandbox.engine.dispose()


async def send(here: Team, sender: httpx.AsyncClient, body: dict[str, Any]) -> int:
    answer = await sender.post("/hooks/alertmanager", json=body, headers=bodies.BEARER)
    assert answer.status_code == 200, answer.text
    await here.app.settle()
    return int(answer.json()["attached"])


def told(flags: Vendor) -> list[str]:
    found = [json.loads(asked.body) for asked in flags.asked]
    return [f"{body['event']}: {body['reason']}" for body in found]


@pytest.mark.parametrize("name", ["shop", pytest.param("azora", marks=pytest.mark.slow)])
async def test_an_alert_stands_in_slack_calls_the_on_call_and_ends_and_the_flag_follows_the_lock(
    name: str, sqlite_url: str, tmp_path: Path, flags: Vendor
) -> None:
    async with watched(name, sqlite_url, tmp_path, flags) as (here, sender):
        assert await send(here, sender, bodies.alertmanager()) == 0
        await here.types("start v1.2.0")
        assert told(flags) == ["locked: v1.2.0 is being deployed"]
        warning = bodies.alertmanager(
            name="DiskFilling", severity="warning", fingerprint="w", at="2026-11-24T09:50:00Z"
        )
        assert await send(here, sender, warning) == 1
        assert "🔔 1 alert: DiskFilling (warning) since 09:50" in here.reads(here.card())
        (message,) = [m for m in here.slack.messages(MAIN) if "# 🔔 DiskFilling" in here.reads(m)]
        assert here.slack.pings(message) == []

        await here.run_to_deployed()
        await here.move(minutes=4)
        at = here.clock.now().isoformat()
        assert await send(here, sender, bodies.alertmanager(at=at)) == 1
        (message,) = [m for m in here.slack.messages(MAIN) if "# 🔔 HighErrorRate (critical)" in here.reads(m)]
        assert "5xx above 5 %" in here.reads(message)
        calling = [m for m in here.slack.messages(MAIN) if here.slack.pings(m) == ["@UOLU"]]
        assert ["Issue detected" in here.reads(m) for m in calling] == [True], "nobody is called twice for one thing"
        assert "🔔 2 alerts: HighErrorRate (critical) since 10:04 · DiskFilling" in here.reads(here.card())
        issue = here.said(MAIN)[-1]
        assert issue.startswith("⚠️ Issue detected in production. Investigating...")
        assert "HighErrorRate (critical)" in issue
        assert await send(here, sender, bodies.alertmanager(at=at)) == 1

        await here.move(minutes=6)
        await send(here, sender, bodies.alertmanager(at=at, ended=here.clock.now().isoformat()))
        assert here.reads(message).splitlines()[0] == "# ✅ HighErrorRate (critical) cleared after 6 m"
        assert here.slack.pings(message) == []
        assert "🔔 1 alert: DiskFilling" in here.reads(here.card())
        assert [text for text in here.said(MAIN) if "Issue detected" in text] == [issue]

        await here.types("rollback v1.1.0 the disk")
        await here.tick_all()
        await here.press(here.card(), "Rolled back…")
        await here.fills(status="all is well")
        assert told(flags)[1:] == ["locked: v1.2.0 was rolled back: the disk"]
        await here.types("unlock fixed")
        assert told(flags)[2:] == ["unlocked: fixed"]
        assert [call for call in here.slack.calls if call.error] == []


@pytest.mark.slow
def test_the_sandbox_shows_alerts_by_the_token_and_calls_nobody(tmp_path: Path, flags: Vendor) -> None:
    folder = tmp_path / "checklists"
    policy = shop(tmp_path) / "shop.yaml"
    text = policy.read_text().replace('production: ["mon-fri 09:00-17:00"]', "production: always")
    policy.write_text(text + ALERTS + f"lock_webhook: {flags.base}/lock\n")
    new_database(tmp_path)
    settings = {
        "GONOGO_CHECKLISTS": str(folder),
        "GONOGO_CHECKLIST": "shop",
        "GONOGO_ALERTS_TOKEN": bodies.TOKEN,
        "GONOGO_WEBHOOK_SECRET": "not-a-real-secret",
        "GONOGO_WEBHOOK_PRIVATE": "true",
    }
    with talking(tmp_path, **settings) as channel:
        channel.says("/deploy start v1.2.0")
        url = f"{channel.process.address}/hooks/alertmanager"
        body = bodies.alertmanager(at=datetime.now(UTC).isoformat())
        refused = httpx.post(url, json=body, trust_env=False)
        assert (refused.status_code, "error" in refused.json()) == (401, True)
        taken = httpx.post(url, json=body, headers=bodies.BEARER, trust_env=False)
        assert (taken.status_code, taken.json()) == (200, {"attached": 1})
        assert httpx.post(url.replace("alertmanager", "sentry"), trust_env=False).status_code == 404
        found = channel.until(lambda: next((m for m in channel.messages() if "HighErrorRate" in m["title"]), None))
        assert found["title"] == "🔔 HighErrorRate (critical)"
    assert flags.asked == []
