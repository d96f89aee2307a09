"""The body of a message as it is sent in, judged, and turned into the message that stands (resources/message)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes import discord_components, discord_mentions
from tests.fakes.discord_checks import Errors, Path
from tests.fakes.discord_things import (
    EPHEMERAL,
    JSON,
    LOADING,
    SILENT,
    SUPPRESS_EMBEDS,
    V2,
    Attachment,
    Message,
    Refused,
)
from tests.fakes.discord_world import World

FILE_LIMIT = 10 * 1024 * 1024
"""Bytes (reference: uploading files)."""


@dataclass(frozen=True)
class Upload:
    """One `files[n]` of a multipart request."""

    filename: str
    content: bytes
    content_type: str = "application/octet-stream"


Uploads = Mapping[int, Upload]


@dataclass
class Draft:
    content: str = ""
    embeds: list[JSON] = field(default_factory=list)
    components: list[JSON] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    allowed: JSON = field(default_factory=dict)

    def apply(self, world: World, message: Message) -> None:
        message.content, message.embeds, message.components = self.content, self.embeds, self.components
        message.attachments, message.flags = self.attachments, self.flags


def draft(
    world: World,
    body: JSON,
    uploads: Uploads,
    before: Message | None = None,
    *,
    answer: bool = False,
    at: Path = (),
) -> Draft:
    """What a message will be: a new one, or `before` changed. Raises 50035 with all that is wrong, 50006, 40005."""
    errors = Errors()
    flags = _flags(errors, body, before, answer)
    v2 = bool(flags & V2)
    content = _kept(body, "content", before.content if before else "") or ""
    errors.text({"content": content}, "content", at, 2000, 0)
    embeds = _kept(body, "embeds", before.embeds if before else []) or []
    _embeds(errors, body, at)
    attachments = _attachments(world, errors, body, uploads, before)
    files = {each.filename: each.id for each in attachments}
    components = _kept(body, "components", before.components if before else []) or []
    if v2:
        _only_components(errors, {"content": content, "embeds": embeds}, body)
    if "components" in body or before is None or v2 != bool(before.flags & V2) or "attachments" in body:
        components = discord_components.judged(errors, components, files, v2=v2, at=at)
    allowed = discord_mentions.judged(errors, body, answer=answer)
    errors.refuse()
    found = Draft(str(content), list(embeds), components, attachments, flags, allowed)
    if not found.components and (v2 or not (content or embeds or attachments)):
        raise Refused(400, 50006, "Cannot send an empty message")
    return found


def _kept(body: JSON, name: str, before: Any) -> Any:
    return body.get(name, before)


def _flags(errors: Errors, body: JSON, before: Message | None, answer: bool) -> int:
    """Only some can be set, and IS_COMPONENTS_V2 never goes."""
    given = errors.whole(body, "flags", (), 0, 2**31 - 1)
    if before is None:
        return (given or 0) & (SUPPRESS_EMBEDS | SILENT | V2 | (EPHEMERAL if answer else 0))
    old = before.flags & ~LOADING
    if given is None:
        return old
    if old & V2 and not given & V2:
        say = "IS_COMPONENTS_V2 cannot be removed from a message"
        errors.say(("flags",), "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG", say)
    return old & ~SUPPRESS_EMBEDS | given & (SUPPRESS_EMBEDS | V2)


def _only_components(errors: Errors, there: JSON, body: JSON) -> None:
    for name, value in {**there, "poll": body.get("poll"), "sticker_ids": body.get("sticker_ids")}.items():
        if value:
            say = f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            errors.say((name,), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", say)


def _embeds(errors: Errors, body: JSON, at: Path) -> None:
    """Ten, 6,000 characters in all (resources/message: embed limits)."""
    total = 0
    for index, each in enumerate(errors.items(body, "embeds", at, 10, 0, required=False)):
        here: Path = (*at, "embeds", index)
        total += len(errors.text(each, "title", here, 256, 0, required=False))
        total += len(errors.text(each, "description", here, 4096, 0, required=False))
        for name, key, most in (("footer", "text", 2048), ("author", "name", 256)):
            if isinstance(each.get(name), dict):
                total += len(errors.text(each[name], key, (*here, name), most))
        for place, row in enumerate(errors.items(each, "fields", here, 25, 0, required=False)):
            total += len(errors.text(row, "name", (*here, "fields", place), 256))
            total += len(errors.text(row, "value", (*here, "fields", place), 1024))
    if total > 6000:
        errors.say((*at, "embeds"), "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")


def _attachments(
    world: World, errors: Errors, body: JSON, uploads: Uploads, before: Message | None
) -> list[Attachment]:
    """Those named in `attachments`, and uploads that it does not name; without the field, the old ones stay."""
    if len(uploads) > 10:
        errors.say(("files",), "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
    if any(len(each.content) > FILE_LIMIT for each in uploads.values()):
        raise Refused(413, 40005, "Request entity too large")
    old = {str(each.id): each for each in (before.attachments if before else [])}
    listed = errors.items(body, "attachments", (), 10, 0, required=False)
    kept = list(old.values()) if body.get("attachments") is None else []
    named = set[int]()
    for index, each in enumerate(listed):
        key = str(each.get("id", ""))
        errors.text(each, "description", ("attachments", index), 1024, 0, required=False)
        if key in old:
            kept.append(old[key])
        elif key.isdigit() and int(key) in uploads and int(key) not in named:
            named.add(int(key))
            kept.append(_stored(world, uploads[int(key)], each))
        else:
            say = "The attachment is neither on this message nor in this request"
            errors.say(("attachments", index, "id"), "ATTACHMENT_NOT_FOUND", say)
    return kept + [_stored(world, upload, {}) for index, upload in sorted(uploads.items()) if index not in named]


def _stored(world: World, upload: Upload, said: JSON) -> Attachment:
    name = str(said.get("filename") or upload.filename).replace(" ", "_")
    kind = "image/png" if upload.content.startswith(b"\x89PNG") else upload.content_type
    return Attachment(world.id(), name, upload.content, kind, said.get("description"))
