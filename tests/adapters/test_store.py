"""The Unit, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from adapters.store.store import SqlStore
from bot.domain.events import CalendarEvent, Decision, Event, FreezeAdded, FreezeRemoved, TurnedAway
from bot.ports import Conflict, FrozenChecklist, LockHeld, Store, StoreError, Unit
from tests.adapters.store_kit import (
    ANN,
    NOON,
    a_message,
    a_row,
    advance,
    due,
    migrated_database,
    migrated_file,
    note,
    other,
    sqlite_url,
    start,
    store,
    tick,
    url,
)

__all__ = ["migrated_database", "migrated_file", "other", "sqlite_url", "store", "url"]

FROZEN = FrozenChecklist("d1", "azora", b"# Azora\n- [ ] pods running \xff\x00\n", "timezone: UTC\n")
FREEZE = FreezeAdded(at=NOON, by=ANN, id="f1", words="until friday", start=NOON, end=NOON, reason="Diwali")
ids = map("made-{}".format, itertools.count())


# --- all or nothing ---------------------------------------------------------------------------------------------------


async def test_it_is_a_store(store: SqlStore) -> None:
    promised: Store = store
    async with promised.read() as unit:
        assert await unit.rows() == []


async def test_a_unit_is_seen_by_others_only_when_it_has_ended(store: SqlStore, other: SqlStore) -> None:
    async with store.write() as unit:
        await unit.append(a_row(), 0, [tick()])
        async with other.read() as elsewhere:
            assert await elsewhere.row("one") is None
            assert await elsewhere.events("one") == []
    async with other.read() as elsewhere:
        assert await elsewhere.row("one") == a_row()
        assert await elsewhere.events("one") == [tick()]


async def test_a_reading_unit_sees_one_moment_even_while_others_write(store: SqlStore, other: SqlStore) -> None:
    await start(store)
    async with other.read() as reading:
        before = await reading.events("one")
        await advance(store)
        assert await reading.events("one") == before
        assert await reading.row("one") == a_row()


async def test_an_exception_undoes_the_whole_unit(store: SqlStore) -> None:
    async def stopped() -> None:
        async with store.write() as unit:
            await unit.append(a_row(), 0, [tick()])
            await unit.say([a_message("m1", deployment="one")])
            await unit.plan_deadlines("one", [due("check")])
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        await stopped()
    async with store.read() as unit:
        assert await unit.row("one") is None
    assert await store.next_due() is None


async def test_a_conflict_undoes_the_whole_unit_even_if_it_is_swallowed(store: SqlStore) -> None:
    await start(store)

    async def careless() -> None:
        async with store.write() as unit:
            await unit.remember_delivery("click", "done", NOON)
            await unit.append(a_row(revision=2), 1, [tick()])
            with contextlib.suppress(Conflict):
                await unit.append(a_row(revision=2), 1, [tick()])

    with pytest.raises(Conflict):
        await careless()
    async with store.read() as unit:
        assert await unit.delivered("click") is None
        assert await unit.events("one") == [tick()]


@pytest.mark.parametrize(
    "write",
    [
        lambda unit: unit.append(a_row(), 0, [tick()]),
        lambda unit: unit.remember_delivery("click", "done", NOON),
        lambda unit: unit.keep_checklist(FROZEN),
        lambda unit: unit.plan_deadlines("one", [due("check")]),
        lambda unit: unit.finish_deadline("one", "check", NOON),
        lambda unit: unit.say([a_message("m1")]),
        lambda unit: unit.append_calendar([FREEZE]),
    ],
)
async def test_a_reading_unit_refuses_to_write(store: SqlStore, write: Callable[[Unit], Awaitable[None]]) -> None:
    async with store.read() as unit:
        with pytest.raises(StoreError, match="only reads"):
            await write(unit)


# --- facts ------------------------------------------------------------------------------------------------------------


async def test_facts_are_added_in_order_and_the_row_is_replaced(store: SqlStore) -> None:
    await start(store)
    changed = a_row(revision=4, status="deployed", version="v2", deployed_at=NOON, ended_at=NOON, locked=False)
    async with store.write() as unit:
        await unit.append(changed, 1, [tick("b"), tick("c"), tick("d")])
        assert [event.item for event in await unit.events("one") if event.kind == "ticked"] == [
            "smoke tests", "b", "c", "d",
        ]  # fmt: skip
    async with store.read() as unit:
        assert await unit.row("one") == changed


@pytest.mark.parametrize("after", [0, 1, 3, 7], ids="after {}".format)
async def test_adding_after_any_other_revision_than_the_present_is_a_conflict(store: SqlStore, after: int) -> None:
    async with store.write() as unit:
        await unit.append(a_row(revision=2), 0, [tick(), tick()])
    with pytest.raises(Conflict):
        async with store.write() as unit:
            await unit.append(a_row(revision=after + 1, locked=False), after, [tick()])
    async with store.read() as unit:
        assert len(await unit.events("one")) == 2


async def test_a_first_fact_cannot_come_second(store: SqlStore) -> None:
    with pytest.raises(Conflict):
        async with store.write() as unit:
            await unit.append(a_row(revision=6), 5, [tick()])


async def test_a_revision_that_is_not_the_number_of_facts_is_refused(store: SqlStore) -> None:
    with pytest.raises(ValueError, match="revision 3"):
        async with store.write() as unit:
            await unit.append(a_row(revision=3), 0, [tick()])


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    """Anything a field of this type can hold. Text has no lone surrogates: no chat can send one."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return of_type(inner[0])
    if origin in (Union, UnionType):
        return st.one_of([of_type(each) for each in inner])
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is tuple and Ellipsis not in inner:
        return st.tuples(*(of_type(each) for each in inner))
    if origin is tuple:
        return st.lists(of_type(inner[0]), max_size=3).map(tuple)
    if origin is frozenset:
        return st.frozensets(of_type(inner[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(of_type(inner[0]), of_type(inner[1]), max_size=3)
    if issubclass(kind, BaseModel):
        return st.builds(kind, **{name: of_type(field.annotation) for name, field in kind.model_fields.items()})
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    simple: dict[type, st.SearchStrategy[Any]] = {
        datetime: st.datetimes(timezones=st.just(UTC)),
        str: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        float: st.floats(allow_nan=False),
        int: st.integers(-(2**63), 2**63 - 1),
        bool: st.booleans(),
        NoneType: st.none(),
    }
    return simple[kind]


# One new deployment for each example, so that examples never meet.
anything = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.mark.parametrize("kind", get_args(get_args(Event)[0]), ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(anything, max_examples=6)
async def test_every_kind_of_fact_comes_back_exactly(store: SqlStore, kind: type, data: st.DataObject) -> None:
    event, id = data.draw(of_type(kind)), next(ids)
    async with store.write() as unit:
        await unit.append(a_row(id), 0, [event])
        assert await unit.events(id) == [event]


@given(events=st.lists(of_type(Event), min_size=1, max_size=8))
@example(events=[note("NUL \0, quotes \"'\\, 🚀, \u2028")])
@anything
async def test_facts_together_come_back_exactly_and_in_order(store: SqlStore, events: list[Event]) -> None:
    id = next(ids)
    async with store.write() as unit:
        await unit.append(a_row(id, len(events)), 0, events)
    async with store.read() as unit:
        assert await unit.events(id) == events


@given(events=st.lists(of_type(CalendarEvent), min_size=1, max_size=5))
@settings(anything, max_examples=15)
async def test_the_calendar_comes_back_exactly_and_in_order(store: SqlStore, events: list[CalendarEvent]) -> None:
    async with store.read() as unit:
        before, denied_before = await unit.calendar(), await unit.denials()
    async with store.write() as unit:
        await unit.append_calendar(events)
    denied = [event for event in events if isinstance(event, TurnedAway)]
    async with store.read() as unit:
        assert await unit.calendar() == before + [event for event in events if event not in denied]
        assert await unit.denials() == denied_before + denied


async def test_the_calendar_remembers_what_was_removed(store: SqlStore) -> None:
    removed = FreezeRemoved(at=NOON, by=ANN, id="f1", reason="over")
    async with store.write() as unit:
        await unit.append_calendar([FREEZE])
        await unit.append_calendar([])
        await unit.append_calendar([removed])
    async with store.read() as unit:
        assert await unit.calendar() == [FREEZE, removed]


async def test_of_the_starts_turned_away_the_newest_are_told_and_the_calendar_is_without_them(store: SqlStore) -> None:
    denial = TurnedAway(
        at=NOON, by=ANN, id="t", service="shop", environment="production", version="v1", why="no",
        gate=Decision(asked=NOON, open=False),
    )  # fmt: skip
    denials = [denial.model_copy(update={"id": f"t{number}"}) for number in range(5)]
    async with store.write() as unit:
        await unit.append_calendar([*denials[:3], FREEZE, *denials[3:]])
    async with store.read() as unit:
        assert await unit.calendar() == [FREEZE]
        assert await unit.denials(2) == denials[3:]


async def test_letters_that_are_none_are_refused_and_nothing_is_kept(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="characters"):
        async with store.write() as unit:
            await unit.append(a_row(), 0, [note("\ud800")])
    async with store.read() as unit:
        assert await unit.row("one") is None


async def test_instants_are_kept_to_the_microsecond_and_come_back_as_utc(store: SqlStore) -> None:
    there = datetime(2026, 10, 25, 2, 30, 0, 999999, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    await start(store, started_at=there, deployed_at=datetime.max.replace(tzinfo=UTC))
    async with store.read() as unit:
        row = await unit.row("one")
    assert row is not None
    assert row.started_at == there
    assert row.started_at.tzinfo is UTC
    assert row.deployed_at == datetime.max.replace(tzinfo=UTC)


async def test_an_instant_without_a_zone_is_refused(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="no time zone"):
        await start(store, started_at=datetime(2026, 3, 3))  # noqa: DTZ001


# --- locks, rows, deliveries, checklists ------------------------------------------------------------------------------

PLACE = {"service": "api", "environment": "production"}


async def test_a_second_deployment_of_the_same_service_and_environment_finds_the_lock_held(store: SqlStore) -> None:
    await start(store, "one", **PLACE)
    with pytest.raises(LockHeld):
        await start(store, "two", **PLACE)
    await start(store, "elsewhere", service="api", environment="staging")
    await start(store, "another", service="web", environment="production")
    async with store.read() as unit:
        assert await unit.lock_holder("api", "production") == a_row("one", **PLACE)
        assert await unit.lock_holder("api", "moon") is None


async def test_whoever_gives_up_the_lock_lets_the_next_one_in(store: SqlStore) -> None:
    await start(store, "one", **PLACE)
    await advance(store, "one", **PLACE, locked=False)
    await start(store, "two", **PLACE)
    with pytest.raises(LockHeld):
        await advance(store, "one", **PLACE, locked=True)
    async with store.read() as unit:
        assert await unit.lock_holder("api", "production") == a_row("two", **PLACE)


async def test_a_deployment_keeps_its_own_lock(store: SqlStore) -> None:
    await start(store, "one", **PLACE)
    await advance(store, "one", **PLACE)
    async with store.write() as unit:
        await unit.append(a_row("one", 3, **PLACE, locked=False), 2, [tick()])
        await unit.append(a_row("two", 1, **PLACE), 0, [tick()])


async def test_who_is_rolled_back_holds_a_service_that_nobody_else_holds(store: SqlStore) -> None:
    here = {"service": "shop", "started_at": NOON}
    await start(store, "first", status="rolling back", locked=False, **here)
    await start(store, "second", **here)
    async with store.read() as unit:
        assert (await unit.lock_holder("shop", "production") or a_row("none")).id == "second"
        assert await unit.lock_holder("shop", "staging") is None
    await advance(store, "second", status="cancelled", locked=False, live=False, **here)
    async with store.read() as unit:
        assert (await unit.lock_holder("shop", "production") or a_row("none")).id == "first"
    await advance(store, "first", status="rolled back", locked=False, live=False, **here)
    async with store.read() as unit:
        assert await unit.lock_holder("shop", "production") is None


async def test_rows_come_newest_first_and_can_be_narrowed(store: SqlStore) -> None:
    for number, id in enumerate("abcd"):
        place = {"service": "api" if number % 2 else "web", "environment": "staging" if number > 1 else "production"}
        await start(store, id, **place, live=number != 3, started_at=NOON + timedelta(minutes=number))
    async with store.read() as unit:
        assert [row.id for row in await unit.rows()] == ["d", "c", "b", "a"]
        assert [row.id for row in await unit.rows(limit=2)] == ["d", "c"]
        assert [row.id for row in await unit.rows(service="api")] == ["d", "b"]
        assert [row.id for row in await unit.rows(environment="production")] == ["b", "a"]
        assert [row.id for row in await unit.rows(service="api", live=True)] == ["b"]
        assert [row.id for row in await unit.rows(live=False)] == ["d"]


async def test_a_delivery_is_remembered_with_its_answer(store: SqlStore) -> None:
    async with store.write() as unit:
        assert await unit.delivered("click") is None
        await unit.remember_delivery("click", "ticked ✅", NOON)
    async with store.read() as unit:
        assert await unit.delivered("click") == "ticked ✅"
    with pytest.raises(Conflict):
        async with store.write() as unit:
            await unit.remember_delivery("click", "something else", NOON)
    async with store.read() as unit:
        assert await unit.delivered("click") == "ticked ✅"


async def test_the_texts_of_a_checklist_are_kept_letter_for_letter(store: SqlStore) -> None:
    async with store.write() as unit:
        await unit.keep_checklist(FROZEN)
        await unit.keep_checklist(replace(FROZEN, name="another name"))
        await unit.keep_checklist(replace(FROZEN, digest="d2", policy=None))
    async with store.read() as unit:
        assert await unit.checklist("d1") == FROZEN
        assert await unit.checklist("d2") == replace(FROZEN, digest="d2", policy=None)
        with pytest.raises(StoreError, match="d3"):
            await unit.checklist("d3")


async def test_inside_a_unit_the_order_does_not_matter(store: SqlStore) -> None:
    async with store.write() as unit:
        await unit.say([a_message("m1", deployment="one")])
        await unit.plan_deadlines("one", [due("check")])
        await unit.append(a_row(), 0, [tick()])
    assert await store.next_due() == NOON


async def test_nothing_can_be_planned_for_a_deployment_that_does_not_exist(store: SqlStore) -> None:
    with pytest.raises(StoreError):
        async with store.write() as unit:
            await unit.plan_deadlines("nobody", [due("check", deployment="nobody")])
    assert await store.next_due() is None
