"""Random policies, and a second reading of them that knows nothing of the first.

It looks at the clock on the wall at one minute and goes through the policy's sentences one by one. It uses the standard
library, `holidays` and `dateutil`, and none of the rules it is held against.
"""

from __future__ import annotations

import random
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ZONES = (
    "UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Africa/Cairo",
    "America/Havana", "Asia/Kathmandu", "Pacific/Chatham", "America/Sao_Paulo",
)  # fmt: skip
"""Clocks that change by an hour, by half an hour, at midnight, twice around Ramadan, and not at all."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEK = 7 * 1440
FREQUENCIES = {"DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY, "YEARLY": YEARLY}


@cache
def holiday_names(country: str, year: int) -> dict[date, str]:
    """The library's own calendar of one year."""
    return dict(holidays.country_holidays(country, years=year).items())


@dataclass
class Brute:
    """One environment of a policy, as its sentences are."""

    zone: ZoneInfo
    windows: list[bytes] = field(default_factory=list)
    """For each minute of the week, from Monday 00:00, 1 or 0. None at all: always open."""
    weekly: list[bytes] = field(default_factory=list)
    holidays: list[tuple[str, str]] = field(default_factory=list)
    """A country, and a word that the name must have."""
    edges: list[tuple[int, int, int, bool]] = field(default_factory=list)
    """Months of the period, last and first days, whether in business days."""
    dates: list[tuple[date, date]] = field(default_factory=list)
    """First and last day."""
    spans: list[tuple[datetime, datetime]] = field(default_factory=list)
    """Wall-clock readings."""
    recurring: list[tuple[rrule, timedelta]] = field(default_factory=list)
    busy: list[tuple[datetime, datetime]] = field(default_factory=list)
    _days: dict[date, bool] = field(default_factory=dict)
    _near: dict[date, list[tuple[datetime, datetime]]] = field(default_factory=dict)

    def open(self, at: datetime) -> bool:
        """Whether it is open at an instant, by looking at the wall once."""
        shown = at.astimezone(self.zone).replace(tzinfo=None)
        of_week = shown.weekday() * 1440 + shown.hour * 60 + shown.minute
        if self.windows and not any(table[of_week] for table in self.windows):
            return False
        day = shown.date()
        if any(table[of_week] for table in self.weekly) or self._closed_all_day(day):
            return False
        if any(start <= shown < end for start, end in self.spans):
            return False
        return not any(start <= at < end for start, end in (*self.busy, *self._recurs(day)))

    def _recurs(self, day: date) -> list[tuple[datetime, datetime]]:
        """The occurrences that can reach this day of the wall clock."""
        if day not in self._near:
            self._near[day] = found = []
            midnight = datetime.combine(day, time())
            for rule, lasts in self.recurring:
                for begin in rule.between(midnight - lasts - DAY, midnight + 2 * DAY, inc=True):
                    start = begin.replace(tzinfo=self.zone).astimezone(UTC)
                    # Whole days are the clock's, any other length is elapsed time.
                    end = start + lasts if lasts % DAY else (begin + lasts).replace(tzinfo=self.zone).astimezone(UTC)
                    found.append((start, end))
        return self._near[day]

    def _closed_all_day(self, day: date) -> bool:
        if day not in self._days:
            self._days[day] = (
                any(first <= day <= last for first, last in self.dates)
                or self._holiday(day)
                or any(self._at_an_edge(day, *edge) for edge in self.edges)
            )
        return self._days[day]

    def _holiday(self, day: date) -> bool:
        found = ((holiday_names(country, day.year).get(day), word) for country, word in self.holidays)
        return any(name is not None and word in name for name, word in found)

    def _at_an_edge(self, day: date, months: int, last: int, first: int, business: bool) -> bool:
        month = (day.month - 1) // months * months + 1
        period = [
            date(day.year, number, each)
            for number in range(month, month + months)
            for each in range(1, monthrange(day.year, number)[1] + 1)
        ]
        counted = [each for each in period if not business or (each.weekday() < 5 and not self._holiday(each))]
        if last and day >= (counted[-last] if last <= len(counted) else period[0]):
            return True
        return bool(first) and day <= (counted[first - 1] if first <= len(counted) else period[-1])


def any_policy(rng: random.Random, zone: str, years: range) -> tuple[dict[str, Any], Brute]:
    """A policy that production may be deployed by, and its second reading."""
    brute = Brute(ZoneInfo(zone))
    windows, freezes = [], []
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        words, table = _weekly(rng)
        windows.append(words)
        brute.windows.append(table)
    for kind in rng.sample(("weekly", "holidays", "edge", "dates", "span", "rrule"), rng.choice((0, 1, 2, 3, 5))):
        freezes.append(_freeze(rng, kind, brute, years))
    policy: dict[str, Any] = {"timezone": zone, "freezes": freezes}
    if windows:
        policy["windows"] = {"production": windows}
    return policy, brute


def _weekly(rng: random.Random) -> tuple[str, bytes]:
    days = sorted(rng.sample(range(7), rng.choice((1, 1, 2, 3, 5))))
    if rng.random() < 0.3:
        first, last = rng.randrange(7), rng.randrange(7)
        days, named = [(first + n) % 7 for n in range((last - first) % 7 + 1)], f"{DAYS[first]}-{DAYS[last]}"
    else:
        named = ",".join(DAYS[day] for day in days)
    table = bytearray(WEEK)
    if rng.random() < 0.15:
        start, end, hours = 0, 1440, ""
    else:
        start = rng.choice((0, 120, 150, 600, 570, 720, 1320, 1425, rng.randrange(1440)))
        end = rng.choice((60, 180, 360, 840, 960, 1020, 1440, rng.randrange(1, 1441)))
        end += 1 if end == start else 0
        hours = f" {start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
    length = (end - start) % 1440 or 1440
    for day in days:
        for minute in range(day * 1440 + start, day * 1440 + start + length):
            table[minute % WEEK] = 1
    return named + hours, bytes(table)


def _freeze(rng: random.Random, kind: str, brute: Brute, years: range) -> dict[str, Any]:
    day = date(rng.choice(years), rng.randrange(1, 13), rng.randrange(1, 28))
    match kind:
        case "weekly":
            words, table = _weekly(rng)
            brute.weekly.append(table)
            return {"weekly": words}
        case "holidays":
            country, word = rng.choice((("US", ""), ("DE", ""), ("IN", ""), ("US", "Christmas Day")))
            brute.holidays.append((country, word))
            return {"holidays": {"country": country, **({"only": [word]} if word else {})}}
        case "edge":
            months, business = rng.choice((1, 3)), rng.random() < 0.5
            last, first = rng.choice(((1, 0), (2, 0), (0, 1), (3, 2), (25, 0)))
            brute.edges.append((months, last, first, business))
            key = "month_end" if months == 1 else "quarter_end"
            return {key: {"last": last, "first": first, "business": business}}
        case "dates":
            end = day + rng.choice((0, 1, 20, 90)) * DAY
            brute.dates.append((day, end))
            return {"dates": f"{day} - {end}"}
    # No clock changes between six in the morning and eight in the evening.
    start = datetime.combine(day, time(rng.randrange(6, 20), rng.choice((0, 30))))
    if kind == "span":
        over = datetime.combine(start + rng.choice((1, 3, 40)) * DAY, start.time())
        brute.spans.append((start, over))
        return {"dates": f"{start:%Y-%m-%d %H:%M} - {over:%Y-%m-%d %H:%M}"}
    begin = start.replace(year=years[0], month=1)
    frequency, every = rng.choice((("DAILY", 2), ("WEEKLY", 1), ("WEEKLY", 3), ("MONTHLY", 1), ("YEARLY", 1)))
    lasts = rng.choice((1, 5, 24, 30, 48))
    brute.recurring.append(
        (rrule(FREQUENCIES[frequency], dtstart=begin, interval=every, cache=True), lasts * MINUTE * 60)
    )
    return {"rrule": f"DTSTART:{begin:%Y%m%dT%H%M%S} RRULE:FREQ={frequency};INTERVAL={every}", "lasts": f"{lasts}h"}
