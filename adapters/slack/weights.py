"""What cards take of a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from adapters.slack import limits
from adapters.slack.blocks import TEXT, draw_block, seal, title_line
from adapters.slack.limits import Json, plain_text
from adapters.slack.mrkdwn import is_cut
from adapters.slack.rows import SMALL
from bot.cards.card import Block, Button, Card, Heading, ItemRow, ItemState, Picture, Text
from bot.cards.paging import CONTINUED, Weight

LEAD = 600
_MENTIONS = 300
"""Bytes kept for lines before the first item that come and go, and for mentions."""
_FEW = 3
"""Roles whose mentions fit into what is kept for them."""
_MENU = ("tick", "Tick"), ("measure", "Measure now"), ("excuse", "Not applicable…"), ("note", "Note…")
_DEPLOYMENT = "d" * 8
"""Identifiers of deployments are of this length."""
_FILE = "F" * 16
"""Ids of files are no longer."""
_LONGEST_BLOCK = 5_000
"""Bytes of JSON of one block; a longer text is cut in two."""


def weigh(blocks: Sequence[Json]) -> Weight:
    """The weight of drawn blocks."""
    sealed = seal(list(blocks), first=10)  # as long as ids get
    return Weight(len(sealed), limits.text_chars(sealed), limits.json_bytes(sealed))


def title_weight(card: Card) -> Weight:
    """Of the title in its longest form."""
    title = plain_text(f"{title_line(card)}⚠️ {CONTINUED}", limits.HEADER)
    return weigh([{"type": "header", "text": title}]) if card.title.strip() else Weight()


def above_weight(card: Card) -> Weight:
    """Of mentions; in a card with items, of what may come and go above them."""
    called = len(card.mentions)
    most = Weight(1, 140 * called, 60 + 460 * called) if called else Weight()
    if any(isinstance(block, ItemRow) for block in card.blocks):
        return Weight(1, _MENTIONS // 2, _MENTIONS).most(most if called > _FEW else Weight()) + Weight(3, LEAD, LEAD)
    return most


@lru_cache(maxsize=4096)
def weight_of(block: Block) -> Weight:
    """Of a block; of an item the most it can ever come to; of a picture as it is and as its words."""
    if isinstance(block, Picture):
        return weigh(draw_block(block)).most(weigh(draw_block(block, files={block.chart: _FILE})))
    if not isinstance(block, ItemRow):
        return weigh(draw_block(block))
    key = f"{_DEPLOYMENT}:{block.id}"
    worst = replace(
        block,
        state=ItemState.OPEN,
        status="",
        hints=("é" * SMALL[-1].size,),  # two bytes each
        buttons=tuple(Button(label, f"{verb}:{key}") for verb, label in _MENU),
    )
    bare = replace(worst, hints=("é" * SMALL[-1].chars,))
    return weigh(draw_block(worst)).most(weigh(draw_block(bare))).most(weigh(draw_block(block)))


def is_small(block: Block) -> bool:
    """Whether one block of Slack holds it."""
    if isinstance(block, Text) and is_cut(block.markdown, TEXT):
        return False
    weight = weight_of(block)
    return weight.blocks <= 1 + isinstance(block, Heading) and weight.chars <= 2_900 and weight.size <= _LONGEST_BLOCK
