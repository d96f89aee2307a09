"""Application commands over HTTP, and what they may look like (interactions/application-commands)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.fakes.discord_checks import Errors, Path
from tests.fakes.discord_routes import Request, route
from tests.fakes.discord_things import APPLICATION, GUILD, JSON, Refused, unknown
from tests.fakes.discord_world import World

NAME = re.compile(r"[-_'\w]{1,32}")
SUB_COMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, FILE = range(1, 12)
CREATES_A_DAY = 200


def _name(errors: Errors, of: JSON, at: Path, *, lower: bool = True) -> str:
    value = errors.text(of, "name", at, 32)
    if value and lower and not (NAME.fullmatch(value) and value == value.lower()):
        errors.say((*at, "name"), "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    return value


def _options(errors: Errors, of: JSON, at: Path, depth: int = 0) -> None:
    rows = errors.items(of, "options", at, 25, 0, required=False)
    names, optional = set[str](), False
    for index, each in enumerate(rows):
        here = (*at, "options", index)
        kind = errors.choice(each, "type", here, range(1, 12))
        name = _name(errors, each, here)
        errors.text(each, "description", here, 100)
        if name in names:
            say = "Option names must be unique"
            errors.say((*here, "name"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", say)
        names.add(name)
        if kind in (SUB_COMMAND, GROUP):
            if depth > 1 or (kind == GROUP and depth > 0):
                errors.say((*here, "type"), "APPLICATION_COMMAND_INVALID_NESTING", "Nested too deep")
            _options(errors, each, here, depth + 1)
            if kind == GROUP and any(inner.get("type") != SUB_COMMAND for inner in each.get("options") or []):
                errors.say((*here, "options"), "APPLICATION_COMMAND_INVALID_NESTING", "A group holds subcommands only")
            continue
        required = errors.flag(each, "required", here)
        if required and optional:
            say = "Required options must be placed before non-required options"
            errors.say(here, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", say)
        optional = optional or not required
        _choices(errors, each, here, kind)
    subs = sum(each.get("type") in (SUB_COMMAND, GROUP) for each in rows)
    if subs and subs != len(rows):
        say = "Sub-command and sub-command group option types are mutually exclusive to other types"
        errors.say((*at, "options"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", say)


def _choices(errors: Errors, of: JSON, at: Path, kind: Any) -> None:
    rows = errors.items(of, "choices", at, 25, 0, required=False)
    if rows and of.get("autocomplete"):
        say = "Autocomplete and choices are mutually exclusive"
        errors.say((*at, "autocomplete"), "APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE", say)
    for index, each in enumerate(rows):
        choice(errors, each, (*at, "choices", index), kind)
    errors.whole(of, "min_length", at, 0, 6000)
    errors.whole(of, "max_length", at, 1, 6000)


def choice(errors: Errors, of: JSON, at: Path, kind: Any = STRING) -> None:
    errors.text(of, "name", at, 100)
    if kind == STRING:
        errors.text(of, "value", at, 100, 0)
    elif isinstance(of.get("value"), bool) or not isinstance(of.get("value"), int | float):
        errors.say((*at, "value"), "NUMBER_TYPE_COERCE", f'Value "{of.get("value")}" is not a number.')


def _texts(of: JSON) -> Iterator[int]:
    yield len(of.get("name") or "") + len(of.get("description") or "")
    yield sum(len(str(each.get("name"))) + len(str(each.get("value"))) for each in of.get("choices") or [])
    for each in of.get("options") or []:
        yield from _texts(each)


def _judge(errors: Errors, of: JSON, at: Path) -> None:
    kind = errors.choice(of, "type", at, (1, 2, 3), required=False) or 1
    _name(errors, of, at, lower=kind == 1)
    if kind == 1:
        errors.text(of, "description", at, 100)
        _options(errors, of, at)
    elif of.get("description"):
        errors.say((*at, "description"), "APPLICATION_COMMAND_DESCRIPTION_INVALID", "Only for chat input commands")
    if not errors.tree and sum(_texts(of)) > 8000:
        say = "Command exceeds maximum size (8000)"
        errors.say(at, "APPLICATION_COMMAND_TOO_LARGE", say)


def _scope(request: Request) -> int:
    if request.number("app") != APPLICATION:
        raise unknown("Application", 10002)
    if "guild" not in request.args:
        return 0
    if request.number("guild") != GUILD:
        raise Refused(403, 50001, "Missing Access")
    return GUILD


def _stored(world: World, scope: int, given: JSON) -> JSON:
    """With the id it had, if a command of this name and type was there; else it is a create, 200 of them a day."""
    kind = given.get("type") or 1
    old = next((c for c in world.commands[scope] if (c["name"], c["type"]) == (given["name"], kind)), None)
    if old is None:
        if world.command_creates >= CREATES_A_DAY:
            raise Refused(429, 30034, "Max number of daily application command creates has been reached (200)")
        world.command_creates += 1
    body: JSON = {"description": "", "default_member_permissions": None, "nsfw": False, "options": []} | given
    body |= {"id": old["id"] if old else str(world.id()), "application_id": str(APPLICATION), "type": kind}
    return body | {"version": str(world.id())} | ({"guild_id": str(scope)} if scope else {})


@route("GET", "/applications/{app}/commands")
@route("GET", "/applications/{app}/guilds/{guild}/commands")
def listed(world: World, request: Request) -> Any:
    return world.commands[_scope(request)]


@route("PUT", "/applications/{app}/commands")
@route("PUT", "/applications/{app}/guilds/{guild}/commands")
def overwrite(world: World, request: Request) -> Any:
    """All of them at once; those that are not named go."""
    scope, errors = _scope(request), Errors()
    rows = errors.items({"_": request.body.get("_", [])}, "_", (), 130, 0)
    seen = set[tuple[str, int]]()
    for index, each in enumerate(rows):
        _judge(errors, each, (index,))
        key = (str(each.get("name")), each.get("type") or 1)
        if key in seen:
            say = "Application command names must be unique"
            errors.say((index, "name"), "APPLICATION_COMMANDS_DUPLICATE_NAME", say)
        seen.add(key)
    errors.refuse()
    if sum((each.get("type") or 1) == 1 for each in rows) > 100:
        raise Refused(400, 30032, "Maximum number of application commands reached (100)")
    world.commands[scope] = [_stored(world, scope, each) for each in rows]
    return world.commands[scope]


@route("POST", "/applications/{app}/commands")
@route("POST", "/applications/{app}/guilds/{guild}/commands")
def create(world: World, request: Request) -> Any:
    scope, errors = _scope(request), Errors()
    _judge(errors, request.body, ())
    errors.refuse()
    made = _stored(world, scope, request.body)
    world.commands[scope] = [each for each in world.commands[scope] if each["id"] != made["id"]] + [made]
    return made


@route("DELETE", "/applications/{app}/commands/{command}")
@route("DELETE", "/applications/{app}/guilds/{guild}/commands/{command}")
def delete(world: World, request: Request) -> Any:
    scope, key = _scope(request), str(request.number("command"))
    if all(each["id"] != key for each in world.commands[scope]):
        raise unknown("application command", 10063)
    world.commands[scope] = [each for each in world.commands[scope] if each["id"] != key]
