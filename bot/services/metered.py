"""A source of measurements that counts what it is asked."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from bot.domain.events import Measurement, Outcome
from bot.meters import Meters
from bot.ports import Asked, History, Probe
from checklists.policy import ProbePolicy

NO_SOURCE = "none"
"""What a measure counts as that the policy has no source for."""


class MeteredProbe:
    """`bot.ports.Probe` and `History` over another one. Each question counts by its kind of source; questions about the
    past do not."""

    def __init__(self, probe: Probe, meters: Meters) -> None:
        self._probe, self._meters = probe, meters

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """See the port. One that is given up counts as an error."""
        loop = asyncio.get_running_loop()
        outcome, begun = Outcome.ERROR, loop.time()
        try:
            measurement = await self._probe.measure(name, probe, asked)
            outcome = measurement.outcome
        finally:
            source = probe.source[0] if probe is not None else NO_SOURCE
            self._meters.asked(source, outcome, loop.time() - begun)
        return measurement

    async def history(
        self, name: str, probe: ProbePolicy, asked: Asked, *, start: datetime, end: datetime, step: timedelta
    ) -> list[tuple[datetime, float]]:
        """What the other one knows of the past; empty where it knows nothing."""
        if not isinstance(self._probe, History):
            return []
        return await self._probe.history(name, probe, asked, start=start, end=end, step=step)
