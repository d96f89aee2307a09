"""`gonogo doctor`: what is wrong with Discord, and how to mend it."""

from __future__ import annotations

import pytest

from adapters.discord.doctor import Finding, examine
from tests.adapters.discord.kit import PEOPLE, QA, config
from tests.fakes import discord_shapes
from tests.fakes.discord import FakeDiscord


async def look(server: FakeDiscord, **more: object) -> list[Finding]:
    channels = more.pop("channels", ["#deployments"])
    also = more.pop("also", [])
    return await examine(config(server, **more), channels=channels, also=also, people=lambda: PEOPLE)  # type: ignore[arg-type]


def wrong(found: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.what, finding.mend) for finding in found if finding.ok is False]


async def test_where_all_is_well_nothing_is_to_be_mended(server: FakeDiscord) -> None:
    found = await look(server)
    assert wrong(found) == []
    whats = [finding.what for finding in found if finding.ok]
    assert whats == [
        "Discord accepts the bot token: gonogo",
        "Clicks and commands come over the gateway",
        "No privileged intent is needed: all three switches in the developer portal may stay off",
        "I am in the server acme",
        "I may do in #deployments all that is needed",
        "@testers is there and can be mentioned",
    ]
    notes = [finding.what for finding in found if finding.ok is None]
    assert notes[0] == "@sre can sign, but is not called when it is its turn"
    assert notes[1].startswith("on_call is @oncall, which is neither")
    assert server.messages("deployments") == [], "it only looks"
    assert [call.name for call in server.calls if call.method != "GET"] == []


async def test_a_wrong_token_is_told_at_once(server: FakeDiscord) -> None:
    [(what, mend)] = wrong(await look(server, token="wrong"))
    assert what == "Discord accepts the bot token"
    assert "GONOGO_DISCORD_TOKEN is not accepted" in mend
    assert "wrong" not in mend


async def test_a_server_it_is_not_in_is_told(server: FakeDiscord) -> None:
    [(what, mend)] = wrong(await look(server, guild=server.guild_id + 5))
    assert what == "I am in the server"
    assert "gonogo discord invite" in mend


async def test_without_a_number_the_only_server_is_meant(server: FakeDiscord) -> None:
    assert wrong(await look(server, guild=None)) == []


async def test_a_permission_that_a_channel_takes_away_is_named(server: FakeDiscord) -> None:
    server.forbid("deployments", "CREATE_PUBLIC_THREADS", "READ_MESSAGE_HISTORY")
    [(what, mend)] = wrong(await look(server))
    assert what == "I may not Create Public Threads, Read Message History in #deployments"
    assert "allow these to the bot's role" in mend


async def test_without_attach_files_nothing_fails_and_it_says_that_pictures_are_words(server: FakeDiscord) -> None:
    server.forbid("deployments", "ATTACH_FILES")
    found = await look(server)
    assert wrong(found) == []
    [worth] = [finding for finding in found if finding.ok is None and "pictures" in finding.what]
    assert "Attach Files" in worth.mend


async def test_a_channel_that_is_not_there_is_named(server: FakeDiscord) -> None:
    found = await look(server, channels=["#releases"], also=["#incidents"])
    assert [what for what, _ in wrong(found)] == ["I cannot see #releases"]
    assert [finding.what for finding in found if finding.ok is None][:1] == ["I cannot see #incidents"]


async def test_a_role_that_is_gone_is_named(server: FakeDiscord) -> None:
    del server.roles[QA]
    assert [what for what, _ in wrong(await look(server))] == [f"There is no role {QA} in the server"]


async def test_an_interactions_endpoint_takes_everything_away_from_the_gateway(
    server: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = discord_shapes.application
    there = {"interactions_endpoint_url": "https://example.com/interactions"}
    monkeypatch.setattr(discord_shapes, "application", lambda world: plain(world) | there)
    [(what, mend)] = wrong(await look(server))
    assert what == "Clicks and commands come over the gateway"
    assert "empty the Interactions Endpoint URL" in mend
