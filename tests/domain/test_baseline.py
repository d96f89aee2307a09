"""What was normal before T0. What is not known, or was disturbed, makes no baseline."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import events as e
from bot.domain import moves
from bot.domain.baseline import Disturbance, compare, disturbances, normal
from tests.domain.runs import ALL, START, Course, live, plan

T0 = START
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
Sample = tuple[datetime, float]


def hour(value: float = 0.2, *, every: int = 1) -> list[Sample]:
    return [(T0 - HOUR + n * MINUTE, value) for n in range(0, 61, every)]


def found(value: float | None, *, dimension: str = "seconds", outcome: e.Outcome = e.Outcome.MEASURED) -> e.Measurement:
    return e.Measurement(name="p95", outcome=outcome, value=value, dimension=dimension, detail="why", link="http://x")


def test_normal_is_the_median_of_the_hour_before() -> None:
    samples = [*hour(0.2), (T0 - 2 * HOUR, 9.0), (T0 + MINUTE, 9.0), *((T0 - n * MINUTE, 5.0) for n in range(20))]
    assert normal(samples, T0, HOUR, []).value == 0.2


def test_times_normal_says_both_numbers() -> None:
    told = compare("p95_vs_normal", found(0.42), normal(hour(), T0, HOUR, []))
    assert told.value == pytest.approx(2.1)
    assert (told.name, told.outcome, told.dimension) == ("p95_vs_normal", e.Outcome.MEASURED, "times normal")
    assert (told.detail, told.link) == ("420ms, 200ms in the hour before T0", "http://x")


@pytest.mark.parametrize("outcome", [e.Outcome.NO_DATA, e.Outcome.ERROR, e.Outcome.REFUSED])
def test_what_is_unknown_now_stays_so_and_says_why(outcome: e.Outcome) -> None:
    told = compare("x", found(None, outcome=outcome), normal(hour(), T0, HOUR, []))
    assert (told.name, told.outcome, told.detail) == ("x", outcome, "why")


def test_zero_is_normal_where_it_was_zero_and_nothing_else_can_be_compared_with_it() -> None:
    nothing = normal(hour(0.0), T0, HOUR, [])
    assert compare("x", found(0.0, dimension="ratio"), nothing).value == 1.0
    told = compare("x", found(0.003, dimension="ratio"), nothing)
    assert told.outcome is e.Outcome.NO_DATA
    assert told.detail == "0.3% cannot be compared with 0% in the hour before T0"


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        ([], "nothing is known of the hour before T0"),
        (hour()[:4], "too little is known of the hour before T0: 4 m of it"),
        (hour()[:25], "too little is known of the hour before T0: 25 m of it"),
        (
            [(T0 - n * timedelta(seconds=1), 0.2) for n in range(600)],
            "too little is known of the hour before T0: 11 m of it",
        ),
    ],
)
def test_too_little_is_no_baseline(samples: list[Sample], why: str) -> None:
    told = normal(samples, T0, HOUR, [])
    assert (told.value, told.why) == (None, why)


def test_a_disturbed_stretch_is_left_out() -> None:
    bad = Disturbance(T0 - HOUR, T0 - 40 * MINUTE, "v1 was deployed at 09:04")
    samples = [(at, 9.0 if bad.holds(at) else 0.2) for at, _ in hour()]
    assert normal(samples, T0, HOUR, [bad]).value == 0.2


def test_where_too_little_is_left_it_says_what_disturbed() -> None:
    bad = Disturbance(T0 - HOUR, T0 - 20 * MINUTE, "v1.1.9 was deployed at 09:40")
    told = normal(hour(), T0, HOUR, [bad])
    assert (told.value, told.why) == (None, "the hour before T0 was not normal: v1.1.9 was deployed at 09:40")
    known = compare("x", found(0.2), told)
    assert (known.outcome, known.detail) == (e.Outcome.NO_DATA, told.why)


POLICY = """
phases: {Deploy: {deployed: true}, Back: {kind: rollback}}
probes: {error_rate: {prometheus: x, unit: ratio}}
watch: [{at: T+0, every: 1m, for: 20m, measure: {error_rate: "< 1%"}}]
rollback: {alert: {error_rate: "> 5%"}}
"""


def another() -> Course:
    return live("# Deploy\n- [ ] switch\n# Back\n- [ ] back\n", POLICY, Back="rollback")


def told(course: Course, start: int, end: int) -> list[tuple[timedelta, timedelta, str]]:
    """What a deployment disturbed between these minutes after its own T0."""
    between = disturbances(course.plan, course.state, START + start * MINUTE, START + end * MINUTE)
    return [(one.start - START, one.end - START, one.why) for one in between]


def test_another_deployment_disturbs_from_its_start_until_half_an_hour_after_its_t0() -> None:
    course = another()
    assert told(course, 10, 70) == [(0 * MINUTE, 30 * MINUTE, "v1.2.0 was deployed at 10:04")]
    assert told(course, 31, 91) == []
    assert told(course, -60, 0) == []


def test_one_that_was_cancelled_disturbs_until_then() -> None:
    course = Course(plan("# Deploy\n- [ ] switch\n", "phases: {Deploy: {deployed: true}}"))
    course.pass_time(minutes=5)
    course.do(moves.cancel, "not today", who=ALL)
    assert told(course, 0, 60) == [(0 * MINUTE, 5 * MINUTE, "v1.2.0 was being deployed since 10:04")]


def test_one_that_only_waited_disturbs_nothing() -> None:
    course = Course(plan("# Deploy\n- [ ] switch\n"))
    waited = course.state.started.model_copy(update={"waits": True})
    course.state.started = waited
    assert told(course, 0, 60) == []


def test_a_rollback_disturbs_until_it_has_settled() -> None:
    course = another()
    course.pass_time(minutes=40)
    course.do(moves.roll_back, "v1", "bad", "", who=ALL)
    course.pass_time(minutes=10)
    assert told(course, 35, 95)[0] == (40 * MINUTE, 95 * MINUTE, "v1.2.0 was rolled back at 10:44")
    course.do(moves.rolled_back, "ok", who=ALL)
    assert told(course, 35, 95) == [(40 * MINUTE, 80 * MINUTE, "v1.2.0 was rolled back at 10:44")]


def test_a_breach_of_another_one_disturbs() -> None:
    course = another()
    for minute in range(60):
        course.ring_all(e.Verdict.FAILING if 15 <= minute < 18 else e.Verdict.HEALTHY)
        course.pass_time(minutes=1)
    assert (15 * MINUTE, 18 * MINUTE, "v1.2.0 was beyond its limits at 10:19") in told(course, 0, 60)


values = st.floats(0, 100, allow_nan=False) | st.sampled_from([float("nan"), float("inf")])
minutes = st.lists(st.tuples(st.integers(-70, 10), values), max_size=80)
stretches = st.lists(st.tuples(st.integers(-70, 10), st.integers(0, 40)), max_size=3)


@given(minutes, stretches)
def test_a_baseline_is_made_of_undisturbed_points_only_and_of_enough_of_them(
    points: list[tuple[int, float]], bad: list[tuple[int, int]]
) -> None:
    samples = [(T0 + at * MINUTE, value) for at, value in points]
    disturbed = [Disturbance(T0 + at * MINUTE, T0 + (at + length) * MINUTE, "v1") for at, length in bad]
    usual = normal(samples, T0, HOUR, disturbed)
    kept = [
        (at, value)
        for at, value in samples
        if T0 - HOUR <= at <= T0 and value < 1e9 and not any(one.holds(at) for one in disturbed)
    ]
    if usual.value is None:
        assert usual.why
        assert len({at for at, _ in kept}) < 31
    else:
        assert len(kept) >= 5
        assert len({at for at, _ in kept}) >= 30
        assert min(value for _, value in kept) <= usual.value <= max(value for _, value in kept)
    assert usual == normal(reversed(samples), T0, HOUR, disturbed)
