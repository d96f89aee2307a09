"""A card cut into as few messages as Discord takes; small letters beyond what was reserved for them are shortened when
a message is drawn (`rows.SMALL`)."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from adapters.discord import limits
from adapters.discord.blocks import ALT, TEXT, TITLE, assembled, draw_block
from adapters.discord.layout import CALLED, count_of, text_of
from adapters.discord.markdown import literal
from adapters.discord.rows import SMALL, Ids
from bot.cards import paging
from bot.cards.card import Block, Button, Card, ItemRow, ItemState, Picture, Text
from bot.cards.paging import Scale, Weight

_BOX = 2
"""The box, and what stands above or below it."""
_MENU = 2
"""The menu below the items, and its row."""
_LEAD = 360
"""Characters kept for lines above the items that come and go."""
_ROWS = 25
"""Buttons of one block; more are cut in two."""


def parts(card: Card) -> tuple[Card, ...]:
    """The card as messages. One that fits is given back as it is."""
    return paging.parts(card, _SCALE)


def _weigh(block: Block) -> Weight:
    items = assembled(draw_block(block, Ids()))
    text = text_of(items)
    # With the breaks between its lines and those of its neighbours.
    return Weight(count_of(items), text + 1, text + 1) if items else Weight()


@lru_cache(maxsize=4096)
def _weight_of(block: Block) -> Weight:
    """Of a block; of an item, and of a picture, the most it can ever come to."""
    if isinstance(block, Picture):
        text = len(literal(block.alt, ALT)) + 1
        return Weight(1, text, text)
    if not isinstance(block, ItemRow):
        return _weigh(block)
    tick = (Button("Tick", f"tick:{block.id}"[: limits.CUSTOM_ID]),)
    worst = replace(block, state=ItemState.OPEN, status="", hints=("é" * SMALL[-1],), buttons=tick)
    return _weigh(worst).most(_weigh(block))


def _title_weight(card: Card) -> Weight:
    """Of the title at its longest, the box, and the menu of a message with items."""
    rows = any(isinstance(block, ItemRow) for block in card.blocks)
    return Weight(_BOX + (_MENU if rows else 0) + 1, TITLE + 4, TITLE + 4)


def _above_weight(card: Card) -> Weight:
    """Of mentions, which may come with an edit; in a card with items, of what may come and go above them."""
    rows = any(isinstance(block, ItemRow) for block in card.blocks)
    called = CALLED if card.mentions or rows else 0
    return Weight(0, called + (_LEAD if rows else 0), called + (_LEAD if rows else 0))


def _is_small(block: Block) -> bool:
    if isinstance(block, Text):
        return _weight_of(block).chars <= TEXT and len(block.markdown) <= TEXT
    weight = _weight_of(block)
    return weight.blocks <= _ROWS + _ROWS // limits.ROW_BUTTONS and weight.chars <= TEXT


_SCALE = Scale(
    message=Weight(limits.COMPONENTS, limits.MESSAGE_TEXT, limits.MESSAGE_TEXT),
    lead=Weight(3, _LEAD, _LEAD),
    block=_weight_of,
    title=_title_weight,
    above=_above_weight,
    is_small=_is_small,
    headings=3,
)
