"""What of an expression's answer is a number, and what is not."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.probes.prometheus import PrometheusCredentials, PrometheusProbe
from bot.domain.events import Measurement, Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.conftest import TRUSTING_NOBODY
from tests.adapters.probes.service import ASKED
from tests.fakes.vendors import Vendor
from tests.fakes.vendors_metrics import LOOKBACK, PROMETHEUS_TOKEN, Points, Prometheus

NOW = ASKED.as_of.timestamp()
X = 'sum(rate(x{code=~"5.."}[5m]))'


def probe_of(client: httpx.AsyncClient, vendor: Vendor, **more: str) -> PrometheusProbe:
    return PrometheusProbe(client, PrometheusCredentials(**{"url": vendor.base, "token": PROMETHEUS_TOKEN, **more}))


async def ask(client: httpx.AsyncClient, vendor: Vendor, serve: Prometheus, **policy: Any) -> Measurement:
    vendor.serve = serve
    policy = {"prometheus": X, "unit": "ratio", **policy}
    return await probe_of(client, vendor).measure("it", ProbePolicy(**policy), ASKED)


@pytest.mark.parametrize(
    ("number", "unit", "dimension", "value"),
    [
        (0.4, "%", "ratio", 0.004), (0.4, "ratio", "ratio", 0.4), (250.0, "ms", "seconds", 0.25),
        (1.5, "s", "seconds", 1.5), (1.2, "x", "times normal", 1.2), (0.0, "count", "count", 0.0),
    ],
)  # fmt: skip
async def test_the_number_is_in_the_policys_unit(
    client: httpx.AsyncClient, vendor: Vendor, number: float, unit: str, dimension: str, value: float
) -> None:
    found = await ask(client, vendor, Prometheus({X: [[(NOW, number)]]}), unit=unit)
    assert (found.outcome, found.dimension) == (Outcome.MEASURED, dimension)
    assert found.value == pytest.approx(value)


async def test_it_is_asked_as_of_the_due_time(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, Prometheus({X: [[(NOW - 30, 0.01), (NOW + 30, 0.9)]]}))
    assert found.value == 0.01
    assert vendor.asked[0].said("time") == f"{NOW:.3f}"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
async def test_a_division_by_nothing_is_no_data(client: httpx.AsyncClient, vendor: Vendor, number: float) -> None:
    found = await ask(client, vendor, Prometheus({X: [[(NOW, number)]]}))
    assert (found.outcome, found.value) == (Outcome.NO_DATA, None)
    assert "divides by nothing" in found.detail


async def test_a_sample_too_old_is_no_data(client: httpx.AsyncClient, vendor: Vendor) -> None:
    assert (await ask(client, vendor, Prometheus({X: [[(NOW - LOOKBACK, 0.0)]]}))).outcome is Outcome.NO_DATA


async def test_several_series_are_an_error_that_says_how_to_make_one(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, Prometheus({X: [[(NOW, 0.0)], [(NOW, 0.5)]]}))
    assert (found.outcome, found.detail) == (
        Outcome.ERROR,
        "the expression gives 2 series; one is needed, as with sum(…) or avg(…)",
    )


@pytest.mark.parametrize(
    ("data", "outcome", "detail"),
    [
        ({"resultType": "scalar", "result": [NOW, "0.25"]}, Outcome.MEASURED, "25%"),
        ({"resultType": "string", "result": [NOW, "fine"]}, Outcome.ERROR, "gives a text"),
        ({"resultType": "matrix", "result": [{"metric": {}, "values": [[NOW, "1"]]}]}, Outcome.ERROR, "gives a range"),
        ({"resultType": "vector", "result": [{"metric": {}, "histogram": [NOW, {}]}]}, Outcome.ERROR, "histogram"),
        ({"resultType": "vector", "result": [{"metric": {}, "value": [NOW, "many"]}]}, Outcome.ERROR, "documents"),
        ({"resultType": "vector", "result": [{"metric": {}, "value": [NOW, 1]}]}, Outcome.ERROR, "documents"),
        ({"resultType": "vector", "result": [{"metric": {}, "value": [NOW, None]}]}, Outcome.ERROR, "documents"),
        ({"resultType": "streams", "result": []}, Outcome.ERROR, "documents"),
    ],
)
async def test_only_one_number_is_a_measurement(
    client: httpx.AsyncClient, vendor: Vendor, data: dict[str, Any], outcome: Outcome, detail: str
) -> None:
    found = await ask(client, vendor, Prometheus(data=data))
    assert found.outcome is outcome
    assert detail in found.detail


async def test_an_answer_with_a_warning_is_not_trusted(client: httpx.AsyncClient, vendor: Vendor) -> None:
    whole = {X: [[(NOW, 0.0)]]}
    found = await ask(client, vendor, Prometheus(whole, warnings=["some stores did not answer"]))
    assert (found.outcome, "some stores did not answer" in found.detail) == (Outcome.ERROR, True)
    # What newer servers remark about a metric's name is no warning.
    remark = Prometheus(whole, warnings=["PromQL info: metric might not be a counter"])
    assert (await ask(client, vendor, remark)).value == 0.0


async def test_the_servers_words_are_passed_on_without_the_key(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, Prometheus(), prometheus="rate(x[5m]")
    assert found.outcome is Outcome.ERROR
    assert "HTTP 400: invalid parameter" in found.detail
    assert "unclosed left parenthesis" in found.detail
    assert PROMETHEUS_TOKEN not in found.detail


async def test_a_query_without_a_unit_is_not_asked(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, Prometheus({X: [[(NOW, 0.0)]]}), unit=None)
    assert (found.outcome, vendor.asked) == (Outcome.REFUSED, [])
    assert "add `unit`" in found.detail


@pytest.mark.parametrize(
    ("token", "sent"), [("abc", "Bearer abc"), ("FlyV1 fm2_abc", "FlyV1 fm2_abc"), ("Basic YTpi", "Basic YTpi")]
)
async def test_a_token_may_bring_its_scheme(client: httpx.AsyncClient, vendor: Vendor, token: str, sent: str) -> None:
    vendor.serve = Prometheus({X: [[(NOW, 1.0)]]}, authorization=sent)
    probe = probe_of(client, vendor, token=token)
    assert (await probe.measure("it", ProbePolicy(prometheus=X, unit="ratio"), ASKED)).value == 1.0


async def test_mimir_is_told_the_tenant(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = Prometheus({X: [[(NOW, 1.0)]]}, tenant="team-a")
    policy = ProbePolicy(prometheus=X, unit="ratio")
    assert (await probe_of(client, vendor).measure("it", policy, ASKED)).outcome is Outcome.REFUSED
    found = await probe_of(client, vendor, tenant="team-a").measure("it", policy, ASKED)
    assert (found.value, found.link) == (1.0, None)


async def test_the_link_opens_the_expression(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, Prometheus({X: [[(NOW, 1.0)]]}))
    url = httpx.URL(found.link or "")
    assert (url.path, url.params["g0.expr"], url.params["g0.moment_input"]) == ("/graph", X, "2026-11-20 14:30:00")


@pytest.mark.parametrize(
    ("url", "outcome", "detail"),
    [
        ("https://me:hunter2@prometheus.test", Outcome.REFUSED, "GONOGO_PROMETHEUS_URL holds a password"),
        ("prometheus.test:9090", Outcome.ERROR, "the address of Prometheus is none that can be asked"),
        ("http://prometheus.test:port", Outcome.ERROR, "the address of Prometheus is none that can be asked"),
    ],
)
async def test_an_address_that_cannot_be_asked(
    client: httpx.AsyncClient, vendor: Vendor, url: str, outcome: Outcome, detail: str
) -> None:
    found = await probe_of(client, vendor, url=url).measure("it", ProbePolicy(prometheus=X, unit="ratio"), ASKED)
    assert found.outcome is outcome
    assert detail in found.detail
    assert "hunter2" not in repr(found)


async def history(client: httpx.AsyncClient, vendor: Vendor, **more: timedelta) -> list[tuple[datetime, float]]:
    span = {"start": ASKED.as_of - timedelta(minutes=30), "end": ASKED.as_of, "step": timedelta(minutes=10)}
    policy = ProbePolicy(prometheus=X, unit="%")
    return await probe_of(client, vendor).history("it", policy, ASKED, **{**span, **more})  # type: ignore[arg-type]


async def test_the_history_leaves_gaps_out(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = Prometheus({X: [[(NOW - 1800, 1.0), (NOW - 600, math.nan), (NOW, 3.0)]]})
    assert await history(client, vendor) == [
        (datetime(2026, 11, 20, 14, 0, tzinfo=UTC), 0.01),
        (datetime(2026, 11, 20, 14, 30, tzinfo=UTC), 0.03),
    ]


async def test_a_history_that_cannot_be_told_is_empty(client: httpx.AsyncClient, vendor: Vendor) -> None:
    assert await history(client, vendor) == []
    vendor.serve = Prometheus({X: [[(NOW, 1.0)], [(NOW, 2.0)]]})
    assert await history(client, vendor) == []


async def test_a_long_history_stays_within_what_prometheus_gives(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = Prometheus({X: [[(NOW, 1.0)]]})
    start = ASKED.as_of - timedelta(days=7)
    assert len(await history(client, vendor, start=start, step=timedelta(seconds=1))) > 0  # type: ignore[arg-type]


SAMPLES = st.lists(
    st.tuples(st.integers(-900, 300), st.floats(0, 1, width=16) | st.sampled_from([math.nan, math.inf])), max_size=6
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples=SAMPLES, order=st.randoms(use_true_random=False))
async def test_no_order_of_samples_and_gaps_makes_up_a_number(vendor: Vendor, samples: Points, order: Any) -> None:
    points = list(dict(samples).items())
    order.shuffle(points)
    vendor.reset()
    async with httpx.AsyncClient(trust_env=False, verify=TRUSTING_NOBODY) as client:
        found = await ask(client, vendor, Prometheus({X: [[(NOW + at, value) for at, value in points]]}))
    fresh = [(at, value) for at, value in points if -LOOKBACK < at <= 0]
    newest = max(fresh)[1] if fresh else math.nan
    if math.isfinite(newest):
        assert (found.outcome, found.value) == (Outcome.MEASURED, newest)
    else:
        assert (found.outcome, found.value) == (Outcome.NO_DATA, None)
