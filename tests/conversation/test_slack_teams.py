"""The five documents on Slack: announced word for word as in the sandbox, each thing once."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.conversation.scenes import Team as Words
from tests.conversation.teams import TEAMS
from tests.fakes.slack_team import MAIN, Health, Team, key_of, shipped, team

__all__ = ["migrated_file", "sqlite_url"]

each_team = pytest.mark.parametrize("words", TEAMS, ids=[words.checklist for words in TEAMS])


@each_team
async def test_a_deployment_succeeds_and_is_rolled_back_and_is_told_as_in_the_sandbox(
    words: Words, sqlite_url: str, tmp_path: Path
) -> None:
    channels = [name for name in dict.fromkeys([words.home, *words.others]) if name != MAIN]
    folder = shipped(tmp_path / "checklists")
    at = words.open_at
    async with team(sqlite_url, folder, words.checklist, at, home=words.home, channels=channels) as here:
        assert _flat(await here.types("start v1.2.0")).startswith(f"Started {words.name} ")
        await here.run_to_deployed()
        assert {who: here.ticked.count(who) for who in set(here.ticked)} == words.signed
        await here.move(minutes=30)
        await here.tick_all()
        if await here.status() == "deployed":  # a later check announces success
            await here.move(hours=2)
            await here.tick_all()
        assert await here.status() == "succeeded"
        before = {channel: said[:-1] if words.said_back.get(channel) else said for channel, said in words.said.items()}
        stable = {channel: said[-1:] for channel, said in words.said.items() if "stable" in said[-1]}
        before = {channel: tuple(t for t in said if t not in stable.get(channel, ())) for channel, said in words.said.items()}
        await _announced(here, words, before)

        await here.service.set_health(Health.FAILING)
        await here.press(here.card(), "Roll back…", "olu")
        await here.fills("olu", version="v1.1.0", reason="Error rate at 7%", next_steps="Fix the query")
        title, *listed = words.rollback_list
        assert all(line in here.reads(here.in_thread(title)) for line in listed)
        await here.tick_all()
        await here.press(here.card(), "Rolled back…", "olu")
        await here.fills("olu", status="System stable")
        assert await here.status() == "rolled back"
        after = {
            channel: (*before.get(channel, ()), *(t for t in said if t not in words.said.get(channel, ()) and t != words.issue))
            for channel, said in {**{c: () for c in before}, **words.said_back}.items()
        }
        await _announced(here, words, after)
        await here.move(hours=24)
        await _announced(here, words, after)
        keys = [key_of(m) for room in here.slack.posted.values() for m in room.values() if m.mine]
        assert len(keys) == len(set(keys)) > 0
        assert [(call.method, call.error) for call in here.slack.calls if call.error] == []


async def _announced(here: Team, words: Words, wanted: dict[str, tuple[str, ...]]) -> None:
    row = await here.row()
    assert row.deployed_at is not None
    deployed = f"{row.deployed_at.astimezone(ZoneInfo(words.zone)):%Y-%m-%d %H:%M}"
    for channel in dict.fromkeys([MAIN, *wanted, *words.others]):
        expected = [text.replace("{deployed}", deployed).replace("{duration}", "0 seconds") for text in wanted.get(channel, ())]
        assert [re.sub(r" in \d+ ms", "", text) for text in here.said(channel)] == expected, channel


def _flat(text: str) -> str:
    return " ".join(text.removeprefix("# ").split()) + " "
