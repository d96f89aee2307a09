"""What is due is done once, at its time or said to be late, whoever dies meanwhile: over a real store."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.domain.events import CheckRan, Measurement, Verdict
from bot.ports import Asked, Claimed
from bot.scheduler import LEASE
from bot.services.records import DUE_KINDS
from checklists.policy import ProbePolicy
from tests.adapters.store_kit import migrated_database, migrated_file, sqlite_url, url
from tests.core_kit import Core, a_folder, open_core, told

__all__ = ["migrated_database", "migrated_file", "sqlite_url", "url"]


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(sqlite_url, a_folder(tmp_path / "checklists")) as core:
        yield core


async def watched(core: Core, more: str = "shop") -> str:
    """A deployment whose first check is due now."""
    deployment = await core.start("v1.2.0", more)
    await core.deploy(deployment)
    await core.scheduler.settle()
    core.probe.asked.clear()
    core.clock.later(minutes=30)
    return deployment


async def runs(core: Core, deployment: str) -> list[CheckRan]:
    async with core.store.read() as unit:
        return [fact for fact in await unit.events(deployment) if isinstance(fact, CheckRan)]


async def claim(core: Core) -> Claimed:
    [claimed] = await core.store.claim_due(core.clock.now(), "dead", LEASE, limit=1)
    return claimed


# --- once -----------------------------------------------------------------------------------------------------------


async def test_a_due_check_is_run_once_by_two_schedulers(url: str, tmp_path: Path) -> None:
    async with open_core(url, a_folder(tmp_path / "checklists")) as core, core.second() as other:
        deployment = await watched(core)
        await asyncio.gather(*(each.scheduler.settle() for each in (core, other, core, other)))
        assert len(await runs(core, deployment)) == 1
        assert (await core.kinds(deployment)).count("phase_opened") == 3


async def test_what_a_dead_process_held_is_done_after_its_lease_and_once(core: Core) -> None:
    deployment = await watched(core)
    await claim(core)
    await core.scheduler.settle()
    assert await runs(core, deployment) == []
    await core.time_passes()
    await core.scheduler.settle()
    await core.scheduler.settle()
    assert len(await runs(core, deployment)) == 1


async def test_a_process_that_lost_its_lease_saves_nothing_a_second_time(core: Core) -> None:
    deployment = await watched(core)
    claimed = await claim(core)
    await core.time_passes()
    await core.scheduler.settle()
    before = await core.kinds(deployment)
    await core.checks.run_due(claimed)
    assert await core.kinds(deployment) == before


@pytest.mark.parametrize("end", ["rollback", "superseded"])
async def test_deadlines_of_what_is_over_never_fire(core: Core, end: str) -> None:
    deployment = await watched(core)
    if end == "rollback":
        await core.submit(f"rollback:{deployment}", {"reason": "errors"})
        await core.submit(f"rolledback:{deployment}", {"status": "fine"})
    else:
        await core.tick(deployment, "Watch")
        await core.scheduler.settle()
        await core.deploy(await core.start("v1.3.0"))
        assert await core.status(deployment) == "superseded"
    before = len(await runs(core, deployment))
    core.clock.later(days=40)
    await core.scheduler.settle()
    assert len(await runs(core, deployment)) == before


async def test_a_cancelled_plan_opens_nothing(core: Core) -> None:
    deployment = await core.start("v1.2.0", 'shop at "in 2h"')
    await core.say("cancel shop not now")
    core.clock.later(days=1)
    await core.scheduler.settle()
    assert (await core.kinds(deployment))[-1] == "cancelled"
    assert await core.store.next_due() is None


async def test_a_rollback_in_the_middle_of_a_check_drops_it(core: Core) -> None:
    deployment = await watched(core)
    core.probe.waits = asyncio.Event()
    core.probe.begun.clear()
    working = asyncio.create_task(core.scheduler.settle())
    await core.probe.begun.wait()
    await core.submit(f"rollback:{deployment}", {"reason": "errors"})
    core.probe.waits.set()
    await working
    assert await runs(core, deployment) == []
    assert await core.status(deployment) == "rolling back"


# --- late -----------------------------------------------------------------------------------------------------------


async def test_a_late_check_says_so_and_asks_as_of_its_due_time(core: Core) -> None:
    deployment = await watched(core)
    due = core.clock.now()
    core.clock.later(minutes=47)
    await core.scheduler.settle()
    [run] = await runs(core, deployment)
    assert run.late_seconds == 47 * 60
    assert run.due == due
    assert core.probe.asked[0].as_of == due


async def test_a_check_in_time_says_nothing_of_lateness(core: Core) -> None:
    deployment = await watched(core)
    core.clock.later(seconds=59)
    await core.scheduler.settle()
    [run] = await runs(core, deployment)
    assert run.late_seconds == 0
    assert core.probe.asked[0].as_of == core.clock.now()


async def test_a_check_asked_again_asks_as_of_now(core: Core) -> None:
    core.probe.values["error_rate"] = None
    deployment = await watched(core)
    await core.scheduler.settle()
    core.clock.later(minutes=12)
    core.probe.values["error_rate"] = 0.001
    core.probe.asked.clear()
    await core.click(f"again:{deployment}:t30:0")
    [first, again] = await runs(core, deployment)
    assert (first.verdict, again.verdict) == (Verdict.INCONCLUSIVE, Verdict.HEALTHY)
    assert (again.again, again.late_seconds, again.due) == (True, 0, first.due)
    assert core.probe.asked[0].as_of == core.clock.now()


async def test_a_repeat_of_asking_again_asks_nobody(core: Core) -> None:
    core.probe.values["error_rate"] = None
    deployment = await watched(core)
    await core.scheduler.settle()
    first = await core.click(f"again:{deployment}:t30:0", key="same")
    core.probe.asked.clear()
    assert await core.click(f"again:{deployment}:t30:0", key="same") == first
    assert core.probe.asked == []
    assert len(await runs(core, deployment)) == 2


async def test_a_check_cannot_be_asked_again_once_it_is_rolled_back(core: Core) -> None:
    core.probe.values["error_rate"] = None
    deployment = await watched(core)
    await core.scheduler.settle()
    await core.submit(f"rollback:{deployment}", {"reason": "errors"})
    core.probe.asked.clear()
    answer = await core.click(f"again:{deployment}:t30:0")
    assert "being rolled back" in told(answer)
    assert core.probe.asked == []


# --- beside each other ----------------------------------------------------------------------------------------------


async def test_people_go_on_while_a_probe_hangs(core: Core) -> None:
    deployment = await watched(core)
    core.probe.waits = asyncio.Event()
    core.probe.begun.clear()
    working = asyncio.create_task(core.scheduler.settle())
    await core.probe.begun.wait()
    [task, *_] = (await core.views.bare(deployment)).plan.steps[0].tasks
    await core.submit(f"note:{deployment}:{task.id}", {"text": "looking"})
    assert "noted" in await core.kinds(deployment)
    assert not working.done()
    core.probe.waits.set()
    await working
    assert len(await runs(core, deployment)) == 1
    assert await core.status(deployment) == "succeeded"


async def test_work_that_always_fails_holds_nobody_up_and_does_not_run_hot(core: Core) -> None:
    broken = await watched(core)
    fine = await core.start("v2", "shop staging")
    core.clock.later(minutes=-30)
    await core.deploy(fine)
    core.clock.later(minutes=30)
    await core.sql("UPDATE events SET body = '{}' WHERE deployment = :id", id=broken)
    await core.scheduler.settle()
    assert len(await runs(core, fine)) == 1
    asked = len(core.probe.asked)
    for _ in range(3):
        await core.scheduler.settle()
    assert len(core.probe.asked) == asked
    assert await core.store.next_due() is not None


async def test_a_database_that_is_away_for_a_moment_does_not_cost_a_check_its_lease(core: Core) -> None:
    """On SQLite a table that is missing is as good as a server that is."""
    deployment = await watched(core)
    measure = core.probe.measure

    async def cut_off(name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        await core.sql("ALTER TABLE events RENAME TO away")
        return await measure(name, probe, asked)

    core.probe.measure = cut_off  # type: ignore[method-assign]
    await core.scheduler.settle()
    core.probe.measure = measure  # type: ignore[method-assign]
    assert await core.store.claim_due(core.clock.now(), "another", LEASE) == [], "it is held"
    await core.sql("ALTER TABLE away RENAME TO events")
    await core.scheduler.settle()
    assert len(await runs(core, deployment)) == 1
    assert await core.status(deployment) == "succeeded"


async def test_a_settle_in_the_middle_of_a_click_loses_neither(url: str, tmp_path: Path) -> None:
    async with open_core(url, a_folder(tmp_path / "checklists")) as core:
        deployment = await watched(core)
        [task, *_] = (await core.views.bare(deployment)).plan.steps[0].tasks
        await asyncio.gather(
            core.scheduler.settle(),
            *(core.submit(f"note:{deployment}:{task.id}", {"text": f"n{number}"}) for number in range(8)),
        )
        kinds = await core.kinds(deployment)
        assert kinds.count("noted") == 8
        assert kinds.count("check_ran") == 1


# --- ringing --------------------------------------------------------------------------------------------------------


async def test_ringing_does_what_is_due_at_once(core: Core) -> None:
    deployment = await watched(core)
    core.probe.begun.clear()
    core.scheduler.start()
    await core.probe.begun.wait()
    await core.scheduler.stop()
    assert len(await runs(core, deployment)) == 1


async def test_apscheduler_never_skips_a_ring_that_came_late(core: Core) -> None:
    core.scheduler.start()
    jobs = core.scheduler._ringer.get_jobs()
    assert {job.id for job in jobs} == {"due", "leases"}
    assert {(job.misfire_grace_time, job.coalesce, job.max_instances) for job in jobs} == {(None, True, 1)}
    await core.scheduler.stop()


async def test_a_storm_of_wakes_is_one_worker(core: Core) -> None:
    core.scheduler.start()
    before = len(asyncio.all_tasks())
    for _ in range(500):
        core.scheduler.wake()
    assert len(asyncio.all_tasks()) <= before + 1
    await core.scheduler.stop()


async def test_a_wake_in_the_middle_of_the_work_is_not_lost(core: Core) -> None:
    deployment = await watched(core)
    core.probe.waits = asyncio.Event()
    core.probe.begun.clear()
    core.scheduler.start()
    await core.probe.begun.wait()
    later = await core.start("v2", 'shop staging at "in 2h"')
    core.clock.later(hours=24)
    core.scheduler.wake()
    core.probe.waits.set()
    async with asyncio.timeout(10):
        while await core.store.claim_due(core.clock.now(), "nobody", timedelta(seconds=-1)):
            core.bell.clear()
            await core.bell.wait()
    await core.scheduler.stop()
    assert len(await runs(core, deployment)) == 2
    assert later


async def test_stopping_waits_for_the_work_that_has_begun_and_begins_no_more(core: Core) -> None:
    deployment = await watched(core)
    core.clock.later(hours=24)
    core.probe.waits = asyncio.Event()
    core.probe.begun.clear()
    core.scheduler.start()
    await core.probe.begun.wait()
    stopping = asyncio.create_task(core.scheduler.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    core.probe.waits.set()
    await stopping
    assert len(await runs(core, deployment)) == 1
    core.scheduler.wake()
    assert len(await runs(core, deployment)) == 1


async def test_a_process_that_does_not_ring_does_no_due_work(core: Core) -> None:
    deployment = await watched(core)
    core.scheduler.wake()
    await asyncio.sleep(0)
    await core.scheduler.stop()
    assert await runs(core, deployment) == []


# --- beside another release -------------------------------------------------------------------------------------------


async def test_due_work_of_a_kind_that_only_another_release_knows_is_left_to_it(core: Core) -> None:
    deployment = await watched(core)
    at = int(core.clock.now().timestamp() * 1_000_000) - 1
    for key in ("newer:x", "newer:y"):
        await core.sql("INSERT INTO deadlines (deployment, key, due) VALUES (:d, :k, :at)", d=deployment, k=key, at=at)
    with capture_logs() as logs:
        await core.scheduler.settle()
        await core.time_passes()
        await core.scheduler.settle()
    assert len(await runs(core, deployment)) == 1  # what this release knows is not held up
    await core.tick(deployment, "Watch")
    await core.time_passes()
    left = await core.store.claim_due(core.clock.now(), "newer", LEASE)
    assert [claimed.deadline.key for claimed in left] == ["newer:x"]
    assert [entry["kind"] for entry in logs if entry["event"] == "checks.unknown_kind"] == ["newer"]


def test_every_kind_of_due_work_that_the_rules_name_is_known() -> None:
    folder = Path(__file__).parent.parent / "bot" / "domain"
    named = {
        kind for file in folder.glob("*.py") for kind in re.findall(r'(?:due|found)\[f"(\w+):', file.read_text())
    } | {re.search(r'key = f"(\w+):', (folder / "course.py").read_text())[1]}  # type: ignore[index]
    assert {"go", "phase", "check", "breach", "remind", "call", "news"} <= named
    assert named <= DUE_KINDS
