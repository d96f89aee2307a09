"""A slash command as a person types it -> the data of the interaction, with what it mentions resolved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.fakes import discord_shapes
from tests.fakes.discord_commands import (
    BOOLEAN,
    CHANNEL,
    GROUP,
    INTEGER,
    MENTIONABLE,
    NUMBER,
    ROLE,
    STRING,
    SUB_COMMAND,
    USER,
)
from tests.fakes.discord_things import GUILD, JSON, Person
from tests.fakes.discord_world import World


def invocation(world: World, command: str, values: Mapping[str, Any], focused: str | None = None) -> JSON:
    """Fails for a command that is not registered, and for options and values that a client would not send."""
    words = command.removeprefix("/").split()
    known = [*world.commands[GUILD], *world.commands[0]]
    found = next((each for each in known if each["name"] == words[0] and each["type"] == 1), None)
    assert found is not None, f"/{words[0]} is not registered; there are {[each['name'] for each in known]}"
    body: JSON = {"id": found["id"], "name": found["name"], "type": 1}
    if "guild_id" in found:
        body["guild_id"] = found["guild_id"]
    rows, steps = found.get("options") or [], []
    for word in words[1:]:
        step = next((each for each in rows if each["name"] == word and each["type"] in (SUB_COMMAND, GROUP)), None)
        assert step is not None, f"{command!r}: no {word!r} among {[each['name'] for each in rows]}"
        steps.append(step)
        rows = step.get("options") or []
    assert not any(each["type"] in (SUB_COMMAND, GROUP) for each in rows), f"{command!r} needs a subcommand"
    resolved: JSON = {}
    options = _options(world, rows, values, focused, resolved)
    for step in reversed(steps):
        options = [{"name": step["name"], "type": step["type"], "options": options}]
    body["options"] = options
    return body | ({"resolved": resolved} if resolved else {})


def _options(
    world: World, rows: list[JSON], values: Mapping[str, Any], focused: str | None, resolved: JSON
) -> list[JSON]:
    names = {each["name"] for each in rows}
    assert set(values) <= names, f"no such options: {sorted(set(values) - names)}; there are {sorted(names)}"
    missing = [each["name"] for each in rows if each.get("required") and each["name"] not in values]
    assert not missing or focused is not None, f"required: {missing}"
    found = []
    for each in rows:
        name = each["name"]
        if name not in values:
            continue
        body = {"name": name, "type": each["type"]}
        if name == focused:
            assert each.get("autocomplete"), f"{name} offers nothing while one types"
            found.append(body | {"value": values[name], "focused": True})
        else:
            found.append(body | {"value": _value(world, each, values[name], resolved)})
    return found


def _value(world: World, of: JSON, value: Any, resolved: JSON) -> Any:
    kind, name = of["type"], of["name"]
    if kind == USER or (kind == MENTIONABLE and isinstance(value, Person)):
        person = world.someone(value)
        resolved.setdefault("users", {})[str(person.id)] = discord_shapes.user(person)
        body = discord_shapes.member(person, world.may(person.id, next(iter(world.channels.values()))), with_user=False)
        resolved.setdefault("members", {})[str(person.id)] = body
        return str(person.id)
    if kind in (ROLE, MENTIONABLE):
        role = world.role(value)
        resolved.setdefault("roles", {})[str(role.id)] = discord_shapes.role(role)
        return str(role.id)
    if kind == CHANNEL:
        place = world.place(value)
        resolved.setdefault("channels", {})[str(place.id)] = discord_shapes.place(place) | {"permissions": "0"}
        return str(place.id)
    wanted: Any = {STRING: str, INTEGER: int, BOOLEAN: bool, NUMBER: (int, float)}[kind]
    assert isinstance(value, wanted), f"{name}: {value!r} is no {wanted}"
    if of.get("choices"):
        found = [each["value"] for each in of["choices"] if value in (each["value"], each["name"])]
        assert found, f"{name}: {value!r} is not among {[each['name'] for each in of['choices']]}"
        return found[0]
    if kind == STRING:
        least, most = of.get("min_length") or 0, of.get("max_length") or 6000
        assert least <= len(value) <= most, f"{name}: {least} to {most} characters"
    return value
