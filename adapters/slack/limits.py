"""What Slack takes: every limit of Block Kit that is kept here, and how a message is measured against them.

Lengths are characters (code points) unless said otherwise. Sources: the reference pages of Block Kit on docs.slack.dev,
the validators of slack_sdk.models and the types of node-slack-sdk; where they differ, the smaller number.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from bot.cards.runs import boundary, clean

Json = dict[str, Any]

BLOCKS = 50
"""Blocks of a message (reference of chat.postMessage)."""
TEXT = 3_000
"""A text object; what a person may type into an input, too."""
HEADER = 150
CONTEXT_ELEMENTS = 10
ACTIONS_ELEMENTS = 25
BUTTON_LABEL = 75
BUTTON_VALUE = 2_000
ACCESSIBILITY_LABEL = 75
OVERFLOW_OPTIONS = 5
OPTION_LABEL = 75
OPTION_VALUE = 150
"""Reference page and slack_sdk; the 3,000 of the Node types is wrong."""
SELECT_OPTIONS = 100
"""Of a static select, and of one group of it; as many groups."""
ID = 255
"""`block_id`, `action_id`, `callback_id`."""
MODAL_BLOCKS = 100
MODAL_TITLE = 24
"""Title, submit and close of a modal."""
PRIVATE_METADATA = 3_000
LABEL = 2_000
"""Label and hint of an input."""

MESSAGE_TEXT = 3_900
"""Top-level text: chat.update fails above 4,000 (`msg_too_long`), so nothing longer is posted either."""
MESSAGE_CHARS = 8_900
MESSAGE_JSON = 11_900
"""Characters of text in the blocks of a message, and bytes of their JSON (UTF-8, without blanks).

Slack publishes no such limit and answers `msg_blocks_too_long`: 9,597 characters in 15.5 kB passed, 11,341 in 17.7 kB
did not (slackapi/bolt-js issue 2867). Kept: less than 9,000 and 12,000.
"""

_SPECIAL = re.compile(r"<(?=[!@#])")


@dataclass(frozen=True, slots=True)
class Room:
    """How much text fits: characters, and bytes of it in JSON."""

    chars: int
    size: int

    def holds(self, text: str) -> bool:
        """Whether it fits."""
        return len(text) <= self.chars and (len(text) * 4 <= self.size or text_bytes(text) <= self.size)

    def less(self, text: str) -> Room:
        """What is left beside it."""
        return Room(self.chars - len(text), self.size - text_bytes(text))


def text_bytes(text: str) -> int:
    """Bytes of a string inside its quotes in JSON."""
    return json_bytes(text) - 2


def json_bytes(value: object) -> int:
    """Bytes of blocks as JSON, as those were counted that Slack refused."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def text_chars(value: object) -> int:
    """Characters of all text in blocks: of text objects, options, labels and rich text."""
    if isinstance(value, dict):
        return sum(
            len(part) if key == "text" and isinstance(part, str) else text_chars(part) for key, part in value.items()
        )
    return sum(text_chars(part) for part in value) if isinstance(value, list) else 0


def fits(blocks: list[Json]) -> bool:
    """Whether the blocks make a message, as far as their number and sizes go."""
    return len(blocks) <= BLOCKS and text_chars(blocks) <= MESSAGE_CHARS and json_bytes(blocks) <= MESSAGE_JSON


def clip(text: str, room: Room) -> str:
    """The text, visibly cut with … where it does not fit."""
    if room.holds(text):
        return text
    low, high = 0, min(len(text), room.chars)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if room.holds(text[:middle] + "…") else (low, middle - 1)
    return text[: boundary(text, low)].rstrip() + "…"


def plain_text(text: str, limit: int, *, size: int = TEXT * 6, lines: bool = False) -> Json:
    """A plain_text object of at most `limit` characters, in one line unless `lines`. Slack parses nothing in it; what
    looks like a mention is broken all the same."""
    flat = clean(text).strip() if lines else " ".join(clean(text).split())
    flat = _SPECIAL.sub("<\u2060", flat) or "…"
    return {"type": "plain_text", "text": clip(flat, Room(limit, size))}
