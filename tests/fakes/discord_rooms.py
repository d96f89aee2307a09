"""The application, the guild and its channels over HTTP (resources/{user,application,guild,channel})."""

from __future__ import annotations

from typing import Any

from tests.fakes import discord_shapes
from tests.fakes.discord_checks import Errors
from tests.fakes.discord_routes import Request, place, route
from tests.fakes.discord_things import BOT, GUILD, JSON, PERMISSIONS, Refused, Thread, unknown
from tests.fakes.discord_world import World


@route("GET", "/users/@me")
def me(world: World, request: Request) -> Any:
    return discord_shapes.user(world.people[BOT]) | {"verified": True, "mfa_enabled": False, "email": None}


@route("GET", "/oauth2/applications/@me")
@route("GET", "/applications/@me")
def application(world: World, request: Request) -> Any:
    return discord_shapes.application(world)


@route("GET", "/users/@me/guilds")
def guilds(world: World, request: Request) -> Any:
    held = 0
    for key in (GUILD, *world.people[BOT].roles):
        held |= world.roles[key].permissions
    body: JSON = {
        "id": str(GUILD),
        "name": world.guild_name,
        "icon": None,
        "banner": None,
        "owner": False,
        "features": [],
    }
    return [body | {"permissions": str(held)}]


def _guild(request: Request) -> None:
    if request.number("guild") != GUILD:
        raise unknown("Guild", 10004)


@route("GET", "/guilds/{guild}")
def guild(world: World, request: Request) -> Any:
    _guild(request)
    return discord_shapes.guild(world)


@route("GET", "/guilds/{guild}/channels")
def channels(world: World, request: Request) -> Any:
    """All of them, also those that the bot cannot see."""
    _guild(request)
    return [discord_shapes.channel(each) for each in world.channels.values()]


@route("GET", "/guilds/{guild}/roles")
def roles(world: World, request: Request) -> Any:
    _guild(request)
    return [discord_shapes.role(each) for each in world.roles.values()]


@route("GET", "/guilds/{guild}/members/{member}")
def member(world: World, request: Request) -> Any:
    _guild(request)
    found = world.people.get(request.number("member"))
    if found is None:
        raise unknown("Member", 10007)
    return discord_shapes.member(found)


@route("GET", "/guilds/{guild}/threads/active")
def active(world: World, request: Request) -> Any:
    _guild(request)
    there = [each for each in world.threads.values() if not each.archived and world.may(BOT, each)]
    return {"threads": [discord_shapes.thread(each) for each in there], "members": []}


@route("GET", "/users/{user}")
def user(world: World, request: Request) -> Any:
    found = world.people.get(request.number("user"))
    if found is None:
        raise unknown("User", 10013)
    return discord_shapes.user(found)


@route("GET", "/channels/{channel}")
def channel(world: World, request: Request) -> Any:
    return discord_shapes.place(place(world, request))


@route("PATCH", "/channels/{channel}")
def change(world: World, request: Request) -> Any:
    """Of a thread: its name, and whether it is archived or locked. Opening it takes the right to write in it."""
    found, body, errors = place(world, request), request.body, Errors()
    if not isinstance(found, Thread):
        world.need(found, "MANAGE_CHANNELS")
        raise NotImplementedError("this Discord changes threads only")
    if "name" in body:
        errors.text(body, "name", (), 100)
    errors.choice(body, "auto_archive_duration", (), (60, 1440, 4320, 10080), required=False)
    archived, locked = errors.flag(body, "archived", (), found.archived), errors.flag(body, "locked", (), found.locked)
    errors.refuse()
    manages = bool(world.may(BOT, found) & PERMISSIONS["MANAGE_THREADS"])
    if not manages and (found.locked or locked):
        raise Refused(403, 50013, "Missing Permissions")
    if found.archived and archived:
        raise Refused(400, 50083, "Thread is archived")
    if found.archived:
        world.need(found, "SEND_MESSAGES_IN_THREADS")
    elif found.owner != BOT and not manages:
        raise Refused(403, 50013, "Missing Permissions")
    found.name = body.get("name", found.name)
    found.auto_archive = body.get("auto_archive_duration") or found.auto_archive
    if archived != found.archived:
        found.archived_at = world.clock.now()
    found.archived, found.locked = archived, locked
    world.thread_changed(found)
    return discord_shapes.thread(found)


@route("DELETE", "/channels/{channel}")
def delete(world: World, request: Request) -> Any:
    found = place(world, request)
    if not isinstance(found, Thread):
        world.need(found, "MANAGE_CHANNELS")
        raise NotImplementedError("this Discord deletes threads only")
    world.need(found, "MANAGE_THREADS")
    body = discord_shapes.thread(found)
    world.thread_gone(found)
    return body


@route("PUT", "/channels/{channel}/thread-members/@me")
def join(world: World, request: Request) -> Any:
    found = place(world, request)
    if found.archived:
        raise Refused(400, 50083, "Thread is archived")
    found.members.add(BOT)
