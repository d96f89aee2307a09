"""The neutral message: what every chat can show. Adapters draw these; nothing here knows a chat.

Strings named `markdown` are inline Markdown (bold, code, links); what people typed is put in only
through `escape`. `Verbatim` is shown letter for letter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bot.cards.chart import Chart

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~&@-])")


def escape(text: str, *, limit: int = 300) -> str:
    """What a person typed, made safe to stand in inline Markdown: specials escaped, one line, cut at `limit`
    characters."""
    flat = " ".join(text.split())
    if len(flat) > limit:
        flat = flat[: limit - 1].rstrip() + "…"
    return _SPECIAL.sub(r"\\\1", flat)


class Tone(StrEnum):
    """How a card looks from afar."""

    PLAIN = "plain"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Button:
    """`action` is `verb:deployment:argument`, at most 100 characters (Discord's limit of a custom_id)."""

    label: str
    action: str
    style: Literal["plain", "primary", "danger"] = "plain"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    markdown: str
    small: bool = False


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text shown letter for letter: an announcement in the team's own words."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A command ready to copy."""

    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` required items, and a label for people who do not see the bar."""

    done: int
    total: int
    label: str


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section inside a card."""

    text: str


class ItemState(StrEnum):
    """What has been done about an item."""

    OPEN = "open"
    TICKED = "ticked"
    EXCUSED = "excused"


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item of the checklist with what can be done about it."""

    id: str
    markdown: str
    state: ItemState
    depth: int = 1
    group: str | None = None
    status: str = ""
    """Who and when once ticked or excused, in words; inline Markdown."""
    hints: tuple[str, ...] = ()
    """Role, "may not apply", automatic probe, notes of the document and of people; inline Markdown."""
    command: str | None = None
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Buttons:
    """A row of buttons."""

    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A measured number against its threshold, or any label and value; `ok` None means unknown."""

    label: str
    value: str
    target: str = ""
    ok: bool | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """A small table."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart, drawn by the adapter. `alt` says in words what it shows, for who does not see it."""

    alt: str
    chart: Chart


Block = Text | Verbatim | Code | Progress | Heading | ItemRow | Buttons | Facts | Picture


@dataclass(frozen=True, slots=True)
class Card:
    """A message. `text` says for a screen reader or a notification what the blocks say."""

    title: str
    text: str
    blocks: tuple[Block, ...] = ()
    tone: Tone = Tone.PLAIN
    mentions: tuple[str, ...] = ()
    """Roles of the policy to be pinged, when the message is new."""


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a field."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form."""

    name: str
    label: str
    kind: Literal["line", "paragraph", "choice"] = "line"
    value: str = ""
    required: bool = True
    hint: str = ""
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """Questions before something is done. `action` comes back with the answers."""

    title: str
    action: str
    fields: tuple[Field, ...]
    submit: str = "Save"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A card that belongs to a deployment and is kept in step with it. `thread` is the slot it hangs under, None for
    the channel."""

    name: str
    card: Card
    thread: str | None = None
    channel: str = "deployments"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the asker alone gets back: a card, or a form to fill in, or nothing because the channel itself shows it."""

    card: Card | None = None
    form: Form | None = None
    refused: bool = False
    """The card says why nothing was done."""
