"""The Web API's methods as a table: what each needs, how often it may be called, and what answers it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.slack_shapes import JSON
from tests.fakes.slack_things import BOT_USER, Channel, Refused
from tests.fakes.slack_world import World


@dataclass(frozen=True)
class Args:
    """A call's arguments: typed in a JSON body, all strings in a query or a form."""

    given: JSON

    def text(self, name: str, default: str = "") -> str:
        value = self.given.get(name)
        return default if value is None else str(value)

    def need(self, name: str) -> str:
        """A required argument; left out: `invalid_arguments` (every method page)."""
        if not self.text(name):
            raise Refused.because("invalid_arguments", [f"[ERROR] missing required field: {name}"])
        return self.text(name)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.given.get(name)
        return default if value is None else value in (True, "true", "1", 1)

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.given.get(name, default))
        except (TypeError, ValueError):
            raise Refused("invalid_arguments") from None

    def has(self, name: str) -> bool:
        return self.given.get(name) is not None

    def json(self, name: str, error: str = "invalid_arguments") -> Any:
        """A structured argument, which may also come as a JSON string."""
        value = self.given.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise Refused(error) from None


Answering = Callable[[World, Args], JSON]


@dataclass(frozen=True)
class Method:
    run: Answering
    tier: int
    scopes: tuple[str, ...] = ()
    app: bool = False
    """Called with the app-level token instead of the bot's."""


METHODS: dict[str, Method] = {}
SPECIAL = 0
"""A tier of its own: hundreds a minute."""


def method(name: str, tier: int, *scopes: str, app: bool = False) -> Callable[[Answering], Answering]:
    def register(run: Answering) -> Answering:
        METHODS[name] = Method(run, tier, scopes, app)
        return run

    return register


def need_scope(world: World, scope: str) -> None:
    """`missing_scope`, with what was needed and what the token has (docs.slack.dev/reference/methods, errors)."""
    if scope not in world.scopes:
        raise Refused("missing_scope", needed=scope, provided=",".join(sorted(world.scopes)))


def readable(world: World, wanted: str, right: str = "read") -> Channel:
    """A channel the bot may see: private ones only as a member (conversations.info: channel_not_found)."""
    channel = world.channel_of(wanted)
    need_scope(world, f"{channel.kind}:{right}")
    if channel.private and BOT_USER not in channel.members:
        raise Refused("channel_not_found")
    return channel


def page(rows: list[Any], args: Args, default: int, most: int) -> tuple[list[Any], str]:
    """Cursor pagination (docs.slack.dev/apis/web-api/pagination): a slice and the cursor of the next one."""
    limit = args.number("limit", default) or default
    if limit < 0:
        raise Refused("invalid_limit")
    cursor = args.text("cursor")
    if cursor and not cursor.removeprefix("from_").isdigit():
        raise Refused("invalid_cursor")
    start = int(cursor.removeprefix("from_")) if cursor else 0
    end = start + min(limit, most)
    return rows[start:end], f"from_{end}" if end < len(rows) else ""
