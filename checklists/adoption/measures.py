"""What the document's thresholds are about, and what each is for: target, alert, rollback, or a gate before it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from checklists.adoption.amounts import Limit, limits
from checklists.adoption.draft import Notebook
from checklists.adoption.people import approvals
from checklists.adoption.phases import Phases
from checklists.adoption.prose import Passage
from checklists.adoption.schedule import is_staging
from checklists.document import PhaseKind
from checklists.quantities import parse_band

Use = Literal["target", "alert", "rollback", "before", "staging"]

_WORDS: tuple[tuple[str, str, str, str], ...] = (
    # (pattern, name, what people call it, unit of a bare number)
    (r"\bsuccess(?:ful)?(?: rates?)?\b", "success_rate", "Success rate", "%"),
    (r"\b(?:availability|uptime)\b", "availability", "Availability", "%"),
    (r"\b(?:error|failure|5xx|exception)s?(?:[ -]rates?|[ -]ratio|[ -]percentage)?\b", "error_rate", "Error rate", "%"),
    (r"\busers?\b", "users_affected", "Users affected", "%"),
    (r"\b(?:quer(?:y|ies))\b", "query_latency", "Database queries", "s"),
    (r"\b(?:latency|latencies|response[ -]times?|request duration|p\d{2,3})\b", "latency", "Latency", "s"),
    (r"\bcpu\b", "cpu", "CPU usage", "%"),
    (r"\b(?:memory|ram|heap)\b", "memory", "Memory usage", "%"),
    (r"\b(?:disk|storage)\b", "disk", "Disk", "%"),
    (r"\bqueue(?: (?:depth|length|size|lag))?\b|\bbacklog\b", "queue_depth", "Queue depth", "count"),
    (r"\b(?:open )?connections?\b", "connections", "Connections", "count"),
    (r"\brestarts?\b", "restarts", "Restarts", "count"),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), name, say, unit) for pattern, name, say, unit in _WORDS)
_PERCENTILE = re.compile(
    r"\bp\s?(50|75|90|95|99|999)\b|\b(50|75|90|95|99)(?:th|\.9th) percentile\b|\b(median)\b", re.IGNORECASE
)
_OF = re.compile(r"^\W*(database|db|rds|postgres\w*|mysql|redis|cache)\b", re.IGNORECASE)
_ALERT = re.compile(r"\b(?:alerts?|alarm|page|critical threshold|warning)\b", re.IGNORECASE)
_TARGET = re.compile(
    r"\b(?:targets?|goals?|slos?|expected|acceptable|success(?:ful)? (?:when|if|criteria))\b", re.IGNORECASE
)
ROLLBACK = re.compile(
    r"\broll(?:ed|ing)?[- ]?back\W{1,3}(?:should |must |immediately )?"
    r"(?:if|when|criteria|conditions?|triggers?|thresholds?)\b"
    r"|\bwhen to roll[- ]?back\b|\babort (?:if|when)\b|\bno[- ]go (?:if|when|criteria)\b",
    re.IGNORECASE,
)
"""Words over the conditions to go back."""
_NOT_WATCHED = re.compile(r"\b(?:troubleshooting|symptoms?|coverage|deployment metrics|rto|rpo)\b", re.IGNORECASE)
_DIMENSIONS = {"%": "ratio", "s": "seconds", "count": "count", "x": "times normal"}


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that is measured: the name of its probe, what people call it, the unit of its thresholds."""

    name: str
    say: str
    unit: str
    sure: bool = True
    """False where the text names no percentile."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number of the document: what of, where it stands, and what for."""

    measure: Measure
    band: str
    use: Use
    passage: Passage
    lasting: str | None


@dataclass(slots=True)
class Thresholds:
    """Every threshold found, in document order."""

    found: list[Threshold] = field(default_factory=list)

    def first(self, *uses: Use) -> dict[str, Threshold]:
        """The first threshold of every measure that has one of these uses."""
        firsts: dict[str, Threshold] = {}
        for threshold in self.found:
            if threshold.use in uses:
                firsts.setdefault(threshold.measure.name, threshold)
        return firsts

    def at(self, line: int) -> list[Threshold]:
        """Those that stand in the passage on this line."""
        return [threshold for threshold in self.found if threshold.passage.line == line]


def measure_of(limit: Limit, text: str, lead: str, only: str | None = None) -> Measure | None:
    """What a threshold is about: the words before it, else behind it, else over it. `only` is the percentile that is
    meant where none is named, if the document has just one."""
    for words in (limit.before, limit.after, lead):
        if made := _measure(words, f"{words} {limit.before} {limit.after}", text, limit, only):
            return made
    return None


def named_measure(words: str, unit: str, only: str | None = None) -> Measure | None:
    """The measure a table's column is about ("Error Rate", "Response Time")."""
    bare = Limit("<", "1", unit, words, "", None)
    return _measure(words, words, words, bare, only)


def _measure(words: str, near: str, text: str, limit: Limit, only: str | None) -> Measure | None:
    hits = [(match.end(), row) for row in _COMPILED if (match := _last(row[0], words))]
    for _, (_, name, say, unit) in sorted(hits, key=lambda hit: -hit[0]):
        dimension = {"%": "%", "ms": "s", "s": "s", "min": "s", "h": "s", "x": "x"}.get(limit.unit or "", "")
        if dimension == "x":
            return _made(f"{name}_vs_normal", f"{say} against normal", "x", near, text, None, words)
        if (dimension or unit) != unit or (not dimension and unit != "count"):
            continue
        return _made(name, say, unit, near, text, only, words)
    return None


def _last(pattern: re.Pattern[str], words: str) -> re.Match[str] | None:
    matches = list(pattern.finditer(words))
    return matches[-1] if matches else None


def _made(name: str, say: str, unit: str, near: str, text: str, only: str | None, words: str) -> Measure:
    of = _OF.search(text)
    prefix = {"db": "database", "rds": "database", "cache": "redis"}.get(of[1].lower(), of[1].lower()) if of else ""
    if name.startswith("latency"):
        rank = _PERCENTILE.search(near)
        which = f"p{rank[1] or rank[2] or '50'}" if rank else None
        called = "Response time" if re.search(r"response[ -]time", near, re.IGNORECASE) else "Latency"
        if unit == "x":
            return Measure("response_time_vs_normal", "Response time against normal", "x")
        if which or only:
            return Measure(f"{which or only}_latency", f"{called} ({which or only})", unit, which is not None)
        own = " ".join(words.split()).strip(" (:-")
        return Measure("latency", own if re.fullmatch(r"(?:[A-Za-z]+ ){1,2}\w+", own) else called, unit, False)
    if name == "disk":
        free = re.search(r"\bfree\b|\bavailable\b", near, re.IGNORECASE)
        name, say = ("disk_free", "Disk space free") if free else ("disk_used", "Disk usage")
    if prefix and name not in ("query_latency",):
        name, say = (
            f"{prefix}_{name}",
            f"{prefix.capitalize()}: {say[0].lower() + say[1:] if say[1:2].islower() else say}",
        )
    return Measure(name, say, unit)


def find_thresholds(passages: Sequence[Passage], phases: Phases, book: Notebook) -> Thresholds:
    """Every threshold in prose, with its use; those of nothing known are left in the notebook."""
    ranks = {f"p{match[1] or match[2] or '50'}" for passage in passages for match in _PERCENTILE.finditer(passage.text)}
    only = next(iter(ranks)) if len(ranks) == 1 else None
    thresholds = Thresholds()
    for passage in _with_headings(passages, phases):
        if passage.line in book.taken:
            continue
        for limit in () if approvals([passage.text]) else limits(passage.text):
            lead = passage.lead[-1] if passage.lead else ""
            if _NOT_WATCHED.search(passage.whole) and not _ALERT.search(lead):
                book.leave(passage.line, f'a number that nothing watches: "{passage.text}"')
                break
            measure = measure_of(limit, passage.text, lead, only)
            use = _use(passage, limit, phases)
            if measure is None or use is None:
                book.leave(passage.line, f'a number that nothing watches: "{passage.text}"')
                continue
            words = limit.band(measure.unit)
            if _fits(words, measure):
                if use == "staging":
                    measure = Measure(f"staging_{measure.name}", f"{measure.say} (staging)", measure.unit, measure.sure)
                thresholds.found.append(Threshold(measure, words, use, passage, limit.lasting))
    return thresholds


def _with_headings(passages: Sequence[Passage], phases: Phases) -> Iterator[Passage]:
    """The passages, and the headings with a number: "Automatic Rollback (if error rate > 5%)"."""
    seen: set[tuple[str, ...]] = set()
    for passage in passages:
        if passage.path and passage.path not in seen:
            seen.add(passage.path)
            if ROLLBACK.search(passage.path[-1]) and limits(passage.path[-1]):
                yield Passage(passage.path[-1], passage.line, passage.path[:-1], (), "paragraph")
        yield passage


def _fits(words: str, measure: Measure) -> bool:
    try:
        return parse_band(words).dimension == _DIMENSIONS[measure.unit]
    except ValueError:
        return False


def _use(passage: Passage, limit: Limit, phases: Phases) -> Use | None:
    near = " / ".join((*passage.lead[-2:], passage.text[: passage.text.find(limit.number)]))
    kind = phases.kind(passage.line)
    if any(ROLLBACK.search(words) for words in (*passage.path[-2:], *passage.lead, passage.text)):
        return "rollback"
    if is_staging(f"{' / '.join(passage.path)} / {near}"):
        return "staging" if kind is PhaseKind.RUN else None
    if _ALERT.search(near) or (_ALERT.search(" / ".join(passage.path[-1:])) and limit.rises):
        return "alert"
    if kind in (PhaseKind.REFERENCE, PhaseKind.FOLLOW_UP):
        return "target" if _TARGET.search(f"{' / '.join(passage.path[-2:])} / {near}") else None
    if kind is not PhaseKind.RUN:
        return None
    if phases.is_after(passage.line) or _TARGET.search(near):
        return "target"
    return "before"


def origins(thresholds: dict[str, Threshold]) -> list[tuple[int, str]]:
    """The passages these stand in, each once: (line, words)."""
    return list(dict.fromkeys((t.passage.line, t.passage.text) for t in thresholds.values()))
