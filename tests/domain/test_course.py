"""What follows by itself: announcements, phases that complete, what is due when, and the end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain import events as e
from bot.domain import moves
from bot.domain.course import awaited, deadlines, measurable, open_due, record_check, tick_measured
from bot.domain.deployment import Status, replay
from bot.domain.people import GONOGO
from checklists.policy import Announcement
from tests.domain.runs import ALL, QUINN, SHIPPED, START, Course, plan, shipped

TWO = "# Deploy\n- [ ] switch\n# After\n- [ ] look\n"


def live(text: str, yaml: str = "", **kinds: str) -> Course:
    course = Course(plan(text, yaml, **kinds))
    course.to_t0()
    return course


def checks(*entries: str, more: str = "") -> str:
    return "watch:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries) + more


def opened(course: Course) -> list[str]:
    return [step.title for step in course.plan.every_step() if step.id in course.state.opened]


# --- success ----------------------------------------------------------------------------------------------------------


def test_success_is_announced_when_its_check_is_healthy_and_the_items_are_done() -> None:
    course = live(TWO, checks("at: T+30m, probes: [health], phase: After, then: announce succeeded"))
    course.go(minutes=30)
    assert "succeeded" not in course.said()
    course.tick("look", "switch")
    assert course.said()[-1] == "succeeded"


@pytest.mark.parametrize("verdict", [e.Verdict.DEGRADED, e.Verdict.FAILING, e.Verdict.INCONCLUSIVE])
def test_success_is_never_announced_on_a_check_that_is_not_healthy(verdict: e.Verdict) -> None:
    course = live(TWO, checks("at: T+30m, probes: [health], then: announce succeeded"))
    course.tick_all()
    course.go(verdict, minutes=30)
    course.tick_all()
    assert "succeeded" not in course.said()
    course.do(moves.accept, "t30", 0, "known and harmless", who=ALL)
    assert "succeeded" in course.said()


def test_a_series_passes_with_its_last_run() -> None:
    course = live(TWO, checks("at: T+0, every: 5m, for: 10m, probes: [health], then: announce succeeded"))
    course.tick_all()
    course.go()
    course.go(e.Verdict.FAILING, minutes=5)
    course.tick_all()
    assert "succeeded" not in course.said()
    course.go(minutes=5)
    assert "succeeded" in course.said()


def test_a_check_that_was_late_to_earn_success_does_not_hide_newer_bad_news() -> None:
    course = live(TWO, checks("at: T+30m, probes: [health], then: announce succeeded", "at: T+2h, probes: [health]"))
    course.go(minutes=30)
    course.go(e.Verdict.FAILING, minutes=90)
    course.tick_all()
    assert "succeeded" not in course.said()
    course.do(moves.accept, "t120", 0, "a broken probe", who=ALL)
    assert "succeeded" in course.said()


def test_a_check_that_measures_nothing_is_passed_by_the_items_of_its_moment() -> None:
    course = live(TWO, checks("at: T+30m, phase: After, then: announce succeeded"))
    course.tick("switch")
    course.go(minutes=30)
    assert "succeeded" not in course.said()
    course.tick("look")
    assert "succeeded" in course.said()


def test_a_check_that_measures_nothing_and_asks_for_nothing_needs_a_decision() -> None:
    course = live(
        "# Deploy\n- [ ] switch\n# After\n- [ ] look (optional)\n",
        checks("at: T+30m, phase: After, then: announce succeeded"),
    )
    course.tick("switch")
    course.go(minutes=30)
    assert "succeeded" not in course.said()
    course.do(moves.accept, "t30", 0, "looked", who=ALL)
    assert "succeeded" in course.said()


def test_an_item_that_is_not_expected_yet_does_not_hold_up_the_announcement() -> None:
    course = live(
        TWO,
        checks(
            "at: T+30m, probes: [health], phase: After, then: announce succeeded",
            more="items: {look: {due: T+2h}}",
        ),
    )
    course.tick("switch")
    course.go(minutes=30)
    assert "succeeded" in course.said()
    assert course.state.status is Status.SUCCEEDED


def test_a_phase_that_opens_later_does_not_hold_up_the_announcement() -> None:
    text = "# Deploy\n- [ ] switch\n# Tomorrow\n- [ ] tidy\n# After\n- [ ] look\n"
    yaml = checks(
        "at: T+30m, probes: [health], phase: After, then: announce succeeded", more="phases: {Tomorrow: {opens: T+1d}}"
    )
    course = Course(
        plan(text, "phases: {Deploy: {deployed: true}, Tomorrow: {opens: T+1d}}\n" + yaml.split("phases")[0])
    )
    course.to_t0()
    course.tick("switch")
    course.go(minutes=30)
    course.tick("look")
    assert "succeeded" in course.said()
    course.finish()
    assert "tidy" in course.state.marks


def test_what_is_still_awaited_is_named() -> None:
    course = live(TWO, checks("at: T+30m, probes: [health], phase: After, then: announce succeeded"))
    check = course.plan.checks[0]
    course.go(minutes=30)
    assert [task.id for task in awaited(course.plan, course.state, check)] == ["switch", "look"]
    course.tick("switch", "look")
    assert awaited(course.plan, course.state, check) == ()


def test_stable_follows_success() -> None:
    course = live(
        TWO,
        checks(
            "at: T+30m, probes: [health], phase: After, then: announce succeeded",
            "at: T+2h, probes: [health], then: announce stable",
        ),
    )
    course.pass_time(hours=3)  # both are late; the later one is asked first
    course.ring("check:t120:0")
    assert course.said() == ["started"]
    course.ring("check:t30:0")
    course.tick_all()
    assert course.said() == ["started", "succeeded", "stable"]
    assert course.state.status is Status.STABLE


def test_where_only_stable_is_announced_it_still_ends() -> None:
    course = live(TWO, checks("at: T+30m, probes: [health], then: announce stable"))
    course.finish()
    assert (course.said(), course.state.status) == (["started", "stable"], Status.STABLE)


def test_without_any_check_success_is_said_when_everything_is_done() -> None:
    course = live(TWO)
    course.tick("switch")
    assert course.said() == ["started"]
    course.tick("look")
    assert (course.said(), course.state.status) == (["started", "succeeded"], Status.STABLE)


def test_checks_that_announce_nothing_are_awaited_before_that() -> None:
    course = live(TWO, checks("at: T+30m, probes: [health]"))
    course.tick_all()
    course.tick_all()
    assert course.said() == ["started"]
    course.go(minutes=30)
    assert (course.said(), course.state.status) == (["started", "succeeded"], Status.STABLE)


# --- items that tick themselves ---------------------------------------------------------------------------------------


def test_an_item_ticks_itself_when_its_announcement_stands() -> None:
    course = live(
        TWO,
        checks("at: T+30m, probes: [health], then: announce succeeded", more="items: {look: {announces: succeeded}}"),
    )
    course.tick("switch")
    course.go(minutes=30)
    assert course.state.marks["look"].by == GONOGO
    assert course.state.status is Status.STABLE


def test_a_phase_behind_one_that_waits_for_success_can_be_worked_on() -> None:
    """The check that announces success needs its items: else the two would wait for each other."""
    text = "# Deploy\n- [ ] switch\n- [ ] say so\n# Smoke\n- [ ] smoke test\n# After\n- [ ] look\n"
    course = live(
        text,
        checks(
            "at: T+30m, probes: [health], phase: After, then: announce succeeded",
            more="items: {say so: {announces: succeeded}}",
        ),
    )
    course.tick("switch")
    assert opened(course) == ["Deploy", "Smoke"]
    course.finish()
    assert course.state.marks["say-so"].by == GONOGO


def test_a_sign_off_never_ticks_itself() -> None:
    yaml = checks(
        "at: T+30m, probes: [health], then: announce succeeded",
        more="items: {look: {announces: succeeded, role: qa}, switch: {probe: health, role: qa}}",
    )
    course = live(TWO, yaml)
    assert measurable(course.plan, course.state, course.plan.steps[0].id) == []
    course.tick("switch", who=QUINN)
    course.go(minutes=30)
    assert "look" not in course.state.marks


def test_an_item_that_is_measured_healthy_is_ticked_unless_somebody_was_faster() -> None:
    course = Course(plan(TWO, "items: {switch: {probe: health}}"))
    first = course.plan.steps[0].id
    assert deadlines(course.plan, course.state) == {f"items:{first}": course.now}
    facts = tick_measured(course.plan, course.state, {"switch": "200", "look": "200"}, course.now)
    assert [(fact.item, fact.value) for fact in facts if isinstance(fact, e.Ticked)] == [("switch", "200")]
    course.tick("switch")
    assert tick_measured(course.plan, course.state, {"switch": "200"}, course.now) == []
    assert deadlines(course.plan, course.state) == {}


def test_while_it_is_rolled_back_only_the_rollback_list_is_measured() -> None:
    yaml = "items: {switch: {probe: health}, switch back: {probe: health}}"
    course = live(TWO + "# Back\n- [ ] switch back\n", yaml, Back="rollback")
    course.do(moves.roll_back, "v1", "slow", "")
    assert list(deadlines(course.plan, course.state)) == ["items:p2"]
    course.do(moves.rolled_back, "fine")
    assert [task.id for task in measurable(course.plan, course.state, "p2")] == ["switch-back"]


# --- the start --------------------------------------------------------------------------------------------------------


def test_the_start_is_announced_where_t0_happens() -> None:
    course = Course(plan("# Before\n- [ ] tests\n# Deploy\n- [ ] switch\n", "phases: {Deploy: {deployed: true}}"))
    assert course.said() == []
    course.tick("tests")
    course.do(moves.advance)
    assert course.said() == ["started"]


def test_the_start_is_announced_where_an_item_waits_for_it() -> None:
    course = Course(
        plan(
            "# Before\n- [ ] tests\n- [ ] tell the team\n# Deploy\n- [ ] switch\n",
            "phases: {Deploy: {deployed: true}}\nitems: {tell the team: {announces: started}}",
        )
    )
    assert course.said() == ["started"]
    assert course.state.marks["tell-the-team"].by == GONOGO


def test_a_phase_opened_by_the_clock_announces_nothing_while_one_before_it_is_open() -> None:
    text = "# Before\n- [ ] tests\n# Soon\n- [ ] tell the team\n# Deploy\n- [ ] switch\n"
    yaml = "phases: {Soon: {opens: T-30m}, Deploy: {deployed: true}}\nitems: {tell the team: {announces: starting}}"
    course = Course(plan(text, yaml), planned_t0=START + timedelta(hours=1))
    course.go(minutes=40)
    assert opened(course) == ["Before", "Soon"]
    assert course.said() == []
    course.tick("tests")
    course.do(moves.advance)
    assert course.said() == ["starting"]


def test_a_planned_time_opens_the_phases_before_it() -> None:
    yaml = "phases: {Day: {opens: T-2h}, Deploy: {deployed: true, opens: T+0}}"
    course = Course(
        plan("# Before\n- [ ] a\n# Day\n- [ ] b\n# Deploy\n- [ ] c\n", yaml), planned_t0=START + timedelta(days=2)
    )
    assert deadlines(course.plan, course.state) == {
        "phase:p1": START + timedelta(hours=46),
        "phase:p2": START + timedelta(hours=48),
    }
    course.go(hours=46)
    assert opened(course) == ["Before", "Day"]
    assert course.state.due_opened == {"p1"}


def test_without_a_planned_time_phases_open_one_after_the_other() -> None:
    course = Course(plan("# Before\n- [ ] a\n# Day\n- [ ] b\n", "phases: {Day: {opens: T-2h}}"))
    assert deadlines(course.plan, course.state) == {}


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
    assert deadlines(course.plan, course.state) == {}
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
