"""Which point of a metrics query counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.probes.datadog import LOOKS_BACK, DatadogCredentials, DatadogProbe
from bot.domain.events import Measurement, Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.conftest import TRUSTING_NOBODY
from tests.adapters.probes.service import ASKED
from tests.fakes.vendors import Vendor
from tests.fakes.vendors_metrics import DATADOG_API_KEY, DATADOG_APP_KEY, Datadog

NOW = ASKED.as_of.timestamp()
QUERY = "sum:errors{service:api}.as_count() / sum:hits{service:api}.as_count()"
POLICY = ProbePolicy(datadog=QUERY, unit="ratio")

Points = Sequence[tuple[float, float | None]]


def probe_of(client: httpx.AsyncClient, vendor: Vendor) -> DatadogProbe:
    return DatadogProbe(client, DatadogCredentials(DATADOG_API_KEY, DATADOG_APP_KEY, api=vendor.base))


async def ask(
    client: httpx.AsyncClient, vendor: Vendor, *series: Points, policy: ProbePolicy = POLICY, **said: Any
) -> Measurement:
    vendor.serve = Datadog(list(series), said)
    return await probe_of(client, vendor).measure("it", policy, ASKED)


async def test_the_last_point_before_the_due_time_counts(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, [(NOW - 40, 0.5), (NOW - 20, 0.002), (NOW + 20, 0.9)])
    assert (found.outcome, found.value, found.dimension) == (Outcome.MEASURED, 0.002, "ratio")
    assert vendor.asked[0].said("to") == f"{NOW:.0f}"
    assert found.link == "https://app.datadoghq.com/metric/explorer"


async def test_an_empty_last_point_is_not_looked_past(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, [(NOW - 40, 0.0), (NOW - 20, None)])
    assert (found.outcome, found.detail) == (Outcome.NO_DATA, "the last point (14:29 UTC) is empty")


async def test_an_old_point_is_no_data(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, [(NOW - 901, 0.0)])
    assert found.outcome is Outcome.NO_DATA
    assert "no point in the 15 minutes before 14:30 UTC" in found.detail
    assert "default_zero" in found.detail


async def test_several_series_are_an_error_that_says_how_to_make_one(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, [(NOW - 20, 0.0)], [(NOW - 20, 0.5)])
    assert (found.outcome, found.detail) == (
        Outcome.ERROR,
        "the query gives 2 series; one is needed: leave out `by {…}`",
    )


async def test_an_error_in_a_200_is_an_error(client: httpx.AsyncClient, vendor: Vendor) -> None:
    said = {"status": "error", "error": f"query timed out ({DATADOG_API_KEY})"}
    found = await ask(client, vendor, [(NOW - 20, 0.0)], **said)
    assert (found.outcome, found.detail) == (
        Outcome.ERROR,
        "Datadog could not answer the query: query timed out (…)",
    )


async def test_a_query_it_cannot_read_is_an_error_in_its_words(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, policy=ProbePolicy(datadog="nonsense", unit="ratio"))
    assert found.outcome is Outcome.ERROR
    assert "HTTP 400: Error parsing query" in found.detail
    assert DATADOG_APP_KEY not in found.detail


async def test_a_query_without_a_unit_is_not_asked(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, [(NOW - 20, 0.0)], policy=ProbePolicy(datadog=QUERY))
    assert (found.outcome, vendor.asked) == (Outcome.REFUSED, [])


@pytest.mark.parametrize(
    ("site", "link"),
    [
        ("datadoghq.eu", "https://app.datadoghq.eu/metric/explorer"),
        ("us3.datadoghq.com", "https://us3.datadoghq.com/metric/explorer"),
        ("datadoghq.com/../evil", None),
    ],
)
async def test_the_site_is_a_name_and_nothing_else(
    client: httpx.AsyncClient, vendor: Vendor, site: str, link: str | None
) -> None:
    vendor.serve = Datadog([[(NOW - 20, 0.0)]])
    credentials = DatadogCredentials(DATADOG_API_KEY, DATADOG_APP_KEY, site, vendor.base)
    found = await DatadogProbe(client, credentials).measure("it", POLICY, ASKED)
    assert found.link == link
    assert found.outcome is (Outcome.MEASURED if link else Outcome.REFUSED)


async def test_the_history_has_the_last_point_of_each_step(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = Datadog([[(NOW - 600, 0.1), (NOW - 580, 0.2), (NOW - 300, None), (NOW - 10, 0.4)]])
    points = await probe_of(client, vendor).history(
        "it", POLICY, ASKED, start=ASKED.as_of - timedelta(minutes=10), end=ASKED.as_of, step=timedelta(minutes=5)
    )
    assert [(at.timestamp() - NOW, value) for at, value in points] == [(-580, 0.2), (-10, 0.4)]


POINTS = st.lists(st.tuples(st.integers(-1500, 300), st.none() | st.floats(0, 1, width=16)), max_size=6)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=POINTS, order=st.randoms(use_true_random=False))
async def test_no_order_of_points_and_gaps_makes_up_a_number(vendor: Vendor, points: Points, order: Any) -> None:
    told = list(dict(points).items())
    order.shuffle(told)
    vendor.reset()
    async with httpx.AsyncClient(trust_env=False, verify=TRUSTING_NOBODY) as client:
        found = await ask(client, vendor, [(NOW + at, value) for at, value in told])
    fresh = {at: value for at, value in told if -LOOKS_BACK.total_seconds() <= at <= 0}
    newest = fresh[max(fresh)] if fresh else None
    if newest is None:
        assert (found.outcome, found.value) == (Outcome.NO_DATA, None)
    else:
        assert math.isfinite(newest)
        assert (found.outcome, found.value) == (Outcome.MEASURED, newest)
