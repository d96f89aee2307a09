"""The document's workflows on Discord; and on the page of a real process, with its door for GitHub's webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.conversation import discord_team
from tests.conversation.small import MARKDOWN, POLICY, TUESDAY, folder_with
from tests.fakes import github as fake
from tests.fakes.github_deliveries import SECRET, Courier, rule_asked, run_ended
from tests.fakes.vendors import Vendor, vendor_server
from tests.process import Process
from tests.talk import Page, talking

__all__ = ["migrated_file", "sqlite_url"]

PIPELINE = f"""\
repository: {fake.REPOSITORY}
pipeline:
  deploy: {{workflow: deploy.yml, ref: main, inputs: {{version: "{{{{ version }}}}"}}}}
"""


@pytest.fixture
def server() -> Iterator[Vendor]:
    with vendor_server() as vendor:
        vendor.serve = fake.GitHub(vendor.base)
        yield vendor


@pytest.mark.slow
async def test_a_workflow_is_started_from_discord(
    sqlite_url: str, tmp_path: Path, server: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = server.serve
    assert isinstance(there, fake.GitHub)
    monkeypatch.setenv("GONOGO_GITHUB_TOKEN", fake.TOKEN)
    monkeypatch.setenv("GONOGO_GITHUB_API_URL", server.base)
    folder = discord_team.shop(tmp_path)
    (folder / "shop.yaml").write_text((folder / "shop.yaml").read_text() + PIPELINE)
    async with discord_team.team(sqlite_url, folder, "shop", TUESDAY) as here:
        await here.types("start", version="v1.2.0")
        await here.tick_all()
        await here.press(here.card(), "Next phase")
        asked = await here.press(here.card(), "Run deploy.yml…")
        assert "version: v1.2.0" in asked.text
        assert asked.message is not None
        assert there.dispatched == []
        await here.press(asked.message, "Run deploy.yml now")
        assert there.dispatched == [{"workflow": "deploy.yml", "ref": "main", "inputs": {"version": "v1.2.0"}}]
        assert "**deploy.yml** was started by Ann" in here.reads(here.card())


@pytest.mark.slow
def test_the_page_starts_a_workflow_and_a_real_process_answers_github(tmp_path: Path, server: Vendor) -> None:
    there = server.serve
    assert isinstance(there, fake.GitHub)
    (tmp_path / "app.pem").write_text(fake.key())
    settings = {
        "GONOGO_CHECKLISTS": folder_with(tmp_path, MARKDOWN, POLICY + PIPELINE),
        "GONOGO_GITHUB_APP_ID": fake.APP,
        "GONOGO_GITHUB_APP_KEY_FILE": str(tmp_path / "app.pem"),
        "GONOGO_GITHUB_API_URL": server.base,
        "GONOGO_GITHUB_WEBHOOK_SECRET": SECRET,
    }
    with talking(tmp_path, at=TUESDAY, **settings) as channel:
        channel.says("/deploy start v1.2.0")
        channel.tick_all()
        channel.click(channel.action("advance"))
        asked = channel.click(channel.action("run"))
        (confirm,) = [one for one in Page(asked["card"]).actions if one.startswith("dispatch:")]
        channel.click(confirm)
        channel.until(lambda: there.dispatched or None)
        channel.until(lambda: "its run" in channel.root()["html"] or None)
        (run,) = there.runs

        door = f"{channel.process.address}/hooks/github"
        courier = Courier(lambda *_: asyncio.sleep(0))
        there.waits(run)
        for event, payload, status in (
            ("deployment_protection_rule", rule_asked(there, run), "approved"),
            ("deployment_protection_rule", rule_asked(there, run), "seen"),
            ("workflow_run", run_ended(there.runs[run]), "shop: unknown_step"),
        ):
            body = httpx.Request("POST", door, json=payload).content
            answer = httpx.post(door, content=body, headers=courier.headers(event, body))
            assert (answer.status_code, answer.json()["status"]) == (202, status)
        forged = httpx.post(door, content=body, headers={**courier.headers("ping", body), "X-Hub-Signature-256": "x"})
        assert forged.status_code == 401
        review = there.waiting[run, "production"]
        assert review is not None
        assert review["comment"].startswith("shop v1.2.0 → production is under way, started by Ann")
        channel.until(lambda: "has succeeded" in channel.root()["html"] or None)


@pytest.mark.slow
def test_a_key_that_signs_nothing_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "app.pem").write_text("not a key")
    settings = {"GONOGO_GITHUB_APP_ID": "1", "GONOGO_GITHUB_APP_KEY_FILE": str(tmp_path / "app.pem")}
    process = Process(tmp_path, wait=False, GONOGO_GITHUB_API_URL="http://127.0.0.1:9", **settings)
    assert not process.started()
    assert process.child.returncode == 1
    assert "GONOGO_GITHUB_APP_KEY_FILE: this is no RSA private key" in process.errors
    assert "Traceback" not in process.errors
