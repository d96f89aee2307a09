"""Ways around the ordinary run: emergency lanes of the document, and sentences that allow one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from checklists.adoption.amounts import duration
from checklists.adoption.draft import Notebook, Noted, said, slug, unsure
from checklists.adoption.people import People, signs_off
from checklists.adoption.phases import Phases
from checklists.adoption.prose import LONGEST, Passage
from checklists.document import Phase, PhaseKind
from checklists.markdown import words

_NAMES = (("skip", "skip-staging"), ("fast", "fast-track"), ("hot", "hotfix"), ("emergency", "emergency"))
_SENTENCE = re.compile(r"^(emergenc\w+|hot[ -]?fix\w*|urgent|expedited)\b[\w ]{0,30}:\s*(.{20,})$", re.IGNORECASE)
_WATCH = re.compile(r"\b(?:watch|monitor)\w*\b.*\b(?:minimum|at least)\b", re.IGNORECASE)
_REVIEW = re.compile(r"\breviewed\b.*\b(?:post|after)\b", re.IGNORECASE)
_MOST = 8


def find_overrides(passages: Sequence[Passage], phases: Phases, people: People, book: Notebook) -> dict[str, Noted]:
    """Each lane by its name in `--NAME`. None opens closed windows by itself: that is a person's decision."""
    found: dict[str, Noted] = {}
    lanes = [phase for phase in phases.checklist.phases if phase.kind is PhaseKind.EMERGENCY and phase.items]
    for phase in lanes[:_MOST]:
        key = phases.keys.get(phase.line)
        name = _name(phase.title)
        if key and name and name not in found:
            found[name] = _lane(phase, key, passages, phases, people)
    for passage in passages:
        match = _SENTENCE.match(passage.text)
        name = _name(match[1]) if match else ""
        if (
            match is None
            or passage.form != "bullet"
            or passage.line in book.taken
            or name in found
            or len(found) >= _MOST
        ):
            continue
        if phases.kind(passage.line) is PhaseKind.EMERGENCY:
            continue
        value: dict[str, object] = {"what": match[2], "reason": True}
        asked = next((role for part in match[2].split(",") if (role := signs_off(part.strip()))), None)
        if asked and (role_key := people.role(asked, passage.line, passage.text)):
            value["role"] = role_key
        if _REVIEW.search(match[2]):
            value["review_after"] = True
        notes = (said(passage.line, passage.text), unsure("`skips` names the phases that may be left out"), _closed())
        found[name] = Noted(value, notes)
        book.taken.add(passage.line)
    return found


def _closed() -> str:
    return unsure("whether it may start outside the windows is not said; if so: closed_windows: true")


def _name(title: str) -> str:
    return next((name for word, name in _NAMES if word in title.lower()), slug(title, 30).replace("_", "-"))


def _lane(phase: Phase, key: str, passages: Sequence[Passage], phases: Phases, people: People) -> Noted:
    inside = [passage for passage in passages if phases.of(passage.line) is phase]
    intro = next((p.text.rstrip(" :") for p in inside if p.form == "paragraph" and not p.lead), "")
    if not intro:
        title = next((p.path for p in inside if p.path), ())
        intro = next(
            (p.text.rstrip(" :") for p in passages if p.form == "paragraph" and title and p.path == title[:-1]),
            phase.title,
        )
    value: dict[str, object] = {"what": intro, "reason": True, "instead": key}
    for item in phase.items:
        text = words(item.label[:LONGEST])
        role = signs_off(text)
        if role and (role_key := people.role(role, item.line, text)):
            value["role"] = role_key
            break
    for passage in inside:
        length = duration(passage.text)
        if length and _WATCH.search(passage.text):
            value["watch_at_least"] = length
        elif length and re.search(r"\bpost-?mortem\b.*\bwithin\b", passage.text, re.IGNORECASE):
            value["post_mortem"] = length
    return Noted(value, (said(phase.line, phase.title), _closed()))
