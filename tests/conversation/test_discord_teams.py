"""The five documents on Discord: announced word for word as in the sandbox, each thing once."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.conversation.discord_team import MAIN, Health, Team, shipped, team
from tests.conversation.scenes import Team as Words
from tests.conversation.teams import TEAMS
from tests.conversation.test_slack_teams import back
from tests.talk import untimed

pytestmark = pytest.mark.slow

__all__ = ["migrated_file", "sqlite_url"]

CHECKED = {"azora"}
"""The continuous check plays this one; the others' courses differ in words only."""
each_team = pytest.mark.parametrize(
    "words",
    [
        pytest.param(words, id=words.checklist, marks=() if words.checklist in CHECKED else pytest.mark.long)
        for words in TEAMS
    ],
)


@each_team
async def test_a_deployment_succeeds_and_is_rolled_back_and_is_told_as_in_the_sandbox(
    words: Words, sqlite_url: str, tmp_path: Path
) -> None:
    channels = [name for name in dict.fromkeys([words.home, *words.others]) if name != MAIN]
    folder = shipped(tmp_path / "checklists")
    async with team(sqlite_url, folder, words.checklist, words.open_at, home=words.home, channels=channels) as here:
        assert f"Started {words.name}\n" in (await here.types("start", version="v1.2.0")).text.replace("\\", "")
        await here.run_to_deployed()
        assert {who: here.ticked.count(who) for who in set(here.ticked)} == words.signed
        await here.move(minutes=30)
        await here.tick_all()
        if await here.status() == "deployed":  # a later check announces success
            await here.move(hours=2)
            await here.tick_all()
        assert await here.status() == "succeeded"
        success = {channel: [text for text in said if "stable" not in text] for channel, said in words.said.items()}
        await announced(here, words, success)

        await here.service.set_health(Health.FAILING)
        await here.press(here.card(), "Roll back…", "olu")
        await here.fills("olu", version="v1.1.0", reason="Error rate at 7%", next_steps="Fix the query")
        title, *listed = words.rollback_list
        under = "\n".join(here.reads(each) for each in here.thread()).replace("\\", "")
        assert [line for line in (title, *listed) if line not in under] == []
        await here.tick_all()
        await here.press(here.card(), "Rolled back…", "olu")
        await here.fills("olu", status="System stable")
        assert await here.status() == "rolled back"
        both = {channel: success.get(channel, []) + back(words, channel) for channel in {*success, *words.said_back}}
        await announced(here, words, both)
        await here.move(hours=24)  # nothing more is checked, said or posted
        await announced(here, words, both)
        assert len(here.markers()) == len(set(here.markers())) > 0
        assert [(call.name, call.code) for call in here.discord.calls if call.code not in (None, 0, 10003)] == []


async def announced(here: Team, words: Words, wanted: dict[str, list[str]]) -> None:
    """Every announcement stands in its channel once, word for word and in order; nothing else is announced."""
    row = await here.row()
    assert row.deployed_at is not None
    deployed = f"{row.deployed_at.astimezone(ZoneInfo(words.zone)):%Y-%m-%d %H:%M}"
    for channel in dict.fromkeys([MAIN, *wanted, *words.others]):
        expected = [text.replace("{deployed}", deployed) for text in wanted.get(channel, ())]
        expected = [text.replace("{duration}", "0 seconds") for text in expected]
        assert [untimed(text) for text in await here.said(channel)] == expected, channel
