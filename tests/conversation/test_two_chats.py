"""Slack and Discord at once: one deployment, in both."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.store.engine import address, engine_for
from adapters.web.clock import SandboxClock
from adapters.web.state import Sandbox
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.conversation.discord_team import NUMBERS, Team, server_of, settings_for, shop, started
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_screen import pressables
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_screen import pressables as slack_pressables
from tests.fakes.slack_shapes import JSON
from tests.fakes.slack_team import MAIN, USERS, workspace
from tests.fakes.slack_team import Team as SlackTeam
from tests.fakes.slack_things import Message

__all__ = ["migrated_file", "sqlite_url"]

TUESDAY = datetime(2026, 11, 24, 10, tzinfo=UTC)


@contextlib.asynccontextmanager
async def both(database: str, base: Path) -> AsyncIterator[tuple[SlackTeam, Team]]:
    """One process in a workspace and a server; the same people in both, by the policy."""
    sandbox = Sandbox(engine_for(address(database)))
    clock = SandboxClock(sandbox, lambda: TUESDAY)
    await clock.load()
    policy = shop(base) / "shop.yaml"
    mapped = {str(number): USERS[who] for who, number in NUMBERS.items()}
    policy.write_text(re.sub(r'discord: "(\d+)"', lambda m: f"{m[0]}, slack: {mapped[m[1]]}", policy.read_text()))
    try:
        async with (
            FakeSlack(lambda: clock.now().timestamp()) as slack,
            FakeDiscord(lambda: clock.now().timestamp()) as discord,
        ):
            workspace(slack, ())
            server_of(discord)
            with discord.pointed():
                settings = settings_for(discord, database, policy.parent, "shop").model_copy(
                    update={
                        "slack_bot_token": SecretStr(slack.bot_token),
                        "slack_app_token": SecretStr(slack.app_token),
                        "slack_api_url": slack.api_url,
                    }
                )
                async with started(discord, settings, sandbox, clock) as there:
                    app = there.app
                    here = SlackTeam(slack, app, clock, there.time, there.service, sandbox, settings)
                    yield here, there
    finally:
        await sandbox.engine.dispose()


@pytest.fixture
async def two(sqlite_url: str, tmp_path: Path) -> AsyncIterator[tuple[SlackTeam, Team]]:
    async with both(sqlite_url, tmp_path) as teams:
        yield teams


async def test_a_deployment_stands_in_both_and_either_can_take_it_to_the_end(two: tuple[SlackTeam, Team]) -> None:
    slack, discord = two
    await discord.types("start", version="v1.2.0")
    for team in (slack, discord):
        assert "Phase 1 of 3" in team.reads(team.card())  # type: ignore[arg-type]
    tick = next(each.value for each in slack_pressables(slack.thread()[0].blocks) if each.label == "Tick") or ""
    await slack.press(slack.thread()[0], tick)
    assert "✅ Tests pass" in discord.reads(discord.thread()[0])
    sign = next(each.custom_id for each in pressables(discord.thread()[0]) if each.label == "Tick")
    await discord.press(discord.thread()[0], sign, "quinn")
    assert "2 of 2" in slack.reads(slack.thread()[0])
    assert "2 of 2" in discord.reads(discord.thread()[0])
    await slack.press(slack.card(), "Next phase")
    await discord.tick_all()
    await slack.press(slack.card(), "Deployed")
    await discord.tick_all()
    await discord.move(minutes=30)
    await discord.move(hours=24)
    titles = [
        "🚀 Production Deployment Starting", "✅ Production Deployment Complete", "Deployment stable: shop v1.2.0",
    ]  # fmt: skip
    assert [text.splitlines()[0] for text in slack.said(MAIN)] == titles
    assert [text.splitlines()[0] for text in await discord.said(MAIN)] == titles
    assert len(discord.markers()) == len(set(discord.markers()))
    assert slack.slack.refused == []


async def test_a_rollback_asked_for_in_one_is_run_in_both(two: tuple[SlackTeam, Team]) -> None:
    slack, discord = two
    await slack.types("start v1.2.0")
    await slack.press(slack.card(), "Roll back…", "olu")
    await slack.fills("olu", version="v1.1.0", reason="Error rate at 7%")
    assert "Rolling back** to v1.1.0" in discord.reads(discord.card())
    await discord.tick_all()
    await discord.press(discord.card(), "Rolled back…", "olu")
    await discord.fills("olu", status="All quiet")
    assert "Rolled back* to v1.1.0" in slack.reads(slack.card())


async def test_one_that_is_away_holds_up_the_other_in_nothing(two: tuple[SlackTeam, Team]) -> None:
    slack, discord = two
    await slack.types("start v1.2.0")
    discord.discord.forbid("deployments", "VIEW_CHANNEL")
    slack.app.front._discord.chat.rooms._kept.forget("")  # type: ignore[attr-defined]
    tick = next(each.value for each in slack_pressables(slack.thread()[0].blocks) if each.label == "Tick") or ""
    await slack.press(slack.thread()[0], tick)
    assert "✅ Tests pass" in slack.reads(slack.thread()[0])
    assert "Discord:" in await slack.types("status")
    discord.discord.allow("deployments", "VIEW_CHANNEL")
    slack.app.front._discord.chat.rooms._kept.forget("")  # type: ignore[attr-defined]
    slack.app.front._discord.chat.rooms._kept._failed.clear()  # type: ignore[attr-defined]
    await discord.time_passes()
    await discord.time_passes()
    assert "✅ Tests pass" in discord.reads(discord.thread()[0])


async def test_each_check_has_one_picture_in_both_and_status_a_small_one(two: tuple[SlackTeam, Team]) -> None:
    slack, discord = two
    await slack.types("start v1.2.0")
    await discord.tick_all()
    await slack.press(slack.card(), "Next phase")
    await discord.tick_all()
    await slack.press(slack.card(), "Deployed")
    await discord.move(hours=24)
    for name in ("30-minute", "2-hour", "24-hour"):
        [image] = images(slack.in_thread(f"{name} check"))
        assert re.match(
            r"Error rate 0\.05% \(target < 1%.*, always 0\.05% since .*09:0\d; deployed v1", image["alt_text"]
        )
        checked = discord.in_thread(f"{name} check")
        [png] = checked.attachments
        assert (png.content_type, str(checked.components).count("attachment_id")) == ("image/png", 1)
        file = slack.slack.files[image["slack_file"]["id"]]
        assert file.content == png.content, "the same one, drawn once"
    await slack.types("status")
    [small] = await slack.slack.until(lambda: images(slack.whispers()[-1]), what="the small picture")
    said = await discord.types("status")
    assert said.message is not None
    [same] = said.message.attachments
    assert slack.slack.files[small["slack_file"]["id"]].content == same.content
    assert _height(same.content) < _height(png.content)


def images(message: Message) -> list[JSON]:
    """The pictures in a message of Slack's."""
    return [block for block in message.blocks if block["type"] == "image"]


def _height(png: bytes) -> int:
    return int.from_bytes(png[20:24])
