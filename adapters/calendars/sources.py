"""Everything that freezes have to read elsewhere, behind one port."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from adapters.calendars.addresses import IcsAddresses
from adapters.calendars.fetch import Fetcher
from adapters.calendars.ics import IcsCalendars
from adapters.calendars.pagerduty import PagerDuty, open_incidents
from adapters.calendars.statuspage import unresolved
from bot.domain.calendar import Busy
from checklists.addresses import is_address
from checklists.policy import FreezePolicy


class FreezeSources:
    """`bot.ports.Calendars`: the files of a folder, and what stands at addresses. Connections are made when the first
    address is asked; `close` gives them back."""

    def __init__(self, folder: Path, *, pagerduty: PagerDuty | None = None, fetcher: Fetcher | None = None) -> None:
        self._fetcher = fetcher or Fetcher()
        self._files, self._addresses = IcsCalendars(folder), IcsAddresses(self._fetcher)
        self._pagerduty = pagerduty or PagerDuty()

    async def busy(self, freeze: FreezePolicy, *, start: datetime, end: datetime, zone: str) -> list[Busy]:
        """See the port."""
        if freeze.statuspage is not None:
            return await unresolved(self._fetcher, freeze.statuspage, freeze.why)
        if freeze.pagerduty is not None:
            return await open_incidents(self._fetcher, self._pagerduty, freeze.pagerduty, freeze.why)
        calendars = self._addresses if is_address(freeze.calendar or "") else self._files
        return await calendars.busy(freeze, start=start, end=end, zone=zone)

    async def close(self) -> None:
        """Give every connection back."""
        await self._fetcher.close()
