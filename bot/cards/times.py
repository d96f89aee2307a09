"""An instant inside inline Markdown, for the chats that show everybody their own time.

It is a link that leads nowhere: `[14:00 UTC](time:2026-11-24T14:00Z)`. Discord draws the instant, the others the words.
"""

from __future__ import annotations

from datetime import UTC, datetime

SCHEME = "time:"


def instant(words: str, at: datetime) -> str:
    """`words` (plain text without brackets, a time as `bot.cards.words.clock` says it), and the instant they mean."""
    return f"[{words}]({SCHEME}{at.astimezone(UTC):%Y-%m-%dT%H:%MZ})"
