"""After T0: phases and checks that are due, what goes wrong, and the end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain import events as e
from bot.domain import moves
from bot.domain.course import deadlines, open_due, record_check
from bot.domain.deployment import Status, replay
from bot.domain.people import GONOGO
from checklists.policy import Announcement
from tests.domain.runs import ALL, SHIPPED, START, TWO, Course, checks, live, opened, plan, shipped

# --- after T0 ---------------------------------------------------------------------------------------------------------


def test_after_t0_a_phase_completes_itself_and_the_next_one_opens() -> None:
    course = live("# Deploy\n- [ ] switch\n# After\n- [ ] look\n# Last\n- [ ] x\n")
    course.tick("switch")
    assert opened(course) == ["Deploy", "After"]
    course.tick("look")
    assert opened(course) == ["Deploy", "After", "Last"]
    assert list(course.state.done) == ["p0", "p1"]


def test_a_phase_with_a_time_of_its_own_waits_for_it() -> None:
    course = live(TWO, "phases: {After: {opens: T+30m}, Deploy: {deployed: true}}")
    course.tick("switch")
    assert opened(course) == ["Deploy"]
    assert deadlines(course.plan, course.state) == {"phase:p1": course.now + timedelta(minutes=30)}
    course.go(minutes=30)
    assert opened(course) == ["Deploy", "After"]


def test_a_phase_opens_at_its_time_whatever_is_open_before_it() -> None:
    course = live(TWO, "phases: {After: {opens: T+30m}, Deploy: {deployed: true}}")
    course.go(minutes=30)
    assert opened(course) == ["Deploy", "After"]


def test_a_phase_opened_after_its_time_is_still_one_the_clock_opened() -> None:
    course = live("# Deploy\n- [ ] switch\n# After\n- [ ] look\n", checks("at: T+5m, probes: [health], phase: After"))
    course.pass_time(minutes=6)
    course.tick("switch")
    assert course.state.due_opened == {"p1"}


def test_the_check_of_a_phase_opens_it() -> None:
    course = live(TWO, checks("at: T+30m, probes: [health], phase: After"))
    course.tick("switch")
    course.go(minutes=30)
    assert opened(course) == ["Deploy", "After"]


def test_every_run_of_a_series_is_due_once() -> None:
    course = live(TWO, checks("at: T+0, every: 1m, for: 5m, probes: [health]"))
    due = deadlines(course.plan, course.state)
    assert list(due) == [f"check:t0s:{n}" for n in range(6)]
    course.ring("check:t0s:0")
    assert list(deadlines(course.plan, course.state)) == [f"check:t0s:{n}" for n in range(1, 6)]


def test_after_a_long_silence_everything_that_was_due_still_runs() -> None:
    course = live(TWO, checks("at: T+0, every: 1m, for: 5m, probes: [health]", "at: T+30m, probes: [health]"))
    course.pass_time(days=2)
    assert course.ring_all() == 7
    assert list(deadlines(course.plan, course.state)) == []


def test_a_result_that_comes_twice_counts_once() -> None:
    course = live(TWO, checks("at: T+30m, probes: [health]"))
    course.pass_time(minutes=30)
    check = course.plan.checks[0]
    due = course.state.due_times(check)[0]
    course.add(record_check(course.plan, course.state, course.result(check, due, e.Verdict.HEALTHY)))
    failing = course.result(check, due, e.Verdict.FAILING)
    assert record_check(course.plan, course.state, failing) == []
    asked_again = course.result(check, due, e.Verdict.FAILING, again=True)
    assert record_check(course.plan, course.state, asked_again) == []


def test_nobody_measures_again_what_has_not_run() -> None:
    course = live(TWO, checks("at: T+30m, probes: [health]"))
    check = course.plan.checks[0]
    due = course.state.due_times(check)[0]
    assert record_check(course.plan, course.state, course.result(check, due, e.Verdict.HEALTHY, again=True)) == []


def test_a_result_for_a_moment_that_is_none_is_dropped() -> None:
    course = live(TWO, checks("at: T+30m, probes: [health]"))
    check = course.plan.checks[0]
    assert record_check(course.plan, course.state, course.result(check, course.now, e.Verdict.HEALTHY)) == []


def test_a_result_that_comes_after_a_rollback_began_is_dropped() -> None:
    course = live(TWO, checks("at: T+30m, probes: [health], phase: After"))
    check = course.plan.checks[0]
    due = course.state.due_times(check)[0]
    course.pass_time(minutes=30)
    course.do(moves.roll_back, "v1", "slow", "")
    assert not [key for key in deadlines(course.plan, course.state) if not key.startswith("recovery:")]
    assert record_check(course.plan, course.state, course.result(check, due, e.Verdict.FAILING)) == []


def test_a_phase_does_not_open_after_a_cancellation() -> None:
    yaml = "phases: {Day: {opens: T-2h}}"
    course = Course(plan("# Before\n- [ ] a\n# Day\n- [ ] b\n", yaml), planned_t0=START + timedelta(days=2))
    due = deadlines(course.plan, course.state)["phase:p1"]
    course.do(moves.cancel, "no")
    assert open_due(course.plan, course.state, "p1", due, course.now) == []


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_an_issue_is_announced_once() -> None:
    course = live(TWO, checks("at: T+0, every: 1m, for: 5m, probes: [health]"))
    for _ in range(4):
        course.go(e.Verdict.FAILING, minutes=1)
    assert course.said() == ["started", "issue"]


@pytest.mark.parametrize("verdict", [e.Verdict.DEGRADED, e.Verdict.INCONCLUSIVE, e.Verdict.HEALTHY])
def test_only_a_failing_check_is_an_issue(verdict: e.Verdict) -> None:
    course = live(TWO, checks("at: T+5m, probes: [health]"))
    course.go(verdict, minutes=5)
    assert course.said() == ["started"]


def test_a_rollback_is_announced_when_it_starts_and_when_it_is_done() -> None:
    course = live(TWO, checks("at: T+30m, probes: [health], then: announce succeeded"))
    course.do(moves.roll_back, "v1", "slow", "")
    assert course.said() == ["started", "rollback_started"]
    course.tick_all()
    course.go(minutes=60)
    course.do(moves.rolled_back, "fine")
    assert course.said() == ["started", "rollback_started", "rolled_back"]


def test_a_cancellation_is_announced_only_if_the_start_was() -> None:
    text = "# Before\n- [ ] a\n# Deploy\n- [ ] b\n"
    early = Course(plan(text, "phases: {Deploy: {deployed: true}}"))
    early.do(moves.cancel, "no")
    assert early.said() == []
    late = Course(plan(text, "phases: {Deploy: {deployed: true}}"))
    late.tick("a")
    late.do(moves.advance)
    late.do(moves.cancel, "no")
    assert late.said() == ["started", "cancelled"]


# --- the end ----------------------------------------------------------------------------------------------------------


def test_follow_ups_open_after_the_end() -> None:
    text = TWO + "# Next day\n- [ ] tidy\n# Any time\n- [ ] write it up\n"
    course = Course(plan(text, "phases: {Next day: {opens: T+1d}}", Next_day="follow-up", Any_time="follow-up"))
    course.finish()
    assert opened(course) == ["Deploy", "After", "Any time"]
    course.go(days=1)
    assert "Next day" in opened(course)
    course.tick("tidy", "write-it-up")


def test_an_end_is_not_reached_while_an_item_is_open() -> None:
    course = live(TWO, checks("at: T+30m, probes: [health], then: announce succeeded"))
    course.tick("switch")
    course.go(minutes=30)
    assert course.state.status is Status.SUCCEEDED
    course.tick("look")
    assert course.state.status is Status.STABLE


def test_a_newer_deployment_takes_over_the_watch() -> None:
    course = live(
        TWO,
        checks(
            "at: T+30m, probes: [health], then: announce succeeded", "at: T+2h, probes: [health], then: announce stable"
        ),
    )
    course.tick("switch")
    course.go(minutes=30)
    course.add([e.Superseded(at=course.now, by=GONOGO, id="d2", version="v1.3.0")])
    assert course.state.status is Status.SUPERSEDED
    assert deadlines(course.plan, course.state) == {}
    assert "stable" not in course.said()


@pytest.mark.parametrize("name", SHIPPED)
def test_the_five_documents_say_everything_once_and_in_order(name: str) -> None:
    course = Course(shipped(name))
    course.finish(decide=False)
    said = course.said()
    assert said[-2:] == ["succeeded", "stable"]
    assert said[0] in ("starting", "started")
    assert len(said) == len(set(said))
    assert replay(course.events) == course.state


@pytest.mark.parametrize("name", SHIPPED)
def test_a_failing_day_of_the_five_documents_ends_rolled_back(name: str) -> None:
    course = Course(shipped(name))
    course.to_t0()
    course.go(e.Verdict.FAILING, minutes=10)
    course.do(moves.roll_back, "v1.1.0", "errors", "look into it", who=ALL)
    course.tick_all()
    course.do(moves.rolled_back, "stable", who=ALL)
    course.go(days=40)
    said = course.said()
    assert said[-3:] == ["issue", "rollback_started", "rolled_back"]
    assert Announcement.SUCCEEDED not in course.state.announced


def test_a_series_that_ran_in_any_order_ends_nothing_before_all_of_it_has_run() -> None:
    course = live(TWO, checks("at: T+0, every: 1m, for: 5m, probes: [health], then: announce succeeded"))
    course.tick_all()
    course.pass_time(hours=1)
    course.ring("check:t0s:5")
    assert "succeeded" not in course.said()
    course.ring_all()
    assert course.state.status is Status.STABLE
    assert len(course.state.runs["t0s"]) == 6
