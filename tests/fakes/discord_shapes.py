"""The guild's things as Discord writes them in JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.fakes.discord_things import (
    APPLICATION,
    BOT,
    GUILD,
    HAS_THREAD,
    JSON,
    MESSAGE_CONTENT,
    Attachment,
    Channel,
    Message,
    Person,
    Role,
    Thread,
    instant,
)
from tests.fakes.discord_world import World

EPOCH_TEXT = "2024-01-01T00:00:00.000000+00:00"


def user(person: Person) -> JSON:
    return {
        "id": str(person.id),
        "username": person.name,
        "discriminator": "0000" if person.bot else "0",
        "global_name": None if person.bot else person.name.title(),
        "avatar": None,
        "bot": person.bot,
        "public_flags": 0,
        "flags": 0,
    }


def member(person: Person, permissions: int | None = None, *, with_user: bool = True) -> JSON:
    body: JSON = {
        "roles": [str(each) for each in person.roles],
        "nick": person.nick,
        "avatar": None,
        "joined_at": EPOCH_TEXT,
        "premium_since": None,
        "communication_disabled_until": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
    }
    body |= {"user": user(person)} if with_user else {}
    return body if permissions is None else body | {"permissions": str(permissions)}


def role(each: Role) -> JSON:
    return {
        "id": str(each.id),
        "name": each.name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "position": each.position,
        "permissions": str(each.permissions),
        "managed": False,
        "mentionable": each.mentionable,
        "flags": 0,
    }


def channel(each: Channel) -> JSON:
    overwrites = [
        {"id": str(key), "type": kind, "allow": str(allow), "deny": str(deny)}
        for (kind, key), (allow, deny) in each.overwrites.items()
    ]
    return {
        "id": str(each.id),
        "type": 0,
        "guild_id": str(GUILD),
        "name": each.name,
        "position": each.position,
        "permission_overwrites": overwrites,
        "topic": None,
        "nsfw": False,
        "parent_id": None,
        "rate_limit_per_user": 0,
        "last_message_id": str(each.last) if each.last else None,
        "flags": 0,
    }


def thread(each: Thread) -> JSON:
    body = {
        "id": str(each.id),
        "type": 11,
        "guild_id": str(GUILD),
        "parent_id": str(each.parent),
        "owner_id": str(each.owner),
        "name": each.name,
        "message_count": each.sent,
        "total_message_sent": each.sent,
        "member_count": len(each.members),
        "rate_limit_per_user": 0,
        "last_message_id": str(each.last) if each.last else None,
        "flags": 0,
        "thread_metadata": {
            "archived": each.archived,
            "locked": each.locked,
            "auto_archive_duration": each.auto_archive,
            "archive_timestamp": instant(each.archived_at),
            "create_timestamp": instant(each.created_at),
        },
    }
    if BOT in each.members:
        joined = instant(each.created_at)
        body["member"] = {"id": str(each.id), "user_id": str(BOT), "join_timestamp": joined, "flags": 1}
    return body


def place(each: Channel | Thread) -> JSON:
    return thread(each) if isinstance(each, Thread) else channel(each)


def attachment(world: World, message: Message, each: Attachment) -> JSON:
    url = f"{world.base}/attachments/{message.channel_id}/{each.id}/{each.filename}"
    body = {"id": str(each.id), "filename": each.filename, "size": len(each.content), "url": url, "proxy_url": url}
    body["content_type"] = each.content_type
    return body | ({"description": each.description} if each.description else {})


def shown(world: World, message: Message, part: Any) -> Any:
    """A component with `attachment://` turned into the address where the file is (components: unfurled media item)."""
    if isinstance(part, list):
        return [shown(world, message, each) for each in part]
    if not isinstance(part, dict):
        return part
    if "attachment_id" in part:
        file = next(each for each in message.attachments if str(each.id) == part["attachment_id"])
        of = attachment(world, message, file)
        return part | {name: of[name] for name in ("url", "proxy_url", "content_type")} | {"loading_state": 2}
    return {name: shown(world, message, each) for name, each in part.items()}


def _in_use(part: Any) -> Iterator[str]:
    """The ids of the attachments that components show."""
    for each in part if isinstance(part, list) else part.values() if isinstance(part, dict) else ():
        yield from _in_use(each)
    if isinstance(part, dict) and "attachment_id" in part:
        yield part["attachment_id"]


def message(world: World, each: Message, *, nonce: bool = False) -> JSON:
    """`nonce`: in the answer to the POST and on the gateway, but not in the history. Without the intent
    MESSAGE_CONTENT, what others say is empty (events/gateway). A file that a component shows is not among the
    attachments (resources/message)."""
    in_use = set(_in_use(each.components))
    body: JSON = {
        "id": str(each.id),
        "channel_id": str(each.channel_id),
        "type": each.type,
        "author": user(world.people[each.author]),
        "content": each.content,
        "timestamp": instant(each.at),
        "edited_timestamp": instant(each.edited_at),
        "tts": False,
        "mention_everyone": each.named.everyone,
        "mentions": [user(world.people[key]) for key in each.named.users],
        "mention_roles": [str(key) for key in each.named.roles],
        "attachments": [attachment(world, each, file) for file in each.attachments if str(file.id) not in in_use],
        "embeds": each.embeds,
        "components": [shown(world, each, part) for part in each.components],
        "pinned": False,
        "flags": each.flags,
    }
    if each.author != BOT and BOT not in each.named.users and not world.allowed_intents & MESSAGE_CONTENT:
        body |= {"content": "", "embeds": [], "attachments": [], "components": []}
    if nonce and each.nonce is not None:
        body["nonce"] = each.nonce
    if each.webhook:
        body["application_id"] = str(APPLICATION)
        body["webhook_id"] = str(APPLICATION)
    if each.reference:
        body["message_reference"] = each.reference
    if each.interaction:
        body["interaction_metadata"] = each.interaction
    under = world.threads.get(each.id)
    if under is not None and each.ephemeral_to is None:
        body["thread"], body["flags"] = thread(under), each.flags | HAS_THREAD
    return body


def application(world: World) -> JSON:
    return {
        "id": str(APPLICATION),
        "name": "gonogo",
        "icon": None,
        "description": "",
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": 0,
        "interactions_endpoint_url": None,
        "owner": user(next(iter(p for p in world.people.values() if not p.bot))),
        "team": None,
        "bot": user(world.people[BOT]),
    }


def guild(world: World, *, whole: bool = False) -> JSON:
    """`whole`: as GUILD_CREATE has it, with what the bot can see of channels and open threads."""
    body: JSON = {
        "id": str(GUILD),
        "name": world.guild_name,
        "icon": None,
        "splash": None,
        "owner_id": str(world.owner or next(p.id for p in world.people.values() if not p.bot)),
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "roles": [role(each) for each in world.roles.values()],
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "premium_tier": 0,
        "preferred_locale": "en-US",
        "nsfw_level": 0,
        "premium_progress_bar_enabled": False,
    }
    if whole:
        seen = [each for each in world.threads.values() if not each.archived and world.may(BOT, each)]
        body |= {
            "joined_at": EPOCH_TEXT,
            "large": False,
            "unavailable": False,
            "member_count": len(world.people),
            "voice_states": [],
            "members": [member(world.people[BOT])],
            "channels": [channel(each) for each in world.channels.values()],
            "threads": [thread(each) for each in seen],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
        }
    return body
