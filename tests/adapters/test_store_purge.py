"""What is forgotten after a time, and what never is, on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from adapters.store.purge import Purge
from adapters.store.store import SqlStore
from bot.domain.events import FreezeAdded, TurnedAway
from bot.domain.facts import Decision
from tests.adapters.store_kit import ANN, NOON, migrated_database, migrated_file, sqlite_url, store, url

__all__ = ["migrated_database", "migrated_file", "sqlite_url", "store", "url"]

DAY = timedelta(days=1)


def denial(id: str, at: datetime) -> TurnedAway:
    return TurnedAway(
        at=at, by=ANN, id=id, service="shop", environment="production", version="v1", why="closed",
        gate=Decision(asked=at, open=False),
    )  # fmt: skip


def freeze(id: str, at: datetime) -> FreezeAdded:
    return FreezeAdded(at=at, by=ANN, id=id, service=None, start=at, end=at + DAY, words="", reason="x")


@pytest.mark.parametrize("at_once", [1, 2, 3, 10])
async def test_old_deliveries_are_forgotten_in_batches_and_younger_ones_known(store: SqlStore, at_once: int) -> None:
    async with store.write() as unit:
        for day in range(7):
            await unit.remember_delivery(f"day {day}", "answer", NOON + day * DAY)
    purge = Purge(store, at_once=at_once)
    assert await purge.deliveries(NOON + 3 * DAY) == 3
    assert await purge.deliveries(NOON + 3 * DAY) == 0
    async with store.read() as unit:
        known = [day for day in range(7) if await unit.delivered(f"day {day}") is not None]
    assert known == [3, 4, 5, 6]


@pytest.mark.parametrize("at_once", [1, 2, 3, 10])
async def test_old_denials_are_forgotten_and_no_other_fact_ever(store: SqlStore, at_once: int) -> None:
    async with store.write() as unit:
        for day in range(5):
            await unit.append_calendar([denial(f"n{day}", NOON + day * DAY), freeze(f"f{day}", NOON + day * DAY)])
    purge = Purge(store, at_once=at_once)
    assert await purge.denials(NOON + 3 * DAY) == 3
    assert await purge.denials(NOON + 3 * DAY) == 0
    async with store.read() as unit:
        assert [fact.id for fact in await unit.denials() if isinstance(fact, TurnedAway)] == ["n3", "n4"]
        assert [fact.id for fact in await unit.calendar() if isinstance(fact, FreezeAdded)] == [
            f"f{day}" for day in range(5)
        ]


async def test_one_time_forgets_no_more_than_its_rounds(store: SqlStore) -> None:
    async with store.write() as unit:
        for number in range(9):
            await unit.remember_delivery(f"d{number}", "answer", NOON)
    purge = Purge(store, at_once=2, rounds=3)
    assert [await purge.deliveries(NOON + DAY) for _ in range(3)] == [6, 3, 0]
