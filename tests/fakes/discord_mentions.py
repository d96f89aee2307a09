"""Whom a message notifies (resources/message: allowed mentions object)."""

from __future__ import annotations

import re

from tests.fakes.discord_checks import Errors
from tests.fakes.discord_components import TEXT, walk
from tests.fakes.discord_things import BOT, JSON, PERMISSIONS, SILENT, Message, Pinged
from tests.fakes.discord_world import World

USER, ROLE, EVERYONE = re.compile(r"<@!?(\d+)>"), re.compile(r"<@&(\d+)>"), re.compile(r"@(?:everyone|here)")


def judged(errors: Errors, body: JSON, *, answer: bool) -> JSON:
    """What is allowed, filled in. Without the field: everything; in an answer to an interaction, users only."""
    given = body.get("allowed_mentions")
    if given is None:
        return {"parse": ["users"] if answer else ["users", "roles", "everyone"], "users": [], "roles": []}
    at = ("allowed_mentions",)
    if not isinstance(given, dict):
        errors.say(at, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        return {"parse": [], "users": [], "roles": []}
    parse = given.get("parse") or []
    for index, each in enumerate(parse):
        if each not in ("users", "roles", "everyone"):
            errors.say(
                (*at, "parse", index), "BASE_TYPE_CHOICES", "Value must be one of ('everyone', 'roles', 'users')."
            )
    for name in ("users", "roles"):
        listed = given.get(name) or []
        if len(listed) > 100:
            errors.say((*at, name), "BASE_TYPE_MAX_LENGTH", "Must be 100 or fewer in length.")
        if listed and name in parse:
            say = f"parse:[{name!r}] and {name}: [ids...] are mutually exclusive."
            errors.say(at, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", say)
    return {
        "parse": list(parse),
        **{name: [str(each) for each in given.get(name) or []] for name in ("users", "roles")},
    }


def said(message: Message) -> str:
    """All text in which a mention counts."""
    return "\n".join([message.content, *(each["content"] for each in walk(message.components) if each["type"] == TEXT)])


def mention(world: World, message: Message, allowed: JSON) -> None:
    """Sets whom it names and whom it notifies; an escaped mention or one in a code block counts too, to be strict."""
    text = said(message)
    users = [int(key) for key in dict.fromkeys(USER.findall(text)) if int(key) in world.people]
    roles = [int(key) for key in dict.fromkeys(ROLE.findall(text)) if int(key) in world.roles]
    users = [key for key in users if "users" in allowed["parse"] or str(key) in allowed["users"]]
    roles = [key for key in roles if "roles" in allowed["parse"] or str(key) in allowed["roles"]]
    loud = bool(world.may(message.author, world.place(message.channel_id)) & PERMISSIONS["MENTION_EVERYONE"])
    everyone = loud and "everyone" in allowed["parse"] and bool(EVERYONE.search(text))
    message.named = Pinged(users, roles, everyone)
    if message.ephemeral_to is None and not message.flags & SILENT:
        rung = [key for key in roles if loud or world.roles[key].mentionable]
        message.pinged = Pinged([key for key in users if key != BOT], rung, everyone)
