"""Which source a measure is asked of."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.events import Measurement, Outcome
from bot.ports import Asked, Probe
from checklists.policy import ProbePolicy


class Sources:
    """`bot.ports.Probe` that picks by the source key of a measure's policy.

    `http` is for endpoints, `connected` has the other sources by key (`datadog`). `metrics`, the sandbox's, stands in
    for every key not connected, and for measures without a policy; without it those are refused.
    """

    def __init__(
        self, http: Probe, metrics: Probe | None = None, *, connected: Mapping[str, Probe] | None = None
    ) -> None:
        self._by_key: dict[str, Probe] = {**(connected or {}), "http": http}
        self._metrics = metrics

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask the right source once; refused, with the reason, when there is none."""
        key = probe.source[0] if probe else None
        source = self._by_key.get(key, self._metrics) if key else self._metrics
        if source is not None:
            return await source.measure(name, probe, asked)
        if key is None:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=f"no source for {name} in the policy")
        return Measurement(
            name=name,
            outcome=Outcome.REFUSED,
            detail=f"{key} is not connected: its address or its key is missing in the settings",
            link=probe.link if probe else None,
        )
