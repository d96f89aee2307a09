"""Many at once: tasks, Stores and processes on one database; and what is left when one of them dies."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adapters.store.store import SqlStore
from bot.ports import Conflict, LockHeld, Unit
from tests.adapters.store_kit import (
    LEASE,
    NOON,
    a_message,
    a_row,
    due,
    migrated_database,
    migrated_file,
    note,
    other,
    python,
    sqlite_url,
    start,
    store,
    tick,
    url,
)

pytestmark = pytest.mark.slow

__all__ = ["migrated_database", "migrated_file", "other", "python", "sqlite_url", "store", "url"]

MANY = 50


async def one_more(unit: Unit, text: str) -> None:
    """Read, decide, write: what a click does."""
    facts = await unit.events("one")
    await unit.append(a_row(revision=len(facts) + 1), len(facts), [note(text)])


async def notes(store: SqlStore) -> list[str]:
    async with store.read() as unit:
        return [event.text for event in await unit.events("one") if event.kind == "noted"]


async def outcomes(*attempts: Awaitable[Any]) -> Counter[str]:
    """How the attempts ended, all begun at once."""
    ended = await asyncio.gather(*attempts, return_exceptions=True)
    return Counter(type(each).__name__ if isinstance(each, BaseException) else "done" for each in ended)


async def test_changes_at_once_wait_for_each_other_and_none_is_lost(store: SqlStore, other: SqlStore) -> None:
    async def click(number: int) -> None:
        async with (store, other)[number % 2].write() as unit:
            await one_more(unit, str(number))

    await start(store)
    await asyncio.gather(*map(click, range(MANY)))
    assert sorted(await notes(store), key=int) == [str(number) for number in range(MANY)]


async def test_whoever_decided_on_an_older_state_is_told_and_nothing_is_lost(store: SqlStore, other: SqlStore) -> None:
    conflicts = 0

    async def click(number: int) -> None:
        nonlocal conflicts
        mine = (store, other)[number % 2]
        while True:
            async with mine.read() as unit:
                known = len(await unit.events("one"))
            try:
                async with mine.write() as unit:
                    await unit.append(a_row(revision=known + 1), known, [note(str(number))])
                return
            except Conflict:
                conflicts += 1

    await start(store)
    await asyncio.gather(*map(click, range(12)))
    assert conflicts
    assert sorted(await notes(store), key=int) == [str(number) for number in range(12)]


async def test_of_many_starts_at_once_one_gets_the_lock(store: SqlStore, other: SqlStore) -> None:
    starts = [
        start((store, other)[number % 2], f"start {number}", service="api", environment="production")
        for number in range(12)
    ]
    assert await outcomes(*starts) == {"done": 1, LockHeld.__name__: 11}
    async with store.read() as unit:
        assert len(await unit.rows()) == 1


async def test_a_delivery_repeated_at_once_counts_once(store: SqlStore, other: SqlStore) -> None:
    async def click(mine: SqlStore) -> None:
        async with mine.write() as unit:
            if await unit.delivered("click") is None:
                await one_more(unit, "clicked")
                await unit.remember_delivery("click", "done", NOON)

    await start(store)
    await asyncio.gather(*(click(mine) for mine in (store, other) * 6), return_exceptions=True)
    assert await notes(store) == ["clicked"]


async def test_what_is_claimed_at_once_goes_to_one_of_them(store: SqlStore, other: SqlStore) -> None:
    for number in range(6):
        await start(store, f"{number}")
        async with store.write() as unit:
            await unit.plan_deadlines(f"{number}", [due("check", deployment=f"{number}")])
            await unit.say([a_message(f"{number}")])

    both = (store, other) * 3
    dues = await asyncio.gather(*(mine.claim_due(NOON, "me", LEASE, limit=2) for mine in both))
    said = await asyncio.gather(*(mine.claim_outbox("web", "me", LEASE, limit=2) for mine in both))
    shown = await asyncio.gather(*(mine.claim_mirrors("web", "me", LEASE, limit=2) for mine in both))
    everything = [f"{number}" for number in range(6)]
    assert sorted(each.deadline.deployment for claimed in dues for each in claimed) == everything
    assert sorted(each.message.key for claimed in said for each in claimed) == everything
    assert sorted(each.deployment for claimed in shown for each in claimed) == everything


async def test_reading_waits_for_no_writer(store: SqlStore, other: SqlStore) -> None:
    await start(store)
    async with store.write() as unit, asyncio.timeout(2):
        await one_more(unit, "not yet")
        for mine in (store, other):
            assert await notes(mine) == []
            assert await mine.next_due() is None
    assert await notes(store) == ["not yet"]


async def test_whoever_is_cancelled_leaves_nothing_behind(store: SqlStore) -> None:
    async def click(number: int) -> None:
        async with store.write() as unit:
            await one_more(unit, str(number))

    await start(store)
    for steps in range(40):
        cancelled = [asyncio.create_task(click(number)) for number in range(3)]
        for _ in range(steps):
            await asyncio.sleep(0)
        for each in cancelled:
            each.cancel()
        await asyncio.gather(*cancelled, return_exceptions=True)
    async with asyncio.timeout(2):
        await click(99)
    async with store.read() as unit:
        row, facts = await unit.row("one"), await unit.events("one")
    assert row is not None
    assert row.revision == len(facts)
    assert (await notes(store))[-1] == "99"


CLICKS = """
import asyncio, sys
from adapters.store.store import SqlStore
from tests.adapters.test_store_races import one_more

async def main(url, name):
    store = await SqlStore.open(url)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(25):
        async with store.write() as unit:
            await one_more(unit, f"{name}{number}")
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_two_processes_write_to_one_database(store: SqlStore, url: str, python: Callable[..., Any]) -> None:
    await start(store)
    both = [await python(CLICKS, url, name) for name in "ab"]
    for each in both:
        assert await each.stdout.readline() == b"ready\n"
    for each in both:
        each.stdin.write(b"go\n")
    assert [await each.wait() for each in both] == [0, 0]
    assert sorted(await notes(store)) == sorted(f"{name}{number}" for name in "ab" for number in range(25))


DIES = """
import asyncio, sys
from adapters.store.store import SqlStore
from tests.adapters.store_kit import NOON, a_message, a_row, due, note, tick

async def main(url):
    store = await SqlStore.open(url)
    async with store.write() as unit:
        await unit.append(a_row(revision=2), 1, [note("never")])
        await unit.append(a_row("two"), 0, [tick()])
        await unit.plan_deadlines("one", [due("check")])
        await unit.say([a_message("m", deployment="one")])
        await unit.remember_delivery("click", "done", NOON)
        print("in the middle", flush=True)
        sys.stdin.readline()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_process_killed_in_the_middle_leaves_nothing(
    store: SqlStore, url: str, python: Callable[..., Any]
) -> None:
    await start(store)
    victim = await python(DIES, url)
    assert await victim.stdout.readline() == b"in the middle\n"
    victim.kill()
    await victim.wait()
    async with store.read() as unit:
        assert await unit.events("one") == [tick()]
        assert await unit.rows() == [a_row()]
        assert await unit.delivered("click") is None
    assert await store.next_due() is None
    assert await store.claim_outbox("web", "me", LEASE) == []
    async with store.write() as unit:
        await one_more(unit, "life goes on")
    assert await notes(store) == ["life goes on"]


ACKS = """
import asyncio, sys
from adapters.store.store import SqlStore
from tests.adapters.test_store_races import one_more

async def main(url):
    store = await SqlStore.open(url)
    for number in range(10_000):
        async with store.write() as unit:
            await one_more(unit, str(number))
        print(number, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("acks", [1, 20])
async def test_what_was_acked_survives_a_kill(store: SqlStore, url: str, python: Callable[..., Any], acks: int) -> None:
    await start(store)
    victim = await python(ACKS, url)
    for _ in range(acks):
        acked = int(await victim.stdout.readline())
    victim.kill()
    unread = (await victim.stdout.read()).split()
    acked = int(unread[-1]) if unread else acked
    kept = await notes(store)
    assert kept[: acked + 1] == [str(number) for number in range(acked + 1)]
    async with store.read() as unit:
        row = await unit.row("one")
        assert row is not None
        assert row.revision == len(kept) + 1
