"""How many ask one source at the same time."""

from __future__ import annotations

import asyncio

import pytest

from adapters.probes.sources import Sources
from adapters.probes.turns import NoTurn, Turns
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED


class Door:
    """Lets nobody out before it is opened; counts who is inside."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.inside: list[str] = []
        self.order: list[str] = []
        self.most = 0

    async def through(self, turns: Turns, source: str, name: str = "") -> None:
        async with turns.at(source):
            self.inside.append(source)
            self.order.append(name)
            self.most = max(self.most, len(self.inside))
            try:
                await self.open.wait()
            finally:
                self.inside.remove(source)


async def settled() -> None:
    """Everybody has come as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_so_many_ask_one_source_at_once_and_the_rest_come_in_their_order() -> None:
    turns, door = Turns(per_source=3), Door()
    names = [f"{number:02}" for number in range(20)]
    tasks = [asyncio.create_task(door.through(turns, "prometheus", name)) for name in names]
    await settled()
    assert door.inside == ["prometheus"] * 3
    door.open.set()
    await asyncio.gather(*tasks)
    assert door.order == names
    assert door.most == 3


async def test_sources_that_hang_hold_up_nobody_else() -> None:
    turns, stuck, fine = Turns(per_source=2, in_all=4), Door(), Door()
    hanging = [asyncio.create_task(stuck.through(turns, "hangs")) for _ in range(50)]
    await settled()
    fine.open.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*(fine.through(turns, "answers") for _ in range(20)))
    assert stuck.inside == ["hangs"] * 2, "who waits for it holds none of the places of all"
    stuck.open.set()
    await asyncio.gather(*hanging)


async def test_all_sources_together_are_bounded_too() -> None:
    turns, door = Turns(per_source=8, in_all=5), Door()
    tasks = [asyncio.create_task(door.through(turns, f"source {number}")) for number in range(12)]
    await settled()
    assert len(door.inside) == 5
    door.open.set()
    await asyncio.gather(*tasks)
    assert door.most == 5


async def test_who_waits_too_long_gets_no_turn_and_leaves_nothing_behind() -> None:
    turns, door = Turns(per_source=1, patience=0.01), Door()
    holder = asyncio.create_task(door.through(turns, "prometheus"))
    await settled()
    with pytest.raises(NoTurn, match="prometheus was not asked: 1 others ask it, and none of them made room within"):
        await door.through(turns, "prometheus")
    door.open.set()
    await holder
    await door.through(turns, "prometheus")
    assert turns._sources == {}


async def test_cancelling_who_waits_or_asks_gives_the_place_back() -> None:
    turns, door = Turns(per_source=1), Door()
    asks, waits = (asyncio.create_task(door.through(turns, "prometheus")) for _ in range(2))
    await settled()
    for task in (waits, asks):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    door.open.set()
    async with asyncio.timeout(5):
        await door.through(turns, "prometheus")


# --- as the sources use them ------------------------------------------------------------------------------------------


class Slow:
    """A source that answers when it is let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.now = self.most = 0

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.go.wait()
        finally:
            self.now -= 1
        return Measurement(name=name, outcome=Outcome.NO_DATA)


async def test_endpoints_are_bounded_by_their_host_and_the_rest_by_their_source() -> None:
    http, datadog = Slow(), Slow()
    sources = Sources(http, connected={"datadog": datadog}, turns=Turns(per_source=2))
    policies = [ProbePolicy(http=f"https://{host}/{path}") for host in ("a.test", "b.test:8443") for path in range(5)]
    policies += [ProbePolicy(datadog=f"avg:x{number}") for number in range(5)]
    tasks = [asyncio.create_task(sources.measure("x", policy, ASKED)) for policy in policies]
    await settled()
    assert (http.now, datadog.now) == (4, 2)
    http.go.set()
    datadog.go.set()
    await asyncio.gather(*tasks)
    assert (http.most, datadog.most) == (4, 2)


async def test_a_measure_that_got_no_turn_is_an_error_in_words_and_never_a_slow_service() -> None:
    http = Slow()
    sources = Sources(http, turns=Turns(per_source=1, patience=0.01))
    policy = ProbePolicy(http="https://a.test/health")
    first = asyncio.create_task(sources.measure("x", policy, ASKED))
    await settled()
    found = await sources.measure("x", policy, ASKED)
    assert found.outcome is Outcome.ERROR
    assert found.detail == "a.test was not asked: 1 others ask it, and none of them made room within 0.01 s"
    http.go.set()
    await first
