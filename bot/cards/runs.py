"""Inline Markdown as pieces of one style each, for chats with a writing of their own; and where such text is cut."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

_BARE = re.compile(r"https?://[^\s<>|\"“”`*]+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_JOINING = {"\u200d", "\ufe0e", "\ufe0f"}
_STYLES = ("strong", "em", "s")
_parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).enable("strikethrough")


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of one line in one style. `code` is shown in typewriter letters; `url` makes it a link."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    url: str = ""

    @property
    def styled(self) -> bool:
        """Whether signs of formatting stand around it; those of a link do not count."""
        return self.bold or self.italic or self.strike or self.code


def clean(text: str) -> str:
    """Without control characters and halves of characters, which no JSON reader agrees about."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


# --- reading ---


def read(markdown: str, url: Callable[[str], str], *, code: Callable[[str], bool] = bool) -> list[Run]:
    """The runs of inline Markdown, line breaks as runs of their own.

    `url` gives the address of a link as the chat writes it, or "" where it leads nowhere: then only its words are left.
    `code` says whether the chat can show this in typewriter letters; the rest, and code in links, is plain words.
    """
    found: list[Run] = []
    for token in _parser.parseInline(clean(markdown)):
        found += _of_tokens(token.children or [], url, code)
    return found


def _of_tokens(tokens: list[Token], url: Callable[[str], str], code: Callable[[str], bool]) -> Iterator[Run]:
    style, urls = Run(""), [""]
    for token in tokens:
        kind, _, edge = token.type.partition("_")
        if kind in _STYLES:
            style = _styled(style, kind, edge == "open")
        elif token.type == "link_open":
            urls.append(url(str(token.attrGet("href") or "")))
        elif token.type == "link_close":
            urls.pop()
        elif token.type == "image":
            source = str(token.attrGet("src") or "")
            yield replace(style, text=token.content or source, url=urls[-1] or url(source))
        elif token.type in ("softbreak", "hardbreak"):
            yield Run("\n")
        elif token.type == "code_inline":
            yield replace(style, text=token.content, code=not urls[-1] and code(token.content), url=urls[-1])
        elif urls[-1]:
            yield replace(style, text=token.content, url=urls[-1])
        else:
            yield from with_links(replace(style, text=token.content), url)


def _styled(style: Run, kind: str, on: bool) -> Run:
    match kind:
        case "strong":
            return replace(style, bold=on)
        case "em":
            return replace(style, italic=on)
    return replace(style, strike=on)


def with_links(run: Run, url: Callable[[str], str]) -> Iterator[Run]:
    """Addresses standing in the text as links of their own."""
    done = 0
    for match in _BARE.finditer(run.text):
        address = match.group().rstrip(".,;:!?'’)]}…")
        if address.endswith("://"):
            continue
        yield replace(run, text=run.text[done : match.start()])
        yield replace(run, text=address, url=url(address))
        done = match.start() + len(address)
    yield replace(run, text=run.text[done:])


# --- writing ---


def trimmed(runs: Sequence[Run]) -> Iterator[Run]:
    """Runs of one line each, blanks at their edges outside the style: no chat formats `*bold *`."""
    for run in runs:
        if not (run.styled or run.url):
            yield run
            continue
        text = run.text.replace("\n", " ")
        core = text.strip()
        lead = len(text) - len(text.lstrip())
        for part in (Run(text[:lead]), replace(run, text=core), Run(text[lead + len(core) :])):
            if part.text:
                yield part


def draw(
    runs: Sequence[Run], join: Callable[[list[Run]], str], holds: Callable[[str], bool] | None, most: int = 0
) -> str:
    """What `join` makes of the trimmed runs; of as many characters of them as fit, at most `most`, with … after them
    where `holds` refuses the whole."""
    pieces = list(trimmed(runs))
    whole = join(pieces)
    if holds is None or holds(whole):
        return whole
    low, high = 0, min(sum(len(piece.text) for piece in pieces), most)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(join(first(pieces, middle))) else (low, middle - 1)
    return join(first(pieces, low))


def first(pieces: Sequence[Run], count: int) -> list[Run]:
    """The first characters, with … after them."""
    kept: list[Run] = []
    for piece in pieces:
        if count <= 0:
            break
        text = piece.text[: boundary(piece.text, min(count, len(piece.text)))]
        count -= len(piece.text)
        kept.append(replace(piece, text=text) if text.strip() else Run(text))
    while kept and not kept[-1].text.strip():
        kept.pop()
    return [*kept[:-1], replace(kept[-1], text=kept[-1].text.rstrip() + "…")] if kept else [Run("…")]


# --- cutting ---


def boundary(text: str, end: int) -> int:
    """The last place up to `end` where text can be cut without breaking an accent or a joined emoji off."""
    cut = end
    while 0 < cut < len(text) and end - cut < 40 and _joined(text[cut - 1], text[cut]):
        cut -= 1
    return cut if cut else end


def middle(text: str, shortest: int = 2) -> tuple[str, str] | None:
    """The text in two, between lines where possible, else between words; the sign it is cut at is left out. None for
    one of at most `shortest` characters."""
    if len(text) <= shortest:
        return None
    half, reach = len(text) // 2, len(text) // 4
    for sign in ("\n", " "):
        places = [match.start() for match in re.finditer(sign, text) if abs(match.start() - half) <= reach]
        if places:
            place = min(places, key=lambda at: abs(at - half))
            return text[:place], text[place + 1 :]
    place = boundary(text, half)
    return text[:place], text[place:]


def _joined(before: str, after: str) -> bool:
    return (
        unicodedata.combining(after) != 0
        or after in _JOINING
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
    )
