"""Messages over HTTP (resources/message; resources/channel for archived threads)."""

from __future__ import annotations

from typing import Any

from tests.fakes import discord_mentions, discord_shapes
from tests.fakes.discord_checks import Errors
from tests.fakes.discord_drafts import draft
from tests.fakes.discord_routes import Request, place, route
from tests.fakes.discord_things import BOT, GUILD, JSON, PERMISSIONS, Channel, Message, Refused, Thread, unknown
from tests.fakes.discord_world import World

ARCHIVED = (
    "Tried to perform an operation on an archived thread, such as editing a message or adding a user to the thread"
)


def writable(world: World, where: Channel | Thread) -> None:
    """50013, 160005 for a locked thread."""
    world.need(where, "SEND_MESSAGES_IN_THREADS" if isinstance(where, Thread) else "SEND_MESSAGES")
    if isinstance(where, Thread) and where.locked and not world.may(BOT, where) & PERMISSIONS["MANAGE_THREADS"]:
        raise Refused(400, 160005, "Thread is locked")


def awake(where: Channel | Thread) -> None:
    if isinstance(where, Thread) and where.archived:
        raise Refused(400, 50083, ARCHIVED)


def event(world: World, message: Message, name: str, *, nonce: bool = False) -> None:
    body = discord_shapes.message(world, message, nonce=nonce) | {"guild_id": str(GUILD)}
    author = world.people[message.author]
    world.dispatch(name, body | {"member": discord_shapes.member(author, with_user=False)})


@route("POST", "/channels/{channel}/messages")
def create(world: World, request: Request) -> Any:
    """With `enforce_nonce`, the message that has this nonce already is the answer."""
    where, body = place(world, request), request.body
    writable(world, where)
    errors = Errors()
    nonce = None if body.get("nonce") is None else str(body["nonce"])
    errors.text({"nonce": nonce}, "nonce", (), 25, 0, required=False)
    reference = _reference(world, errors, body, where)
    errors.refuse()
    if request.uploads or body.get("attachments"):
        world.need(where, "ATTACH_FILES")
    found = draft(world, body, request.uploads)
    if nonce and body.get("enforce_nonce"):
        at, twin = world.nonces.get((BOT, nonce), (0.0, None))
        if twin is not None and not twin.deleted and world.clock.now() - at <= world.nonce_window:
            return discord_shapes.message(world, twin, nonce=True)
    message = Message(world.id(), where.id, BOT, world.clock.now(), nonce=nonce, reference=reference)
    message.type = 19 if reference else 0
    found.apply(world, message)
    discord_mentions.mention(world, message, found.allowed)
    if nonce:
        world.nonces[(BOT, nonce)] = (message.at, message)
    world.put(message)
    event(world, message, "MESSAGE_CREATE", nonce=True)
    return discord_shapes.message(world, message, nonce=True)


def _reference(world: World, errors: Errors, body: JSON, where: Channel | Thread) -> JSON | None:
    given = body.get("message_reference")
    if not given:
        return None
    key = int(given.get("message_id", 0))
    there = world.posted.get(where.id, {}).get(key)
    if there is None or there.deleted:
        if not given.get("fail_if_not_exists", True):
            return None
        errors.say(("message_reference",), "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
    return {"message_id": str(key), "channel_id": str(where.id), "guild_id": str(GUILD), "type": 0}


@route("PATCH", "/channels/{channel}/messages/{message}")
def edit(world: World, request: Request) -> Any:
    where = place(world, request)
    message = world.message(where.id, request.number("message"))
    if message.author != BOT:
        raise Refused(403, 50005, "Cannot edit a message authored by another user")
    awake(where)
    change(world, message, request)
    return discord_shapes.message(world, message)


def change(world: World, message: Message, request: Request, *, answer: bool = False) -> None:
    """Edits never notify anybody."""
    found = draft(world, request.body, request.uploads, message, answer=answer)
    message.versions.append((message.content, message.components))
    found.apply(world, message)
    message.edited_at = world.clock.now()
    if message.ephemeral_to is None:
        event(world, message, "MESSAGE_UPDATE")
    world.changed()


@route("DELETE", "/channels/{channel}/messages/{message}")
def delete(world: World, request: Request) -> Any:
    where = place(world, request)
    message = world.message(where.id, request.number("message"))
    if message.author != BOT:
        world.need(where, "MANAGE_MESSAGES")
    awake(where)
    world.delete(message)


@route("GET", "/channels/{channel}/messages/{message}")
def one(world: World, request: Request) -> Any:
    where = place(world, request)
    world.need(where, "READ_MESSAGE_HISTORY")
    return discord_shapes.message(world, world.message(where.id, request.number("message")))


@route("GET", "/channels/{channel}/messages")
def history(world: World, request: Request) -> Any:
    """Newest first, 1 to 100, 50 if nothing is said. Without READ_MESSAGE_HISTORY there is nothing."""
    where = place(world, request)
    errors = Errors()
    given = {name: int(value) if value.isdigit() else value for name, value in request.query.items()}
    limit = errors.whole(given, "limit", (), 1, 100, default=50) or 50
    edges = {name: errors.whole(given, name, (), 0, 2**63) for name in ("before", "after", "around")}
    errors.refuse()
    if not world.may(BOT, where) & PERMISSIONS["READ_MESSAGE_HISTORY"]:
        return []
    rows = world.standing(where.id)
    if edges["around"] is not None:
        middle, half = edges["around"], limit // 2
        rows = [each for each in rows if each.id < middle][-half or len(rows) :] + [
            each for each in rows if each.id >= middle
        ][: half + 1]
    elif edges["before"] is not None:
        rows = [each for each in rows if each.id < edges["before"]][-limit:]
    elif edges["after"] is not None:
        rows = [each for each in rows if each.id > edges["after"]][:limit]
    return [discord_shapes.message(world, each) for each in reversed(rows[-limit:])]


@route("POST", "/channels/{channel}/messages/{message}/threads")
def start_thread(world: World, request: Request) -> Any:
    """A public thread; its id is the message's. 160004 if there was one."""
    where = place(world, request)
    if isinstance(where, Thread):
        raise Refused(400, 50024, "Cannot execute action on this channel type")
    message = world.message(where.id, request.number("message"))
    world.need(where, "CREATE_PUBLIC_THREADS")
    errors = Errors()
    name = errors.text(request.body, "name", (), 100)
    lasts = errors.choice(request.body, "auto_archive_duration", (), (60, 1440, 4320, 10080), required=False)
    errors.refuse()
    if message.id in world.threads:
        raise Refused(400, 160004, "A thread has already been created for this message")
    now = world.clock.now()
    found = Thread(message.id, name, where.id, now, auto_archive=lasts or 4320, archived_at=now, members={BOT})
    world.threads[found.id] = found
    world.dispatch("THREAD_CREATE", discord_shapes.thread(found) | {"newly_created": True})
    event(world, message, "MESSAGE_UPDATE")
    world.changed()
    return discord_shapes.thread(found)


@route("POST", "/channels/{channel}/typing")
def typing(world: World, request: Request) -> Any:
    place(world, request)


def missing(message: Message | None) -> Message:
    if message is None or message.deleted:
        raise unknown("Message", 10008)
    return message
