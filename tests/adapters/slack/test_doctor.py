"""`gonogo doctor`: what is wrong, and how to mend it."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import text

from adapters.slack.config import SlackConfig
from adapters.slack.doctor import Finding, examine
from adapters.slack.methods import bot_scopes
from adapters.store.engine import address, engine_for
from bot.checkup import examine_all, lines
from bot.settings import SHIPPED, Settings
from tests.adapters.slack.kit import PEOPLE
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_team import settings_for

__all__ = ["migrated_file", "sqlite_url"]


async def fine() -> str | None:
    return None


async def outdated() -> str | None:
    return "run `gonogo migrate`"


async def broken() -> str | None:
    raise OSError("no route to host")


def config(slack: FakeSlack, **more: str) -> SlackConfig:
    return SlackConfig(**{"bot_token": slack.bot_token, "app_token": slack.app_token, "api_url": slack.api_url} | more)


async def look(slack: FakeSlack, given: SlackConfig | None = None, **more: object) -> list[Finding]:
    how = {"channels": ["#deployments"], "people": lambda: PEOPLE, "database": fine, "migrations": fine} | more
    return await examine(given or config(slack), **how)  # type: ignore[arg-type]


def wrong(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.ok is False]


async def test_where_all_is_well_nothing_is_to_be_mended(slack: FakeSlack) -> None:
    slack.scopes = set(bot_scopes())
    found = await look(slack)
    assert wrong(found) == []
    whats = [finding.what for finding in found if finding.ok]
    assert "Slack accepts the bot token: @gonogo in Gonogo" in whats
    assert "Scopes: exactly those needed" in whats
    assert "I am in #deployments" in whats
    assert "Socket Mode can be opened" in whats
    assert slack.messages("C1") == [], "it only looks"


async def test_a_scope_that_is_missing_is_named(slack: FakeSlack) -> None:
    slack.scopes = set(bot_scopes()) - {"usergroups:read"}
    names = [finding.what for finding in wrong(await look(slack))]
    assert names[0] == "Scopes: usergroups:read missing"


async def test_scopes_nobody_needs_are_mentioned(slack: FakeSlack) -> None:
    slack.scopes = {*bot_scopes(), "reactions:write"}
    found = await look(slack)
    assert wrong(found) == []
    assert any("not needed: reactions:write" in finding.what for finding in found)


async def test_a_channel_it_is_not_in_is_named_with_what_to_type(slack: FakeSlack) -> None:
    found = wrong(await look(slack, channels=["#deployments", "#releases"]))
    assert [(finding.what, "/invite @gonogo" in finding.mend) for finding in found] == [("I am not in #releases", True)]


async def test_a_clock_that_is_off_is_told_by_how_much(slack: FakeSlack) -> None:
    found = wrong(await look(slack, now=lambda: time.time() + 400))
    assert len(found) == 1
    assert found[0].what.startswith(
        ("The clock is 400 s ahead", "The clock is 401 s ahead", "The clock is 399 s ahead")
    )


async def test_wrong_tokens_are_told_apart(slack: FakeSlack) -> None:
    found = wrong(await look(slack, config(slack, bot_token="xoxb-wrong")))
    assert "GONOGO_SLACK_BOT_TOKEN" in found[0].mend
    found = wrong(await look(slack, config(slack, app_token="xapp-wrong")))
    assert "GONOGO_SLACK_APP_TOKEN" in found[0].mend
    found = wrong(await look(slack, config(slack, bot_token=slack.app_token)))
    assert "xoxb-" in found[0].mend


async def test_a_way_in_is_needed_and_one_is_enough(slack: FakeSlack) -> None:
    assert "way in" in wrong(await look(slack, config(slack, app_token="")))[0].what
    assert wrong(await look(slack, config(slack, app_token="", signing_secret="s"))) == []


async def test_a_group_that_does_not_exist_and_one_that_is_empty_are_told(slack: FakeSlack) -> None:
    del slack.groups["S001"]
    slack.groups["S002"].members.clear()
    whats = [finding.what for finding in wrong(await look(slack))]
    assert whats == ["The user group S001 cannot be read", "Nobody is in the user group S002"]


async def test_a_handle_in_a_policy_is_mentioned(slack: FakeSlack) -> None:
    assert any("@oncall" in finding.what and finding.ok is None for finding in await look(slack))


async def test_the_database_is_asked_too(slack: FakeSlack) -> None:
    found = wrong(await look(slack, database=broken, migrations=outdated))
    assert [(finding.what, finding.mend) for finding in found] == [
        ("The database can be reached", "no route to host"),
        ("Its tables are those of this release", "run `gonogo migrate`"),
    ]


async def test_when_slack_is_away_it_says_so(slack: FakeSlack) -> None:
    found = wrong(await look(slack, config(slack, api_url="http://127.0.0.1:9/api/")))
    assert found[0].what == "Slack accepts the bot token"


async def test_with_the_checklists_that_come_along_nothing_is_wrong(slack: FakeSlack, tmp_path: Path) -> None:
    slack.scopes = set(bot_scopes())
    found = await examine_all(settings_for(slack, f"sqlite:///{tmp_path / 'gonogo.db'}", SHIPPED, "azora"))
    assert wrong(found) == []
    known = [line for line in lines(found) if line.startswith("--")]
    assert "--  I am not in #engineering" in known, "petforce's; said in #deployments instead"
    assert any("nobody in Slack holds product_owner, qa, tech_lead" in line for line in known)


async def test_without_slack_it_says_what_is_set_up(tmp_path: Path) -> None:
    found = await examine_all(Settings(database_url=f"sqlite:///{tmp_path / 'gonogo.db'}"))
    assert wrong(found) == []
    assert "--  Slack is not set up: `gonogo run` shows the sandbox channel" in list(lines(found))


async def test_a_database_of_another_release_without_what_this_one_needs_is_wrong(sqlite_url: str) -> None:
    engine = engine_for(address(sqlite_url))
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
        await connection.execute(text("DROP TABLE tokens"))
    await engine.dispose()
    [broken] = wrong(await examine_all(Settings(database_url=sqlite_url)))
    assert broken.what == "The database can be reached and has the tables of this release"
