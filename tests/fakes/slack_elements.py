"""Block Kit elements and the composition objects in them, as shapes.

Pages: docs.slack.dev/reference/block-kit/block-elements and /composition-objects, one per name below.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.fakes.slack_shapes import (
    JSON,
    Look,
    Rule,
    Shape,
    among,
    anything,
    exactly_one,
    flag,
    items,
    object_of,
    string,
    text,
    whole,
)

action_id = string(255)
url = string(3000)
confirm = object_of(
    Shape(
        {
            "title": text(100, plain=True),
            "text": text(300),
            "confirm": text(30, plain=True),
            "deny": text(30, plain=True),
            "style": among("primary", "danger"),
        },
        ("title", "text", "confirm", "deny"),
    )
)


def option(*, marked: bool = False, linked: bool = False) -> Rule:
    """An option (composition-objects/option-object). Only those of checkboxes and radio buttons may be mrkdwn; only
    those of an overflow menu have a url."""
    fields: dict[str, Rule] = {
        "text": text(75, plain=not marked),
        "value": string(150),
        "description": text(75, plain=not marked),
    }
    if linked:
        fields["url"] = url
    return object_of(Shape(fields, ("text", "value")))


def matches(pattern: str, what: str) -> Rule:
    def rule(look: Look, value: Any, at: str) -> None:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            look.say(f"must be {what}", at)

    return rule


def known(value: JSON) -> list[JSON]:
    """All options of an element, in groups or not."""
    loose = value.get("options") or []
    grouped = [each for group in value.get("option_groups") or [] for each in group.get("options") or []]
    return [each for each in [*loose, *grouped] if isinstance(each, dict)]


def initial_is_known(look: Look, value: JSON, at: str) -> None:
    """`initial_option(s)` exactly match one of the options (block-elements: select, checkboxes, radio)."""
    options = [each.get("value") for each in known(value)]
    wanted = value.get("initial_options") or []
    for each in [*wanted, *([value["initial_option"]] if value.get("initial_option") else [])]:
        if not isinstance(each, dict) or each.get("value") not in options:
            look.say("initial option was not found in the options", at)
    if "max_selected_items" in value and len(wanted) > value["max_selected_items"]:
        look.say("more initial options than max_selected_items", at)


def focused(look: Look, value: Any, at: str) -> None:
    """Only one element of a view may have `focus_on_load: true`."""
    flag(look, value, at)
    look.focused += value is True
    if look.focused > 1:
        look.say("only one element can set focus_on_load", at)


def select(**extra: Rule) -> dict[str, Rule]:
    return {
        "action_id": action_id,
        "placeholder": text(150, plain=True),
        "confirm": confirm,
        "focus_on_load": focused,
        **extra,
    }


def choices(look: Look, value: JSON, at: str) -> None:
    exactly_one("options", "option_groups")(look, value, at)
    initial_is_known(look, value, at)


group = object_of(
    Shape({"label": text(75, plain=True), "options": items(option(), 100)}, ("label", "options")),
)
lists: dict[str, Rule] = {"options": items(option(), 100), "option_groups": items(group, 100)}
at_most = whole(1, 100)
conversations: dict[str, Rule] = {"default_to_current_conversation": flag, "filter": anything}
answering: dict[str, Rule] = {"response_url_enabled": flag}

SELECTS: Mapping[str, Shape] = {
    "static_select": Shape(select(**lists, initial_option=option()), (), choices),
    "external_select": Shape(select(min_query_length=whole(0, 3000), initial_option=option())),
    "users_select": Shape(select(initial_user=string(255))),
    "conversations_select": Shape(select(initial_conversation=string(255), **conversations, **answering)),
    "channels_select": Shape(select(initial_channel=string(255), **answering)),
}
MULTI_SELECTS: Mapping[str, Shape] = {
    "multi_static_select": Shape(
        select(**lists, initial_options=items(option(), 100), max_selected_items=at_most), (), choices
    ),
    "multi_external_select": Shape(
        select(min_query_length=whole(0, 3000), initial_options=items(option(), 100), max_selected_items=at_most)
    ),
    "multi_users_select": Shape(select(initial_users=items(string(255), 100), max_selected_items=at_most)),
    "multi_conversations_select": Shape(
        select(initial_conversations=items(string(255), 100), max_selected_items=at_most, **conversations)
    ),
    "multi_channels_select": Shape(select(initial_channels=items(string(255), 100), max_selected_items=at_most)),
}

day = matches(r"\d{4}-\d\d-\d\d", "a date as YYYY-MM-DD")
clock = matches(r"([01]\d|2[0-3]):[0-5]\d", "a time as HH:mm")
PICKERS: Mapping[str, Shape] = {
    "datepicker": Shape(select(initial_date=day)),
    "timepicker": Shape(select(initial_time=clock, timezone=string(255))),
}
DATETIME: Mapping[str, Shape] = {
    "datetimepicker": Shape(
        {
            "action_id": action_id,
            "confirm": confirm,
            "focus_on_load": focused,
            "initial_date_time": whole(10**9, 10**10 - 1),
        }
    )
}
CHOICES: Mapping[str, Shape] = {
    "checkboxes": Shape(
        {
            "action_id": action_id,
            "confirm": confirm,
            "focus_on_load": focused,
            "options": items(option(marked=True), 10),
            "initial_options": items(option(marked=True), 10),
        },
        ("options",),
        initial_is_known,
    ),
    "radio_buttons": Shape(
        {
            "action_id": action_id,
            "confirm": confirm,
            "focus_on_load": focused,
            "options": items(option(marked=True), 10),
            "initial_option": option(marked=True),
        },
        ("options",),
        initial_is_known,
    ),
}
BUTTONS: Mapping[str, Shape] = {
    "button": Shape(
        {
            "action_id": action_id,
            "text": text(75, plain=True),
            "value": string(2000),
            "url": url,
            "style": among("primary", "danger"),
            "confirm": confirm,
            "accessibility_label": string(75),
        },
        ("text",),
    ),
    "overflow": Shape(
        {"action_id": action_id, "options": items(option(linked=True), 5), "confirm": confirm}, ("options",)
    ),
}
IMAGE: Mapping[str, Shape] = {
    "image": Shape(
        {"image_url": url, "slack_file": anything, "alt_text": string(2000)},
        ("alt_text",),
        exactly_one("image_url", "slack_file"),
    )
}


def lengths(look: Look, value: JSON, at: str) -> None:
    """plain_text_input: min_length 0-3000, max_length 1-3000, and what stands there at first obeys both."""
    low, high = value.get("min_length", 0), value.get("max_length", 3000)
    if isinstance(low, int) and isinstance(high, int):
        if low > high:
            look.say("min_length must be less than max_length", at)
        first = value.get("initial_value")
        if isinstance(first, str) and len(first) > high:
            look.say(f"must be less than {high + 1} characters", f"{at}/initial_value")


typed: dict[str, Rule] = {
    "action_id": action_id,
    "placeholder": text(150, plain=True),
    "focus_on_load": focused,
    "dispatch_action_config": anything,
}
number = matches(r"-?\d+(\.\d+)?", "a number in a string")
INPUTS: Mapping[str, Shape] = {
    "plain_text_input": Shape(
        {
            **typed,
            "initial_value": string(3000, 0),
            "multiline": flag,
            "min_length": whole(0, 3000),
            "max_length": whole(1, 3000),
        },
        (),
        lengths,
    ),
    "email_text_input": Shape({**typed, "initial_value": string(3000, 0)}),
    "url_text_input": Shape({**typed, "initial_value": string(3000, 0)}),
    "number_input": Shape(
        {**typed, "is_decimal_allowed": flag, "initial_value": number, "min_value": number, "max_value": number},
        ("is_decimal_allowed",),
    ),
    "rich_text_input": Shape({**typed, "initial_value": anything}, surfaces=("modal", "home")),
    "file_input": Shape(
        {"action_id": action_id, "filetypes": items(string(255), 100), "max_files": whole(1, 10)}, surfaces=("modal",)
    ),
    **SELECTS,
    **MULTI_SELECTS,
    **PICKERS,
    **DATETIME,
    **CHOICES,
}
ACTIONS: Mapping[str, Shape] = {**BUTTONS, **SELECTS, **PICKERS, **DATETIME, **CHOICES}
ACCESSORIES: Mapping[str, Shape] = {**BUTTONS, **SELECTS, **MULTI_SELECTS, **PICKERS, **CHOICES, **IMAGE}
CONTEXT: Mapping[str, Shape] = {
    **IMAGE,
    "plain_text": Shape({"text": string(3000), "emoji": flag}, ("text",)),
    "mrkdwn": Shape({"text": string(3000), "verbatim": flag}, ("text",)),
}
CONTEXT_ACTIONS: Mapping[str, Shape] = {
    "feedback_buttons": Shape(
        {"action_id": action_id, "positive_button": anything, "negative_button": anything},
        ("positive_button", "negative_button"),
    ),
    "icon_button": Shape(
        {
            "action_id": action_id,
            "icon": string(255),
            "text": text(75, plain=True),
            "value": string(2000),
            "confirm": confirm,
            "accessibility_label": string(75),
            "visible_to_user_ids": anything,
        },
        ("icon", "text"),
    ),
}
INTERACTIVE = frozenset([*ACTIONS, *INPUTS, *MULTI_SELECTS, *CONTEXT_ACTIONS])
"""What a person can act on: all these have an action_id, if only one that Slack made up."""
