"""Finished sections as one line each, so that what is left to do is what is seen. The line has a button that shows the
section to who asks, with what can be undone in it."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.slack.limits import Json, Room
from adapters.slack.mrkdwn import literal, to_mrkdwn
from adapters.slack.rows import LONGEST_KEY, button_element, mrkdwn
from bot.cards import sections
from bot.cards.card import Block, Button, Card
from bot.cards.sections import Folded


def fold(card: Card, deployment: str = "") -> Iterator[Block | Json]:
    """The blocks of a card with every finished section as one drawn line; all of it as one when everything is done."""
    for block in sections.fold(card, deployment, LONGEST_KEY):
        yield _line(block) if isinstance(block, Folded) else block


def _line(folded: Folded) -> Json:
    words = [literal(folded.title, Room(300, 900), bold=True)] if folded.title else []
    words += [f"{folded.done} of {folded.done}", *([to_mrkdwn(folded.who, Room(300, 900))] if folded.who else [])]
    opener = button_element(Button("Open", folded.action), spoken=f"Open {folded.title or 'the items'}"[:75])
    return {"type": "section", "text": mrkdwn("✅ " + " · ".join(words)), "accessory": opener}
