"""A part of the document that is read, not ticked: its Markdown as blocks, commands ready to copy."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.cards.card import Block, Code, Heading, Text
from bot.cards.words import plain

_PARSER = MarkdownIt("commonmark").enable("table")
MOST_BLOCKS = 40
"""Blocks of one part; what is beyond is named, not shown."""


def prose_blocks(markdown: str) -> list[Block]:
    """Headings, lines and commands of a piece of Markdown, in order; at most `MOST_BLOCKS`, the last saying so."""
    blocks = list(_blocks(_PARSER.parse(markdown)))
    if len(blocks) > MOST_BLOCKS:
        blocks = [*blocks[: MOST_BLOCKS - 1], Text("… the rest is in the document.", small=True)]
    return blocks


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    marks: list[str] = []  # the bullet or number of each open list
    fresh, heading = False, False
    row: list[str] = []
    before = ""
    for token in tokens:
        match token.type:
            case "bullet_list_open":
                marks.append("•")
            case "ordered_list_open":
                marks.append(str(token.attrGet("start") or 1) + ".")
            case "bullet_list_close" | "ordered_list_close":
                marks.pop()
            case "list_item_open":
                fresh = True
                if token.info:
                    marks[-1] = f"{token.info}."
            case "heading_open":
                heading = True
            case "heading_close":
                heading = False
            case "fence" | "code_block":
                yield Code(token.content.rstrip("\n"))
            case "tr_close":
                yield Text(" · ".join(cell for cell in row if cell))
                row = []
            case "inline" if before in ("th_open", "td_open"):
                row.append(token.content)
            case "inline":
                if heading:
                    yield Heading(plain(token.content))
                else:
                    lead = f"{'  ' * (len(marks) - 1)}{marks[-1]} " if fresh and marks else ""
                    yield Text(lead + " ".join(token.content.split()))
                fresh = False
        before = token.type
