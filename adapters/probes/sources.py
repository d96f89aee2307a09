"""Which source a measure is asked of, and when it is its turn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import httpx

from adapters.probes.turns import NoTurn, Turns
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked, History, Probe
from checklists.policy import ProbePolicy


class Sources:
    """`bot.ports.Probe` and `History` that pick by the source key of a measure's policy.

    `http` is for endpoints, `connected` has the other sources by key (`datadog`). `metrics`, the sandbox's, stands in
    for every key not connected, and for measures without a policy; without it those are refused.
    """

    def __init__(
        self,
        http: Probe,
        metrics: Probe | None = None,
        *,
        connected: Mapping[str, Probe] | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._by_key: dict[str, Probe] = {**(connected or {}), "http": http}
        self._metrics = metrics
        self._turns = turns or Turns()

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask the right source once, in turn; refused, with the reason, when there is none."""
        key = probe.source[0] if probe else None
        source = self._source(probe)
        if source is not None:
            try:
                async with self._turns.at(_host(probe)):
                    return await source.measure(name, probe, asked)
            except NoTurn as reason:
                return Measurement(
                    name=name, outcome=Outcome.ERROR, detail=str(reason), link=probe.link if probe else None
                )
        if key is None:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=f"no source for {name} in the policy")
        return Measurement(
            name=name,
            outcome=Outcome.REFUSED,
            detail=f"{key} is not connected: its address or its key is missing in the settings",
            link=probe.link if probe else None,
        )

    async def history(
        self, name: str, probe: ProbePolicy, asked: Asked, *, start: datetime, end: datetime, step: timedelta
    ) -> list[tuple[datetime, float]]:
        """What the right source knows of the past; empty for one without."""
        source: object = self._source(probe)
        if not isinstance(source, History):
            return []
        try:
            async with self._turns.at(_host(probe)):
                return await source.history(name, probe, asked, start=start, end=end, step=step)
        except NoTurn:
            return []

    def _source(self, probe: ProbePolicy | None) -> Probe | None:
        return self._by_key.get(probe.source[0], self._metrics) if probe else self._metrics


def _host(probe: ProbePolicy | None) -> str:
    """Who answers: the host of an address in the policy; else the source itself, whose address the settings know."""
    if probe is None:
        return "the source"
    key, value = probe.source
    if isinstance(value, str) and value.startswith(("http://", "https://")):
        try:
            url = httpx.URL(value)
            return f"{url.host}:{url.port}" if url.port else url.host or key
        except (httpx.InvalidURL, ValueError):
            return key
    return key
