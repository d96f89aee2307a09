"""When a rollback is found to have worked: not while its workflow still runs, and not by itself where that failed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain import events as e
from bot.domain import watch, workflows
from bot.domain.deployment import Status
from bot.domain.people import GONOGO
from tests.domain.runs import Course, plan
from tests.domain.test_watch import TEXT, YAML, each_minute

ROLLBACK = "repository: acme/shop\npipeline: {rollback: {workflow: rollback.yml}}\n"


def rolling_back(pipeline: str = ROLLBACK) -> Course:
    """One that is rolled back by itself."""
    course = Course(plan(TEXT, YAML.replace("MODE", "automatic") + pipeline, Back="rollback"))
    course.to_t0()
    each_minute(course, "bbbbbb")
    assert course.state.status is Status.ROLLING_BACK
    return course


def started(course: Course) -> Course:
    run = workflows.dispatch(
        course.plan, course.state, "rollback", 0, "d1", "acme/shop", "main", {}, GONOGO, course.now
    )
    course.add(run)
    course.add([e.DispatchTried(at=course.now, by=GONOGO, id="d1")])
    course.add([e.DispatchAnswered(at=course.now, by=GONOGO, id="d1", outcome="started", run=7)])
    return course


def ended(course: Course, conclusion: str) -> None:
    found = e.DispatchEnded(at=course.now, by=GONOGO, id="d1", conclusion=conclusion)
    course.add(workflows.ended(course.state, found))


def test_a_good_minute_before_the_workflow_has_begun_is_no_recovery() -> None:
    course = rolling_back()
    each_minute(course, "gg")
    assert (course.state.recovered, course.state.status) == (None, Status.ROLLING_BACK)


def test_a_good_minute_while_the_workflow_runs_is_no_recovery_and_one_after_it_is() -> None:
    course = started(rolling_back())
    each_minute(course, "gbgg")
    assert (course.state.recovered, course.state.status) == (None, Status.ROLLING_BACK)
    ended(course, "success")
    each_minute(course, "g")
    assert course.state.recovered is not None
    assert course.state.status is Status.ROLLED_BACK


def test_where_the_workflow_failed_people_say_that_the_old_version_is_back() -> None:
    course = started(rolling_back())
    ended(course, "failure")
    each_minute(course, "ggggggg")
    assert course.state.recovered is not None
    assert course.state.status is Status.ROLLING_BACK


def test_an_end_that_nobody_tells_is_waited_for_a_quarter_of_an_hour() -> None:
    course = started(rolling_back())
    begun = course.now
    each_minute(course, "g" * 16)
    assert course.state.recovered is not None
    assert course.state.recovered.at == begun + watch.WORKFLOW_LASTS
    assert course.state.status is Status.ROLLED_BACK


@pytest.mark.parametrize("broken", ["?", "b"])
def test_without_a_workflow_the_probes_alone_tell_when_it_was_well_as_long_as_it_must_be_bad(broken: str) -> None:
    course = rolling_back("")
    assert course.plan.policy.rollback.lasting == timedelta(minutes=5)
    begun = course.now
    each_minute(course, "ggg" + broken + "ggggg")
    assert (course.state.recovered, course.state.status) == (None, Status.ROLLING_BACK)
    each_minute(course, "gg")
    assert course.state.status is Status.ROLLED_BACK
    assert course.state.recovered is not None
    assert course.state.recovered.at >= begun + timedelta(minutes=4 + 5)
