"""Deployment windows, their time zone, and what a document asks of the start that no calendar knows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from checklists.adoption.clock import Zone, days, hours, zone
from checklists.adoption.draft import Notebook, Noted, OneLine, said, unsure
from checklists.adoption.prose import Passage

AVOID = re.compile(
    r"\b(?:avoid\w*|never|except\w*|excluding|not\s+(?:on|during)|blackouts?"
    r"|freezes?(?:\s+periods?)?|moratorium"
    r"|(?:no|do not|don'?t|must not|should not|not be)\s+(?:\w+\s+){0,2}(?:deploy\w*|releas\w*))\b",
    re.IGNORECASE,
)
"""From here on a sentence, or everything below it, says when not."""
_ABOUT = re.compile(
    r"\bwindows?\b|\bdeploy\w*\b.*\b(?:schedul\w*|times?|only|between|during|hours|days|on)\b"
    r"|\b(?:best|preferred|allowed|recommended) (?:deploy\w* )?(?:times?|days?|hours?)\b"
    r"|\bschedul\w*\b|\bwhen to (?:deploy|release)\b|\breleases?\b.*\b(?:only|between)\b",
    re.IGNORECASE,
)
_ELSE = re.compile(
    r"\b(?:support|office|availab\w*|contacts?|on-?call|meetings?|stand-?ups?"
    r"|backups?|cron|escalat\w*|phone|maintenance mode)\b",
    re.IGNORECASE,
)
_STAGING = re.compile(r"\b(?:staging|uat|stage env\w*)\b", re.IGNORECASE)
_PLACES = re.compile(
    r"\b(?:deploy\w*|release|maintenance) (?:windows?|schedule|frequency|freezes?)\b|\bfreeze periods?\b"
    r"|\bwhen (?:not )?to deploy\b|\bblackouts?\b",
    re.IGNORECASE,
)
_TRAFFIC = re.compile(r"\b(?:low|off|quiet)\W*(?:peak|traffic|usage)\b", re.IGNORECASE)
_CADENCE = re.compile(r"\b(?:times?|once|twice|daily|weekly|as needed)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Schedule:
    """What was found: the values of `timezone`, `windows`, `advice` and `notes`, remarked."""

    timezone: Noted
    windows: dict[str, Noted]
    advice: list[Noted]
    notes: list[Noted]
    zone: Zone | None


def is_staging(words: str) -> bool:
    """Whether these words are about an environment before production."""
    return _STAGING.search(words) is not None


def is_never(passage: Passage) -> bool:
    """Whether what stands around a passage says that it lists when not to deploy."""
    return AVOID.search(" / ".join((*passage.path[-2:], *passage.lead))) is not None


def is_place(passage: Passage) -> bool:
    """Whether it stands where the document says when to deploy."""
    return _PLACES.search(" / ".join(passage.path[-2:])) is not None


def allowed_part(text: str) -> str:
    """A sentence up to where it says when not: "Tue-Thu (avoid Mondays)" -> "Tue-Thu"."""
    found = AVOID.search(text)
    return text[: found.start()] if found and text[: found.start()].strip(" -:") else "" if found else text


def find_schedule(passages: Sequence[Passage], book: Notebook) -> Schedule:
    """Windows and their zone from every passage that speaks of when to deploy."""
    windows: dict[str, Noted] = {}
    zones: list[tuple[Passage, Zone]] = []
    halves: dict[tuple[object, ...], tuple[Passage, str]] = {}
    for passage in passages:
        text = allowed_part(passage.text)
        if not text or is_never(passage) or not _speaks(passage) or passage.line in book.taken:
            continue
        on, from_to = days(text), hours(text)
        notes = [said(passage.line, passage.text)]
        place = (passage.path, passage.lead)
        if bool(on) != bool(from_to):
            other = halves.get(place)
            half = on or (from_to.words if from_to else "")
            if other and bool(days(other[1])) != bool(on):
                notes.insert(0, said(other[0].line, other[0].text))
                on, from_to = days(f"{other[1]} {half}"), hours(f"{other[1]} {half}")
            else:
                halves[place] = (passage, half)
        if not from_to or not (on or _only(passage)):
            continue
        if not on:
            on = "daily"
            notes.append(unsure("no days are named here, so every day is taken"))
        if from_to.guessed:
            notes.append(unsure("one end has no am or pm"))
        environment = "staging" if is_staging(f"{passage.text} / {' / '.join(passage.lead)}") else "production"
        if environment in windows:
            book.leave(passage.line, f'another window: "{passage.text}"')
            continue
        windows[environment] = Noted(OneLine([f"{on} {from_to.words}"]), tuple(notes))
        book.taken.add(passage.line)
        if found := zone(passage.text) or next((named for lead in passage.lead[::-1] if (named := zone(lead))), None):
            zones.append((passage, found))
    for key, (passage, half) in halves.items():
        if days(half) and "production" not in windows and not any(key == (p.path, p.lead) for p, _ in zones):
            notes = [said(passage.line, passage.text), unsure("no hours are named, so the whole days are taken")]
            windows["production"] = Noted(OneLine([half]), tuple(notes))
            book.taken.add(passage.line)
    return Schedule(
        _timezone(zones, windows, passages),
        windows,
        list(_advice(passages, book)),
        list(_cadence(passages, book)),
        zones[0][1] if zones else None,
    )


def _speaks(passage: Passage) -> bool:
    own = f"{' / '.join(passage.path[-2:])} / {' / '.join(passage.lead)} / {passage.text}"
    return _ABOUT.search(own) is not None and not _ELSE.search(f"{' / '.join(passage.path[-1:])} {passage.text}")


def _only(passage: Passage) -> bool:
    return re.search(r"\bwindow|\bdeploy", passage.whole, re.IGNORECASE) is not None


def _timezone(zones: Sequence[tuple[Passage, Zone]], windows: dict[str, Noted], passages: Sequence[Passage]) -> Noted:
    if zones:
        passage, found = zones[0]
        notes = [said(passage.line, passage.text)]
        if found.words != found.name and found.sure:
            notes.append(f"{found.words} is read as the clock on the wall there, summer time included")
        elif not found.sure:
            notes.append(unsure(f'"{found.words}" is no zone: write the team\'s, like Europe/Berlin'))
        return Noted(found.name, tuple(notes))
    for passage in passages:
        if (found_else := zone(passage.text)) and re.search(r"\btime ?zone\b", passage.whole, re.IGNORECASE):
            return Noted(found_else.name, (said(passage.line, passage.text),))
    if windows:
        return Noted("UTC", (unsure("the document names no time zone: write the team's, like Europe/Berlin"),))
    return Noted("UTC", (unsure("no window found, so production is always open; and no time zone"),))


def _advice(passages: Sequence[Passage], book: Notebook) -> list[Noted]:
    """What is asked of the start and cannot be read off a calendar: low traffic, telling QA."""
    found: list[Noted] = []
    for passage in passages:
        if not is_place(passage) or passage.parent or is_never(passage):
            continue
        if passage.line in book.taken:
            if (aside := re.search(r"\(([^()]*)\)", passage.text)) and _TRAFFIC.search(aside[1]):
                found.append(Noted(aside[1][:1].upper() + aside[1][1:], (said(passage.line, passage.text),)))
            continue
        if AVOID.search(passage.text) or passage.form == "item" or _CADENCE.search(passage.text):
            continue
        low = _TRAFFIC.search(passage.text) is not None
        if passage.form == "bullet" and (low or is_staging(passage.around) or not days(passage.text)):
            lead = f"{passage.lead[-1]}: " if passage.lead else ""
            found.append(Noted(f"{lead}{passage.text}", (said(passage.line, passage.text),)))
            book.taken.add(passage.line)
    return found


def _cadence(passages: Sequence[Passage], book: Notebook) -> list[Noted]:
    found = []
    for passage in passages:
        if re.search(r"\bfrequency\b|\bcadence\b", " / ".join(passage.path[-2:]), re.IGNORECASE) and (
            passage.form == "bullet"
            and not passage.parent
            and passage.line not in book.taken
            and _CADENCE.search(passage.text)
        ):
            found.append(Noted(passage.text, (said(passage.line, passage.text),)))
            book.taken.add(passage.line)
    return found
