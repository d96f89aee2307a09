"""A card cut into as few messages as a chat takes.

Where the cut falls is decided from what never changes about an item: its words, its depth, its group, whether it has a
command. Everything else (who ticked it, hints, notes, which buttons) is counted at its worst, so that ticking, undoing
or folding moves no item, and no button, into another message. What was reserved for the rest may be too little when a
message is drawn: then the small letters are shortened, and shown whole on demand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.cards.card import Block, Buttons, Card, Code, Facts, Heading, ItemRow, ItemState, Text, Verbatim
from bot.cards.runs import middle
from bot.cards.sections import COUNTED
from bot.cards.words import plain

CONTINUED = " (continued)"
"""What a title and a heading end with where they are repeated."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What blocks take of a message: their number as the chat counts them, characters of text, and its size in another
    measure (bytes), where the chat has one."""

    blocks: int = 0
    chars: int = 0
    size: int = 0

    def __add__(self, other: Weight) -> Weight:
        return Weight(self.blocks + other.blocks, self.chars + other.chars, self.size + other.size)

    def most(self, other: Weight) -> Weight:
        """The larger of each."""
        return Weight(max(self.blocks, other.blocks), max(self.chars, other.chars), max(self.size, other.size))

    def within(self, other: Weight) -> bool:
        """Whether none of the three is larger."""
        return self.blocks <= other.blocks and self.chars <= other.chars and self.size <= other.size


@dataclass(frozen=True, slots=True)
class Scale:
    """How a chat weighs."""

    message: Weight
    """What a message holds."""
    lead: Weight
    """What is kept for lines above the items that come and go; it is part of `above`."""
    block: Callable[[Block], Weight]
    """Of a block; of an item the most it can ever come to."""
    title: Callable[[Card], Weight]
    """Of the title in its longest form, and of what else every message of the card has."""
    above: Callable[[Card], Weight]
    """Of what only the first message has: mentions, `lead`."""
    is_small: Callable[[Block], bool]
    """Whether a block need not be cut in two."""
    headings: int = 10
    """As many follow each other in one message."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What is not torn apart: a block, with the headings above it. `section` numbers the headings of the card."""

    blocks: tuple[Block, ...]
    weight: Weight
    section: int


def parts(card: Card, scale: Scale) -> tuple[Card, ...]:
    """The card as messages. One that fits is given back as it is."""
    units = list(_units(card, scale))
    title, above = scale.title(card), scale.above(card)
    pages = _filled(units, title, above, scale, whole=False)
    kept = _filled(units, title, above, scale, whole=True)
    # Sections stay together where that costs no message more.
    pages = kept if len(kept) <= len(pages) else pages
    if len(pages) <= 1:
        blocks = tuple(block for unit in units for block in unit.blocks)
        return (card if blocks == card.blocks else replace(card, blocks=blocks),)
    return tuple(_part(card, page, number, units) for number, page in enumerate(pages))


# --- cutting ---


def _units(card: Card, scale: Scale) -> Iterator[Unit]:
    """The card's blocks, long ones cut, each heading together with what stands below it."""
    has_rows = any(isinstance(block, ItemRow) for block in card.blocks)
    above: tuple[Block, ...] = ()
    weight = kept = Weight()
    section = 0
    leading = has_rows
    for block in (piece for whole in card.blocks for piece in _pieces(whole, scale)):
        if isinstance(block, Heading):
            section += 1
            above, weight, leading = (*above, block), weight + _heading_weight(block, scale), False
            if len(above) > scale.headings:
                yield Unit(above, weight, section)
                above, weight = (), Weight()
            continue
        own = scale.block(block)
        # For what stands above the items there is room already.
        leading = leading and isinstance(block, Text) and own.size <= scale.lead.size // 3
        if leading and (kept + own).size <= scale.lead.size and kept.blocks < scale.lead.blocks:
            own, kept = Weight(), kept + own
        yield Unit((*above, block), weight + own, section)
        above, weight = (), Weight()
    if above:
        yield Unit(above, weight, section)


def _pieces(block: Block, scale: Scale) -> Iterator[Block]:
    """A block that one message, or one block of the chat, does not hold, cut in two until it does."""
    halves = None if isinstance(block, ItemRow) or scale.is_small(block) else _halves(block)
    if halves is None:
        yield block
        return
    for half in halves:
        yield from _pieces(half, scale)


def _halves(block: Block) -> tuple[Block, Block] | None:
    match block:
        case Text() if cut := middle(block.markdown):
            return replace(block, markdown=cut[0]), replace(block, markdown=cut[1])
        case Verbatim() if cut := middle(block.text):
            return Verbatim(cut[0]), Verbatim(cut[1])
        case Code() if cut := middle(block.text):
            return Code(cut[0]), Code(cut[1])
        case Buttons() if len(block.buttons) > 1:
            half = len(block.buttons) // 2
            return Buttons(block.buttons[:half]), Buttons(block.buttons[half:])
        case Facts() if len(block.facts) > 1:
            half = len(block.facts) // 2
            return Facts(block.facts[:half]), Facts(block.facts[half:])
    return None


def _heading_weight(block: Heading, scale: Scale) -> Weight:
    name = COUNTED.sub("", block.text)
    return scale.block(Heading(f"{name}{CONTINUED} · 999 of 999")).most(scale.block(block))


def _filled(units: Sequence[Unit], title: Weight, above: Weight, scale: Scale, *, whole: bool) -> list[list[Unit]]:
    """Messages filled one after the other; with `whole`, a section that fits one message is not begun in the rest of
    another."""
    pages: list[list[Unit]] = []
    full = title + above
    for place, unit in enumerate(units):
        begins = place == 0 or units[place - 1].section != unit.section
        needed = unit.weight
        if whole and begins:
            section = [other.weight for other in units[place:] if other.section == unit.section]
            together = sum(section, Weight())
            needed = together if (title + together).within(scale.message) else needed
        # Going on with a section repeats its heading.
        heading = Weight() if begins or not unit.section else _again(units, unit.section, scale)
        if not pages:
            pages.append([])
        elif not (full + needed).within(scale.message) and any(other.weight.blocks for other in pages[-1]):
            # Lines that come and go above the items never make a message by themselves.
            pages.append([])
            full = title + heading
        pages[-1].append(unit)
        full += unit.weight
    return pages


def _again(units: Sequence[Unit], section: int, scale: Scale) -> Weight:
    heading = next(block for unit in units if unit.section == section for block in _heading_of(unit))
    return _heading_weight(heading, scale)


def _part(card: Card, page: Sequence[Unit], number: int, units: Sequence[Unit]) -> Card:
    """One message of several: its title, its own headings, and what it says for who does not see it."""
    blocks: list[Block] = []
    section = -1
    for unit in page:
        named = list(_heading_of(unit))
        if unit.section and unit.section != section and not named:
            heading = next(block for other in units if other.section == unit.section for block in _heading_of(other))
            blocks.append(_recounted(heading, page, unit.section, units, CONTINUED))
        for block in unit.blocks:
            last = isinstance(block, Heading) and block is named[-1]
            blocks.append(
                _recounted(block, page, unit.section, units) if isinstance(block, Heading) and last else block
            )
        section = unit.section
    title = card.title + CONTINUED if number and card.title else card.title
    text = card.text if number == 0 else _spoken(title, blocks)
    return replace(card, title=title, text=text, blocks=tuple(blocks), mentions=card.mentions if number == 0 else ())


def _heading_of(unit: Unit) -> Iterator[Heading]:
    return (block for block in unit.blocks if isinstance(block, Heading))


def _recounted(heading: Heading, page: Sequence[Unit], section: int, units: Sequence[Unit], more: str = "") -> Heading:
    """The heading of a section that goes over several messages counts the items of its own message."""
    here, everywhere = (
        [block for unit in some if unit.section == section for block in unit.blocks if isinstance(block, ItemRow)]
        for some in (page, units)
    )
    if len(here) == len(everywhere) or not COUNTED.search(heading.text):
        return Heading(heading.text + more) if more else heading
    done = sum(row.state is not ItemState.OPEN for row in here)
    return Heading(f"{COUNTED.sub('', heading.text)}{more} · {done} of {len(here)}")


def _spoken(title: str, blocks: Sequence[Block]) -> str:
    rows = [block for block in blocks if isinstance(block, ItemRow)]
    if rows:
        to_do = [plain(row.markdown) for row in rows if row.state is ItemState.OPEN]
        head = f"{title}: {len(rows) - len(to_do)} of {len(rows)} items done. ".lstrip(": ")
        return (head + "; ".join(label[:80] for label in to_do[:5])).rstrip()
    words = [plain(block.markdown) for block in blocks if isinstance(block, Text)]
    words += [block.text for block in blocks if isinstance(block, Verbatim | Code)]
    return "\n".join([title, *words] if title else words) or "…"
