"""The pipeline asks too: GitHub's webhooks at the door, and the document's workflows started from the channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.conversation.octo import APPROVED, POLICY, Octo, octo
from tests.fakes.github import OTHER, SHA
from tests.fakes.github_deliveries import (
    deployment_status,
    released,
    rule_asked,
    run_ended,
    suite_completed,
    tag_created,
    tag_pushed,
)  # fmt: skip
from tests.fakes.slack_screen import pressables
from tests.fakes.slack_team import Team
from tests.fakes.vendors import Reply

__all__ = ["migrated_file", "sqlite_url"]

TUESDAY = "2026-11-24 10:00"
SATURDAY = "2026-11-28 10:00"


@pytest.fixture
async def here(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Octo]:
    async with octo(sqlite_url, tmp_path, TUESDAY) as here:
        yield here


@pytest.fixture
async def approved(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Octo]:
    """A team whose production needs the approval of QA."""
    async with octo(sqlite_url, tmp_path, TUESDAY, policy=POLICY + APPROVED) as here:
        yield here


async def ready(here: Octo, version: str = "v1.2.0") -> Team:
    """T0 is next."""
    team = here.team
    await team.types(f"start {version}")
    await here.says("release", released(version))
    await team.tick_all()
    await team.press(team.card(), "Next phase")
    return team


async def runs(here: Octo, workflow: str = "deploy.yml", who: str = "ann") -> int:
    """Press Run…, confirm; the run that was started."""
    team = here.team
    before = len(here.there.dispatched)
    await team.press(team.card(), f"Run {workflow}…", who)
    await team.press(team.whispers(who)[-1], f"Run {workflow} now", who)
    assert len(here.there.dispatched) == before + 1
    return max(here.there.runs)


def buttons(team: Team) -> list[str]:
    return [each.label for each in pressables(team.card().blocks)]


# --- a whole deployment ---------------------------------------------------------------------------------------------


async def test_a_deployment_with_its_workflow_from_start_to_the_end_of_a_rollback(here: Octo) -> None:
    team = here.team
    await team.types("start v1.2.0")
    phase = team.thread()[0]
    assert "✅ Version tagged" in team.reads(phase)
    assert await here.says("release", released()) == "shop: ticked"
    assert "✅ Release published" in team.reads(team.thread()[0])
    assert "zoe on GitHub" in team.reads(team.thread()[0])
    assert "Run deploy.yml…" not in buttons(team)
    await team.tick_all()
    await team.press(team.card(), "Next phase")

    assert "Run deploy.yml…" in buttons(team)
    await team.press(team.card(), "Run deploy.yml…")
    asked = team.reads(team.whispers()[-1])
    assert asked.startswith("# ⚠️ Run deploy.yml for shop v1.2.0 → production?")
    for line in ("repository: acme/shop", "ref: main", "version: v1.2.0", "environment: production"):
        assert line in asked
    assert here.there.dispatched == []
    await team.press(team.whispers()[-1], "Run deploy.yml now")
    inputs = {"version": "v1.2.0", "environment": "production"}
    assert here.there.dispatched == [{"workflow": "deploy.yml", "ref": "main", "inputs": inputs}]
    (run,) = here.there.runs
    assert "*deploy.yml* was started by Ann 10:00" in team.reads(team.card())
    assert any(text.startswith("▶️ Ann runs deploy.yml for shop v1.2.0 → production") for text in here.channel)

    here.there.waits(run, "prod")
    assert await here.says("deployment_protection_rule", rule_asked(here.there, run, "prod")) == "approved"
    comment = "shop v1.2.0 → production is under way, started by Ann 10:00."
    assert (here.review(run)["state"], here.review(run)["comment"]) == ("approved", comment)

    assert (
        await here.says("deployment_status", deployment_status("success", "prod", "main", run=run)) == "shop: deployed"
    )
    assert "Deployed 10:00 by zoe on GitHub" in team.reads(team.card())
    assert await here.says("workflow_run", run_ended(here.there.runs[run])) == "shop: ticked"

    await team.press(team.card(), "Roll back…", "ann")
    assert (await team.fills(version="v1.1.0", reason="checkout is broken")).ok
    assert "Run rollback.yml…" in buttons(team)
    back = await runs(here, "rollback.yml")
    inputs = {"version": "v1.1.0", "reason": "checkout is broken"}
    assert here.there.dispatched[-1] == {"workflow": "rollback.yml", "ref": "main", "inputs": inputs}
    here.there.waits(back, "prod")
    assert await here.says("deployment_protection_rule", rule_asked(here.there, back, "prod")) == "approved"
    await here.says("workflow_run", run_ended(here.there.runs[back]))
    assert any(text.startswith("✅ rollback.yml of shop v1.2.0 → production has succeeded") for text in here.channel)
    await team.press(team.card(), "Rolled back…")
    assert (await team.fills(status="System stable")).ok
    assert await team.status() == "rolled back"


# --- the protection rule --------------------------------------------------------------------------------------------


async def test_a_closed_window_stops_the_workflow_and_says_when_it_opens(sqlite_url: str, tmp_path: Path) -> None:
    async with octo(sqlite_url, tmp_path, SATURDAY) as here:
        run = here.there.waits(here.there.run("deploy.yml", "v1.2.0", "push")["id"], "prod")
        assert await here.says("deployment_protection_rule", rule_asked(here.there, run, "prod")) == "rejected"
        review = here.review(run)
        assert review["state"] == "rejected"
        assert review["environment_name"] == "prod"
        assert review["comment"].startswith(
            "shop → production: closed: Saturday. Opens Mon 30 Nov 09:00 UTC, in 1 day 23 h."
        )
        why = await here.team.types("why shop")
        assert "zoe on GitHub wanted to start it" in why
        assert "Saturday" in why


@pytest.mark.slow
async def test_an_open_window_lets_the_workflow_run(here: Octo) -> None:
    run = here.there.waits(here.there.run("deploy.yml", "v1.2.0", "push")["id"], "prod")
    assert await here.says("deployment_protection_rule", rule_asked(here.there, run, "prod")) == "approved"
    assert here.review(run)["comment"].startswith("shop → production: open until Tue 24 Nov 17:00 UTC")


@pytest.mark.slow
async def test_a_lock_stops_the_workflow(here: Octo) -> None:
    await here.team.types("lock shop production the database is moved")
    run = here.there.waits(here.there.run("deploy.yml", "v1.2.0", "push")["id"], "prod")
    assert await here.says("deployment_protection_rule", rule_asked(here.there, run, "prod")) == "rejected"
    assert "locked by Ann: the database is moved" in here.review(run)["comment"]


@pytest.mark.slow
async def test_another_version_under_way_stops_the_workflow(here: Octo) -> None:
    here.there.tags["v1.3.0"] = OTHER
    await here.team.types("start v1.2.0")
    run = here.there.waits(here.there.run("deploy.yml", "v1.3.0", "push")["id"], "prod")
    assert await here.says("deployment_protection_rule", rule_asked(here.there, run, "prod")) == "rejected"
    assert "shop v1.2.0 is being deployed, started by Ann" in here.review(run)["comment"]


@pytest.mark.slow
async def test_a_deployment_that_waits_for_its_approval_is_no_permission(approved: Octo) -> None:
    here = approved
    run = here.there.waits(here.there.run("deploy.yml", "v1.2.0", "push")["id"], "prod")
    assert await here.says("deployment_protection_rule", rule_asked(here.there, run, "prod")) == "rejected"
    assert "needs the approval of 1 × QA" in here.review(run)["comment"]
    await here.team.types("start v1.2.0")
    run = here.there.waits(here.there.run("deploy.yml", "v1.2.0", "push")["id"], "prod")
    assert await here.says("deployment_protection_rule", rule_asked(here.there, run, "prod")) == "rejected"
    assert "waits for the approval of 1 × QA" in here.review(run)["comment"]
    await here.team.types("approve", "quinn")
    run = here.there.waits(here.there.run("deploy.yml", "v1.2.0", "push")["id"], "prod")
    assert await here.says("deployment_protection_rule", rule_asked(here.there, run, "prod")) == "approved"


@pytest.mark.slow
async def test_an_environment_nobody_knows_and_a_repository_of_nobody_are_refused(here: Octo) -> None:
    run = here.there.waits(here.there.run("deploy.yml", "v1.2.0", "push")["id"], "github-pages")
    await here.says("deployment_protection_rule", rule_asked(here.there, run, "github-pages"))
    review = here.there.waiting[run, "github-pages"]
    assert review is not None
    assert "shop knows no environment 'github-pages'" in review["comment"]


@pytest.mark.slow
async def test_where_github_does_not_take_the_answer_the_delivery_has_failed_and_comes_again(here: Octo) -> None:
    run = here.there.waits(here.there.run("deploy.yml", "v1.2.0", "push")["id"], "prod")
    asked = rule_asked(here.there, run, "prod")
    here.server.always = Reply({"message": "oh no"}, 500)
    failed = await here.delivers("deployment_protection_rule", asked)
    assert (failed.status_code, "redeliver it" in failed.text) == (503, True)
    here.server.always = None
    assert await here.says("deployment_protection_rule", asked) == "approved"
    assert here.review(run)["state"] == "approved"


async def test_the_same_delivery_again_and_twice_at_once_is_answered_once(here: Octo) -> None:
    run = here.there.waits(here.there.run("deploy.yml", "v1.2.0", "push")["id"], "prod")
    asked = rule_asked(here.there, run, "prod")
    both = await asyncio.gather(*(here.courier.delivers("deployment_protection_rule", asked) for _ in range(2)))
    assert sorted(answer.json()["status"] for answer in both) == ["approved", "seen"]
    assert await here.says("deployment_protection_rule", asked) == "seen"
    assert sum(request.path.endswith("/deployment_protection_rule") for request in here.server.asked) == 1


async def test_a_forged_delivery_changes_nothing(here: Octo) -> None:
    team = await ready(here)
    before = team.reads(team.card())
    forged = deployment_status("success", "prod")
    here.courier.secret = "a guess"
    assert (await here.delivers("deployment_status", forged)).status_code == 401
    assert team.reads(team.card()) == before
    here.courier.secret = "It's a Secret to Everybody"
    assert await here.says("deployment_status", forged) == "shop: deployed"


# --- what was approved ----------------------------------------------------------------------------------------------


async def test_approvals_are_taken_back_when_the_tag_is_moved(sqlite_url: str, tmp_path: Path) -> None:
    async with octo(sqlite_url, tmp_path, TUESDAY, policy=POLICY + APPROVED) as here:
        team = here.team
        await team.types('start v1.2.0 at "today 14:00"')
        await team.types("approve", "quinn")
        assert "Approved by 1 of 1 QA: Quinn" in team.reads(team.card())
        assert await here.says("push", tag_pushed("v1.2.0", SHA)) == "nothing changes"
        here.there.tags["v1.2.0"] = OTHER
        assert await here.says("push", tag_pushed("v1.2.0", OTHER, SHA)) == "approvals of 1 taken back"
        assert "Approved by 0 of 1 QA" in team.reads(team.card())
        why = "v1.2.0 is at 0f0f0f0 now, and approved was a1b2c3d"
        assert f"↩️ The approvals of shop v1.2.0 → production are taken back: {why}." in here.channel
        await team.types("approve", "quinn")
        await team.move(hours=4)
        assert "Go or no-go?" in team.reads(team.card())
        await team.press(team.card(), "Go")
        assert await team.status() == "running"


@pytest.mark.slow
async def test_a_tag_that_was_moved_unheard_is_found_out_at_the_go(sqlite_url: str, tmp_path: Path) -> None:
    async with octo(sqlite_url, tmp_path, TUESDAY, policy=POLICY + APPROVED) as here:
        team = here.team
        await team.types('start v1.2.0 at "today 14:00"')
        await team.types("approve", "quinn")
        here.there.tags["v1.2.0"] = OTHER
        await team.move(hours=4)
        assert "Approved by 0 of 1 QA" in team.reads(team.card())
        await team.types("go")
        assert await team.status() == "waiting"


@pytest.mark.slow
async def test_a_deleted_tag_takes_the_approvals_back_and_another_one_does_not(sqlite_url: str, tmp_path: Path) -> None:
    async with octo(sqlite_url, tmp_path, TUESDAY, policy=POLICY + APPROVED) as here:
        team = here.team
        await team.types('start v1.2.0 at "today 14:00"')
        await team.types("approve", "quinn")
        assert await here.says("push", tag_pushed("v9.0.0", OTHER)) == "nothing changes"
        assert await here.says("create", tag_created("v1.2.0")) == "nothing changes"
        del here.there.tags["v1.2.0"]
        assert await here.says("push", tag_pushed("v1.2.0", "0" * 40, SHA)) == "approvals of 1 taken back"
        assert any(text.endswith("are taken back: v1.2.0 was deleted.") for text in here.channel)


@pytest.mark.slow
async def test_what_was_not_approved_is_not_started(approved: Octo) -> None:
    team = approved.team
    await team.types("start v1.2.0")
    await team.types("approve", "quinn")
    await approved.says("release", released())
    await team.tick_all()
    await team.press(team.card(), "Next phase")
    approved.there.tags["v1.2.0"] = OTHER
    await team.press(team.card(), "Run deploy.yml…")
    said = team.reads(team.whispers()[-1])
    assert "Nothing was started: v1.2.0 is at 0f0f0f0 now, and approved was a1b2c3d" in said
    assert approved.there.dispatched == []


# --- starting workflows ---------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_two_people_who_confirm_start_it_once(here: Octo) -> None:
    team = await ready(here)
    for who in ("ann", "sam"):
        await team.press(team.card(), "Run deploy.yml…", who)
    ann, sam = team.whispers("ann")[-1], team.whispers("sam")[-1]
    await team.press(ann, "Run deploy.yml now", "ann")
    await team.press(sam, "Run deploy.yml now", "sam")
    assert len(here.there.dispatched) == 1
    told = team.reads(team.whispers("sam")[-1])
    assert told.startswith("# deploy.yml was started already")
    assert "was started by Ann 10:00" in told
    await team.press(team.whispers("sam")[-1], "Run it again…", "sam")
    assert "This starts it once more." in team.reads(team.whispers("sam")[-1])
    await team.press(team.whispers("sam")[-1], "Run deploy.yml again now", "sam")
    assert len(here.there.dispatched) == 2


@pytest.mark.slow
async def test_only_who_may_start_runs_the_workflow(here: Octo) -> None:
    team = await ready(here)
    await team.press(team.card(), "Run deploy.yml…", "pat")
    assert "You cannot do that" in team.reads(team.whispers("pat")[-1])
    assert here.there.dispatched == []


@pytest.mark.slow
async def test_what_github_refuses_is_told_and_can_be_tried_again(here: Octo) -> None:
    team = await ready(here)
    del here.there.branches["main"]
    await team.press(team.card(), "Run deploy.yml…")
    await team.press(team.whispers()[-1], "Run deploy.yml now")
    assert "*deploy.yml* was *not* started: GitHub answered HTTP 422: No ref found for: main" in team.reads(team.card())
    here.there.branches["main"] = SHA
    await runs(here)
    assert "*deploy.yml* was started by Ann" in team.reads(team.card())


@pytest.mark.parametrize("arrived", [True, pytest.param(False, marks=pytest.mark.slow)])
async def test_where_github_does_not_answer_it_is_looked_and_not_sent_again(here: Octo, arrived: bool) -> None:
    team = await ready(here)
    await team.press(team.card(), "Run deploy.yml…")
    here.server.always = Reply({}, 502)
    await team.press(team.whispers()[-1], "Run deploy.yml now")
    assert "*deploy.yml* was asked for; GitHub has not answered yet" in team.reads(team.card())
    here.server.always = None
    if arrived:
        here.there.run("deploy.yml", "main")
    await team.move(seconds=31)
    assert here.there.dispatched == []
    said = team.reads(team.card())
    if arrived:
        assert "*deploy.yml* was started by Ann 10:00" in said
    else:
        assert "Nobody can tell whether deploy.yml was started" in said
        assert any("GitHub did not answer, and shows no run" in text for text in here.channel)


@pytest.mark.slow
async def test_a_workflow_that_fails_is_told_and_mended_by_one_that_succeeds(here: Octo) -> None:
    team = await ready(here)
    run = await runs(here)
    assert await here.says("workflow_run", run_ended(here.there.runs[run], "failure")) == "shop: failed"
    assert "*The pipeline failed* 10:00" in team.reads(team.card())
    assert await here.says("workflow_run", run_ended(here.there.runs[run], "success", attempt=2)) != "seen"
    assert "The pipeline failed" not in team.reads(team.card())
    assert "✅ Workflow succeeded" in team.reads(team.thread()[-1])


@pytest.mark.slow
async def test_runs_and_deployments_of_something_else_are_no_matter(here: Octo) -> None:
    team = await ready(here)
    before = team.reads(team.card())
    here.there.tags["v0.9.0"] = OTHER
    none = "no deployment waits for it"
    assert await here.says("workflow_run", run_ended(here.there.run("deploy.yml", "v0.9.0", "push"))) == none
    assert await here.says("workflow_run", run_ended(here.there.run("deploy.yml", "main", "push"))) == none
    assert await here.says("deployment_status", deployment_status("success", "prod", "v0.9.0", OTHER)) == none
    assert await here.says("deployment_status", deployment_status("success", "staging")) == none
    assert team.reads(team.card()) == before


@pytest.mark.slow
async def test_an_item_is_asked_again_when_github_tells_of_a_change(here: Octo) -> None:
    team = here.team
    await team.types("start v3.0.0")
    assert "☐ Version tagged" in team.reads(team.thread()[0])
    here.there.tags["v3.0.0"] = OTHER
    assert await here.says("check_suite", suite_completed()) == "items of 1 asked again"
    assert await here.says("check_suite", suite_completed("c" * 40)) == "nothing waits for it"  # one look is enough
    assert "☐ Version tagged" in team.reads(team.thread()[0])
    await team.move(seconds=11)
    assert "✅ Version tagged" in team.reads(team.thread()[0])


@pytest.mark.slow
async def test_a_token_starts_workflows_too_and_cannot_answer_rules(sqlite_url: str, tmp_path: Path) -> None:
    async with octo(sqlite_url, tmp_path, TUESDAY, app=False) as here:
        await ready(here)
        run = here.there.waits(await runs(here), "prod")
        answer = await here.delivers("deployment_protection_rule", rule_asked(here.there, run, "prod"))
        assert answer.status_code == 503
        assert "Resource not accessible by personal access token" in answer.text
