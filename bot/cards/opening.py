"""How an opening is said: the only wording of windows and freezes."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.cards.words import zone_letters
from bot.domain.calendar import SEARCHED, Code, Opening, Reason
from checklists.day_words import DAY_NAMES
from checklists.quantities import say_duration
from checklists.zones import find_zone

_DISTANT = timedelta(days=300)
"""Further away than this, a date is said with its year."""
_PRESENT = timedelta(minutes=1)
"""What is asked for this near to the present is asked for now."""


def say_opening(opening: Opening, at: datetime, now: datetime | None = None) -> str:
    """One line for people: "closed: Friday. Opens Tue 24 Nov 10:00 UTC, in 3 days 17 h".

    Times are wall-clock in the policy's zone, with its abbreviation. `at` is the instant the opening was asked for,
    that of a start. Where the present, `now`, is another one, spans are counted from that start: none is "left" now.
    """
    present = now is None or abs(at - now) < _PRESENT
    said = _say_open(opening, at, present=present) if opening.open else _say_closed(opening, at, present=present)
    ignored = [f"{source} cannot be read and is left aside, as the policy says" for source in opening.ignored]
    return ". ".join([said, *ignored])


def _say_open(opening: Opening, at: datetime, *, present: bool) -> str:
    if opening.next_close is None:
        return "open at all times"
    closes, span = say_when(opening.next_close, opening.zone, at), say_duration(opening.next_close - at)
    return f"open until {closes}, {span} {'left' if present else 'after the start'}"


def _say_closed(opening: Opening, at: datetime, *, present: bool) -> str:
    why = f"closed: {say_reasons(opening)}"
    if opening.next_open is not None:
        wait = say_duration(max(opening.next_open - at, timedelta(seconds=1)))
        opens = f"{why}. Opens {say_when(opening.next_open, opening.zone, at)}"
        return f"{opens}, in {wait}" if present else f"{opens}, {wait} later"
    if any(reason.code is Code.UNKNOWN for reason in opening.reasons):
        return f"{why}. Nobody can tell when it opens until that is readable again: repair it, or ask for an override"
    if any(reason.until is None and reason.code is not Code.WINDOW for reason in opening.reasons):
        return f"{why}. Opens when that is over; no end is known"
    never = f"It does not open within {SEARCHED.days} days"
    return f"{why}. {never}: change the windows or freezes of the policy, or ask for an override"


def say_reasons(opening: Opening) -> str:
    """Why it is closed, several joined readably; what another says already is left out. Empty when it is open."""
    said = [reason.text for reason in opening.reasons if not _said_by_another(reason, opening.reasons)]
    *first, last = dict.fromkeys(said) if said else [""]
    return f"{', '.join(first)} and {last}" if first else last


def _said_by_another(reason: Reason, reasons: tuple[Reason, ...]) -> bool:
    """ "Friday" beside "Friday afternoon", "Saturday" beside "weekend"."""
    if reason.code is not Code.WINDOW or reason.text not in DAY_NAMES:
        return False
    others = [other.text.lower() for other in reasons if other is not reason]
    weekend = reason.text in DAY_NAMES[5:]
    return any(reason.text.lower() in text or (weekend and "weekend" in text) for text in others)


def say_when(at: datetime, zone: str, now: datetime) -> str:
    """An instant by the clock on the wall of a zone: "Tue 24 Nov 10:00 EST"; the year too when it is far from now."""
    local = at.astimezone(find_zone(zone))
    day = f"{local:%a} {local.day} {local:%b}"
    year = f" {local.year}" if abs(at - now) > _DISTANT else ""
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{day}{year} {clock} {zone_letters(at, zone)}"
