"""Which alerts count, and how matchers are understood."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from adapters.probes.alertmanager import AlertmanagerCredentials, AlertmanagerProbe, matchers
from adapters.probes.asking import Refused
from bot.domain.events import Measurement, Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED, healthy, unhealthy
from tests.fakes.vendors import Vendor
from tests.fakes.vendors_metrics import ALERTMANAGER_TOKEN, Alertmanager, alert

CRITICAL = 'severity="critical",service=~"api|web"'


async def ask(client: httpx.AsyncClient, vendor: Vendor, *alerts: dict[str, Any], words: str = CRITICAL) -> Measurement:
    vendor.serve = Alertmanager(list(alerts))
    probe = AlertmanagerProbe(client, AlertmanagerCredentials(vendor.base, ALERTMANAGER_TOKEN))
    return await probe.measure("it", ProbePolicy(alertmanager=words), ASKED)


async def test_no_alert_that_matches_is_healthy(client: httpx.AsyncClient, vendor: Vendor) -> None:
    others = alert("Slow", severity="warning", service="api"), alert("Down", severity="critical", service="mail")
    assert healthy(found := await ask(client, vendor, *others))
    assert found.detail == "no alert fires"


async def test_the_alerts_that_fire_are_named(client: httpx.AsyncClient, vendor: Vendor) -> None:
    firing = [alert(f"Down{n}", severity="critical", service="api") for n in range(5)]
    assert unhealthy(found := await ask(client, vendor, *firing))
    assert found.detail == (
        "Down0 fires since 14:21 UTC, Down1 fires since 14:21 UTC, Down2 fires since 14:21 UTC, and 2 more"
    )


async def test_a_silenced_alert_does_not_count(client: httpx.AsyncClient, vendor: Vendor) -> None:
    assert healthy(await ask(client, vendor, alert("Down", silenced=True, severity="critical", service="api")))


async def test_an_inhibited_alert_does_not_count(client: httpx.AsyncClient, vendor: Vendor) -> None:
    inhibited = alert("Down", inhibited=True, severity="critical", service="web")
    assert healthy(await ask(client, vendor, inhibited))
    assert unhealthy(await ask(client, vendor, inhibited, alert("Outage", severity="critical", service="web")))


async def test_the_link_shows_the_same_alerts(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor)
    page, _, after = (found.link or "").partition("#")
    assert (page, after.partition("?")[0]) == (f"{vendor.base}/", "/alerts")
    shown = {"silenced": "false", "inhibited": "false", "filter": f"{{{CRITICAL}}}"}
    assert dict(httpx.QueryParams(after.partition("?")[2])) == shown


@pytest.mark.parametrize(
    ("words", "one_by_one"),
    [
        ('severity="critical"', ['severity="critical"']),
        ('{severity="critical", team!="ops"}', ['severity="critical"', 'team!="ops"']),
        ('a=~"x,y|z",b!~"x{1}",c=\'d\'', ['a=~"x,y|z"', 'b!~"x{1}"', 'c="d"']),
        (r'path=~"/v\\d+",q="say \"hi\""', [r'path=~"/v\\d+"', r'q="say \"hi\""']),
        ('severity!="info"', ['severity!="info"']),
        ('city="Zürich",', ['city="Zürich"']),
    ],
)
def test_matchers_are_taken_apart_as_promql_does(words: str, one_by_one: list[str]) -> None:
    assert matchers(words) == one_by_one


@pytest.mark.parametrize(
    "words",
    [
        "", "{}", "critical", "severity=critical", 'severity="critical', 'a="b" or c="d"', 'a="b"} or up{x="y"',
        'a="b"}[5m', 'a="b"} offset 5m #', 'a="b"} @ 1 #', 'a~"b"',
    ],
)  # fmt: skip
async def test_what_is_no_matcher_is_refused_and_not_asked(
    client: httpx.AsyncClient, vendor: Vendor, words: str
) -> None:
    with pytest.raises(Refused, match="are no matchers"):
        matchers(words)
    found = await ask(client, vendor, words=words)
    assert (found.outcome, vendor.asked) == (Outcome.REFUSED, [])
    assert 'write `severity="critical",service="api"`' in found.detail


async def test_what_alertmanager_itself_refuses_is_an_error(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, words='Upper="case"')
    assert (found.outcome, found.value) == (Outcome.ERROR, None)
    assert "HTTP 400" in found.detail
