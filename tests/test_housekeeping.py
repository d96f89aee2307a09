"""What is old is forgotten once a day, by one process at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from adapters.store.purge import Purge
from adapters.store.store import SqlStore
from bot.housekeeping import Housekeeping
from bot.ports import Store
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.core_kit import Core, a_folder, open_core, told

__all__ = ["migrated_file", "sqlite_url"]


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(sqlite_url, a_folder(tmp_path / "checklists")) as core:
        yield core


def housekeeping(core: Core, owner: str) -> Housekeeping:
    return Housekeeping(core.store, core.clock, Purge(core.store), owner=owner)


async def kept(core: Core, store: Store) -> tuple[bool, int]:
    """Whether the delivery of the first start is known, and how many denials are."""
    async with store.read() as unit:
        return await unit.delivered("first") is not None, len(await unit.denials())


async def test_a_repeat_is_known_for_thirty_days_and_a_denial_for_a_year(core: Core) -> None:
    await core.say("start v1.2.0 shop", key="first")
    assert (await core.say("start v1.3.0 shop")).refused
    keeper = housekeeping(core, "one")
    for days, left in ((29, (True, 1)), (2, (False, 1)), (334, (False, 1)), (2, (False, 0))):
        core.clock.later(days=days)
        assert await keeper.tidy()
        assert await kept(core, core.store) == left, core.clock.now()
    assert "v1.2.0" in told(await core.say("why shop")), "the facts of a deployment are kept for ever"


class Slow(Purge):
    """Takes as long as it is let."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__(store)
        self.begun, self.let = asyncio.Event(), asyncio.Event()

    async def denials(self, before: datetime) -> int:
        self.begun.set()
        await self.let.wait()
        return await super().denials(before)


async def test_of_two_processes_one_is_at_it(core: Core) -> None:
    slow, other = Slow(core.store), housekeeping(core, "two")
    first = asyncio.create_task(Housekeeping(core.store, core.clock, slow, owner="one").tidy())
    await slow.begun.wait()
    assert not await other.tidy()
    slow.let.set()
    assert await first
    assert await other.tidy(), "and nothing is held afterwards"


class Watched(Purge):
    """Says when it has forgotten everything."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__(store)
        self.done = asyncio.Event()

    async def denials(self, before: datetime) -> int:
        found = await super().denials(before)
        self.done.set()
        return found


async def test_it_begins_with_the_process_and_ends_with_it(core: Core) -> None:
    await core.say("start v1.2.0 shop", key="first")
    core.clock.later(days=31)
    purge = Watched(core.store)
    running = asyncio.create_task(Housekeeping(core.store, core.clock, purge, owner="one").run())
    await asyncio.wait_for(purge.done.wait(), 10)
    assert await kept(core, core.store) == (False, 0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
