"""Days, dates and clock times as people type them: "fri", "24 dec", "2026-12-24", "tomorrow", "16:55". Pure, no zone.

What has no year, or no date at all, stands for several days; `Point.days` lists them around a given one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FULL_DAY = 24 * 60
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_OTHER = {"tues": 1, "thur": 3, "thurs": 3}
_DAY = timedelta(days=1)
_LONGEST = 200
_LEAP = 2024
"""A year in which every day of the calendar exists, 29 February too."""
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?(?: of)? ([a-z]{3,9})\.?(?: (\d{4}))?")
_MONTH_FIRST = re.compile(r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?(?: (\d{4}))?")
_CLOCK = re.compile(r"(?:(.*?) ?(?:\bat)? )?(\d{1,2}):(\d{2})(?::00)?")


def plain(words: object, like: str) -> str:
    """Lower case, single spaces, plain dashes. Raises ValueError, ending in `like`, for nothing and for too much."""
    text = re.sub(r"\s+", " ", str(words)).strip().lower()
    if not text:
        raise ValueError(f"no time is given; {like}")
    if len(text) > _LONGEST:
        raise ValueError(f"that is too long to be a time; {like}")
    return re.sub(r"[‐-―−]", "-", text)


def weekday(word: str) -> int | None:
    """0 for mon, monday, mondays; None for what is no day."""
    word = word.strip().rstrip(".")
    for number, name in enumerate(DAY_NAMES):
        if word in (name.lower(), name[:3].lower(), name.lower() + "s"):
            return number
    return _OTHER.get(word)


def clock_minutes(hour: str, minute: str, text: str, *, ends: bool) -> int:
    """Minutes after midnight; 24:00 is a time only where something ends. Raises ValueError naming `text`."""
    hours, minutes = int(hour), int(minute)
    if minutes > 59 or hours > 24 or (hours == 24 and minutes):
        raise ValueError(f"{text!r}: {hour}:{minute} is not a time of day; write 00:00 to 23:59, or 24:00 to end a day")
    if hours == 24 and not ends:
        raise ValueError(f"{text!r}: 24:00 can only end a day; to start at midnight write 00:00")
    return hours * 60 + minutes


def real_date(year: int, month: int, day: int, text: str) -> date:
    """Raises ValueError naming `text` for a day that does not exist or is out of all proportion."""
    try:
        if not 1970 <= year <= 2999:
            raise ValueError
        return date(year, month, day)
    except ValueError:
        named = f"{year:04}-{month:02}-{day:02}"
        raise ValueError(f"{text!r}: there is no day {named}; write one that exists, like 2026-12-24") from None


def midnight(day: date) -> datetime:
    """The naive reading 00:00 of a day."""
    return datetime.combine(day, time())


@dataclass(frozen=True, slots=True)
class Point:
    """A day, perhaps with a time of day in minutes. Of the other fields one is set, or none: then any day is meant."""

    minutes: int | None
    day: date | None = None
    month_day: tuple[int, int] | None = None
    weekday: int | None = None
    offset: int | None = None
    """Days from today."""

    def days(self, today: date) -> Iterator[date]:
        """The days it may stand for, earliest first; without a year from last year on, a weekday from last week on."""
        if self.day is not None:
            yield self.day
        elif self.offset is not None:
            yield today + self.offset * _DAY
        elif self.month_day is not None:
            for year in range(today.year - 1, today.year + 9):
                try:
                    yield date(year, *self.month_day)
                except ValueError:
                    continue
        elif self.weekday is not None:
            first = today + ((self.weekday - today.weekday()) % 7 - 7) * _DAY
            yield from (first + 7 * week * _DAY for week in range(4))
        else:
            yield from (today + number * _DAY for number in (-1, 0, 1, 2))


def parse_point(words: str, *, ends: bool, like: str) -> Point:
    """Reads plain words. Raises ValueError, ending in `like`."""
    words = re.sub(r"(?<=\d)t(?=\d)", " ", words)
    match = _CLOCK.fullmatch(words)
    minutes = clock_minutes(match[2], match[3], words, ends=ends) if match else None
    named = ((match[1] or "") if match else words).strip(" ,")
    if match and not named:
        return Point(minutes)
    if named in ("today", "tomorrow"):
        return Point(minutes, offset=int(named == "tomorrow"))
    if (number := weekday(named)) is not None:
        return Point(minutes, weekday=number)
    if iso := _ISO.fullmatch(named):
        return Point(minutes, day=real_date(int(iso[1]), int(iso[2]), int(iso[3]), words))
    bare = named.replace(",", "")
    if (dated := _DAY_FIRST.fullmatch(bare)) and (month := _month(dated[2])):
        return _dated(minutes, int(dated[1]), month, dated[3], words)
    if (dated := _MONTH_FIRST.fullmatch(bare)) and (month := _month(dated[1])):
        return _dated(minutes, int(dated[2]), month, dated[3], words)
    raise ValueError(f"{words!r} is not a time; {like}")


def _month(word: str) -> int | None:
    return next((number for number, name in enumerate(_MONTHS, 1) if word in (name, name[:3], name[:4])), None)


def _dated(minutes: int | None, day: int, month: int, year: str | None, words: str) -> Point:
    if year:
        return Point(minutes, day=real_date(int(year), month, day, words))
    try:
        date(_LEAP, month, day)
    except ValueError:
        named = f"{day} {_MONTHS[month - 1].capitalize()}"
        raise ValueError(f"{words!r}: there is no {named}; write a day that exists, like 24 dec") from None
    return Point(minutes, month_day=(month, day))
