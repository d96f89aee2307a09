"""views.*: modals and the Home tab.

Pages: docs.slack.dev/reference/methods/views.open, .push, .update, .publish; docs.slack.dev/surfaces/modals.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.fakes.slack_blocks import elements, view_problems
from tests.fakes.slack_methods import Args, method
from tests.fakes.slack_shapes import JSON
from tests.fakes.slack_things import APP, BOT, TEAM, Refused, View
from tests.fakes.slack_world import World

LARGEST = 250_000
DEEPEST = 3
"""A root view and two pushed on it (views.push: push_limit_reached)."""
VALUES = {
    "button": "value",
    "plain_text_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "number_input": "value",
    "rich_text_input": "rich_text_value",
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "overflow": "selected_option",
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "checkboxes": "selected_options",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "file_input": "files",
}
"""Under which name an element's value stands in a payload."""


def initial(element: JSON) -> Any:
    for name, value in element.items():
        if name.startswith("initial_"):
            return value
    return [] if element["type"].startswith("multi_") or element["type"] == "checkboxes" else None


def state_of(view: View) -> JSON:
    """`state.values`, by block_id and action_id: every element that holds a value, not buttons and overflow menus."""
    values: JSON = {}
    for block in view.blocks:
        for _, element in elements(block):
            kind = element.get("type")
            if kind not in VALUES or kind in ("button", "overflow"):
                continue
            key = (block["block_id"], element["action_id"])
            value = view.typed.get(key, initial(element))
            values.setdefault(key[0], {})[key[1]] = {"type": kind, VALUES[kind]: value}
    return {"values": values}


def view_json(view: View) -> JSON:
    """A view as the Web API and payloads show it."""
    shown = {
        "id": view.id,
        "team_id": TEAM,
        "app_id": APP,
        "app_installed_team_id": TEAM,
        "bot_id": BOT,
        "hash": view.hash,
        "root_view_id": view.root,
        "previous_view_id": view.previous,
        "state": state_of(view),
        "title": {"type": "plain_text", "text": "View Title", "emoji": True},
        "submit": None,
        "close": None,
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "clear_on_close": False,
        "notify_on_close": False,
    }
    return copy.deepcopy(shown | view.body)


def checked(world: World, body: Any, kind: str, own: str = "") -> JSON:
    """A view as it is kept. Its faults are `invalid_arguments`, explained in response_metadata.messages."""
    found = view_problems(body, action_scope=world.action_scope)
    if not found and body["type"] != kind:
        found = [f"[ERROR] must be one of: {kind} [json-pointer:/view/type]"]
    if found:
        raise Refused.because("invalid_arguments", found)
    if len(json.dumps(body, ensure_ascii=False).encode()) > LARGEST:
        raise Refused("view_too_large")
    outside = body.get("external_id")
    if outside and any(each.body.get("external_id") == outside and each.id != own for each in world.views.values()):
        raise Refused("duplicate_external_id")
    return {**body, "blocks": world.stored(body["blocks"])}


def new_hash(world: World) -> str:
    return f"{int(world.clock.now())}.{world.random.getrandbits(32):08x}"


def open_view(world: World, user: str, body: JSON, under: View | None = None) -> View:
    key = world.id("V")
    root, previous = (under.root, under.id) if under else (key, None)
    view = View(key, user, body, new_hash(world), root, previous, opened_at=world.clock.now())
    world.views[key] = view
    world.changed()
    return view


def push_view(world: World, under: View, body: JSON) -> View:
    depth = sum(each.open and each.root == under.root for each in world.views.values())
    if depth >= DEEPEST:
        raise Refused("push_limit_reached")
    return open_view(world, under.user, body, under)


def replace_view(world: World, view: View, body: JSON, expected: str = "") -> None:
    """What was typed stays where block_id and action_id stay. A stale `hash` is refused: hash_conflict."""
    if expected and expected != view.hash:
        raise Refused("hash_conflict")
    view.body, view.hash = body, new_hash(world)
    world.changed()


@method("views.open", 4)
def views_open(world: World, args: Args) -> JSON:
    trigger = world.exchange(args.need("trigger_id"))
    body = checked(world, args.json("view"), "modal")
    trigger.used = True
    return {"view": view_json(open_view(world, trigger.user, body))}


@method("views.push", 4)
def views_push(world: World, args: Args) -> JSON:
    """Only with a trigger that came from inside a modal."""
    trigger = world.exchange(args.need("trigger_id"))
    body = checked(world, args.json("view"), "modal")
    under = world.views.get(trigger.view or "")
    if under is None or not under.open:
        raise Refused("not_found")
    pushed = push_view(world, under, body)
    trigger.used = True
    return {"view": view_json(pushed)}


@method("views.update", 4)
def views_update(world: World, args: Args) -> JSON:
    wanted, outside = args.text("view_id"), args.text("external_id")
    for view in world.views.values():
        if view.open and (view.id == wanted or (outside and view.body.get("external_id") == outside)):
            replace_view(world, view, checked(world, args.json("view"), "modal", view.id), args.text("hash"))
            return {"view": view_json(view)}
    raise Refused("not_found")


@method("views.publish", 4)
def views_publish(world: World, args: Args) -> JSON:
    user = args.need("user_id")
    if user not in world.people:
        raise Refused.because("invalid_arguments", ["[ERROR] invalid user_id [json-pointer:/user_id]"])
    if not world.home_enabled:
        raise Refused("not_enabled")
    body = checked(world, args.json("view"), "home")
    if user in world.homes:
        replace_view(world, world.homes[user], body, args.text("hash"))
    else:
        key = world.id("V")
        world.homes[user] = View(key, user, body, new_hash(world), key, opened_at=world.clock.now())
        world.changed()
    return {"view": view_json(world.homes[user])}
