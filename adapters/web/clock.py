"""The sandbox's time: real time, and as far ahead of it as somebody has moved it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Literal

from adapters.web.state import Sandbox
from bot.ports import Store

STEPS = 2_000
"""How many instants one move stops at, at most."""
PATIENCE = 5.0
"""Seconds for what somebody else is already doing at an instant; then time goes on without it."""
_GLANCE = 0.03
_OFFSET = "clock_offset"


def real_time() -> datetime:
    """What the machine's clock says."""
    return datetime.now(UTC)


class SandboxClock:
    """`bot.ports.Clock`: real time and an offset that only grows, kept in the database. `await load()` comes first."""

    def __init__(self, sandbox: Sandbox, real: Callable[[], datetime] = real_time) -> None:
        self._sandbox = sandbox
        self._real = real
        self.offset = timedelta(0)

    async def load(self) -> None:
        """Read the offset; again whenever another process may have moved it."""
        self.offset = timedelta(microseconds=int(await self._sandbox.get(_OFFSET) or 0))

    def now(self) -> datetime:
        """See the port."""
        return self._real() + self.offset

    async def advance_to(self, instant: datetime) -> None:
        """Make it that instant; an instant that has passed changes nothing."""
        offset = instant - self._real()
        if offset > self.offset:
            await self._sandbox.put(_OFFSET, offset // timedelta(microseconds=1))
            self.offset = offset
            self._sandbox.bell.ring()


@dataclass(frozen=True, slots=True)
class NextEvent:
    """What happens next by itself: something is due, or the window opens."""

    at: datetime
    kind: Literal["due", "opening"]


class SandboxTime:
    """Moves the clock so that everything due on the way happens at its own instant.

    `settle` does what is due by now and brings the channel up to date; `next_opening` is when the deployment window
    opens next, or None while it is open or if it never does.
    """

    def __init__(
        self,
        clock: SandboxClock,
        store: Store,
        settle: Callable[[], Awaitable[None]],
        next_opening: Callable[[], Awaitable[datetime | None]],
        patience: float = PATIENCE,
    ) -> None:
        self._clock = clock
        self._store = store
        self._settle = settle
        self._next_opening = next_opening
        self._patience = patience
        self._moving = asyncio.Lock()

    @property
    def moving(self) -> bool:
        """Whether somebody is moving the clock."""
        return self._moving.locked()

    async def next_event(self) -> NextEvent | None:
        """What "to the next event" goes to; None if nothing is planned."""
        if due := await self._store.next_due():
            return NextEvent(due, "due")
        opening = await self._next_opening()
        return NextEvent(opening, "opening") if opening and opening > self._clock.now() else None

    async def move(self, by: timedelta) -> None:
        """Let so much time pass. Moves queue up: two of them add."""
        if by < timedelta(0):
            raise ValueError("time does not go back")
        async with self._moving:
            await self._go(self._clock.now() + by)

    async def to_next_event(self) -> NextEvent | None:
        """Let time pass until the next event and return it; None, and no time passes, if there is none."""
        async with self._moving:
            await self._settle()
            event = await self.next_event()
            if event is not None:
                await self._go(max(event.at, self._clock.now()))
            return event

    async def _go(self, target: datetime) -> None:
        for _ in range(STEPS):
            due = await self._store.next_due()
            if due is None or due > target:
                break
            await self._clock.advance_to(due)
            await self._settle()
            if not await self._is_over(due):
                break
        await self._clock.advance_to(target)
        await self._settle()

    async def _is_over(self, due: datetime) -> bool:
        """Whether nothing is left to do at that instant. What the scheduler has begun by itself is waited for."""
        until = monotonic() + self._patience
        while (left := await self._store.next_due()) is not None and left <= due:
            if monotonic() > until:
                return False
            await asyncio.sleep(_GLANCE)
            await self._settle()
        return True
