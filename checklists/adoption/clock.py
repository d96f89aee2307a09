"""Days, hours, zones and moments in prose: "Tue-Thu, 10 AM-2 PM", "(your timezone)", "(T-30 minutes)"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from checklists.adoption.amounts import duration, ends
from checklists.day_words import DAY_NAMES, weekday
from checklists.quantities import parse_duration
from checklists.zones import find_zone

_DAY = r"(?:mon|tue(?:s)?|wed(?:nes)?|thu(?:r(?:s)?)?|fri|sat(?:ur)?|sun)(?:day)?s?"
_RANGE = re.compile(rf"\b({_DAY})\.?\s{{0,2}}(?:-|–|—|to|through|thru|until)\s{{0,2}}({_DAY})\b", re.IGNORECASE)
_ONE = re.compile(rf"\b({_DAY})\b", re.IGNORECASE)
_GROUP = re.compile(r"\b(weekdays?|business days?|working days?|weekends?|daily|every day)\b", re.IGNORECASE)
_GROUPS = {"weekd": "mon-fri", "busin": "mon-fri", "worki": "mon-fri", "weeke": "sat-sun"}
_HOURS = re.compile(
    r"(?<![\d.:])(\d{1,2})(?:[:.h](\d{2}))?\s?([ap]\.?m\.?|h)?\s{0,2}(?:-|–|—|to|until|and|till)\s{0,2}"
    r"(\d{1,2})(?:[:.h](\d{2}))?\s?([ap]\.?m\.?|h)?(?![\d%])",
    re.IGNORECASE,
)
_AFTER_HOUR = re.compile(r"\bafter\s+(\d{1,2})(?::(\d{2}))?\s?([ap]\.?m\.?)?", re.IGNORECASE)
_ZONES = {
    "UTC": "UTC", "GMT": "UTC", "ZULU": "UTC",
    "EST": "America/New_York", "EDT": "America/New_York", "ET": "America/New_York", "EASTERN": "America/New_York",
    "CST": "America/Chicago", "CDT": "America/Chicago", "CT": "America/Chicago", "MST": "America/Denver",
    "MDT": "America/Denver", "MT": "America/Denver", "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles",
    "PT": "America/Los_Angeles", "PACIFIC": "America/Los_Angeles", "CET": "Europe/Berlin", "CEST": "Europe/Berlin",
    "BST": "Europe/London", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "SGT": "Asia/Singapore",
    "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "WAT": "Africa/Lagos", "EAT": "Africa/Nairobi",
    "SAST": "Africa/Johannesburg",
}  # fmt: skip
_ZONE = re.compile(rf"\b({'|'.join(_ZONES)})\b(?:\s?([+-]\d{{1,2}}))?")
_IANA = re.compile(r"\b(?:Africa|America|Asia|Atlantic|Australia|Europe|Indian|Pacific)/[A-Za-z_]+(?:/[A-Za-z_]+)?")
_OWN_ZONE = re.compile(r"\b(?:your|local|team'?s?|their|our) time(?:[ -]?zone)?\b", re.IGNORECASE)

_T_RANGE = re.compile(
    r"\bT\s?\+\s?(\d{1,4})\s?([a-z]*)\s?(?:to|-|–|—)\s?T?\s?\+?\s?(\d{1,4})\s?([a-z]+)", re.IGNORECASE
)
_T_ONE = re.compile(
    r"(?<![\w.-])T\s?([-+−–])\s?(\d{1,4})\s?(s|m|h|d|w|(?:sec|min|hr|hour|day|week|minute|second)s?)?\b"
)
_BEFORE = re.compile(r"\b(?:before|prior|ahead|in advance)\b", re.IGNORECASE)
_FIRST = re.compile(r"\b(?:first|next|following|for|within the first)\s+\d", re.IGNORECASE)
_NUMBERED = re.compile(r"^\W*(day|week|month)\s+(\d{1,2})\b", re.IGNORECASE)
_WATCHES = re.compile(
    r"\b(?:monitor\w*|watch\w*|observ\w*|immediate\w*|short[ -]term|long[ -]term|extended|ongoing|soak|bake)\b",
    re.IGNORECASE,
)
_LATER = re.compile(r"\bwithin\b.*\b(?:days?|weeks?|months?)\b", re.IGNORECASE)


def days(text: str) -> str | None:
    """`Tuesday-Thursday` -> `tue-thu`, `Mondays and Fridays` -> `mon,fri`, `weekends` -> `sat-sun`."""
    if match := _RANGE.search(text):
        return f"{_short(match[1])}-{_short(match[2])}"
    named = list(dict.fromkeys(_short(match[1]) for match in _ONE.finditer(text)))
    if named:
        return ",".join(named)
    if match := _GROUP.search(text):
        return _GROUPS.get(match[1].lower()[:5], "daily")
    return None


def _short(word: str) -> str:
    number = weekday(re.sub(r"days?$", "", word.lower())[:3])
    return DAY_NAMES[number or 0][:3].lower()


@dataclass(frozen=True, slots=True)
class Hours:
    """`10:00-16:00`; `guessed` where the text leaves morning or afternoon open."""

    words: str
    guessed: bool = False


def hours(text: str) -> Hours | None:
    """`10am-4pm` -> 10:00-16:00. Two bare numbers are no hours."""
    for match in _HOURS.finditer(text):
        first, last = _half(match[3]), _half(match[6])
        if not (first or last or (match[2] and match[5])):
            continue
        guessed = False
        if last and not first and not match[2]:
            # "10-4pm": before noon if that makes it shorter than half a day, as people mean it.
            first = last if int(match[1]) < int(match[4]) and int(match[4]) != 12 else "a"
            guessed = True
        start, end = _minutes(match[1], match[2], first), _minutes(match[4], match[5], last)
        if start is None or end is None or start == end or start == 1440:
            continue
        return Hours(f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}", guessed)
    return None


def after_hour(text: str) -> str | None:
    """`after 3pm` -> `15:00`."""
    match = _AFTER_HOUR.search(text)
    if match is None or not (match[2] or _half(match[3])):
        return None
    minutes = _minutes(match[1], match[2], _half(match[3]))
    return f"{minutes // 60:02}:{minutes % 60:02}" if minutes is not None and minutes < 1440 else None


def _half(word: str | None) -> str:
    return word[0].lower() if word and word[0].lower() in "ap" else ""


def _minutes(hour: str, minute: str | None, half: str) -> int | None:
    number, past = int(hour), int(minute or 0)
    if past > 59 or number > (12 if half else 24) or (number == 24 and past):
        return None
    if half:
        number = number % 12 + (12 if half == "p" else 0)
    return number * 60 + past


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone by its name in the zone database, and the words it was read from."""

    name: str
    words: str
    sure: bool = True


def zone(text: str) -> Zone | None:
    """`EST` -> America/New_York, `UTC`, `Europe/Berlin`; "(your timezone)" is UTC until somebody says which."""
    if match := _IANA.search(text):
        try:
            return Zone(find_zone(match[0]).key, match[0])
        except ValueError:
            pass
    if match := _ZONE.search(text):
        return Zone(_ZONES[match[1]], match[0], sure=not match[2])
    if match := _OWN_ZONE.search(text):
        return Zone("UTC", match[0], sure=False)
    return None


@dataclass(frozen=True, slots=True)
class Span:
    """When something is due relative to T0, in the words of a policy, and until when or how long."""

    opens: str | None = None
    """`T-48h`, `T+0`."""
    until: str | None = None
    """`T+30m`, for what is watched from `opens` on."""
    expected: str | None = None
    later: bool = False
    """Whether it belongs to the days after the deployment."""
    exact: bool = True

    @property
    def length(self) -> timedelta | None:
        """From `opens` to `until`."""
        if self.opens is None or self.until is None:
            return None
        return offset(self.until) - offset(self.opens)


def offset(moment: str) -> timedelta:
    """`T+30m` as a distance from T0."""
    if moment == "T+0":
        return timedelta(0)
    span = parse_duration(moment[2:])
    return span if moment[1] == "+" else -span


def at(seconds: float) -> str:
    """Seconds after T0 in the words of a policy."""
    minutes = round(abs(seconds) / 60)
    if not minutes:
        return "T+0"
    words = f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"
    return f"T{'+' if seconds > 0 else '-'}{words}"


def span(title: str) -> Span:
    """What a heading's words, or an item's, say about the clock; an empty Span when nothing."""
    title = title[:300]
    if match := _T_RANGE.search(title):
        both = ends(f"{match[1]} {match[2] or match[4]} to {match[3]} {match[4]}")
        if both:
            return Span(opens=f"T+{both[0]}" if both[0][0] != "0" else "T+0", until=f"T+{both[1]}")
    if match := _T_ONE.search(title):
        if match[2].strip("0") == "":
            return Span(opens="T+0")
        length = duration(f"{match[2]} {match[3]}") if match[3] else None
        return Span(opens=f"T{'+' if match[1] == '+' else '-'}{length}") if length else Span()
    if match := _NUMBERED.search(title):
        return Span(opens=f"T+{duration(f'{match[2]} {match[1]}')}", later=True)
    length = duration(title)
    if _BEFORE.search(title) and length:
        return Span(opens=f"T-{length}", exact=ends(title) is None)
    if re.search(r"\bimmediately after\b", title, re.IGNORECASE):
        return Span(opens="T+0")
    if not length:
        return Span()
    if _LATER.search(title):
        return Span(opens=f"T+{length}", later=True)
    if re.search(r"\bafter\s+\d", title, re.IGNORECASE):
        return Span(opens=f"T+{length}")
    if _FIRST.search(title):
        return Span(opens="T+0", until=f"T+{length}", exact=ends(title) is None)
    if _WATCHES.search(title):
        both = ends(title)
        return Span(opens=f"T+{both[0]}" if both and both[0][0] != "0" else "T+0", until=f"T+{length}")
    return Span(expected=length, exact=ends(title) is None) if "(" in title else Span()
