"""The sandbox's metrics."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from adapters.probes.simulated import SimulatedMetrics
from bot.domain.events import Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED, asked_paths, healthy, unhealthy


async def test_simulated_metrics_come_in_base_units(client: httpx.AsyncClient, base: str) -> None:
    probe = SimulatedMetrics(client, base + "/")
    policy = ProbePolicy(datadog="avg:x", link="https://app.datadog.example")
    rate = await probe.measure("error_rate", policy, ASKED)
    assert (rate.outcome, rate.dimension, rate.detail, rate.link) == (
        Outcome.MEASURED,
        "ratio",
        "7.2%",
        "https://app.datadog.example",
    )
    assert rate.value == pytest.approx(0.072)
    latency = await probe.measure("latency", None, ASKED)
    assert (latency.dimension, latency.detail) == ("seconds", "61ms")
    assert latency.value == pytest.approx(0.061)


async def test_simulated_metrics_are_asked_as_of_the_due_time(client: httpx.AsyncClient, base: str) -> None:
    asked_paths.clear()
    await SimulatedMetrics(client, base).measure("error_rate", None, ASKED)
    assert httpx.QueryParams(asked_paths[0])["as_of"] == "2026-11-20T14:30:00+00:00"


async def test_simulated_no_content_is_no_data(client: httpx.AsyncClient, base: str) -> None:
    found = await SimulatedMetrics(client, base).measure("silent", None, ASKED)
    assert (found.outcome, found.value) == (Outcome.NO_DATA, None)


async def test_simulated_yes_and_no(client: httpx.AsyncClient, base: str) -> None:
    assert unhealthy(await SimulatedMetrics(client, base).measure("incidents", None, ASKED))
    assert healthy(await SimulatedMetrics(client, base).measure("status_page", None, ASKED))


@pytest.mark.parametrize("name", ["nan", "huge", "odd_unit", "no_unit", "text", "list", "html", "broken"])
async def test_a_simulated_answer_that_is_no_number_is_an_error(
    client: httpx.AsyncClient, base: str, name: str
) -> None:
    found = await SimulatedMetrics(client, base).measure(name, None, ASKED)
    assert (found.outcome, found.value) == (Outcome.ERROR, None)
    assert found.detail


async def test_a_sandbox_that_does_not_answer_is_an_error(client: httpx.AsyncClient, base: str) -> None:
    slow = ProbePolicy(datadog="avg:x", timeout="0.2s")
    found = await SimulatedMetrics(client, base).measure("slow", slow, ASKED)
    assert (found.outcome, found.detail) == (Outcome.ERROR, "no answer within 0.2 s")
    gone = await SimulatedMetrics(client, "http://127.0.0.1:1").measure("error_rate", None, ASKED)
    assert gone.outcome is Outcome.ERROR


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:1", None])
async def test_a_sandbox_that_cannot_tell_the_past_tells_none(
    client: httpx.AsyncClient, base: str, base_url: str | None
) -> None:
    probe = SimulatedMetrics(client, base_url or base)
    span = {"start": ASKED.as_of, "end": ASKED.as_of, "step": timedelta(minutes=1)}
    assert await probe.history("error_rate", ProbePolicy(datadog="avg:x"), ASKED, **span) == []
