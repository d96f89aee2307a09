"""What is recalled with a check: once, little, in time, and only what a picture can show."""

from __future__ import annotations

import asyncio
import math
from datetime import datetime, timedelta

import pytest

from bot.domain import events as e
from bot.ports import Asked
from bot.services import pasts
from bot.services.pasts import MOST, read_past
from checklists.policy import ProbePolicy
from tests.cards.drawn import SHOP
from tests.domain.runs import GONOGO, Course, plan

POLICY = """
windows: {production: always}
phases: {Deploy: {deployed: true}, After: {opens: T+30m}, Back: {kind: rollback}}
probes:
  error_rate: {datadog: x, unit: ratio}
  p95_latency: {datadog: y, unit: ms}
  cpu: {datadog: z, unit: ratio}
watch:
  - {at: T+0, every: 1m, for: 5m, measure: {cpu: "< 90%", error_rate: "< 0.1%"}}
  - {at: T+30m, measure: {p95_latency: "< 100ms", error_rate: "< 0.1%"}}
"""
MINUTE = timedelta(minutes=1)
Asking = tuple[str, datetime, datetime, timedelta]


class Recalls:
    """A source with a past: a point every step, from before the start to after the end; broken or slow by name."""

    def __init__(self, value: float = 0.000123456) -> None:
        self.asked: list[Asking] = []
        self.value = value
        self.wrong: dict[str, Exception | None] = {}

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> e.Measurement:
        raise AssertionError("nothing is measured here")

    async def history(
        self, name: str, probe: ProbePolicy, asked: Asked, *, start: datetime, end: datetime, step: timedelta
    ) -> list[tuple[datetime, float]]:
        self.asked.append((name, start, end, step))
        if name in self.wrong:
            problem = self.wrong[name]
            if problem is None:
                await asyncio.Event().wait()
            else:
                raise problem
        count = int((end - start) / step)
        return [(start + step * number, self.value) for number in range(-3, count + 4)]


class Forgets:
    """A source without a past."""

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> e.Measurement:
        raise AssertionError("nothing is measured here")


def judged(**values: float | None) -> tuple[e.Judged, ...]:
    return tuple(
        e.Judged(
            measurement=e.Measurement(
                name=name,
                outcome=e.Outcome.NO_DATA if value is None else e.Outcome.MEASURED,
                value=value,
                dimension="" if value is None else "seconds" if "latency" in name else "ratio",
            ),
            verdict=e.Verdict.HEALTHY,
        )
        for name, value in values.items()
    )


def deployed() -> Course:
    course = Course(plan(SHOP, POLICY, Back="rollback"))
    course.to_t0()
    return course


def found(course: Course, check: str, number: int, past: tuple[e.Past, ...], **values: float | None) -> None:
    known = course.plan.check(check)
    assert known is not None
    due = course.state.due_times(known)[number]
    ran = e.CheckRan(
        at=course.now, by=GONOGO, check=check, due=due, verdict=e.Verdict.HEALTHY, judged=judged(**values), past=past
    )
    course.add([ran])


async def read(source: Recalls | Forgets, course: Course, **values: float | None) -> tuple[e.Past, ...]:
    return await read_past(source, course.plan, course.state, judged(**values), course.now)


async def test_the_first_check_recalls_the_hour_before_t0_of_what_is_drawn() -> None:
    course, source = deployed(), Recalls()
    t0 = course.now
    (past,) = await read(source, course, cpu=0.5, error_rate=0.0002)
    assert source.asked == [("error_rate", t0 - timedelta(hours=1), t0, MINUTE)]
    times = [at for at, _ in past.samples()]
    assert times == [t0 - MINUTE * number for number in range(59, 0, -1)]
    assert {value for _, value in past.samples()} == {0.0001235}


async def test_a_check_late_in_the_day_recalls_no_more_points_than_the_first() -> None:
    course, source = deployed(), Recalls()
    course.pass_time(hours=25)
    (past,) = await read(source, course, error_rate=0.0002)
    assert source.asked[0][3] == 26 * MINUTE
    assert len(past.points) <= MOST


async def test_a_source_that_gives_more_than_was_asked_for_is_cut() -> None:
    class Chatty(Recalls):
        async def history(
            self, name: str, probe: ProbePolicy, asked: Asked, *, start: datetime, end: datetime, step: timedelta
        ) -> list[tuple[datetime, float]]:
            return [(start + timedelta(seconds=n), math.nan if n % 2 else 0.1) for n in range(1, 3_000)]

    course = deployed()
    (past,) = await read(Chatty(), course, error_rate=0.0002)
    assert len(past.points) == MOST
    assert all(math.isfinite(value) for _, value in past.points)


async def test_a_series_tells_its_own_past() -> None:
    course, source = deployed(), Recalls()
    found(course, "t0s", 0, await read(source, course, error_rate=0.0002), error_rate=0.0002)
    course.pass_time(minutes=1)
    assert await read(source, course, error_rate=0.0002) == ()
    assert len(source.asked) == 1


async def test_a_later_check_recalls_only_the_time_since_the_last_measurement() -> None:
    course, source = deployed(), Recalls()
    t0 = course.now
    found(course, "t0s", 0, (), error_rate=0.0002)
    course.pass_time(minutes=30)
    past = await read(source, course, error_rate=0.0002, p95_latency=0.1)
    assert [(name, start) for name, start, _, _ in source.asked] == [
        ("error_rate", t0),
        ("p95_latency", t0 - timedelta(hours=1)),
    ], "of the latency nothing is known yet"
    assert [at for at, _ in past[0].samples()] == [t0 + MINUTE * number for number in range(1, 30)]


async def test_what_could_not_be_measured_is_not_recalled() -> None:
    course, source = deployed(), Recalls()
    assert await read(source, course, error_rate=None) == ()
    assert source.asked == []


async def test_before_t0_nothing_is_recalled() -> None:
    course, source = Course(plan(SHOP, POLICY, Back="rollback")), Recalls()
    assert await read(source, course, error_rate=0.0002) == ()


async def test_a_source_without_a_past_is_asked_nothing() -> None:
    assert await read(Forgets(), deployed(), error_rate=0.0002) == ()


async def test_a_slow_or_broken_past_does_not_hold_up_the_check_or_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pasts, "PATIENCE", 0.05)
    course, source = deployed(), Recalls(0.0004)
    source.wrong = {"error_rate": None}
    async with asyncio.timeout(2):
        (past,) = await read(source, course, error_rate=0.0002, p95_latency=0.1)
    assert past.name == "p95_latency"
    source.wrong = {"error_rate": RuntimeError("contract")}
    (past,) = await read(source, course, error_rate=0.0002, p95_latency=0.1)
    assert past.name == "p95_latency"


async def test_a_fact_with_its_past_is_read_back_and_one_without_is_as_before() -> None:
    course = deployed()
    past = await read(Recalls(), course, error_rate=0.0002)
    found(course, "t0s", 0, past, error_rate=0.0002)
    result = course.state.runs["t0s"][course.now].result
    assert e.CheckRan.model_validate_json(result.model_dump_json()) == result
    assert len(result.model_dump_json(include={"past"})) < 1_500, "it is kept for ever"
    old = result.model_dump(mode="json", exclude={"past"})
    assert e.CheckRan.model_validate(old).past == ()
    assert course.state.pasts == past
