"""The decision matrix: a table of severities, or a list "Critical (…) → Roll back"."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checklists.adoption.amounts import band, duration
from checklists.adoption.draft import Notebook, Noted, OneLine, said, unsure
from checklists.adoption.measures import Measure, named_measure
from checklists.adoption.prose import Passage, Table
from checklists.quantities import parse_band

_SEVERITY = re.compile(r"\b(?:severity|priority|sev|level|impact level)\b", re.IGNORECASE)
_ACTION = re.compile(r"\b(?:action|decision|response|what to do|do)\b", re.IGNORECASE)
_LIMIT = re.compile(r"\b(?:timeline|time|within|deadline|sla|when|response time|timeframe)\b", re.IGNORECASE)
_LEVEL = re.compile(
    r"^(critical|blocker|severe|high|major|medium|moderate|minor|low|trivial|(?:sev|p)[- ]?[0-5])\b"
    r"\s*(?:\(([^()]*)\))?\s*(?:→|->|=>|:|–|—|-)\s*(.+)$",
    re.IGNORECASE,
)
_ROLLBACK = re.compile(r"\broll(?:ing)?[- ]?back\b", re.IGNORECASE)
_UNITS = {"ratio": "%", "seconds": "s", "times normal": "x", "count": "count"}


@dataclass(frozen=True, slots=True)
class Matrix:
    """The rows, the measures they name, and the worst row's numbers where it says to roll back."""

    rows: list[Noted]
    measures: dict[str, tuple[Measure, int, str]]
    """By name, with the line and words they come from."""
    worst: tuple[dict[str, str], str | None, int, str] | None
    """Bands, time limit, line and words of the first row that says to roll back."""


def find_matrix(tables: Sequence[Table], passages: Sequence[Passage], only: Measure | None, book: Notebook) -> Matrix:
    """The first table that is a decision matrix, else the first list of severities. `only` is the latency that is
    meant where a column names no percentile."""
    for table in tables:
        head = [cell.strip() for cell in table.head]
        first = next((index for index, cell in enumerate(head) if _SEVERITY.search(cell)), None)
        actions = [i for i, cell in enumerate(head) if i != first and _ACTION.search(cell)]
        action = next((i for i in actions if not _timed(table, i) and not _measured(table, i)), None)
        if first is not None and action is not None and len(table.rows) >= 2:
            return _of_table(table, first, action, only)
    return _of_list(passages, book)


def says_rollback(passage: Passage) -> bool:
    """Whether a bullet is a severity that says to roll back: "Critical: Immediate rollback"."""
    match = _LEVEL.match(passage.text) if passage.form == "bullet" else None
    return match is not None and _ROLLBACK.search(match[3]) is not None


def _timed(table: Table, column: int) -> bool:
    """Whether a column holds lengths of time: "Response Time" can be a limit or a measure."""
    cells = [row[column] for _, row in table.rows if len(row) > column]
    return bool(cells) and sum(duration(cell) is not None for cell in cells) * 2 > len(cells)


def _measured(table: Table, column: int) -> bool:
    cells = [row[column] for _, row in table.rows if len(row) > column]
    return bool(cells) and sum(band(cell) is not None for cell in cells) * 2 > len(cells)


def _of_table(table: Table, first: int, action: int, only: Measure | None) -> Matrix:
    columns = [index for index in range(len(table.head)) if index not in (first, action)]
    in_bands = {index: _measure(table, index, only) for index in columns if _measured(table, index)}
    waits = [i for i in columns if _LIMIT.search(table.head[i]) and not in_bands.get(i)]
    measures: dict[str, tuple[Measure, int, str]] = {}
    rows: list[Noted] = []
    worst = None
    bands = [_bands(row, in_bands) for _, row in table.rows]
    _apart(bands)
    for (line, row), when in zip(table.rows, bands, strict=True):
        cell = dict(enumerate(row))
        notes = [said(line, " | ".join(row))]
        value: dict[str, object] = {"severity": cell.get(first, "") or "?"}
        if when:
            value["when"] = OneLine(dict(when))
            plain = dict(_bands(row, in_bands).items())
            if plain != when:
                notes.append(unsure("made not to overlap the row below it"))
        means = [_means(table.head[i], cell.get(i, "")) for i in columns if i not in waits and cell.get(i)]
        if means:
            value["means"] = ", ".join(means)
        value["action"] = cell.get(action, "") or "?"
        wait = cell.get(waits[0], "") if waits else ""
        if wait:
            value["within"] = wait
            if limit := duration(wait):
                value["limit"] = limit
        if not rows and only is not None and only in in_bands.values():
            notes.append(unsure(f"the table names no percentile; {only.name} is what the rest of the document watches"))
        rows.append(Noted(value, tuple(notes)))
        if worst is None and _ROLLBACK.search(str(value["action"])):
            worst = (dict(when), duration(wait), line, " | ".join(row))
        for index, measure in in_bands.items():
            if measure and measure.name in when:
                measures.setdefault(measure.name, (measure, table.line, table.head[index]))
    return Matrix(rows, measures, worst)


def _measure(table: Table, column: int, only: Measure | None) -> Measure | None:
    cells = [words for _, row in table.rows if len(row) > column and (words := band(row[column]))]
    unit = _UNITS.get(parse_band(cells[0]).dimension, "")
    head = table.head[column]
    if unit == "%" and any(
        re.search(r"\busers?\b|\bcustomers?\b", row[column]) for _, row in table.rows if len(row) > column
    ):
        return Measure("users_affected", "Users affected", "%")
    found = named_measure(head, "ms" if unit == "s" else unit)
    if found is not None and found.name == "latency" and only is not None:
        return only
    return found


def _bands(row: Sequence[str], columns: Mapping[int, Measure | None]) -> dict[str, str]:
    found = {}
    for index, measure in columns.items():
        if measure is None or index >= len(row):
            continue
        words = band(row[index])
        if (
            words is None
            and measure.name == "users_affected"
            and re.fullmatch(r"all (?:users|customers)\W*", row[index], re.IGNORECASE)
        ):
            words = "= 100%"
        if words and _UNITS.get(parse_band(words).dimension) == measure.unit:
            found[measure.name] = words
    return found


def _apart(bands: list[dict[str, str]]) -> None:
    """`< 50%` above a row `< 10%` becomes `10-50%`: both numbers are the document's."""
    for above, below in itertools.pairwise(bands):
        for name, words in above.items():
            lower = re.fullmatch(r"< ([\d.]+)(.*)", below.get(name, ""))
            upper = re.fullmatch(r"< ([\d.]+)(.*)", words)
            if lower and upper and lower[2] == upper[2] and float(lower[1]) < float(upper[1]):
                above[name] = f"{lower[1]}-{upper[1]}{upper[2]}"


def _means(head: str, cell: str) -> str:
    return f"{head} {cell}" if band(cell) and not re.search(r"[a-z]{3}", cell, re.IGNORECASE) else cell


def _of_list(passages: Sequence[Passage], book: Notebook) -> Matrix:
    groups: dict[tuple[object, ...], list[tuple[Passage, re.Match[str]]]] = {}
    for passage in passages:
        if passage.form != "paragraph" and (match := _LEVEL.match(passage.text)):
            groups.setdefault((passage.path, passage.lead), []).append((passage, match))
    for found in groups.values():
        if len(found) < 2 or not any(_ROLLBACK.search(match[3]) for _, match in found):
            continue
        rows = []
        for passage, match in found:
            value: dict[str, object] = {"severity": match[1]}
            if match[2]:
                value["means"] = match[2]
            value["action"] = match[3]
            if limit := re.search(r"\b(?:within|in|<)\s+(\d[^,;]*)", match[3]):
                value["within"] = limit[0]
                if length := duration(limit[1]):
                    value["limit"] = length
            elif soon := re.search(r"\bimmediate(?:ly)?\b|\bnext (?:deploy\w*|release)\b", match[3], re.IGNORECASE):
                value["within"] = soon[0].lower()
            rows.append(Noted(value, (said(passage.line, passage.text),)))
            book.taken.add(passage.line)
        return Matrix(rows, {}, None)
    return Matrix([], {}, None)
