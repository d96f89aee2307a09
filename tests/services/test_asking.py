"""What a check, a look and an item ask, and that evidence and baselines are part of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from bot.domain import events as e
from bot.domain import moves
from bot.domain.baseline import Disturbance
from bot.domain.measured import Healthy
from bot.domain.verdict import Finding
from bot.ports import Asked
from bot.services.asking import ask_check, ask_items, ask_limits, ask_recovery
from checklists.policy import ProbePolicy
from checklists.quantities import to_base
from tests.domain.runs import ALL, START, Course, live

TEXT = "# Deploy\n- [ ] switch\n# After\n- [ ] errors are low\n- [ ] as fast as before\n"
POLICY = """
phases: {Deploy: {deployed: true}}
items: {errors are low: {probe: error_rate}, as fast as before: {probe: p95_vs_normal}}
probes:
  error_rate: {prometheus: e, unit: "%"}
  requests: {prometheus: r, unit: count}
  p95: {prometheus: l, unit: s}
  p95_vs_normal: {baseline: p95, target: "< 1.5 x"}
  api: {http: "https://example.org/api"}
  search: {http: "https://example.org/search"}
  endpoints: {all: [api, search]}
watch:
  - at: T+30m
    phase: After
    measure: {error_rate: "< 1%"}
    alert: {error_rate: "> 5%"}
    minimum: {requests: ">= 100 count"}
  - {at: T+1h, measure: {p95_vs_normal: "< 1.5 x"}, alert: {p95_vs_normal: "> 2 x"}}
  - {at: T+2h, probes: [endpoints], measure: {error_rate: "< 1%"}, critical: [endpoints]}
rollback: {alert: {p95_vs_normal: "> 3 x"}}
"""
WELL = {"error_rate": 0.1, "requests": 250.0, "p95": 0.2, "api": 1.0, "search": 1.0}
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Source:
    """`bot.ports.Probe` and `History`: the numbers now in the units of the policy, and one value for all the past."""

    def __init__(self, now: Mapping[str, float | None] = WELL, past: float | None = 0.2) -> None:
        self.now = dict(now)
        self.past = past
        self.asked: list[tuple[str, Asked]] = []
        self.recalled: list[tuple[str, datetime, datetime, timedelta]] = []

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> e.Measurement:
        self.asked.append((name, asked))
        value = self.now.get(name)
        if value is None or probe is None:
            return e.Measurement(name=name, outcome=e.Outcome.NO_DATA, detail="no data")
        dimension, number = to_base(value, probe.unit) if probe.unit else ("ok", value)
        return e.Measurement(name=name, outcome=e.Outcome.MEASURED, value=number, dimension=dimension)

    async def history(
        self, name: str, probe: ProbePolicy, asked: Asked, *, start: datetime, end: datetime, step: timedelta
    ) -> list[tuple[datetime, float]]:
        self.recalled.append((name, start, end, step))
        if self.past is None:
            raise RuntimeError("a fault of the adapter")
        return [(start + step * number, self.past) for number in range(int((end - start) / step) + 1)]

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


class Forgetful:
    """A source without a past."""

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> e.Measurement:
        return await Source().measure(name, probe, asked)


def course() -> Course:
    return live(TEXT, POLICY)


async def check(source: Source | Forgetful, number: int = 0, *, disturbed: tuple[Disturbance, ...] = ()) -> Finding:
    at = course()
    known = at.plan.checks[number]
    return await ask_check(source, at.plan, at.state, known, START + known.offsets[0], disturbed=disturbed)


async def verdict(source: Source | Forgetful, number: int = 0) -> tuple[e.Verdict, str]:
    at = course()
    found = await ask_check(source, at.plan, at.state, at.plan.checks[number], at.now)
    return found.verdict, found.why


# --- evidence ---------------------------------------------------------------------------------------------------------


async def test_the_evidence_is_asked_for_too() -> None:
    source = Source()
    assert (await verdict(source))[0] is e.Verdict.HEALTHY
    assert "requests" in source.names()


async def test_too_little_traffic_is_inconclusive_and_a_failure_stays_one() -> None:
    few = WELL | {"requests": 3.0}
    assert await verdict(Source(few)) == (
        e.Verdict.INCONCLUSIVE,
        "too little to tell by: 3 requests, at least 100 needed",
    )
    assert (await verdict(Source(few | {"error_rate": 7.0})))[0] is e.Verdict.FAILING
    assert (await verdict(Source(few | {"requests": None})))[0] is e.Verdict.INCONCLUSIVE


async def items(source: Source, at: Course) -> dict[str, Healthy]:
    tasks = [task for step in at.plan.steps for task in step.tasks if task.probe]
    return await ask_items(source, at.plan, at.state, tasks, at.now)


async def test_an_item_is_ticked_by_the_evidence_that_its_check_needs() -> None:
    assert "errors-are-low" in await items(Source(), course())
    assert "errors-are-low" not in await items(Source(WELL | {"requests": 3.0}), course())
    assert "errors-are-low" not in await items(Source(WELL | {"requests": None}), course())


async def test_before_t0_nothing_is_known_of_the_traffic_and_nothing_is_needed() -> None:
    before = Course(course().plan)
    source = Source(WELL | {"requests": None})
    assert "errors-are-low" in await items(source, before)
    assert "requests" not in source.names()


async def test_a_recovery_needs_the_same_evidence() -> None:
    at = course()
    found = await ask_recovery(Source(WELL | {"requests": 3.0}), at.plan, at.state, at.plan.checks[0], at.now)
    assert found.verdict is e.Verdict.INCONCLUSIVE


@pytest.mark.parametrize("to_version", ["v1.1.0", ""])
async def test_a_recovery_is_about_the_version_that_is_gone_back_to_and_never_about_the_one_that_is_left(
    to_version: str,
) -> None:
    at = course()
    at.do(moves.roll_back, to_version, "it is slow", "", who=ALL)
    source = Source()
    await ask_recovery(source, at.plan, at.state, at.plan.checks[0], at.now)
    assert {asked.version for _, asked in source.asked} == {to_version}


# --- critical ---------------------------------------------------------------------------------------------------------


async def test_what_is_made_of_several_is_as_critical_as_it_is() -> None:
    assert (await verdict(Source(WELL | {"search": 0.0}), 2))[0] is e.Verdict.FAILING
    assert (await verdict(Source(WELL | {"error_rate": 2.0}), 2))[0] is e.Verdict.DEGRADED


# --- baselines --------------------------------------------------------------------------------------------------------


async def test_a_baseline_is_the_hour_before_t0_and_never_asked_of_a_source_itself() -> None:
    source = Source(WELL | {"p95": 0.5})
    found = await check(source, 1)
    assert (found.verdict, found.why) == (e.Verdict.FAILING, "p95 vs normal 2.5 x (limit > 2 x)")
    assert source.recalled == [("p95", START - HOUR, START, MINUTE)]
    assert source.names() == ["p95"]
    assert {asked.as_of for _, asked in source.asked} == {START + HOUR}


async def test_in_the_direction_of_its_band_it_is_better_than_normal() -> None:
    assert (await verdict(Source(WELL | {"p95": 0.1}), 1))[0] is e.Verdict.HEALTHY
    assert (await verdict(Source(WELL | {"p95": 0.35}), 1))[0] is e.Verdict.DEGRADED


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (Source(WELL | {"p95": None}), "no data for p95 vs normal"),
        (Source(past=None), "no data for p95 vs normal"),
        (Forgetful(), "no data for p95 vs normal"),
    ],
)
async def test_without_now_or_without_a_past_nothing_is_concluded(source: Source | Forgetful, why: str) -> None:
    assert await verdict(source, 1) == (e.Verdict.INCONCLUSIVE, why)


async def test_a_disturbed_hour_is_said_with_its_reason() -> None:
    bad = Disturbance(START - HOUR, START - 20 * MINUTE, "v1.1.9 was deployed at 09:40")
    found = await check(Source(), 1, disturbed=(bad,))
    (judged,) = found.judged
    assert judged.measurement.detail == "the hour before T0 was not normal: v1.1.9 was deployed at 09:40"
    assert judged.verdict is e.Verdict.INCONCLUSIVE


async def test_an_item_may_be_bound_to_a_baseline_and_waits_for_t0() -> None:
    assert (await items(Source(), course()))["as-fast-as-before"].words == "p95 vs normal 1 x"
    assert "as-fast-as-before" not in await items(Source(), Course(course().plan))


async def test_a_limit_of_the_rollback_may_be_a_baseline() -> None:
    at = course()
    (judged,) = await ask_limits(Source(WELL | {"p95": 0.8}), at.plan, at.state, at.now)
    assert (judged.measurement.name, judged.verdict) == ("p95_vs_normal", e.Verdict.FAILING)


@pytest.mark.parametrize("of", ["p95_vs_normal", "endpoints", "nobody"])
async def test_a_baseline_of_what_has_no_number_is_unknown(of: str) -> None:
    at = live(TEXT, POLICY.replace("{baseline: p95,", f"{{baseline: {of},"))
    found = await ask_check(Source(), at.plan, at.state, at.plan.checks[1], at.now)
    assert found.verdict is e.Verdict.INCONCLUSIVE
