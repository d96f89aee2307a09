"""RFC 5545 recurrence rules, within bounds: whatever a policy says, a year is listed in a fraction of a second."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from checklists.day_words import midnight
from checklists.zones import find_zone, reading

_START = re.compile(r"DTSTART(?:;TZID=([^:;\s]+))?(?:;VALUE=DATE(?:-TIME)?)?:(\d{8})(?:T(\d{6})(Z)?)?")
_RULE = re.compile(r"(?:RRULE:)?((?:[A-Z]+=[A-Z0-9,+:-]+)(?:;[A-Z]+=[A-Z0-9,+:-]+)*;?)")
_LIKE = "write it like 'DTSTART:20260105T180000 RRULE:FREQ=WEEKLY;BYDAY=MO'"
_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")
_LONGEST = 500
#: More starts than this in a day is a window, not a recurrence.
_PER_DAY = 48


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule whose occurrences are readings of the wall clock in `zone`. Hashable: occurrences are kept per year."""

    start: datetime
    rule: str
    zone: ZoneInfo
    words: str

    def between(self, low: datetime, high: datetime) -> list[datetime]:
        """Occurrences in [low, high], as naive readings in the rule's own zone."""
        years = range(low.year, high.year + 1)
        return [at for year in years for at in _occurrences(self.start, self.rule, year) if low <= at <= high]


def parse_recurrence(words: str, zone: ZoneInfo) -> Recurrence:
    """`DTSTART…` and one `RRULE:…`, apart by a space or a line. Without TZID or Z the start is a reading in `zone`.

    Raises ValueError: for no DTSTART, for several rules, for a rule faster than daily, and for one that never occurs.
    """
    if len(words) > _LONGEST:
        raise ValueError(f"the rrule is longer than {_LONGEST} characters; {_LIKE}")
    parts = words.upper().split() if "TZID" not in words.upper() else [_upper(part) for part in words.split()]
    starts = [match for part in parts if (match := _START.fullmatch(part))]
    rules = [match for part in parts if not part.startswith("DTSTART") and (match := _RULE.fullmatch(part))]
    if len(starts) != 1 or len(rules) != 1 or len(parts) != 2:
        raise ValueError(f"the rrule {words!r} must have one DTSTART and one RRULE, nothing else; {_LIKE}")
    if starts[0][1]:
        zone = find_zone(starts[0][1])
    elif starts[0][4]:
        zone = find_zone("UTC")
    try:
        start = datetime.fromisoformat(f"{starts[0][2]}T{starts[0][3] or '000000'}")
    except ValueError:
        raise ValueError(f"the rrule {words!r} starts on a day that does not exist; {_LIKE}") from None
    if not 1970 <= start.year <= 2200:
        raise ValueError(f"the rrule {words!r} starts in {start.year}; write a DTSTART after 1970 and before 2200")
    rule = _checked(rules[0][1], words, zone)
    found = Recurrence(start, rule, zone, words)
    try:
        first = _first(start, rule)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError(f"the rrule {words!r} cannot be read ({error}); {_LIKE}") from None
    if first is None:
        raise ValueError(f"the rrule {words!r} never occurs; {_LIKE}")
    return found


def _upper(part: str) -> str:
    """Upper case, but for a zone's name."""
    match = re.fullmatch(r"(DTSTART;TZID=)([^:]*)(:.*)", part, re.IGNORECASE)
    return match[1].upper() + match[2] + match[3].upper() if match else part.upper()


def _checked(rule: str, words: str, zone: ZoneInfo) -> str:
    pairs = dict(pair.split("=", 1) for pair in rule.strip(";").split(";"))
    if pairs.get("FREQ") not in _FREQUENCIES:
        raise ValueError(
            f"the rrule {words!r} must have FREQ=YEARLY, MONTHLY, WEEKLY or DAILY; write hours of a day as BYHOUR"
        )
    if pairs["FREQ"] == "DAILY" and {"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"} & pairs.keys():
        raise ValueError(
            f"the rrule {words!r} picks days of a month or year; write FREQ=MONTHLY or FREQ=YEARLY for that"
        )
    times = 1
    for key in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        times *= len(pairs.get(key, "0").split(","))
    if times > _PER_DAY:
        raise ValueError(
            f"the rrule {words!r} starts {times} times a day; write at most {_PER_DAY}, with a longer `lasts`"
        )
    if (until := pairs.get("UNTIL", "")).endswith("Z"):
        instant = _instant(until, words)
        pairs["UNTIL"] = reading(instant, zone).strftime("%Y%m%dT%H%M%S")
    elif re.fullmatch(r"\d{8}", until):
        pairs["UNTIL"] = until + "T235959"  # a date includes its whole day (RFC 5545, 3.3.10)
    if not re.fullmatch(r"[1-9]\d{0,3}", pairs.get("INTERVAL", "1")):
        raise ValueError(f"the rrule {words!r} has an INTERVAL that is no number from 1 to 9999; {_LIKE}")
    return ";".join(f"{key}={value}" for key, value in pairs.items())


def _instant(text: str, words: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"the rrule {words!r} has an UNTIL that is no date; write it like UNTIL=20261231") from None


@lru_cache(maxsize=128)
def _first(start: datetime, rule: str) -> datetime | None:
    """The slowest rule that `_checked` lets pass and that never occurs takes about a second, once."""
    return next(iter(rrulestr(rule, dtstart=start)), None)


@lru_cache(maxsize=512)
def _occurrences(start: datetime, rule: str, year: int) -> tuple[datetime, ...]:
    """Those of one year, of readings. The iteration stops at the first later one."""
    if year < start.year:
        return ()
    low, high = midnight(date(year, 1, 1)), midnight(date(year + 1, 1, 1))
    upto = takewhile(lambda at: at < high, iter(rrulestr(rule, dtstart=start)))
    return tuple(at for at in islice(upto, 400_000) if at >= low)
