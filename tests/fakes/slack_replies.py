"""Answers outside the Web API: what a command's ack says, and the response_url.

Page: docs.slack.dev/interactivity/handling-user-interaction, "message responses".
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.fakes.slack_chat import checked_metadata, content, thread_of
from tests.fakes.slack_methods import Args
from tests.fakes.slack_shapes import JSON
from tests.fakes.slack_things import BOT_USER, Answer, Message, Refused
from tests.fakes.slack_world import World

SLACKBOT = "USLACKBOT"


def slackbot(world: World, user: str, channel: str, text: str) -> None:
    """Slack itself tells one person that something went wrong."""
    world.put(Message(channel, world.ts(channel), SLACKBOT, text, ephemeral_to=user))


def answer_command(world: World, user: str, channel: str, line: str, body: Any) -> None:
    """An empty 200 says nothing; text is ephemeral; JSON says itself whether the channel sees it."""
    given: JSON = body if isinstance(body, dict) else {"text": body or ""}
    if not any(given.get(name) for name in ("text", "blocks", "attachments")):
        return
    try:
        if given.get("response_type") == "in_channel":
            world.put(Message(channel, world.ts(channel), user, line))
        say(world, Answer(user, channel, 0.0), given)
    except Refused as refused:
        world.refused.append(f"{line}: {refused.error} {refused.more.get('errors', '')}".strip())
        slackbot(world, user, channel, f'{line.split()[0]} failed with the error "{refused.error}"')


def say(world: World, answer: Answer, body: JSON) -> None:
    """One message through a response_url. It goes past the channel's membership rules, but not past Block Kit's."""
    args, original = Args(body), answer.message
    if args.flag("delete_original"):
        if original is None:
            raise Refused("invalid_request")
        original.deleted = original.ephemeral_to is not None
        if not original.deleted:
            world.delete(original)
        world.changed()
        return
    text, blocks, attachments = content(world, args)
    if not (text or blocks or attachments):
        raise Refused("no_text")
    if args.flag("replace_original") and original is not None:
        original.say(text, blocks)
        original.attachments = attachments
        world.changed()
        return
    channel = world.channels[answer.channel]
    thread = thread_of(world, channel, args)
    seen_by = None if args.text("response_type") == "in_channel" else answer.user
    ts, metadata = world.ts(channel.id), checked_metadata(body.get("metadata"))
    world.put(Message(channel.id, ts, BOT_USER, text, blocks, attachments, metadata, thread, ephemeral_to=seen_by))


async def respond(world: World, request: web.Request) -> web.Response:
    """Five times within 30 minutes: then `used_url`, or `expired_url`."""
    answer = world.answers.get(request.match_info["key"])
    if answer is None:
        return _no("invalid_url", 404)
    if world.clock.now() > answer.until:
        return _no("expired_url", 404)
    if answer.left <= 0:
        return _no("used_url", 404)
    try:
        body = await request.json()
    except ValueError:
        return _no("invalid_payload", 400)
    answer.left -= 1
    try:
        say(world, answer, body if isinstance(body, dict) else {})
    except Refused as refused:
        world.refused.append(f"response_url: {refused.error} {refused.more.get('errors', '')}".strip())
        return _no(refused.error, 400)
    return web.Response(text="ok")


def _no(error: str, status: int) -> web.Response:
    return web.json_response({"ok": False, "error": error}, status=status)
