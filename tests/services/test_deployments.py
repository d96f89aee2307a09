"""From the start to the record's end, over a real store: locks, who takes over, what is announced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.store_kit import migrated_database, migrated_file, sqlite_url, url
from tests.core_kit import HERE, Core, a_folder, open_core, told

__all__ = ["migrated_database", "migrated_file", "sqlite_url", "url"]


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(sqlite_url, a_folder(tmp_path / "checklists")) as core:
        yield core


@pytest.fixture
async def either(url: str, tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(url, a_folder(tmp_path / "checklists")) as core:
        yield core


async def said(core: Core, deployment: str) -> dict[str, str]:
    """What was announced: kind -> text."""
    async with core.store.read() as unit:
        facts = await unit.events(deployment)
    return {fact.announcement.value: fact.text for fact in facts if fact.kind == "announced"}


async def test_a_deployment_goes_from_its_start_to_stable(core: Core) -> None:
    deployment = await core.start()
    await core.succeed(deployment)
    core.clock.later(hours=24)
    await core.scheduler.settle()
    assert await core.status(deployment) == "stable"
    assert list(await said(core, deployment)) == ["started", "succeeded", "stable"]


async def test_the_changes_of_the_version_are_announced(core: Core) -> None:
    deployment = await core.start("v1.2.0")
    await core.succeed(deployment)
    assert "Faster checkout" in (await said(core, deployment))["succeeded"]
    assert "First" not in (await said(core, deployment))["succeeded"]


async def test_changes_that_are_not_known_are_left_out(core: Core) -> None:
    (core.folder / "CHANGELOG.md").unlink()
    deployment = await core.start("v1.2.0")
    await core.succeed(deployment)
    text = (await said(core, deployment))["succeeded"]
    assert "Faster checkout" not in text
    assert "Changes" not in text


async def test_the_text_is_of_the_checklist_it_started_with(core: Core) -> None:
    deployment = await core.start()
    (core.folder / "shop.md").write_text("# Another\n\n## Only\n- [ ] One\n")
    (core.folder / "shop.yaml").unlink()
    await core.succeed(deployment)
    assert await core.status(deployment) == "succeeded"


async def test_a_new_one_starts_while_the_old_is_watched_and_takes_over_when_it_is_deployed(core: Core) -> None:
    old = await core.start("v1")
    await core.succeed(old)
    new = await core.start("v2")
    assert (await core.views.bare(new)).state.started.previous_version == "v1"
    assert await core.status(old) == "succeeded"
    await core.deploy(new)
    assert (await core.status(old), await core.status(new)) == ("superseded", "deployed")


async def test_an_old_one_is_rolled_back_while_a_newer_one_runs(core: Core) -> None:
    old = await core.start("v1")
    await core.succeed(old)
    new = await core.start("v2")
    assert told(await core.submit(f"rollback:{old}", {"reason": "it leaks"})).startswith("shop v1")
    assert (await core.status(old), await core.status(new)) == ("rolling back", "running")
    await core.submit(f"rolledback:{old}", {"status": "fine"})
    await core.deploy(new)
    assert (await core.status(old), await core.status(new)) == ("rolled back", "deployed")


async def test_a_rollback_and_a_start_at_once_both_come_through(either: Core) -> None:
    old = await either.start("v1")
    await either.succeed(old)
    for number in range(4):
        rolled, started = await asyncio.gather(
            either.submit(f"rollback:{old}", {"reason": "it leaks"}), either.say(f"start v2.{number} shop")
        )
        taken = ("is already being deployed", "is being rolled back")
        assert told(started).startswith("Started") or any(words in told(started) for words in taken)
        assert "rolling back" in told(rolled).casefold() or "rolled back" in told(rolled).casefold()
    assert await either.status(old) == "rolling back"


async def test_a_rollback_is_announced_in_every_channel_its_policy_names(core: Core) -> None:
    deployment = await core.start()
    await core.submit(f"rollback:{deployment}", {"reason": "it leaks"})
    await core.relay.settle()
    assert len([text for text in await core.texts(HERE) if "it leaks" in text]) == 2  # the card, and what is said
    assert len(await core.texts("#incidents")) == 1


async def test_a_failing_check_is_announced_and_a_person_may_go_on_with_a_reason(core: Core) -> None:
    deployment = await core.start()
    await core.deploy(deployment)
    core.probe.values["error_rate"] = 0.2
    core.clock.later(minutes=30)
    await core.scheduler.settle()
    assert "issue" in await said(core, deployment)
    assert await core.status(deployment) == "deployed"
    assert "Please write" in told(await core.submit(f"accept:{deployment}:t30:0", {"reason": " "}))
    await core.submit(f"accept:{deployment}:t30:0", {"reason": "known and harmless"})
    await core.click(f"tick:{deployment}:{(await core.views.bare(deployment)).plan.steps[2].tasks[0].id}")
    assert await core.status(deployment) == "succeeded"


async def test_everything_of_a_move_is_saved_or_nothing(core: Core) -> None:
    deployment = await core.start()
    await core.deploy(deployment)
    before = await core.kinds(deployment)
    await core.sql("ALTER TABLE outbox RENAME TO elsewhere")
    with pytest.raises(Exception, match="table or column"):
        await core.submit(f"rollback:{deployment}", {"reason": "it leaks"})
    await core.sql("ALTER TABLE elsewhere RENAME TO outbox")
    assert await core.kinds(deployment) == before
    await core.submit(f"rollback:{deployment}", {"reason": "it leaks"})
    assert await core.status(deployment) == "rolling back"


async def test_a_version_that_is_none_is_refused(core: Core) -> None:
    for version in ("@everyone", "<!channel>", "-rf", "v" * 65):
        assert "is not a version" in told(await core.say(f"start {version} shop")), version
    assert await core.rows() == []


async def test_a_form_starts_like_a_command(core: Core) -> None:
    values = {"version": " v1 ", "service": "shop", "environment": "staging", "note": "with care"}
    assert told(await core.submit("start:", values)).startswith("Started shop v1 → staging")
    [row] = await core.rows()
    assert (await core.views.bare(row.id)).state.started.note == "with care"
