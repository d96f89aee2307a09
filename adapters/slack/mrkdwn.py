"""Inline Markdown as Slack's mrkdwn. Nothing of anybody's text is obeyed: `&`, `<`, `>` are escaped, and signs that
Slack would take for formatting stand between zero-width spaces, which it takes for neither letter nor sign.

Slack formats `*bold*` only where the signs stand at the edge of a word and touch what is between them, so that inside a
word they need no care. `code` may begin with a blank: there a grave accent stands for a backtick nobody meant as a
sign. The full-width signs of East Asian keyboards count for Slack like the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.slack.limits import Room, boundary, clean

_GAP = "\u200b"
_SIGNS = frozenset("*_~＊＿～")
_TICKS = frozenset("`｀")
_ACCENT = "ˋ"
_EDGES = frozenset("()[]{}.,:;!?'\"“”‘’…/–—-")
"""Signs beside which Slack formats as it does beside a blank."""
_REACHABLE = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)
_BARE = re.compile(r"https?://[^\s<>|\"“”`*]+", re.IGNORECASE)
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


@lru_cache(maxsize=2048)
def to_mrkdwn(markdown: str, room: Room | None = None) -> str:
    """The mrkdwn of inline Markdown; with `room`, visibly cut with … where it does not fit, and every style closed."""
    return _draw(_runs(markdown), room)


def is_cut(markdown: str, room: Room) -> bool:
    """Whether `to_mrkdwn` cuts it."""
    return not room.holds(to_mrkdwn(markdown))


def literal(text: str, room: Room | None = None, *, bold: bool = False) -> str:
    """Plain text as mrkdwn, in one line: shown as it is, links in it included."""
    return _draw([Run(" ".join(clean(text).split()), bold=bold)], room)


def escape(text: str) -> str:
    """The three characters with a meaning to Slack, escaped (reference: formatting message text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# --- reading ---


def _runs(markdown: str) -> list[Run]:
    found: list[Run] = []
    for token in _parser.parseInline(clean(markdown)):
        found += _of_tokens(token.children or [])
    return found


def _of_tokens(tokens: list[Token]) -> Iterator[Run]:
    style, urls = Run(""), [""]
    for token in tokens:
        kind, _, edge = token.type.partition("_")
        if kind in _STYLES:
            style = _styled(style, kind, edge == "open")
        elif token.type == "link_open":
            urls.append(_url(str(token.attrGet("href") or "")))
        elif token.type == "link_close":
            urls.pop()
        elif token.type == "image":
            source = str(token.attrGet("src") or "")
            yield replace(style, text=token.content or source, url=urls[-1] or _url(source))
        elif token.type in ("softbreak", "hardbreak"):
            yield Run("\n")
        elif token.type == "code_inline":
            # Slack's code cannot hold a backtick, nor a link show code: such code is shown as plain words.
            fit = not (urls[-1] or _TICKS & set(token.content))
            yield replace(style, text=token.content, code=fit, url=urls[-1])
        elif urls[-1]:
            yield replace(style, text=token.content, url=urls[-1])
        else:
            yield from _with_links(replace(style, text=token.content))


def _styled(style: Run, kind: str, on: bool) -> Run:
    match kind:
        case "strong":
            return replace(style, bold=on)
        case "em":
            return replace(style, italic=on)
    return replace(style, strike=on)


def _with_links(run: Run) -> Iterator[Run]:
    """Addresses standing in the text as links: Slack is told not to look for any itself."""
    done = 0
    for match in _BARE.finditer(run.text):
        address = match.group().rstrip(".,;:!?'’)]}…")
        if address.endswith("://"):
            continue
        yield replace(run, text=run.text[done : match.start()])
        yield replace(run, text=address, url=_url(address))
        done = match.start() + len(address)
    yield replace(run, text=run.text[done:])


def _url(target: str) -> str:
    """The address of a link that leads somewhere, safe between `<` and `|`; else nothing."""
    if not _REACHABLE.match(target) or len(target) > 2_000:
        return ""
    for sign in '<>|"`\n ':
        target = target.replace(sign, f"%{ord(sign):02X}")
    return target.replace("&", "&amp;")


# --- writing ---


def _draw(runs: list[Run], room: Room | None) -> str:
    pieces = list(_pieces(runs))
    whole = _join(pieces)
    if room is None or room.holds(whole):
        return whole
    return _cut(pieces, room)


def _pieces(runs: list[Run]) -> Iterator[Run]:
    """Runs of one line each, blanks at their edges outside the style: Slack formats no `*bold *`."""
    for run in runs:
        if not (run.bold or run.italic or run.strike or run.code or run.url):
            yield run
            continue
        text = run.text.replace("\n", " ")
        core = text.strip()
        lead = len(text) - len(text.lstrip())
        for part in (Run(text[:lead]), replace(run, text=core), Run(text[lead + len(core) :])):
            if part.text:
                yield part


def _join(pieces: list[Run]) -> str:
    drawn = [_piece(piece) for piece in pieces if piece.text]
    styled = [_is_styled(piece) for piece in pieces if piece.text]
    out = drawn[:1]
    for (before, after), (was, now) in zip(pairwise(drawn), pairwise(styled), strict=True):
        if (was or now) and not (_is_edge(before[-1]) or _is_edge(after[0])):
            out.append(_GAP)
        out.append(after)
    text = "".join(out)
    return re.sub(r"(?m)^([ \u200b]*)(?=&gt;|＞)", r"\1" + _GAP, text)


def _is_edge(sign: str) -> bool:
    return sign.isspace() or sign in _EDGES


def _is_styled(piece: Run) -> bool:
    return piece.bold or piece.italic or piece.strike or piece.code


def _piece(piece: Run) -> str:
    text = escape(piece.text)
    if piece.code:
        text = f"`{text}`"
    elif text != piece.url:
        text = _calm(text, edge=_is_styled(piece) or bool(piece.url))
        text = f"<{piece.url}|{text.replace('|', '¦')}>" if piece.url else text
    else:
        text = f"<{text}>"
    for wanted, sign in ((piece.strike, "~"), (piece.italic, "_"), (piece.bold, "*")):
        if wanted:
            text = f"{sign}{text}{sign}"
    return text


def _calm(text: str, *, edge: bool) -> str:
    """Signs of formatting kept apart from their neighbours, where Slack could take them for such. `edge`: signs of our
    own stand next to the text."""
    out: list[str] = []
    for place, sign in enumerate(text):
        if sign not in _SIGNS:
            out.append(_ACCENT if sign in _TICKS else sign)
            continue
        before = text[place - 1] if place else ("x" if edge else " ")
        after = text[place + 1] if place + 1 < len(text) else ("x" if edge else " ")
        in_a_word = before.isalnum() and after.isalnum() and 0 < place < len(text) - 1
        alone = before.isspace() and after.isspace()
        out += [sign] if in_a_word or alone else [_GAP, sign, _GAP]
    return "".join(out).replace(_GAP + _GAP, _GAP)


def _cut(pieces: list[Run], room: Room) -> str:
    """As many characters of the pieces as fit, with … after them."""
    total = sum(len(piece.text) for piece in pieces)
    low, high = 0, min(total, room.chars)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if room.holds(_join(_first(pieces, middle))) else (low, middle - 1)
    return _join(_first(pieces, low))


def _first(pieces: list[Run], count: int) -> list[Run]:
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
