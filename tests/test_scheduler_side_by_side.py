"""Due work of different deployments is done at the same time, of one deployment in order: over a real store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import scheduler
from bot.domain.events import CheckRan, Measurement
from bot.ports import Asked, Deadline
from bot.scheduler import CROWD, LEASE, pause_before
from checklists.policy import ProbePolicy
from tests.adapters.store_kit import migrated_database, migrated_file, sqlite_url, url
from tests.core_kit import SHOP, SHOP_POLICY, Core, Numbers, a_folder, open_core

__all__ = ["migrated_database", "migrated_file", "sqlite_url", "url"]


class Counted(Numbers):
    """Counts how many ask at the same time. With `only`, it waits in that environment alone."""

    def __init__(self) -> None:
        super().__init__()
        self.only = ""
        self.now = self.most = 0
        self._free = Numbers()
        self._free.asked = self.asked

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """As the other one."""
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await (super() if self.only in ("", asked.environment) else self._free).measure(name, probe, asked)
        finally:
            self.now -= 1


@dataclass
class Watching(Core):
    """A core whose probe counts."""

    probe: Counted


@contextlib.asynccontextmanager
async def opened(url: str, folder: Path) -> AsyncIterator[Watching]:
    async with open_core(url, a_folder(folder / "checklists")) as core:
        known = {each.name: getattr(core, each.name) for each in fields(core)}
        yield Watching(**known | {"probe": Counted()})


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Watching]:
    async with opened(sqlite_url, tmp_path) as core:
        yield core


async def watched(core: Watching, *where: str) -> list[str]:
    """A deployment of the shop in each environment; the first check of all of them is due now."""
    found = [await core.start("v1.2.0", f"shop {environment}") for environment in where]
    for deployment in found:
        await core.deploy(deployment)
    await core.scheduler.settle()
    core.probe.asked.clear()
    core.probe.begun.clear()
    core.clock.later(minutes=30)
    return found


async def many(core: Watching, count: int) -> list[str]:
    """So many watched deployments, each of a service of its own."""
    found = []
    for number in range(count):
        (core.folder / f"shop{number}.md").write_text(SHOP)
        (core.folder / f"shop{number}.yaml").write_text(SHOP_POLICY.replace("service: shop", f"service: shop{number}"))
        found.append(await core.start("v1.2.0", f"shop{number}"))
        await core.deploy(found[-1])
    return found


async def runs(core: Watching, deployment: str) -> list[CheckRan]:
    async with core.store.read() as unit:
        return [fact for fact in await unit.events(deployment) if isinstance(fact, CheckRan)]


async def until_done(core: Watching, deployment: str, count: int = 1) -> list[CheckRan]:
    """So many checks of it have run."""
    async with asyncio.timeout(20):
        while len(found := await runs(core, deployment)) < count:
            core.bell.clear()
            await core.bell.wait()
    return found


async def soon(happened: Callable[[], bool]) -> None:
    """Wait for what tells nobody."""
    async with asyncio.timeout(20):
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


# --- a source that hangs --------------------------------------------------------------------------------------------


async def test_a_source_that_hangs_holds_up_only_its_own_deployment(url: str, tmp_path: Path) -> None:
    async with opened(url, tmp_path) as core:
        stuck, fine = await watched(core, "production", "staging")
        core.clock.later(hours=24)  # two checks are due for each
        core.probe.waits, core.probe.only = asyncio.Event(), "production"
        core.scheduler.start()
        await until_done(core, fine, 2)
        assert await runs(core, stuck) == []
        assert [asked.environment for asked in core.probe.asked].count("production") == 1, "one after the other"
        core.probe.waits.set()
        late = await until_done(core, stuck, 2)
        await core.scheduler.stop()
        assert [run.due for run in late] == sorted(run.due for run in late)


async def test_one_deployment_takes_one_place_however_much_is_due_for_it(
    core: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "AT_ONCE", 2)
    stuck, fine = await watched(core, "production", "staging")
    core.clock.later(hours=24)
    core.probe.waits, core.probe.only = asyncio.Event(), "production"
    core.scheduler.start()
    await until_done(core, fine, 2)
    core.probe.waits.set()
    await until_done(core, stuck, 2)
    await core.scheduler.stop()


async def test_only_so_many_have_a_place_at_once(core: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "AT_ONCE", 3)
    monkeypatch.setattr(scheduler, "ASIDE", 60.0)
    found = await many(core, 7)
    await core.scheduler.settle()
    core.probe.most, core.probe.waits = 0, asyncio.Event()
    core.clock.later(minutes=30)
    core.scheduler.start()
    await soon(lambda: core.probe.now == 3)
    core.scheduler.wake()
    core.probe.waits.set()
    for deployment in found:
        await until_done(core, deployment)
    await core.scheduler.stop()
    assert core.probe.most == 3


async def test_what_takes_long_stands_aside_for_the_others(core: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "AT_ONCE", 1)
    monkeypatch.setattr(scheduler, "ASIDE", 0.05)
    stuck, fine = await watched(core, "production", "staging")
    core.probe.waits, core.probe.only = asyncio.Event(), "production"
    core.scheduler.start()
    await until_done(core, fine)
    assert await runs(core, stuck) == []
    core.probe.waits.set()
    await core.scheduler.stop()
    assert len(await runs(core, stuck)) == 1


async def test_what_takes_long_keeps_its_lease(core: Watching) -> None:
    [deployment] = await watched(core, "production")
    core.probe.waits = asyncio.Event()
    core.scheduler.start()
    await core.probe.begun.wait()
    await core.time_passes()
    await core.scheduler._keep()
    assert await core.store.claim_due(core.clock.now(), "other", LEASE) == []
    core.probe.waits.set()
    await core.scheduler.stop()
    assert len(await runs(core, deployment)) == 1


async def test_a_settle_waits_for_what_is_under_way_and_then_goes_in_order_of_time(core: Watching) -> None:
    first, second = await watched(core, "production", "staging")
    core.probe.waits, core.probe.only = asyncio.Event(), "production"
    core.scheduler.start()
    await until_done(core, second)
    settling = asyncio.create_task(core.scheduler.settle())
    await asyncio.sleep(0)
    core.clock.later(hours=24)
    assert not settling.done()
    core.probe.waits.set()
    await settling
    await core.scheduler.stop()
    last = [(run.at, run.due) for each in (first, second) for run in (await runs(core, each))[1:]]
    assert len(last) == 2
    assert core.probe.now == 0


# --- a crowd --------------------------------------------------------------------------------------------------------


def look(deployment: str, kind: str = "breach") -> Deadline:
    return Deadline(deployment, f"{kind}:2026-11-24T15:00:00+00:00", datetime(2026, 11, 24, 15, tzinfo=UTC))


def test_what_a_document_names_is_never_put_off() -> None:
    named = ("check:t30:0", "phase:p5", "items:p5", "go:2026-11-24T15:00:00+00:00", "escalate:1", "chase:p9:x")
    assert {pause_before(Deadline("d1", key, look("").due), 1_000) for key in named} == {0.0}


def test_few_looks_begin_at_once() -> None:
    assert {pause_before(look(f"d{number}"), CROWD) for number in range(100)} == {0.0}


@pytest.mark.parametrize("kind", scheduler.LOOKS)
def test_the_looks_of_a_crowd_are_spread_over_ten_seconds_at_most(kind: str) -> None:
    pauses = [pause_before(look(f"{number:08x}", kind), 1_000) for number in range(1_000)]
    assert max(pauses) <= 10.0
    each_second = [sum(second <= pause < second + 1 for pause in pauses) for second in range(10)]
    assert min(each_second) > 60
    assert max(each_second) < 140


def test_a_deployment_is_put_off_by_the_same_time_every_minute() -> None:
    assert len({pause_before(look("3f2a91cc"), 100) for _ in range(5)}) == 1


async def test_a_look_that_was_put_off_is_given_back_at_the_stop(
    core: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "CROWD", 0)
    monkeypatch.setattr(scheduler, "PER_SECOND", 1e-6)
    [deployment] = await many(core, 1)
    await core.submit(f"rollback:{deployment}", {"reason": "errors"})
    await core.scheduler.settle()
    core.clock.later(minutes=1)
    before = len(core.probe.asked)
    core.scheduler.start()
    await soon(lambda: deployment in core.scheduler._begun)
    await core.scheduler.stop()
    assert len(core.probe.asked) == before
    [claimed] = await core.store.claim_due(core.clock.now(), "other", timedelta(minutes=1))
    assert claimed.deadline.key.startswith("recovery:")
