"""What is no GitHub task-list item and a policy may still want read as items: tables, symbols, plain lists."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from checklists.markdown import Block, Box, Document, is_list, mark, one_line
from checklists.source import Source

_OPEN = "☐⬜□▢◻⚪🔲🔳🟦🟥🟨❌✗✘"
_DONE = "☑✅✔✓🗹☒🟩🟢"
SYMBOL = re.compile(
    rf"(?P<mark>\\?\[(?P<inside>[ \txX]?|[{_OPEN}{_DONE}])️?\\?\]|[{_OPEN}{_DONE}]️?)(?=[ \t]|$|[^\W\d_])"
)
"""A box which is no GitHub item: a symbol, `[]`, `[✅]`, or a GitHub box in a place where GitHub reads none."""
_DONE_SIGN = re.compile(rf"[xX{_DONE}]")
_BALLOT = re.compile(r"\\?\[[ \txX]?\\?\]|[☐☑☒🗹⬜🔲🔳□▢]")
"""What can begin an item outside any list. "✅ Successful when:" is a sentence."""
_MARKER = re.compile(r"^[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*")
_ITEM_COLUMN = re.compile(
    r"\b(?:task|item|check|step|action|description|activity|what|requirement|criteri\w+)s?\b", re.I
)
_OWNER_COLUMN = re.compile(r"\b(?:owner|assignee|responsible|assigned(?: to)?|who|person|role)s?\b", re.I)


def read_as_items(document: Document, source: Source, sources: Collection[str]) -> Document:
    """The same document with further blocks marked as items. `sources` are those of `Reading.sources`."""
    top = document.blocks
    for block in top:
        for inner in list(block.walk()):
            if "symbols" in sources and inner.kind == "list_item" and inner.box is None:
                inner.box = symbol_box(inner, source)
            if "tables" in sources and inner.kind == "table":
                for row, box in table_boxes(inner, source):
                    row.box = box
    mark(top)
    if "lists" in sources:
        for block in top:
            if is_list(block) and not block.has_task:
                for item in block.children:
                    item.box = _plain_box(item, source)
    if "symbols" in sources:
        top = tuple(piece for block in top for piece in symbol_lines(block, source))
    mark(top)
    return replace(document, blocks=top)


def symbol_box(item: Block, source: Source) -> Box | None:
    """The box of a bullet which begins with a symbol or `[]`."""
    first = item.children[0] if item.children else None
    if first is None or first.kind not in ("paragraph", "heading"):
        return None
    return _line_box(first.start, source)


def symbol_lines(block: Block, source: Source) -> Iterator[Block]:
    """A paragraph of lines which each begin with a symbol, as one item each; any other block as it is."""
    boxes = [_line_box(line, source) for line in range(block.start, block.end)] if block.kind == "paragraph" else []
    if not boxes or not all(box and _BALLOT.match(box.marker) for box in boxes):
        yield block
        return
    for line, box in enumerate(boxes, start=block.start):
        yield Block("line", block.token, line, line + 1, box=box)


def table_boxes(table: Block, source: Source) -> Iterator[tuple[Block, Box]]:
    """The rows of a table with a box in a cell. The other columns are notes, one names the owner."""
    head: list[str] = []
    for row in table.walk():
        if row.kind != "tr":
            continue
        cells = [one_line(cell.content) for cell in row.children]
        if row.children and row.children[0].kind == "th":
            head = cells
            continue
        boxes = [SYMBOL.match(cell) for cell in cells]
        at = next((index for index, found in enumerate(boxes) if found), None)
        if at is None:
            continue
        found = boxes[at]
        assert found is not None
        rest = cells[at][found.end() :].strip()
        column = at if rest else _item_column(head, cells, boxes)
        text = rest or (cells[column] if column is not None else "")
        others = [n for n in range(len(cells)) if n not in (at, column) and cells[n] and not boxes[n]]
        owner = next((n for n in others if _OWNER_COLUMN.search(head[n])), None)
        notes = tuple(f"{head[n]}: {cells[n]}" if head[n] else cells[n] for n in others if n != owner)
        checked = _DONE_SIGN.search(found["mark"]) is not None
        yield row, Box(row.start + 1, text, checked, "", notes, cells[owner] if owner is not None else None)


def _item_column(head: Sequence[str], cells: Sequence[str], boxes: Sequence[object]) -> int | None:
    candidates = [n for n, cell in enumerate(cells) if cell and not boxes[n] and not cell.strip("#.").isdigit()]
    named = [n for n in candidates if _ITEM_COLUMN.search(head[n])]
    return next(iter([*named, *candidates]), None)


def _line_box(line: int, source: Source) -> Box | None:
    written = source.lines[line]
    marker = _MARKER.match(written)
    start = marker.end() if marker else 0
    found = SYMBOL.match(written, start)
    if found is None:
        return None
    checked = _DONE_SIGN.search(found["mark"]) is not None
    return Box(line + 1, written[found.end() :].strip(), checked, found["mark"])


def _plain_box(item: Block, source: Source) -> Box | None:
    first = item.children[0] if item.children else None
    if first is None or first.kind not in ("paragraph", "heading"):
        return None
    written = source.lines[first.start]
    marker = _MARKER.match(written) if first.start == item.start else None
    text = written[marker.end() :] if marker else written
    return Box(first.start + 1, text.strip(), False, "") if text.strip() else None
