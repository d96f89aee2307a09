"""Which source a measure is asked of."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from adapters.probes.sources import Sources
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked, History, Probe
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED


class Named:
    """A source that answers with its own name."""

    def __init__(self, says: str) -> None:
        self._says = says

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        return Measurement(name=name, outcome=Outcome.NO_DATA, detail=self._says)


HTTP: Probe = Named("http")
METRICS: Probe = Named("metrics")


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (ProbePolicy(http="https://x.test"), "http"),
        (ProbePolicy(datadog="avg:x"), "metrics"),
        (ProbePolicy(statuspage="https://status.x.test"), "metrics"),
        (None, "metrics"),
    ],
)
async def test_the_source_key_picks_the_source(policy: ProbePolicy | None, says: str) -> None:
    assert (await Sources(HTTP, METRICS).measure("x", policy, ASKED)).detail == says


async def test_a_source_that_is_not_connected_is_refused() -> None:
    found = await Sources(HTTP).measure("error_rate", ProbePolicy(datadog="avg:x"), ASKED)
    assert found.outcome is Outcome.REFUSED
    assert found.detail == "datadog is not connected: its address or its key is missing in the settings"


async def test_a_measure_without_a_source_is_refused() -> None:
    found = await Sources(HTTP).measure("error_rate", None, ASKED)
    assert (found.outcome, found.detail) == (Outcome.REFUSED, "no source for error_rate in the policy")


async def test_a_connected_source_is_preferred_to_the_sandbox() -> None:
    sources = Sources(HTTP, METRICS, connected={"datadog": Named("datadog")})
    assert (await sources.measure("x", ProbePolicy(datadog="avg:x"), ASKED)).detail == "datadog"
    assert (await sources.measure("x", ProbePolicy(prometheus="up"), ASKED)).detail == "metrics"


class Remembers(Named):
    """A source that also knows the past."""

    async def history(
        self, name: str, probe: ProbePolicy, asked: Asked, *, start: datetime, end: datetime, step: timedelta
    ) -> list[tuple[datetime, float]]:
        return [(start, 1.0), (end, 2.0)]


async def test_the_past_is_asked_of_the_same_source_if_it_has_one() -> None:
    sources = Sources(HTTP, connected={"datadog": Remembers("datadog")})
    span = {"start": ASKED.as_of, "end": ASKED.as_of + timedelta(hours=1), "step": timedelta(minutes=1)}
    assert isinstance(sources, History)
    assert [value for _, value in await sources.history("x", ProbePolicy(datadog="avg:x"), ASKED, **span)] == [1.0, 2.0]
    for policy in (ProbePolicy(http="https://x.test"), ProbePolicy(prometheus="up")):
        assert await sources.history("x", policy, ASKED, **span) == []
