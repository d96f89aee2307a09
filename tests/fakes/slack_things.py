"""What there is in a workspace, as plain data."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack_shapes import JSON

TEAM, APP, BOT, BOT_USER = "T0001", "A0001", "B0001", "UBOT"
SCOPES = (
    *("commands", "chat:write", "reactions:write", "app_mentions:read"),
    *("channels:read", "channels:history", "channels:join", "groups:read", "groups:history"),
    *("im:read", "im:history", "im:write", "users:read", "usergroups:read", "team:read", "files:read", "files:write"),
)


class Refused(Exception):
    """`"ok": false` with this error; the rest is added to the answer."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more

    @classmethod
    def because(cls, error: str, reasons: list[str]) -> Refused:
        """With `errors` and `response_metadata.messages`, as invalid_blocks and invalid_arguments explain."""
        return cls(error, errors=reasons, response_metadata={"messages": reasons})


@dataclass
class Clock:
    """The one clock of the workspace: the machine's, or the test's; `forward` moves it on."""

    source: Callable[[], float] = time.time
    offset: float = 0.0

    def now(self) -> float:
        return self.source() + self.offset

    def forward(self, seconds: float) -> None:
        self.offset += seconds


@dataclass
class Person:
    id: str
    name: str
    real_name: str = ""
    bot: bool = False
    deleted: bool = False
    tz: str = "Europe/Berlin"


@dataclass
class Group:
    """A user group: `<!subteam^S0001>`."""

    id: str
    handle: str
    name: str
    members: list[str] = field(default_factory=list)
    disabled: bool = False


@dataclass
class Channel:
    id: str
    name: str
    members: set[str] = field(default_factory=set)
    private: bool = False
    archived: bool = False
    direct: bool = False

    @property
    def kind(self) -> str:
        return "im" if self.direct else "groups" if self.private else "channels"


@dataclass
class Message:
    """What stands in a channel; with `ephemeral_to` only one person sees it."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[JSON] = field(default_factory=list)
    attachments: list[JSON] = field(default_factory=list)
    metadata: JSON | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    ephemeral_to: str | None = None
    files: list[str] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    deleted: bool = False
    tombstone: bool = False
    versions: list[tuple[str, list[JSON]]] = field(default_factory=list)
    """What it said before, oldest first."""
    options: JSON = field(default_factory=dict)
    """unfurl_links, mrkdwn, reply_broadcast… as they were sent."""

    @property
    def is_reply(self) -> bool:
        return self.thread_ts not in (None, self.ts)

    @property
    def mine(self) -> bool:
        return self.user == BOT_USER

    def say(self, text: str, blocks: list[JSON]) -> None:
        self.versions.append((self.text, self.blocks))
        self.text, self.blocks = text, blocks

    def snapshot(self) -> Message:
        """As it stands now: somebody's screen that has not been refreshed."""
        return copy.deepcopy(self)


@dataclass
class View:
    """A modal, or a Home tab."""

    id: str
    user: str
    body: JSON
    hash: str
    root: str
    previous: str | None = None
    open: bool = True
    typed: dict[tuple[str, str], Any] = field(default_factory=dict)
    """What its person has entered, by block_id and action_id."""
    opened_at: float = 0.0

    @property
    def kind(self) -> str:
        return str(self.body["type"])

    @property
    def blocks(self) -> list[JSON]:
        return list(self.body.get("blocks") or [])


@dataclass
class StoredFile:
    id: str
    name: str
    length: int
    token: str
    content: bytes | None = None
    title: str = ""
    done: bool = False
    ready_after: int = 0
    """How many more times files.info says nothing of its type: processing is asynchronous."""
    share: JSON = field(default_factory=dict)
    """Where it goes once it is processed: channels, thread, comment."""
    shares: list[tuple[str, str]] = field(default_factory=list)
    """Channel and ts of the messages it stands in."""
    alt_text: str = ""

    @property
    def ready(self) -> bool:
        return self.done and self.ready_after <= 0


@dataclass
class Trigger:
    user: str
    until: float
    view: str | None = None
    used: bool = False


@dataclass
class Answer:
    """Where a response_url leads."""

    user: str
    channel: str
    until: float
    message: Message | None = None
    left: int = 5


@dataclass
class Call:
    """One Web API request, and what was said to it. `error` is None after `ok: true`."""

    method: str
    body: JSON
    at: float
    status: int = 0
    error: str | None = None
    fault: str | None = None
    answer: JSON = field(default_factory=dict)
