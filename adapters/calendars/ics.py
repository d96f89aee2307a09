"""Calendars (ICS, RFC 5545) read into spans in which nothing is deployed, and the files of them beside a policy.

What cannot be understood makes the whole calendar unreadable, as an event dropped in silence would open a window that
ought to be closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from bot.domain.calendar import Busy, Code, Unreadable
from checklists.day_words import midnight
from checklists.expressions import check_expression, found_in
from checklists.policy import FreezePolicy
from checklists.zones import Span, find_zone, instants

LARGEST = 5_000_000
"""Bytes of a calendar."""
_LONGEST_SUMMARY = 300
_DAY = timedelta(days=1)
_TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE")
#: A rule faster than this has no place in a calendar, and lists millions of events a year.
_FREQUENCIES = {"HOURLY": 8_784, "DAILY": 366, "WEEKLY": 53, "MONTHLY": 12, "YEARLY": 1}
"""And how many times in a year."""
_MOST_STEPS = 1_500_000
"""Of all rules of a calendar together: some seconds of counting. Every working day since 1990 is 10,000."""
_LAST_YEAR = 2050
_MOST = 64

Parsed = tuple[icalendar.Component, ...]
"""The calendars of one file, all of whose events can be understood."""


class IcsCalendars:
    """`bot.ports.Calendars` over the files of one folder, the one the policies are in."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[Path, tuple[tuple[int, int], Parsed]] = {}
        """File -> its time of change and size, and what it said."""

    async def busy(self, freeze: FreezePolicy, *, start: datetime, end: datetime, zone: str) -> list[Busy]:
        """The events of `freeze.calendar` that count in [start, end), each widened by `freeze.buffer`.

        A file is read again once its time of change or its size is another. Raises Unreadable for a file that is
        missing, outside the folder or no calendar, and for a `matching` that is no expression; ValueError for an
        unknown zone.
        """
        name = freeze.calendar or ""
        where = find_zone(zone)
        return await asyncio.to_thread(
            lambda: events_of(self._read(name), freeze, source=name, start=start, end=end, zone=where)
        )

    def _read(self, name: str) -> Parsed:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder.resolve()) or not path.is_file():
            raise Unreadable(name, "there is no such file beside the policy")
        try:
            found = path.stat()
            if found.st_size > LARGEST:
                raise Unreadable(name, f"the file is larger than {LARGEST // 1_000_000} MB")
            kept = self._kept.get(path)
            state = (found.st_mtime_ns, found.st_size)
            if kept is not None and kept[0] == state:
                return kept[1]
            content = path.read_bytes()
        except OSError as error:
            raise Unreadable(name, f"the file cannot be read: {error.strerror}") from error
        parsed = parse(content, name)
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[path] = state, parsed
        return parsed


def events_of(
    parsed: Parsed, freeze: FreezePolicy, *, source: str, start: datetime, end: datetime, zone: ZoneInfo
) -> list[Busy]:
    """`listed`, as a freeze of a policy wants it. Raises Unreadable."""
    return listed(
        parsed,
        source=source,
        start=start,
        end=end,
        zone=zone,
        matching=freeze.matching,
        buffer=freeze.buffer or timedelta(0),
        why=freeze.why,
    )


def listed(
    parsed: Parsed,
    *,
    source: str,
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    matching: str | None = None,
    buffer: timedelta = timedelta(0),
    why: str | None = None,
) -> list[Busy]:
    """The events of a calendar that meet [start, end), two instants, in order; a recurring one each time.

    An event counts if `matching` is found in its summary, in any case, and it is not cancelled; "show as free" makes no
    difference, as all-day events often carry it. All-day events, and times without a zone, are the wall clock's in
    `zone`; an all-day DTEND is the first day that is free again. `buffer` widens each on both sides. An event without
    an end is a moment: it counts only with a buffer. Raises Unreadable.
    """
    wanted = _pattern(matching, source)
    low, high = start.astimezone(UTC) - buffer, end.astimezone(UTC) + buffer
    found = []
    for event in _between(parsed, source, low - 2 * _DAY, high + 2 * _DAY):
        summary = " ".join(str(event.get("SUMMARY", "")).split())[:_LONGEST_SUMMARY]
        if str(event.get("STATUS", "")).upper() == "CANCELLED" or not wanted(summary):
            continue
        begin, over = _span(event, zone)
        begin, over = begin - buffer, over + buffer
        if begin < over and begin < end and start < over:
            said = summary or "an event without a name"
            found.append(Busy(begin, over, f"{why}: {said}" if why else said, source, Code.CALENDAR))
    return sorted(found, key=lambda busy: (busy.start, busy.what))


def _pattern(matching: str | None, source: str) -> Callable[[str], object]:
    if matching is None:
        return lambda _: True
    try:
        check_expression(matching)
    except ValueError as error:
        raise Unreadable(source, f"`matching`: {error}") from None
    return lambda summary: found_in(matching, summary)


def parse(content: bytes, source: str) -> Parsed:
    """The calendars in a file's content, with every event looked at. Raises Unreadable."""
    try:
        calendars = icalendar.Calendar.from_ical(content, multiple=True)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(source, f"it is not a calendar file: {error}") from error
    if not calendars or any(calendar.name != "VCALENDAR" for calendar in calendars):
        raise Unreadable(source, "it is not a calendar file: it has no VCALENDAR")
    steps = 0
    for calendar in calendars:
        for event in calendar.walk("VEVENT"):
            steps += _check(event, source)
            if steps > _MOST_STEPS:
                raise Unreadable(source, "its events recur too often, since too long ago, to be listed")
    return tuple(calendars)


def _between(parsed: Parsed, source: str, low: datetime, high: datetime) -> Iterator[icalendar.Component]:
    for calendar in parsed:
        try:
            yield from recurring_ical_events.of(calendar, components=["VEVENT"]).between(low, high)
        except Exception as error:  # whatever the library trips over, the calendar could not be read
            raise Unreadable(source, f"its events cannot be listed: {error}") from error


def _check(event: icalendar.Component, source: str) -> int:
    """The parser drops what it cannot read and goes on; here that is an error. How many times its rules are counted on
    until they come to our days, roughly."""
    name = str(event.get("SUMMARY", "an event without a name"))[:_LONGEST_SUMMARY]
    if event.errors:
        what, why = event.errors[0]
        raise Unreadable(source, f"{what or 'a line'} of {name!r} cannot be read: {why}")
    if event.get("DTSTART") is None:
        raise Unreadable(source, f"{name!r} has no DTSTART, it does not say when it is")
    for key in _TIMES:
        for entry in _listed(event.get(key)):
            zone = entry.params.get("TZID")
            times = [value.dt for value in entry.dts] if hasattr(entry, "dts") else [entry.dt]
            if zone and any(isinstance(at, datetime) and at.tzinfo is None for at in times):
                raise Unreadable(source, f"{key} of {name!r} is in {zone!r}, which is not a time zone")
    for rule in _listed(event.get("RRULE")):
        if not {str(part).upper() for part in rule.get("FREQ", ["?"])} <= _FREQUENCIES.keys():
            raise Unreadable(source, f"{name!r} recurs more often than hourly")
        if any(len(rule.get(part, ())) > 1 for part in ("BYMINUTE", "BYSECOND")):
            raise Unreadable(source, f"{name!r} recurs more often than hourly")
        if any(every < 1 for every in rule.get("INTERVAL", ())):
            raise Unreadable(source, f"{name!r} recurs every 0 days, which never ends")
    return sum(_steps(rule, event["DTSTART"]) for rule in _listed(event.get("RRULE")))


def _steps(rule: Any, begins: Any) -> int:
    start: date = begins.dt
    last: int = max(start.year, min([_LAST_YEAR, *(until.year for until in rule.get("UNTIL", ()))]))
    often = max(_FREQUENCIES[str(part).upper()] for part in rule["FREQ"])
    return min([(last - start.year + 1) * often, *(int(count) for count in rule.get("COUNT", ()))])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _span(event: Any, zone: ZoneInfo) -> Span:
    """An end before the start is taken for the start."""
    first: date = event["DTSTART"].dt
    last: date = event["DTEND"].dt if "DTEND" in event else first
    if last == first and not isinstance(first, datetime):
        last = first + _DAY
    begin, over = sorted((_instant(first, zone), _instant(last, zone)))
    return begin, over


def _instant(at: date, zone: ZoneInfo) -> datetime:
    """A reading the clock jumps over is the moment of the jump; one it shows twice is the first (RFC 5545, 3.3.5)."""
    if isinstance(at, datetime) and at.tzinfo is not None:
        return at.astimezone(UTC)
    local = at if isinstance(at, datetime) else midnight(at)
    return instants(local, local + 2 * _DAY, zone)[0][0]
