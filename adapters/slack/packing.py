"""A card cut into as few messages as Slack takes; small letters beyond what was reserved for them are shortened when a
message is drawn (`rows.SMALL`)."""

from __future__ import annotations

from adapters.slack import limits
from adapters.slack.weights import LEAD, above_weight, is_small, title_weight, weight_of
from bot.cards import paging
from bot.cards.card import Card
from bot.cards.paging import Scale, Weight

_SCALE = Scale(
    message=Weight(limits.BLOCKS, limits.MESSAGE_CHARS, limits.MESSAGE_JSON),
    lead=Weight(3, LEAD, LEAD),
    block=weight_of,
    title=title_weight,
    above=above_weight,
    is_small=is_small,
)


def parts(card: Card) -> tuple[Card, ...]:
    """The card as messages. One that fits is given back as it is."""
    return paging.parts(card, _SCALE)
