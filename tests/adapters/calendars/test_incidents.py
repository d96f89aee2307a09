"""Incidents elsewhere: a provider's status page, a service of PagerDuty."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.calendars.pagerduty import PagerDuty
from adapters.calendars.sources import FreezeSources
from bot.domain.calendar import Busy, Code, Unreadable, opening, rules_for
from checklists.policy import FreezePolicy, Policy
from tests.adapters.calendars.conftest import Elapsed, Host

START, END = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 12, 10, tzinfo=UTC)
# The shapes of the documented answers, with names of our own.
PAGE = {"id": "k1", "name": "Cloud", "url": "https://status.cloud.example", "updated_at": "2026-11-24T12:00:00Z"}
TROUBLE = {
    "id": "p1", "name": "Elevated  errors", "status": "investigating", "impact": "minor", "page_id": "k1",
    "created_at": "2026-11-24T10:00:00.123-08:00", "started_at": None, "resolved_at": None, "incident_updates": [],
}  # fmt: skip
ALARM = {
    "id": "Q1", "type": "incident", "incident_number": 7, "title": "Checkout is down", "status": "acknowledged",
    "created_at": "2026-11-24T09:30:00Z", "urgency": "high", "service": {"id": "PSHOP1", "type": "service_reference"},
}  # fmt: skip


async def ask(sources: FreezeSources, **freeze: str) -> list[Busy]:
    wanted = FreezePolicy.model_validate(freeze)
    return await sources.busy(wanted, start=START, end=END, zone="UTC")


async def why(sources: FreezeSources, **freeze: str) -> str:
    with pytest.raises(Unreadable) as error:
        await ask(sources, **freeze)
    return str(error.value)


def page(*incidents: dict[str, Any]) -> str:
    return json.dumps({"page": PAGE, "incidents": incidents})


def alarms(*incidents: dict[str, Any]) -> str:
    return json.dumps({"incidents": incidents, "limit": 5, "offset": 0, "total": None, "more": False})


async def test_an_unresolved_incident_of_a_provider_closes_until_further_notice(
    sources: FreezeSources, host: Host
) -> None:
    host.answers(content=page(TROUBLE))
    [busy] = await ask(sources, statuspage=host.base)
    assert busy.what == "incident at 127.0.0.1: Elevated errors"
    assert (busy.source, busy.code, busy.end) == ("the status page 127.0.0.1", Code.INCIDENT, None)
    assert busy.start == datetime(2026, 11, 24, 18, 0, 0, 123000, tzinfo=UTC)
    assert host.asked[0].url.path == "/api/v2/incidents/unresolved.json"
    rules = rules_for(Policy(), "production")
    assert not opening(rules, datetime(2026, 11, 24, 19, tzinfo=UTC), busy=[busy]).open
    assert opening(rules, datetime(2026, 11, 24, 17, tzinfo=UTC), busy=[busy]).open


async def test_a_status_page_without_incidents_closes_nothing(sources: FreezeSources, host: Host) -> None:
    host.answers(content=page())
    assert await ask(sources, statuspage=f"{host.base}/") == []


async def test_the_team_s_own_words_come_first(sources: FreezeSources, host: Host) -> None:
    host.answers(content=page(TROUBLE | {"started_at": "2026-11-24T08:00:00Z"}))
    [busy] = await ask(sources, statuspage=host.base, why="Cloudflare has trouble")
    assert busy.what == "Cloudflare has trouble: Elevated errors"
    assert busy.start == datetime(2026, 11, 24, 8, tzinfo=UTC)


async def test_an_answer_of_a_minute_ago_says_nothing_about_now(
    sources: FreezeSources, host: Host, elapsed: Elapsed
) -> None:
    host.answers(content=page())
    await ask(sources, statuspage=host.base)
    host.answers(503)
    elapsed.later(59)
    assert await ask(sources, statuspage=host.base) == []
    elapsed.later(2)
    assert await why(sources, statuspage=host.base) == "the status page 127.0.0.1: HTTP 503, expected 200"


@pytest.mark.parametrize(
    "content",
    ["", "<html>", "{}", "[]", '{"incidents": null}', '{"incidents": [{"name": "x"}]}',
     '{"incidents": [{"name": "x", "created_at": "yesterday"}]}',
     '{"incidents": [{"name": "x", "created_at": "2026-11-24T10:00:00"}]}'],
)  # fmt: skip
async def test_an_answer_of_another_kind_is_unknown_and_not_fine(
    sources: FreezeSources, host: Host, content: str
) -> None:
    host.answers(content=content)
    said = await why(sources, statuspage=host.base)
    assert said == "the status page 127.0.0.1: its answer is not that of an Atlassian Statuspage"
    said = await why(sources, pagerduty="PSHOP1")
    assert said == "PagerDuty service PSHOP1: its answer is not that of PagerDuty's REST API"


async def test_an_open_incident_of_pagerduty_closes_until_further_notice(sources: FreezeSources, host: Host) -> None:
    host.answers(content=alarms(ALARM))
    [busy] = await ask(sources, pagerduty="PSHOP1")
    assert (busy.what, busy.source) == ("PagerDuty incident: Checkout is down", "PagerDuty service PSHOP1")
    assert (busy.code, busy.start, busy.end) == (Code.INCIDENT, datetime(2026, 11, 24, 9, 30, tzinfo=UTC), None)
    [request] = host.asked
    assert (request.url.path, request.headers["Authorization"]) == ("/incidents", "Token token=s3cret-key")
    asked = request.query_params
    assert asked.getlist("service_ids[]") == ["PSHOP1"]
    assert asked.getlist("statuses[]") == ["triggered", "acknowledged"]
    assert asked["date_range"] == "all"


async def test_a_refused_key_names_the_setting_and_never_the_key(sources: FreezeSources, host: Host) -> None:
    host.answers(401, '{"error": {"message": "Invalid token s3cret-key"}}')
    said = await why(sources, pagerduty="PSHOP1")
    assert said.startswith("PagerDuty service PSHOP1: HTTP 401: it refused the key; GONOGO_PAGERDUTY_TOKEN must be")
    assert "s3cret" not in said + repr(PagerDuty("s3cret-key"))


async def test_a_key_is_not_carried_to_another_host(sources: FreezeSources, host: Host) -> None:
    host.answers(302, Location="http://elsewhere.example/incidents")
    assert "it leads on to elsewhere.example" in await why(sources, pagerduty="PSHOP1")
    assert len(host.asked) == 1


async def test_without_a_key_nothing_is_asked(tmp_path: Path) -> None:
    assert "GONOGO_PAGERDUTY_TOKEN is not set" in await why(FreezeSources(tmp_path), pagerduty="PSHOP1")


@pytest.mark.parametrize("freeze", [{"pagerduty": "checkout"}, {"pagerduty": ""}, {"statuspage": "status.example"}])
def test_words_that_are_no_source_are_an_error_of_the_policy(freeze: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"copy it from|write an address like"):
        FreezePolicy.model_validate(freeze)
