"""files.*: the upload in three steps, and the processing that comes after it.

Pages: docs.slack.dev/messaging/working-with-files; methods files.getUploadURLExternal, files.completeUploadExternal.
"""

from __future__ import annotations

import mimetypes

from aiohttp import web

from tests.fakes.slack_chat import thread_of
from tests.fakes.slack_methods import Args, method
from tests.fakes.slack_shapes import JSON
from tests.fakes.slack_things import BOT_USER, Channel, Message, Refused, StoredFile
from tests.fakes.slack_world import World


@method("files.getUploadURLExternal", 4, "files:write")
def upload_url(world: World, args: Args) -> JSON:
    name, length = args.need("filename"), args.number("length", 0)
    if length <= 0:
        raise Refused("missing_argument")
    if len(args.text("alt_txt")) > 1000:
        raise Refused("alt_txt_too_large")
    file = StoredFile(world.id("F"), name, length, f"{world.random.getrandbits(64):016x}")
    file.alt_text = args.text("alt_txt")
    world.files[file.id] = file
    return {"upload_url": f"{world.base}/upload/v1/{file.token}", "file_id": file.id}


async def receive(world: World, request: web.Request) -> web.Response:
    """The bytes, raw or in a form; they must be as many as were announced."""
    token = request.match_info["token"]
    file = next((each for each in world.files.values() if each.token == token), None)
    if file is None:
        return web.Response(status=404, text="no such upload")
    if request.content_type.startswith("multipart/"):
        form = await request.post()
        part = next((each for each in form.values() if isinstance(each, web.FileField)), None)
        content = part.file.read() if part else b""
    else:
        content = await request.read()
    if len(content) != file.length:
        return web.Response(status=400, text=f"{len(content)} bytes came, {file.length} were announced")
    file.content = content
    world.changed()
    return web.Response(text=f"OK - {len(content)}")


@method("files.completeUploadExternal", 4, "files:write")
def complete(world: World, args: Args) -> JSON:
    """Without a channel the file stays private to the app. The message in the channel comes when it is processed."""
    wanted = args.json("files") or []
    if not wanted:
        raise Refused.because("invalid_arguments", ["[ERROR] missing required field: files"])
    targets = [each for each in [args.text("channel_id"), *args.text("channels").split(",")] if each]
    if len(targets) > 100:
        raise Refused("channels_limit_exceeded")
    channels = [_shareable(world, each) for each in targets]
    found = []
    for each in wanted:
        file = world.files.get(str(each.get("id")))
        if file is None or file.content is None or file.done:
            raise Refused("file_not_found")
        found.append((file, str(each.get("title") or file.name)))
    thread = thread_of(world, channels[0], args) if len(channels) == 1 else None
    for file, title in found:
        file.title, file.done, file.ready_after = title, True, world.file_checks
        file.share = {"channels": [each.id for each in channels], "thread": thread}
    found[0][0].share["comment"] = args.text("initial_comment")
    for file, _ in found:
        if file.ready:
            share(world, file)
    return {"files": [{"id": file.id, "title": file.title} for file, _ in found]}


def _shareable(world: World, wanted: str) -> Channel:
    if wanted not in world.channels:
        raise Refused("channel_not_found" if wanted[:1] in "CGD" else "invalid_channel")
    channel = world.channels[wanted]
    if BOT_USER not in channel.members:
        raise Refused("channel_not_found" if channel.private else "not_in_channel")
    if channel.archived:
        raise Refused("posting_to_channel_denied")
    return channel


def share(world: World, file: StoredFile) -> None:
    """Processing is over: the file stands in its channels."""
    for channel in file.share.pop("channels", []):
        ts, comment = world.ts(channel), file.share.get("comment") or ""
        world.put(Message(channel, ts, BOT_USER, comment, thread_ts=file.share.get("thread"), files=[file.id]))
        file.shares.append((channel, ts))


@method("files.info", 4, "files:read")
def file_info(world: World, args: Args) -> JSON:
    """`mimetype` stays empty while the file is being processed."""
    file = world.files.get(args.need("file"))
    if file is None or not file.done:
        raise Refused("file_not_found")
    ready = file.ready
    shown: JSON = {"id": file.id, "name": file.name, "title": file.title, "size": file.length, "user": BOT_USER}
    kind = (mimetypes.guess_type(file.name)[0] or "application/octet-stream") if ready else ""
    shown |= {"mimetype": kind, "filetype": file.name.rpartition(".")[2] if ready else "", "mode": "hosted"}
    shown |= {"permalink": f"https://gonogo.slack.com/files/{BOT_USER}/{file.id}/{file.name}"}
    shown |= {"url_private": f"https://files.slack.com/files-pri/{file.id}/{file.name}", "shares": {}}
    for channel, ts in file.shares:
        side = shown["shares"].setdefault("private" if world.channels[channel].private else "public", {})
        side.setdefault(channel, []).append({"ts": ts, "thread_ts": file.share.get("thread")})
    if not ready:
        file.ready_after -= 1
        if file.ready:
            share(world, file)
    return {"file": shown, "comments": []}
