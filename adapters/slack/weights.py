"""What cards take of a message, and where a text that is too long for one is cut."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from adapters.slack import limits
from adapters.slack.blocks import TEXT, draw_block, seal, title_line
from adapters.slack.limits import Json, plain_text
from adapters.slack.mrkdwn import is_cut
from adapters.slack.rows import SMALL
from bot.cards.card import Block, Button, Buttons, Card, Code, Facts, Heading, ItemRow, ItemState, Text, Verbatim

CONTINUED = " (continued)"
"""What a title and a heading end with where they are repeated."""
LEAD = 600
_MENTIONS = 300
"""Bytes kept for lines before the first item that come and go, and for mentions."""
_FEW = 3
"""Roles whose mentions fit into what is kept for them."""
_MENU = ("tick", "Tick"), ("measure", "Measure now"), ("excuse", "Not applicable…"), ("note", "Note…")
_DEPLOYMENT = "d" * 8
"""Identifiers of deployments are of this length."""
_LONGEST_BLOCK = 5_000
"""Bytes of JSON of one block; a longer text is cut in two."""
_SHORTEST = 2
"""A text is not cut below this many characters."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What blocks take of a message: their number, characters of text, bytes of JSON."""

    blocks: int = 0
    chars: int = 0
    size: int = 0

    def __add__(self, other: Weight) -> Weight:
        return Weight(self.blocks + other.blocks, self.chars + other.chars, self.size + other.size)

    def most(self, other: Weight) -> Weight:
        """The larger of each."""
        return Weight(max(self.blocks, other.blocks), max(self.chars, other.chars), max(self.size, other.size))

    @property
    def fits(self) -> bool:
        """Whether a message takes it."""
        return self.blocks <= limits.BLOCKS and self.chars <= limits.MESSAGE_CHARS and self.size <= limits.MESSAGE_JSON


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
    """Of a block; of an item the most it can ever come to."""
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


def pieces(block: Block) -> Iterator[Block]:
    """A block that one message, or one block of Slack, does not hold, cut in two until it does."""
    halves = None if isinstance(block, ItemRow) or _is_small(block) else _halves(block)
    if halves is None:
        yield block
        return
    for half in halves:
        yield from pieces(half)


def _is_small(block: Block) -> bool:
    if isinstance(block, Text) and is_cut(block.markdown, TEXT):
        return False
    weight = weight_of(block)
    return weight.blocks <= 1 + isinstance(block, Heading) and weight.chars <= 2_900 and weight.size <= _LONGEST_BLOCK


def _halves(block: Block) -> tuple[Block, Block] | None:
    match block:
        case Text() if cut := _middle(block.markdown):
            return replace(block, markdown=cut[0]), replace(block, markdown=cut[1])
        case Verbatim() if cut := _middle(block.text):
            return Verbatim(cut[0]), Verbatim(cut[1])
        case Code() if cut := _middle(block.text):
            return Code(cut[0]), Code(cut[1])
        case Buttons() if len(block.buttons) > 1:
            half = len(block.buttons) // 2
            return Buttons(block.buttons[:half]), Buttons(block.buttons[half:])
        case Facts() if len(block.facts) > 1:
            half = len(block.facts) // 2
            return Facts(block.facts[:half]), Facts(block.facts[half:])
    return None


def _middle(text: str) -> tuple[str, str] | None:
    """The text in two, between lines where possible, else between words; the sign it is cut at is left out."""
    if len(text) <= _SHORTEST:
        return None
    half, reach = len(text) // 2, len(text) // 4
    for sign in ("\n", " "):
        places = [match.start() for match in re.finditer(sign, text) if abs(match.start() - half) <= reach]
        if places:
            place = min(places, key=lambda at: abs(at - half))
            return text[:place], text[place + 1 :]
    place = limits.boundary(text, half)
    return text[:place], text[place:]
