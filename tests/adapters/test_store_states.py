"""What the facts add up to is the same, however much of it was remembered."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from adapters.store.codec import dump_event
from adapters.store.states import REMEMBERED, States
from adapters.store.store import SqlStore
from adapters.store.tables import deployments, events
from bot.domain.deployment import replay
from bot.domain.events import Event, Started
from tests.adapters.store_kit import (
    ANN,
    NOON,
    a_row,
    migrated_database,
    migrated_file,
    note,
    other,
    sqlite_url,
    store,
    tick,
    url,
)

__all__ = ["migrated_database", "migrated_file", "other", "sqlite_url", "store", "url"]


def started(id: str = "one") -> Started:
    """The first fact of a deployment."""
    return Started(
        at=NOON, by=ANN, id=id, version="v1", service="azora", environment="production", checklist="azora", digest="d1"
    )


async def add(store: SqlStore, after: int, *facts: Event) -> None:
    async with store.write() as unit:
        await unit.append(a_row(revision=after + len(facts)), after, facts)


async def begun(store: SqlStore) -> None:
    await add(store, 0, started(), tick())


async def notes(store: SqlStore) -> list[str]:
    """As the store says, and it says what the facts say."""
    async with store.read() as unit:
        state, facts = await unit.state("one"), await unit.events("one")
    assert state == replay(facts)
    return [each.text for each in state.notes.get("smoke tests", [])]


async def test_there_is_no_state_without_facts(store: SqlStore) -> None:
    async with store.read() as unit:
        assert await unit.state("nowhere") is None


async def test_what_another_process_added_is_added_up(store: SqlStore, other: SqlStore) -> None:
    await begun(store)
    assert await notes(store) == await notes(other) == []
    await add(other, 2, note("first"), note("second"))
    assert await notes(store) == ["first", "second"]
    await add(store, 4, note("third"))
    assert await notes(other) == ["first", "second", "third"]


async def test_what_was_undone_is_not_remembered(store: SqlStore) -> None:
    await begun(store)
    with contextlib.suppress(InterruptedError):
        async with store.write() as unit:
            await unit.append(a_row(revision=3), 2, [note("undone")])
            state = await unit.state("one")
            assert state is not None
            assert state.revision == 3, "inside it counts"
            raise InterruptedError
    assert await notes(store) == []
    await add(store, 2, note("kept"))
    assert await notes(store) == ["kept"]


async def test_a_reader_of_an_earlier_moment_sees_that_moment(store: SqlStore) -> None:
    await begun(store)
    async with store.read() as earlier:
        assert await earlier.row("one") is not None
        await add(store, 2, note("later"))
        assert await notes(store) == ["later"]
        state = await earlier.state("one")
    assert state is not None
    assert (state.revision, state.notes) == (2, {})


@pytest.mark.parametrize("how", ["shorter", "other", "longer"])
async def test_a_backup_that_was_restored_meanwhile_is_believed(store: SqlStore, how: str) -> None:
    await begun(store)
    await add(store, 2, note("lost"))
    assert await notes(store) == ["lost"]
    async with store._database.write() as connection:
        last = (events.c.deployment == "one") & (events.c.seq == 3)
        if how == "shorter":
            await connection.execute(delete(events).where(last))
            await connection.execute(update(deployments).values(revision=2))
        else:
            await connection.execute(update(events).where(last).values(body=dump_event(note("restored"))))
    if how == "longer":
        await add(store, 3, note("more"))
    assert await notes(store) == {"shorter": [], "other": ["restored"], "longer": ["restored", "more"]}[how]
    await add(store, {"shorter": 2, "other": 3, "longer": 4}[how], note("new"))
    assert (await notes(store))[-1] == "new"


# --- without a database -----------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(1, 4), max_size=8), st.integers(1, 12))
def test_however_it_is_cut_the_sum_is_the_same(cuts: list[int], asked: int) -> None:
    facts: list[Event] = [started(), *(note(str(number)) for number in range(sum(cuts)))]
    texts = [dump_event(fact) for fact in facts]
    states, known = States(), 1
    for cut in cuts:
        known += cut
        first = states.begin("one")
        state = states.add_up("one", first, texts[first - 1 : known])
        assert state == replay(facts[:known])
        assert state is not None
        states.remember(state, texts[known - 1])
    whole = states.add_up("one", 1, texts)
    assert whole == replay(facts)
    assert states.add_up("one", asked, [texts[0], *texts[asked:]]) in (None, whole), "another first fact than is known"


def test_only_so_many_are_remembered_those_asked_for_last() -> None:
    states = States()
    for number in range(REMEMBERED + 10):
        fact = started(id=f"d{number}")
        states.remember(replay([fact]), dump_event(fact))
        states.remember(replay([started(id="d0"), note("again")]), dump_event(note("again")))
    assert states.begin("d0") == 2, "asked for again and again"
    assert len(states._known) == REMEMBERED
