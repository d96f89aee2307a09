"""What in a document is probably not what its author meant, for lint to say. Nothing here is an error."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from checklists.boxes import symbol_box, symbol_lines, table_boxes
from checklists.document import Checklist, Item
from checklists.headings import is_lone_dash
from checklists.markdown import Block, Document, is_list
from checklists.source import Source

_BOX_LINE = re.compile(r"^[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)+\[[ xX]\](?=[ \t])")
_BARE_BOX = re.compile(r"^[ \t]*(?:[-+*]|\d{1,9}[.)])[ \t]+\[[ xX]\]$")
_GLUED_BOX = re.compile(r"^[ \t]*(?:[-+*]|\d{1,9}[.)])[ \t]+\[[ xX]\][^\s(\[:]")
_EXCLUSIVE = (frozenset({"yes", "no"}), frozenset({"staging", "production"}), frozenset({"pass", "fail"}))
_UNCHECKED = re.compile(r"leave (?:this |it )?unchecked", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Doubt:
    """One thing to look at. `line` and `column` are 1-based, `code` never changes, `message` is a sentence."""

    line: int
    column: int
    code: str
    message: str


def find_doubts(document: Document, checklist: Checklist, source: Source, sources: frozenset[str]) -> tuple[Doubt, ...]:
    """Everything doubtful in a document, in the order of its lines. `sources` are what is already read as items."""
    found = [*_of_items(checklist, source), *_of_blocks(document.blocks, source)]
    if "symbols" not in sources:
        found.extend(_symbols(document.blocks, source))
    if "tables" not in sources:
        found.extend(_tables(document.blocks, source))
    if "lists" not in sources:
        found.extend(_lists(document.blocks, source))
    return tuple(sorted(found))


def _of_items(checklist: Checklist, source: Source) -> Iterator[Doubt]:
    for phase in checklist.phases:
        for section in phase.sections:
            siblings: dict[tuple[str | None, str | None], list[Item]] = {}
            for item in section.items:
                siblings.setdefault((item.parent, item.group), []).append(item)
                at = (item.line, _column(source, item.line))
                if item.checked:
                    yield Doubt(*at, "ticked", f'"{_short(item)}" is ticked in the document; a run starts unticked.')
                if item.optional:
                    yield Doubt(*at, "optional", f'"{_short(item)}" may not apply: it can be excused with one tap.')
                if not item.label:
                    yield Doubt(*at, "empty", "This item has no text.")
                if _UNCHECKED.search(item.label):
                    message = (
                        f'"{_short(item)}" is to stay unticked: give its section `choose: one`, or take the box away.'
                    )
                    yield Doubt(*at, "exclusive", message)
            for group in siblings.values():
                yield from _of_siblings(group, section.title, source)


def _of_siblings(items: Sequence[Item], section: str, source: Source) -> Iterator[Doubt]:
    words = {item.label.strip(" *_:.").casefold() for item in items}
    if len(items) == 2 and words in _EXCLUSIVE:
        at = (items[0].line, _column(source, items[0].line))
        names = " and ".join(item.label for item in items)
        yield Doubt(*at, "exclusive", f'{names} exclude each other: give the section "{section}" `choose: one`.')
    first: dict[str, int] = {}
    for item in items:
        if item.label and first.setdefault(item.label, item.line) != item.line:
            message = (
                f'"{_short(item)}" stands here a second time, first on line {first[item.label]}; both must be ticked.'
            )
            yield Doubt(item.line, _column(source, item.line), "duplicate", message)


def _of_blocks(blocks: Iterable[Block], source: Source) -> Iterator[Doubt]:
    code: list[int] = []
    for top in blocks:
        in_quote = -1
        for block in top.walk():
            if is_lone_dash(block, source):
                message = f'The lone "-" makes a heading of "{block.content}". It is read as text; part them.'
                yield Doubt(block.end, _column(source, block.end), "setext", message)
            elif block.kind == "heading" and block.token.markup == "-" and block.content.endswith(":"):
                message = (
                    f'The dashes below make a heading of "{block.content}"; for a rule, put an empty line between.'
                )
                yield Doubt(block.end, _column(source, block.end), "setext", message)
            if block.kind == "blockquote":
                in_quote = max(in_quote, block.end)
            lines = range(block.start, block.end)
            if block.kind == "list_item" and block.box is None:
                yield from _of_bullet(block, in_quote, source)
            elif block.kind in ("paragraph", "code_block"):
                first = lines.start if block.kind == "code_block" else lines.start + 1
                for line in range(first, lines.stop):
                    if _BOX_LINE.match(source.lines[line]):
                        message = (
                            "Indented too deep to be an item, this is read as text: indent it like the words above."
                        )
                        yield Doubt(line + 1, _column(source, line + 1), "too-deep", message)
            elif block.kind == "fence":
                code.extend(line + 1 for line in lines if _BOX_LINE.match(source.lines[line]))
    if code:
        message = f"{_count(len(code), 'box', 'boxes')} in code, the first one here, not read as items."
        yield Doubt(code[0], _column(source, code[0]), "in-code", message)


def _of_bullet(item: Block, in_quote: int, source: Source) -> Iterator[Doubt]:
    line = source.lines[item.start]
    at = (item.start + 1, _column(source, item.start + 1))
    if _BARE_BOX.match(line):
        yield Doubt(*at, "bare-box", "GitHub reads a box without text or space behind it as text; so it is no item.")
    elif _GLUED_BOX.match(line):
        yield Doubt(*at, "glued-box", "A box is an item only with a space behind it.")
    elif _BOX_LINE.match(line) and not (item.children and is_list(item.children[0])):
        where = "in a quote" if item.start < in_quote else "behind a second list marker"
        yield Doubt(*at, "not-an-item", f"cmark-gfm reads no task {where}; so this is no item.")


def _symbols(blocks: Iterable[Block], source: Source) -> Iterator[Doubt]:
    marks: Counter[str] = Counter()
    first = 0
    for top in blocks:
        for block in top.walk():
            boxes = []
            if block.kind == "list_item" and block.box is None:
                boxes = [symbol_box(block, source)]
            elif block is top and block.kind == "paragraph":
                boxes = [line.box for line in symbol_lines(block, source)]
            for box in boxes:
                if box is not None and not re.fullmatch(r"\[[ xX]\]", box.marker):
                    marks[box.marker] += 1
                    first = first or box.line
    if marks:
        kinds = ", ".join(f"{count} × {mark}" for mark, count in marks.most_common())
        offer = "`items_from: [symbols]` in the policy reads them as items."
        message = f"{kinds}: no GitHub items, so not ticked here. {offer}"
        yield Doubt(first, _column(source, first), "symbols", message)


def _tables(blocks: Iterable[Block], source: Source) -> Iterator[Doubt]:
    lines = [
        box.line
        for top in blocks
        for table in top.walk()
        if table.kind == "table"
        for _, box in table_boxes(table, source)
    ]
    if lines:
        rows = _count(len(lines), "table row", "table rows")
        message = f"{rows} with a box: no GitHub items. `items_from: [tables]` in the policy reads each row as an item."
        yield Doubt(lines[0], _column(source, lines[0]), "tables", message)


def _lists(blocks: Sequence[Block], source: Source) -> Iterator[Doubt]:
    lists = [
        block for block in blocks if is_list(block) and not any(symbol_box(item, source) for item in block.children)
    ]
    if lists and not any(block.has_task for block in blocks):
        entries = _count(sum(len(block.children) for block in lists), "list entry", "list entries")
        message = (
            "No list has a box, so nothing can be ticked. "
            f"`items_from: [lists]` in the policy reads {entries} as items."
        )
        yield Doubt(lists[0].start + 1, 1, "lists", message)


def _column(source: Source, line: int) -> int:
    text = source.lines[line - 1]
    return len(text) - len(text.lstrip(" \t>")) + 1


def _short(item: Item) -> str:
    return item.label if len(item.label) <= 60 else item.label[:59].rstrip() + "…"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
