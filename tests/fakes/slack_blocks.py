"""What Slack says about blocks and views before it shows them: `problems(blocks, surface)`, and what they weigh.

Pages: docs.slack.dev/reference/block-kit/blocks (one per name below), /reference/views.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.fakes.slack_elements import ACCESSORIES, ACTIONS, CONTEXT, CONTEXT_ACTIONS, INPUTS
from tests.fakes.slack_shapes import (
    JSON,
    Look,
    Rule,
    Shape,
    among,
    anything,
    exactly_one,
    fits,
    flag,
    items,
    kind,
    object_of,
    string,
    text,
    whole,
)

MOST = {"message": 50, "modal": 100, "home": 100}
MARKDOWN = 12_000
"""Characters of all `markdown` blocks of one payload together (blocks/markdown-block)."""
ONE_TABLE = "only_one_table_allowed"
MESSAGE = ("message",)


def text_or_fields(look: Look, value: JSON, at: str) -> None:
    if "text" not in value and "fields" not in value:
        look.say("missing required field: text", at)


def markdown(look: Look, value: Any, at: str) -> None:
    string(MARKDOWN)(look, value, at)
    look.markdown += len(value) if isinstance(value, str) else 0
    if look.markdown > MARKDOWN >= len(value):
        look.say(f"all markdown blocks together must be less than {MARKDOWN + 1} characters", at)


def one_table(look: Look, value: JSON, at: str) -> None:
    look.tables += 1
    if look.tables > 1:
        look.say(ONE_TABLE, at)


def shorter(most: int) -> Rule:
    """video: title and author are *less* than their number."""
    return text(most - 1, plain=True)


RICH_INLINE: Mapping[str, Shape] = {
    "text": Shape({"text": string(3000), "style": anything}, ("text",)),
    "link": Shape({"url": string(3000), "text": string(3000), "style": anything, "unsafe": flag}, ("url",)),
    "emoji": Shape({"name": string(255), "unicode": string(255), "style": anything}, ("name",)),
    "user": Shape({"user_id": string(255), "style": anything}, ("user_id",)),
    "usergroup": Shape({"usergroup_id": string(255), "style": anything}, ("usergroup_id",)),
    "channel": Shape({"channel_id": string(255), "style": anything}, ("channel_id",)),
    "broadcast": Shape({"range": among("here", "channel", "everyone"), "style": anything}, ("range",)),
    "date": Shape(
        {"timestamp": whole(0, 10**11), "format": string(255), "url": string(3000), "fallback": string(3000)},
        ("timestamp", "format"),
    ),
    "color": Shape({"value": string(255)}, ("value",)),
}
inline = items(kind(RICH_INLINE), 10_000, 0)
RICH_SECTION = Shape({"elements": inline}, ("elements",))
RICH: Mapping[str, Shape] = {
    "rich_text_section": RICH_SECTION,
    "rich_text_preformatted": Shape(
        {"elements": inline, "border": whole(0, 1), "language": string(255)}, ("elements",)
    ),
    "rich_text_quote": Shape({"elements": inline, "border": whole(0, 1)}, ("elements",)),
    "rich_text_list": Shape(
        {
            "elements": items(kind({"rich_text_section": RICH_SECTION}), 10_000),
            "style": among("bullet", "ordered"),
            "indent": whole(0, 8),
            "offset": whole(0, 10_000),
            "border": whole(0, 1),
        },
        ("elements", "style"),
    ),
}
RICH_TEXT = Shape({"elements": items(kind(RICH), 10_000)}, ("elements",))
CELLS: Mapping[str, Shape] = {
    "raw_text": Shape({"text": string(3000)}, ("text",)),
    "raw_number": Shape({"value": anything, "text": string(3000)}, ("value",)),
    "rich_text": RICH_TEXT,
}
COLUMN = object_of(Shape({"align": among("left", "center", "right"), "is_wrapped": flag}))
TASK: dict[str, Rule] = {
    "task_id": string(255),
    "title": string(3000),
    "status": among("pending", "in_progress", "complete", "error"),
    "details": kind({"rich_text": RICH_TEXT}),
    "output": kind({"rich_text": RICH_TEXT}),
    "sources": anything,
}
CARD: dict[str, Rule] = {
    "title": text(150),
    "subtitle": text(150),
    "body": text(200),
    "hero_image": anything,
    "icon": anything,
    "actions": items(kind(ACTIONS), 25),
}
image_from = exactly_one("image_url", "slack_file")

BLOCKS: dict[str, Shape] = {
    "section": Shape(
        {"text": text(3000), "fields": items(text(2000), 10), "accessory": kind(ACCESSORIES), "expand": flag},
        (),
        text_or_fields,
    ),
    "header": Shape({"text": text(150, plain=True)}, ("text",)),
    "divider": Shape({}),
    "context": Shape({"elements": items(kind(CONTEXT), 10)}, ("elements",)),
    "actions": Shape({"elements": items(kind(ACTIONS), 25)}, ("elements",)),
    "context_actions": Shape({"elements": items(kind(CONTEXT_ACTIONS), 5)}, ("elements",), None, MESSAGE),
    "input": Shape(
        {
            "label": text(2000, plain=True),
            "element": kind(INPUTS),
            "hint": text(2000, plain=True),
            "optional": flag,
            "dispatch_action": flag,
        },
        ("label", "element"),
    ),
    "image": Shape(
        {"image_url": string(3000), "slack_file": anything, "alt_text": string(2000), "title": text(2000, plain=True)},
        ("alt_text",),
        image_from,
    ),
    "markdown": Shape({"text": markdown}, ("text",), None, MESSAGE),
    "rich_text": RICH_TEXT,
    "table": Shape(
        {"rows": items(items(kind(CELLS), 20), 100), "column_settings": items(COLUMN, 20, 0)},
        ("rows",),
        one_table,
        MESSAGE,
    ),
    "video": Shape(
        {
            "alt_text": string(2000),
            "title": shorter(200),
            "title_url": string(3000),
            "video_url": string(3000),
            "thumbnail_url": string(3000),
            "description": text(200, plain=True),
            "author_name": string(49),
            "provider_name": string(255),
            "provider_icon_url": string(3000),
        },
        ("alt_text", "title", "video_url", "thumbnail_url"),
    ),
    "file": Shape({"external_id": string(255), "source": among("remote")}, ("external_id", "source"), None, MESSAGE),
    "task_card": Shape(TASK, ("task_id", "title"), None, MESSAGE),
    "plan": Shape(
        {"title": string(3000), "tasks": items(kind({"task_card": Shape(TASK, ("task_id", "title"))}), 50)},
        ("title",),
        None,
        MESSAGE,
    ),
    "alert": Shape({"text": text(3000), "level": among("default", "info", "warning", "error", "success")}, ("text",)),
    "card": Shape(CARD, (), None, MESSAGE),
    "carousel": Shape({"elements": items(kind({"card": Shape(CARD)}), 10)}, ("elements",), None, MESSAGE),
}
BLOCKS = {
    name: Shape({"block_id": string(255), **shape.fields}, shape.required, shape.also, shape.surfaces)
    for name, shape in BLOCKS.items()
}


def problems(blocks: Any, surface: str = "message", *, action_scope: str = "message") -> list[str]:
    """What `invalid_blocks` would explain; empty when Slack would show them. `surface`: message, modal or home."""
    look = Look(surface, action_scope)
    judge(look, blocks, "/blocks" if surface == "message" else "/view/blocks")
    return look.found


def judge(look: Look, blocks: Any, at: str) -> None:
    items(kind(BLOCKS), MOST[look.surface], 0)(look, blocks, at)
    for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if isinstance(block, dict):
            here = f"{at}/{index}"
            look.once("block_id", block.get("block_id"), here)
            for place, element in elements(block):
                scope = "" if look.action_scope == "message" else here
                look.once("action_id", element.get("action_id"), f"{here}{place}", scope)


def elements(block: JSON) -> Iterator[tuple[str, JSON]]:
    """The elements of a block that a person can act on, with where they stand in it."""
    for name in ("accessory", "element"):
        if isinstance(block.get(name), dict):
            yield f"/{name}", block[name]
    for name in ("elements", "actions"):
        inside = block.get(name)
        for index, each in enumerate(inside if isinstance(inside, list) else ()):
            if isinstance(each, dict):
                yield f"/{name}/{index}", each
                yield from ((f"/{name}/{index}{deeper}", one) for deeper, one in elements(each))


VIEW = Shape(
    {
        "title": text(24, plain=True),
        "submit": text(24, plain=True),
        "close": text(24, plain=True),
        "private_metadata": string(3000, 0),
        "callback_id": string(255, 0),
        "external_id": string(255, 0),
        "blocks": anything,
        "clear_on_close": flag,
        "notify_on_close": flag,
        "submit_disabled": flag,
    },
    ("blocks",),
)


def view_problems(view: Any, *, action_scope: str = "message") -> list[str]:
    """What `invalid_arguments` of views.open, update, push and publish would explain."""
    kinds = ("modal", "home")
    if not isinstance(view, dict) or view.get("type") not in kinds:
        return ["[ERROR] must be one of: modal, home [json-pointer:/view/type]"]
    look = Look(view["type"], action_scope)
    fits(look, view, "/view", VIEW)
    if "blocks" in view:
        judge(look, view["blocks"], "/view/blocks")
    if view["type"] == "modal":
        if "title" not in view:
            look.say("missing required field: title", "/view")
        asks = any(isinstance(block, dict) and block.get("type") == "input" for block in view.get("blocks") or ())
        if asks and "submit" not in view:
            look.say("missing required field: submit (the view has an input block)", "/view")
    return look.found


def weigh(blocks: Sequence[JSON]) -> tuple[int, int]:
    """Characters of text in blocks, and bytes of their JSON: the two measures of `msg_blocks_too_long`."""

    def words(value: Any) -> int:
        if isinstance(value, dict):
            own = value.get("text")
            return (len(own) if isinstance(own, str) else 0) + sum(words(each) for each in value.values())
        return sum(words(each) for each in value) if isinstance(value, list) else 0

    compact = json.dumps(list(blocks), ensure_ascii=False, separators=(",", ":"))
    return words(list(blocks)), len(compact.encode())
