"""Inline Markdown as Slack's mrkdwn. Nothing of anybody's text is obeyed: `&`, `<`, `>` are escaped, and signs that
Slack would take for formatting stand between zero-width spaces, which it takes for neither letter nor sign.

Slack formats `*bold*` only where the signs stand at the edge of a word and touch what is between them, so that inside a
word they need no care. `code` may begin with a blank: there a grave accent stands for a backtick nobody meant as a
sign. The full-width signs of East Asian keyboards count for Slack like the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from adapters.slack.limits import Room
from bot.cards.runs import Run, clean, draw, read

_GAP = "\u200b"
_SIGNS = frozenset("*_~＊＿～")
_TICKS = frozenset("`｀")
_ACCENT = "ˋ"
_EDGES = frozenset("()[]{}.,:;!?'\"“”‘’…/–—-")
"""Signs beside which Slack formats as it does beside a blank."""
_REACHABLE = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)


@lru_cache(maxsize=2048)
def to_mrkdwn(markdown: str, room: Room | None = None) -> str:
    """The mrkdwn of inline Markdown; with `room`, visibly cut with … where it does not fit, and every style closed."""
    return _draw(read(markdown, _url, code=_fits_code), room)


def is_cut(markdown: str, room: Room) -> bool:
    """Whether `to_mrkdwn` cuts it."""
    return not room.holds(to_mrkdwn(markdown))


def literal(text: str, room: Room | None = None, *, bold: bool = False) -> str:
    """Plain text as mrkdwn, in one line: shown as it is, links in it included."""
    return _draw([Run(" ".join(clean(text).split()), bold=bold)], room)


def escape(text: str) -> str:
    """The three characters with a meaning to Slack, escaped (reference: formatting message text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _fits_code(text: str) -> bool:
    """Slack's code cannot hold a backtick."""
    return not _TICKS & set(text)


def _url(target: str) -> str:
    """The address of a link that leads somewhere, safe between `<` and `|`; else nothing."""
    if not _REACHABLE.match(target) or len(target) > 2_000:
        return ""
    for sign in '<>|"`\n ':
        target = target.replace(sign, f"%{ord(sign):02X}")
    return target.replace("&", "&amp;")


# --- writing ---


def _draw(runs: Sequence[Run], room: Room | None) -> str:
    return draw(runs, _join, room.holds if room else None, room.chars if room else 0)


def _join(pieces: list[Run]) -> str:
    drawn = [_piece(piece) for piece in pieces if piece.text]
    styled = [piece.styled for piece in pieces if piece.text]
    out = drawn[:1]
    for (before, after), (was, now) in zip(pairwise(drawn), pairwise(styled), strict=True):
        if (was or now) and not (_is_edge(before[-1]) or _is_edge(after[0])):
            out.append(_GAP)
        out.append(after)
    text = "".join(out)
    return re.sub(r"(?m)^([ \u200b]*)(?=&gt;|＞)", r"\1" + _GAP, text)


def _is_edge(sign: str) -> bool:
    return sign.isspace() or sign in _EDGES


def _piece(piece: Run) -> str:
    text = escape(piece.text)
    if piece.code:
        text = f"`{text}`"
    elif text != piece.url:
        text = _calm(text, edge=piece.styled or bool(piece.url))
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
