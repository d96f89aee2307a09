"""Task items out of list blocks: identity, command, notes, and what the words say about owner and need."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from checklists.document import Item
from checklists.markdown import Block, is_list, one_line, with_links, without_markup
from checklists.source import Source

_NEED = r"(?:needed|applicable|required|necessary|relevant|appropriate|available|any|possible|used|desired)"
_OPTIONAL = re.compile(
    rf"\((?:if|as|when|where) {_NEED}\b[^()]*\)|[(\[]optional\b[^)\]]*[)\]]|^\W*optional\W*:"
    r"|\(if\b[^()]*\)\W*(?:[-–—]\s*@[^\s@]+\s*)*$",
    re.IGNORECASE,
)
_MENTION = r"@[A-Za-z0-9][\w./-]*"
_OWNER = re.compile(
    rf"(?: [-–—:] ?|\()(?P<mention>{_MENTION}(?:(?: ?[,/&+] ?| (?:and )?){_MENTION})*)\)?$"
    r"|[(\[](?:owners?|assignee|assigned to|responsible) ?:(?P<named>[^()\[\]]+)[)\]]\W*$"
    r"| [-–—] ?(?:owners?|assignee|responsible) ?:(?P<dashed>.+)$",
    re.IGNORECASE,
)
"""For a label whose runs of white space are one space."""
_ROLE = re.compile(
    r"^\[(?P<first>[^\[\]]+)\](?![(\[:])|(?<=\s)\[(?P<last>[^\[\]]+)\]$",
)
_ROLE_WORD = re.compile(
    r"\b(?:leads?|captain|manager|engineers?|owner|dev(?:eloper)?s?|ops|devops|qa|sre|dba|coordinator|admin|on-?call|pm|cto"
    r"|team|support|commander|director|architect|reviewer|maintainers?)$",
    re.IGNORECASE,
)
_NOTE_OWNER = re.compile(r"^[*_]*(?:owner|assignee|assigned to|responsible)[*_]*\s*:[*_]*\s*(\S.*)$", re.IGNORECASE)
_BOX_IN_TEXT = re.compile(r"^[ \t]*(?:[-+*]|\d+[.)])[ \t]+\[[ xX]\][ \t]", re.MULTILINE)


class Ids:
    """Makes the stable ids of one file's items, phases and sections."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, ...]] = Counter()
        self._used: set[str] = set()

    def item(self, titles: Sequence[str], above: Sequence[str], label: str) -> str:
        """An item's id: from the titles over it, the items and groups over it, its words, and which of several alike it
        is. What stands beside it plays no part.
        """
        key = ("item", *titles, "\0", *above, "\0", " ".join(label.split()))
        self._seen[key] += 1
        return self._unique(slug(label, 24), (*key, str(self._seen[key])))

    def headings(self, titles: Sequence[tuple[str, ...]]) -> list[str]:
        """Ids for headings given by their paths: the slug of the last title, with a hash where two would be alike."""
        slugs = [slug(path[-1], 31) for path in titles]
        alike = Counter(slugs)
        ids = []
        for path, own in zip(titles, slugs, strict=True):
            key = ("heading", *path)
            self._seen[key] += 1
            if own and alike[own] == 1 and own not in self._used:
                self._used.add(own)
                ids.append(own)
            else:
                ids.append(self._unique(own, (*key, str(self._seen[key]))))
        return ids

    def _unique(self, start: str, key: tuple[str, ...]) -> str:
        salt = 0
        while True:
            digest = hashlib.sha256("\x1f".join((*key, "~" * salt)).encode()).hexdigest()[:8]
            made = f"{start}-{digest}" if start else digest
            if made not in self._used:
                self._used.add(made)
                return made
            salt += 1


def slug(text: str, length: int) -> str:
    """A text in lower-case ASCII with hyphens, at most `length` long; empty for other scripts."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:length].rstrip("-")


def read_items(
    blocks: Sequence[Block], titles: Sequence[str], ids: Ids, links: Mapping[str, str], source: Source
) -> Iterator[Item]:
    """The items in these blocks, in document order, each before those nested in it."""
    walker = _Walker(titles, ids, links, source)
    for block in blocks:
        if block.has_task:
            yield from walker.within(block, 0, None, (), ())


def loose_commands(blocks: Sequence[Block]) -> Iterator[str]:
    """The fences which belong to no item, in order."""
    for block in blocks:
        if block.kind == "fence":
            yield block.token.content.removesuffix("\n")
        elif block.box is None:
            yield from loose_commands(block.children)


class _Walker:
    def __init__(self, titles: Sequence[str], ids: Ids, links: Mapping[str, str], source: Source) -> None:
        self._titles = titles
        self._ids = ids
        self._links = links
        self._source = source

    def within(
        self, block: Block, depth: int, parent: str | None, groups: tuple[str, ...], above: tuple[str, ...]
    ) -> Iterator[Item]:
        """Items at and below a block. `depth` counts the lists around it; `groups` are plain bullets since `parent`."""
        if block.box is not None:
            item = self._item(block, max(depth, 1), parent, groups, above)
            yield item
            parent, groups, above = item.id, (), (item.id,)
        elif block.kind == "list_item":
            label = one_line(first_paragraph(block))
            if label:
                groups, above = (*groups, label), (*above, label)
        if is_list(block):
            depth += 1
        for child in block.children:
            if child.has_task:
                yield from self.within(child, depth, parent, groups, above)

    def _item(
        self, block: Block, depth: int, parent: str | None, groups: tuple[str, ...], above: tuple[str, ...]
    ) -> Item:
        box = block.box
        assert box is not None
        paragraph = first_paragraph(block)
        label = one_line(paragraph.removeprefix(box.marker)) if paragraph else box.text
        commands: list[str] = []
        notes: list[str] = list(box.notes)
        self._own(block.children[1:] if paragraph else block.children, 0, commands, notes)
        return Item(
            id=self._ids.item(self._titles, above, label),
            text=box.text,
            label=with_links(label, self._links),
            line=box.line,
            depth=depth,
            command="\n\n".join(commands) if commands else None,
            notes=tuple(notes),
            checked=box.checked,
            optional=_OPTIONAL.search(label) is not None,
            parent=parent,
            group=with_links(" › ".join(groups), self._links) or None,
            owner=box.owner or _owner(label, notes),
        )

    def _own(self, blocks: Sequence[Block], nested: int, commands: list[str], notes: list[str]) -> None:
        """Collect what belongs to an item itself: everything below it but other items and what hangs under those."""
        mark = "› " * max(nested - 1, 0)
        for block in blocks:
            if block.box is not None:
                continue
            match block.kind:
                case "fence":
                    commands.append(block.token.content.removesuffix("\n"))
                case "code_block":
                    code = block.token.content.removesuffix("\n")
                    (notes if _BOX_IN_TEXT.search(code) else commands).append(code)
                case "paragraph" | "heading":
                    notes.append(mark + with_links(one_line(block.content), self._links))
                case "html_block":
                    if text := without_markup(block.token.content):
                        notes.append(mark + text)
                case "table":
                    notes.extend(mark + line.strip() for line in self._source.lines[block.start : block.end])
                case "list_item":
                    number = f"{block.token.info}{block.token.markup} " if block.token.info else ""
                    inner: list[str] = []
                    # A bullet with items below is their group label, shown with them.
                    rest = block.children[1:] if block.has_task and first_paragraph(block) else block.children
                    self._own(rest, nested, commands, inner)
                    if inner and number:
                        inner[0] = mark + number + inner[0].removeprefix(mark)
                    notes.extend(note for note in inner if note)
                case "bullet_list" | "ordered_list":
                    self._own(block.children, nested + 1, commands, notes)
                case "definition":
                    pass
                case _:
                    self._own(block.children, nested, commands, notes)


def first_paragraph(item: Block) -> str:
    """The inline Markdown an item begins with, box included; empty when it begins with something else."""
    first = item.children[0] if item.children else None
    return first.content if first is not None and first.kind in ("paragraph", "heading") else ""


def _owner(label: str, notes: Sequence[str]) -> str | None:
    if found := _OWNER.search(" ".join(label.split())):
        return str(found["mention"] or found["named"] or found["dashed"]).strip() or None
    if (found := _ROLE.search(label)) and _ROLE_WORD.search(role := found["first"] or found["last"]):
        return role
    for note in notes:
        if found := _NOTE_OWNER.match(note):
            return found[1].strip()
    return None
