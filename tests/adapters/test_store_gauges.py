"""What is counted of the database for whoever watches gonogo, on both databases, and at what price."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from adapters.store.gauges import Gauges
from adapters.store.store import SqlStore
from adapters.store.tables import metadata
from bot.meters import Figures
from tests.adapters.store_kit import (
    LEASE,
    NOON,
    a_message,
    advance,
    due,
    migrated_database,
    migrated_file,
    sqlite_url,
    start,
    store,
    url,
)

__all__ = ["migrated_database", "migrated_file", "sqlite_url", "store", "url"]

LATER = NOON + timedelta(minutes=10)
NOTHING = Figures({}, 0, 0, 0.0, {"web": 0}, {"web": 0})


async def test_each_figure_is_what_stands_there_now(store: SqlStore) -> None:
    gauges = Gauges(store)
    assert await gauges.read(LATER, ("web",)) == NOTHING
    for id in ("one", "two", "three", "over"):
        await start(store, id, live=id != "over", locked=id != "over", status="stable" if id == "over" else "running")
    await advance(store, "three", status="deployed")
    async with store.write() as unit:
        await unit.plan_deadlines("one", [due("check:a", 2), due("check:b", 4), due("check:c", 30)])
        await unit.plan_deadlines("two", [due("check:a", 1)])
        await unit.say([a_message("m1"), a_message("m2"), a_message("m3", chat="slack", deployment="one")])
    held = await store.claim_due(LATER, "p", LEASE, limit=1)
    assert [each.deadline.deployment for each in held] == ["two"]
    [mirror, *others] = await store.claim_mirrors("web", "p", LEASE, limit=10)
    await store.mirror_done(mirror)
    assert len(others) == 3
    assert await gauges.read(LATER, ("web", "discord")) == Figures(
        deployments={"running": 2, "deployed": 1},
        waiting=2,
        begun=1,
        lag=9 * 60.0,
        behind={"web": 3, "discord": 4},
        unsaid={"web": 2, "slack": 1, "discord": 0},
    )
    async with store.write() as unit:
        await unit.finish_deadline("two", "check:a", LATER)
    [posting, _] = await store.claim_outbox("web", "p", LEASE)
    await store.said(posting, "1", "#deployments", LATER)
    after = await gauges.read(LATER, ("web",))
    assert (after.waiting, after.begun, after.lag, after.unsaid["web"]) == (2, 0, 8 * 60.0, 1)


async def test_no_question_reads_through_a_whole_table(sqlite_url: str) -> None:
    asked: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        asked.append((statement, parameters))

    store = await SqlStore.open(sqlite_url)
    event.listen(Engine, "before_cursor_execute", note)
    try:
        await Gauges(store).read(LATER, ("web",))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
        await store.close()
    selects = [(statement, parameters) for statement, parameters in asked if statement.startswith("SELECT")]
    assert len(selects) == 4
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection:
        plans = [
            row[3]
            for statement, parameters in selects
            for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    whole = [plan for plan in plans if re.fullmatch(rf"SCAN ({'|'.join(metadata.tables)})", plan)]
    assert whole == [], plans
    assert any("ix_deadlines_open" in plan for plan in plans), plans
    assert any("ix_outbox_unsaid" in plan for plan in plans), plans
    assert any("ix_deployments_live" in plan for plan in plans), plans
