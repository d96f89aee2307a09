"""Which moment somebody asks the gate about. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from checklists.windows import parse_when
from checklists.zones import instants, reading

_AT_LIKE = "write it like 2026-11-27T16:55, with an offset like 2026-11-27T16:55+01:00, or 'fri 16:55'"
_YEARS = range(1970, 2200)


def moment_of(words: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The instant that is meant: ISO 8601, past or future, or a future one in the words of `/deploy start … at`.

    Without an offset it is a reading of the clock in `zone`; one shown twice is the first. Raises ValueError for what
    nobody can read and what the clock jumps over.
    """
    try:
        at = datetime.fromisoformat(words.strip())
    except ValueError:
        return parse_when(words, now, zone)
    if at.year not in _YEARS:
        raise ValueError(f"{words!r} is too far away; {_AT_LIKE}")
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    if parts := instants(at, at + timedelta(microseconds=1), zone):
        return parts[0][0]
    after = reading(instants(at, at + timedelta(days=2), zone)[0][0], zone)
    gone = f"{at:%Y-%m-%d %H:%M} does not exist in {zone.key}, the clock jumps over it"
    raise ValueError(f"{gone}; write {after:%Y-%m-%d %H:%M} or later")
