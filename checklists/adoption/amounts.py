"""Quantities in prose: thresholds, bands and durations as teams write them. Pure; nothing is read into the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checklists.quantities import parse_band, parse_duration

_NUMBER = r"\d{1,9}(?:\.\d{1,4})?"
_UNITS = {
    "%": "%", "percent": "%",
    "ms": "ms", "msec": "ms", "msecs": "ms", "millisecond": "ms", "milliseconds": "ms",
    "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "m": "min", "min": "min", "mins": "min", "minute": "min", "minutes": "min",
    "h": "h", "hr": "h", "hrs": "h", "hour": "h", "hours": "h",
    "x": "x", "×": "x", "times": "x",
    "day": "days", "days": "days",
}  # fmt: skip
_UNIT = r"(?:%|×|[a-z]{1,12})"
_SIGNS = {
    "<": "<", ">": ">", "=": "=", "<=": "<=", ">=": ">=", "≤": "<=", "≥": ">=",
    "under": "<", "below": "<", "less than": "<", "lower than": "<", "fewer than": "<", "at most": "<=",
    "no more than": "<=", "up to": "<=", "not exceeding": "<=", "maximum": "<=", "max": "<=",
    "over": ">", "above": ">", "more than": ">", "greater than": ">", "higher than": ">", "exceeds": ">",
    "exceed": ">", "exceeding": ">", "at least": ">=", "no less than": ">=", "minimum": ">=",
}  # fmt: skip
_SIGN = "|".join(
    rf"\b{sign}\b" if sign[0].isalpha() else rf"(?<!\w){sign}" if sign == "=" else re.escape(sign)
    for sign in sorted(_SIGNS, key=len, reverse=True)
)
_LIMIT = re.compile(
    rf"(?<![-=<>])(?P<sign>{_SIGN})\s{{0,3}}(?:(?P<number>{_NUMBER})(?![\d.:/-]*\d)\s?(?P<unit>{_UNIT})?(?![a-z])"
    rf"|(?P<baseline>(?:the )?(?:baseline|normal)\b))",
    re.IGNORECASE,
)
_LASTING = re.compile(
    r"\bfor\s+(?:(?:more than|at least|over|longer than|>=?|≥)\s*)?(\d{1,4})\+?\s*"
    r"(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h)\b",
    re.IGNORECASE,
)
_RANGE = re.compile(rf"({_NUMBER})\s?({_UNIT})?\s?(?:-|–|—|to)\s?({_NUMBER})\s?({_UNIT})", re.IGNORECASE)
_SPAN_UNIT = r"(seconds?|secs?|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w|months?)"
_DURATION = re.compile(rf"(\d{{1,4}})\+?[\s-]?{_SPAN_UNIT}\b", re.IGNORECASE)
_DURATION_RANGE = re.compile(
    rf"(\d{{1,4}})\s?{_SPAN_UNIT}?\s?(?:-|–|—|to)\s?(\d{{1,4}})\s?{_SPAN_UNIT}\b", re.IGNORECASE
)
_EVERY = re.compile(rf"\b(?:every|each)\s+(?:(\d{{1,3}})[\s-]?)?{_SPAN_UNIT}\b", re.IGNORECASE)
_SHORT = {"s": "s", "m": "m", "h": "h", "d": "d", "w": "d"}


@dataclass(frozen=True, slots=True)
class Limit:
    """`error rate > 5% for 5+ minutes`: the sign, the number, and the words on both sides."""

    sign: str
    number: str
    unit: str | None
    """As `parse_band` writes it; None for a bare number."""
    before: str
    after: str
    lasting: str | None

    def band(self, unit: str | None = None) -> str:
        """In the words of a policy; `unit` for a bare number."""
        unit = self.unit or unit or "count"
        return f"{self.sign} {self.number}{unit}" if unit in ("%", "ms", "s") else f"{self.sign} {self.number} {unit}"

    @property
    def rises(self) -> bool:
        """Whether it is crossed from below: `> 5%`."""
        return self.sign in (">", ">=")


def limits(text: str) -> tuple[Limit, ...]:
    """Every threshold in a sentence, in order. "below baseline" is one times normal."""
    found: list[Limit] = []
    matches = list(_LIMIT.finditer(text))
    for index, match in enumerate(matches):
        sign = _SIGNS[match["sign"].lower()]
        start = matches[index - 1].end() if index else 0
        end = matches[index + 1].start() if index + 1 < len(matches) else len(text)
        lasting = _LASTING.match(text[match.end() :].lstrip(" +,"))
        if found and text[start : match.start()].strip().lower().endswith(("for", "for more")):
            continue  # "for > 5 minutes" says how long, not how much
        if match["baseline"]:
            unit: str | None = "x"
            number = "1"
        else:
            number = match["number"]
            written = (match["unit"] or "").lower()
            unit = _UNITS.get(written)
        found.append(
            Limit(
                sign,
                number,
                unit,
                text[start : match.start()],
                text[match.end() : end],
                _length(lasting) if lasting else None,
            )
        )
    return tuple(found)


def band(cell: str) -> str | None:
    """A table's cell (`>5%`, `2-5%`, `500ms-1s`) in the words of a policy; None for anything else."""
    text = cell.strip().lower()
    if match := _RANGE.match(text):
        unit = _UNITS.get(match[4])
        first = _UNITS.get(match[2] or "") or unit
        if unit is None or first is None:
            return None
        return _valid(
            f"{match[1]}{'' if first == unit else first}-{match[3]}{'' if unit in ('%', 'ms', 's') else ' '}{unit}"
        )
    found = limits(text)
    if len(found) == 1 and not found[0].before.strip() and found[0].unit:
        return _valid(found[0].band())
    return None


def _valid(words: str) -> str | None:
    try:
        parse_band(words)
    except ValueError:
        return None
    return words


def duration(text: str) -> str | None:
    """The longest length of time a short text names: `<5 min` -> `5m`, `15-20 minutes` -> `20m`."""
    if match := _DURATION_RANGE.search(text):
        return _short(match[3], match[4])
    match = _DURATION.search(text)
    return _short(match[1], match[2]) if match else None


def ends(text: str) -> tuple[str, str] | None:
    """Both ends of a span of time: `5-30 minutes` -> (`5m`, `30m`), `30min - 2 hours` -> (`30m`, `2h`)."""
    match = _DURATION_RANGE.search(text)
    if match is None:
        return None
    last = _short(match[3], match[4])
    first = _short(match[1], match[2] or match[4])
    return (first, last) if first and last and parse_duration(first) < parse_duration(last) else None


def every(text: str) -> str | None:
    """`every 15 minutes` -> `15m`, `every minute` -> `1m`."""
    match = _EVERY.search(text)
    if match is None or (found := _short(match[1] or "1", match[2])) is None:
        return None
    return found if parse_duration(found).total_seconds() >= 30 else None


def _length(match: re.Match[str]) -> str | None:
    return _short(match[1], match[2])


def _short(number: str, unit: str) -> str | None:
    kind = unit.lower()
    if kind.startswith("mo"):
        return f"{int(number) * 30}d"
    if kind.startswith("w"):
        return f"{int(number) * 7}d"
    return f"{int(number)}{_SHORT[kind[0]]}" if int(number) or number == "0" else None
