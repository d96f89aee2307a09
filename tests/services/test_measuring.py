"""Asking for many measures at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.events import Measurement, Outcome
from bot.ports import TURN, Asked
from bot.services import measuring
from bot.services.measuring import OneAtATime, measure_all
from checklists.policy import ProbePolicy

ASKED = Asked("azora", "production", "v1.2.0", datetime(2026, 11, 20, 14, 30, tzinfo=UTC))
POLICIES = {"known": ProbePolicy(datadog="avg:x")}


class Source:
    """Counts how many ask it at the same time; breaks or hangs by name."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.asked: list[tuple[str, bool]] = []

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        self.asked.append((name, probe is not None))
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0.001 if name != "hangs" else 60)
        finally:
            self.now -= 1
        if name == "breaks":
            raise RuntimeError("contract")
        return Measurement(name="other" if name == "misnamed" else name, outcome=Outcome.NO_DATA)


async def test_each_name_is_asked_once_in_order() -> None:
    source = Source()
    found = await measure_all(source, ["b", "known", "b", "a"], POLICIES, ASKED)
    assert [measurement.name for measurement in found] == ["b", "known", "a"]
    assert sorted(source.asked) == [("a", False), ("b", False), ("known", True)]


async def test_nothing_to_ask_is_nothing() -> None:
    assert await measure_all(Source(), [], {}, ASKED) == []


async def test_only_so_many_are_asked_at_once() -> None:
    source = Source()
    await measure_all(source, [f"m{i}" for i in range(20)], {}, ASKED, at_once=3)
    assert source.most == 3


async def test_a_source_that_breaks_does_not_take_the_others_with_it() -> None:
    found = await measure_all(Source(), ["a", "breaks", "b"], {}, ASKED)
    assert [measurement.outcome for measurement in found] == [Outcome.NO_DATA, Outcome.ERROR, Outcome.NO_DATA]
    assert found[1].detail == "the source broke: RuntimeError"


async def test_a_source_that_hangs_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "GRACE", -measuring.WITHOUT_POLICY * 0.99 - TURN)
    found = await measure_all(Source(), ["hangs"], {}, ASKED)
    assert found[0].outcome is Outcome.ERROR
    assert found[0].detail.startswith("no answer within")


async def test_an_answer_is_kept_under_the_name_that_was_asked() -> None:
    assert (await measure_all(Source(), ["misnamed"], {}, ASKED))[0].name == "misnamed"


async def test_cancelling_passes_through() -> None:
    source = Source()
    task = asyncio.create_task(measure_all(source, ["hangs"], {}, ASKED))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source.now == 0


# --- one at a time --------------------------------------------------------------------------------------------------


class Slow:
    """Answers when it is let go; counts how many ask for each measure at the same time."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Asked]] = []
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.go = asyncio.Event()

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        self.asked.append((name, asked))
        self.now[name] += 1
        self.most[name] = max(self.most[name], self.now[name])
        try:
            await self.go.wait()
        finally:
            self.now[name] -= 1
        if name == "breaks":
            raise RuntimeError("contract")
        return Measurement(name=name, outcome=Outcome.MEASURED, value=float(len(self.asked)), dimension="ratio")


async def begun(*tasks: Coroutine[Any, Any, Measurement]) -> list[asyncio.Task[Measurement]]:
    """All of them as far as they get by themselves."""
    started = [asyncio.create_task(task) for task in tasks]
    for _ in range(5):
        await asyncio.sleep(0)
    return started


async def test_who_asks_the_same_at_the_same_time_shares_the_answer() -> None:
    slow = Slow()
    once = OneAtATime(slow)
    tasks = await begun(*(once.measure("errors", None, ASKED) for _ in range(5)))
    slow.go.set()
    found = await asyncio.gather(*tasks)
    assert len(slow.asked) == 1
    assert {measurement.value for measurement in found} == {1.0}


async def test_an_answer_is_shared_by_nobody_who_comes_later() -> None:
    slow = Slow()
    slow.go.set()
    once = OneAtATime(slow)
    first = await once.measure("errors", None, ASKED)
    second = await once.measure("errors", None, ASKED)
    assert (first.value, second.value) == (1.0, 2.0)


@pytest.mark.parametrize(
    "other",
    [replace(ASKED, version="v1.1.0"), replace(ASKED, as_of=ASKED.as_of + timedelta(minutes=1))],
    ids=["another version", "another instant"],
)
async def test_another_question_about_the_same_measure_waits_and_is_asked(other: Asked) -> None:
    slow = Slow()
    once = OneAtATime(slow)
    tasks = await begun(once.measure("errors", None, ASKED), once.measure("errors", None, other))
    assert [asked for _, asked in slow.asked] == [ASKED]
    slow.go.set()
    await asyncio.gather(*tasks)
    assert [asked for _, asked in slow.asked] == [ASKED, other]
    assert slow.most["errors"] == 1


async def test_other_measures_and_other_services_are_not_held_up() -> None:
    slow = Slow()
    once = OneAtATime(slow)
    tasks = await begun(
        once.measure("errors", None, ASKED),
        once.measure("latency", None, ASKED),
        once.measure("errors", None, replace(ASKED, service="shop")),
        once.measure("errors", None, replace(ASKED, environment="staging")),
    )
    assert len(slow.asked) == 4
    slow.go.set()
    await asyncio.gather(*tasks)


async def test_who_asked_first_may_give_up_and_the_others_still_get_the_answer() -> None:
    slow = Slow()
    once = OneAtATime(slow)
    first, second = await begun(once.measure("errors", None, ASKED), once.measure("errors", None, ASKED))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    slow.go.set()
    assert (await second).value == 1.0


async def test_what_nobody_waits_for_any_more_is_ended_and_can_be_asked_anew() -> None:
    slow = Slow()
    once = OneAtATime(slow)
    [only] = await begun(once.measure("errors", None, ASKED))
    only.cancel()
    with pytest.raises(asyncio.CancelledError):
        await only
    again = asyncio.create_task(once.measure("errors", None, ASKED))
    slow.go.set()
    assert (await again).value == 2.0
    assert slow.most["errors"] == 1


async def test_a_source_that_breaks_breaks_for_all_who_wait_and_not_for_the_next() -> None:
    slow = Slow()
    once = OneAtATime(slow)
    tasks = await begun(once.measure("breaks", None, ASKED), once.measure("breaks", None, ASKED))
    slow.go.set()
    assert [type(found) for found in await asyncio.gather(*tasks, return_exceptions=True)] == [RuntimeError] * 2
    with pytest.raises(RuntimeError):
        await once.measure("breaks", None, ASKED)
    assert len(slow.asked) == 2


async def test_a_source_without_a_past_has_none_here_either() -> None:
    span = {"start": ASKED.as_of, "end": ASKED.as_of + timedelta(hours=1), "step": timedelta(minutes=1)}
    assert await OneAtATime(Slow()).history("errors", POLICIES["known"], ASKED, **span) == []


class SlowWithPast(Slow):
    """The same, and its past is as slow as its present."""

    async def history(
        self, name: str, probe: ProbePolicy, asked: Asked, *, start: datetime, end: datetime, step: timedelta
    ) -> list[tuple[datetime, float]]:
        await self.measure(name, probe, asked)
        return [(start, 1.0)]


async def test_the_past_and_the_present_of_a_measure_are_asked_one_after_the_other() -> None:
    slow = SlowWithPast()
    once = OneAtATime(slow)
    known = POLICIES["known"]
    span = {"start": ASKED.as_of, "end": ASKED.as_of + timedelta(hours=1), "step": timedelta(minutes=1)}

    async def past() -> Measurement:
        found = await once.history("errors", known, ASKED, **span)
        return Measurement(name="errors", outcome=Outcome.MEASURED, value=found[0][1])

    tasks = await begun(past(), once.measure("errors", known, ASKED), past(), once.measure("latency", known, ASKED))
    assert [name for name, _ in slow.asked] == ["errors", "latency"], "another measure is not held up"
    given_up = tasks.pop(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    slow.go.set()
    assert [found.outcome for found in await asyncio.gather(*tasks)] == [Outcome.MEASURED] * 3
    assert (slow.most["errors"], slow.now["errors"], len(slow.asked)) == (1, 0, 4)
