"""Phases with their moments, and the phase in which T0 happens, from the words of the headings."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from checklists.adoption.clock import Span, at, offset, span
from checklists.adoption.draft import Notebook, Noted, OneLine, can_be_key, said, unsure
from checklists.adoption.schedule import is_staging
from checklists.document import Checklist, Phase, PhaseKind
from checklists.names import headings_named, whole
from checklists.reader import Heading, Reading, SourceName, read_checklist

_AFTER = re.compile(
    r"\bpost\b|\bafter\b|\bverif\w*|\bvalidat\w*|\bsmoke\b|\bclean\w*|\bmonitor\w*(?! (?:the )?deploy)", re.IGNORECASE
)
_DEPLOYS = re.compile(r"\b(?:deploy\w*|release|roll-?out|execution|go[- ]live|launch)\b", re.IGNORECASE)
_NOT_ITSELF = re.compile(r"\b(?:pre|post|before|after)\b|\bday of\b", re.IGNORECASE)
_MOST_PASSES = 6
_MOST = 60
"""Phases that are named; a document with more has no clock in its headings."""


@dataclass(slots=True)
class Phases:
    """The drafted phases, and the document as it is read with them."""

    drafted: dict[str, Noted]
    checklist: Checklist
    spans: dict[int, Span]
    """By the heading's line."""
    keys: dict[int, str]
    """The key that names the heading on this line."""
    deployed: Phase | None = None
    expected: Noted | None = None
    _order: list[Phase] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)

    def of(self, line: int) -> Phase | None:
        """The phase a line of the document stands in."""
        if not self._starts:
            self._order = sorted(self.checklist.phases, key=lambda phase: phase.line)
            self._starts = [phase.line for phase in self._order]
        at = bisect_right(self._starts, line)
        return self._order[at - 1] if at else None

    def is_after(self, line: int) -> bool:
        """Whether what stands there is done once production is deployed."""
        phase = self.of(line)
        return bool(
            phase and self.deployed and phase.kind is PhaseKind.RUN and phase.line > self.deployed.line
            and not is_staging(phase.title)
        )  # fmt: skip

    def kind(self, line: int) -> PhaseKind | None:
        """What the part of the document a line stands in is for."""
        phase = self.of(line)
        return phase.kind if phase else None

    def key(self, phase: Phase) -> str | None:
        """What names this phase in `watch`; None where no plain key does, or it is kept out of the run."""
        return self.keys.get(phase.line) if phase.kind is PhaseKind.RUN and phase.items else None


@dataclass(slots=True)
class _Row:
    heading: Heading
    key: str
    span: Span
    value: dict[str, object]
    notes: list[str]


def find_phases(
    markdown: str | bytes, name: str, headings: Sequence[Heading], sources: frozenset[SourceName], book: Notebook
) -> Phases:
    """Name every heading whose words say when, how long, or that it comes after; and guess where T0 happens."""
    keys = _keys(headings)
    plain = read_checklist(markdown, name=name, reading=Reading(sources=sources))
    wanted: dict[int, _Row] = {}
    for heading in headings if keys else ():
        if len(wanted) >= _MOST or heading.line not in keys or heading.form == "bold":
            continue
        found = span(heading.title)
        if found.opens and _says_it_again(heading, found, headings):
            continue
        apart = found.opens is not None or (found.expected is not None and _is_step(heading, plain))
        if apart or _comes_after(heading):
            wanted[heading.line] = _Row(heading, keys[heading.line], found, {}, [])
    for phase in plain.phases:
        if phase.kind is not PhaseKind.RUN and phase.line in keys and len(wanted) < _MOST:
            heading = next(heading for heading in headings if heading.line == phase.line)
            if len(heading.path) == 1 and any(other.path[:1] == heading.path != other.path for other in headings):
                continue  # the document's title
            wanted.setdefault(phase.line, _Row(heading, keys[phase.line], span(heading.title), {}, []))
    for heading in _lanes(headings, plain):
        if heading.line in keys and len(wanted) < _MOST:
            wanted.setdefault(heading.line, _Row(heading, keys[heading.line], Span(), {}, []))
    spans = {heading.line: span(heading.title) for heading in headings}
    by_line = {heading.line: heading for heading in headings if heading.line in keys}
    checklist, kinds = plain, dict[int, PhaseKind]()
    # Naming a heading sets it apart, which can change what is a phase and where T0 happens: until nothing changes.
    for _ in range(_MOST_PASSES):
        checklist = _read(markdown, name, [row.heading for row in wanted.values()], kinds, sources)
        real = {phase.line: phase for phase in checklist.phases}
        deployed, sure = _deployed(checklist, spans)
        before = (set(wanted), kinds)
        wanted = {line: wanted[line] for line in sorted(wanted) if line in real}
        if deployed and deployed.line in by_line and deployed.line not in wanted:
            heading = by_line[deployed.line]
            wanted[heading.line] = _Row(heading, keys[heading.line], spans[heading.line], {}, [])
        kinds = {line: real[line].kind for line in wanted if real[line].kind is not PhaseKind.RUN}
        if (set(wanted), kinds) == before:
            break
    else:
        checklist = _read(markdown, name, [row.heading for row in wanted.values()], kinds, sources)
    real = {phase.line: phase for phase in checklist.phases}
    wanted = {line: wanted[line] for line in sorted(wanted) if line in real}
    phases = Phases({}, checklist, spans, keys)
    phases.deployed, sure = _deployed(checklist, spans)
    _fill(wanted, real, phases, sure)
    phases.drafted = {row.key: Noted(OneLine(row.value), tuple(row.notes)) for _, row in sorted(wanted.items())}
    phases.expected = _expected(headings, phases)
    for heading in headings if keys else ():
        if (found := spans[heading.line]).opens and heading.line not in wanted and heading.form != "bold":
            if _says_it_again(heading, found, headings):
                continue
            book.leave(heading.line, f'a moment in a heading without items: "{heading.title}" ({found.opens})')
    return phases


def _keys(headings: Sequence[Heading]) -> dict[int, str]:
    """The shortest key that means one heading alone, by its line."""
    paths = [heading.path for heading in headings]
    found: dict[int, str] = {}
    if len(paths) > 400:  # every key is tried against every heading
        return found
    for heading in headings:
        ways = [heading.title, " > ".join(heading.path[-2:]), whole(heading.path)]
        for way in ways:
            if can_be_key(way) and headings_named(way, paths) == [heading.path] and way not in found.values():
                found[heading.line] = way
                break
    return found


def _says_it_again(heading: Heading, found: Span, headings: Sequence[Heading]) -> bool:
    """ "Next 24 Hours" alone below "Monitoring (24 hours)"; not so where other moments stand beside it."""
    for above in headings:
        if above.path == heading.path[: len(above.path)] != heading.path and span(above.title) == found:
            below = [span(other.title) for other in headings if other.path[: len(above.path)] == above.path]
            return all(other.opens is None or other == found for other in below)
    return False


def _is_step(heading: Heading, plain: Checklist) -> bool:
    """Whether a heading with a duration is a step of the run: not what holds the steps, nor one of a rollback."""
    phase = next((phase for phase in reversed(plain.phases) if phase.line <= heading.line), None)
    if phase is None or phase.kind is not PhaseKind.RUN:
        return False
    return any(section.line == heading.line and section.items for section in phase.sections)


def _comes_after(heading: Heading) -> bool:
    """A part of the production deployment that comes after it: "Post-Deployment Validation" below "Production …"."""
    if len(heading.path) < 2 or not _AFTER.search(heading.title) or is_staging(" / ".join(heading.path[-2:])):
        return False
    above = heading.path[-2]
    return len(heading.path) > 2 and _DEPLOYS.search(above) is not None and not _NOT_ITSELF.search(above)


def _lanes(headings: Sequence[Heading], plain: Checklist) -> list[Heading]:
    """The emergency lanes below one heading: each can be run by itself."""
    lines = {
        section.line
        for phase in plain.phases
        if phase.kind is PhaseKind.EMERGENCY
        for section in phase.sections
        if section.items
    }
    return [heading for heading in headings if heading.line in lines and heading.form != "bold"]


def _read(
    markdown: str | bytes,
    name: str,
    named: Sequence[Heading],
    kinds: Mapping[int, PhaseKind],
    sources: frozenset[SourceName],
) -> Checklist:
    """The document as the policy's own loader reads it with these headings named."""
    split = frozenset(whole(heading.path) for heading in named)
    of_kind = {whole(heading.path): kinds[heading.line] for heading in named if heading.line in kinds}
    return read_checklist(markdown, name=name, reading=Reading(split=split, kinds=of_kind, sources=sources))


def _deployed(checklist: Checklist, spans: Mapping[int, Span]) -> tuple[Phase | None, bool]:
    """The phase in which production is deployed, and whether the document says so itself ("T+0")."""
    run = [phase for phase in checklist.phases if phase.kind is PhaseKind.RUN and phase.items]
    for phase in run:
        if re.search(r"\bT\s?\+\s?0", phase.title) and (found := spans.get(phase.line)) and found.opens == "T+0":
            return phase, True
    for index, phase in enumerate(run[1:], 1):
        found = spans.get(phase.line, Span())
        after = _AFTER.search(phase.title) and not is_staging(phase.title)
        if (after or (found.opens or "").startswith("T+")) and not is_staging(run[index - 1].title):
            return run[index - 1], False
    return (run[-1], False) if run else (None, False)


def _fill(wanted: Mapping[int, _Row], real: Mapping[int, Phase], phases: Phases, sure: bool) -> None:
    latest = None
    for line, row in sorted(wanted.items()):
        phase = real[line]
        found = row.span
        row.notes.append(said(line, row.heading.title))
        if phase.kind is not PhaseKind.RUN:
            row.value["kind"] = str(phase.kind)
        if found.opens and phase.kind in (PhaseKind.RUN, PhaseKind.FOLLOW_UP):
            opens = found.opens
            if phase.kind is PhaseKind.RUN:
                if latest and offset(opens) < offset(latest):
                    opens = latest
                    row.notes.append(unsure("it stands behind a later moment, and opens with that"))
                latest = opens
            row.value["opens"] = opens
            if not found.exact and not found.until:
                row.notes.append(unsure("a span of time: its early end is taken"))
        if phases.deployed and line == phases.deployed.line:
            row.value["deployed"] = True
            if not sure:
                row.notes.append(unsure("T0, the production deployment, is taken to be the end of this phase"))
        length = found.length
        if phase.kind is PhaseKind.RUN and (found.expected or length):
            row.value["expected"] = found.expected or at(length.total_seconds() if length else 0)[2:]


def _expected(headings: Sequence[Heading], phases: Phases) -> Noted | None:
    """How long the whole deployment takes, from a heading over its steps: "During Deployment (30-45 minutes)"."""
    ticked = {phase.line for phase in phases.checklist.phases if phase.items}
    for heading in headings:
        found = phases.spans[heading.line]
        whole_thing = _DEPLOYS.search(heading.title) and not _NOT_ITSELF.search(heading.title)
        if found.expected and whole_thing and heading.line not in ticked and phases.kind(heading.line) is PhaseKind.RUN:
            return Noted(found.expected, (said(heading.line, heading.title),))
    return None
