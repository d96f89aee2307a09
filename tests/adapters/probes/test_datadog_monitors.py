"""What each state of a monitor says, and which monitors are meant."""

from __future__ import annotations

import itertools
import time
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from adapters.probes.datadog import DatadogCredentials, DatadogProbe
from bot.domain.events import Measurement, Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED, healthy, unhealthy
from tests.fakes.vendors import Reply, Vendor
from tests.fakes.vendors_metrics import DATADOG_API_KEY, DATADOG_APP_KEY, Datadog, monitor

ONE = "monitor 4201"
SHOP = "monitors service:shop, env:production"


async def ask(client: httpx.AsyncClient, vendor: Vendor, words: str, *monitors: dict[str, Any]) -> Measurement:
    vendor.serve = Datadog(monitors=list(monitors))
    probe = DatadogProbe(client, DatadogCredentials(DATADOG_API_KEY, DATADOG_APP_KEY, api=vendor.base))
    return await probe.measure("it", ProbePolicy(datadog=words), ASKED)


async def test_a_monitor_that_is_ok_is_healthy(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, ONE, monitor(17, "Alert"), monitor(4201, "OK"))
    assert healthy(found)
    assert (found.detail, found.link) == ("Monitor 4201: OK", "https://app.datadoghq.com/monitors/4201")
    assert vendor.asked[0].headers["dd-application-key"] == DATADOG_APP_KEY


@pytest.mark.parametrize("state", ["Alert", "Warn"])
async def test_an_alert_and_a_warning_are_bad(client: httpx.AsyncClient, vendor: Vendor, state: str) -> None:
    assert unhealthy(found := await ask(client, vendor, ONE, monitor(4201, state)))
    assert found.detail == f"Monitor 4201: {state}"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("No Data", "has no data"), ("Ignored", "is ignored by Datadog"), ("Skipped", "was skipped by Datadog"),
        ("Unknown", "is in an unknown state"),
    ],
)  # fmt: skip
async def test_a_state_that_says_nothing_is_no_data(
    client: httpx.AsyncClient, vendor: Vendor, state: str, said: str
) -> None:
    found = await ask(client, vendor, ONE, monitor(4201, state))
    assert (found.outcome, found.value, found.detail) == (Outcome.NO_DATA, None, f"Monitor 4201 {said}")


@pytest.mark.parametrize("how", [{"muted": ["*"]}, {"downtimes": [["*"]]}])
async def test_what_alerts_while_it_is_muted_is_neither_good_nor_bad(
    client: httpx.AsyncClient, vendor: Vendor, how: dict[str, Any]
) -> None:
    found = await ask(client, vendor, ONE, monitor(4201, "Alert", **how))
    assert (found.outcome, found.detail) == (Outcome.NO_DATA, "Monitor 4201 is muted, and in Alert")
    assert healthy(await ask(client, vendor, ONE, monitor(4201, "OK", **how)))


@pytest.mark.parametrize("how", [{"muted": ["env:staging"]}, {"downtimes": [["env:staging"]]}])
async def test_a_monitor_that_is_muted_in_part_still_speaks(
    client: httpx.AsyncClient, vendor: Vendor, how: dict[str, Any]
) -> None:
    assert unhealthy(await ask(client, vendor, ONE, monitor(4201, "Alert", **how)))


async def test_a_monitor_that_is_not_there_says_where_its_number_is(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, ONE)
    assert (found.outcome, found.detail) == (
        Outcome.ERROR,
        "Datadog knows no monitor 4201, or the key may not see it: compare with the end of its address",
    )


async def test_all_monitors_with_the_tags_are_meant(client: httpx.AsyncClient, vendor: Vendor) -> None:
    tags = "service:shop", "env:production"
    others = [monitor(n, "OK", *tags) for n in range(1, 231)]
    assert healthy(found := await ask(client, vendor, SHOP, *others, monitor(900, "Alert", "service:shop")))
    assert found.detail == "all 230 monitors are OK"
    assert len(vendor.asked) == 3, "pages of a hundred"
    assert found.link is not None
    assert httpx.URL(found.link).params["q"] == 'tag:"service:shop" tag:"env:production"'
    assert unhealthy(found := await ask(client, vendor, SHOP, *others, monitor(900, "Warn", *tags)))
    assert found.detail == "Monitor 900: Warn"


async def test_no_monitor_with_the_tags_is_no_data(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, SHOP, monitor(4201, "OK", "service:shop"))
    assert found.outcome is Outcome.NO_DATA
    assert "no monitor with the tags service:shop,env:production" in found.detail


async def test_one_monitor_makes_several_no_better_than_it_is(client: httpx.AsyncClient, vendor: Vendor) -> None:
    """In every order: one that alerts is bad, else one that says nothing is no data."""
    rank = {"Alert": 2, "Warn": 2, "No Data": 1, "Unknown": 1, "OK": 0}
    for states in itertools.product(rank, repeat=2):
        told = [monitor(n, state, "service:shop", "env:production") for n, state in enumerate(states, 1)]
        found = await ask(client, vendor, SHOP, *told)
        worst = max(rank[state] for state in states)
        assert (unhealthy(found), found.outcome is Outcome.NO_DATA, healthy(found)) == (
            worst == 2,
            worst == 1,
            worst == 0,
        )


@pytest.mark.parametrize("seconds", ["47", "0"])
async def test_who_asks_too_often_waits_as_long_as_datadog_says(
    client: httpx.AsyncClient, vendor: Vendor, seconds: str
) -> None:
    vendor.faults = [Reply({"errors": ["Rate limit of 1000 requests in 60 seconds reached"]}, 429,
                           {"X-RateLimit-Reset": seconds})]  # fmt: skip
    begun = time.monotonic()
    found = await ask(client, vendor, ONE, monitor(4201, "OK"))
    assert time.monotonic() - begun < 2
    if seconds == "0":
        assert healthy(found)
    else:
        assert (found.outcome, found.detail) == (Outcome.ERROR, "Datadog asked to wait 47 s")


@pytest.mark.parametrize(
    "words",
    ["monitor", "monitor abc", "monitor 0", "monitor 12 13", "monitor ٤", "monitors", "monitors a b", "monitors a,,b"],
)
def test_what_is_no_monitor_is_no_policy(words: str) -> None:
    with pytest.raises(ValidationError, match=r"write `monitors|its address ends with it"):
        ProbePolicy(datadog=words)


def test_a_query_is_still_a_query() -> None:
    for query in ("avg:monitor.up{*}", "monitors.up{*}", "sum:monitor{a:b}"):
        assert ProbePolicy(datadog=query, unit="count").knows_past
