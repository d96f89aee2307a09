"""What is sent to Slack for a message: the body of chat.postMessage and of chat.update."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.slack import blocks
from adapters.slack.limits import Json
from adapters.slack.rows import key_of
from bot.cards.card import Card, ItemRow
from checklists.policy import Person

EVENT = "gonogo_message"
"""The event type of the metadata that carries a message's key. Anybody in the workspace can read it: no secrets."""


def post_body(
    card: Card,
    *,
    channel: str,
    key: str,
    thread: str | None,
    people: Mapping[str, Person],
    files: blocks.Files = blocks.NO_FILES,
) -> Json:
    """Of chat.postMessage. `key` begins with the deployment's id, and is what the message is found by again."""
    return {
        "channel": channel,
        **blocks.message(card, people=people, deployment=deployment_of(key), files=files),
        "metadata": {"event_type": EVENT, "event_payload": {"key": key}},
        **({"thread_ts": thread} if thread is not None else {}),
        "unfurl_links": False,
        "unfurl_media": False,
    }


def update_body(
    card: Card,
    *,
    channel: str,
    message: str,
    deployment: str,
    people: Mapping[str, Person],
    files: blocks.Files = blocks.NO_FILES,
) -> Json:
    """Of chat.update, which keeps the metadata it is not given."""
    said = blocks.message(card, people=people, deployment=deployment, files=files)
    return {"channel": channel, "ts": message, **said}


def deployment_of(key: str) -> str:
    """The deployment a message belongs to, by its key."""
    return key.partition(":")[0]


def needs_deployment(card: Card) -> bool:
    """Whether items stand on it that do not know their deployment by themselves: their run is over, and they have no
    buttons."""
    return any(isinstance(block, ItemRow) and not key_of(block) for block in card.blocks)
