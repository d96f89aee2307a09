"""A planned run waits for its time, and is judged again then: the start was permitted for another moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.cards.card import Buttons
from bot.domain.people import Who
from tests.adapters.store_kit import migrated_database, migrated_file, sqlite_url
from tests.core_kit import Core, a_folder, open_core, told

__all__ = ["migrated_database", "migrated_file", "sqlite_url"]

LEAD = Who(chat="web", id="u9", name="lea", roles=frozenset({"lead"}))
FRIDAY = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
PLANNED = 'pet at "tue 10:30"'


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(sqlite_url, a_folder(tmp_path / "checklists")) as core:
        core.clock.at = FRIDAY
        yield core


async def deployed(core: Core) -> bool:
    return any(row.deployed_at is not None for row in await core.rows())


async def test_a_run_planned_for_an_open_day_cannot_be_deployed_on_a_closed_one(core: Core) -> None:
    deployment = await core.start("v1.2.0", PLANNED)
    await core.deploy(deployment)
    assert not await deployed(core)
    assert told(await core.click(f"deployed:{deployment}")) == (
        "pet.store v1.2.0 → production has not been given the go yet: it is planned for Tue 24 Nov 10:30. "
        "It is asked for when its time has come; /deploy cancel gives it up."
    )
    assert told(await core.click(f"go:{deployment}")) == (
        "pet.store v1.2.0 → production may not go now: closed: Friday. It is asked again by itself."
    )
    assert await core.status(deployment) == "waiting"


async def test_its_phases_before_t0_are_worked_on_while_it_waits_and_it_holds_no_lock(core: Core) -> None:
    deployment = await core.start("v1.2.0", PLANNED)
    await core.tick(deployment, "Prepare")
    await core.click(f"advance:{deployment}")
    assert "phase_done" in await core.kinds(deployment)
    core.clock.at = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    assert not any(row.locked for row in await core.rows())


async def test_the_same_run_is_asked_for_its_go_when_its_time_has_come(core: Core) -> None:
    deployment = await core.start("v1.2.0", PLANNED)
    core.clock.at = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
    await core.scheduler.settle()
    await core.relay.settle()
    asked = [text.partition(" There is no channel")[0] for text in await core.texts() if text.startswith("🚦")]
    assert asked == [
        "🚦 Go or no-go? pet.store v1.2.0 → production: its time has come, open until Tue 24 Nov 16:00 EST, "
        "5 h 30 m left. ann, your call."
    ]
    assert await core.status(deployment) == "waiting"
    await core.click(f"go:{deployment}")
    assert await core.status(deployment) == "running"
    await core.deploy(deployment)
    assert await deployed(core)


async def test_a_freeze_added_meanwhile_holds_it_and_it_resumes_by_itself_when_that_ends(core: Core) -> None:
    deployment = await core.start("v1.2.0", PLANNED)
    await core.say('freeze add "24 nov" stocktaking', who=LEAD)
    core.clock.at = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
    await core.scheduler.settle()
    await core.deploy(deployment)
    assert not await deployed(core)
    await core.relay.settle()
    held = next(text for text in await core.texts() if "is held" in text)
    assert held.startswith("✋ pet.store v1.2.0 → production is held: closed: stocktaking.")
    core.clock.at = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
    await core.scheduler.settle()
    assert (await core.kinds(deployment))[-1] == "go_asked"
    await core.click(f"go:{deployment}")
    assert await core.status(deployment) == "running"


async def test_a_no_go_ends_it(core: Core) -> None:
    deployment = await core.start("v1.2.0", PLANNED)
    core.clock.at = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
    await core.scheduler.settle()
    await core.submit(f"cancel:{deployment}", {"reason": "the tests are red"})
    assert await core.status(deployment) == "cancelled"


async def test_while_another_is_deployed_it_is_held_and_asked_again_shortly_after(core: Core) -> None:
    waiting = await core.start("v1.3.0", PLANNED)
    core.clock.at = datetime(2026, 11, 24, 15, 10, tzinfo=UTC)
    other = await core.start("v1.2.0", "pet")
    core.clock.at = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
    await core.scheduler.settle()
    assert (await core.kinds(waiting))[-1] == "held"
    refused = told(await core.click(f"go:{waiting}"))
    assert "may not go now: pet.store v1.2.0 is being deployed, started by ann" in refused
    await core.submit(f"cancel:{other}", {"reason": "not today"})
    core.clock.later(minutes=1)
    await core.scheduler.settle()
    assert (await core.kinds(waiting))[-1] == "go_asked"


async def test_another_time_takes_the_question_back(core: Core) -> None:
    deployment = await core.start("v1.2.0", PLANNED)
    assert "Waiting" in told(await core.say('schedule v1.2.0 pet "wed 11:00"'))
    core.clock.at = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
    await core.scheduler.settle()
    assert "go_asked" not in await core.kinds(deployment)
    core.clock.at = datetime(2026, 11, 25, 16, 0, tzinfo=UTC)
    await core.scheduler.settle()
    assert (await core.kinds(deployment))[-1] == "go_asked"


async def test_who_is_turned_away_can_wait_for_the_window(core: Core) -> None:
    answer = await core.say("start v1.2.0 pet")
    assert answer.card is not None
    (buttons,) = [block for block in answer.card.blocks if isinstance(block, Buttons)]
    assert [button.label for button in buttons.buttons] == ["Wait until Tue 24 Nov 10:00 EST"]
    await core.click(buttons.buttons[0].action)
    (row,) = await core.rows()
    assert (row.status, row.version) == ("waiting", "v1.2.0")
    core.clock.at = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
    await core.scheduler.settle()
    assert (await core.kinds(row.id))[-1] == "go_asked"


async def test_scheduled_without_a_time_it_goes_when_the_window_opens_or_now_if_it_is(core: Core) -> None:
    assert "Planned for Tue 24 Nov 10:00" in told(await core.say("schedule v1.2.0 pet"))
    core.clock.at = datetime(2026, 11, 24, 15, 5, tzinfo=UTC)
    assert told(await core.say("schedule v1.3.0 pet")).startswith("Started pet.store v1.3.0")


async def test_a_run_that_was_permitted_now_may_finish_after_the_window(core: Core) -> None:
    core.clock.at = datetime(2026, 11, 24, 20, 50, tzinfo=UTC)
    deployment = await core.start("v1.2.0", "pet")
    core.clock.at = datetime(2026, 11, 24, 21, 20, tzinfo=UTC)
    await core.deploy(deployment)
    assert await deployed(core)


async def test_a_policy_with_a_zone_nobody_knows_is_told_in_one_sentence(core: Core, tmp_path: Path) -> None:
    (tmp_path / "checklists" / "shop.yaml").write_text("timezone: Mars/Base\n")
    for command in ("start v1 shop", "window shop"):
        answer = told(await core.say(command))
        assert answer.startswith("The windows of this checklist cannot be used: 'Mars/Base' is not a time zone")
