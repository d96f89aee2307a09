"""Freezes in prose: "Avoid: Fridays, Weekends", "Month-end, Quarter-end", "No deployments during: …"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from checklists.adoption.amounts import duration
from checklists.adoption.clock import Zone, after_hour, days
from checklists.adoption.draft import Notebook, Noted, OneLine, said, slug, unsure
from checklists.adoption.prose import Passage
from checklists.adoption.schedule import AVOID, is_never, is_place
from checklists.windows import parse_freeze
from checklists.zones import find_zone

_SPLIT = re.compile(r"\s*(?:[,;]|\band\b|\bor\b|\s/\s)\s*", re.IGNORECASE)
_PARTS = (
    ("afternoon", "12:00-24:00"),
    ("evening", "18:00-24:00"),
    ("morning", "00:00-12:00"),
    ("night", "18:00-24:00"),
)
_GENERIC_HOLIDAY = re.compile(r"\bholidays?\b|\bfestivals?\b", re.IGNORECASE)
_COUNTRY_OF = {
    "diwali": ("IN", "Diwali"), "holi": ("IN", "Holi"), "thanksgiving": ("US", "Thanksgiving"),
    "independence day": ("US", "Independence Day"), "labor day": ("US", "Labor Day"),
    "memorial day": ("US", "Memorial Day"), "christmas": ("US", "Christmas"), "new year": ("US", "New Year"),
    "easter": ("DE", "Easter Monday"), "lunar new year": ("CN", "Chinese New Year"),
    "chinese new year": ("CN", "Chinese New Year"),
    "boxing day": ("GB", "Boxing Day"), "canada day": ("CA", "Canada Day"),
}  # fmt: skip
_OF_MANY_COUNTRIES = {"new year", "christmas", "easter", "independence day"}
"""Days of many countries: they say nothing of where the team is."""
_COUNTRY_BY_ZONE = {
    "America/New_York": "US", "America/Chicago": "US", "America/Denver": "US", "America/Los_Angeles": "US",
    "Europe/Berlin": "DE", "Europe/London": "GB", "Asia/Kolkata": "IN", "Asia/Tokyo": "JP", "Asia/Singapore": "SG",
    "Australia/Sydney": "AU", "Africa/Lagos": "NG", "Africa/Nairobi": "KE", "Africa/Johannesburg": "ZA",
}  # fmt: skip
_MONTH_END = re.compile(r"\bmonth[- ]end\b|\bend of (?:the )?month\b", re.IGNORECASE)
_QUARTER_END = re.compile(r"\bquarter[- ]end\b|\bend of (?:the )?quarter\b", re.IGNORECASE)
_INCIDENT = re.compile(
    r"\b(?:active|ongoing|open|during (?:an? )?)\s*(?:\w+\s)?(?:incidents?|outages?)\b|\bincidents?\b", re.IGNORECASE
)
_MONTH = r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b"
_DATED = re.compile(
    rf"{_MONTH}.*\d|\d.*{_MONTH}|\d{{4}}-\d{{2}}-\d{{2}}",
    re.IGNORECASE,
)
_FILLER = re.compile(r"^(?:on|during|in|the|any|all|around|within)\s+|\betc\.?$|\s*\(.*\)$|[.!]+$", re.IGNORECASE)
_LOOSE = re.compile(r"\bpeak\b|\bhigh[- ]traffic\b|\bincidents?\b|\bevents?\b", re.IGNORECASE)
_BLACK_FRIDAY = "DTSTART:20241129T000000\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=FR;BYMONTHDAY=23,24,25,26,27,28,29"
_NAMED_DAY = re.compile(
    r"\b(?:cyber|good|easter|super|patch|ash|palm|first|second|third|last|other|1st|2nd|3rd)\s+"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day",
    re.IGNORECASE,
)
"""One Tuesday, not every Tuesday."""
_LABEL = re.compile(r"^([^:]{3,40}):\s*(?=\S)")
_EVENTS = re.compile(
    r"\b(?:events?|campaigns?|launch(?:es)?|traffic|peak|sales?|promotions?|audits?|release|demos?|conferences?|"
    r"maintenance|periods?|hours|business)\b",
    re.IGNORECASE,
)
_LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
"""Anchors a freeze that comes every year; which year is no matter, so it is one that is over."""


@dataclass(frozen=True, slots=True)
class Freezes:
    """The values of `freezes`, and of `advice` for what only a calendar of the team's own can tell."""

    freezes: list[Noted]
    advice: list[Noted]


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    label: str
    passage: Passage


def find_freezes(passages: Sequence[Passage], zone: Zone | None, name: str, book: Notebook) -> Freezes:
    """Every time at which the document says not to deploy."""
    freezes: list[Noted] = []
    advice: list[Noted] = []
    named: list[_Piece] = []
    country = _COUNTRY_BY_ZONE.get(zone.name) if zone and zone.sure else None
    for piece in _pieces(passages):
        notes = (said(piece.passage.line, piece.passage.text),)
        if _holiday(piece):
            named.append(piece)
        elif rule := _rule(piece):
            value, doubt = rule
            freezes.append(Noted(OneLine(value), (*notes, *((unsure(doubt),) if doubt else ()))))
        elif _EVENTS.search(piece.text):
            advice.append(Noted(_never(piece.text), (*notes, *_calendar(piece, name, book))))
        elif re.search(r"[^\W\d_]{3}", piece.text):
            doubt = unsure("no rule could be made of it; as a freeze it would have `weekly`, `dates` or `rrule`")
            advice.append(Noted(_never(piece.text), (*notes, doubt)))
        book.taken.add(piece.passage.line)
    if named:
        freezes.append(_holidays(named, country))
    freezes.sort(key=lambda entry: "weekly" not in entry.value.value)
    return Freezes(freezes, advice)


def _never(text: str) -> str:
    return (
        f"Not {text[0].lower()}{text[1:]}"
        if re.match(r"(?:during|within|on|in)\b", text, re.IGNORECASE)
        else f"Avoid {text}"
    )


def _pieces(passages: Sequence[Passage]) -> Iterator[_Piece]:
    for passage in passages:
        if passage.form == "item":
            continue
        below = is_never(passage)
        found = AVOID.search(passage.text)
        if below and (passage.form != "bullet" or passage.parent):
            below = False
        if not below and found is None:
            continue
        near = is_place(passage) or re.search(r"\b(?:deploy|releas|window)", passage.whole, re.IGNORECASE)
        if not near or (not below and not _is_rule(passage.text)):
            continue
        text = passage.text
        if (found and not below) or (
            found and passage.text.lower().startswith(("avoid", "no ", "never", "do not", "don"))
        ):
            text = _inner(text[found.end() :])
        label = ""
        if (labelled := _LABEL.match(text)) and not re.search(r"\d$", labelled[1]):
            label, text = labelled[1], text[labelled.end() :]
        for part in _SPLIT.split(text):
            while (bare := _FILLER.sub("", part).strip(" .:-–—()")) != part:
                part = bare
            if part:
                yield _Piece(_whole(part, text), label, passage)


def _whole(part: str, text: str) -> str:
    """ "Within 2 hours of large campaigns" keeps its preposition: it says how far around."""
    return text.strip() if re.match(r"within\s+\d", text, re.IGNORECASE) else part


def _inner(text: str) -> str:
    while (found := AVOID.match(text.lstrip(" :-–("))) is not None:
        text = text.lstrip(" :-–(")[found.end() :]
    return re.sub(
        r"^\W*(?:(?:to )?deploy\w*|releas\w*|periods?\b|any\b|during\b|on\b|:)*\W*(?:(?:during|on|in)\b)?\s*",
        "",
        text,
        flags=re.IGNORECASE,
    )


def _is_rule(text: str) -> bool:
    """A sentence with "never" or "avoid" in it that names a time."""
    found = AVOID.search(text)
    rest = text[found.end() :] if found else text
    return bool(
        days(rest) or _GENERIC_HOLIDAY.search(rest) or _MONTH_END.search(rest) or _QUARTER_END.search(rest)
        or _DATED.search(rest) or _LOOSE.search(rest)
    )  # fmt: skip


def _rule(piece: _Piece) -> tuple[dict[str, object], str | None] | None:
    text = piece.text
    if _MONTH_END.search(text):
        return {"month_end": OneLine({"last": 1}), "why": text}, "how many days, the document does not say"
    if _QUARTER_END.search(text):
        return {"quarter_end": OneLine({"last": 1}), "why": text}, "how many days, the document does not say"
    if _DATED.search(text) and (dated := _dates(text)):
        return dated, None
    if re.search(r"\bblack friday\b", text, re.IGNORECASE):
        return {"rrule": _BLACK_FRIDAY, "lasts": "1d", "why": text}, None
    if (on := days(text)) and not _NAMED_DAY.search(text):
        if hour := after_hour(text):
            return {"weekly": f"{on} {hour}-24:00", "why": text}, None
        for word, hours in _PARTS:
            if word in text.lower():
                return {"weekly": f"{on} {hours}", "why": text}, f"{word} is taken as {hours}"
        return {"weekly": on, "why": text}, None
    if _INCIDENT.search(text):
        return {"incidents": True, "why": text}, None
    return None


def _dates(text: str) -> dict[str, object] | None:
    try:
        start, end = parse_freeze(text, _LONG_AGO, find_zone("UTC"))
    except ValueError:
        return None
    if re.search(r"\b\d{4}\b", text):
        return {"dates": f"{start:%Y-%m-%d %H:%M} - {end:%Y-%m-%d %H:%M}", "why": text}
    rule = f"DTSTART:{start:%Y%m%dT%H%M%S}\nRRULE:FREQ=YEARLY"
    return {"rrule": rule, "lasts": f"{max(1, (end - start).days)}d", "why": text}


def _holiday(piece: _Piece) -> bool:
    return bool(_GENERIC_HOLIDAY.search(f"{piece.label} {piece.text}")) or _known(piece.text) is not None


def _known(text: str) -> str | None:
    low = text.lower()
    longest_first = sorted(_COUNTRY_OF, key=len, reverse=True)
    return next((day for day in longest_first if re.search(rf"\b{day}\b", low)), None)


def _holidays(pieces: Sequence[_Piece], country: str | None) -> Noted:
    """One entry: a country's public holidays, and the named days of others."""
    days_named = [day for piece in pieces if (day := _known(piece.text))]
    home = next((_COUNTRY_OF[day][0] for day in days_named if day not in _OF_MANY_COUNTRIES), country)
    notes = [said(line, text) for line, text in dict.fromkeys((p.passage.line, p.passage.text) for p in pieces)]
    if home is None:
        notes.append(unsure("the document names no country: US is a stand-in, write the team's own"))
    elif home != country:
        notes.append(unsure(f"{home} is taken for the team's country, from the days it names"))
    value: dict[str, object] = {"country": home or "US"}
    also: dict[str, list[str]] = {}
    for day in days_named:
        other, called = _COUNTRY_OF[day]
        if other != (home or "US") and called not in also.get(other, []):
            also.setdefault(other, []).append(called)
    if also:
        value["also"] = OneLine({key: OneLine(names) for key, names in also.items()})
    why = pieces[0].label or next((p.text for p in pieces if _GENERIC_HOLIDAY.search(p.text)), "holiday")
    return Noted(OneLine({"holidays": OneLine(value), "why": why}), tuple(notes))


def _calendar(piece: _Piece, name: str, book: Notebook) -> list[str]:
    """What only the team's calendar knows: the freeze it becomes once there is one."""
    words = [word for word in slug(piece.text, 80).split("_") if not word.isdigit()]
    kept = [
        word for word in words if word not in {"within", "hours", "hour", "of", "large", "periods", "period", "during"}
    ]
    file = f"{slug(name).replace('_', '-') or 'team'}-{'-'.join(kept) or 'events'}.ics"
    buffer = duration(piece.text) if re.match(r"within\s+\d", piece.text, re.IGNORECASE) else None
    entry = (
        f"{{calendar: {file}, {f'buffer: {buffer}, ' if buffer else ''}why: {(kept and ' '.join(kept)) or 'event'}}}"
    )
    book.ask(f"put {file} beside the policy and add to `freezes`: - {entry}")
    return [unsure(f"no calendar tells when; with one beside this file, add to `freezes`: - {entry}")]
