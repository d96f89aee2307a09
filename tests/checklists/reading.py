"""Short ways to read a text, for the tests of the reader."""

from __future__ import annotations

from checklists.document import Checklist, Item, Phase
from checklists.reader import AS_WRITTEN, Reading, SourceName, read_checklist


def read(text: str | bytes, reading: Reading = AS_WRITTEN) -> Checklist:
    return read_checklist(text, name="x.md", reading=reading)


def items(text: str, *sources: SourceName) -> list[Item]:
    return list(read(text, Reading(sources=frozenset(sources))).items())


def texts(text: str, *sources: SourceName) -> list[str]:
    return [item.text for item in items(text, *sources)]


def titles(checklist: Checklist) -> list[str]:
    return [phase.title for phase in checklist.phases]


def phase(checklist: Checklist, title: str) -> Phase:
    return next(phase for phase in checklist.phases if phase.title == title)
