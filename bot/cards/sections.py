"""A card cut at its headings: sections folded away when they are finished, and shown again on demand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.cards.card import Block, Buttons, Card, Code, Facts, Heading, ItemRow, ItemState, Progress, Text, Tone
from bot.cards.words import plain

OPEN = "open"
"""Verb of the button on a folded section; the key behind it is that of the section's first item. Such verbs are
answered by the adapters, not by the core."""
OPEN_ALL = "openall"
"""The same on a message that is folded as a whole."""
SHOW = "show"
"""Verb that shows one item whole, with its command, to who asks."""
COUNTED = re.compile(r" · \d+ of \d+$")
"""What the heading of a section ends with."""
_WHO = re.compile(r"^(.{1,80}?) (?:tomorrow |\w{3} \d{1,2} \w{3} (?:\d{4} )?)?\d{2}:\d{2}(?::|$| )")
_NAMES = 4


@dataclass
class Section:
    """Blocks from a heading to the last item below it; without heading, what stands between."""

    heading: str | None
    blocks: list[Block] = field(default_factory=list)

    @property
    def rows(self) -> list[ItemRow]:
        """Its items."""
        return [block for block in self.blocks if isinstance(block, ItemRow)]

    @property
    def finished(self) -> bool:
        """Whether it has items and none of them is open."""
        return bool(self.rows) and all(row.state is not ItemState.OPEN for row in self.rows)


@dataclass(frozen=True, slots=True)
class Folded:
    """A finished section as one line with a button that opens it; `title` is plain text, empty for a whole message."""

    title: str
    done: int
    who: str
    """Those who did it, as inline Markdown."""
    action: str


def sections(blocks: Sequence[Block]) -> list[Section]:
    """The card cut at its headings. What follows the last item of a section stands on its own: it never folds away."""
    found = [Section(None)]
    for block in blocks:
        if isinstance(block, Heading):
            found.append(Section(block.text))
        else:
            found[-1].blocks.append(block)
    cut: list[Section] = []
    for part in found:
        end = max((place for place, block in enumerate(part.blocks, 1) if isinstance(block, ItemRow)), default=None)
        if part.heading is None or end is None:
            cut.append(part)
        else:
            cut += [Section(part.heading, part.blocks[:end]), Section(None, part.blocks[end:])]
    return [part for part in cut if part.heading is not None or part.blocks]


def key_of(row: ItemRow, deployment: str, longest: int) -> str:
    """`DEPLOYMENT:ITEM`. An item without buttons does not know its deployment: empty, if it is not given; and for a key
    of more than `longest` characters."""
    rest = (button.action.partition(":")[2] for button in row.buttons)
    named = f"{deployment}:{row.id}" if deployment else ""
    key = next((key for key in rest if key.endswith(f":{row.id}")), named)
    return key if len(key) <= longest else ""


def fold(card: Card, deployment: str, longest: int) -> Iterator[Block | Folded]:
    """The blocks of a card with every finished section folded; all of it as one when everything is done.

    Items that do not know their deployment could not be shown again on demand: those stay as they are. `deployment` and
    `longest` are those of `key_of`.
    """
    rows = [block for block in card.blocks if isinstance(block, ItemRow)]
    whole = card.tone is Tone.GOOD and rows and all(row.state is not ItemState.OPEN for row in rows)
    if (
        whole
        and (key := key_of(rows[0], deployment, longest))
        and not any(isinstance(block, Buttons | Facts | Progress) for block in card.blocks)
    ):
        yield Folded("", len(rows), _who(rows), f"{OPEN_ALL}:{key}")
        return
    for part in sections(card.blocks):
        if part.heading is not None and part.finished and (key := key_of(part.rows[0], deployment, longest)):
            title = COUNTED.sub("", part.heading)
            yield Folded(title, len(part.rows), _who(part.rows), f"{OPEN}:{key}")
            continue
        if part.heading is not None:
            yield Heading(part.heading)
        yield from part.blocks


def section_of(card: Card, item: str) -> Card | None:
    """The section an item stands in, as a card of its own; None if it stands in none."""
    for part in sections(card.blocks):
        if any(row.id == item for row in part.rows):
            heading = (Heading(part.heading),) if part.heading is not None else ()
            return Card(card.title, f"{card.title}: {part.heading or ''}", (*heading, *part.blocks))
    return None


def whole_item(card: Card, item: str) -> Card | None:
    """An item with all its words, notes and its command, as a card of its own; None if it is not on the card."""
    for row in card.blocks:
        if isinstance(row, ItemRow) and row.id == item:
            said = [Text(row.markdown)] + [Text(hint, small=True) for hint in (row.status, *row.hints) if hint.strip()]
            command = (Code(row.command),) if row.command else ()
            buttons = (Buttons(row.buttons),) if row.buttons else ()
            return Card("", ". ".join(plain(line.markdown) for line in said), (*said, *command, *buttons))
    return None


def _who(rows: Sequence[ItemRow]) -> str:
    names = list(dict.fromkeys(match.group(1) for row in rows if (match := _WHO.match(row.status))))
    return ", ".join(names[:_NAMES]) + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "")
