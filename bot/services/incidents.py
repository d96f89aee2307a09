"""Incidents opened in the channel, as something an item or a check can ask."""

from __future__ import annotations

from bot.domain.events import Measurement, Outcome
from bot.domain.verdict import YES_NO
from bot.ports import Asked, Store, StoreError
from bot.services.gate import standing_incidents
from checklists.policy import ProbePolicy


class OwnIncidents:
    """The Probe of the source `incidents: none`: yes while no incident of the service is open."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once; an error when the database cannot be read."""
        try:
            async with self._store.read() as unit:
                standing = standing_incidents(await unit.calendar())
        except StoreError as problem:
            return Measurement(name=name, outcome=Outcome.ERROR, detail=str(problem))
        here = [incident.reason for incident in standing if incident.service in (None, asked.service)]
        return Measurement(
            name=name,
            outcome=Outcome.MEASURED,
            value=0.0 if here else 1.0,
            dimension=YES_NO,
            detail=f"open: {'; '.join(here)}" if here else "no active incident",
        )
