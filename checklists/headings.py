"""Headings as an outline by relative depth, and what the words of a heading say about its part.

A heading is a Markdown heading at the top level, an HTML heading or `<summary>`, or a bold line alone before a list of
items. Headings inside list items, quotes and comments are text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from checklists.document import PhaseKind
from checklists.markdown import Block, Document, inline_tokens, is_list, without_markup, words
from checklists.names import match
from checklists.source import Source

_SUMMARY_LEVEL, _BOLD_LEVEL = 7, 8

KINDS: tuple[tuple[PhaseKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        # The first row that fits decides. This one must fit the whole title, for what it fits is never ticked.
        (
            PhaseKind.REFERENCE,
            r"^\W*(?:(?:\w+[ -]){0,2}(?:contacts?|(?:decision|escalation) matrix|success criteria)"
            r"|(?:the |this )?checklist summary|table of contents|troubleshooting(?: guide)?"
            r"|(?:\w+ ){0,2}(?:version|revision|change|document) history)(?:\s*\(.*\))?\W*$",
        ),
        (
            PhaseKind.ROLLBACK,
            r"\b(?:roll(?:ing)?[ -]?back|back[ -]?out|revert)\b(?![ -](?:prep\w*|readiness|test\w*|drill|rehearsal))"
            r"|\bif (?:something|anything|things|it) (?:goes|go|went) wrong\b"
            r"|\bif (?:any )?(?:issues?|problems?|errors?) (?:are |is )?(?:detected|found|occurs?|arises?)\b"
            r"|\bdisaster recovery\b",
        ),
        (PhaseKind.EMERGENCY, r"\b(?:emergency|hot[ -]?fix(?:es)?|fast[ -]track|skip-staging)\b"),
        (
            PhaseKind.FOLLOW_UP,
            r"\bpost[ -](?:deploy\w*|release|launch|production) (?:tasks|follow[ -]?ups?|review|actions)\b"
            r"|\bfollow[ -]?ups?\b|\bwithin (?:\d+|one|a|the) (?:days?|weeks?|months?)\b"
            r"|^\W*(?:day|week|month) \d+\b|\b(?:next|following) (?:day|week|month)\b"
            r"|\bpost[ -]?mortem\b|\bretrospective\b",
        ),
    )
)
"""What a phase is for, by the words of its title, where the policy does not say. No row: run if it has items, else
reference."""

_NOTHING_TO_TICK = re.compile(
    r"^\W*(?:(?:\w+[ -]){0,2}(?:metrics|kpis|schedule|windows?|frequency|calendar|resources|links|references?"
    r"|(?<!release )notes?)|(?:\w+ ){0,2}commands? reference|tools and commands)(?:\s*\(.*\))?\W*$",
    re.IGNORECASE,
)
"""Reference where there are no items, though "Emergency resources" has a word of KINDS."""

_CLOCK = re.compile(
    r"(?<![\w.-])T\s?[-+−–]\s?\d+(?:[.:]\d+)?\s?(?:s|m|h|d|w|secs?|mins?|hrs?|(?:second|minute|hour|day|week)s?)?\b"
)
_GENERIC = re.compile(
    r"(?:the )?(?:check ?list|symptoms?|resolution|solution|steps?|tasks?|to-? ?do'?s?|items?|action items?|actions?"
    r"|section|details?|expected|example|notes?|summary|procedure)",
    re.IGNORECASE,
)
_HTML_HEADING = re.compile(
    r"<!--.*?-->|</details\s*>|<summary\b[^>]*>(?P<summary>.*?)</summary\s*>"
    r"|<h(?P<level>[1-6])\b[^>]*>(?P<title>.*?)</h(?P=level)\s*>",
    re.IGNORECASE | re.DOTALL,
)
_INNER_HEADING = re.compile(r"<h([1-6])\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading of a document. `path` is every title above it and its own, the document's title first."""

    path: tuple[str, ...]
    title: str
    line: int
    """1-based."""
    level: int
    """1 to 6 as written; 7 for a `<summary>` without a heading, 8 for a bold line."""
    form: Literal["heading", "summary", "bold"] = "heading"

    def is_named(self, names: Iterable[str]) -> bool:
        """Whether one of these names of a policy, `Title` or `Parent > Title`, means this heading."""
        return any(match(name, *self.path) for name in names)

    @property
    def has_clock(self) -> bool:
        """Whether the title gives a time relative to the deployment: "(T-30 minutes)", "T+2h"."""
        return _CLOCK.search(self.title) is not None


@dataclass(slots=True)
class Part:
    """A heading with the blocks up to the next one, and the parts below it. Before the first one `heading` is None."""

    heading: Heading | None
    start: int
    """0-based first line of its own content, the heading's lines left out."""
    end: int = 0
    resumed: bool = False
    """Whether this only goes on with the part above it, after a `<details>` has ended."""
    blocks: list[Block] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in document order."""
        stack = [self]
        while stack:
            part = stack.pop()
            yield part
            stack.extend(reversed(part.parts))

    @property
    def has_task(self) -> bool:
        """Whether an item stands in this part or below."""
        return any(block.has_task for part in self.walk() for block in part.blocks)


@dataclass(frozen=True, slots=True)
class Outline:
    """A document by headings: `root` has what stands before the first one; `title` is the part of the title, if any."""

    root: Part
    title: Part | None

    def headings(self) -> tuple[Heading, ...]:
        """Every heading, in document order."""
        return tuple(part.heading for part in self.root.walk() if part.heading and not part.resumed)


def word_kind(title: str, *, has_items: bool) -> PhaseKind | None:
    """The kind the words of a title give it, by the table KINDS; None when they say nothing."""
    if not has_items and _NOTHING_TO_TICK.search(title):
        return PhaseKind.REFERENCE
    return next((kind for kind, pattern in KINDS if pattern.search(title)), None)


def outline(document: Document, source: Source) -> Outline:
    """Put the blocks under their headings. A heading belongs to the nearest one before it of a smaller level.

    The title is the only H1, else the first heading where no other is as high; a document can lack one.
    """
    top = document.blocks
    root = Part(None, 0)
    open_: list[tuple[int, Part]] = [(0, root)]
    here = root
    for index, block in enumerate(top):
        marks = _marks(block, top[index + 1] if index + 1 < len(top) else None, document.links, source)
        if not marks:
            here.blocks.append(block)
        for mark in marks:
            if mark.title is None:
                details = next((n for n, (level, _) in enumerate(open_) if level == _SUMMARY_LEVEL), None)
                if details is None:
                    continue
                del open_[details:]
                above = open_[-1][1]
                part = Part(above.heading, mark.content, resumed=True)
            else:
                while open_[-1][0] >= mark.level:
                    open_.pop()
                above = open_[-1][1]
                path = (*(above.heading.path if above.heading else ()), mark.title)
                part = Part(Heading(path, mark.title, mark.line + 1, mark.level, mark.form), mark.content)
                open_.append((mark.level, part))
            above.parts.append(part)
            here.end, here = mark.line, part
    here.end = len(source.lines)
    return Outline(root, _title(root))


def _title(root: Part) -> Part | None:
    real = [part for part in root.walk() if part.heading and part.heading.form == "heading"]
    for level in (1, min((part.heading.level for part in real if part.heading), default=1)):
        at_top = [part for part in real if part.heading and part.heading.level == level]
        if len(at_top) == 1 and (level == 1 or at_top[0] is real[0]):
            return at_top[0]
    return None


@dataclass(frozen=True, slots=True)
class _Mark:
    """A heading found, or (title None) the end of a `<details>`, where the part above goes on. Lines are 0-based."""

    title: str | None
    level: int
    form: Literal["heading", "summary", "bold"]
    line: int
    content: int


def _marks(block: Block, following: Block | None, links: Mapping[str, str], source: Source) -> list[_Mark]:
    if block.kind == "heading":
        if is_lone_dash(block, source):
            return []
        return [_Mark(words(block.content, links), int(block.token.tag[1]), "heading", block.start, block.end)]
    if block.kind == "html_block":
        return list(_html_marks(block))
    if block.kind == "paragraph" and following is not None and is_list(following) and following.has_task:
        title = bold_line(block.content)
        if title and not _GENERIC.fullmatch(title):
            return [_Mark(title, _BOLD_LEVEL, "bold", block.start, block.end)]
    return []


def _html_marks(block: Block) -> Iterator[_Mark]:
    text = block.token.content
    line, seen = block.start, 0
    for found in _HTML_HEADING.finditer(text):
        line += text.count("\n", seen, found.start())
        seen = found.start()
        if found["summary"] is not None:
            inner = _INNER_HEADING.search(found["summary"])
            level, inside = int(inner[1]) if inner else _SUMMARY_LEVEL, found["summary"]
        elif found["title"] is not None:
            level, inside = int(found["level"]), found["title"]
        elif found[0].startswith("</"):
            yield _Mark(None, 0, "summary", line, block.end)
            continue
        else:
            continue
        title = html.unescape(without_markup(inside))
        if title and not (level == _SUMMARY_LEVEL and _GENERIC.fullmatch(title)):
            yield _Mark(title, level, "summary" if level == _SUMMARY_LEVEL else "heading", line, block.end)


def is_lone_dash(block: Block, source: Source) -> bool:
    """Whether a heading is only one because a lone `-`, an empty bullet, stands under the text. It is read as text."""
    return block.kind == "heading" and block.token.markup == "-" and source.lines[block.end - 1].strip(" \t>") == "-"


def bold_line(inline: str) -> str | None:
    """The words of a paragraph which is one bold text and nothing else but a colon; None for any other paragraph."""
    if not inline.startswith(("**", "__")) or "\n" in inline:
        return None
    tokens = [token for token in inline_tokens(inline) if token.type != "text" or token.content]
    closes = [index for index, token in enumerate(tokens) if token.type == "strong_close"]
    if len(closes) != 1 or "".join(token.content for token in tokens[closes[0] + 1 :]).strip(" :：") != "":
        return None
    return words(inline).rstrip(" :：") or None
