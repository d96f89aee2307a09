"""Alerts, from a real HTTP request to the database and the channel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from adapters.alerts.doors import LARGEST, alert_doors
from bot.cards.card import Text
from tests.adapters.alerts import bodies
from tests.adapters.store_kit import migrated_database, migrated_file, sqlite_url, url
from tests.core_kit import Core, a_folder, open_core
from tests.fakes.serving import serving

__all__ = ["migrated_database", "migrated_file", "sqlite_url", "url"]

SINCE = "2026-11-24T15:04:00Z"  # four minutes after the clock of the tests begins
ALERTS = """
alerts:
  - {from: alertmanager, matching: 'namespace="production"'}
  - {from: alertmanager, matching: 'namespace="staging"', environments: [staging]}
  - {from: datadog, matching: "service:api"}
  - {from: sentry, matching: petforce-api}
"""


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(sqlite_url, with_alerts(tmp_path)) as core:
        yield core


def with_alerts(base: Path) -> Path:
    folder = a_folder(base / "checklists")
    policy = folder / "shop.yaml"
    policy.write_text(policy.read_text() + ALERTS)
    return folder


class Door:
    """The doors of a process, as a sender sees them."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def send(self, system: str, body: Any = b"", headers: dict[str, str] | None = None) -> tuple[int, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {
            name: value.encode("latin-1") for name, value in (bodies.BEARER if headers is None else headers).items()
        }
        answer = await self.client.post(f"/hooks/{system}", content=content, headers=given)
        return answer.status_code, answer.json()

    async def attached(self, system: str, body: Any, headers: dict[str, str] | None = None) -> int:
        status, answer = await self.send(system, body, headers)
        assert status == 200, answer
        attached: int = answer["attached"]
        return attached


@pytest.fixture
async def door(core: Core) -> AsyncIterator[Door]:
    routes = alert_doors(core.alerts.take, token=bodies.TOKEN, sentry_secret=bodies.SECRET)
    async with serving(Starlette(routes=routes)) as base, httpx.AsyncClient(base_url=base, trust_env=False) as client:
        yield Door(client)


async def alerts_said(core: Core) -> list[str]:
    """What stands in the channel about alerts, the card's line first."""
    await core.relay.settle()
    messages = await core.channel()
    return [m.card.title for m in messages if m.card.title[:1] in "🔔✅" and "Production" not in m.card.title]


async def card_line(core: Core) -> str:
    await core.relay.settle()
    card = next(m.card for m in await core.channel() if "→" in m.card.title)
    text = "\n".join(block.markdown for block in card.blocks if isinstance(block, Text))
    return next((line for line in text.splitlines() if line.startswith("🔔")), "")


# --- who comes in -----------------------------------------------------------------------------------------------------


async def test_who_does_not_bring_the_token_is_not_heard(door: Door) -> None:
    token = bodies.TOKEN
    for system in ("alertmanager", "datadog"):
        for header in ("", "Bearer", "Bearer wrong", f"Basic {token}", token, f"Bearer {token}x", "Bearer é"):
            status, answer = await door.send(system, b"not even read", {"Authorization": header})
            assert (status, token in str(answer)) == (401, False), header
        assert (await door.send(system, b"not even read", {}))[0] == 401


async def test_what_sentry_has_not_signed_is_not_heard(door: Door) -> None:
    headers, body = bodies.sentry("issue", bodies.SENTRY_ISSUE)
    for signature in ("0" * 64, "", "é", headers["Sentry-Hook-Signature"].upper()):
        assert (await door.send("sentry", body, headers | {"Sentry-Hook-Signature": signature}))[0] == 401
    assert (await door.send("sentry", body + b" ", headers))[0] == 401
    wrong, _ = bodies.sentry("issue", bodies.SENTRY_ISSUE, secret="another")
    assert (await door.send("sentry", body, wrong))[0] == 401
    assert (await door.send("sentry", body, headers))[0] == 200
    del headers["Sentry-Hook-Signature"]
    assert (await door.send("sentry", body, headers))[0] == 401


async def test_a_door_that_is_not_set_up_is_not_there(core: Core) -> None:
    assert alert_doors(core.alerts.take, token="", sentry_secret="") == []
    routes = alert_doors(core.alerts.take, token="", sentry_secret=bodies.SECRET)
    async with serving(Starlette(routes=routes)) as base, httpx.AsyncClient(base_url=base, trust_env=False) as client:
        for system, status in (("alertmanager", 404), ("datadog", 404), ("sentry", 401)):
            assert (await client.post(f"/hooks/{system}", headers={"Authorization": "Bearer x"})).status_code == status
        assert (await client.get("/hooks/sentry")).status_code == 405


UNREADABLE: list[tuple[str, Any, str]] = [
    ("alertmanager", b"{", "Invalid JSON"),
    ("alertmanager", {**bodies.alertmanager(), "version": "3"}, "version: Input should be '4'"),
    ("alertmanager", {**bodies.alertmanager(), "alerts": [{"status": "firing"}]}, "alerts.0.labels: Field required"),
    ("alertmanager", bodies.alertmanager(at="yesterday"), "alerts.0.startsAt"),
    ("datadog", b"null", "Input should be an object"),
    ("datadog", {}, "transition: Field required"),
    ("datadog", {"transition": "Triggered"}, "which monitor is it?"),
]


async def test_what_cannot_be_read_is_answered_with_the_reason(door: Door) -> None:
    for system, body, reason in UNREADABLE:
        status, answer = await door.send(system, body)
        assert status == 400
        assert reason in answer["error"]


async def test_more_than_a_megabyte_is_refused(door: Door) -> None:
    assert (await door.send("alertmanager", b" " * (LARGEST + 1)))[0] == 413
    assert (await door.send("alertmanager", b" " * LARGEST))[0] == 400


async def test_what_the_database_cannot_do_is_to_be_sent_again(core: Core, door: Door) -> None:
    await core.start()
    await core.sql("ALTER TABLE events RENAME TO gone")
    assert (await door.send("alertmanager", bodies.alertmanager(at=SINCE)))[0] == 503
    await core.sql("ALTER TABLE gone RENAME TO events")
    assert await door.attached("alertmanager", bodies.alertmanager(at=SINCE)) == 1


# --- whose it is ------------------------------------------------------------------------------------------------------


async def test_every_system_finds_the_deployment_its_policy_names(core: Core, door: Door) -> None:
    deployment = await core.start()
    assert await door.attached("alertmanager", bodies.alertmanager(at=SINCE)) == 1
    assert await door.attached("datadog", bodies.datadog()) == 1
    headers, body = bodies.sentry("event_alert", bodies.SENTRY_EVENT)
    assert await door.attached("sentry", body, headers) == 1
    assert await door.attached("alertmanager", bodies.alertmanager(namespace="staging")) == 0
    assert await door.attached("datadog", bodies.datadog(TAGS="service:web")) == 0
    assert (await core.kinds(deployment)).count("alert_raised") == 3


async def test_without_a_deployment_it_is_nobodys(core: Core, door: Door) -> None:
    assert await door.attached("alertmanager", bodies.alertmanager()) == 0
    await core.start(more="shop staging")
    assert await door.attached("alertmanager", bodies.alertmanager()) == 0
    assert await door.attached("alertmanager", bodies.alertmanager(namespace="staging")) == 1


async def test_it_is_there_when_the_sender_hears_so_and_a_repeat_changes_nothing(core: Core, door: Door) -> None:
    deployment = await core.start()
    for _ in range(3):
        assert await door.attached("alertmanager", bodies.alertmanager(at=SINCE)) == 1
        assert (await core.kinds(deployment)).count("alert_raised") == 1
    ended = bodies.alertmanager(at=SINCE, ended="2026-11-24T15:10:00Z")
    for _ in range(3):
        assert await door.attached("alertmanager", ended) == 1
        assert (await core.kinds(deployment)).count("alert_cleared") == 1


async def test_many_at_once_are_all_kept_beside_what_people_do(core: Core, door: Door) -> None:
    deployment = await core.start()
    sent = [bodies.alertmanager(at=SINCE, name=f"A{n}", fingerprint=f"f{n}") for n in range(6)]
    await asyncio.gather(core.tick(deployment, "Prepare"), *(door.attached("alertmanager", body) for body in sent * 2))
    kinds = await core.kinds(deployment)
    assert (kinds.count("alert_raised"), kinds.count("ticked")) == (6, 2)


# --- what the channel shows -------------------------------------------------------------------------------------------


async def test_the_card_counts_what_fires_and_each_has_a_message_that_ends_with_it(core: Core, door: Door) -> None:
    deployment = await core.start()
    core.clock.later(minutes=5)
    await door.attached("alertmanager", bodies.alertmanager(at=SINCE))
    assert "1 alert: [HighErrorRate \\(critical\\)](http://prometheus" in (line := await card_line(core))
    assert line.endswith("since [15:04](time:2026-11-24T15:04Z)")
    assert await alerts_said(core) == ["🔔 HighErrorRate (critical)"]
    (message,) = [m for m in await core.channel() if "HighErrorRate" in m.card.title]
    assert message.card.mentions == ("on_call",)
    core.clock.later(minutes=6)
    await door.attached("alertmanager", bodies.alertmanager(at=SINCE, ended="2026-11-24T15:10:00Z"))
    assert await card_line(core) == ""
    assert await alerts_said(core) == ["✅ HighErrorRate (critical) cleared after 6 m"]
    (same,) = [m for m in await core.channel() if "HighErrorRate" in m.card.title]
    assert (same.id, same.card.mentions) == (message.id, ())
    assert (await core.kinds(deployment))[-2:] == ["alert_raised", "alert_cleared"]


async def test_what_flaps_keeps_its_message_and_what_comes_back_later_gets_another(core: Core, door: Door) -> None:
    await core.start()
    for start, end in (("15:04", "15:05"), ("15:10", "15:12")):
        raised = bodies.alertmanager(at=f"2026-11-24T{start}:00Z")
        await door.attached("alertmanager", raised)
        core.clock.later(minutes=5)
        await door.attached(
            "alertmanager", bodies.alertmanager(at=f"2026-11-24T{start}:00Z", ended=f"2026-11-24T{end}:00Z")
        )
    assert len(await alerts_said(core)) == 1
    core.clock.later(minutes=40)
    await door.attached("alertmanager", bodies.alertmanager(at="2026-11-24T15:50:00Z"))
    assert len(await alerts_said(core)) == 2
    assert "1 alert" in await card_line(core)


async def test_a_warning_calls_nobody(core: Core, door: Door) -> None:
    await core.start()
    await door.attached("alertmanager", bodies.alertmanager(at=SINCE, severity="warning"))
    await core.relay.settle()
    (message,) = [m for m in await core.channel() if "HighErrorRate" in m.card.title]
    assert message.card.mentions == ()


async def test_twenty_have_messages_and_the_rest_are_counted(core: Core, door: Door) -> None:
    await core.start()
    group = bodies.alertmanager(at=SINCE)
    (one,) = group["alerts"]
    group["alerts"] = [{**one, "fingerprint": f"f{n}"} for n in range(34)]
    assert await door.attached("alertmanager", group) == 34
    assert len(await alerts_said(core)) == 20
    line = await card_line(core)
    assert "34 alerts: " in line
    assert line.endswith("and 31 more")


async def test_a_critical_one_after_t0_is_announced_as_an_issue(core: Core, door: Door) -> None:
    deployment = await core.start()
    await core.deploy(deployment)
    core.clock.later(minutes=5)
    await door.attached("alertmanager", bodies.alertmanager(at=SINCE))
    await core.relay.settle()
    (issue,) = [text for text in await core.texts() if "Issue" in text]
    assert "HighErrorRate (critical)" in issue


async def test_after_the_end_it_still_clears_for_a_day(core: Core, door: Door) -> None:
    await core.start()
    await door.attached("alertmanager", bodies.alertmanager(at=SINCE))
    await core.say("cancel shop wrong version")
    core.clock.later(hours=23)
    assert await door.attached("alertmanager", bodies.alertmanager(at=SINCE, name="New", fingerprint="f2")) == 0
    ended = bodies.alertmanager(at=SINCE, ended="2026-11-24T18:04:00Z")
    assert await door.attached("alertmanager", ended) == 0
    assert await alerts_said(core) == ["✅ HighErrorRate (critical) cleared after 3 h 4 m"]


async def test_what_an_alert_says_is_shown_and_obeyed_by_nobody(core: Core, door: Door) -> None:
    await core.start()
    body = bodies.alertmanager(
        at=SINCE, name="<!channel> **x** [a](https://evil.example) @everyone", severity="*warning*"
    )
    body["alerts"][0]["annotations"] = {"summary": "`rm -rf` <@U1> | https://evil.example\n# loud"}
    body["alerts"][0]["generatorURL"] = "https://ok.example/) [b](https://evil.example"
    await door.attached("alertmanager", body)
    line = await card_line(core)
    assert line.startswith(
        r"🔔 1 alert: [\<\!channel\> \*\*x\*\* \[a\]\(https://evil.example\) \@everyone \(\*warning\*\)]"
        "(https://ok.example/%29%20[b]%28https://evil.example) since "
    )
    (message,) = [m for m in await core.channel() if "everyone" in m.card.title]
    said = [block.markdown for block in message.card.blocks if isinstance(block, Text)]
    assert said[1] == r"\`rm \-rf\` \<\@U1\> \| https://evil.example \# loud"
    assert message.card.mentions == ()


@pytest.mark.parametrize("url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
async def test_it_is_the_same_on_postgresql(url: str, tmp_path: Path) -> None:
    async with open_core(url, with_alerts(tmp_path)) as core:
        deployment = await core.start()
        routes = alert_doors(core.alerts.take, token=bodies.TOKEN, sentry_secret="")
        async with serving(Starlette(routes=routes)) as base, httpx.AsyncClient(base_url=base) as client:
            body = bodies.alertmanager(at=SINCE, name="zero \x00 and \U0001f600", fingerprint="a\x00b")
            assert await Door(client).attached("alertmanager", body) == 1
        assert await alerts_said(core) == ["🔔 zero and 😀 (critical)"]
        assert (await core.kinds(deployment))[-1] == "alert_raised"
