"""Markdown as a tree of blocks, read the way GitHub reads it, with its task-list items marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from markdown_it.common.utils import normalizeReference
from markdown_it.token import Token

from checklists.gfm import BOX, block_parser, parse, parser
from checklists.source import Source

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_REFERENCE_LINK = re.compile(
    r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)|(?<!\\)\[(?P<text>[^\[\]]+)\](?:\[(?P<label>[^\[\]]*)\])?(?!\()"
)
"""Code is matched to be passed over."""
_TAG = re.compile(r"</?[A-Za-z][^>]*>")


_INLINE = parser()
_BLOCKS = block_parser()


@dataclass(frozen=True, slots=True)
class Box:
    """What makes a list item a task: where it stands, the words after the box on that line, whether it is ticked."""

    line: int
    text: str
    checked: bool
    marker: str
    """The box as it begins the item's paragraph, `[ ]` or `☐`; empty where the item was read without one."""
    notes: tuple[str, ...] = ()
    """The other cells of a table row."""
    owner: str | None = None
    """The owner column of a table row."""


@dataclass(slots=True)
class Block:
    """A block and what it contains. `start` and `end` are 0-based lines, `end` excluded."""

    kind: str
    """The markdown-it token type without `_open`."""
    token: Token
    start: int
    end: int
    children: list[Block] = field(default_factory=list)
    box: Box | None = None
    has_task: bool = False
    """Whether a task item is in here, this one included."""

    @property
    def content(self) -> str:
        """The inline Markdown of a paragraph, heading or cell, else the token's own content."""
        if self.children and self.children[0].kind == "inline":
            return self.children[0].token.content
        return self.token.content

    def walk(self) -> Iterator[Block]:
        """This block and all below it, in document order."""
        stack = [self]
        while stack:
            block = stack.pop()
            yield block
            stack.extend(reversed(block.children))


@dataclass(frozen=True, slots=True)
class Document:
    """A document's top-level blocks; GitHub's task items carry their box."""

    blocks: tuple[Block, ...]
    links: Mapping[str, str]
    """Targets of the link definitions (`[prs]: https://…`), by normalised label."""


def read(source: Source) -> Document:
    """Parse a document. Link definitions are blocks of the kind `definition`."""
    top: list[Block] = []
    open_: list[Block] = []
    line = 0
    env: dict[str, Any] = {}
    for token in parse(source.lines, _BLOCKS):
        if token.nesting < 0:
            closed = open_.pop()
            if closed.kind == "paragraph" and closed.content.startswith("[") and "]:" in closed.content:
                if not _INLINE.parse(closed.content, env):
                    closed.kind = "definition"
            elif closed.kind == "list_item":
                closed.box = _task_box(closed, source.lines)
            continue
        start, end = token.map or (line, line + 1)
        line = start
        block = Block(token.type.removesuffix("_open"), token, start, end)
        (open_[-1].children if open_ else top).append(block)
        if token.nesting > 0:
            open_.append(block)
    mark(top)
    return Document(tuple(top), {label: found["href"] for label, found in env.get("references", {}).items()})


def mark(top: Sequence[Block]) -> None:
    """Set `has_task` everywhere, from the boxes."""
    for block in top:
        for inner in reversed(list(block.walk())):
            inner.has_task = inner.box is not None or any(child.has_task for child in inner.children)


def _task_box(item: Block, lines: Sequence[str]) -> Box | None:
    # Indented code in an item can look like a box.
    if item.children and item.children[0].kind == "code_block" and item.children[0].start == item.start:
        return None
    found = BOX.match(lines[item.start])
    if found is None:
        return None
    return Box(item.start + 1, lines[item.start][found.end() :].strip(), found[1] != " ", f"[{found[1]}]")


def is_list(block: Block) -> bool:
    """Whether the block is a bullet or ordered list."""
    return block.kind in ("bullet_list", "ordered_list")


def without_markup(html: str) -> str:
    """The words of an HTML block: comments and tags taken out."""
    return " ".join(_TAG.sub(" ", _COMMENT.sub(" ", html)).split())


def words(inline: str, links: Mapping[str, str] = MappingProxyType({})) -> str:
    """Inline Markdown as plain words: emphasis, link targets, code marks and HTML taken out."""
    if inline.isalnum():
        return inline
    out: list[str] = []
    for token in inline_tokens(inline, links):
        match token.type:
            case "text" | "code_inline" | "image" | "text_special":
                out.append(token.content)
            case "softbreak" | "hardbreak":
                out.append(" ")
            case _:
                pass
    return " ".join("".join(out).split())


def inline_tokens(inline: str, links: Mapping[str, str] = MappingProxyType({})) -> list[Token]:
    """The inline tokens of one paragraph's Markdown."""
    env = {"references": {label: {"href": href, "title": ""} for label, href in links.items()}}
    return [child for token in _INLINE.parseInline(inline, env) for child in token.children or ()]


def one_line(paragraph: str) -> str:
    """A paragraph on one line: soft wraps joined, control characters and invisible HTML comments taken out."""
    text = paragraph
    if "<!--" in text:
        for token in inline_tokens(text):
            if token.type == "html_inline" and token.content.startswith("<!--"):
                text = text.replace(token.content, "", 1)
    *wrapped, last = (part.strip() for part in text.split("\n"))
    joined = " ".join(part for part in (*(part.removesuffix("\\") for part in wrapped), last) if part)
    return _CONTROL.sub(" ", joined).strip()


def with_links(label: str, links: Mapping[str, str]) -> str:
    """A label with its reference links (`[text][prs]`) written out, for chat has no definitions to look them up in."""
    if not links or "[" not in label:
        return label

    def written_out(found: re.Match[str]) -> str:
        text = found["text"]
        target = links.get(normalizeReference(found["label"] or text)) if text else None
        return f"[{text}]({target})" if target else found[0]

    return _REFERENCE_LINK.sub(written_out, label)
