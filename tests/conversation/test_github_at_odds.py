"""Where GitHub and the checklist do not agree: deployed too early, failed twice, another service's job at the gate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.conversation.octo import MARKDOWN, POLICY, Octo, octo
from tests.conversation.test_github import TUESDAY, buttons, ready, runs
from tests.fakes.github_deliveries import deployment_status, released, rule_asked, run_ended, suite_completed
from tests.fakes.slack_screen import pressables
from tests.fakes.slack_team import MAIN

__all__ = ["migrated_file", "sqlite_url"]

pytestmark = pytest.mark.slow


@pytest.fixture
async def here(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Octo]:
    async with octo(sqlite_url, tmp_path, TUESDAY) as here:
        yield here


def calls(here: Octo) -> int:
    """How many messages of the channel call the on-call."""
    slack = here.team.slack
    return sum(slack.pings(message) == ["@UOLU"] for message in slack.messages(MAIN))


# --- deployed, and T0 may not be set ----------------------------------------------------------------------------------


async def test_deployed_before_its_phase_is_complete_is_told_with_what_is_missing_and_t0_is_set_by_a_person(
    here: Octo,
) -> None:
    team = here.team
    await team.types("start v1.2.0")
    assert await here.says("deployment_status", deployment_status("success", "prod")) == "shop: missing_items"
    (told,) = [message for message in team.slack.messages(MAIN) if "GitHub says" in team.reads(message)][1:]
    assert "that shop v1.2.0 → production is deployed" in team.reads(told)
    assert "“Before” still needs 2 items ticked or excused: • Tests pass • Release published" in team.reads(told)
    assert [each.label for each in pressables(told.blocks)] == ["Next phase", "Deployed", "Roll back…"]
    assert team.slack.pings(told) == ["@UOLU"]
    assert "GitHub says it is deployed" in team.reads(team.card())
    await here.says("deployment_status", {**deployment_status("success", "prod"), "again": 1})
    assert calls(here) == 1, "once"

    await here.says("release", released())
    await team.tick_all()
    await team.press(team.card(), "Next phase")
    await team.press(team.card(), "Run deploy.yml…")
    assert "GitHub says it is deployed since 10:00. This deploys it once more." in team.reads(team.whispers()[-1])
    await team.press(team.card(), "Deployed")
    assert await team.status() == "deployed"
    assert "✅ In production" in team.reads(team.thread()[-2])
    assert "GitHub says" not in team.reads(team.card())


async def test_deployed_after_the_window_has_closed_is_told(sqlite_url: str, tmp_path: Path) -> None:
    policy = POLICY + "run_may_finish: false\n"
    async with octo(sqlite_url, tmp_path, "2026-11-24 16:30", policy=policy) as here:
        team = await ready(here)
        await team.move(hours=1)
        assert await here.says("deployment_status", deployment_status("success", "prod")) == "shop: closed"
        assert "cannot be deployed now: closed" in here.channel[-1]
        assert "press Deployed once that is possible, or roll back" in here.channel[-1]
        assert calls(here) == 1


# --- failed -----------------------------------------------------------------------------------------------------------


async def test_one_failed_run_calls_once_however_often_github_tells_of_it(here: Octo) -> None:
    team = await ready(here)
    run = await runs(here)
    assert await here.says("deployment_status", deployment_status("failure", "prod", "main", run=run)) == "shop: failed"
    assert "reports a failure: deployment to prod, says zoe on GitHub." in here.channel[-1]
    await team.move(minutes=1)
    assert await here.says("workflow_run", run_ended(here.there.runs[run], "failure")) == "shop: already"
    assert calls(here) == 1
    await team.move(minutes=1)
    again = {**here.there.runs[run], "run_attempt": 2}
    assert await here.says("workflow_run", run_ended(again, "failure")) == "shop: failed"
    assert "reports a failure: workflow deploy.yml: failure, attempt 2, says zoe" in here.channel[-1]
    assert calls(here) == 2


async def test_each_attempt_of_a_rollbacks_run_that_fails_is_told(here: Octo) -> None:
    team = await ready(here)
    await here.says("deployment_status", deployment_status("success", "prod"))
    await team.press(team.card(), "Roll back…")
    await team.fills(version="v1.1.0", reason="checkout is broken")
    run = here.there.runs[await runs(here, "rollback.yml")]
    for attempt in (1, 2):
        await here.says("workflow_run", run_ended({**run, "run_attempt": attempt}, "failure"))
    told = [text for text in here.channel if "🔴 rollback.yml of shop v1.2.0" in text]
    assert ["ended with failure, attempt 2" in text for text in told] == [False, True]


# --- whose job waits --------------------------------------------------------------------------------------------------


async def test_the_run_of_one_service_does_not_open_the_gate_of_another_in_the_same_repository(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with octo(sqlite_url, tmp_path, TUESDAY) as here:
        folder = tmp_path / "checklists"
        (folder / "bank.md").write_text(MARKDOWN.replace("# Shop", "# Bank"))
        bank = (folder / "shop.yaml").read_text().replace("service: shop", "service: bank")
        (folder / "bank.yaml").write_text(bank.replace("mon-fri 09:00-17:00", "sat 09:00-10:00"))
        await ready(here)
        by_tag = here.there.waits(here.there.run("deploy.yml", "v1.2.0", "push")["id"], "prod")
        assert await here.says("deployment_protection_rule", rule_asked(here.there, by_tag, "prod")) == "rejected"
        assert here.review(by_tag)["comment"].startswith("bank → production: closed: Tuesday.")
        own = here.there.waits(await runs(here), "prod")
        assert await here.says("deployment_protection_rule", rule_asked(here.there, own, "prod")) == "approved"
        (folder / "bank.yaml").write_text(bank.replace("production: [", "staging: [").replace("staging: always", ""))
        third = here.there.waits(here.there.run("deploy.yml", "v1.2.0", "push")["id"], "prod")
        await here.says("deployment_protection_rule", rule_asked(here.there, third, "prod"))
        assert here.review(third)["comment"].startswith("shop v1.2.0 → production is under way")


# --- news -------------------------------------------------------------------------------------------------------------


async def test_news_without_end_is_looked_at_more_rarely_and_the_last_is_not_lost(here: Octo) -> None:
    team = here.team
    await team.types("start v3.0.0")
    before = len(here.server.asked)
    for minute in range(30):
        await here.says("check_suite", suite_completed(f"{minute:040x}"))
        await team.move(minutes=1)
    looks = len(here.server.asked) - before
    assert looks <= 2 * 12, looks
    here.there.tags["v3.0.0"] = here.there.tags["v1.2.0"]
    await here.says("check_suite", suite_completed("c" * 40))
    await team.move(minutes=6)
    assert "✅ Version tagged" in team.reads(team.thread()[0])
    assert "Run deploy.yml…" not in buttons(team)
