"""A card cut into as few messages as Slack takes.

Where the cut falls is decided from what never changes about an item: its words, its depth, its group, whether it has a
command. Everything else (who ticked it, hints, notes, which buttons) is counted at its worst, so that ticking, undoing
or folding moves no item, and no button, into another message. Small letters beyond what was reserved for them are
shortened when a message is drawn (`rows.SMALL`), and shown whole on demand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from adapters.slack.folding import COUNTED
from adapters.slack.weights import CONTINUED, LEAD, Weight, above_weight, pieces, title_weight, weight_of
from bot.cards.card import Block, Card, Code, Heading, ItemRow, ItemState, Text, Verbatim
from bot.cards.words import plain


@dataclass(frozen=True, slots=True)
class Unit:
    """What is not torn apart: a block, with the headings above it. `section` numbers the headings of the card."""

    blocks: tuple[Block, ...]
    weight: Weight
    section: int


def parts(card: Card) -> tuple[Card, ...]:
    """The card as messages. One that fits is given back as it is."""
    units = list(_units(card))
    title, above = title_weight(card), above_weight(card)
    pages = _filled(units, title, above, whole=False)
    kept = _filled(units, title, above, whole=True)
    # Sections stay together where that costs no message more.
    pages = kept if len(kept) <= len(pages) else pages
    if len(pages) <= 1:
        blocks = tuple(block for unit in units for block in unit.blocks)
        return (card if blocks == card.blocks else replace(card, blocks=blocks),)
    return tuple(_part(card, page, number, units) for number, page in enumerate(pages))


# --- cutting ---


def _units(card: Card) -> Iterator[Unit]:
    """The card's blocks, long ones cut, each heading together with what stands below it."""
    has_rows = any(isinstance(block, ItemRow) for block in card.blocks)
    above: tuple[Block, ...] = ()
    weight = kept = Weight()
    section = 0
    leading = has_rows
    for block in (piece for whole in card.blocks for piece in pieces(whole)):
        if isinstance(block, Heading):
            section += 1
            above, weight, leading = (*above, block), weight + _heading_weight(block), False
            if len(above) > 10:
                yield Unit(above, weight, section)
                above, weight = (), Weight()
            continue
        own = weight_of(block)
        # For what stands above the items there is room already.
        leading = leading and isinstance(block, Text) and own.size <= LEAD // 3
        if leading and (kept + own).size <= LEAD and kept.blocks < 3:
            own, kept = Weight(), kept + own
        yield Unit((*above, block), weight + own, section)
        above, weight = (), Weight()
    if above:
        yield Unit(above, weight, section)


def _heading_weight(block: Heading) -> Weight:
    name = COUNTED.sub("", block.text)
    return weight_of(Heading(f"{name}{CONTINUED} · 999 of 999")).most(weight_of(block))


def _filled(units: Sequence[Unit], title: Weight, above: Weight, *, whole: bool) -> list[list[Unit]]:
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
            needed = together if (title + together).fits else needed
        # Going on with a section repeats its heading.
        heading = Weight() if begins or not unit.section else _again(units, unit.section)
        if not pages:
            pages.append([])
        elif not (full + needed).fits and any(other.weight.blocks for other in pages[-1]):
            # Lines that come and go above the items never make a message by themselves.
            pages.append([])
            full = title + heading
        pages[-1].append(unit)
        full += unit.weight
    return pages


def _again(units: Sequence[Unit], section: int) -> Weight:
    heading = next(block for unit in units if unit.section == section for block in _heading_of(unit))
    return _heading_weight(heading)


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
