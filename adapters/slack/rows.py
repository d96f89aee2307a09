"""An item as blocks: its words with a menu, who and when and what else is known in small letters, and a button that
ticks it with one tap."""

from __future__ import annotations

from adapters.slack import limits
from adapters.slack.limits import Json, Room, plain_text
from adapters.slack.mrkdwn import is_cut, to_mrkdwn
from bot.cards import sections
from bot.cards.card import Button, ItemRow, ItemState
from bot.cards.sections import SHOW
from bot.cards.words import plain

WORDS = Room(700, 2_400)
"""An item's words in the channel; the whole is shown on demand."""
SMALL = (Room(900, 1_800), Room(450, 900), Room(220, 440), Room(110, 220), Room(40, 80))
"""What stands in small letters below an item: the first of these with which the whole message fits Slack. With the
last, buttons go without a name of their own for screen readers, too."""
_GROUP = Room(120, 240)
_SPOKEN = Room(40, 80)
_SHORT = 40
"""Hints of at most so many characters share a line."""
_MARKS = {ItemState.OPEN: "☐", ItemState.TICKED: "✅", ItemState.EXCUSED: "➖"}
_DEEPEST = 6
LONGEST_KEY = limits.OPTION_VALUE - 10
"""Characters of `DEPLOYMENT:ITEM` behind what is shown on demand."""


def row_blocks(row: ItemRow, *, small: Room = SMALL[0], group: bool = True, deployment: str = "") -> list[Json]:
    """The blocks of an item, without ids. `small` bounds the small letters; `group` puts its group's name above."""
    main = main_button(row)
    others = [button for button in row.buttons if button is not main]
    known, cut = _small(row, small)
    cut = cut or is_cut(row.markdown, WORDS)
    section: Json = {"type": "section", "text": mrkdwn(_words(row, group=group))}
    key = key_of(row, deployment)
    shown = [Button("Show all" if cut else "Show command", f"{SHOW}:{key}")] if key and (cut or row.command) else []
    free = limits.OVERFLOW_OPTIONS - len(shown)
    if options := [*others[:free], *shown]:
        section["accessory"] = {"type": "overflow", "options": [_option(button) for button in options]}
    blocks = [section]
    if known:
        blocks.append({"type": "context", "elements": [mrkdwn(known)]})
    if buttons := ([main] if main else []) + others[free:]:
        blocks.append(
            {"type": "actions", "elements": [_button(button, row, named=small != SMALL[-1]) for button in buttons]}
        )
    return blocks


def main_button(row: ItemRow) -> Button | None:
    """What one does about an item most of the time: tick it."""
    ticks = (button for button in row.buttons if button.action.startswith("tick:"))
    return next(ticks, None) or next((button for button in row.buttons if button.style == "primary"), None)


def key_of(row: ItemRow, deployment: str = "") -> str:
    """`DEPLOYMENT:ITEM` where that fits an option's value; see `bot.cards.sections`."""
    return sections.key_of(row, deployment, LONGEST_KEY)


def mrkdwn(text: str) -> Json:
    """A mrkdwn object. `verbatim`: Slack looks for no channels, people or addresses that we did not write as such."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def button_element(button: Button, *, spoken: str = "") -> Json:
    """A button, without its id. `spoken` is its name for people who do not see where it stands."""
    element: Json = {
        "type": "button",
        "text": plain_text(button.label, limits.BUTTON_LABEL, size=450),
        "value": button.action[: limits.BUTTON_VALUE],
    }
    if button.style != "plain":
        element["style"] = button.style
    if spoken:
        element["accessibility_label"] = spoken[: limits.ACCESSIBILITY_LABEL]
    return element


def _words(row: ItemRow, *, group: bool) -> str:
    # A blank at the very beginning would be trimmed; behind a zero-width space it stays.
    indent = "\u200b" + "\u2003" * (min(row.depth, _DEEPEST) - 1) if row.depth > 1 else ""
    text = f"{indent}{_MARKS[row.state]} {to_mrkdwn(row.markdown, WORDS).strip() or '…'}"
    above = to_mrkdwn(row.group, _GROUP).strip() if group and row.group else ""
    return f"{above}\n{text}" if above else text


def _small(row: ItemRow, room: Room) -> tuple[str, bool]:
    """Status and hints in small letters, and whether something had to be left out."""
    out = ""
    hints = [hint for hint in row.hints if hint.strip()]
    between = " · " if all(len(hint) <= _SHORT for hint in hints) else "\n"
    for place, hint in enumerate([row.status, *hints] if row.status.strip() else hints):
        lead = "" if not place else "\n" if place == 1 and row.status.strip() else between
        left = room.less(out + lead)
        if left.chars < 8 or left.size < 24:
            return out + "…" * (not out.endswith("…")), True
        out += lead + to_mrkdwn(hint, left)
        if is_cut(hint, left):
            return out, True
    return out, False


def _option(button: Button) -> Json:
    return {
        "text": plain_text(button.label, limits.OPTION_LABEL, size=450),
        "value": button.action[: limits.OPTION_VALUE],
    }


def _button(button: Button, row: ItemRow, *, named: bool) -> Json:
    # Ten green buttons below each other would only shout: those of items are plain.
    quiet = Button(button.label, button.action)
    if not named:
        return button_element(quiet)
    spoken = plain_text(f"{button.label}: {plain(row.markdown)}", _SPOKEN.chars, size=_SPOKEN.size)
    return button_element(quiet, spoken=spoken["text"])
