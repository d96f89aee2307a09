"""The lanes around the ordinary run, approvals, and starting in spite of a freeze."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.cards.card import Answer, Buttons
from bot.domain.people import Who
from tests.adapters.store_kit import migrated_database, migrated_file, sqlite_url
from tests.core_kit import Core, a_folder, open_core, told

__all__ = ["migrated_database", "migrated_file", "sqlite_url"]

TEXT = """
# Days before
- [ ] Load test
- [ ] Tell support
# Prepare
- [ ] Tests pass
# Switch
- [ ] Traffic
# Watch
- [ ] No complaints
# Short way
- [ ] Fix it
- [ ] Ship it
# Back
- [ ] Old version runs
"""
POLICY = """
service: lanes
windows: {production: ["tue-thu 10:00-16:00"], staging: always}
phases:
  Switch: {deployed: true}
  Back: {kind: rollback}
  Short way: {kind: emergency}
approvals:
  staging: {role: qa, count: 2, expires: 1h}
overrides:
  emergency: {what: Shop is down, role: vp_engineering, closed_windows: true, instead: Short way, post_mortem: 24h}
  hotfix: {what: Small fix, skips: Days before, review_after: true}
may: {override: [on_call]}
watch:
  - {at: T+30m, then: announce succeeded}
people: {vp_engineering: {name: VP Engineering}}
"""
VERA = Who(chat="web", id="vera", name="vera", roles=frozenset({"vp_engineering"}))
OLU = Who(chat="web", id="olu", name="olu", roles=frozenset({"on_call"}))
QUINN = Who(chat="web", id="quinn", name="quinn", roles=frozenset({"qa"}))
QUEN = Who(chat="web", id="quen", name="quen", roles=frozenset({"qa"}))
FRIDAY = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    folder = a_folder(tmp_path / "checklists")
    (folder / "lanes.md").write_text(TEXT, encoding="utf-8")
    (folder / "lanes.yaml").write_text(POLICY, encoding="utf-8")
    async with open_core(sqlite_url, folder) as core:
        core.clock.at = FRIDAY
        yield core


async def emergency(core: Core) -> str:
    return await core.start("v1.2.1", "lanes --emergency checkout is down")


def labels(answer: Answer) -> list[str]:
    assert answer.card is not None
    return [button.label for block in answer.card.blocks if isinstance(block, Buttons) for button in block.buttons]


async def steps(core: Core, deployment: str) -> list[str]:
    return [step.title for step in (await core.views.bare(deployment)).plan.steps]


# --- the emergency lane ---


async def test_an_emergency_runs_the_abbreviated_checklist_and_waits_for_its_approval(core: Core) -> None:
    deployment = await emergency(core)
    assert await steps(core, deployment) == ["Short way"]
    assert await core.status(deployment) == "waiting"


async def test_everybody_is_told_of_an_emergency_and_who_has_to_approve_is_called(core: Core) -> None:
    await emergency(core)
    await core.relay.settle()
    texts = await core.texts()
    assert any(
        text.startswith("🚨 ann starts lanes v1.2.1 → production by the emergency lane in spite of: Friday.")
        and "checkout is down" in text
        for text in texts
    )
    assert any(text.startswith("🙋 lanes v1.2.1 → production waits for approval: 1 × VP Engineering") for text in texts)


async def test_the_named_role_approves_and_it_goes_by_itself_past_the_closed_window(core: Core) -> None:
    deployment = await emergency(core)
    await core.click(f"approve:{deployment}", who=VERA)
    await core.scheduler.settle()
    assert await core.status(deployment) == "running"


async def test_a_start_is_announced_with_the_go_and_not_while_it_waits(core: Core) -> None:
    deployment = await emergency(core)
    assert "announced" not in await core.kinds(deployment)
    await core.click(f"approve:{deployment}", who=VERA)
    await core.scheduler.settle()
    kinds = await core.kinds(deployment)
    assert kinds.index("admitted") < kinds.index("announced")


async def test_nobody_approves_what_they_asked_for_themselves(core: Core) -> None:
    before = {row.id for row in await core.rows()}
    await core.say("start v1.2.1 lanes --emergency checkout is down", who=VERA)
    rows = {row.id for row in await core.rows()} - before
    assert not rows, "with one vp_engineering, and that one asking, it would wait for ever"


async def test_who_is_missing_is_named_before_anything_waits_for_them(core: Core) -> None:
    answer = await core.say("start v1.2.1 lanes --emergency checkout is down", who=VERA)
    assert told(answer).startswith(
        "This needs the approval of 1 × VP Engineering (VP Engineering), and nobody holds it"
    )


async def test_another_role_cannot_approve(core: Core) -> None:
    deployment = await emergency(core)
    assert "this is for VP Engineering" in told(await core.click(f"approve:{deployment}", who=QUINN))
    assert await core.status(deployment) == "waiting"


async def test_a_lane_without_a_reason_is_asked_for_it(core: Core) -> None:
    assert "Please write why" in told(await core.say("start v1.2.1 lanes --emergency"))


async def test_a_lane_nobody_has_is_answered_with_those_there_are(core: Core) -> None:
    answer = told(await core.say("start v1.2.1 lanes --fast because"))
    assert answer == (
        "lanes has no fast lane. It has --emergency REASON (past a closed window), --hotfix REASON. "
        "--override REASON starts in spite of a window or freeze: it is for on-call."
    )


async def test_who_has_no_lane_and_nobody_who_may_override_is_not_sent_to_either(core: Core) -> None:
    assert told(await core.say("start v1.2.1 pet preprod --emergency checkout is down")) == (
        "pet.store has no emergency lane. /deploy window pet.store preprod shows when it opens. Nobody may start in "
        "spite of that; whoever keeps the policy may add a lane under overrides, or may: {override: [ROLE]}."
    )
    assert "The window is open" in told(await core.say("window pet.store preprod"))


async def test_help_names_the_lanes_there_are(core: Core) -> None:
    answer = await core.say("help")
    assert answer.card is not None
    assert "A LANE is one of the policy's `overrides`: lanes `--emergency` `--hotfix`." in str(answer.card.blocks)


async def test_the_post_mortem_is_due_a_day_later_and_chased_every_day_until_it_is_written(core: Core) -> None:
    deployment = await emergency(core)
    await core.click(f"approve:{deployment}", who=VERA)
    await core.scheduler.settle()
    await core.tick(deployment, "Short way")
    await core.click(f"deployed:{deployment}")
    for hours in (0.5, 23.5, 24, 24):
        core.clock.later(hours=hours)
        await core.scheduler.settle()
    await core.relay.settle()
    chased = [text for text in await core.texts() if text.startswith("⏰ ann: “Post-mortem”")]
    assert len(chased) == 3
    await core.tick(deployment, "Post-mortem")
    core.clock.later(hours=48)
    await core.scheduler.settle()
    await core.relay.settle()
    assert len([text for text in await core.texts() if text.startswith("⏰")]) == 3


# --- the hotfix ---


async def test_a_hotfix_leaves_items_for_later_and_brings_them_back_as_a_review_list(core: Core) -> None:
    core.clock.at = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
    deployment = await core.start("v1.2.1", "lanes --hotfix typo on the checkout page")
    assert await steps(core, deployment) == ["Prepare", "Switch", "Watch"]
    await core.deploy(deployment)
    await core.scheduler.settle()
    view = await core.views.bare(deployment)
    (review,) = view.plan.follow_ups
    assert review.title == "Review afterwards: Days before"
    assert [task.item.label for task in review.tasks] == ["Load test", "Tell support"]
    assert review.id in view.state.opened
    await core.scheduler.settle()
    await core.relay.settle()
    assert any("“Review afterwards: Days before” of lanes v1.2.1" in text for text in await core.texts())


async def test_a_hotfix_passes_no_closed_window(core: Core) -> None:
    answer = await core.say("start v1.2.1 lanes --hotfix typo")
    assert "cannot start: closed: Friday" in told(answer)


# --- in spite of a freeze ---


async def test_a_closed_window_offers_to_wait_and_the_lanes_past_it(core: Core) -> None:
    assert labels(await core.say("start v1.2.0 lanes")) == ["Wait until Tue 24 Nov 10:00 UTC", "Emergency…"]
    assert labels(await core.say("start v1.2.0 lanes", who=OLU))[-1] == "Override…"


async def test_who_may_starts_in_spite_of_the_window_with_a_reason_and_everybody_is_told(core: Core) -> None:
    deployment = await core.start_as(OLU, "start v1.2.0 lanes --override the auditors are waiting --yes")
    assert await core.status(deployment) == "running"
    await core.relay.settle()
    said = next(text for text in await core.texts() if text.startswith("🚨"))
    assert said == (
        "🚨 olu starts lanes v1.2.0 → production by an override in spite of: Friday. Reason: the auditors are waiting"
    )


async def test_who_may_not_is_told_whose_it_is(core: Core) -> None:
    answer = told(await core.say("start v1.2.0 lanes --override please"))
    assert answer == "Starting in spite of a window or freeze is for on-call. Ask one of them."


async def test_the_buttons_of_a_refusal_lead_to_the_form_and_the_form_to_the_start(core: Core) -> None:
    answer = await core.say("start v1.2.1 lanes")
    assert answer.card is not None
    actions = [b.action for block in answer.card.blocks if isinstance(block, Buttons) for b in block.buttons]
    form = (await core.click(actions[1])).form
    assert form is not None
    assert form.text == "Shop is down. It waits for the approval of VP Engineering."
    values = {field.name: field.value for field in form.fields} | {"reason": "checkout is down"}
    await core.submit(form.action, values)
    (row,) = await core.rows()
    assert (row.version, row.status) == ("v1.2.1", "waiting")


# --- approvals of an environment ---


async def test_two_different_people_approve_and_the_same_one_twice_is_one(core: Core) -> None:
    await core.say("start v1.2.0 lanes staging")
    assert not await core.rows(), "only one other QA can be played here"


async def test_why_tells_a_denial_again_as_it_stood_then(core: Core) -> None:
    await core.say("start v1.2.0 lanes")
    core.clock.at = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
    answer = told(await core.say("why lanes"))
    assert answer.startswith("Why not lanes v1.2.0 → production. ann wanted to start it Fri 20 Nov 12:00 UTC")
    assert "closed: Friday. Opens Tue 24 Nov 10:00 UTC, in 3 days 22 h" in answer
    assert "window: Friday (tue-thu 10:00-16:00, until Tue 24 Nov 10:00 UTC)" in answer


async def test_why_tells_every_decision_about_a_deployment(core: Core) -> None:
    deployment = await emergency(core)
    await core.click(f"approve:{deployment}", who=VERA)
    await core.scheduler.settle()
    answer = told(await core.say(f"why {deployment}"))
    for words in (
        "by the lane emergency",
        "Reason given: checkout is down",
        "in spite of: Friday",
        "Approval needed: 1 × VP Engineering",
        "Approved by vera as VP Engineering",
        "Go by gonogo",
    ):
        assert words in answer, words
