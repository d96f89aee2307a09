"""An item as components: its words, who and when and what else is known in small letters, and beside them the one
button that matters. Everything else about it is reached through the menu below the items."""

from __future__ import annotations

import re
from collections.abc import Sequence

from discord import ButtonStyle, SelectOption, ui

from adapters.discord import limits
from adapters.discord.limits import one_line
from adapters.discord.markdown import is_cut, to_discord
from bot.cards import sections
from bot.cards.card import Button, ItemRow, ItemState
from bot.cards.sections import OPEN_ALL, SHOW
from bot.cards.words import plain

MORE = "more"
"""Verb of the menu: `more:DEPLOYMENT:NUMBER`. The value that is chosen is `show:DEPLOYMENT:ITEM`."""
WORDS = 600
"""Characters of an item's words in the channel; the whole is shown on demand."""
GROUP = 100
SMALL = (700, 350, 160, 80, 40)
"""Characters in small letters below an item: the first of these with which the whole message fits Discord."""
_LEAD = "-# "
"""Begins a line in small letters."""
_SHORT = 40
"""Hints of at most so many characters share a line."""
_MARKS = {ItemState.OPEN: "☐", ItemState.TICKED: "✅", ItemState.EXCUSED: "➖"}
_STYLES = {"plain": ButtonStyle.secondary, "primary": ButtonStyle.primary, "danger": ButtonStyle.danger}
_DEEPEST = 6
LONGEST_KEY = limits.CUSTOM_ID - len(f"{OPEN_ALL}:")
"""Characters of `DEPLOYMENT:ITEM` behind what is shown on demand."""
_NUMBERED = re.compile(r"#\d+$")


class Ids:
    """`custom_id`s of one message, each once: the action, numbered (`#2`) where it was given before."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def take(self, action: str) -> str | None:
        """None where no other id of 100 characters means the same action."""
        named = [] if _NUMBERED.search(action) else [action]
        for wanted in [*named, *(f"{action}#{number}" for number in range(len(named) + 1, limits.COMPONENTS + 2))]:
            if 0 < len(wanted) <= limits.CUSTOM_ID and wanted not in self._given:
                self._given.add(wanted)
                return wanted
        return None


def action_of(custom_id: str) -> str:
    """The action behind a `custom_id` that `Ids` gave."""
    return _NUMBERED.sub("", custom_id)


def row_items(row: ItemRow, ids: Ids, *, small: int = SMALL[0], group: bool = True) -> list[ui.Item[ui.LayoutView]]:
    """The components of an item. `small` bounds the small letters; `group` puts its group's name above."""
    known, _ = _small(row, small)
    text: ui.TextDisplay[ui.LayoutView] = ui.TextDisplay(_words(row, group=group) + (f"\n{known}" if known else ""))
    main = main_button(row)
    # Ten coloured buttons below each other would only shout: those of items are plain.
    accessory = button(Button(main.label, main.action), ids) if main else None
    return [ui.Section(text, accessory=accessory)] if accessory else [text]


def main_button(row: ItemRow) -> Button | None:
    """What one does about an item most of the time: tick it, or take back what was done."""
    wanted = ("tick:",) if row.state is ItemState.OPEN else ("untick:", "tick:")
    for verb in wanted:
        for each in row.buttons:
            if each.action.startswith(verb):
                return each
    return next((each for each in row.buttons if each.style == "primary"), None)


def key_of(row: ItemRow, deployment: str = "") -> str:
    """`DEPLOYMENT:ITEM` where it fits a `custom_id` with a verb; see `bot.cards.sections`."""
    return sections.key_of(row, deployment, LONGEST_KEY)


def more_select(rows: Sequence[ItemRow], ids: Ids, *, small: int, deployment: str = "") -> list[ui.Item[ui.LayoutView]]:
    """The menu "More about an item…", in its row: every item of these with more than is seen. Empty without any."""
    options: dict[str, SelectOption] = {}
    for row in rows:
        key = key_of(row, deployment)
        rest = [each for each in row.buttons if each is not main_button(row)]
        if key and (rest or row.command or is_cut(row.markdown, WORDS) or _small(row, small)[1]):
            options.setdefault(key, SelectOption(label=one_line(_label(row), limits.OPTION), value=f"{SHOW}:{key}"))
    if not options:
        return []
    named = next(iter(options)).partition(":")[0]
    found: list[ui.Item[ui.LayoutView]] = []
    several = list(options.values())
    for number, start in enumerate(range(0, len(several), limits.SELECT_OPTIONS)):
        custom_id = ids.take(f"{MORE}:{named}:{number}")
        if custom_id is not None:
            select: ui.Select[ui.LayoutView] = ui.Select(
                custom_id=custom_id,
                placeholder="More about an item…",
                options=several[start : start + limits.SELECT_OPTIONS],
            )
            found.append(ui.ActionRow(select))
    return found


def button(of: Button, ids: Ids) -> ui.Button[ui.LayoutView] | None:
    """A button; None for one that another of the message is already, to the letter."""
    custom_id = ids.take(of.action)
    if custom_id is None:
        return None
    return ui.Button(style=_STYLES[of.style], label=one_line(of.label, limits.BUTTON_LABEL), custom_id=custom_id)


def _label(row: ItemRow) -> str:
    return f"{_MARKS[row.state]} {plain(row.markdown) or '…'}"


def _words(row: ItemRow, *, group: bool) -> str:
    # A blank at the very beginning would be trimmed; behind a zero-width space it stays.
    indent = "\u200b" + "\u2003" * (min(row.depth, _DEEPEST) - 1) if row.depth > 1 else ""
    text = f"{indent}{_MARKS[row.state]} {to_discord(row.markdown, WORDS).strip() or '…'}"
    above = to_discord(row.group, GROUP).strip() if group and row.group else ""
    return f"{above}\n{text}" if above else text


def _small(row: ItemRow, room: int) -> tuple[str, bool]:
    """Status and hints in small letters, and whether something had to be left out."""
    lines: list[str] = []
    left = room
    hints = [hint for hint in row.hints if hint.strip()]
    joined = [" · ".join(hints)] if all(len(hint) <= _SHORT for hint in hints) else hints
    for said in (row.status, *joined):
        if not said.strip():
            continue
        left -= len(_LEAD)
        if left < 8:
            return "\n".join(lines) + "…" * bool(lines), True
        drawn = to_discord(" ".join(said.split()), left).strip()
        if drawn:
            lines.append(_LEAD + drawn)
        if is_cut(said, left):
            return "\n".join(lines), True
        left -= len(drawn) + 1
    return "\n".join(lines), False
