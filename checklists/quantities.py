"""Durations, moments around T0, and thresholds in the words people write. Pure; every error says what to write
instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

_UNITS = {
    "s": 1, "sec": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hour": 3600, "hours": 3600,
    "d": 86400, "day": 86400, "days": 86400,
    "w": 604800, "week": 604800, "weeks": 604800,
    "month": 2592000, "months": 2592000,
}  # fmt: skip
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) *([a-z]{1,8})")
_MOMENT = re.compile(r"T *(?:([+-]) *(.{1,40}))?")
_NUMBER = r"(\d{1,12}(?:\.\d{1,6})?) *(%|[a-z/]{1,8})?"
_COMPARE = re.compile(r"(<=|>=|<|>|=|≤|≥) *" + _NUMBER)
_BARE = re.compile(_NUMBER)
_RANGE = re.compile(_NUMBER + r" *(?:-|–|to) *" + _NUMBER)

#: unit as written -> (dimension, factor to the dimension's base unit)
_SCALE = {
    "%": ("ratio", 0.01), "ratio": ("ratio", 1.0),
    "ms": ("seconds", 0.001), "s": ("seconds", 1.0), "min": ("seconds", 60.0), "h": ("seconds", 3600.0),
    "x": ("times normal", 1.0), "count": ("count", 1.0), "/week": ("per week", 1.0), "days": ("days", 1.0),
}  # fmt: skip


def parse_duration(value: object) -> timedelta:
    """`45m`, `2h`, `1h 30m`, `7d`, `1 week` as a timedelta. A month counts 30 days. Raises ValueError."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip().lower()
    seconds, end = 0.0, 0
    for match in _DURATION.finditer(text):
        if text[end : match.start()].strip() or match[2] not in _UNITS:
            break
        seconds += float(match[1]) * _UNITS[match[2]]
        end = match.end()
    if not text or end == 0 or text[end:].strip():
        raise ValueError(f"{value!r} is not a duration; write it like 30m, 2h, 1h 30m or 7d")
    return timedelta(seconds=seconds)


def say_duration(span: timedelta) -> str:
    """A duration as people say it, in the two largest units: "3 days 17 h", "1 h 12 m", "45 s". Never negative."""
    seconds = max(0, int(span.total_seconds()))
    days, hours, minutes = seconds // 86400, seconds % 86400 // 3600, seconds % 3600 // 60
    if days:
        words = f"{days} day" + ("s" if days > 1 else "")
        return words + (f" {hours} h" if hours else "")
    if hours:
        return f"{hours} h" + (f" {minutes} m" if minutes else "")
    return f"{minutes} m" if minutes else f"{seconds} s"


def spell_duration(span: timedelta) -> str:
    """A duration in whole words, as announcements write it: "35 minutes", "1 hour 5 minutes", "2 days". Never
    negative."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:
        return _plural(seconds, "second")
    minutes = seconds // 60
    parts = [(minutes // 1440, "day"), (minutes % 1440 // 60, "hour"), (minutes % 60, "minute")]
    return " ".join([_plural(count, unit) for count, unit in parts if count][:2])


def _plural(count: int, unit: str) -> str:
    return f"{count} {unit}" + ("" if count == 1 else "s")


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """An instant relative to T0; negative is before it."""

    offset: timedelta

    def __str__(self) -> str:
        if not self.offset:
            return "T+0"
        sign, span = ("+", self.offset) if self.offset > timedelta(0) else ("-", -self.offset)
        minutes = int(span.total_seconds()) // 60
        if minutes % 60 == 0 and minutes <= 48 * 60:
            return f"T{sign}{minutes // 60} h"
        return f"T{sign}{minutes} m" if minutes < 60 else f"T{sign}{say_duration(span)}"


def parse_moment(value: object) -> Moment:
    """`T-48h`, `T+0`, `T+30m`. Raises ValueError."""
    if isinstance(value, Moment):
        return value
    text = str(value).strip()
    match = _MOMENT.fullmatch(text)
    if not match:
        raise ValueError(f"{value!r} is not a moment; write it like T-48h, T+0 or T+30m")
    if match[2] is None or match[2].strip() == "0":
        return Moment(timedelta(0))
    span = parse_duration(match[2])
    return Moment(span if match[1] == "+" else -span)


@dataclass(frozen=True, slots=True)
class Band:
    """A range of values in one dimension, with the words it was written in.

    `low`/`high` are in the dimension's base unit (ratio 0..1, seconds, times normal, count); None is unbounded.
    """

    words: str
    dimension: str
    low: float | None
    high: float | None
    low_open: bool = False
    high_open: bool = False

    def __str__(self) -> str:
        return self.words

    def holds(self, value: float) -> bool:
        """Whether a value in the base unit lies inside."""
        if self.low is not None and (value < self.low or (self.low_open and value == self.low)):
            return False
        return not (self.high is not None and (value > self.high or (self.high_open and value == self.high)))


def parse_band(value: object) -> Band:
    """`< 0.1%`, `2-5%`, `500ms-1s`, `> 2 x`, `= 0 min`. Raises ValueError, also for a number without a unit."""
    if isinstance(value, Band):
        return value
    text = " ".join(str(value).split())
    if match := _COMPARE.fullmatch(text):
        sign = {"≤": "<=", "≥": ">="}.get(match[1], match[1])
        dimension, number = _in_base(match[2], match[3], text)
        if sign == "=":
            return Band(text, dimension, number, number)
        if sign.startswith("<"):
            return Band(text, dimension, None, number, high_open=sign == "<")
        return Band(text, dimension, number, None, low_open=sign == ">")
    if match := _RANGE.fullmatch(text):
        dimension, high = _in_base(match[3], match[4], text)
        low_dimension, low = _in_base(match[1], match[2] or match[4], text)
        if low_dimension != dimension or low > high:
            raise ValueError(f"{text!r}: the two ends must share a unit and rise, like 2-5% or 500ms-1s")
        return Band(text, dimension, low, high)
    if isinstance(value, (int, float)) or _BARE.fullmatch(text):
        raise ValueError(f"{text!r} does not say on which side and in what unit; write it like '< 1%' or '> 500ms'")
    raise ValueError(f"{text!r} is not a threshold; write it like '< 1%', '> 500ms' or '2-5%'")


def _in_base(number: str, unit: str | None, text: str) -> tuple[str, float]:
    if not unit:
        raise ValueError(f"{text!r} has no unit; write for example '< {number}%' or '< {number} ms'")
    if unit not in _SCALE:
        raise ValueError(f"{text!r}: {unit!r} is not a unit; use one of {', '.join(_SCALE)}")
    dimension, factor = _SCALE[unit]
    return dimension, round(float(number) * factor, 12)


def to_base(number: float, unit: str) -> tuple[str, float]:
    """A raw number and its unit -> (dimension, value in the base unit). Raises ValueError for an unknown unit."""
    if unit not in _SCALE:
        raise ValueError(f"{unit!r} is not a unit; use one of {', '.join(_SCALE)}")
    dimension, factor = _SCALE[unit]
    return dimension, number * factor


def say_value(value: float, dimension: str) -> str:
    """A measured value as people write it: "0.05%", "245ms", "1.3s", "2.1 x"."""
    if dimension == "ratio":
        return f"{value * 100:.4g}%"
    if dimension == "seconds":
        return f"{value * 1000:.0f}ms" if value < 1 else f"{value:.3g}s"
    return f"{value:.4g} x" if dimension == "times normal" else f"{value:.4g}"
