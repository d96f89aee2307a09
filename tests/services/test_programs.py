"""The desk of programs on both databases: what is asked many times at once happens once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.access import ApiToken
from bot.desk import Denied, Desk, Order, Target
from bot.domain.pipeline import Report
from bot.services.pipeline import Pipeline
from bot.services.programs import Programs
from bot.services.records import Records
from bot.services.tokens import Tokens
from tests.adapters.store_kit import NOON, migrated_database, migrated_file, sqlite_url, url
from tests.core_kit import Core, a_folder, open_core

__all__ = ["migrated_database", "migrated_file", "sqlite_url", "url"]

CI = ApiToken("t1", "shop", "ci", "a" * 64, NOON)
ORDER = Order("shop", "v1.2.0", "production")


def desk(core: Core) -> Desk:
    records = Records(("web",))
    pipeline = Pipeline(core.store, core.clock, core.gate, records, repository=None, changed=core.changed)
    tokens = Tokens(core.store, core.clock)
    return Programs(core.store, core.clock, core.gate, core.checklists, core.deployments, pipeline, tokens)


@pytest.fixture
async def two(url: str, tmp_path: Path) -> AsyncIterator[tuple[Core, Core]]:
    """Two processes over one database."""
    async with contextlib.AsyncExitStack() as stack:
        core = await stack.enter_async_context(open_core(url, a_folder(tmp_path / "checklists")))
        yield core, await stack.enter_async_context(core.second())


async def test_of_many_starts_in_two_processes_one_begins_and_all_are_told_of_it(two: tuple[Core, Core]) -> None:
    replies = await asyncio.gather(*(desk(two[number % 2]).start(CI, ORDER, key=f"k{number}") for number in range(6)))
    assert [reply.created for reply in replies].count(True) == 1
    assert {reply.deployment.id for reply in replies} == {row.id for row in await two[0].rows()}
    assert len(await two[0].rows()) == 1


async def test_one_key_in_two_processes_is_one_order(two: tuple[Core, Core]) -> None:
    replies = await asyncio.gather(*(desk(core).start(CI, ORDER, key="k") for core in two for _ in range(2)))
    assert len({reply.deployment.id for reply in replies}) == 1
    assert len(await two[0].rows()) == 1
    again = await desk(two[1]).start(CI, ORDER, key="k")
    assert (again.deployment.id, again.created) == (replies[0].deployment.id, False)


async def test_an_order_that_was_cut_short_after_its_start_is_answered_with_that_start(two: tuple[Core, Core]) -> None:
    """The process ends between the start and the note of what was answered; the pipeline asks again."""
    first = await desk(two[0]).start(CI, ORDER, key="k")
    await two[0].sql("DELETE FROM deliveries WHERE key LIKE 'api%' AND key NOT LIKE '%answer'")
    again = await desk(two[1]).start(CI, ORDER, key="k")
    assert again.deployment.id == first.deployment.id
    assert len(await two[0].rows()) == 1


async def test_one_key_with_two_orders_at_once_is_one_order_and_the_other_is_refused(two: tuple[Core, Core]) -> None:
    orders = [Order("shop", version, "production") for version in ("v1", "v2")]
    for order in orders:  # both have been there before
        await two[0].submit(f"cancel:{await two[0].start(order.version)}", {"reason": "not today"})
    replies = await asyncio.gather(
        *(desk(core).start(CI, order, key="k") for core, order in zip(two, orders, strict=True)), return_exceptions=True
    )
    (denied,) = [reply for reply in replies if isinstance(reply, BaseException)]
    assert isinstance(denied, Denied)
    assert (denied.code, denied.field) == ("key_reused", "Idempotency-Key")
    assert len(await two[0].rows()) == 3


async def test_of_two_of_one_version_the_live_one_is_answered(two: tuple[Core, Core]) -> None:
    core = two[0]
    first = await core.start()
    await core.succeed(first)
    core.clock.later(minutes=1)
    second = await core.start()
    await core.submit(f"cancel:{second}", {"reason": "it runs already"})
    reply = await desk(core).start(CI, ORDER, key="k")
    assert (reply.deployment.id, reply.deployment.status, reply.created) == (first, "succeeded", False)


async def test_what_was_never_an_id_is_an_unknown_deployment(two: tuple[Core, Core]) -> None:
    await desk(two[0]).start(CI, ORDER, key="k")
    for id in ("\0", " ", "x\udc80", "d1'--", "%", "/", "nothing", "x" * 10_000):
        with pytest.raises(Denied) as denied:
            await desk(two[0]).standing(CI, id)
        assert denied.value.code == "unknown_deployment", id
        with pytest.raises(Denied) as denied:
            await desk(two[0]).report(CI, Target(deployment=id), Report("failed"), key="k")
        assert denied.value.code == "unknown_deployment", id
