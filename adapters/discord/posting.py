"""What is sent to Discord for a message: the body of "Create Message" and of "Edit Message", as discord.py makes it."""

from __future__ import annotations

from collections.abc import Mapping

from discord import AllowedMentions
from discord.http import handle_message_parameters

from adapters.discord import limits
from adapters.discord.layout import layout, marker, mentioned, nonce
from adapters.discord.limits import Json, one_line
from bot.cards.card import Card
from checklists.policy import Person


def post_body(card: Card, *, key: str, people: Mapping[str, Person]) -> Json:
    """Of `POST /channels/…/messages`, for a message without pictures: what `send(view=…, nonce=…, allowed_mentions=…,
    files=[])` of a client sends that calls nobody by itself. `key` begins with the deployment's id."""
    view = layout(card, people=people, deployment=deployment_of(key), marker=marker(key))
    sent = handle_message_parameters(
        content=None,
        view=view,
        nonce=nonce(key),
        files=[],
        allowed_mentions=mentioned(card, people),
        previous_allowed_mentions=AllowedMentions.none(),
    )
    return sent.payload or {}


def update_body(
    card: Card, *, people: Mapping[str, Person], deployment: str, marked: tuple[int, int] | None = None
) -> Json:
    """Of `PATCH /channels/…/messages/…`: what `edit(view=…, allowed_mentions=AllowedMentions.none())` sends. An edit
    calls nobody. `marked` are the ids the message has: they are not kept by themselves."""
    view = layout(card, people=people, deployment=deployment, marker=marked)
    return handle_message_parameters(view=view, allowed_mentions=AllowedMentions.none()).payload or {}


def deployment_of(key: str) -> str:
    """The deployment a message belongs to, by its key."""
    return key.partition(":")[0]


def thread_name(card: Card) -> str:
    """The name of the thread below a card."""
    return one_line(card.title or card.text, limits.THREAD_NAME, empty="Deployment")
