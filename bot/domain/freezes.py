"""The freezes of a policy that need nothing but the date: each compiled into something that lists its spans.

Wall-clock in the policy's zone. Nothing here reads a clock or a file; calendars and incidents are read elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.domain.busy import Busy, Code
from bot.domain.holiday_names import Calendar, calendar_of
from bot.domain.recurrence import Recurrence, parse_recurrence
from checklists.day_words import DAY_NAMES, midnight
from checklists.policy import Edge, FreezePolicy
from checklists.windows import Window, parse_dates, parse_window
from checklists.zones import Span, instants, merged, reading

_DAY = timedelta(days=1)


class Freeze(Protocol):
    """Something that is closed now and then."""

    def spans(self, low: datetime, high: datetime) -> list[Busy]:
        """At least every span that meets [low, high). One that reaches beyond `high` may be given up to there only."""


@dataclass(frozen=True, slots=True)
class Weekly:
    """Every week in the words of a window."""

    window: Window
    zone: ZoneInfo
    why: str

    def spans(self, low: datetime, high: datetime) -> list[Busy]:
        spans = weekly((self.window,), self.zone, low, high)
        return [Busy(start, end, self.why, self.window.words, Code.FREEZE) for start, end in spans]


@dataclass(frozen=True, slots=True)
class Once:
    """One period."""

    start: datetime
    end: datetime
    why: str
    words: str

    def spans(self, low: datetime, high: datetime) -> list[Busy]:
        return [Busy(self.start, self.end, self.why, self.words, Code.FREEZE)]


@dataclass(frozen=True, slots=True)
class Recurring:
    """An RFC 5545 recurrence; each occurrence lasts `lasts`.

    A length of whole days is wall-clock, any other is elapsed time (RFC 5545, 3.3.6). An occurrence the clock jumps
    over starts when the clock has jumped; one it shows twice starts the first time.
    """

    rule: Recurrence
    lasts: timedelta
    why: str

    def spans(self, low: datetime, high: datetime) -> list[Busy]:
        found: list[Span] = []
        zone = self.rule.zone
        reach = self.lasts + 2 * _DAY
        for at in self.rule.between(reading(low, zone) - reach, reading(high, zone) + _DAY):
            if self.lasts % _DAY:
                start = first_instant(at, zone)
                found.append((start, start + self.lasts))
            elif parts := instants(at, at + self.lasts, zone):
                found.append((parts[0][0], parts[-1][1]))
        return [Busy(start, end, self.why, self.rule.words, Code.FREEZE) for start, end in merged(found)]


@dataclass(frozen=True, slots=True)
class HolidayDays:
    """Public holidays, each from midnight to midnight. A year the library does not know is unknown: it may block."""

    calendar: Calendar
    zone: ZoneInfo
    why: str | None
    blocks: bool

    def spans(self, low: datetime, high: datetime) -> list[Busy]:
        found: list[Busy] = []
        first, last = (reading(low, self.zone) - _DAY).date(), (reading(high, self.zone) + _DAY).date()
        for year in range(first.year, last.year + 1):
            if not self.calendar.knows(year):
                if self.blocks:
                    text = f"the holidays of {self.calendar.country} are not known for {year}"
                    found += self._days(date(year, 1, 1), date(year + 1, 1, 1), text, Code.UNKNOWN)
                continue
            for day, name in self.calendar.days(year).items():
                if first <= day <= last:
                    text = f"{self.why}: {name}" if self.why else name
                    found += self._days(day, day + _DAY, text, Code.HOLIDAY)
        return found

    def _days(self, start: date, end: date, text: str, code: Code) -> Iterator[Busy]:
        for a, b in instants(midnight(start), midnight(end), self.zone):
            yield Busy(a, b, text, f"holidays of {self.calendar.country}", code)


@dataclass(frozen=True, slots=True)
class PeriodEdge:
    """The last and first days of each month or quarter.

    In business days the freeze runs through: from the N-th last business day to the end of the period, weekend
    included, and from the start of the period to the end of its N-th business day. A business day is Monday to Friday
    and no holiday of the policy.
    """

    edge: Edge
    months: int
    zone: ZoneInfo
    why: str | None
    holidays: tuple[Calendar, ...]

    def spans(self, low: datetime, high: datetime) -> list[Busy]:
        found: list[Busy] = []
        first, last = reading(low, self.zone).date(), reading(high, self.zone).date()
        name, code = ("month", Code.MONTH_END) if self.months == 1 else ("quarter", Code.QUARTER_END)
        number = (first.year * 12 + first.month - 1) // self.months
        while (begin := self._begin(number)) <= last:
            end = self._begin(number + 1)
            if self.edge.last:
                found += self._busy(self._count(end, -1, begin), end, f"{name}-end", code)
            if self.edge.first:
                found += self._busy(begin, self._count(begin, 1, end), f"start of the {name}", code)
            number += 1
        return found

    def _begin(self, number: int) -> date:
        year, month = divmod(number * self.months, 12)
        return date(year, month + 1, 1)

    def _count(self, day: date, step: int, limit: date) -> date:
        """Steps from a period's bound over N days that count, at most to its other bound."""
        left = self.edge.last if step < 0 else self.edge.first
        while left and day != limit:
            left -= self._counts(day - _DAY if step < 0 else day)
            day += step * _DAY
        return day

    def _counts(self, day: date) -> bool:
        if not self.edge.business:
            return True
        return day.weekday() < 5 and not any(day in calendar.days(day.year) for calendar in self.holidays)

    def _busy(self, start: date, end: date, text: str, code: Code) -> Iterator[Busy]:
        for a, b in instants(midnight(start), midnight(end), self.zone):
            yield Busy(a, b, self.why or text, text, code)


def compile_freeze(freeze: FreezePolicy, zone: ZoneInfo, holidays: tuple[Calendar, ...]) -> Freeze | None:
    """A freeze of the policy, ready to list its spans; None for a calendar or incidents, which are read first.

    `holidays` are the policy's own, for business days. Raises ValueError with what to write instead.
    """
    if freeze.weekly is not None:
        window = parse_window(freeze.weekly)
        return Weekly(window, zone, freeze.why or say_days(window))
    if freeze.dates is not None:
        return _once(freeze.dates, zone, freeze.why)
    if freeze.rrule is not None:
        if not freeze.lasts or freeze.lasts < timedelta(minutes=1):
            raise ValueError(f"the freeze {freeze.rrule!r} does not say how long it lasts; add `lasts: 8h`")
        return Recurring(parse_recurrence(freeze.rrule, zone), freeze.lasts, freeze.why or "freeze")
    if freeze.holidays is not None:
        return HolidayDays(calendar_of(freeze.holidays), zone, freeze.why, freeze.unknown == "block")
    for edge, months in ((freeze.month_end, 1), (freeze.quarter_end, 3)):
        if edge is not None:
            if not edge.last and not edge.first:
                raise ValueError("a freeze at a month's or quarter's end names no days; write for example {last: 2}")
            return PeriodEdge(edge, months, zone, freeze.why, holidays)
    return None


def _once(words: str, zone: ZoneInfo, why: str | None) -> Once:
    parts = instants(*parse_dates(words), zone)
    if not parts:
        raise ValueError(f"{words!r} never happens: the clock in {zone.key} jumps over it")
    return Once(parts[0][0], parts[-1][1], why or "freeze", words)


def say_days(window: Window) -> str:
    """A weekly freeze in words, when the policy gives none: "weekend", "Friday", "fri 12:00-24:00"."""
    if not window.whole_days:
        return window.words
    if window.days == {5, 6}:
        return "weekend"
    return ", ".join(DAY_NAMES[day] for day in sorted(window.days)) if len(window.days) < 7 else "every day"


def weekly(windows: tuple[Window, ...], zone: ZoneInfo, low: datetime, high: datetime) -> list[Span]:
    """The union of the windows' instants around [low, high): every span that meets it, and perhaps others."""
    day, last = reading(low, zone).date() - 2 * _DAY, reading(high, zone).date()
    found: list[Span] = []
    while day <= last:
        for window in windows:
            if bounds := window.on(day):
                found += instants(*bounds, zone)
        day += _DAY
    return merged(found)


def first_instant(at: datetime, zone: ZoneInfo) -> datetime:
    """When the clock first shows this reading, or has jumped over it."""
    span = instants(at, at + 2 * _DAY, zone)
    return span[0][0]
