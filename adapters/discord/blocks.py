"""The blocks of a card as components, without what a message has around them. Words that follow each other are lines
of one text: a message holds 40 components, and 4,000 characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from discord import MediaGalleryItem, ui

from adapters.discord import limits
from adapters.discord.limits import clip
from adapters.discord.markdown import code_block, literal, to_discord, verbatim
from adapters.discord.rows import SMALL, Ids, button, row_items
from bot.cards import card as c
from bot.cards.card import Button, Card, ItemRow, Tone
from bot.cards.runs import clean
from bot.cards.sections import Folded

Item = ui.Item[ui.LayoutView]
Drawn = list[str | Item]
"""Lines of text, and components that stand between them."""

TITLE = 180
HEADING = 140
TEXT = 2_600
"""Characters of the longest block of words; a longer one is cut in two."""
ALT = 1_000
_TONES = {Tone.PLAIN: "", Tone.GOOD: "✅", Tone.WARN: "⚠️", Tone.BAD: "🔴"}
_SIGNS = {True: "✅", False: "❌"}
_CELLS = 10
_ROOM = 180
"""Characters of the name, the value and the target of a fact."""


def title_line(card: Card) -> str:
    """The title with the sign of its tone, unless it begins with a sign of its own."""
    sign = _TONES[card.tone] if card.title.strip() else ""
    return f"{sign} {card.title}" if sign and not starts_with_a_sign(card.title) else card.title


def starts_with_a_sign(title: str) -> bool:
    """Whether something else than a word, a quotation or a command begins it: most likely an emoji."""
    first = title.lstrip()[:1]
    return bool(first) and not (first.isalnum() or first in "_\"'“‘([<«¿¡@#/…-")


def draw_block(
    block: c.Block | Folded, ids: Ids, *, small: int = SMALL[-1], group: bool = True, picture: str = ""
) -> Drawn:
    """One block. `small` and `group` are those of `rows.row_items`; `picture` is the name of the attached file."""
    match block:
        case ItemRow():
            return [*row_items(block, ids, small=small, group=group)]
        case Folded():
            return _folded(block, ids)
        case c.Text():
            return list(_text(block))
        case c.Heading():
            name = literal(block.text, HEADING)
            return [f"### {name}"] if name else []
        case c.Progress():
            return [f"{bar(block.done, block.total)} {literal(block.label, _ROOM)}".rstrip()]
        case c.Verbatim():
            return [text] if (text := verbatim(block.text)).strip() else []
        case c.Code():
            return [code_block(block.text)]
        case c.Buttons():
            return [*button_rows(block.buttons, ids)]
        case c.Facts():
            return [_fact(fact) for fact in block.facts]
        case c.Picture():
            return _picture(block, picture)


def bar(done: int, total: int) -> str:
    """`▓▓▓▓▓▓░░░░`: full only when all is done, and not empty once something is."""
    if total <= 0 or done >= total:
        return "▓" * _CELLS
    full = max(1, min(_CELLS - 1, done * _CELLS // total)) if done > 0 else 0
    return "▓" * full + "░" * (_CELLS - full)


def button_rows(buttons: Sequence[Button], ids: Ids) -> list[Item]:
    """Buttons, five in a row."""
    drawn = [made for each in buttons if (made := button(each, ids)) is not None]
    most = limits.ROW_BUTTONS
    return [ui.ActionRow(*drawn[start : start + most]) for start in range(0, len(drawn), most)]


def assembled(drawn: Drawn) -> list[Item]:
    """The components, lines that follow each other as one text."""
    found: list[Item] = []
    lines: list[str] = []
    for each in [*drawn, None]:
        if isinstance(each, str):
            lines.append(each)
            continue
        if (text := "\n".join(lines)).strip("\u200b \n\t\u2003"):
            found.append(ui.TextDisplay(text))
        lines = []
        if each is not None:
            found.append(each)
    return found


def _text(block: c.Text) -> Iterator[str]:
    for line in to_discord(block.markdown, TEXT).strip().split("\n"):
        if line.strip():
            yield f"-# {line.strip()}" if block.small else line


def _folded(folded: Folded, ids: Ids) -> Drawn:
    words = [literal(folded.title, HEADING, bold=True)] if folded.title else []
    words += [f"{folded.done} of {folded.done}", *([to_discord(folded.who, 200)] if folded.who else [])]
    text = "✅ " + " · ".join(words)
    opener = button(Button("Open", folded.action), ids)
    return [ui.Section(ui.TextDisplay(text), accessory=opener)] if opener else [text]


def _fact(fact: c.Fact) -> str:
    """One line, which a phone can break: sign, name, value, target."""
    sign = "❔" if fact.ok is None and fact.target else "•" if fact.ok is None else _SIGNS[fact.ok]
    name, value = literal(fact.label, _ROOM, bold=True), literal(fact.value, _ROOM)
    target = f" · target {literal(fact.target, _ROOM)}" if fact.target.strip() else ""
    return f"{sign} {name}: {value}{target}" if name else f"{sign} {value}{target}"


def _picture(block: c.Picture, name: str) -> Drawn:
    if not name:
        return [text] if (text := literal(block.alt, ALT)) else []
    alt = clip(clean(block.alt), limits.ALT_TEXT) or None
    return [ui.MediaGallery(MediaGalleryItem(f"attachment://{name}", description=alt))]


def spoken(card: Card) -> str:
    """What a card without blocks says."""
    return literal(card.text, TEXT) or literal(card.title, TEXT) or "…"
