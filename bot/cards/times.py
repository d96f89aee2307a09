"""An instant inside inline Markdown, for the chats that show everybody their own time.

It is a link that leads nowhere: `[14:00 UTC](time:2026-11-24T14:00Z)`. Discord draws the instant, the others the words.
"""

from __future__ import annotations

from datetime import UTC, datetime

from bot.cards.words import clock, zone_letters
from checklists.zones import find_zone

SCHEME = "time:"


def instant(words: str, at: datetime) -> str:
    """`words` (plain text without brackets, a time as `bot.cards.words.clock` says it), and the instant they mean."""
    return f"[{words}]({SCHEME}{at.astimezone(UTC):%Y-%m-%dT%H:%MZ})"


def wall(at: datetime, zone: str, now: datetime) -> str:
    """An instant that is said without the card it belongs to: by the wall clock of the policy's zone, which is named
    where it is not that of UTC, as lists are."""
    elsewhere = f" {zone_letters(at, zone)}" if at.astimezone(find_zone(zone)).utcoffset() else ""
    return instant(f"{clock(at, zone, now)}{elsewhere}", at)
