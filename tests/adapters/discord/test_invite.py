"""The address that adds the bot to a server."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import discord

from adapters.discord.invite import invite_url, missing, permissions


def test_it_asks_for_the_two_scopes_and_exactly_what_is_needed() -> None:
    asked = parse_qs(urlsplit(invite_url(123, 456)).query)
    assert asked["client_id"] == ["123"]
    assert asked["guild_id"] == ["456"]
    assert asked["scope"] == ["bot applications.commands"]
    held = {name for name, value in discord.Permissions(int(asked["permissions"][0])) if value}
    assert held == {
        "attach_files", "create_public_threads", "read_message_history", "read_messages", "send_messages",
        "send_messages_in_threads",
    }  # fmt: skip


def test_without_a_server_one_is_chosen_in_the_browser() -> None:
    assert "guild_id" not in invite_url(123)


def test_what_is_missing_is_said_as_discords_settings_say_it() -> None:
    assert missing(permissions()) == []
    held = permissions()
    held.update(send_messages=False, create_public_threads=False)
    assert missing(held) == ["Send Messages", "Create Public Threads"]
