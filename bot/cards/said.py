"""An announcement as a message: the team's own words, letter for letter."""

from __future__ import annotations

import re

from bot.cards.card import Block, Button, Buttons, Card, Text, Tone, Verbatim, escape
from bot.domain.events import Announced, Started
from checklists.policy import Announcement

_TONES = {
    Announcement.SUCCEEDED: Tone.GOOD,
    Announcement.STABLE: Tone.GOOD,
    Announcement.ISSUE: Tone.BAD,
    Announcement.ROLLBACK_STARTED: Tone.BAD,
    Announcement.ROLLED_BACK: Tone.WARN,
}
_CALLS = {Announcement.ISSUE, Announcement.ROLLBACK_STARTED}
_ADDRESS = re.compile(r"\w+://\S+")


def announcement_card(said: Announced, started: Started, *, hands: str = "") -> Card:
    """The message of an announcement of a deployment. Bad news calls the on-call.

    Words of a team that do not name the service stay as they are: a small line below says of what they are, since
    other teams read the channel too. `hands`: what people must do about a rollback that nothing carries out
    (`bot.cards.workflows.by_hand`); it stands below the words that it begins.
    """
    blocks: tuple[Block, ...] = (Verbatim(said.text),)
    text = said.text
    if not _names(said.text, started.service):
        of = f"{started.service} {started.version} → {started.environment}"
        blocks, text = (*blocks, Text(escape(of), small=True)), f"{text}\n{of}"
    if said.announcement is Announcement.ROLLBACK_STARTED and hands:
        only = f"gonogo only calls this rollback: {hands}."
        blocks, text = (*blocks, Text(only)), f"{text}\n{only}"
    if said.announcement is Announcement.ISSUE:
        acknowledge = Button("Acknowledge", f"acknowledge:{started.id}", "primary")
        blocks = (*blocks, Buttons((acknowledge, Button("Roll back…", f"rollback:{started.id}", "danger"))))
    return Card(
        title="",
        text=text,
        blocks=blocks,
        tone=_TONES.get(said.announcement, Tone.PLAIN),
        mentions=("on_call",) if said.announcement in _CALLS else (),
    )


def _names(text: str, service: str) -> bool:
    """Whether the name stands in the text as a word of its own. In an address it is not read."""
    name = rf"(?<!\w){re.escape(service.casefold())}(?!\w)"
    return re.search(name, _ADDRESS.sub(" ", text).casefold()) is not None


def moved_card() -> Card:
    """Said under a card that stands and can no longer be edited."""
    text = "This card can no longer be kept up to date. The current one stands further down in this channel."
    return Card(title="", text=text, blocks=(Text(f"⬇️ {text}"),))


def no_channel_card(channel: str) -> Card:
    """Said once where a channel of the policy does not exist."""
    text = f"There is no channel {channel} here (or I am not in it), so this was said only in #deployments."
    return Card(title="", text=text, blocks=(Text(text, small=True),))
