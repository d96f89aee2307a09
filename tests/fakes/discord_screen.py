"""What a person reads on their screen, and what they can press there (components/reference, reference: formatting)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.fakes.discord_components import (
    BUTTON,
    CHECKBOX,
    CHECKBOXES,
    CONTAINER,
    FILE,
    GALLERY,
    LABEL,
    RADIO,
    ROW,
    SECTION,
    SELECTS,
    SEPARATOR,
    TEXT,
    TEXT_INPUT,
    THUMBNAIL,
    walk,
)
from tests.fakes.discord_things import JSON, Message, Modal
from tests.fakes.discord_world import World

TOKEN = re.compile(r"<(@&|@!?|#)(\d+)>")
THINKING = "gonogo is thinking…"


@dataclass(frozen=True)
class Pressable:
    """A button with a custom_id, or a select."""

    component: JSON
    label: str

    @property
    def custom_id(self) -> str:
        return str(self.component["custom_id"])

    @property
    def disabled(self) -> bool:
        return bool(self.component.get("disabled"))

    def is_called(self, what: str) -> bool:
        return what in (self.label, self.custom_id)


def pressables(message: Message) -> list[Pressable]:
    """All of them, in order, disabled ones too."""
    found = []
    for each in walk(message.components):
        if each["type"] == BUTTON and "custom_id" in each:
            found.append(Pressable(each, _named(each)))
        elif each["type"] in SELECTS:
            found.append(Pressable(each, str(each.get("placeholder", ""))))
    return found


def _named(button: JSON) -> str:
    emoji = (button.get("emoji") or {}).get("name") or ""
    return f"{emoji} {button.get('label', '')}".strip() if not button.get("label") else str(button["label"])


def formatted(world: World, text: str) -> str:
    """Mentions by name. Markdown and `<t:…>` stay as they are."""

    def shown(match: re.Match[str]) -> str:
        kind, key = match[1], int(match[2])
        if kind == "@&":
            return f"@{world.roles[key].name}" if key in world.roles else "@unknown-role"
        if kind == "#":
            there = world.channels.get(key) or world.threads.get(key)
            return f"#{there.name}" if there else "#unknown"
        return f"@{world.people[key].name}" if key in world.people else "@unknown-user"

    return TOKEN.sub(shown, text)


def _press(each: JSON) -> str:
    emoji = (each.get("emoji") or {}).get("name") or ""
    words = " ".join(part for part in (emoji, each.get("label", "")) if part)
    return f"[{words}{' ↗' if each.get('url') else ''}{' ✕' if each.get('disabled') else ''}]"


def _menu(each: JSON) -> str:
    rows = each.get("options", [])
    chosen = ", ".join(row["label"] for row in rows if row.get("default"))
    return f"[{chosen or each.get('placeholder') or '…'} ▾ {' | '.join(row['label'] for row in rows)}]"


def _picture(item: JSON) -> str:
    return f"(image: {item.get('description') or item['media']['url'].removeprefix('attachment://')})"


def lines(world: World, each: JSON) -> list[str]:
    """One component."""
    kind = each["type"]
    if kind == TEXT:
        return formatted(world, each["content"]).split("\n")
    if kind == BUTTON:
        return [_press(each)]
    if kind in SELECTS:
        return [_menu(each)]
    if kind == ROW:
        return [" ".join(line for inner in each["components"] for line in lines(world, inner))]
    if kind == SECTION:
        return [line for inner in [*each["components"], each["accessory"]] for line in lines(world, inner)]
    if kind == CONTAINER:
        return [line for inner in each["components"] for line in lines(world, inner)]
    if kind == THUMBNAIL:
        return [_picture(each)]
    if kind == GALLERY:
        return [_picture(item) for item in each["items"]]
    if kind == FILE:
        return [f"(file: {each['file']['url'].removeprefix('attachment://')})"]
    if kind == SEPARATOR:
        return ["---"] if each.get("divider", True) else [""]
    if kind == LABEL:
        more = [formatted(world, each["description"])] if each.get("description") else []
        return [f"{each['label']}: {_field(each['component'])}", *more]
    return [f"{each.get('label', '')}: {_field(each)}"]


def _field(each: JSON) -> str:
    kind = each["type"]
    if kind == TEXT_INPUT:
        return f"[{each.get('value') or each.get('placeholder') or '…'}]"
    if kind == CHECKBOX:
        return "[x]" if each.get("default") else "[ ]"
    if kind in (RADIO, CHECKBOXES):
        return " ".join(f"({'•' if row.get('default') else ' '}) {row['label']}" for row in each["options"])
    return _menu(each)


def message_text(world: World, message: Message) -> str:
    """What it says, line by line; a deferred answer is thinking."""
    if message.loading:
        return THINKING
    rows = formatted(world, message.content).split("\n") if message.content else []
    for embed in message.embeds:
        rows += [formatted(world, str(embed[name])) for name in ("title", "description") if embed.get(name)]
        rows += [formatted(world, f"{row['name']}: {row['value']}") for row in embed.get("fields", [])]
    rows += [line for each in message.components for line in lines(world, each)]
    if not message.flags & 1 << 15:
        rows += [f"(file: {each.filename})" for each in message.attachments]
    return "\n".join(rows)


def modal_text(world: World, modal: Modal) -> str:
    """Its title, its fields, and the buttons that every modal has."""
    rows = [_row(world, each) for each in modal.components]
    return "\n".join([f"== {modal.title} ==", *rows, "[Cancel] [Submit]"])


def _row(world: World, each: JSON) -> str:
    inner = each["components"][0] if each["type"] == ROW else each
    return "\n".join(lines(world, inner))
