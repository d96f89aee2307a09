"""chat.* and reactions.add: what is posted, edited and refused.

Pages: docs.slack.dev/reference/methods/<method>; each refusal below is named in its list of errors.
"""

from __future__ import annotations

from typing import Any

from tests.fakes.slack_blocks import ONE_TABLE, problems, weigh
from tests.fakes.slack_methods import SPECIAL, Args, method, need_scope
from tests.fakes.slack_shapes import JSON
from tests.fakes.slack_things import APP, BOT, BOT_USER, TEAM, Channel, Message, Refused
from tests.fakes.slack_world import World

TRUNCATED = 40_000  # chat.postMessage: longer text is cut, with the warning message_truncated
UPDATE = 4_000  # chat.update: longer text is msg_too_long
OPTIONS = ("unfurl_links", "unfurl_media", "mrkdwn", "parse", "link_names", "reply_broadcast", "username", "icon_emoji")


def as_json(world: World, message: Message, *, metadata: bool = True) -> JSON:
    """A message as the Web API and payloads show it."""
    mine = message.mine
    shown: JSON = {"type": "message", "ts": message.ts, "user": message.user, "team": TEAM, "text": message.text}
    if mine:
        shown |= {"bot_id": BOT, "app_id": APP, "bot_profile": {"id": BOT, "app_id": APP, "name": "gonogo"}}
    if message.blocks:
        shown["blocks"] = message.blocks
    if message.attachments:
        shown["attachments"] = message.attachments
    if message.metadata and metadata:
        shown["metadata"] = message.metadata
    if message.thread_ts:
        shown["thread_ts"] = message.thread_ts
    if message.tombstone:
        shown |= {"subtype": "tombstone", "hidden": True}
    elif message.broadcast:
        shown["subtype"] = "thread_broadcast"
    if message.is_reply:
        shown["parent_user_id"] = world.posted[message.channel][str(message.thread_ts)].user
    elif replies := world.replies(message.channel, message.ts):
        people = list(dict.fromkeys(each.user for each in replies))
        shown |= {"thread_ts": message.ts, "reply_count": len(replies), "reply_users": people}
        shown |= {"reply_users_count": len(people), "latest_reply": replies[-1].ts, "is_locked": False}
    if message.versions and not message.blocks:
        shown["edited"] = {"user": message.user, "ts": message.ts}
    if message.files:
        shown["files"] = [{"id": each, "title": world.files[each].title} for each in message.files]
    if message.reactions:
        found = message.reactions.items()
        shown["reactions"] = [{"name": name, "users": who, "count": len(who)} for name, who in found]
    return shown


def checked_blocks(world: World, blocks: Any) -> list[JSON]:
    """Refuses `invalid_blocks_format`, `invalid_blocks`, `only_one_table_allowed` and `msg_blocks_too_long`."""
    if blocks is None:
        return []
    if not isinstance(blocks, list) or not all(isinstance(each, dict) for each in blocks):
        raise Refused("invalid_blocks_format")
    found = problems(blocks, "message", action_scope=world.action_scope)
    if any(ONE_TABLE in each for each in found):
        raise Refused(ONE_TABLE)
    for block in blocks:
        image = block if block.get("type") == "image" else block.get("accessory") or {}
        key = (image.get("slack_file") or {}).get("id") if isinstance(image, dict) else None
        if key and not (key in world.files and world.files[key].ready):
            found.append("[ERROR] invalid slack file [json-pointer:/blocks]")
    if found:
        raise Refused.because("invalid_blocks", found)
    characters, size = weigh(blocks)
    if characters > world.budget[0] or size > world.budget[1]:
        raise Refused("msg_blocks_too_long")
    return world.stored(blocks)


def checked_metadata(metadata: Any) -> JSON | None:
    """`{"event_type", "event_payload"}`; scalars, one level of objects, arrays of those."""
    if metadata is None or metadata == {}:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise Refused("invalid_metadata_format")
    payload = metadata.get("event_payload")
    if not isinstance(payload, dict) or set(metadata) - {"event_type", "event_payload", "entities"}:
        raise Refused("invalid_metadata_format")

    def flat(value: Any) -> bool:
        return isinstance(value, str | int | float | bool)

    for value in payload.values():
        inner = value if isinstance(value, list) else [value]
        if not all(flat(each) or (isinstance(each, dict) and all(map(flat, each.values()))) for each in inner):
            raise Refused("invalid_metadata_schema")
    if len(str(metadata)) > 8_000:
        raise Refused("metadata_too_large")
    return metadata


def content(world: World, args: Args) -> tuple[str, list[JSON], list[JSON]]:
    """Text, blocks and attachments. `markdown_text` stands alone (markdown_text_conflict) and is at most 12,000."""
    blocks = checked_blocks(world, args.json("blocks", "invalid_blocks_format"))
    attachments = args.json("attachments", "invalid_attachments") or []
    if len(attachments) > 100:
        raise Refused("too_many_attachments")
    for each in attachments:
        if isinstance(each, dict) and each.get("blocks"):
            each["blocks"] = checked_blocks(world, each["blocks"])
    if args.has("markdown_text"):
        if args.has("text") or args.has("blocks"):
            raise Refused("markdown_text_conflict")
        if len(args.text("markdown_text")) > 12_000:
            raise Refused("msg_too_long")
        return args.text("markdown_text"), blocks, attachments
    return args.text("text"), blocks, attachments


def postable(world: World, wanted: str) -> Channel:
    """Where the bot may post: as a member, or in public channels with chat:write.public; a user's id is their DM."""
    if wanted in world.people and wanted != BOT_USER:
        return world.direct(wanted)
    channel = world.channel_of(wanted)
    if BOT_USER not in channel.members:
        if channel.private:
            raise Refused("channel_not_found")
        if "chat:write.public" not in world.scopes:
            raise Refused("not_in_channel")
    if channel.archived:
        raise Refused("is_archived")
    return channel


def thread_of(world: World, channel: Channel, args: Args) -> str | None:
    """The thread to hang under. A parent that is gone does not refuse the post: the reply loses its thread."""
    wanted = args.text("thread_ts")
    if not wanted:
        return None
    found = world.posted.get(channel.id, {}).get(wanted)
    if found is None or found.deleted:
        if world.missing_thread != "unthread":
            raise Refused(world.missing_thread)
        return None
    return found.thread_ts or found.ts


@method("chat.postMessage", SPECIAL, "chat:write")
def post_message(world: World, args: Args) -> JSON:
    channel = postable(world, args.need("channel"))
    metadata = checked_metadata(args.json("metadata", "invalid_metadata_format"))
    text, blocks, attachments = content(world, args)
    if not (text or blocks or attachments):
        raise Refused("no_text")
    thread = thread_of(world, channel, args)
    message = Message(
        channel.id,
        world.ts(channel.id),
        BOT_USER,
        text[:TRUNCATED],
        blocks,
        attachments,
        metadata,
        thread,
        broadcast=bool(thread) and args.flag("reply_broadcast"),
        options={name: args.given[name] for name in OPTIONS if args.has(name)},
    )
    world.put(message)
    answer: JSON = {"channel": channel.id, "ts": message.ts, "message": as_json(world, message)}
    if len(text) > TRUNCATED:
        answer |= {"warning": "message_truncated", "response_metadata": {"warnings": ["message_truncated"]}}
    return answer


@method("chat.update", 3, "chat:write")
def update(world: World, args: Args) -> JSON:
    """`text` without `blocks` removes the blocks; neither: both stay; metadata stays unless given, `{}` clears it."""
    channel = world.channels.get(args.need("channel"))
    if channel is None or (channel.private and BOT_USER not in channel.members):
        raise Refused("channel_not_found")
    message = world.message(channel.id, args.need("ts"))
    if not message.mine or message.tombstone:
        raise Refused("cant_update_message")
    if channel.archived:
        raise Refused("is_inactive")
    if world.edit_window is not None and world.clock.now() - float(message.ts) > world.edit_window:
        raise Refused("edit_window_closed")
    if len(args.text("text")) > UPDATE:
        raise Refused("msg_too_long")
    metadata = checked_metadata(args.json("metadata", "invalid_metadata_format"))
    text, blocks, attachments = content(world, args)
    if args.has("text") or args.has("markdown_text") or args.has("blocks"):
        kept = text if args.has("text") or args.has("markdown_text") else message.text
        if not (kept or blocks or attachments):
            raise Refused("no_text")
        message.say(kept, blocks)
    elif not attachments and not args.has("metadata"):
        raise Refused("no_text")
    if args.has("attachments"):
        message.attachments = attachments
    if args.has("metadata"):
        message.metadata = metadata
    world.changed()
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": as_json(world, message)}


@method("chat.delete", 3, "chat:write")
def delete(world: World, args: Args) -> JSON:
    channel = world.channels.get(args.need("channel"))
    if channel is None:
        raise Refused("channel_not_found")
    message = world.message(channel.id, args.need("ts"))
    if not message.mine:
        raise Refused("cant_delete_message")
    world.delete(message)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.postEphemeral", 4, "chat:write")
def post_ephemeral(world: World, args: Args) -> JSON:
    """Only for somebody in the channel; it can never be edited or found again."""
    channel = postable(world, args.need("channel"))
    user = args.need("user")
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    text, blocks, attachments = content(world, args)
    if not (text or blocks or attachments):
        raise Refused("no_text")
    thread = thread_of(world, channel, args)
    ts = world.ts(channel.id)
    world.put(Message(channel.id, ts, BOT_USER, text, blocks, attachments, None, thread, ephemeral_to=user))
    return {"message_ts": ts}


@method("chat.getPermalink", SPECIAL)
def permalink(world: World, args: Args) -> JSON:
    channel = world.channels.get(args.need("channel"))
    if channel is None:
        raise Refused("channel_not_found")
    message = world.message(channel.id, args.need("message_ts"))
    link = f"https://gonogo.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


@method("reactions.add", 3, "reactions:write")
def react(world: World, args: Args) -> JSON:
    channel = world.channel_of(args.need("channel"))
    need_scope(world, "reactions:write")
    message = world.message(channel.id, args.need("timestamp"))
    name = args.need("name")
    if channel.archived:
        raise Refused("is_archived")
    if name != name.strip(":").lower():
        raise Refused("invalid_name")
    people = message.reactions.setdefault(name, [])
    if BOT_USER in people:
        raise Refused("already_reacted")
    people.append(BOT_USER)
    world.changed()
    return {}
