"""When the document says to go back, and how long that may take."""

from __future__ import annotations

import re
from collections.abc import Sequence

from checklists.adoption.amounts import duration
from checklists.adoption.draft import Notebook, Noted, OneLine, said, unsure
from checklists.adoption.matrix import Matrix, says_rollback
from checklists.adoption.measures import ROLLBACK, Measure, Threshold, Thresholds, origins
from checklists.adoption.prose import Passage
from checklists.reader import Heading

_WITHIN = re.compile(r"\brollback (?:steps?|time|procedure)\b|\btime to roll ?back\b", re.IGNORECASE)
_BY_ITSELF = re.compile(r"^(?P<what>.{3,120}?)\s*(?:→|->|=>|:)\s*automatic\w* roll[- ]?back", re.IGNORECASE)
_AUTOMATIC = re.compile(
    r"\bautomatic(?:ally)?\b.{0,30}\broll[- ]?back|\broll[- ]?back\b.{0,30}\bautomatic", re.IGNORECASE
)


def find_rollback(
    passages: Sequence[Passage],
    headings: Sequence[Heading],
    thresholds: Thresholds,
    matrix: Matrix,
    book: Notebook,
) -> tuple[dict[str, object], dict[str, Measure]]:
    """The value of `rollback`, and the measures it names."""
    value: dict[str, object] = {}
    measures: dict[str, Measure] = {}
    conditions = [
        p
        for p in passages
        if p.form == "bullet" and not p.parent and any(ROLLBACK.search(words) for words in (*p.path[-1:], *p.lead))
    ]
    conditions = [p for p in conditions if not p.numbered][:40]
    pipeline = [(p, match["what"]) for p in passages if p.form != "paragraph" and (match := _BY_ITSELF.match(p.text))]
    if not conditions:
        conditions = [passage for passage in passages if says_rollback(passage)][:12]
    if conditions:
        lines = []
        for passage in conditions:
            above = passage.lead[-1] if len(passage.lead) > 1 and not ROLLBACK.search(passage.lead[-1]) else ""
            lines.append(
                Noted(f"{above}: {passage.text}" if above else passage.text, (said(passage.line, passage.text),))
            )
            book.taken.add(passage.line)
        value["when"] = lines
    alerts = thresholds.first("rollback")
    if alerts:
        measures = {name: threshold.measure for name, threshold in alerts.items()}
    automatic = _automatic(headings, alerts)
    shown = {name: t for name, t in alerts.items() if automatic is None or name in automatic[1]}
    if shown:
        notes = [said(line, words) for line, words in origins(shown)]
        if len(shown) < len(alerts):
            notes.append(unsure("only what goes back by itself stands here; the other numbers fail a check and ask"))
        value["alert"] = Noted(OneLine({name: t.band for name, t in shown.items()}), tuple(notes))
        if lasting := next((t.lasting for t in shown.values() if t.lasting), None):
            value["lasting"] = lasting
    elif matrix.worst and matrix.worst[0]:
        bands, _, line, words = matrix.worst
        measures = {name: matrix.measures[name][0] for name in bands if name in matrix.measures}
        notes = [said(line, words), unsure("taken from the matrix: the first row that says to roll back")]
        value["alert"] = Noted(OneLine(dict(bands)), tuple(notes))
    if automatic and shown:
        line, _, words = automatic
        notes = [said(line, words), unsure("`automatic` rolls back without asking anybody; `ask` asks people")]
        value["mode"] = Noted("automatic", tuple(notes))
    if pipeline:
        value["by_pipeline"] = [Noted(what.strip(), (said(p.line, p.text),)) for p, what in pipeline[:20]]
    if within := _within(passages, headings, matrix, book):
        value["within"] = within
    return value, measures


def _automatic(headings: Sequence[Heading], alerts: dict[str, Threshold]) -> tuple[int, set[str], str] | None:
    """A heading such as "Automatic Rollback (if error rate > 5%)", and which of the conditions it repeats."""
    for heading in headings:
        if _AUTOMATIC.search(heading.title):
            numbers = {name for name, t in alerts.items() if t.band.replace(" ", "") in heading.title.replace(" ", "")}
            if numbers:
                return heading.line, numbers, heading.title
    return None


def _within(passages: Sequence[Passage], headings: Sequence[Heading], matrix: Matrix, book: Notebook) -> Noted | None:
    for line, words in (
        *((heading.line, heading.title) for heading in headings),
        *((p.line, p.text) for p in passages if p.form != "item" and len(p.text) <= 80),
    ):
        if _WITHIN.search(words) and (length := duration(words)):
            book.taken.add(line)
            return Noted(length, (said(line, words),))
    if matrix.worst and matrix.worst[1]:
        return Noted(matrix.worst[1], (said(matrix.worst[2], matrix.worst[3]),))
    return None
