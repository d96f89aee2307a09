"""A document as passages: every piece of prose with its line, the headings above it and the words that lead to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from checklists.headings import Part, outline
from checklists.items import first_paragraph
from checklists.markdown import Block, inline_tokens, is_list, read, words
from checklists.source import Source

_LABELLED = re.compile(
    r"\s*(?:[-*+]\s+)?(?:\*\*|__)[^*_\n]{1,60}(?:\*\*|__)\s*[:：]|\s*(?:\*\*|__)[^*_\n]{1,60}[:：](?:\*\*|__)"
)
_LONGEST_LEAD = 160
LONGEST = 600
"""Characters of a passage that are looked at: quantities stand in short sentences."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph, a bullet or an item, as plain words."""

    text: str
    line: int
    path: tuple[str, ...]
    """Titles above it, the document's own left out."""
    lead: tuple[str, ...]
    """Bullets and introductions above it inside its section, outermost first: ("Avoid", …)."""
    form: Literal["paragraph", "bullet", "item"]
    numbered: bool = False
    parent: bool = False
    """Whether a list hangs below it."""
    quoted: bool = False
    """Whether it stands in a block quote."""
    links: tuple[tuple[str, str], ...] = ()
    """(words, address) of its links."""

    @property
    def around(self) -> str:
        """The headings and introductions above it as one text."""
        return " / ".join((*self.path, *self.lead))

    @property
    def whole(self) -> str:
        """Everything that is said about it: what is around it, and its own words."""
        return f"{self.around} / {self.text}"


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code or of a message."""

    content: str
    info: str
    line: int
    """Of its first line of content."""
    path: tuple[str, ...]
    lead: tuple[str, ...]
    item: int | None = None
    """Line of the item it hangs under."""

    @property
    def around(self) -> str:
        return " / ".join((*self.path, *self.lead))


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its head, and its rows with their lines."""

    head: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    line: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prose:
    """All of a document in order."""

    passages: tuple[Passage, ...]
    fences: tuple[Fence, ...]
    tables: tuple[Table, ...]


def prose(source: Source) -> Prose:
    """Take a document apart. Comments and front matter are not part of it."""
    document = read(source)
    tree = outline(document, source)
    # A title above other headings names the document; alone it is the heading of what it says.
    above = len(tree.title.heading.path) if tree.title and tree.title.heading and len(tree.headings()) > 1 else 0
    found: list[Passage | Fence | Table] = []
    for part in tree.root.walk():
        found.extend(_Walker(_path(part, above), document.links).walk(part.blocks, (), None))
    return Prose(
        tuple(piece for piece in found if isinstance(piece, Passage)),
        tuple(piece for piece in found if isinstance(piece, Fence)),
        tuple(piece for piece in found if isinstance(piece, Table)),
    )


def _path(part: Part, above: int) -> tuple[str, ...]:
    return part.heading.path[above:] if part.heading else ()


@dataclass(frozen=True, slots=True)
class _Walker:
    path: tuple[str, ...]
    links: Mapping[str, str]

    def walk(
        self, blocks: Sequence[Block], lead: tuple[str, ...], item: int | None, *, quoted: bool = False
    ) -> Iterator[Passage | Fence | Table]:
        before: tuple[str, ...] = ()
        for block in blocks:
            match block.kind:
                case "paragraph" | "heading":
                    pieces = list(self._paragraph(block, lead, quoted))
                    yield from pieces
                    last = pieces[-1].text if pieces else ""
                    before = (last.rstrip(" :："),) if last and len(last) <= _LONGEST_LEAD else ()
                case "fence" | "code_block":
                    first = block.start + (2 if block.kind == "fence" else 1)
                    info = block.token.info.strip().split(" ")[0].lower()
                    yield Fence(block.token.content, info, first, self.path, (*lead, *before), item)
                case "table":
                    if table := self._table(block):
                        yield table
                case "bullet_list" | "ordered_list":
                    for child in block.children:
                        yield from self._item(child, (*lead, *before), block.kind == "ordered_list", item, quoted)
                    before = ()
                case "blockquote":
                    yield from self.walk(block.children, (*lead, *before), item, quoted=True)
                case _:
                    pass

    def _paragraph(self, block: Block, lead: tuple[str, ...], quoted: bool) -> Iterator[Passage]:
        lines = block.content.split("\n")
        # "**Owner**: x" on lines of their own are facts of their own; any other line goes on with the one before.
        apart = len(lines) > 1 and all(_LABELLED.match(line) for line in lines)
        for offset, raw in enumerate(lines if apart else [block.content]):
            if text := self._words(raw):
                yield Passage(
                    text, block.start + 1 + offset, self.path, lead, "paragraph", quoted=quoted, links=self._links(raw)
                )

    def _item(
        self, block: Block, lead: tuple[str, ...], numbered: bool, item: int | None, quoted: bool
    ) -> Iterator[Passage | Fence | Table]:
        raw = first_paragraph(block)
        rest = block.children[1:] if raw else block.children
        if block.box is not None:
            raw = raw.removeprefix(block.box.marker)
            item = block.box.line
        text = self._words(raw)
        if text:
            yield Passage(
                text,
                block.start + 1,
                self.path,
                lead,
                "bullet" if block.box is None else "item",
                numbered,
                any(is_list(child) for child in rest),
                quoted,
                self._links(raw),
            )
        shown = (text[:_LONGEST_LEAD].rstrip(" :："),) if text else ()
        yield from self.walk(rest, (*lead, *shown), item, quoted=quoted)

    def _table(self, block: Block) -> Table | None:
        rows = [row for row in block.walk() if row.kind == "tr"]
        cells = [
            (row.start + 1, tuple(self._words(cell.content) for cell in row.children if cell.kind in ("th", "td")))
            for row in rows
        ]
        return Table(cells[0][1], tuple(cells[1:]), cells[0][0], self.path) if len(cells) > 1 else None

    def _words(self, inline: str) -> str:
        return words(inline[:LONGEST], self.links)

    def _links(self, inline: str) -> tuple[tuple[str, str], ...]:
        if "](" not in inline and "][" not in inline:
            return ()
        found: list[tuple[str, str]] = []
        href, said = None, ""
        for token in inline_tokens(inline[:LONGEST], self.links):
            if token.type == "link_open":
                href, said = str(token.attrGet("href") or ""), ""
            elif token.type == "link_close" and href:
                found.append((" ".join(said.split()), href))
                href = None
            elif href is not None:
                said += token.content
        return tuple(found)
