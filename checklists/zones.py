"""Clocks of named zones: which instants a wall clock's reading stands for, right across every change of the clock.

Pure apart from the zone database. Instants are aware and UTC; readings of a wall clock are naive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

Span = tuple[datetime, datetime]
"""Half-open: the first belongs to it, the second does not."""

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
#: Abbreviations that are no zone, or one without summer time: who writes EST means the clock on the wall in New York.
_MEANT = {
    "EST": "America/New_York", "EDT": "America/New_York", "ET": "America/New_York", "CST": "America/Chicago",
    "CDT": "America/Chicago", "MST": "America/Denver", "MDT": "America/Denver", "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles", "HST": "Pacific/Honolulu", "IST": "Asia/Kolkata", "BST": "Europe/London",
    "CEST": "Europe/Berlin", "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "JST": "Asia/Tokyo",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClockChange:
    """The instant (UTC) at which a zone's clock jumps, and its distance from UTC on either side."""

    at: datetime
    before: timedelta
    after: timedelta


def find_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name such as `Europe/Berlin`. Raises ValueError for anything else; never falls back to UTC.

    Abbreviations are refused, also those the zone database knows (`EST` there is New York without summer time).
    """
    if meant := _MEANT.get(name.strip().upper()):
        raise ValueError(f"{name!r} is an abbreviation, not a time zone; write {meant}")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        known = {zone.casefold(): zone for zone in available_timezones()}
        town = {zone.rpartition("/")[2]: zone for zone in known}
        wanted = name.strip().casefold().replace(" ", "_")
        near = get_close_matches(wanted, [*known, *town], n=1, cutoff=0.7)
        hint = f"; did you mean {known[town.get(near[0], near[0])]}?" if near else ""
        raise ValueError(f"{name!r} is not a time zone; write one like Europe/Berlin or UTC{hint}") from None


def reading(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the clock on the wall shows at an instant: naive local time."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta(0)


@lru_cache(maxsize=1024)
def _changes_in(zone: ZoneInfo, year: int) -> tuple[ClockChange, ...]:
    """All changes of one UTC year. Found by looking once a day: no zone changes twice and back within a day."""
    found = []
    at, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    before = _offset(at, zone)
    while at < end:
        after = _offset(at + _DAY, zone)
        if after != before:
            low, high = at, at + _DAY
            while high - low > _SECOND:
                middle = low + (high - low) // (2 * _SECOND) * _SECOND
                low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
            found.append(ClockChange(high, before, after))
        at, before = at + _DAY, after
    return tuple(found)


def changes_between(zone: ZoneInfo, start: datetime, end: datetime) -> list[ClockChange]:
    """The clock's changes in [start, end), two instants, in order."""
    years = range(start.year, end.year + 1)
    return [change for year in years for change in _changes_in(zone, year) if start <= change.at < end]


def instants(start: datetime, end: datetime, zone: ZoneInfo) -> list[Span]:
    """The instants at which the clock on the wall shows a reading in [start, end), both naive.

    A reading the clock jumps over stands for no instant: on the night 02:00 becomes 03:00, 02:30-04:00 begins at 03:00
    and 02:10-02:50 is empty. A reading shown twice counts both times: on the night 03:00 becomes 02:00, 00:00-02:30 has
    two parts.
    """
    low, high = start.replace(tzinfo=UTC) - _DAY, end.replace(tzinfo=UTC) + _DAY
    changes = changes_between(zone, low, high)
    offset = _offset(low, zone)
    parts: list[Span] = []
    begin = low
    for change in [*changes, ClockChange(high, offset, offset)]:
        first = max(start.replace(tzinfo=UTC) - offset, begin)
        last = min(end.replace(tzinfo=UTC) - offset, change.at)
        if first < last:
            parts.append((first, last))
        begin, offset = change.at, change.after
    return merged(parts)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The union of spans: sorted, apart from each other; touching ones become one."""
    union: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], end))
        else:
            union.append((start, end))
    return union


def without(spans: list[Span], taken: list[Span]) -> list[Span]:
    """The parts of `spans` that no span of `taken` covers. Both must come from `merged`."""
    left: list[Span] = []
    position = 0
    for start, end in spans:
        while position < len(taken) and taken[position][1] <= start:
            position += 1
        at = position
        while at < len(taken) and taken[at][0] < end:
            if start < taken[at][0]:
                left.append((start, taken[at][0]))
            start = max(start, taken[at][1])
            at += 1
        if start < end:
            left.append((start, end))
    return left
