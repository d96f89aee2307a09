"""What a person reads on their screen, and what they can press there.

Pages: docs.slack.dev/messaging/formatting-message-text; docs.slack.dev/reference/block-kit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.fakes.slack_blocks import elements
from tests.fakes.slack_elements import known
from tests.fakes.slack_shapes import JSON
from tests.fakes.slack_surfaces import VALUES, state_of
from tests.fakes.slack_things import Message, View
from tests.fakes.slack_world import World

TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
PING = re.compile(r"<(@[UW]\w+|!subteam\^\w+|!(?:here|channel|everyone))(?:[|^][^<>]*)?>")
ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


@dataclass(frozen=True)
class Pressable:
    """A button, an option of an overflow menu or a select, and where it is."""

    block: JSON
    element: JSON
    label: str
    value: str | None
    option: JSON | None = None

    def is_called(self, what: str) -> bool:
        return what in (self.label, self.value, self.element.get("action_id"))


def pressables(blocks: Iterable[JSON]) -> list[Pressable]:
    """In an input block only with `dispatch_action`; what stands in the others is sent with the form."""
    found = []
    for block in blocks:
        for _, element in elements(block):
            if block.get("type") == "input" and not block.get("dispatch_action"):
                continue
            if element.get("type") == "button":
                found.append(Pressable(block, element, element["text"]["text"], element.get("value")))
            elif element.get("type") in VALUES:
                found += [
                    Pressable(block, element, each["text"]["text"], each["value"], each) for each in known(element)
                ]
    return found


def mrkdwn(world: World, text: str) -> str:
    """Mentions by name, links by label, dates by their fallback, entities as characters."""

    def shown(match: re.Match[str]) -> str:
        kind, inside, label = match.groups()
        if kind == "@":
            return f"@{world.people[inside].name if inside in world.people else inside}"
        if kind == "#":
            return f"#{label or (world.channels[inside].name if inside in world.channels else inside)}"
        if kind == "!":
            if inside.startswith("subteam^"):
                group = world.groups.get(inside.removeprefix("subteam^"))
                return f"@{group.handle}" if group else label or inside
            return label or f"@{inside}"
        return label or inside

    text = TOKEN.sub(shown, text)
    for entity, character in ENTITIES:
        text = text.replace(entity, character)
    return text


def words(world: World, value: Any) -> str:
    """A text object, or a raw string."""
    if isinstance(value, dict):
        text = str(value.get("text", ""))
        return mrkdwn(world, text) if value.get("type") == "mrkdwn" else text
    return str(value or "")


def control(world: World, element: JSON, state: JSON | None = None) -> str:
    kind = element.get("type", "")
    if kind in ("plain_text", "mrkdwn"):
        return words(world, element)
    if kind == "image":
        return f"(image: {element.get('alt_text', '')})"
    if kind == "button":
        return f"[{words(world, element['text'])}]"
    labels = [words(world, each["text"]) for each in known(element)]
    if kind == "overflow":
        return f"[⋯ {' | '.join(labels)}]"
    held = (state or {}).get(str(element.get("action_id")), {})
    now = held.get(VALUES.get(kind, ""), None)
    chosen = [each["text"]["text"] if isinstance(each, dict) else str(each) for each in _many(now)]
    return f"[{', '.join(chosen) or words(world, element.get('placeholder')) or '…'} ▾ {' | '.join(labels)}]"


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value in (None, "") else [value]


def rich(world: World, value: Any) -> str:
    if isinstance(value, list):
        return "".join(rich(world, each) for each in value)
    kind = value.get("type")
    if kind == "rich_text_list":
        return "".join(f"• {rich(world, each)}\n" for each in value["elements"])
    if kind in ("user", "usergroup", "channel", "broadcast"):
        mark = {"user": "@", "usergroup": "!subteam^", "channel": "#", "broadcast": "!"}[kind]
        name = value.get("user_id") or value.get("usergroup_id") or value.get("channel_id") or value.get("range")
        return mrkdwn(world, f"<{mark}{name}>")
    if kind == "emoji":
        return f":{value['name']}:"
    return str(value.get("text") or value.get("url") or "") + rich(world, value.get("elements", []))


def block_lines(world: World, block: JSON, state: JSON | None = None) -> list[str]:
    kind, mine = block.get("type"), (state or {}).get(str(block.get("block_id")), {})
    if kind == "divider":
        return ["---"]
    if kind == "header":
        return [f"# {words(world, block['text'])}"]
    if kind in ("section", "markdown", "alert"):
        lines = [words(world, block["text"])] if block.get("text") else []
        lines += [words(world, each) for each in block.get("fields", [])]
        return lines + ([control(world, block["accessory"], mine)] if block.get("accessory") else [])
    if kind in ("actions", "context", "context_actions"):
        return [" ".join(control(world, each, mine) for each in block["elements"])]
    if kind == "input":
        lines = [f"{words(world, block['label'])}: {control(world, block['element'], mine)}"]
        return lines + ([words(world, block["hint"])] if block.get("hint") else [])
    if kind == "image":
        return [f"(image: {block['alt_text']})"]
    if kind == "rich_text":
        return [rich(world, block["elements"]).rstrip("\n")]
    if kind == "table":
        return [
            " | ".join(words(world, cell.get("text")) or rich(world, cell) for cell in row) for row in block["rows"]
        ]
    return [f"({kind})"]


def message_text(world: World, message: Message) -> str:
    lines = [line for block in message.blocks for line in block_lines(world, block)]
    if not message.blocks and message.text:
        lines = [mrkdwn(world, message.text)]
    for attached in message.attachments:
        lines += [mrkdwn(world, str(attached.get("text") or attached.get("fallback") or ""))]
        lines += [line for block in attached.get("blocks") or [] for line in block_lines(world, block)]
    return "\n".join(lines + [f"(file: {world.files[each].title})" for each in message.files])


def view_text(world: World, view: View) -> str:
    state, body = state_of(view)["values"], view.body
    lines = [f"== {words(world, body['title'])} =="] if body.get("title") else []
    lines += [line for block in view.blocks for line in block_lines(world, block, state)]
    ends = [f"[{words(world, body[name])}]" for name in ("close", "submit") if body.get(name)]
    return "\n".join([*lines, " ".join(ends)]).rstrip("\n")


def pings(message: Message) -> list[str]:
    """Everybody this message notifies, wherever it says so: `@U1`, `!subteam^S1`, `!channel`."""
    found = PING.findall(message.text)

    def look(value: Any) -> None:
        if isinstance(value, list):
            for each in value:
                look(each)
        elif isinstance(value, dict):
            kind = value.get("type")
            if kind in ("mrkdwn", "markdown"):
                found.extend(PING.findall(str(value.get("text", ""))))
            elif kind in ("user", "usergroup", "broadcast"):
                marks = {"user": "@", "usergroup": "!subteam^", "broadcast": "!"}
                name = value.get("user_id") or value.get("usergroup_id") or value.get("range")
                found.append(f"{marks[kind]}{name}")
            for each in value.values():
                look(each)

    look(message.blocks)
    look(message.attachments)
    return list(dict.fromkeys(found))
