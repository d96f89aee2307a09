"""What a person can do at a chat, and how it is written down: the same words for Slack and Discord."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_people import Answer
from tests.fakes.discord_screen import pressables as discord_pressables
from tests.fakes.discord_things import Message as DiscordMessage
from tests.fakes.discord_things import Refused as DiscordRefused
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_screen import pressables as slack_pressables
from tests.fakes.slack_things import Message as SlackMessage
from tests.fakes.slack_things import Refused as SlackRefused
from tests.faults.checker import NOT_DONE, marker
from tests.faults.evidence import Act, Said
from tests.faults.scenario import CHANNELS

NEAR = 150
"""As many messages of a channel are looked at, the latest ones."""
WHISPERED = 10.0
"""Seconds in which an answer beside the acknowledgement may come."""
FORM_WITHIN = 3.0


@dataclass(frozen=True)
class Offer:
    """A button in sight."""

    action: str
    message: Any

    @property
    def verb(self) -> str:
        return self.action.partition(":")[0]

    @property
    def deployment(self) -> str:
        return [*self.action.split(":"), ""][1]

    @property
    def item(self) -> str:
        return self.action.split(":", 2)[2] if self.action.count(":") > 1 else ""


class Hands(Protocol):
    """One chat. What is done is in `acts` at once, and complete after `tell`."""

    chat: str
    acts: list[Act]

    def offers(self) -> list[Offer]:
        """Every button that stands in the channels and the threads of late."""
        ...

    async def start(self, who: str, version: str, service: str) -> None:
        """`/deploy start`."""
        ...

    async def status(self, who: str, service: str) -> None:
        """`/deploy status`, which changes nothing."""
        ...

    async def press(self, who: str, offer: Offer) -> None:
        """A button that acts at once."""
        ...

    async def fill(self, who: str, offer: Offer, values: Mapping[str, str], token: str) -> None:
        """A button that opens a form, and the form."""
        ...

    def tell(self) -> list[Said]:
        """Complete the acts; what stands in the chat."""
        ...


class SlackHands:
    """In the loopback Slack."""

    chat = "slack"

    def __init__(self, slack: FakeSlack) -> None:
        self.slack, self.acts = slack, list[Act]()

    def offers(self) -> list[Offer]:
        found = []
        for name in CHANNELS:
            for message in self.slack.standing(self.slack.channel_of(name).id)[-NEAR:]:
                found += [Offer(each.value, message) for each in slack_pressables(message.blocks) if each.value]
        return found

    async def start(self, who: str, version: str, service: str) -> None:
        await self._command(who, f"start {version} {service}", Act(self.chat, who, "start", version=version))

    async def status(self, who: str, service: str) -> None:
        await self._command(who, f"status {service}", Act(self.chat, who, "status"))

    async def _command(self, who: str, text: str, act: Act) -> None:
        act.sent = time.time()
        self.acts.append(act)
        ack = await self.slack.user(who).command("/deploy", text, channel="#deployments")
        said = ack.body if isinstance(ack.body, dict) else {}
        act.told = str(said.get("text") or "")
        self._note(act, ack, f"slack:{ack.trigger_id}")

    async def press(self, who: str, offer: Offer) -> None:
        act = Act(self.chat, who, offer.verb, offer.deployment, offer.item, sent=time.time())
        await self._pressed(who, offer, act)

    async def _pressed(self, who: str, offer: Offer, act: Act) -> None:
        message: SlackMessage = offer.message
        try:
            work = self.slack.user(who).click(message.snapshot(), value=offer.action)
            self.acts.append(act)
            ack = await work
        except (AssertionError, SlackRefused):  # it changed under the hand: nothing was pressed
            self.acts.remove(act)
            return
        self._note(act, ack, f"slack:{ack.trigger_id}")

    async def fill(self, who: str, offer: Offer, values: Mapping[str, str], token: str) -> None:
        user = self.slack.user(who)
        for view in self.slack.views.values():
            view.open = view.open and view.user != who
        await self._pressed(who, offer, Act(self.chat, who, "opens a form", offer.deployment, sent=time.time()))
        try:
            view = await self.slack.until(lambda: user.modal, within=FORM_WITHIN)
        except AssertionError:
            return
        assert view is not None
        if f'"action": "{offer.action}"' not in view.body.get("private_metadata", ""):
            return  # a notice, or the form of a click before this one
        act = Act(self.chat, who, offer.verb, offer.deployment, token=token, sent=time.time())
        self.acts.append(act)
        key = f"slack:{view.id}:{view.hash}"
        ack = await user.submit(view, values)
        self._note(act, ack, key)
        act.told = "; ".join(ack.errors.values())

    def _note(self, act: Act, ack: Any, key: str) -> None:
        act.key, act.ended = key, time.time()
        act.acked, act.failed = ack.error is None, ack.error or ""

    def tell(self) -> list[Said]:
        whispers: dict[str, list[tuple[float, str]]] = {}
        for each in self.slack.ephemerals:
            rows = whispers.setdefault(str(each.ephemeral_to), [])
            rows.append((float(each.ts), self.slack.text(each)))
        for act in self.acts:
            told = [text for at, text in whispers.get(act.who, []) if act.sent <= at <= act.ended + WHISPERED]
            if not any(words in act.told for words in NOT_DONE):
                act.told = act.told or next((text for text in told if any(words in text for words in NOT_DONE)), "")
        found = []
        for channel in self.slack.channels.values():
            for message in self.slack.standing(channel.id):
                if message.mine and not channel.direct:
                    found.append(self._said(f"#{channel.name}", message))
        return found

    def _said(self, channel: str, message: SlackMessage) -> Said:
        payload = (message.metadata or {}).get("event_payload") or {}
        thread = message.thread_ts if message.is_reply else ""
        actions = [each.value for each in slack_pressables(message.blocks) if each.value]
        text = self.slack.text(message)
        return Said("slack", channel, message.ts, thread or "", str(payload.get("key", "")), (), text, actions)


class DiscordHands:
    """In the loopback Discord."""

    chat = "discord"

    def __init__(self, discord: FakeDiscord) -> None:
        self.discord, self.acts = discord, list[Act]()
        self._answers: list[tuple[Act, Answer]] = []

    def offers(self) -> list[Offer]:
        found: list[Offer] = []
        for name in CHANNELS:
            for message in self.discord.messages(name)[-NEAR // 4 :]:
                found += self._on(message)
                if message.id in self.discord.threads:
                    for reply in self.discord.messages(message.id):
                        found += self._on(reply)
        return found

    def _on(self, message: DiscordMessage) -> list[Offer]:
        return [Offer(each.custom_id.partition("#")[0], message) for each in discord_pressables(message)]

    async def start(self, who: str, version: str, service: str) -> None:
        await self._command(who, Act(self.chat, who, "start", version=version), version=version, service=service)

    async def status(self, who: str, service: str) -> None:
        await self._command(who, Act(self.chat, who, "status"), service=service)

    async def _command(self, who: str, act: Act, **options: str) -> None:
        act.sent = time.time()
        try:
            work = self.discord.person(who).slash(f"deploy {act.verb}", channel="deployments", options=options)
            self.acts.append(act)
            self._note(act, await work)
        except AssertionError:  # the command is not defined yet: their client does not offer it
            self.acts.remove(act)

    async def press(self, who: str, offer: Offer) -> None:
        act = Act(self.chat, who, offer.verb, offer.deployment, offer.item, sent=time.time())
        await self._pressed(who, offer, act)

    async def _pressed(self, who: str, offer: Offer, act: Act) -> Answer | None:
        custom_id = next(
            (
                each.custom_id
                for each in discord_pressables(offer.message)
                if each.custom_id.partition("#")[0] == offer.action
            ),
            "",
        )
        try:
            self.acts.append(act)
            answer = await self.discord.person(who).click(offer.message, custom_id)
        except (AssertionError, DiscordRefused):  # it changed under the hand: nothing was pressed
            self.acts.remove(act)
            return None
        self._note(act, answer)
        return answer

    async def fill(self, who: str, offer: Offer, values: Mapping[str, str], token: str) -> None:
        act = Act(self.chat, who, "opens a form", offer.deployment, sent=time.time())
        answer = await self._pressed(who, offer, act)
        person = self.discord.person(who)
        if answer is None or answer.modal is None or person.modal is not answer.modal:
            return
        act = Act(self.chat, who, offer.verb, offer.deployment, token=token, sent=time.time())
        self.acts.append(act)
        self._note(act, await person.submit(answer.modal, values))

    def _note(self, act: Act, answer: Answer) -> None:
        act.key, act.ended = f"discord:{answer.interaction.id}", time.time()
        act.acked, act.failed = answer.kind is not None, "This interaction failed" if answer.failed else ""
        self._answers.append((act, answer))

    def tell(self) -> list[Said]:
        for act, answer in self._answers:
            if answer.kind in (4, 5):
                act.thinking = answer.message is not None and answer.message.loading and not answer.message.deleted
                act.told = "" if act.thinking else answer.text.partition("\n")[2] or answer.text
        found = []
        for channel in self.discord.channels.values():
            for message in self.discord.messages(channel):
                found.append(self._said(f"#{channel.name}", "", message))
                if message.id in self.discord.threads:
                    replies = self.discord.messages(message.id)
                    found += [self._said(f"#{channel.name}", str(message.id), reply) for reply in replies]
        return [each for each in found if each is not None]

    def _said(self, channel: str, thread: str, message: DiscordMessage) -> Said:
        text = self.discord.text(message)
        actions = [each.action for each in self._on(message)]
        return Said("discord", channel, str(message.id), thread, "", message.marker[:2], text, actions)


__all__ = ["DiscordHands", "Hands", "Offer", "SlackHands", "marker"]
