"""What is looked at after T0: series and checks at the moments the document names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from checklists.adoption.amounts import every
from checklists.adoption.clock import Span, at, offset, span
from checklists.adoption.draft import Notebook, Noted, OneLine, said, unsure
from checklists.adoption.endpoints import Endpoint
from checklists.adoption.measures import Measure, Threshold, Thresholds, origins
from checklists.adoption.phases import Phases
from checklists.adoption.prose import Passage
from checklists.document import PhaseKind
from checklists.quantities import parse_duration
from checklists.reader import Heading

_CHECKS = {
    "T+30m": ("30-minute check", "succeeded"),
    "T+2h": ("2-hour check", None),
    "T+24h": ("24-hour check", "stable"),
}
"""The three checks every deployment gets, and what each leads to."""
_ANCHORS = {"measure": "targets", "alert": "beyond"}
_STRETCH = re.compile(
    r"^\W*(?:\w+[ -]){0,3}(?:monitor\w*|verif\w*|watch\w*|validat\w*|observ\w*|soak)\b[^:]{0,40}$", re.IGNORECASE
)
"""An item that is a stretch of time by itself: "Short-term monitoring (5-30 minutes)"."""
_LONGEST = 1440 * 60


@dataclass(frozen=True, slots=True)
class _Spot:
    """A span the document names: where, and the phase it opens."""

    span: Span
    line: int
    words: str
    every: tuple[str, int, str] | None = None
    """How often, with the line and words that say so."""


@dataclass(slots=True)
class Watched:
    """The values of `watch`, and the measures they name."""

    entries: list[Noted] = field(default_factory=list)
    measures: dict[str, Measure] = field(default_factory=dict)


def find_watch(
    passages: Sequence[Passage],
    headings: Sequence[Heading],
    phases: Phases,
    thresholds: Thresholds,
    endpoints: Sequence[Endpoint],
    book: Notebook,
) -> Watched:
    """Series and checks at the moments the document names, and the three of every deployment where it does not."""
    watched = Watched()
    spots = _spots(passages, headings, phases, book)
    ends = {moment: _ending(spots, moment) for moment in _CHECKS}
    for spot in spots:
        if series := _series(spot, ends, phases):
            watched.entries.append(series)
    for spot in spots:
        moment = spot.span.until or spot.span.opens or ""
        if moment not in _CHECKS and not spot.every and 0 < offset(moment).total_seconds() <= _LONGEST:
            notes = (said(spot.line, spot.words),)
            watched.entries.append(Noted({"at": moment, "name": _named(spot.words), **_phase(spot, phases)}, notes))
    for moment, (name, then) in _CHECKS.items():
        spot_at = ends[moment]
        value: dict[str, object] = {"at": moment, "name": name}
        if spot_at:
            value.update(_phase(spot_at, phases))
            notes = (said(spot_at.line, spot_at.words),)
        else:
            notes = (unsure(f"the document names no {name.removesuffix(' check')} check; this is the default"),)
        if then:
            value["then"] = f"announce {then}"
        watched.entries.append(Noted(value, notes))
    watched.entries.sort(key=lambda entry: offset(str(entry.value["at"])))
    targets, alerts = thresholds.first("target"), thresholds.first("alert") or thresholds.first("rollback")
    asked = [endpoint.name for endpoint in endpoints if not endpoint.staging and not endpoint.is_version]
    versions = [endpoint.name for endpoint in endpoints if not endpoint.staging and endpoint.is_version]
    watched.measures = {
        threshold.measure.name: threshold.measure for threshold in (*targets.values(), *alerts.values())
    }
    for index, entry in enumerate(watched.entries):
        extra = versions if entry.value["at"] == "T+30m" and "every" not in entry.value else []
        watched.entries[index] = _filled(entry, [*asked, *extra], targets, alerts, first=index == 0)
    return watched


def _spots(passages: Sequence[Passage], headings: Sequence[Heading], phases: Phases, book: Notebook) -> list[_Spot]:
    found: list[_Spot] = []
    often = [(passage, how) for passage in passages if phases.is_after(passage.line) and (how := every(passage.text))]
    used: set[int] = set()
    sources = [
        *((heading.line, heading.title) for heading in headings if heading.form != "bold"),
        *((p.line, p.text) for p in passages if p.form == "item" and _STRETCH.search(p.text) and not every(p.text)),
    ]
    for line, words in sorted(sources):
        stretch = phases.spans.get(line) or span(words)
        own = phases.of(line)
        if own is None or own.kind is not PhaseKind.RUN or not stretch.opens or stretch.opens.startswith("T-"):
            continue
        if not (phases.is_after(line) or (phases.deployed and own.line == phases.deployed.line)):
            continue
        if stretch.until is None and stretch.opens == "T+0":
            continue
        own_line = own.line
        rate = next(((how, p.line, p.text) for p, how in often if own_line == _line_of(phases, p.line)), None)
        if line != own_line and rate and not _below(line, rate[1], sources):
            rate = None
        if rate:
            used.add(rate[1])
        book.taken.add(line)
        same = next((index for index, other in enumerate(found) if other.span == stretch), None)
        if same is None:
            found.append(_Spot(stretch, line, words, rate))
        elif line == own_line and phases.key(own) and _line_of(phases, found[same].line) != found[same].line:
            found[same] = _Spot(stretch, line, words, rate or found[same].every)
    for passage, how in often:
        if passage.line not in used:
            book.leave(passage.line, f'"{passage.text}": every {how}, and nothing says for how long')
    return found


def _line_of(phases: Phases, line: int) -> int:
    own = phases.of(line)
    return own.line if own else 0


def _below(line: int, other: int, sources: Sequence[tuple[int, str]]) -> bool:
    return line <= other


def _ending(spots: Sequence[_Spot], moment: str) -> _Spot | None:
    """The span that ends at a moment, else the one that begins there."""
    at_end = [spot for spot in spots if spot.span.until and offset(spot.span.until) == offset(moment)]
    at_start = [spot for spot in spots if not spot.span.until and offset(spot.span.opens or "T+0") == offset(moment)]
    exact = [spot for spot in at_start if re.search(r"\bT\s?\+", spot.words)]
    return next(iter([*exact, *at_end, *at_start]), None)


def _series(spot: _Spot, ends: dict[str, _Spot | None], phases: Phases) -> Noted | None:
    length = spot.span.length
    if length is None or spot.span.opens is None:
        return None
    notes = [said(spot.line, spot.words)]
    if spot.every:
        how, line, words = spot.every
        if line != spot.line:
            notes.append(said(line, words))
        if not spot.span.exact:
            notes.append(unsure("a span of time: its late end is taken"))
    else:
        start = offset(spot.span.opens)
        if not start or start * 2 > length:
            return None
        how = at(start.total_seconds())[2:]
        notes.append(unsure(f"the document does not say how often; every {how} is the distance of its start from T0"))
        length -= start if spot.span.until in ends and ends[spot.span.until] is not None else start * 0
    if not parse_duration(how) <= length:
        return None
    value: dict[str, object] = {"at": spot.span.opens, "name": _named(spot.words), "every": how}
    value["for"] = at(length.total_seconds())[2:]
    if ends.get(spot.span.until or "") is not spot:
        value.update(_phase(spot, phases))
    return Noted(value, tuple(notes))


def _named(words: str) -> str:
    return words if len(words) <= 60 else words[:57].rstrip() + "…"


def _phase(spot: _Spot, phases: Phases) -> dict[str, object]:
    own = phases.of(spot.line)
    key = phases.key(own) if own else None
    return {"phase": key} if key else {}


def _filled(
    entry: Noted, probes: list[str], targets: dict[str, Threshold], alerts: dict[str, Threshold], *, first: bool
) -> Noted:
    value = dict(entry.value)
    then = value.pop("then", None)
    notes = {}
    if probes:
        value["probes"] = OneLine(probes)
    for key, thresholds in (("measure", targets), ("alert", alerts)):
        if thresholds:
            bands = OneLine({name: threshold.band for name, threshold in thresholds.items()}, name=_ANCHORS[key])
            notes[key] = tuple(said(line, words) for line, words in origins(thresholds)) if first else ()
            value[key] = Noted(bands, notes[key])
    if then:
        value["then"] = then
    return Noted(value, entry.notes)
