"""GitHub's reading of Markdown where it is not markdown-it-py's own: task boxes, and what cmark-gfm does around them.

Measured against cmark-gfm on thousands of generated documents. Known to remain different: in cmark-gfm a line inside an
item which only looks like a task (`10 [ ] x`, or one on a quote's lazy line) marks the item around it; a one-column
table needs no pipe in its head; `<source>`, `<search>` and `<textarea>` begin an HTML block in one of the two only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.html_block import HTML_SEQUENCES
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

BOX = re.compile(r"[ \t\v\f]*(?:[-+*]|\d+.)[ \t\v\f]+\[([ xX])\](?=[ \t\v\f])")
"""A task's line. Matched from its very start, so not in a quote nor after a second marker; white space must follow."""

_BARE_BOX = re.compile(rf"{BOX.pattern}[ \t\v\f]*$")
_YAML_KEY = re.compile(r"\s*#|[\w.-]+\s*:(?:\s|$)|\s*$")
_NOTHING = "<!-- -->"
_LONE_TAG = HTML_SEQUENCES[-1][0]


def parser() -> MarkdownIt:
    """CommonMark with GitHub's tables and strikethrough; front matter is a token of its own."""
    # 200 nestings are 100 lists in lists, well within Python's recursion limit; the preset's 20 are 10.
    made = MarkdownIt("commonmark", {"maxNesting": 200}).enable(["table", "strikethrough"])
    return made.use(front_matter_plugin)


def block_parser() -> MarkdownIt:
    """The same for blocks alone. As in cmark, link definitions are paragraphs until the paragraph is complete, which
    decides whether a numbered list can follow one.
    """
    made = parser()
    made.core.ruler.enableOnly(["normalize", "block"])
    made.block.ruler.disable(["reference", "front_matter"])
    made.block.ruler.before("html_block", "lone_tag", _lone_tag, {"alt": ["paragraph", "blockquote"]})
    return made


def parse(lines: Sequence[str], blocks: MarkdownIt) -> list[Token]:
    """The block tokens of a document. An item whose box has no text begins with no token for it."""
    # Two rules with items between them are no front matter.
    if lines[0].startswith("---") and any(_YAML_KEY.match(line) for line in lines[1:2]):
        blocks = block_parser()
        blocks.block.ruler.enable("front_matter")
    tokens = blocks.parse("\n".join(lines))
    bare = {line for line in _task_lines(tokens, lines) if _BARE_BOX.match(lines[line])}
    if not bare:
        return tokens
    # To markdown-it a bare box is text; to cmark the item is still empty: it ends at a blank line, and anything can
    # begin in it. An empty item is the former, an HTML comment in the box's place the latter. (An empty item right
    # below a paragraph would be part of the paragraph.)
    closed = {line for line in bare if not "".join(lines[line + 1 : line + 2]).strip(" \t")}
    while True:
        stand_ins = [
            _stand_in(line, "" if number in closed else _NOTHING) if number in bare else line
            for number, line in enumerate(lines)
        ]
        tokens = blocks.parse("\n".join(stand_ins))
        lost = closed - _item_lines(tokens)
        if not lost:
            return [token for token in tokens if token.content.rstrip("\n") != _NOTHING]
        closed -= lost


def _item_lines(tokens: Sequence[Token]) -> set[int]:
    return {token.map[0] for token in tokens if token.type == "list_item_open" and token.map}


def _task_lines(tokens: Sequence[Token], lines: Sequence[str]) -> set[int]:
    return {
        item.map[0]
        for item, first in pairwise(tokens)
        if item.type == "list_item_open" and item.map and first.type != "code_block" and BOX.match(lines[item.map[0]])
    }


def _stand_in(line: str, text: str) -> str:
    return line[: line.index("[")] + text


def _lone_tag(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Let a line of one HTML tag (`<br>`) end a quote, a table, or the paragraph of an item it is not indented into.

    To cmark the tag then stands outside the paragraph, where it begins an HTML block.
    """
    lazy = state.sCount[start] < state.blkIndent or state.parentType in ("blockquote", "table")
    if not silent or not lazy or state.is_code_block(start):
        return False
    return _LONE_TAG.search(state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]) is not None
