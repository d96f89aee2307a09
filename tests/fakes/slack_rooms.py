"""conversations.*, users.*, usergroups.*, auth.test, team.info, bots.info: who and what there is.

Pages: docs.slack.dev/reference/methods/<method>.
"""

from __future__ import annotations

from tests.fakes.slack_chat import as_json
from tests.fakes.slack_methods import SPECIAL, Args, method, need_scope, page, readable
from tests.fakes.slack_shapes import JSON
from tests.fakes.slack_things import APP, BOT, BOT_USER, TEAM, Channel, Group, Message, Refused
from tests.fakes.slack_world import World

TYPES = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}


@method("auth.test", SPECIAL)
def auth_test(world: World, args: Args) -> JSON:
    return {
        "url": "https://gonogo.slack.com/",
        "team": "Gonogo",
        "user": "gonogo",
        "team_id": TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT,
        "is_enterprise_install": False,
    }


@method("apps.connections.open", 1, app=True)
def connections_open(world: World, args: Args) -> JSON:
    """A WebSocket URL whose ticket works once (docs.slack.dev/reference/methods/apps.connections.open)."""
    ticket = f"{world.random.getrandbits(128):032x}"
    world.tickets[ticket] = False
    return {"url": f"{world.base.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={APP}"}


@method("team.info", 3, "team:read")
def team_info(world: World, args: Args) -> JSON:
    return {"team": {"id": TEAM, "name": "Gonogo", "domain": "gonogo", "icon": {}}}


@method("bots.info", 3, "users:read")
def bots_info(world: World, args: Args) -> JSON:
    if args.text("bot") != BOT:
        raise Refused("bot_not_found")
    return {"bot": {"id": BOT, "deleted": False, "name": "gonogo", "app_id": APP, "user_id": BOT_USER}}


# --- messages read back ---


def window(world: World, messages: list[Message], args: Args) -> list[Message]:
    """`oldest` and `latest` are exclusive, unless `inclusive` (conversations.history)."""
    oldest, latest, inclusive = args.text("oldest", "0"), args.text("latest"), args.flag("inclusive")
    try:
        low, high = float(oldest), float(latest or "inf")
    except ValueError as bad:
        raise Refused("invalid_ts_oldest" if oldest in str(bad) else "invalid_ts_latest") from None

    def inside(ts: float) -> bool:
        return low <= ts <= high if inclusive else low < ts < high

    return [each for each in messages if inside(float(each.ts))]


@method("conversations.history", 3)
def history(world: World, args: Args) -> JSON:
    """Newest first, without the replies of threads; metadata only with `include_all_metadata`."""
    channel = readable(world, args.need("channel"), "history")
    if BOT_USER not in channel.members:
        raise Refused("not_in_channel")
    top = [each for each in world.standing(channel.id) if not each.is_reply or each.broadcast]
    rows, cursor = page(window(world, top, args)[::-1], args, 100, 999)
    told = args.flag("include_all_metadata")
    messages = [as_json(world, each, metadata=told) for each in rows]
    return {"messages": messages, "has_more": bool(cursor), "pin_count": 0, **_next(cursor)}


@method("conversations.replies", 3)
def replies(world: World, args: Args) -> JSON:
    """The parent first, then its replies, oldest first. A reply's own ts finds that reply alone."""
    channel = readable(world, args.need("channel"), "history")
    if BOT_USER not in channel.members:
        raise Refused("not_in_channel")
    parent = world.posted.get(channel.id, {}).get(args.need("ts"))
    if parent is None or parent.deleted:
        raise Refused("thread_not_found")
    found = [] if parent.is_reply else world.replies(channel.id, parent.ts)
    rows, cursor = page(window(world, found, args), args, 1000, 1000)
    told = args.flag("include_all_metadata")
    messages = [as_json(world, each, metadata=told) for each in [parent, *rows]]
    return {"messages": messages, "has_more": bool(cursor), **_next(cursor)}


def _next(cursor: str) -> JSON:
    return {"response_metadata": {"next_cursor": cursor}} if cursor else {}


# --- channels ---


def channel_json(channel: Channel) -> JSON:
    if channel.direct:
        other = next(iter(channel.members - {BOT_USER}), BOT_USER)
        return {"id": channel.id, "is_im": True, "user": other, "is_archived": False}
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.private,
        "is_group": channel.private,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "is_general": False,
        "is_member": BOT_USER in channel.members,
        "num_members": len(channel.members),
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


@method("conversations.info", 3)
def info(world: World, args: Args) -> JSON:
    wanted = args.need("channel")
    if wanted not in world.channels:  # unlike chat.postMessage, only an id will do
        raise Refused("channel_not_found")
    return {"channel": channel_json(readable(world, wanted))}


@method("conversations.join", 3, "channels:join")
def join(world: World, args: Args) -> JSON:
    channel = world.channels.get(args.need("channel"))
    if channel is None:
        raise Refused("channel_not_found")
    if channel.private:
        raise Refused("method_not_supported_for_channel_type")
    if channel.archived:
        raise Refused("is_archived")
    channel.members.add(BOT_USER)
    world.changed()
    return {"channel": channel_json(channel)}


def _of_types(world: World, args: Args) -> list[Channel]:
    kinds = []
    for each in args.text("types", "public_channel").split(","):
        if each.strip() not in TYPES:
            raise Refused("invalid_types")
        kinds.append(TYPES[each.strip()])
        need_scope(world, f"{kinds[-1]}:read")
    open_only = args.flag("exclude_archived")
    found = [each for each in world.channels.values() if each.kind in kinds and not (open_only and each.archived)]
    return sorted(found, key=lambda each: each.id)


@method("conversations.list", 2)
def list_channels(world: World, args: Args) -> JSON:
    """Public channels; private ones only where the bot is a member."""
    seen = [each for each in _of_types(world, args) if not each.private or BOT_USER in each.members]
    rows, cursor = page(seen, args, 100, 999)
    return {"channels": [channel_json(each) for each in rows], "response_metadata": {"next_cursor": cursor}}


@method("users.conversations", 2)
def my_channels(world: World, args: Args) -> JSON:
    who = args.text("user", BOT_USER)
    seen = [each for each in _of_types(world, args) if who in each.members]
    rows, cursor = page(seen, args, 100, 999)
    return {"channels": [channel_json(each) for each in rows], "response_metadata": {"next_cursor": cursor}}


@method("conversations.members", 4)
def members(world: World, args: Args) -> JSON:
    channel = readable(world, args.need("channel"))
    rows, cursor = page(sorted(channel.members), args, 100, 999)
    return {"members": rows, "response_metadata": {"next_cursor": cursor}}


@method("conversations.open", 3, "im:write")
def open_direct(world: World, args: Args) -> JSON:
    user = args.need("users")
    if user not in world.people:
        raise Refused("user_not_found")
    return {"channel": {"id": world.direct(user).id}}


# --- people ---


@method("users.info", 4, "users:read")
def users_info(world: World, args: Args) -> JSON:
    person = world.people.get(args.need("user"))
    if person is None:
        raise Refused("user_not_found")
    shown = person.real_name or person.name
    return {
        "user": {
            "id": person.id,
            "team_id": TEAM,
            "name": person.name,
            "real_name": shown,
            "deleted": person.deleted,
            "is_bot": person.bot,
            "is_app_user": False,
            "tz": person.tz,
            "profile": {"display_name": person.name, "real_name": shown, "real_name_normalized": shown},
        }
    }


def group_json(group: Group, *, users: bool, count: bool) -> JSON:
    shown: JSON = {"id": group.id, "team_id": TEAM, "is_usergroup": True, "name": group.name, "handle": group.handle}
    shown |= {"description": "", "is_external": False, "date_delete": 1 if group.disabled else 0}
    if users:
        shown["users"] = list(group.members)
    if count:
        shown["user_count"] = str(len(group.members))
    return shown


@method("usergroups.list", 2, "usergroups:read")
def usergroups(world: World, args: Args) -> JSON:
    seen = [each for each in world.groups.values() if not each.disabled or args.flag("include_disabled")]
    users, count = args.flag("include_users"), args.flag("include_count")
    return {"usergroups": [group_json(each, users=users, count=count) for each in seen]}


@method("usergroups.users.list", 2, "usergroups:read")
def usergroup_users(world: World, args: Args) -> JSON:
    group = world.groups.get(args.need("usergroup"))
    if group is None or (group.disabled and not args.flag("include_disabled")):
        raise Refused("no_such_subteam")
    return {"users": list(group.members)}
