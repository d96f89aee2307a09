"""What there is in a Discord guild, as plain data, and its numbers.

Pages of discord/discord-api-docs, below developers/: resources/{channel,guild,message}, topics/permissions,
topics/opcodes-and-status-codes.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

JSON = dict[str, Any]

EPOCH = 1_420_070_400.0
"""Discord's, in seconds since 1970 (reference: snowflakes)."""
GUILD, BOT = 1_100_000_000_000_000_001, 1_200_000_000_000_000_001
APPLICATION = BOT
EPHEMERAL, LOADING, V2, SUPPRESS_EMBEDS, SILENT = 1 << 6, 1 << 7, 1 << 15, 1 << 2, 1 << 12
HAS_THREAD = 1 << 5
PERMISSIONS = {
    "ADMINISTRATOR": 1 << 3,
    "MANAGE_CHANNELS": 1 << 4,
    "ADD_REACTIONS": 1 << 6,
    "VIEW_CHANNEL": 1 << 10,
    "SEND_MESSAGES": 1 << 11,
    "MANAGE_MESSAGES": 1 << 13,
    "EMBED_LINKS": 1 << 14,
    "ATTACH_FILES": 1 << 15,
    "READ_MESSAGE_HISTORY": 1 << 16,
    "MENTION_EVERYONE": 1 << 17,
    "USE_APPLICATION_COMMANDS": 1 << 31,
    "MANAGE_THREADS": 1 << 34,
    "CREATE_PUBLIC_THREADS": 1 << 35,
    "SEND_MESSAGES_IN_THREADS": 1 << 38,
}
MEMBERS_MAY = sum(
    PERMISSIONS[name]
    for name in (
        *("VIEW_CHANNEL", "SEND_MESSAGES", "READ_MESSAGE_HISTORY", "ADD_REACTIONS", "EMBED_LINKS", "ATTACH_FILES"),
        *("USE_APPLICATION_COMMANDS", "CREATE_PUBLIC_THREADS", "SEND_MESSAGES_IN_THREADS"),
    )
)
PRIVILEGED = 1 << 1 | 1 << 8 | 1 << 15
"""GUILD_MEMBERS, GUILD_PRESENCES, MESSAGE_CONTENT (events/gateway: privileged intents)."""
MESSAGE_CONTENT = 1 << 15
ALL_INTENTS = (1 << 26) - 1


class Refused(Exception):
    """An HTTP error with Discord's JSON: `code`, `message`, and for 50035 the tree of `errors`."""

    def __init__(self, status: int, code: int, message: str, errors: JSON | None = None) -> None:
        super().__init__(f"{code} {message}")
        self.status, self.code, self.message, self.errors = status, code, message, errors

    @property
    def body(self) -> JSON:
        return {"message": self.message, "code": self.code} | ({"errors": self.errors} if self.errors else {})


def unknown(what: str, code: int) -> Refused:
    return Refused(404, code, f"Unknown {what}")


@dataclass
class Clock:
    """The one clock of the guild, in seconds since 1970: the machine's, or the test's; `forward` moves it on."""

    source: Callable[[], float] = time.time
    offset: float = 0.0
    moved: Callable[[], None] = lambda: None

    def now(self) -> float:
        return self.source() + self.offset

    def forward(self, seconds: float) -> None:
        self.offset += seconds
        self.moved()


def instant(at: float | None) -> str | None:
    """As Discord writes it: ISO 8601 with microseconds and offset."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


@dataclass
class Role:
    id: int
    name: str
    mentionable: bool = False
    permissions: int = 0
    position: int = 1


@dataclass
class Person:
    id: int
    name: str
    bot: bool = False
    roles: list[int] = field(default_factory=list)
    locale: str = "en-US"
    nick: str | None = None


@dataclass
class Channel:
    """A text channel. `overwrites`: (kind, id) -> (allow, deny); kind 0 is a role, 1 a member."""

    id: int
    name: str
    overwrites: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    position: int = 0
    last: int | None = None


@dataclass
class Thread:
    """A public thread under a message; its id is the message's."""

    id: int
    name: str
    parent: int
    created_at: float
    archived: bool = False
    locked: bool = False
    auto_archive: int = 4320
    archived_at: float = 0.0
    owner: int = BOT
    sent: int = 0
    last: int | None = None
    members: set[int] = field(default_factory=set)


@dataclass
class Attachment:
    id: int
    filename: str
    content: bytes
    content_type: str = "application/octet-stream"
    description: str | None = None


@dataclass
class Pinged:
    """Whom a message notified when it was posted, by id."""

    users: list[int] = field(default_factory=list)
    roles: list[int] = field(default_factory=list)
    everyone: bool = False


@dataclass
class Message:
    """What stands in a channel or thread; with `ephemeral_to` only one person sees it."""

    id: int
    channel_id: int
    author: int
    at: float
    content: str = ""
    embeds: list[JSON] = field(default_factory=list)
    components: list[JSON] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    nonce: str | None = None
    pinged: Pinged = field(default_factory=Pinged)
    named: Pinged = field(default_factory=Pinged)
    """Those it mentions, notified or not."""
    ephemeral_to: int | None = None
    edited_at: float | None = None
    deleted: bool = False
    webhook: bool = False
    """Posted as an answer to an interaction."""
    reference: JSON | None = None
    interaction: JSON | None = None
    type: int = 0
    versions: list[tuple[str, list[JSON]]] = field(default_factory=list)
    """What it said before, oldest first."""

    @property
    def mine(self) -> bool:
        return self.author == BOT

    @property
    def loading(self) -> bool:
        """A deferred answer that says "thinking…"."""
        return bool(self.flags & LOADING)

    @property
    def edited(self) -> bool:
        return self.edited_at is not None

    @property
    def marker(self) -> tuple[int, ...]:
        """The ids of its first two components."""
        return tuple(each["id"] for each in self.components[:2])

    def snapshot(self) -> Message:
        """As it stands now: somebody's screen that has not been refreshed."""
        return copy.deepcopy(self)


@dataclass
class Modal:
    """A form that is open in front of one person."""

    id: int
    person: int
    channel_id: int
    custom_id: str
    title: str
    components: list[JSON]
    message: Message | None = None
    open: bool = True


@dataclass
class Interaction:
    """One, and where it stands. `kind`: 2 command, 3 component, 4 autocomplete, 5 modal submit."""

    id: int
    token: str
    kind: int
    person: int
    channel_id: int
    at: float
    message: Message | None = None
    answered: int | None = None
    """The type of the first response."""
    response: Message | None = None
    followups: list[Message] = field(default_factory=list)
    modal: Modal | None = None
    choices: list[JSON] | None = None
    failed: bool = False
    """The person has seen "This interaction failed" or "The application did not respond"."""
    data: JSON = field(default_factory=dict)


@dataclass
class Call:
    """One HTTP request, and what was said to it. `path` has no /api/v10; `route` has names instead of numbers."""

    method: str
    path: str
    route: str = ""
    body: JSON = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    at: float = 0.0
    token: bool = False
    """Whether the bot's token came with it."""
    status: int = 0
    code: int | None = None
    fault: str | None = None
    answer: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"
