"""The app manifest: paste it at api.slack.com/apps, "From a manifest". docs.slack.dev/reference/app-manifest"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from adapters.slack.methods import EVENTS, bot_scopes

PATH = "/slack/events"
"""Where Slack's requests arrive, in HTTP mode."""


def manifest(http_url: str | None = None) -> dict[str, Any]:
    """The manifest for Socket Mode, or, with the public address of gonogo, for HTTP.

    Exactly the scopes used. Raises ValueError for an address Slack would not take: it wants https and a host.
    """
    url = None if http_url is None else events_url(http_url)
    request = {} if url is None else {"request_url": url}
    command = {
        "command": "/deploy",
        "description": "Deploy by the checklist: start, see where it stands, roll back",
        "usage_hint": "start v1.2.0 | status | rollback | freeze | help",
        "should_escape": True,
        **({} if url is None else {"url": url}),
    }
    return {
        "display_information": {
            "name": "gonogo",
            "description": "Your deployment checklist as a live go/no-go",
            "background_color": "#1d3b2a",
        },
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": False},
            "bot_user": {"display_name": "gonogo", "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": list(bot_scopes())}},
        "settings": {
            "event_subscriptions": {**request, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **request},
            "org_deploy_enabled": False,
            "socket_mode_enabled": url is None,
            "token_rotation_enabled": False,
        },
    }


def events_url(address: str) -> str:
    """The request URL under a public address; the path may be left out. Raises ValueError."""
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"Slack sends only to https addresses: write https://gonogo.example.com, not {address}")
    base = address.rstrip("/")
    return base if base.endswith(PATH) else base + PATH
