"""A person at their Discord client: what they type, press and fill in, and what they then see.

Page: interactions/receiving-and-responding (interaction structure).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes import discord_modals, discord_shapes
from tests.fakes.discord_answers import AUTOCOMPLETE, COMMAND, COMPONENT, SUBMIT
from tests.fakes.discord_components import BUTTON, SELECTS
from tests.fakes.discord_invocations import invocation
from tests.fakes.discord_messages import event
from tests.fakes.discord_screen import Pressable, message_text, pressables
from tests.fakes.discord_things import (
    APPLICATION,
    BOT,
    GUILD,
    JSON,
    PERMISSIONS,
    Interaction,
    Message,
    Modal,
    Person,
)
from tests.fakes.discord_world import Named, World


@dataclass(frozen=True)
class Answer:
    """What came of it, as it stands now."""

    world: World
    interaction: Interaction

    @property
    def kind(self) -> int | None:
        """The type of the first response; None: none came in time."""
        return self.interaction.answered

    @property
    def failed(self) -> bool:
        """They have seen "This interaction failed"."""
        return self.interaction.failed

    @property
    def message(self) -> Message | None:
        """The answer; after an update, the message that was updated."""
        return self.interaction.response

    @property
    def followups(self) -> list[Message]:
        return self.interaction.followups

    @property
    def modal(self) -> Modal | None:
        return self.interaction.modal

    @property
    def choices(self) -> list[JSON]:
        return self.interaction.choices or []

    @property
    def ephemeral(self) -> bool:
        return self.message is not None and self.message.ephemeral_to is not None

    @property
    def text(self) -> str:
        """What the answer and its follow-ups say."""
        shown = [each for each in (self.message, *self.followups) if each is not None and not each.deleted]
        return "\n".join(message_text(self.world, each) for each in shown)

    async def settled(self, within: float = 5.0) -> Answer:
        """Waits until a deferred answer has been filled in."""
        await self.world.until(lambda: not (self.message and self.message.loading), within=within, what="filled in")
        return self


class Actor:
    """`server.person("ana")`."""

    def __init__(self, world: World, person: Person) -> None:
        self.world, self.person = world, person
        self.id, self.name = person.id, person.name

    @property
    def roles(self) -> list[int]:
        return self.person.roles

    # --- seeing ---

    def sees(self, where: Named) -> list[Message]:
        """The messages on their screen, oldest first, with what only they see."""
        place = self.world.place(where)
        if not self.world.may(self.id, place):
            return []
        mine = [each for each in self.whispers if each.channel_id == place.id]
        return sorted([*self.world.standing(place.id), *mine], key=lambda each: each.id)

    def screen(self, where: Named) -> str:
        return "\n\n".join(message_text(self.world, each) for each in self.sees(where))

    @property
    def whispers(self) -> list[Message]:
        """What only they see, oldest first."""
        return [each for each in self.world.ephemerals if each.ephemeral_to == self.id and not each.deleted]

    @property
    def modal(self) -> Modal | None:
        """The modal that is open, if one is."""
        mine = [each for each in self.world.modals if each.person == self.id and each.open]
        return mine[-1] if mine else None

    # --- doing ---

    async def slash(
        self, command: str, /, *, channel: Named | None = None, options: Mapping[str, Any] | None = None, **more: Any
    ) -> Answer:
        """`/deploy start version:v1`. Fails for what their client does not offer: commands, options and values."""
        where = self.world.place(channel if channel is not None else next(iter(self.world.channels)))
        assert self.world.may(self.id, where) & PERMISSIONS["USE_APPLICATION_COMMANDS"], (
            f"{self.name} may use no commands there"
        )
        data = invocation(self.world, command, {**(options or {}), **more})
        return await self._interact(COMMAND, where.id, data)

    async def complete(
        self, command: str, option: str, typed: str, /, *, channel: Named | None = None, **more: Any
    ) -> list[JSON]:
        """What is offered when they have typed this much of an option."""
        where = self.world.place(channel if channel is not None else next(iter(self.world.channels)))
        data = invocation(self.world, command, {**more, option: typed}, focused=option)
        return (await self._interact(AUTOCOMPLETE, where.id, data)).choices

    async def click(self, message: Message, what: str) -> Answer:
        """Press a button, by label or custom_id. Fails if it is not there, or not only there, or disabled."""
        component = self._control(message, what, (BUTTON,)).component
        data = {"custom_id": component["custom_id"], "component_type": BUTTON, "id": component["id"]}
        return await self._interact(COMPONENT, message.channel_id, data, message)

    async def choose(self, message: Message, what: str, *values: str) -> Answer:
        """Pick entries of a select (by custom_id or placeholder), by value or label."""
        component = self._control(message, what, SELECTS).component
        chosen = discord_modals.picked(component, list(values))
        least, most = component.get("min_values", 1), component.get("max_values", 1)
        assert least <= len(chosen) <= most, f"{what}: {least} to {most}, not {len(chosen)}"
        data = {"custom_id": component["custom_id"], "component_type": component["type"], "id": component["id"]}
        return await self._interact(COMPONENT, message.channel_id, data | {"values": chosen}, message)

    async def submit(self, modal: Modal, values: Mapping[str, Any] | None = None) -> Answer:
        """Fill in by label or custom_id, and send. A modal whose answer fails stays open."""
        assert self.modal is modal, "this modal is not open in front of them"
        data = {"custom_id": modal.custom_id, "components": discord_modals.submission(modal, values or {})}
        answer = await self._interact(SUBMIT, modal.channel_id, data | {"resolved": {}}, modal.message)
        modal.open = modal.open and answer.failed
        return answer

    async def sends(self, kind: int, data: JSON, *, channel: Named) -> Answer:
        """What no client of Discord's would send."""
        return await self._interact(kind, self.world.place(channel).id, data)

    def cancel(self, modal: Modal) -> None:
        """The bot is told nothing."""
        modal.open = False

    def say(self, text: str, *, channel: Named) -> Message:
        """Write a message of their own."""
        where = self.world.place(channel)
        message = self.world.put(Message(self.world.id(), where.id, self.id, self.world.clock.now(), text))
        event(self.world, message, "MESSAGE_CREATE")
        return message

    # --- underneath ---

    def _control(self, message: Message, what: str, kinds: tuple[int, ...]) -> Pressable:
        assert message.ephemeral_to in (None, self.id), f"{self.name} does not see this message"
        live = self.world.posted.get(message.channel_id, {}).get(message.id, message)
        assert not live.deleted, "this message is gone"
        there = [each for each in pressables(message) if each.component["type"] in kinds]
        found = [each for each in there if each.is_called(what)]
        if len(found) != 1:
            shown = [(each.label, each.custom_id) for each in there]
            raise AssertionError(f"{len(found)} controls are {what!r}; there are {shown}")
        assert not found[0].disabled, f"{what!r} is disabled"
        return found[0]

    async def _interact(self, kind: int, where: int, data: JSON, message: Message | None = None) -> Answer:
        """Sends it, and waits for the first answer as long as Discord does."""
        world = self.world
        live = message
        if message is not None and message.ephemeral_to is None:
            live = world.posted.get(message.channel_id, {}).get(message.id, message)
        found = Interaction(world.id(), world.secret(), kind, self.id, where, world.clock.now(), live, data=data)
        world.interactions[found.token] = found
        world.dispatch("INTERACTION_CREATE", self._payload(found))
        while found.answered is None:
            left = found.at + world.ack_within - world.clock.now()
            if left <= 0:
                found.failed = True
                world.changed()
                break
            await world.turn(left)
        return Answer(world, found)

    def _payload(self, found: Interaction) -> JSON:
        world, place = self.world, self.world.place(found.channel_id)
        may = world.may(self.id, place)
        body: JSON = {
            "id": str(found.id),
            "application_id": str(APPLICATION),
            "type": found.kind,
            "data": found.data,
            "token": found.token,
            "version": 1,
            "guild_id": str(GUILD),
            "guild": {"id": str(GUILD), "locale": "en-US", "features": []},
            "channel_id": str(place.id),
            "channel": discord_shapes.place(place) | {"permissions": str(may)},
            "member": discord_shapes.member(self.person, may),
            "app_permissions": str(world.may(BOT, place)),
            "locale": self.person.locale,
            "guild_locale": "en-US",
            "entitlements": [],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": {"0": str(GUILD)},
            "context": 0,
            "attachment_size_limit": 10 * 1024 * 1024,
        }
        if found.message is not None:
            body["message"] = discord_shapes.message(world, found.message)
        return body
