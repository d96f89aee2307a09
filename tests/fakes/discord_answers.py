"""What the bot may answer to an interaction, and until when (interactions/receiving-and-responding)."""

from __future__ import annotations

from typing import Any

from tests.fakes import discord_mentions, discord_modals, discord_shapes
from tests.fakes.discord_checks import Errors
from tests.fakes.discord_commands import choice
from tests.fakes.discord_drafts import draft
from tests.fakes.discord_messages import change, event, missing
from tests.fakes.discord_routes import Request, route
from tests.fakes.discord_things import (
    APPLICATION,
    BOT,
    EPHEMERAL,
    GUILD,
    JSON,
    LOADING,
    Interaction,
    Message,
    Modal,
    Refused,
    unknown,
)
from tests.fakes.discord_world import World

MESSAGE, DEFER, DEFER_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
COMMAND, COMPONENT, AUTOCOMPLETE, SUBMIT = 2, 3, 4, 5
MAY: dict[int, tuple[int, ...]] = {
    COMMAND: (MESSAGE, DEFER, MODAL),
    COMPONENT: (MESSAGE, DEFER, DEFER_UPDATE, UPDATE, MODAL),
    AUTOCOMPLETE: (CHOICES,),
    SUBMIT: (MESSAGE, DEFER),
}
"""Which first answers an interaction takes; a submit of a modal that a message opened also takes 6 and 7."""


@route("POST", "/interactions/{id}/{key}/callback", token=False)
def callback(world: World, request: Request) -> Any:
    """The first answer: in time (10062), once (40060), and of a kind that fits (50035)."""
    found = world.interactions.get(request.args["key"])
    if found is None or request.args["id"] != str(found.id):
        raise unknown("interaction", 10062)
    if found.answered is not None:
        raise Refused(400, 40060, "Interaction has already been acknowledged.")
    if found.failed or world.clock.now() - found.at > world.ack_within:
        raise unknown("interaction", 10062)
    errors, data = Errors(), request.body.get("data") or {}
    may = MAY[found.kind]
    if found.kind == SUBMIT and found.message is not None:
        may = (*may, DEFER_UPDATE, UPDATE)
    kind = errors.choice(request.body, "type", (), may)
    errors.refuse()
    _answer(world, found, kind, data, request)
    found.answered = kind
    world.changed()
    return _said(world, found, kind) if request.query.get("with_response") in ("1", "true") else None


def _answer(world: World, found: Interaction, kind: int, data: JSON, request: Request) -> None:
    errors, inner = Errors(), Request(request.args, data, request.query, request.uploads)
    if kind == MESSAGE:
        found.response = post(world, found, inner)
    elif kind == DEFER:
        flags = LOADING | (int(data.get("flags") or 0) & EPHEMERAL)
        found.response = _put(world, found, Message(world.id(), found.channel_id, BOT, world.clock.now(), flags=flags))
    elif kind == DEFER_UPDATE:
        found.response = found.message
    elif kind == UPDATE:
        change(world, missing(found.message), inner, answer=True)
        found.response = found.message
    elif kind == CHOICES:
        rows = errors.items(data, "choices", ("data",), 25, 0)
        numbers = [isinstance(each.get("value"), int | float) for each in rows]
        for index, each in enumerate(rows):
            choice(errors, each, ("data", "choices", index), 4 if numbers[index] else 3)
        errors.refuse()
        found.choices = rows
    else:
        kept = discord_modals.judged(errors, data)
        errors.refuse()
        for old in world.modals:
            old.open = old.open and old.person != found.person
        found.modal = Modal(
            world.id(), found.person, found.channel_id, data["custom_id"], data["title"], kept, found.message
        )
        world.modals.append(found.modal)


def post(world: World, found: Interaction, request: Request) -> Message:
    """A new message as an answer; with the flag 64 only the person sees it."""
    made = draft(world, request.body, request.uploads, answer=True)
    message = Message(world.id(), found.channel_id, BOT, world.clock.now())
    made.apply(world, message)
    if message.flags & EPHEMERAL:
        message.ephemeral_to = found.person
    discord_mentions.mention(world, message, made.allowed)
    return _put(world, found, message)


def _put(world: World, found: Interaction, message: Message) -> Message:
    message.webhook, message.type = True, 20 if found.kind == COMMAND else 0
    if found.message is not None:
        message.type = 19
        message.reference = {"message_id": str(found.message.id), "channel_id": str(found.channel_id), "type": 0}
    message.interaction = {
        "id": str(found.id),
        "type": found.kind,
        "user": discord_shapes.user(world.people[found.person]),
        "authorizing_integration_owners": {"0": str(GUILD)},
    }
    if message.flags & EPHEMERAL:
        message.ephemeral_to = found.person
    world.put(message)
    if message.ephemeral_to is None:
        event(world, message, "MESSAGE_CREATE")
    return message


def _said(world: World, found: Interaction, kind: int) -> JSON:
    body: JSON = {"interaction": {"id": str(found.id), "type": found.kind}, "resource": {"type": kind}}
    if found.response is not None and kind in (MESSAGE, DEFER, UPDATE):
        body["resource"]["message"] = discord_shapes.message(world, found.response)
    if found.response is not None:
        flags = found.response.flags
        body["interaction"] |= {
            "response_message_id": str(found.response.id),
            "response_message_loading": bool(flags & LOADING),
            "response_message_ephemeral": bool(flags & EPHEMERAL),
        }
    return body


# --- afterwards, by token ---


def _by_token(world: World, request: Request) -> Interaction:
    """50027 for a token that is unknown or older than 15 minutes, 10015 before the first answer."""
    found = world.interactions.get(request.args["key"])
    if request.number("app") != APPLICATION:
        raise unknown("Webhook", 10015)
    if found is None or world.clock.now() - found.at > world.token_life:
        raise Refused(401, 50027, "Invalid Webhook Token")
    if found.answered is None:
        raise unknown("Webhook", 10015)
    return found


def _meant(world: World, request: Request) -> tuple[Interaction, Message]:
    found, key = _by_token(world, request), request.args["message"]
    if key == "@original":
        return found, missing(found.response)
    answers = [found.response, *found.followups]
    return found, missing(next((each for each in answers if each is not None and str(each.id) == key), None))


@route("POST", "/webhooks/{app}/{key}", token=False)
def follow_up(world: World, request: Request) -> Any:
    """After a deferred answer the first one fills that in, and is as visible as that was (deprecated, but so)."""
    found = _by_token(world, request)
    if found.response is not None and found.response.loading and not found.response.deleted:
        change(world, found.response, request, answer=True)
        message = found.response
    else:
        message = post(world, found, request)
        found.followups.append(message)
    world.changed()
    return discord_shapes.message(world, message)


@route("GET", "/webhooks/{app}/{key}/messages/{message}", token=False)
def read(world: World, request: Request) -> Any:
    return discord_shapes.message(world, _meant(world, request)[1])


@route("PATCH", "/webhooks/{app}/{key}/messages/{message}", token=False)
def edit(world: World, request: Request) -> Any:
    _, message = _meant(world, request)
    change(world, message, request, answer=True)
    return discord_shapes.message(world, message)


@route("DELETE", "/webhooks/{app}/{key}/messages/{message}", token=False)
def delete(world: World, request: Request) -> Any:
    world.delete(_meant(world, request)[1])
