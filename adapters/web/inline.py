"""Inline Markdown as HTML that is safe on the page: HTML in it is shown, not obeyed; only web links lead on."""

from __future__ import annotations

import re
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from bot.cards.times import SCHEME

_REACHABLE = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).enable("strikethrough")


@lru_cache(maxsize=4096)
def inline(markdown: str) -> Markup:
    """The HTML of one paragraph's content."""
    tokens = _parser.parseInline(markdown)
    for token in tokens:
        token.children = _tame(token.children or [])
    # markdown-it escapes every text and attribute itself.
    return Markup(_parser.renderer.render(tokens, _parser.options, {}))  # noqa: S704


@lru_cache(maxsize=4096)
def spoken(markdown: str) -> str:
    """The same as plain text, for the names of buttons."""
    words: list[str] = []
    for token in _parser.parseInline(markdown)[0].children or []:
        words.append(" " if token.type.endswith("break") else token.content)
    return " ".join("".join(words).split())


def _tame(tokens: list[Token]) -> list[Token]:
    """Images become links, and links that lead nowhere from here (the team's own files) become words with a tooltip."""
    tamed: list[Token] = []
    closing: list[str] = []
    for token in tokens:
        if token.type == "image":
            target = str(token.attrGet("src") or "")
            tamed += [_open(target), _text(token.content or target), _close("a" if _reachable(target) else "span")]
        elif token.type == "link_open":
            tamed.append(_open(str(token.attrGet("href") or "")))
            closing.append(tamed[-1].tag)
        elif token.type == "link_close":
            tamed.append(_close(closing.pop()))
        else:
            tamed.append(token)
    return tamed


def _reachable(target: str) -> bool:
    return _REACHABLE.match(target) is not None


def _open(target: str) -> Token:
    if _reachable(target):
        attributes: dict[str, str | int | float] = {
            "href": target,
            "target": "_blank",
            "rel": "noopener noreferrer nofollow",
        }
        return Token("link_open", "a", 1, attrs=attributes)
    if target.startswith(SCHEME):
        return Token("link_open", "time", 1, attrs={"datetime": target.removeprefix(SCHEME)})
    return Token("link_open", "span", 1, attrs={"class": "local-link", "title": target})


def _close(tag: str) -> Token:
    return Token("link_close", tag, -1)


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
