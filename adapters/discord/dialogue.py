"""What Discord asks of the core besides `bot.ports.Dialogue`."""

from __future__ import annotations

from typing import Protocol

from bot.cards.card import Answer, Card, Text, Tone
from bot.cards.words import plain
from bot.ports import Dialogue


class DiscordDialogue(Dialogue, Protocol):
    """The core, as this adapter needs it."""

    async def cards(self, deployment: str) -> tuple[Card, ...]:
        """The cards of a deployment as they stand now, for showing one section or item of them whole to who asks.
        Empty if there is none of this id."""
        ...


def not_done(sentence: str) -> Answer:
    """Something went wrong on the way. The sentence is ours: inline Markdown."""
    return Answer(card=Card("Not done", plain(sentence), (Text(sentence),), Tone.WARN), refused=True)
