"""An announcement as a message: the team's own words, letter for letter."""

from __future__ import annotations

from bot.cards.card import Button, Buttons, Card, Text, Tone, Verbatim
from bot.domain.events import Announced
from checklists.policy import Announcement

_TONES = {
    Announcement.SUCCEEDED: Tone.GOOD,
    Announcement.STABLE: Tone.GOOD,
    Announcement.ISSUE: Tone.BAD,
    Announcement.ROLLBACK_STARTED: Tone.BAD,
    Announcement.ROLLED_BACK: Tone.WARN,
}
_CALLS = {Announcement.ISSUE, Announcement.ROLLBACK_STARTED}


def announcement_card(said: Announced, deployment: str) -> Card:
    """The message of an announcement. Bad news calls the on-call."""
    blocks: tuple[Verbatim | Buttons, ...] = (Verbatim(said.text),)
    if said.announcement is Announcement.ISSUE:
        acknowledge = Button("Acknowledge", f"acknowledge:{deployment}", "primary")
        blocks = (*blocks, Buttons((acknowledge, Button("Roll back…", f"rollback:{deployment}", "danger"))))
    return Card(
        title="",
        text=said.text,
        blocks=blocks,
        tone=_TONES.get(said.announcement, Tone.PLAIN),
        mentions=("on_call",) if said.announcement in _CALLS else (),
    )


def moved_card() -> Card:
    """Said under a card that stands and can no longer be edited."""
    text = "This card can no longer be kept up to date. The current one stands further down in this channel."
    return Card(title="", text=text, blocks=(Text(f"⬇️ {text}"),))


def no_channel_card(channel: str) -> Card:
    """Said once where a channel of the policy does not exist."""
    text = f"There is no channel {channel} here (or I am not in it), so this was said only in #deployments."
    return Card(title="", text=text, blocks=(Text(text, small=True),))
