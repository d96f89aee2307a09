"""The words of deployment windows and freezes, read. Pure; every error is a sentence that says what to write instead.

Readings of a wall clock are naive, instants aware and UTC. `checklists.zones.instants` says what a reading means on the
night the clock changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from checklists.day_words import FULL_DAY, Point, clock_minutes, midnight, parse_point, plain, weekday
from checklists.quantities import parse_duration
from checklists.zones import Span, instants, reading

_EVERY_DAY = frozenset(range(7))
_GROUPS = {
    "daily": _EVERY_DAY, "always": _EVERY_DAY, "weekdays": frozenset(range(5)), "weekday": frozenset(range(5)),
    "weekend": frozenset({5, 6}), "weekends": frozenset({5, 6}),
}  # fmt: skip
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_LIKE = "write a window like 'tue-thu 10:00-16:00', 'sat-sun' or 'always'"
_FREEZE_LIKE = "write it like '24 dec', '1 dec - 3 jan', 'fri 12:00-24:00' or '2026-12-20 18:00 - 2026-12-27 08:00'"
_WHEN_LIKE = "write it like 'fri 16:55', '24 nov 10:00', '2026-11-24 10:00' or 'in 2h'"
_DATES_LIKE = "write it like 2026-12-25, 2026-12-20 - 2027-01-03 or 2026-12-20 18:00 - 2026-12-27 08:00"
_DAY = timedelta(days=1)
_ENDLESS = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Window:
    """A weekly stretch of wall-clock time: on each of `days` (0 is Monday) from minute `start` to minute `end`.

    One that `wraps` ends on the following day and belongs to the day it starts on. It knows no zone.
    """

    days: frozenset[int]
    start: int
    end: int
    wraps: bool
    words: str

    def on(self, day: date) -> Span | None:
        """The naive readings [start, end) of the stretch that starts on this day, or None."""
        if day.weekday() not in self.days:
            return None
        end = self.end + (FULL_DAY if self.wraps else 0)
        return midnight(day) + timedelta(minutes=self.start), midnight(day) + timedelta(minutes=end)

    @property
    def whole_days(self) -> bool:
        """Whether it lasts from midnight to midnight."""
        return self.start == 0 and self.end == FULL_DAY

    @property
    def always(self) -> bool:
        """Whether it never ends."""
        return self.whole_days and self.days == _EVERY_DAY


def parse_window(words: object) -> Window:
    """`tue-thu 10:00-16:00`, `mon,wed 09:00-17:00`, `fri 12:00-24:00`, `sat-sun`, `fri-mon 22:00-02:00`,
    `daily 10:00-14:00`, `weekdays`, `always`; full day names too, in any case. Hours are a 24-hour wall clock's; 24:00
    can only end. An end before the start is on the next day. Raises ValueError.
    """
    text = plain(words, _LIKE)
    first = re.search(r"\d", text)
    named, hours = (text[: first.start()], text[first.start() :]) if first else (text, "")
    named = re.sub(r"\s*([-,])\s*", r"\1", named.strip())
    if hours and (not named or named == "always"):
        raise ValueError(f"{text!r} does not say on which days; write 'daily {hours}'")
    days = _days(named, text)
    if not hours:
        return Window(days, 0, FULL_DAY, False, text)
    match = _HOURS.fullmatch(hours)
    if not match:
        raise ValueError(f"{text!r}: {hours!r} is not a time span; write hours of a 24-hour clock like 10:00-16:00")
    start, end = clock_minutes(match[1], match[2], text, ends=False), clock_minutes(match[3], match[4], text, ends=True)
    if start == end:
        raise ValueError(f"{text!r} is empty, it starts when it ends; for the whole day write {named!r} without hours")
    if end == 0:
        end = FULL_DAY
    return Window(days, start, end, end < start, text)


def _days(named: str, text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in named.split(","):
        if part in _GROUPS:
            found |= _GROUPS[part]
            continue
        first, dash, last = part.partition("-")
        start = _day(first, text)
        end = _day(last, text) if dash else start
        found |= {(start + n) % 7 for n in range((end - start) % 7 + 1)}
    return frozenset(found)


def _day(word: str, text: str) -> int:
    if (number := weekday(word)) is None:
        raise ValueError(f"{text!r}: {word!r} is not a day; days are mon, tue, wed, thu, fri, sat, sun; {_LIKE}")
    return number


_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")


def _sides(text: str) -> list[str]:
    """Split at the dash between two times, which the dashes of a date are not."""
    masked = _ISO_DATE.sub(r"\1_\2_\3", text)
    return [side.replace("_", "-") for side in re.split(r" ?- ?| to | till | until | ?\.\. ?", masked)]


def _at(point: Point, day: date, *, ends: bool) -> datetime:
    """The reading; a day without a time starts at midnight, and ends at the next."""
    minutes = point.minutes if point.minutes is not None else FULL_DAY if ends else 0
    return midnight(day) + timedelta(minutes=minutes)


def parse_dates(words: object) -> Span:
    """`2026-12-20 - 2027-01-03` (both days included), `2026-12-25`, or `2026-12-20 18:00 - 2026-12-27 08:00`, as the
    naive readings [start, end). Knows no zone and no now, so the year must be written. Raises ValueError.
    """
    text = plain(words, _DATES_LIKE)
    sides = _sides(text)
    if len(sides) > 2:
        raise ValueError(f"{text!r} is not one period; {_DATES_LIKE}")
    first = parse_point(sides[0], ends=False, like=_DATES_LIKE)
    last = parse_point(sides[-1], ends=True, like=_DATES_LIKE)
    if first.day is None or last.day is None:
        raise ValueError(f"{text!r} names no year; {_DATES_LIKE}")
    if len(sides) == 1 and first.minutes is not None:
        raise ValueError(f"{text!r} has no end; {_DATES_LIKE}")
    start, end = _at(first, first.day, ends=False), _at(last, last.day, ends=True)
    if end <= start:
        raise ValueError(f"{text!r} ends before it starts; {_DATES_LIKE}")
    return start, end


_DAY_HOURS = re.compile(r"(.*?),? ?\b(\d{1,2}:\d{2}) ?(?:-|to) ?(\d{1,2}:\d{2})")


def parse_freeze(words: object, now: datetime, zone: ZoneInfo) -> Span:
    """What people type to freeze, as the instants [start, end) UTC. `now` is an aware instant.

    `1 dec - 3 jan` (both days included), `24 dec`, `24-27 dec`, `today`, `tomorrow`, `sat-sun`, `fri 12:00-24:00`,
    `fri 18:00 - mon 08:00`, `until mon 08:00`, `for 2h`, and all that `parse_dates` reads. Where the year or the date
    is left out it is the first such period that is not over; one that runs already keeps its start. Times are the wall
    clock's in `zone`: one the clock jumps over is the moment of the jump; one it shows twice starts the first and ends
    the second time.

    Raises ValueError for what nobody can read, what is over, and what lasts longer than a year.
    """
    text = plain(words, _FREEZE_LIKE)
    now = now.astimezone(UTC)
    if (span := _lasting(text)) is not None:
        return now, _within_reason(now, now + span, text)
    today = reading(now, zone).date()
    if hours := _DAY_HOURS.fullmatch(text):
        candidates = _on_one_day(hours[1], hours[2], hours[3], today)
    else:
        sides = [side.strip() for side in re.sub(r"^until ", "now - ", text).split(" - ", 1)]
        if sides[0] == "now" and len(sides) == 2:
            last = parse_point(_sides(sides[1])[0], ends=True, like=_FREEZE_LIKE)
            ends = [_at(last, day, ends=True) for day in last.days(today)]
            candidates = [(end - _DAY, end) for end in ends]
        else:
            candidates = _from_to(_sides(text), today)
    for start, end in candidates:
        parts = instants(start, end, zone)
        if parts and parts[-1][1] > now:
            begin = now if text.startswith(("until ", "now ")) else parts[0][0]
            return begin, _within_reason(begin, parts[-1][1], text)
    raise ValueError(f"{text!r} is over; write a period that ends in the future")


def _lasting(text: str) -> timedelta | None:
    """`2h`, `for 2h`, `the next 2h`."""
    try:
        return parse_duration(re.sub(r"^(?:for |(?:the )?next )", "", text))
    except ValueError:
        return None


def _within_reason(start: datetime, end: datetime, text: str) -> datetime:
    if end - start > _ENDLESS:
        raise ValueError(f"{text!r} lasts longer than a year; write an end within a year")
    if end <= start:
        raise ValueError(f"{text!r} has no length; {_FREEZE_LIKE}")
    return end


def _clock(words: str, *, ends: bool) -> int:
    hour, _, minute = words.partition(":")
    return clock_minutes(hour, minute, words, ends=ends)


def _on_one_day(named: str, first: str, last: str, today: date) -> list[Span]:
    start, end = _clock(first, ends=False), _clock(last, ends=True)
    if start == end:
        raise ValueError(
            f"{first}-{last} is empty, it starts when it ends; for a whole day write the day without hours"
        )
    point = parse_point(f"{named} {first}".strip(), ends=False, like=_FREEZE_LIKE)
    if point.minutes is None or ":" in named:
        raise ValueError(f"{named!r} is not a day; {_FREEZE_LIKE}")
    length = timedelta(minutes=end - start + (FULL_DAY if end < start else 0))
    return [(_at(point, day, ends=False), _at(point, day, ends=False) + length) for day in point.days(today)]


def _from_to(sides: list[str], today: date) -> list[Span]:
    """All readings of "A - B": those that end first come first, and of these the shortest."""
    if len(sides) > 2:
        raise ValueError(f"{' - '.join(sides)!r} is not one period; {_FREEZE_LIKE}")
    if len(sides) == 2 and re.fullmatch(r"\d{1,2}", sides[0]) and (rest := re.fullmatch(r"\d{1,2}\b ?(.+)", sides[1])):
        sides = [f"{sides[0]} {rest[1]}", sides[1]]
    first = parse_point(sides[0], ends=False, like=_FREEZE_LIKE)
    last = parse_point(sides[-1], ends=True, like=_FREEZE_LIKE)
    if len(sides) == 1:
        if first.minutes is not None:
            raise ValueError(f"{sides[0]!r} has no end; {_FREEZE_LIKE}")
        return [(_at(first, day, ends=False), _at(first, day, ends=True)) for day in first.days(today)]
    starts = [_at(first, day, ends=False) for day in first.days(today)]
    ends = [_at(last, day, ends=True) for day in last.days(today)]
    found = [(start, end) for start in starts for end in ends if start < end]
    if not found:
        raise ValueError(f"{' - '.join(sides)!r} ends before it starts; write the earlier one first")
    return sorted(found, key=lambda span: (span[1], span[1] - span[0]))


def parse_when(words: object, now: datetime, zone: ZoneInfo) -> datetime:
    """A future instant, UTC, as people type it: `fri 16:55`, `24 nov 10:00`, `2026-11-24 10:00`, `tomorrow 10:00`,
    `10:00`, `in 2h`, or ISO with an offset. `now` is an aware instant. Where the year or the date is left out it is the
    next such time.

    Times are the wall clock's in `zone`. Raises ValueError for what nobody can read, what is past, and what the clock
    jumps over; a time it shows twice is the first of the two (RFC 5545, 3.3.5), the other can be had with an offset.
    """
    text = plain(words, _WHEN_LIKE)
    now = now.astimezone(UTC)
    if text.startswith("in "):
        return now + _ahead(text)
    if (exact := _with_offset(text)) is not None:
        if exact <= now:
            raise ValueError(f"{text!r} is past; {_WHEN_LIKE}")
        return exact
    point = parse_point(text, ends=False, like=_WHEN_LIKE)
    if point.minutes is None:
        raise ValueError(f"{text!r} has no time of day; {_WHEN_LIKE}")
    for day in point.days(reading(now, zone).date()):
        at = _at(point, day, ends=False)
        parts = instants(at, at + timedelta(minutes=1), zone)
        if parts and parts[0][0] > now:
            return parts[0][0]
        if not parts and (jump := instants(at, at + 2 * _DAY, zone)[0][0]) > now:
            gone = f"{at:%Y-%m-%d %H:%M} does not exist in {zone.key}, the clock jumps over it"
            raise ValueError(f"{gone}; write {reading(jump, zone):%Y-%m-%d %H:%M} or later")
    raise ValueError(f"{text!r} is past; {_WHEN_LIKE}")


def _ahead(text: str) -> timedelta:
    span = parse_duration(text.removeprefix("in "))
    if not timedelta(0) < span <= _ENDLESS:
        raise ValueError(f"{text!r} is not within the next year; {_WHEN_LIKE}")
    return span


def _with_offset(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return None if at.tzinfo is None else at.astimezone(UTC)
