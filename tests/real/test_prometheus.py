"""A real Prometheus gives what the probe takes its answers for; azora's own queries are asked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from adapters.probes.prometheus import PrometheusCredentials, PrometheusProbe
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from checklists.library import load
from checklists.policy import ProbePolicy
from tests.real.conftest import now
from tests.real.servers import BASIC, Watch, until

pytestmark = pytest.mark.real

AZORA = load("azora", (Path(__file__).resolve().parents[2] / "checklists",)).policy
RATIO = AZORA.probes["error_rate"].source[1]


@dataclass(frozen=True)
class Story:
    """Instants that Prometheus has samples for: before anything, in good health, in bad."""

    before: datetime
    healthy: datetime
    broken: datetime


@pytest.fixture(scope="module")
def story(watched: Watch) -> Story:
    before = now() - timedelta(hours=1)

    def number(expression: str) -> float | None:
        answer = httpx.get(
            f"{watched.prometheus}/api/v1/query",
            params={"query": expression},
            headers={"Authorization": BASIC},
            trust_env=False,
        )
        found = json.loads(answer.content)["data"]["result"]
        return float(found[0]["value"][1]) if found else None

    watched.service.recovers()
    scraped = 'count_over_time(http_requests_total{code="200"}[5m])'
    until(lambda: (number(scraped) or 0) >= 5, 20, "some scrapes")
    healthy = now()
    watched.service.breaks()
    until(lambda: (number(f"min_over_time(({RATIO})[3s:1s])") or 0) > 0.05, 20, "errors in the rate")
    broken = now()
    watched.service.recovers()
    return Story(before, healthy, broken)


async def ask(
    client: httpx.AsyncClient, watched: Watch, at: datetime, probe: ProbePolicy | str, token: str = BASIC
) -> Measurement:
    policy = ProbePolicy(prometheus=probe, unit="count") if isinstance(probe, str) else probe
    source = PrometheusProbe(client, PrometheusCredentials(watched.prometheus, token))
    return await source.measure("it", policy, Asked("azora", "production", "v1.2.0", at))


@pytest.mark.parametrize("name", ["error_rate", "p95_latency", "query_latency", "requests", "scrape_targets"])
async def test_what_azora_measures_is_met_in_good_health(
    client: httpx.AsyncClient, watched: Watch, story: Story, name: str
) -> None:
    probe = AZORA.probes[name]
    found = await ask(client, watched, story.healthy, probe)
    assert (found.outcome, found.dimension) == (Outcome.MEASURED, probe.target and probe.target.dimension), found.detail
    assert found.value is not None
    assert probe.target is not None
    assert probe.target.holds(found.value), found.detail


@pytest.mark.parametrize("name", ["error_rate", "p95_latency", "query_latency"])
async def test_what_azora_measures_is_missed_in_bad(
    client: httpx.AsyncClient, watched: Watch, story: Story, name: str
) -> None:
    probe = AZORA.probes[name]
    found = await ask(client, watched, story.broken, probe)
    assert found.outcome is Outcome.MEASURED, found.detail
    assert found.value is not None
    assert probe.target is not None
    assert not probe.target.holds(found.value), found.detail


async def test_before_it_was_watched_there_is_no_data(client: httpx.AsyncClient, watched: Watch, story: Story) -> None:
    for name in ("error_rate", "p95_latency", "query_latency", "requests", "scrape_targets"):
        assert (await ask(client, watched, story.before, AZORA.probes[name])).outcome is Outcome.NO_DATA


@pytest.mark.parametrize(
    ("expression", "outcome", "detail"),
    [
        ('sum(rate(http_requests_total{namespace="elsewhere"}[5m]))', Outcome.NO_DATA, "finds nothing"),
        ("0 / 0", Outcome.NO_DATA, "gives NaN"),
        ("vector(1) / vector(0)", Outcome.NO_DATA, "gives +Inf"),
        ("-vector(1) / vector(0)", Outcome.NO_DATA, "gives -Inf"),
        ("histogram_quantile(0.95, sum by (le) (rate(nothing_bucket[5m])))", Outcome.NO_DATA, "finds nothing"),
        ('{__name__=~"up|scrape_samples_scraped"}', Outcome.ERROR, "gives 2 series"),
        ("up[5m]", Outcome.ERROR, "gives a range"),
        ('"words"', Outcome.ERROR, "gives a text"),
        ("sum(rate(up[5m])", Outcome.ERROR, "HTTP 400: invalid parameter"),
        ("sum(up", Outcome.ERROR, "parse error"),
        ("2 * 3", Outcome.MEASURED, "6"),
        ("vector(0.25)", Outcome.MEASURED, "0.25"),
    ],
)
async def test_what_is_a_number_and_what_is_not(
    client: httpx.AsyncClient, watched: Watch, story: Story, expression: str, outcome: Outcome, detail: str
) -> None:
    found = await ask(client, watched, story.healthy, expression)
    assert found.outcome is outcome, found.detail
    assert detail in found.detail


async def test_errors_that_were_never_counted_are_no_data_unless_the_expression_says_zero(
    client: httpx.AsyncClient, watched: Watch, story: Story
) -> None:
    never, every = ('sum(rate(http_requests_total{namespace="%s",code=~"' + code + '"}[5m]))' for code in ("9..", ".+"))
    bare, says_zero = f"{never} / {every}", f"({never} or 0 * {every}) / {every}"
    assert (await ask(client, watched, story.healthy, bare.replace("%s", "production"))).outcome is Outcome.NO_DATA
    assert (await ask(client, watched, story.healthy, says_zero.replace("%s", "production"))).value == 0.0
    # A service that is not watched at all stays unknown.
    assert (await ask(client, watched, story.healthy, says_zero.replace("%s", "elsewhere"))).outcome is Outcome.NO_DATA


async def test_a_wrong_password_is_refused(client: httpx.AsyncClient, watched: Watch) -> None:
    for token in ("", "not-it", "Basic Z29ub2dvOm5vdC1pdA=="):
        found = await ask(client, watched, now(), "1", token)
        assert (found.outcome, "GONOGO_PROMETHEUS_TOKEN" in found.detail) == (Outcome.REFUSED, True)


async def test_the_link_opens_a_page(client: httpx.AsyncClient, watched: Watch, story: Story) -> None:
    found = await ask(client, watched, story.healthy, RATIO)
    page = await client.get(found.link or "", headers={"Authorization": BASIC}, follow_redirects=True)
    assert (page.status_code, page.headers["content-type"].startswith("text/html")) == (200, True)


async def test_the_history_shows_when_it_broke(client: httpx.AsyncClient, watched: Watch, story: Story) -> None:
    source = PrometheusProbe(client, PrometheusCredentials(watched.prometheus, BASIC))
    asked = Asked("azora", "production", "v1.2.0", story.broken)
    policy = AZORA.probes["error_rate"]
    points = await source.history("it", policy, asked, start=story.before, end=story.broken, step=timedelta(seconds=1))
    assert points
    assert [at for at, _ in points] == sorted(at for at, _ in points)
    assert points[0][0] > story.before + timedelta(minutes=50), "what was not watched is left out"
    healthy = [value for at, value in points if at <= story.healthy]
    assert healthy
    assert max(healthy) == 0.0
    assert points[-1][1] > 0.01
    # A month in seconds is more than Prometheus gives in one answer.
    month = await source.history(
        "it", policy, asked, start=story.broken - timedelta(days=30), end=story.broken, step=timedelta(seconds=1)
    )
    assert len(month) <= 10_000
