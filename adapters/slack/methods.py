"""The Web API methods gonogo calls: the scope each needs and how often it may be called. Nothing else can be called.

Tiers and the special limits: docs.slack.dev/apis/web-api/rate-limits and the page of each method.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Method:
    """`scopes` are those of the bot token. `per_minute` is Slack's limit for this workspace, or, `by_channel`, for each
    channel. `burst` calls may come at once; no minute sees more than the limit for that."""

    scopes: tuple[str, ...] = ()
    per_minute: int = 100
    burst: int = 10
    by_channel: bool = False
    app_token: bool = False
    """Called with the app-level token, which has scopes of its own (`connections:write`)."""


_HISTORY = ("channels:history", "groups:history")

METHODS = {
    "apps.connections.open": Method(per_minute=20, app_token=True),
    "auth.test": Method(),
    "chat.delete": Method(("chat:write",), 50),
    "chat.postEphemeral": Method(("chat:write",), 100),
    "chat.postMessage": Method(("chat:write",), 60, burst=3, by_channel=True),
    "chat.update": Method(("chat:write",), 50),
    "conversations.history": Method(_HISTORY, 50),
    "conversations.replies": Method(_HISTORY, 50),
    "files.completeUploadExternal": Method(("files:write",), 100),
    "files.getUploadURLExternal": Method(("files:write",), 100),
    "files.info": Method(("files:read",), 100),
    "usergroups.users.list": Method(("usergroups:read",), 20),
    "users.conversations": Method(("channels:read", "groups:read"), 20),
    "users.info": Method(("users:read",), 100),
    "views.open": Method(per_minute=100),
    "views.publish": Method(per_minute=100),
    "views.push": Method(per_minute=100),
    "views.update": Method(per_minute=100),
}

EVENTS = ("app_home_opened",)
"""What gonogo is told of. None needs a scope of its own."""


def bot_scopes() -> tuple[str, ...]:
    """Exactly the scopes of the bot token: of the command, and of the methods called."""
    return tuple(sorted({"commands", *(scope for method in METHODS.values() for scope in method.scopes)}))
