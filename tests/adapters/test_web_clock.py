"""The sandbox's time: it moves from one due instant to the next, and survives a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.web.clock import STEPS, NextEvent, SandboxClock, SandboxTime
from adapters.web.state import Sandbox
from tests.fakes.sandbox import NOW, Real, Room, open_room

MINUTE = timedelta(minutes=1)


@pytest.fixture
def real() -> Real:
    return Real()


@pytest.fixture
async def room(tmp_path: Path, real: Real) -> AsyncIterator[Room]:
    async with open_room(tmp_path / "sandbox.db", real=real) as room:
        yield room


def time_of(room: Room, settle: Callable[[], Awaitable[None]]) -> SandboxTime:
    """The room's time with other work to do."""
    return SandboxTime(room.clock, room.deadlines, settle, room.deadlines.next_opening, patience=1)  # type: ignore[arg-type]


async def test_it_is_real_time_until_somebody_moves_it(room: Room, real: Real) -> None:
    assert room.clock.now() == NOW
    real.later(seconds=1)
    assert room.clock.now() == NOW + timedelta(seconds=1)
    await room.time.move(timedelta(hours=2))
    real.later(seconds=1)
    assert room.clock.now() == NOW + timedelta(hours=2, seconds=2)


async def test_the_offset_survives_a_restart(room: Room, real: Real) -> None:
    await room.time.move(timedelta(hours=24))
    again = SandboxClock(Sandbox(room.engine), real)
    assert again.now() == NOW
    await again.load()
    assert again.now() == NOW + timedelta(hours=24)


async def test_everything_due_on_the_way_happens_at_its_own_instant(room: Room) -> None:
    room.deadlines.due = [NOW + minutes * MINUTE for minutes in (30, 5, 90, 200)]
    await room.time.move(timedelta(hours=2))
    wanted = [NOW + minutes * MINUTE for minutes in (5, 30, 90)]
    assert room.deadlines.done == [(due, due) for due in wanted]
    assert room.clock.now() == NOW + timedelta(hours=2)


async def test_what_comes_up_on_the_way_counts_too(room: Room) -> None:
    async def a_series() -> None:
        await room.deadlines.settle()
        if not room.deadlines.due and len(room.deadlines.done) < 4:
            room.deadlines.due = [room.deadlines.done[-1][0] + MINUTE]

    room.deadlines.due = [NOW + MINUTE]
    await time_of(room, a_series).move(10 * MINUTE)
    assert room.deadlines.done == [(NOW + n * MINUTE, NOW + n * MINUTE) for n in (1, 2, 3, 4)]


async def test_what_the_scheduler_has_begun_is_waited_for(room: Room) -> None:
    begun = asyncio.Event()

    async def settle() -> None:
        if begun.is_set():
            await room.deadlines.settle()
        else:  # somebody else holds it
            asyncio.get_running_loop().call_later(0.1, begun.set)

    room.deadlines.due = [NOW + MINUTE, NOW + 2 * MINUTE]
    await time_of(room, settle).move(10 * MINUTE)
    assert room.deadlines.done == [(NOW + n * MINUTE, NOW + n * MINUTE) for n in (1, 2)]


async def test_what_cannot_be_done_now_does_not_stop_time(room: Room) -> None:
    async def busy() -> None:
        settled.append(room.clock.now())

    settled: list[object] = []
    room.deadlines.due = [NOW + MINUTE]
    await time_of(room, busy).move(5 * MINUTE)
    assert room.clock.now() == NOW + 5 * MINUTE
    assert len(settled) > 1


@pytest.mark.slow
async def test_a_move_ends_however_much_is_due(room: Room) -> None:
    async def one_more() -> None:
        room.deadlines.due = [room.clock.now() + timedelta(microseconds=1)]

    room.deadlines.due = [NOW]
    await time_of(room, one_more).move(MINUTE)
    assert room.clock.now() == NOW + MINUTE
    assert STEPS == 2_000


async def test_moves_at_the_same_time_add_up(room: Room) -> None:
    room.deadlines.due = [NOW + n * MINUTE for n in range(1, 20)]
    await asyncio.gather(room.time.move(5 * MINUTE), room.time.move(5 * MINUTE), room.time.move(5 * MINUTE))
    assert room.clock.now() == NOW + 15 * MINUTE
    assert room.deadlines.done == [(NOW + n * MINUTE, NOW + n * MINUTE) for n in range(1, 16)]


async def test_time_does_not_go_back(room: Room, real: Real) -> None:
    with pytest.raises(ValueError, match="back"):
        await room.time.move(-MINUTE)
    await room.clock.advance_to(NOW - MINUTE)
    assert room.clock.now() == NOW


async def test_to_the_next_event_goes_to_what_is_due_first(room: Room) -> None:
    room.deadlines.due, room.deadlines.opening = [NOW + 30 * MINUTE], NOW + MINUTE
    assert await room.time.to_next_event() == NextEvent(NOW + 30 * MINUTE, "due")
    assert room.deadlines.done == [(NOW + 30 * MINUTE, NOW + 30 * MINUTE)]


async def test_to_the_next_event_goes_to_the_opening_if_nothing_is_due(room: Room) -> None:
    room.deadlines.opening = NOW + timedelta(days=3)
    assert await room.time.to_next_event() == NextEvent(NOW + timedelta(days=3), "opening")
    assert room.clock.now() == NOW + timedelta(days=3)
    assert await room.time.to_next_event() is None


async def test_to_the_next_event_does_what_is_overdue_first(room: Room) -> None:
    room.deadlines.due = [NOW - MINUTE, NOW + MINUTE]
    assert await room.time.to_next_event() == NextEvent(NOW + MINUTE, "due")
    assert room.deadlines.done == [(NOW - MINUTE, NOW), (NOW + MINUTE, NOW + MINUTE)]
