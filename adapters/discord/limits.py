"""What Discord takes: every limit of messages, components and modals that is kept here, and how text is cut to it.

Lengths are characters (code points). Sources: discord-api-docs, pages components/reference, resources/message,
resources/channel and interactions/receiving-and-responding; the 4,000 characters in all are stated by discord.py
(`LayoutView.content_length`).
"""

from __future__ import annotations

from typing import Any

from bot.cards.runs import boundary, clean

Json = dict[str, Any]

COMPONENTS = 40
"""Of a message, nested ones included."""
MESSAGE_TEXT = 3_900
"""All text of a message: a hundred less than the 4,000 that Discord takes."""
CUSTOM_ID = 100
BUTTON_LABEL = 80
ROW_BUTTONS = 5
SELECT_OPTIONS = 25
OPTION = 100
"""Label, value and description of an option."""
PLACEHOLDER = 150
"""Of a select."""
ALT_TEXT = 1_024
"""Description of a picture in a gallery."""
MENTIONS = 100
"""Users, and as many roles, that one message may call."""
THREAD_NAME = 100
MODAL_TITLE = 45
MODAL_COMPONENTS = 5
LABEL = 45
"""Text of a label in a modal."""
DESCRIPTION = 100
"""Description of a label; placeholder of an input."""
INPUT = 4_000
"""What a person may type into an input."""


def clip(text: str, limit: int) -> str:
    """The text, visibly cut with … where it is longer than `limit`."""
    if len(text) <= limit:
        return text
    return text[: boundary(text, limit - 1)].rstrip() + "…"


def one_line(text: str, limit: int, *, empty: str = "…") -> str:
    """Text for a place in which Discord formats nothing: a label, an option, a title. `empty` where there is none."""
    return clip(" ".join(clean(text).split()), limit) or empty
