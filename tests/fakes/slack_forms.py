"""What a modal accepts before it is sent, and what happens to it after the app has answered.

Pages: docs.slack.dev/surfaces/modals (response_action), /reference/block-kit/blocks/input-block.
"""

from __future__ import annotations

from typing import Any

from tests.fakes.slack_deliveries import Ack
from tests.fakes.slack_elements import known
from tests.fakes.slack_shapes import JSON
from tests.fakes.slack_surfaces import VALUES, checked, push_view, replace_view, state_of
from tests.fakes.slack_things import Refused, View
from tests.fakes.slack_world import World

REQUIRED = "Please complete this required field."
TROUBLE = "We had some trouble connecting. Try again?"


def enter(element: JSON, value: Any) -> Any:
    """A value as an element holds it: options by value or label, everything else as it is."""
    name = VALUES[element["type"]]
    if name == "selected_option" and element["type"] != "external_select":
        return None if value is None else _option(element, value)
    if name == "selected_options" and element["type"] != "multi_external_select":
        return [_option(element, each) for each in value]
    if name == "value" and value is not None:
        return str(value)
    return value


def _option(element: JSON, value: Any) -> JSON:
    for each in known(element):
        if value in (each["value"], each["text"]["text"]):
            return each
    raise AssertionError(f"{value!r} is none of {[each['value'] for each in known(element)]}")


def incomplete(view: View) -> dict[str, str]:
    """By block_id, why Slack does not send this form at all."""
    errors, state = {}, state_of(view)["values"]
    for block in view.blocks:
        if block.get("type") != "input":
            continue
        element = block["element"]
        value = state[block["block_id"]][element["action_id"]].get(VALUES[element["type"]])
        if value in (None, "", []):
            if not block.get("optional"):
                errors[block["block_id"]] = REQUIRED
            continue
        if element["type"] == "plain_text_input" and not (
            element.get("min_length", 0) <= len(value) <= element.get("max_length", 3000)
        ):
            errors[block["block_id"]] = "This entry is too short or too long."
        if element["type"] == "number_input":
            try:
                number = float(value)
                low, high = (float(element.get(name, number)) for name in ("min_value", "max_value"))
                if not low <= number <= high:
                    errors[block["block_id"]] = "Please enter a number in the range."
            except ValueError:
                errors[block["block_id"]] = "Please enter a valid number."
    return errors


def respond_to_submission(world: World, view: View, ack: Ack) -> None:
    """An empty ack closes the view; `errors`, `update`, `push` and `clear` do what they say. Anything else, and any
    view that Slack would not show, leaves the form standing with "We had some trouble connecting"."""
    body: JSON = ack.body if isinstance(ack.body, dict) else {}
    action = body.get("response_action")
    try:
        if ack.error or (ack.body and action is None):
            raise Refused(ack.error or "not a response_action")
        if action == "errors":
            fields = {block["block_id"] for block in view.blocks if block["type"] == "input"}
            given = body.get("errors")
            if not isinstance(given, dict) or not given or set(given) - fields:
                raise Refused(f"errors for {given}, but the inputs are {sorted(fields)}")
            ack.errors = {str(name): str(why) for name, why in given.items()}
        elif action == "update":
            replace_view(world, view, checked(world, body.get("view"), "modal", view.id))
        elif action == "push":
            push_view(world, view, checked(world, body.get("view"), "modal"))
        elif action == "clear":
            for each in world.views.values():
                each.open = each.open and each.root != view.root
        elif action is None:
            view.open = False
        else:
            raise Refused(f"unknown response_action {action}")
    except Refused as refused:
        world.refused.append(f"{TROUBLE} ({refused.error} {refused.more.get('errors', '')})")
        ack.error = ack.error or refused.error
    world.changed()
