"""Checks that run late: what knows a past is asked as of their time, and the rest was measured when they ran."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain import events as e
from bot.domain import watch
from bot.domain.course import check_of, deadlines, record_check
from bot.domain.measured import last_measured, measured_now, measurements
from bot.domain.people import GONOGO
from tests.domain.runs import TWO, Course, live

MINUTE = timedelta(minutes=1)
ENDPOINT = 'http: "https://shop.test/health", json: errors'
METRIC = "prometheus: x"
SERIES = 'at: T+0, every: 1m, for: 5m, measure: {error_rate: "< 0.1%"}'
THRICE = 'at: T+1m, measure: {error_rate: "< 0.1%"}, failures: 3, again: 1m'


def course_with(source: str, entry: str) -> Course:
    yaml = f"""
phases: {{Deploy: {{deployed: true}}}}
probes: {{error_rate: {{{source}, unit: ratio}}}}
watch: [{{{entry}}}]
rollback: {{alert: {{error_rate: "> 5%"}}, lasting: 5m, mode: automatic}}
"""
    return live(TWO, yaml)


def catch_up(course: Course, *, once: bool = False) -> int:
    """Run what is due as it is run: late from a minute on, and failing at this moment. How many checks that were."""
    for done in range(50):
        key = next((key for key in course.due if key.startswith("check:")), None)
        if key is None or (once and done):
            return done
        wanted = check_of(course.plan, course.state, key)
        assert wanted is not None
        late = course.now - deadlines(course.plan, course.state)[key]
        found = e.Measurement(name="error_rate", outcome=e.Outcome.MEASURED, value=0.2, dimension="ratio")
        ran = e.CheckRan(
            at=course.now, by=GONOGO, check=wanted[0].id, due=wanted[1], verdict=e.Verdict.FAILING,
            judged=(e.Judged(measurement=found, verdict=e.Verdict.FAILING),),
            late_seconds=int(late.total_seconds()) if late >= MINUTE else 0,
            asked=course.now - late if late >= MINUTE and course.now - late != wanted[1] else None,
        )  # fmt: skip
        course.add(record_check(course.plan, course.state, ran))
    raise AssertionError("it does not end")


def test_late_metrics_prove_that_it_lasted() -> None:
    course = course_with(METRIC, SERIES)
    course.pass_time(minutes=10)
    assert catch_up(course) == 6
    assert course.state.proposed is not None


def test_one_moment_seen_six_times_has_not_lasted() -> None:
    course = course_with(ENDPOINT, SERIES)
    course.pass_time(minutes=10)
    assert catch_up(course) == 6
    assert course.state.proposed is None
    found = watch.breach(course.plan, course.state)
    assert found is not None
    assert (found.since, found.lasted) == (course.now, timedelta(0))
    # It lasts from now on, and is looked at.
    assert any(key.startswith("breach:") for key in deadlines(course.plan, course.state))


@pytest.mark.parametrize(("source", "minutes_before"), [(METRIC, 5), (ENDPOINT, 0)])
def test_it_is_drawn_where_it_was_measured(source: str, minutes_before: int) -> None:
    course = course_with(source, SERIES)
    course.pass_time(minutes=10)
    catch_up(course)
    latest = last_measured(course.plan, course.state, "error_rate")
    assert latest == course.now - minutes_before * MINUTE
    assert len({at for at, _ in measurements(course.plan, course.state)}) == (6 if minutes_before else 1)


def test_what_knows_no_past_is_not_tried_three_times_at_one_moment() -> None:
    course = course_with(ENDPOINT, THRICE)
    course.pass_time(minutes=10)
    for number in range(3):
        assert catch_up(course) == 1
        assert (course.state.run(course.plan, course.plan.checks[0].id, 0) is None) == (number < 2)
        course.pass_time(minutes=1)


def test_what_knows_its_past_is_tried_as_of_the_times_it_missed() -> None:
    course = course_with(METRIC, THRICE)
    course.pass_time(minutes=10)
    assert catch_up(course) == 3
    run = course.state.run(course.plan, course.plan.checks[0].id, 0)
    assert run is not None
    assert (run.result.verdict, run.result.tries) == (e.Verdict.FAILING, 3)


def test_only_what_was_asked_late_and_knows_no_past_was_measured_only_now() -> None:
    course = course_with(ENDPOINT, SERIES)
    catch_up(course, once=True)
    on_time = course.state.run(course.plan, course.plan.checks[0].id, 0)
    assert on_time is not None
    assert measured_now(course.plan, on_time.result) == []
    late = on_time.result.model_copy(update={"late_seconds": 300})
    assert measured_now(course.plan, late) == ["error_rate"]
    refused = e.Measurement(name="error_rate", outcome=e.Outcome.REFUSED, detail="not connected")
    judged = (e.Judged(measurement=refused, verdict=e.Verdict.INCONCLUSIVE),)
    assert measured_now(course.plan, late.model_copy(update={"judged": judged})) == []
