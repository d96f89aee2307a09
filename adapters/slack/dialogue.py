"""What Slack asks of the core besides `bot.ports.Dialogue`, and where an answer goes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from bot.cards.card import Answer, Card, Text, Tone, escape
from bot.domain.people import Who
from bot.ports import Dialogue

_MARKED = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


class SlackDialogue(Dialogue, Protocol):
    """The core, as this adapter needs it."""

    async def opening_form(self, *, who: Who, answers: Mapping[str, str]) -> Answer:
        """`/deploy` alone: the form that starts a deployment, its `text` saying whether the gate is open and why, for
        what `answers` (by field name; empty at first) say of `service` and `environment`. A card where there is
        nothing to start. Changes nothing; raises nothing for answers that make no sense."""
        ...

    async def home(self, *, who: Who) -> Card:
        """What somebody sees in the app's Home tab: running deployments with their own open items first, gates,
        freezes, checks."""
        ...

    async def cards(self, deployment: str) -> tuple[Card, ...]:
        """The cards of a deployment as they stand now, for showing one section or item of them whole to who asks.
        Empty if there is none of this id."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody did something, and the single-use handles that came with it.

    `trigger` opens one form within 3 seconds; `response_url` takes 5 answers within 30 minutes. `within` is the
    surface: a message or command (`chat`), a modal or the Home tab.
    """

    user: str
    channel: str = ""
    name: str = ""
    """The channel for people: `#deployments`."""
    thread: str | None = None
    trigger: str = ""
    response_url: str = ""
    within: str = "chat"
    began: float = 0.0
    """When it arrived, on the event loop's clock."""

    def private(self, action: str) -> str:
        """What a form carries along: what it does, and where its answer goes."""
        carried = {"channel": self.channel, "name": self.name, "thread": self.thread, "url": self.response_url}
        return json.dumps({"action": action, **carried})

    @classmethod
    def of_command(cls, body: Mapping[str, Any], began: float) -> Place:
        """From a slash command, which no thread can send."""
        return cls(
            user=str(body["user_id"]),
            channel=str(body.get("channel_id") or ""),
            name=_channel_name(body.get("channel_name"), body.get("channel_id")),
            trigger=str(body.get("trigger_id") or ""),
            response_url=str(body.get("response_url") or ""),
            began=began,
        )

    @classmethod
    def of_click(cls, body: Mapping[str, Any], began: float) -> Place:
        """From block_actions: of a message, a modal or the Home tab."""
        channel, container, view = body.get("channel") or {}, body.get("container") or {}, body.get("view") or {}
        message = body.get("message") or {}
        carried = carried_by(view)
        place = str(channel.get("id") or container.get("channel_id") or carried.get("channel") or "")
        return cls(
            user=str(body["user"]["id"]),
            channel=place,
            name=_channel_name(channel.get("name") or carried.get("name"), place),
            thread=container.get("thread_ts") or message.get("thread_ts") or carried.get("thread"),
            trigger=str(body.get("trigger_id") or ""),
            response_url=str(body.get("response_url") or carried.get("url") or ""),
            within=str(view.get("type") or "chat"),
            began=began,
        )

    @classmethod
    def of_form(cls, body: Mapping[str, Any], began: float) -> Place:
        """From view_submission, which knows its channel only by what the form carried along."""
        carried = carried_by(body["view"])
        return cls(
            user=str(body["user"]["id"]),
            channel=str(carried.get("channel") or ""),
            name=str(carried.get("name") or ""),
            thread=carried.get("thread"),
            trigger=str(body.get("trigger_id") or ""),
            response_url=str(carried.get("url") or ""),
            within="modal",
            began=began,
        )


def refusal_of(answer: Answer) -> Card | None:
    """The card of an answer that says no; nothing was done."""
    return answer.card if answer.refused else None


def not_done(sentence: str) -> Answer:
    """Something went wrong on the way; nothing was changed."""
    return Answer(card=Card("Not done", sentence, (Text(escape(sentence)),), Tone.WARN), refused=True)


UNSAVED = not_done("The database cannot be written now, so nothing was changed. Please try again.")
UNKNOWN = not_done(
    "Something went wrong here, and it is in the log. See `/deploy status` for what was done, then try again."
)
"""After a fault nobody foresaw, how far it got is unknown."""


def unsaved(answer: Answer) -> bool:
    """Whether what was asked for may be missing in the database, and this says so."""
    return answer is UNSAVED or answer is UNKNOWN


def people_in(text: str) -> list[str]:
    """The users named in a command by id alone."""
    return [target for sign, target, label in _MARKED.findall(text) if sign == "@" and not label]


def typed(text: str, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """What was typed behind the command, as it looked: `should_escape` has Slack send `<@U1>`, `<@U1|ann>`,
    `<#C1|general>`, `<https://…|label>` and `&amp;`. `names` are those of users."""
    plain = _MARKED.sub(
        lambda match: _shown(match.group(1), match.group(2), match.group(3) or names.get(match.group(2))), text
    )
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _shown(sign: str, target: str, label: str | None) -> str:
    if sign in ("@", "#"):
        return f"{sign}{label or target}"
    if sign == "!":
        word = label or target.partition("^")[0]
        return word if word.startswith("@") else f"@{word}"
    return label or target


def _channel_name(name: object, place: object) -> str:
    """Private channels and direct messages have no name of their own in payloads."""
    known = str(name or "")
    if known.startswith("#"):
        return known
    return f"#{known}" if known and known not in ("privategroup", "directmessage", "mpdm") else str(place or "")


def carried_by(view: Mapping[str, Any]) -> dict[str, Any]:
    """What `Place.private` put into a form."""
    try:
        carried = json.loads(str(view.get("private_metadata") or "{}"))
    except ValueError:
        return {}
    return carried if isinstance(carried, dict) else {}
