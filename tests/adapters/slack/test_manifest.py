"""The manifest asks for exactly what the code uses."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from adapters.slack import manifest as module
from adapters.slack.manifest import events_url, manifest
from adapters.slack.methods import METHODS, bot_scopes
from tests.fakes.slack_methods import METHODS as KNOWN
from tests.fakes.slack_web import LOADED

FOLDER = Path(module.__file__).parent
assert LOADED  # they fill KNOWN


def methods_called() -> set[str]:
    """Every string in the adapter that is a name of a Web API method: besides the table, only calls name any."""
    found = set()
    for file in FOLDER.glob("*.py"):
        if file.name in ("methods.py", "faults.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            said = node.value if isinstance(node, ast.Constant) else None
            if isinstance(said, str) and re.fullmatch(r"[a-z]+(\.[a-zA-Z]+){1,2}", said):
                found.add(said)
    return found & set(KNOWN)


def test_every_method_called_is_in_the_table_and_no_other() -> None:
    assert methods_called() == set(METHODS)


def test_the_table_asks_for_the_scopes_that_slack_asks_for() -> None:
    for name, method in METHODS.items():
        wanted = set(KNOWN[name].scopes)
        assert wanted <= set(method.scopes), name
        assert KNOWN[name].app == method.app_token, name


def test_the_scopes_are_these() -> None:
    assert list(bot_scopes()) == [
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "usergroups:read",
        "users:read",
    ]
    assert manifest()["oauth_config"]["scopes"]["bot"] == list(bot_scopes())


def test_socket_mode_needs_no_address() -> None:
    plain = manifest()
    assert plain["settings"]["socket_mode_enabled"] is True
    assert "url" not in json.dumps(plain)


def test_over_http_all_three_addresses_are_the_same() -> None:
    there = manifest("https://gonogo.example.com/")
    url = "https://gonogo.example.com/slack/events"
    settings = there["settings"]
    assert settings["socket_mode_enabled"] is False
    assert there["features"]["slash_commands"][0]["url"] == url
    assert settings["interactivity"]["request_url"] == settings["event_subscriptions"]["request_url"] == url
    assert events_url(url) == url


@pytest.mark.parametrize("address", ["http://gonogo.example.com", "gonogo.example.com", "https://", "https://a.b/?x=1"])
def test_an_address_slack_would_not_take_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="https"):
        manifest(address)


def test_mentions_arrive_as_ids_and_the_home_tab_is_on() -> None:
    features = manifest()["features"]
    assert [command["should_escape"] for command in features["slash_commands"]] == [True]
    assert features["app_home"]["home_tab_enabled"] is True
    assert manifest()["settings"]["event_subscriptions"]["bot_events"] == ["app_home_opened"]


def test_it_keeps_slacks_limits() -> None:
    there = manifest()
    command, info = there["features"]["slash_commands"][0], there["display_information"]
    assert len(info["name"]) <= 35
    assert len(info["description"]) <= 140
    assert len(command["command"]) <= 32
    assert len(command["description"]) <= 2_000
    assert len(command["usage_hint"]) <= 1_000
