"""Discord's messages of cards, proved to be accepted, and read the way a person sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from adapters.discord.layout import layout
from adapters.discord.packing import parts
from bot.cards.card import Card
from checklists.policy import Person
from tests.fakes.discord_checks import Errors
from tests.fakes.discord_components import judged
from tests.fakes.discord_components import walk as walked

PEOPLE = {
    "on_call": Person(discord="100000000000000001"),
    "qa": Person(discord="role:100000000000000002"),
    "tech_lead": Person(name="Tech *Lead* @everyone"),
}
CALLED = {"<@100000000000000001>", "<@&100000000000000002>"}
TEXT, BUTTON, SELECT, SECTION, GALLERY, SEPARATOR, CONTAINER = 10, 2, 3, 9, 12, 14, 17


def messages(card: Card, **more: Any) -> list[list[dict[str, Any]]]:
    """The components of every message of a card, after proving that Discord takes them."""
    return [accepted(layout(part, people=PEOPLE, **more).to_components()) for part in parts(card)]


def accepted(components: list[dict[str, Any]], files: dict[str, int] | None = None) -> list[dict[str, Any]]:
    errors = Errors()
    judged(errors, components, files or {}, v2=True)
    assert errors.tree == {}
    assert len(list(walked(components))) <= 40
    assert sum(len(text) for text in texts(components)) <= 4_000
    return components


def texts(components: list[dict[str, Any]]) -> list[str]:
    """Every text of a message, in order."""
    return [each["content"] for each in walked(components) if each["type"] == TEXT]


def words(components: list[dict[str, Any]]) -> str:
    """What is read of it."""
    return "\n".join(seen(text) for text in texts(components))


def buttons(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in walked(components) if each["type"] == BUTTON]


def menu(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The options of the menu below the items."""
    return [option for each in walked(components) if each["type"] == SELECT for option in each["options"]]


def actions(components: list[dict[str, Any]]) -> list[str]:
    """Everything a message offers, in order."""
    pressed = [each["custom_id"] for each in walked(components) if each["type"] == BUTTON]
    return pressed + [option["value"] for option in menu(components)]


# --- Discord's Markdown, as its client reads it -----------------------------------------------------------------------

_FENCED = re.compile(r"```(?:[a-z0-9_+\-.#]+?\n)?\n*([^\n].*?)\n*```", re.IGNORECASE | re.DOTALL)
_INLINE = re.compile(r"(`+)(.*?[^`])\1(?!`)", re.DOTALL)
_ESCAPED = re.compile(r"\\([^0-9A-Za-z\s])")
_AUTOLINK = re.compile(r"<(https?://[^ <>]+)>")
_MASKED = re.compile(r"\[((?:\\.|[^\[\]\\])*)\]\((https?://[^\s()]+)\)")
_TIME = re.compile(r"<t:(-?\d+)(?::[a-zA-Z])?>")
_MENTIONED = re.compile(r"<@[!&]?\d+>|<#\d+>|@everyone|@here|<a?:\w+:\d+>|</[^>]+:\d+>|<id:\w+>")


def tokens(text: str) -> Iterator[tuple[str, str, str]]:
    """The text taken apart as the client does: code, escaped signs, links, times, and the plain signs between. The kind
    of each, what is shown of it, and how it is written."""
    place = 0
    while place < len(text):
        for kind, pattern in (
            ("block", _FENCED), ("escaped", _ESCAPED), ("code", _INLINE), ("link", _AUTOLINK), ("masked", _MASKED),
            ("time", _TIME),
        ):  # fmt: skip
            if found := pattern.match(text, place):
                yield kind, found.group(2 if kind == "code" else 1), found.group()
                place = found.end()
                break
        else:
            yield "plain", text[place], text[place]
            place += 1


def obeyed(text: str) -> list[str]:
    """What would call somebody, or be drawn as a mention, outside code: by the rules of the server, which knows no
    backslashes, and of the client."""
    outside = "".join("" if kind in ("block", "code") else written for kind, _, written in tokens(text))
    return [hit for hit in _MENTIONED.findall(outside) if hit not in CALLED]


def formatted(text: str) -> list[str]:
    """What the client would show in another style, or as a list, a quotation, a heading or an emoji."""
    bare = "".join(sign if kind == "plain" else "·" for kind, sign, _ in tokens(text))
    styles = r"\*[^*]+\*|\*\*|(?<!\w)_[^_]+_(?!\w)|__|~~.+?~~|\|\|.+?\|\||`[^`]+`|<"
    emoji = r":(?:[\w+~-]*[a-zA-Z][\w+~-]*|[+-]1|100|1234):"
    lines = r"(?m)^\s*(?:#{1,3} |-# |[-*] |\d+\. |>>? |>)"
    return [hit for rule in (styles, emoji, lines) for hit in re.findall(rule, bare)]


def seen(text: str) -> str:
    """The text as people see it, but for its formatting signs."""
    shown = "".join("[time]" if kind == "time" else sign for kind, sign, _ in tokens(text))
    return shown.replace("\u200b", "").replace("ˋ", "`")
