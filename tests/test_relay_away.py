"""What the relay had in hand when the database, the chat or the process went away: nothing stands still, or wrong."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.ports import StoreError
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.core_kit import Core, Fault, Killed, a_folder, open_core
from tests.test_relay import calm, once_each

__all__ = ["migrated_file", "sqlite_url"]


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(sqlite_url, a_folder(tmp_path / "checklists")) as core:
        yield core


@pytest.mark.parametrize("fault", ["stored", "killed after"])
async def test_an_edit_that_nobody_knows_of_is_undone_when_the_state_is_as_it_was_before(
    core: Core, fault: Fault
) -> None:
    deployment = await core.start()
    [task, *_] = (await core.views.bare(deployment)).plan.steps[0].tasks
    await core.click(f"tick:{deployment}:{task.id}")
    await calm(core)
    core.chat.faults = [fault]
    await core.click(f"untick:{deployment}:{task.id}")
    with contextlib.suppress(Killed):
        await core.relay.settle()
    await core.click(f"tick:{deployment}:{task.id}")
    await calm(core)
    [card] = await core.channel()
    assert card.card.text == (await core.say("status")).card.text  # type: ignore[union-attr]


@pytest.mark.parametrize("answers", [True, False])
async def test_a_database_that_is_away_when_a_card_was_drawn_costs_no_lease(core: Core, answers: bool) -> None:
    """On SQLite a table that is missing is as good as a server that is."""
    deployment = await core.start()
    await core.relay.settle()
    update = core.chat.update

    async def cut_off(*args: Any, **more: Any) -> None:
        await core.sql("ALTER TABLE mirrors RENAME TO away")
        core.chat.faults = [] if answers else ["lost"]
        await update(*args, **more)

    core.chat.update = cut_off  # type: ignore[method-assign]
    await core.tick(deployment, "Prepare")
    with pytest.raises(StoreError):
        await core.relay.settle()
    with pytest.raises(StoreError):
        await core.relay.settle()
    core.chat.update = update  # type: ignore[method-assign]
    await core.sql("ALTER TABLE away RENAME TO mirrors")
    await core.relay.settle()
    async with core.store.read() as unit:
        row = await unit.row(deployment)
    assert row is not None
    async with core.sandbox.engine.connect() as connection:
        found = (await connection.execute(text("SELECT shown, held_by FROM mirrors"))).one()
    assert tuple(found) == (row.revision, None)


@pytest.mark.parametrize("answers", [True, False])
async def test_a_database_that_is_away_when_something_was_said_costs_no_lease_and_doubles_nothing(
    core: Core, answers: bool
) -> None:
    await core.say("incident open checkout is down")
    post = core.chat.post

    async def cut_off(*args: Any, **more: Any) -> str:
        await core.sql("ALTER TABLE outbox RENAME TO away")
        core.chat.faults = [] if answers else ["stored"]
        return await post(*args, **more)

    core.chat.post = cut_off  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        await core.relay.settle()
    core.chat.post = post  # type: ignore[method-assign]
    await core.sql("ALTER TABLE away RENAME TO outbox")
    await calm(core)
    assert await once_each(core)
    async with core.sandbox.engine.connect() as connection:
        unsaid = (await connection.execute(text("SELECT key FROM outbox WHERE said_at IS NULL"))).all()
    assert unsaid == []
