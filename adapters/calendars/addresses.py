"""Calendars at an address: a team's calendar as Google, Outlook or a wiki publish it."""

from __future__ import annotations

import asyncio
from datetime import datetime

from adapters.calendars.fetch import Fetcher, Wish
from adapters.calendars.ics import LARGEST, events_of, parse
from bot.domain.calendar import Busy
from checklists.addresses import host_of
from checklists.policy import FreezePolicy
from checklists.zones import find_zone

FRESH = 300.0
"""Seconds for which a copy counts without asking again."""
STALE = 3600.0
"""Seconds for which a copy counts while the address cannot be read; afterwards the calendar is unreadable."""


class IcsAddresses:
    """`bot.ports.Calendars` for the addresses that `calendar` names.

    What is said of one is its host: the private address of a calendar is a secret.
    """

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def busy(self, freeze: FreezePolicy, *, start: datetime, end: datetime, zone: str) -> list[Busy]:
        """The events of the calendar that count in [start, end), each widened by `freeze.buffer`.

        Raises Unreadable when there is neither an answer nor a copy of the last hour, or it is no calendar; ValueError
        for an unknown zone.
        """
        address, where = freeze.calendar or "", find_zone(zone)
        source = f"the calendar at {host_of(address)}"
        # webcal: is how calendar programs spell https: when they are to subscribe.
        url = "https:" + address.removeprefix("webcal:") if address.startswith("webcal:") else address
        mend = "it does not let us in; write the calendar's secret address in iCal format into the policy"
        wish = Wish(url, source, FRESH, STALE, LARGEST, {"Accept": "text/calendar, */*;q=0.1"}, refused=mend)
        parsed = await self._fetcher.get(wish, parse)
        return await asyncio.to_thread(events_of, parsed, freeze, source=source, start=start, end=end, zone=where)
