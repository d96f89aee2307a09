"""The changes of a version, read from the repository's own CHANGELOG.md."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from checklists.markdown import words
from checklists.source import DocumentError, load

LINES = 20
"""How many changes are given; where there are more, the last line says how many."""
LONGEST_LINE = 300
"""Characters of one change."""
LARGEST = 1_000_000
"""Bytes of a file that is read."""

_BLOCKS = MarkdownIt("commonmark")
_BLOCKS.core.ruler.enableOnly(["normalize", "block"])

_LEADING_V = re.compile(r"^v(?=\d)", re.IGNORECASE)
# What may stand before the version in its heading: a date, a name, "Release", "api@".
# "Migrating from 1.1.0" is no entry of 1.1.0.
_BEFORE = (
    r"(?:\d{4}-\d\d-\d\d[ ,:–—-]+)?"
    r"(?:(?!\d|v\d|(?:from|to|since|before|after|until|for|than)\b)[\w./@-]+?[ @/:-] ?)?"
    r"(?:(?:version|release) )?[\[(]?v?"
)
# And after it: nothing, a date, a remark set off by a sign. Neither 1.2.0-rc.1 nor "2.0 migration" is the release.
_AFTER = r"(?:[\])](?!\w)|(?=$|[:,;](?:\s|$)|[–—(]| +[^\w\s]| +\d{4}| +(?:yanked|released)\b))"
_LOOSELY_AFTER = r"[\])]?(?=$|[\s:,;])"
_ANY_VERSION = re.compile(_BEFORE + r"(?:\d+\.\d+[\w.+-]*|unreleased)" + _AFTER, re.IGNORECASE)
_LONGEST_HEADING = 200
_CHECKBOX = re.compile(r"\[[ xX]\]\s+")
# Headings that are a kind of change even where they stand as high as the versions do.
_KINDS = {
    "added", "changed", "deprecated", "removed", "fixed", "security", "features", "bug fixes", "performance",
    "performance improvements", "breaking changes", "⚠ breaking changes", "reverts", "dependencies", "documentation",
    "major changes", "minor changes", "patch changes", "miscellaneous chores",
}  # fmt: skip


class MarkdownChangelog:
    """`bot.ports.Changelog` over files below one folder, the policy's. Nothing outside it is read, by links neither."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def changes(self, path: str | None, version: str) -> tuple[str, ...] | str:
        """The list items under the version's heading (its paragraphs, if it has no lists), each as one plain line.

        A heading in between goes before its items: `Added: …`, as in Keep a Changelog. A leading `v` does not matter.
        Else a sentence why they are not known. Never raises.
        """
        if not path:
            return "no changelog is named in the policy"
        return await asyncio.to_thread(self._read, path, version)

    def _read(self, path: str, version: str) -> tuple[str, ...] | str:
        name = " ".join(path.split())
        try:
            folder = self._folder.resolve()
            file = (folder / path).resolve()
            if not file.is_relative_to(folder):
                return f"{name} is outside the policy's folder and is not read"
            if not file.is_file():
                return f"there is no {name} beside the policy"
            with file.open("rb") as opened:
                content = opened.read(LARGEST + 1)
            if len(content) > LARGEST:
                return f"{name} is larger than {LARGEST // 1_000_000} MB and is not read"
            text = load(content, name).text
        except DocumentError:
            return f"{name} is not text"
        except (OSError, ValueError, RuntimeError) as error:
            return f"{name} cannot be read ({type(error).__name__})"
        return changes_in(text, version, name)


def changes_in(text: str, version: str, name: str) -> tuple[str, ...] | str:
    """The changes of a version in a changelog's Markdown, or a sentence why they are not known."""
    bare = _LEADING_V.sub("", version.strip())
    section = _section(_BLOCKS.parse(text), bare) if bare else None
    if section is None:
        return f"{name} has no entry for {version.strip() or 'a version without a name'}"
    lines = list(_lines(section))
    texts = [line.text for line in lines if line.listed] or [line.text for line in lines]
    if not texts:
        return f"{name} says nothing under {version.strip()}"
    if len(texts) > LINES:
        texts = [*texts[: LINES - 1], f"… and {len(texts) - LINES + 1} more in {name}"]
    return tuple(_cut(text) for text in texts)


def _section(tokens: Sequence[Token], version: str) -> Sequence[Token] | None:
    """The tokens below the version's heading: up to the next version, or to a heading that is not below it."""
    # Headings inside quotes and lists are somebody's words, not the file's structure.
    heads = [index for index, token in enumerate(tokens) if token.type == "heading_open" and not token.level]
    start = next(
        (
            index
            for after in (_AFTER, _LOOSELY_AFTER)
            for index in heads
            if version.casefold() in tokens[index + 1].content.casefold()
            and re.match(_BEFORE + re.escape(version) + after, _heading(tokens, index), re.IGNORECASE)
        ),
        None,
    )
    if start is None:
        return None
    end = next((index for index in heads if index > start and _ends(tokens, start, index)), len(tokens))
    return tokens[start + 3 : end]


def _ends(tokens: Sequence[Token], start: int, index: int) -> bool:
    """Whether the heading at `index` is no longer part of the section that the one at `start` opens."""
    level, own = tokens[index].tag, tokens[start].tag
    heading = _heading(tokens, index)
    if level < own or _ANY_VERSION.match(heading):
        return True
    return level == own and heading.casefold().strip(" :") not in _KINDS


def _heading(tokens: Sequence[Token], index: int) -> str:
    return words(tokens[index + 1].content)[:_LONGEST_HEADING]


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    listed: bool


def _lines(tokens: Sequence[Token]) -> Iterator[_Line]:
    """Items and paragraphs with the kind of change they stand under.

    An item's paragraphs are one line; nested items have their own.
    """
    kind = ""
    depth = 0
    item: list[str] = []

    def said(text: str, listed: bool) -> Iterator[_Line]:
        if text:
            yield _Line(f"{kind}: {text}" if kind else text, listed)

    for index, token in enumerate(tokens):
        match token.type:
            case "list_item_open" | "list_item_close":
                yield from said(" ".join(item), listed=True)
                item = []
                depth += token.nesting
            case "inline" if tokens[index - 1].type == "heading_open":
                kind = kind if tokens[index - 1].level else words(token.content).strip(" :")
            case "inline":
                text = words(_CHECKBOX.sub("", token.content, count=1) if _is_checkbox(token, item) else token.content)
                if depth:
                    item += [text] if text else []
                else:
                    yield from said(text, listed=False)
            case _:
                pass


def _is_checkbox(token: Token, item: Sequence[str]) -> bool:
    return not item and _CHECKBOX.match(token.content) is not None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1].rstrip() + "…"
