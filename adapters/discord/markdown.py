"""Inline Markdown as Discord's. What people typed is shown letter for letter: every sign that Discord could take for
formatting stands behind a backslash, and what looks like a mention is broken by a zero-width space as well, because
Discord looks for mentions before it looks for backslashes. Nobody is called by that in any case: who may be called is
said beside the text (`allowed_mentions`).

In code nothing is escaped, so that it can be copied: Discord formats nothing there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise

from bot.cards.runs import Run, boundary, clean, draw, read, with_links
from bot.cards.times import SCHEME

_GAP = "\u200b"
_ACCENT = "ˋ"
"""Stands for a backtick where none can be shown."""
_REACHABLE = re.compile(r"https?://[^\s]", re.IGNORECASE)
_LOOKS_LIKE_A_LINK = re.compile(r"https?:|www\.|\w\.\w+/", re.IGNORECASE)
_LONGEST_URL = 1_000
_SIGNS = re.compile(r"([\\*_~|`\[\]<])")
_SHORTCODE = re.compile(r":(?=(?:[\w+~-]*[A-Za-z][\w+~-]*|[+-]1|100|1234):)")
"""The client draws `:tada:` as an emoji."""
_OTHER_LINK = re.compile(r"\b(steam|discord)(?=://)", re.IGNORECASE)
_MENTION = re.compile(r"(?<=@)(?=everyone|here|[!&]?\d)|(?<=<)(?=[@#:/]|a:|t:|id:)", re.IGNORECASE)
_LINE_START = re.compile(r"(?m)^([ \t\u200b\u2003]*)(?:([#>+-])|(\d{1,10})(?=[.)](?:\s|$)))")
_FENCE = re.compile(r"`{3,}")
_FORMATS = frozenset("*_~`")


@lru_cache(maxsize=2048)
def to_discord(markdown: str, room: int | None = None) -> str:
    """Discord's Markdown of inline Markdown; with `room`, visibly cut with … to so many characters, every style closed.

    A link `[14:00 UTC](time:…)` (`bot.cards.times`) becomes the instant as the reader's own clock shows it.
    """
    return _draw(read(markdown, _url), room)


def is_cut(markdown: str, room: int) -> bool:
    """Whether `to_discord` cuts it."""
    return len(to_discord(markdown)) > room


def literal(text: str, room: int | None = None, *, bold: bool = False) -> str:
    """Plain text, in one line: shown as it is, links in it included."""
    return _draw([Run(" ".join(clean(text).split()), bold=bold)], room)


def verbatim(text: str) -> str:
    """Text of several lines, shown letter for letter, links included."""
    lines = clean(text).split("\n")
    return "\n".join(_join([run for run in with_links(Run(_kept(line)), _url) if run.text]) for line in lines)


def code_block(text: str, room: int | None = None) -> str:
    """Preformatted text, ready to copy. Three backticks in a row, which would end it, are shown as accents."""
    inside = _FENCE.sub(lambda run: _ACCENT * len(run.group()), clean(text)) or " "
    if room is not None and len(inside) > room:
        inside = inside[: boundary(inside, room - 1)] + "…"
    return f"```\n{inside}\n```"


def _url(target: str) -> str:
    """The address of a link that leads somewhere, safe between brackets; of a time, its second; else nothing."""
    if target.startswith(SCHEME):
        try:
            at = datetime.fromisoformat(target.removeprefix(SCHEME).replace("%3A", ":"))
            return f"{SCHEME}{int(at.replace(tzinfo=at.tzinfo or UTC).timestamp())}"
        except (ValueError, OverflowError):
            return ""
    if not _REACHABLE.match(target) or len(target) > _LONGEST_URL:
        return ""
    for sign in "<>()[]|\"'`\\*\n ":
        target = target.replace(sign, f"%{ord(sign):02X}")
    return target.replace("@", "%40")


def _draw(runs: Sequence[Run], room: int | None) -> str:
    return draw(runs, _join, None if room is None else lambda text: len(text) <= room, room or 0)


def _join(pieces: Sequence[Run]) -> str:
    """The pieces beside each other; signs of two of them never touch. Signs that mean something at the beginning of a
    line mean nothing there."""
    drawn = [_piece(piece) for piece in pieces if piece.text]
    out = drawn[:1]
    for before, after in pairwise(drawn):
        if before[-1:] in _FORMATS and after[:1] in _FORMATS:
            out.append(_GAP)
        out.append(after)
    return _LINE_START.sub(_disarmed, "".join(out))


def _disarmed(found: re.Match[str]) -> str:
    blanks, sign, number = found.groups()
    return f"{blanks}\\{sign}" if sign else f"{blanks}{number}\\"


def _piece(piece: Run) -> str:
    if piece.code:
        text = _code(piece.text)
    elif piece.url.startswith(SCHEME):
        text = f"<t:{piece.url.removeprefix(SCHEME)}:f>"
    elif piece.url and _url(piece.text) == piece.url:
        text = f"<{piece.url}>"
    elif piece.url and not _LOOKS_LIKE_A_LINK.search(piece.text):
        text = f"[{_escaped(piece.text)}]({piece.url})"
    elif piece.url:
        # Discord makes no link of words that look like another one.
        text = f"{_escaped(piece.text)} (<{piece.url}>)"
    else:
        text = _escaped(piece.text)
    for wanted, sign in ((piece.strike, "~~"), (piece.italic, "*"), (piece.bold, "**")):
        if wanted:
            text = f"{sign}{_GAP if text[0] in _FORMATS else ''}{text}{_GAP if text[-1] in _FORMATS else ''}{sign}"
    return text


def _escaped(text: str) -> str:
    broken = _MENTION.sub(_GAP, text)
    return _OTHER_LINK.sub(r"\1\\", _SHORTCODE.sub(r"\\:", _SIGNS.sub(r"\\\1", broken)))


def _code(text: str) -> str:
    if "`" not in text:
        return f"`{text}`"
    if "``" in text:
        return f"`{text.replace('`', _ACCENT)}`"
    return f"`` {text} ``"


def _kept(line: str) -> str:
    """A line whose first blanks stay: Discord takes those at the very beginning away."""
    return _GAP + line if line[:1].isspace() else line
