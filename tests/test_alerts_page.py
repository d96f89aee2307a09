"""What docs/alerts.md shows is what works: its policy, its receiver, its example of a body."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.alerts import doors
from adapters.webhook.caller import WebhookCaller
from bot.caller import CallFailed
from bot.cards.lock_json import held_json
from bot.domain import alerts
from bot.egress import guarded
from checklists.policy_file import load_policy
from tests.adapters.probes.test_redis import Server, server
from tests.adapters.store_kit import NOON, a_row
from tests.fakes.serving import serving

__all__ = ["server"]

PAGE = (Path(__file__).resolve().parent.parent / "docs/alerts.md").read_text("utf-8")
FLAG = "deployment:in_progress"


def block(after: str, language: str) -> str:
    return PAGE.split(f"\n## {after}\n")[1].split(f"```{language}\n")[1].split("```")[0]


def test_the_policy_shown_is_one() -> None:
    policy = load_policy(block("Alerts that come in", "yaml"), file="shop.yaml")
    assert [entry.source for entry in policy.alerts] == ["alertmanager", "datadog", "sentry", "alertmanager"]
    assert load_policy(block("The lock that goes out", "yaml"), file="shop.yaml").lock_webhook


def test_petforces_examples_are_a_policy_once_they_are_uncommented() -> None:
    text = (Path(__file__).resolve().parent.parent / "checklists/petforce.yaml").read_text("utf-8")
    found = load_policy(
        re.sub(r"^# (lock_webhook:|alerts:|  - \{from)", r"\1", text, flags=re.MULTILINE), file="p.yaml"
    )
    assert (len(found.alerts), found.lock_webhook) == (2, "https://flags.petforce.app/gonogo")


def test_the_severities_that_call_and_the_numbers_are_those_of_the_code() -> None:
    section = PAGE.split("## Alerts that come in")[1].split("\n## ")[0]
    severities = re.search(r"whose severity is (.+?) calls", section)
    assert severities
    assert all(alerts.calls(word) for word in re.findall(r"`(\w+)`", severities[1]))
    assert f"within {alerts.AGAIN.seconds // 60} minutes" in section
    assert alerts.MOST == 20
    assert doors.LARGEST == 1_000_000


def test_the_body_shown_is_what_is_sent() -> None:
    shown = json.loads(block("The lock that goes out", "json"))
    row = a_row(id=shown["deployment"], service="petforce")
    assert json.loads(held_json(row, NOON)) == {**shown, "at": "2026-03-03T12:00:00Z"}


async def test_the_receiver_shown_sets_and_clears_petforces_flag(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", server.url(":for-the-tests@"))
    monkeypatch.setenv("GONOGO_WEBHOOK_SECRET", "not-a-real-secret")
    receiver: dict[str, Any] = {}
    exec(block("The lock that goes out", "python"), receiver)  # the page's own example
    ours, theirs = (WebhookCaller(guarded(private=True), secret) for secret in ("not-a-real-secret", "another"))

    async def tell(caller: WebhookCaller = ours, **body: str) -> str:
        told = {"event": "locked", "environment": "production", "reason": "moved", "at": "2026-11-24T10:04:00Z", **body}
        await caller(f"{base}/gonogo", json.dumps(told).encode(), delivery="d")
        return server.cli("get", FLAG)

    async with serving(receiver["app"]) as base:
        assert await tell(environment="staging") == ""
        assert await tell(version="v1.2.0") == "v1.2.0-2026-11-24T10:04:00Z"
        assert await tell() == "moved-2026-11-24T10:04:00Z"
        assert await tell(event="unlocked", environment="staging") == "moved-2026-11-24T10:04:00Z"
        assert await tell(event="unlocked") == ""
        with pytest.raises(CallFailed, match="does it know the same GONOGO_WEBHOOK_SECRET"):
            await tell(theirs)
        async with httpx.AsyncClient(trust_env=False) as stranger:
            assert (await stranger.post(f"{base}/gonogo", content=b"{}")).status_code == 401
    assert server.cli("exists", FLAG) == "0"
    for each in (ours, theirs):
        await each.close()
    await receiver["flags"].aclose()
