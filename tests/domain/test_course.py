"""What follows by itself: announcements, phases that complete, what is due when, and the end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain import events as e
from bot.domain import moves
from bot.domain.course import awaited, deadlines, measurable, tick_measured
from bot.domain.deployment import Status
from bot.domain.measured import Healthy
from bot.domain.people import GONOGO
from tests.domain.runs import ALL, QUINN, START, TWO, Course, checks, live, opened, plan

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


HEALTHY = Healthy("200", "https://shop.example.org")


def test_an_item_that_is_measured_healthy_is_ticked_unless_somebody_was_faster() -> None:
    course = Course(plan(TWO, "items: {switch: {probe: health}}"))
    first = course.plan.steps[0].id
    assert deadlines(course.plan, course.state) == {f"items:{first}": course.now}
    facts = tick_measured(course.plan, course.state, {"switch": HEALTHY, "look": HEALTHY}, course.now)
    ticked = [(fact.item, fact.value, fact.link) for fact in facts if isinstance(fact, e.Ticked)]
    assert ticked == [("switch", "200", "https://shop.example.org")]
    course.tick("switch")
    assert tick_measured(course.plan, course.state, {"switch": HEALTHY}, course.now) == []
    assert deadlines(course.plan, course.state) == {}


def test_while_it_is_rolled_back_nothing_is_measured_before_somebody_asks() -> None:
    yaml = "items: {switch: {probe: health}, switch back: {probe: health}}"
    course = live(TWO + "# Back\n- [ ] switch back\n", yaml, Back="rollback")
    course.do(moves.roll_back, "v1", "slow", "")
    assert list(deadlines(course.plan, course.state)) == []
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
