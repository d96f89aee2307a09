"""A person at their Slack client: what they type, press and fill in, and what they then see.

Pages: docs.slack.dev/reference/interaction-payloads (block_actions, view, block_suggestion),
docs.slack.dev/interactivity/implementing-slash-commands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.fakes.slack_blocks import elements
from tests.fakes.slack_chat import as_json
from tests.fakes.slack_deliveries import Ack, Courier, EventDelivery
from tests.fakes.slack_forms import enter, incomplete, respond_to_submission
from tests.fakes.slack_replies import answer_command, slackbot
from tests.fakes.slack_screen import Pressable, message_text, pressables, view_text
from tests.fakes.slack_shapes import JSON
from tests.fakes.slack_surfaces import VALUES, state_of, view_json
from tests.fakes.slack_things import APP, TEAM, Message, View
from tests.fakes.slack_world import World

COMMAND_TOKEN = "fake-verification"


class Actor:
    """`slack.user("U1")`."""

    def __init__(self, world: World, courier: Courier, user: str, should_escape: bool) -> None:
        self.world, self.courier, self.id, self.should_escape = world, courier, user, should_escape

    # --- seeing ---

    def sees(self, channel: str, thread: str | None = None) -> list[Message]:
        """The messages on their screen, in order: a channel without its threads' replies, or one thread."""
        found = self.world.channel_of(channel)
        if found.private and self.id not in found.members:
            return []
        mine = [
            each
            for each in self.world.ephemerals
            if each.channel == found.id and each.ephemeral_to == self.id and not each.deleted
        ]
        rows = sorted([*self.world.standing(found.id), *mine], key=lambda each: each.ts)
        if thread:
            return [each for each in rows if thread in (each.ts, each.thread_ts)]
        return [each for each in rows if not each.is_reply or each.broadcast]

    def screen(self, channel: str, thread: str | None = None) -> str:
        """The same as text: buttons as `[Label]`, menus as `[⋯ One | Two]`."""
        return "\n\n".join(message_text(self.world, each) for each in self.sees(channel, thread))

    @property
    def modal(self) -> View | None:
        """The modal on top, if one is open."""
        mine = [each for each in self.world.views.values() if each.user == self.id and each.open]
        return mine[-1] if mine else None

    @property
    def home(self) -> View | None:
        return self.world.homes.get(self.id)

    def reads(self, where: Message | View) -> str:
        return view_text(self.world, where) if isinstance(where, View) else message_text(self.world, where)

    # --- doing ---

    async def command(self, command: str, text: str = "", *, channel: str) -> Ack:
        """A slash command. Too late, it shows operation_timeout; what the ack says shows as Slack would show it."""
        where, world = self.world.channel_of(channel), self.world
        person = world.people[self.id]
        payload: JSON = {
            "token": COMMAND_TOKEN,
            "team_id": TEAM,
            "team_domain": "gonogo",
            "channel_id": where.id,
            "channel_name": "directmessage" if where.direct else "privategroup" if where.private else where.name,
            "user_id": self.id,
            "user_name": person.name,
            "command": command,
            "text": self._escaped(text),
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": world.response_url(self.id, where.id),
            "trigger_id": world.trigger(self.id),
        }
        ack = await self.courier.command(payload)
        if ack.error:
            slackbot(world, self.id, where.id, f'{command} failed with the error "{ack.error}"')
        else:
            answer_command(world, self.id, where.id, f"{command} {text}".strip(), ack.body)
        return ack

    def _escaped(self, text: str) -> str:
        """`should_escape`: names become ids (implementing-slash-commands: escaping)."""
        if not self.should_escape:
            return text
        for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            text = text.replace(character, entity)
        parts = []
        for part in text.split(" "):
            name = part[1:]
            person = next((each for each in self.world.people.values() if each.name == name), None)
            group = next((each for each in self.world.groups.values() if each.handle == name), None)
            room = next((each for each in self.world.channels.values() if each.name == name), None)
            if part[:1] == "@" and person:
                part = f"<@{person.id}>"
            elif part[:1] == "@" and group:
                part = f"<!subteam^{group.id}>"
            elif part[:1] == "#" and room:
                part = f"<#{room.id}|{'' if room.private else room.name}>"
            parts.append(part)
        return " ".join(parts)

    async def click(
        self,
        where: Message | View,
        what: str | None = None,
        *,
        action_id: str | None = None,
        value: str | None = None,
        label: str | None = None,
    ) -> Ack:
        """Press a button, or pick an option of a menu: by label, value or action_id (`what` is any of the three).

        Fails if it is not there, or not only there. `where.snapshot()` is a screen that has not been refreshed.
        """
        found = [
            each
            for each in pressables(_blocks(where))
            if (what is None or each.is_called(what))
            and action_id in (None, each.element.get("action_id"))
            and value in (None, each.value)
            and label in (None, each.label)
        ]
        if len(found) != 1:
            there = [(each.label, each.element.get("action_id"), each.value) for each in pressables(_blocks(where))]
            wanted = [each for each in (what, action_id, value, label) if each is not None]
            raise AssertionError(f"{len(found)} controls are {wanted}; there are {there}")
        return await self._act(where, found[0].block, found[0].element, _pressed(found[0], where))

    async def choose(self, where: Message | View, action_id: str, value: Any) -> Ack:
        """Set a select, picker or text field that sends at once (actions, accessory, dispatch_action)."""
        for block in _blocks(where):
            for _, element in elements(block):
                if element.get("action_id") == action_id:
                    if block.get("type") == "input" and not block.get("dispatch_action"):
                        raise AssertionError(f"{action_id} sends nothing by itself; fill it in")
                    given = enter(element, value)
                    if isinstance(where, View):
                        where.typed[(block["block_id"], action_id)] = given
                    return await self._act(where, block, element, {VALUES[element["type"]]: given})
        raise AssertionError(f"there is no {action_id} in {self.reads(where)}")

    async def _act(self, where: Message | View, block: JSON, element: JSON, pressed: JSON) -> Ack:
        world = self.world
        action = {"action_id": element.get("action_id"), "block_id": block["block_id"], "type": element["type"]}
        if element["type"] == "button":
            action["text"] = element["text"]
        action |= pressed | {"action_ts": f"{world.clock.now():.6f}"}
        payload = self._base("block_actions") | {"actions": [action], "is_enterprise_install": False}
        if isinstance(where, View):
            payload |= {"container": {"type": "view", "view_id": where.id}, "view": view_json(where)}
            payload["trigger_id"] = world.trigger(self.id, where.id if where.kind == "modal" else None)
        else:
            channel = world.channels[where.channel]
            original = where if where.ephemeral_to else world.message(where.channel, where.ts)
            container: JSON = {"type": "message", "message_ts": where.ts, "channel_id": where.channel}
            container["is_ephemeral"] = where.ephemeral_to is not None
            if where.thread_ts:
                container["thread_ts"] = where.thread_ts
            payload |= {"container": container, "channel": {"id": channel.id, "name": channel.name}}
            payload |= {"state": {"values": {}}, "trigger_id": world.trigger(self.id)}
            payload["response_url"] = world.response_url(self.id, where.channel, original)
            if not where.ephemeral_to:
                payload["message"] = as_json(world, original)
        ack = await self.courier.interact(payload)
        if ack.error:
            world.refused.append(f"{self.id} sees a warning sign: {ack.error}")
        return ack

    def _base(self, kind: str) -> JSON:
        name = self.world.people[self.id].name
        return {
            "type": kind,
            "user": {"id": self.id, "username": name, "name": name, "team_id": TEAM},
            "team": {"id": TEAM, "domain": "gonogo"},
            "api_app_id": APP,
            "token": COMMAND_TOKEN,
            "enterprise": None,
        }

    async def suggest(self, where: Message | View, action_id: str, typed: str) -> Ack:
        """Type into an external select: `ack.options` is what it offers."""
        for block in _blocks(where):
            for _, element in elements(block):
                if element.get("action_id") == action_id:
                    more = {"action_id": action_id, "block_id": block["block_id"], "value": typed}
                    shown = {"view": view_json(where)} if isinstance(where, View) else {"message": {"ts": where.ts}}
                    ack = await self.courier.interact(self._base("block_suggestion") | more | shown)
                    ack.options = list((ack.body or {}).get("options", [])) if isinstance(ack.body, dict) else []
                    return ack
        raise AssertionError(f"there is no {action_id}")

    # --- modals ---

    def fill(self, view: View, values: Mapping[str, Any]) -> None:
        """Enter values, by label, block_id or action_id; a value that cannot be entered fails."""
        for name, value in values.items():
            for block in view.blocks:
                for _, element in elements(block):
                    label = (block.get("label") or {}).get("text")
                    if name in (label, block.get("block_id"), element.get("action_id")):
                        view.typed[(block["block_id"], element["action_id"])] = enter(element, value)
                        break
                else:
                    continue
                break
            else:
                raise AssertionError(f"no field is called {name!r} in\n{self.reads(view)}")

    async def submit(self, view: View | str, values: Mapping[str, Any] | None = None) -> Ack:
        """Fill in and send. What Slack itself refuses never leaves; `response_action` is followed."""
        view = self.world.views[view] if isinstance(view, str) else view
        if not view.open:
            raise AssertionError("this view is closed")
        self.fill(view, values or {})
        if missing := incomplete(view):
            return Ack(errors=missing)
        trigger = self.world.trigger(self.id, view.id)
        payload = self._base("view_submission") | {"trigger_id": trigger, "view": view_json(view), "response_urls": []}
        ack = await self.courier.interact(payload | {"is_enterprise_install": False})
        respond_to_submission(self.world, view, ack)
        return ack

    async def close(self, view: View) -> Ack | None:
        """Cancel; the app hears of it only with `notify_on_close`."""
        view.open = False
        self.world.changed()
        if not view.body.get("notify_on_close"):
            return None
        return await self.courier.interact(
            self._base("view_closed") | {"view": view_json(view), "is_cleared": False, "is_enterprise_install": False}
        )

    # --- elsewhere ---

    async def open_home(self) -> EventDelivery:
        """Look at the app's Home tab: `app_home_opened`, with the view that was published last."""
        event: JSON = {"type": "app_home_opened", "user": self.id, "tab": "home"}
        event["channel"] = self.world.direct(self.id).id
        if self.home is not None:
            event["view"] = view_json(self.home)
        return await self.courier.event(event)

    async def shortcut(self, callback_id: str) -> Ack:
        """A global shortcut."""
        more = {"callback_id": callback_id, "action_ts": f"{self.world.clock.now():.6f}"}
        return await self.courier.interact(
            self._base("shortcut") | more | {"trigger_id": self.world.trigger(self.id), "is_enterprise_install": False}
        )

    def say(self, text: str, *, channel: str, thread: str | None = None) -> Message:
        """Write a message of their own."""
        where = self.world.channel_of(channel)
        return self.world.put(Message(where.id, self.world.ts(where.id), self.id, text, thread_ts=thread))


def _blocks(where: Message | View) -> list[JSON]:
    if isinstance(where, View):
        return where.blocks
    return [*where.blocks, *(block for each in where.attachments for block in each.get("blocks") or [])]


def _pressed(found: Pressable, where: Message | View) -> JSON:
    kind = found.element["type"]
    if found.option is None:
        return {"value": found.value} if found.value is not None else {}
    if VALUES[kind] == "selected_options":
        held = [found.option]
        if isinstance(where, View):
            state = state_of(where)["values"].get(found.block["block_id"], {}).get(found.element["action_id"], {})
            before = state.get("selected_options") or []
            known = any(each["value"] == found.value for each in before)
            held = [each for each in before if each["value"] != found.value] if known else [*before, found.option]
            where.typed[(found.block["block_id"], found.element["action_id"])] = held
        return {"selected_options": held}
    if isinstance(where, View) and kind != "overflow":
        where.typed[(found.block["block_id"], found.element["action_id"])] = found.option
    return {"selected_option": found.option}
