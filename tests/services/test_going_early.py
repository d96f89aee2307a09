"""A planned run is judged again before T0: the start was permitted for another moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

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
    await core.tick(deployment, "Prepare")
    answer = await core.click(f"advance:{deployment}")
    assert told(answer) == (
        "pet.store v1.2.0 → production cannot be deployed now: closed: Friday. "
        "Opens Tue 24 Nov 10:00 EST, in 3 days 23 h. It is planned for Tue 24 Nov 10:30."
    )
    await core.click(f"deployed:{deployment}")
    assert not await deployed(core)


async def test_the_same_run_is_deployed_when_its_time_has_come(core: Core) -> None:
    deployment = await core.start("v1.2.0", PLANNED)
    core.clock.at = datetime(2026, 11, 24, 15, 20, tzinfo=UTC)
    await core.deploy(deployment)
    assert await deployed(core)


async def test_a_freeze_added_meanwhile_holds_a_planned_run(core: Core) -> None:
    deployment = await core.start("v1.2.0", PLANNED)
    await core.say('freeze add "24 nov" stocktaking', who=LEAD)
    core.clock.at = datetime(2026, 11, 24, 15, 20, tzinfo=UTC)
    await core.deploy(deployment)
    assert not await deployed(core)


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
