"""One issue, however it flaps: announced once, called for once, and its end recorded."""

from __future__ import annotations

import itertools
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain import events as e
from bot.domain import moves, watch
from bot.domain.issue import QUIET
from tests.domain.runs import ALL, START, Course, live

TEXT = "# Deploy\n- [ ] switch\n# Back\n- [ ] back\n"
POLICY = """
phases: {Deploy: {deployed: true}, Back: {kind: rollback}}
probes: {error_rate: {prometheus: x, unit: ratio}}
watch: [{at: T+0, every: 5m, for: 4h, measure: {error_rate: "< 1%"}, alert: {error_rate: "> 5%"}}]
rollback: {within: 15m}
escalation: [on_call, lead]
acknowledge_within: 10m
"""
FIVE = timedelta(minutes=5)
VERDICTS = {"b": e.Verdict.FAILING, "d": e.Verdict.DEGRADED, "g": e.Verdict.HEALTHY, "?": e.Verdict.INCONCLUSIVE}


def every_five(course: Course, signs: str) -> None:
    for sign in signs:
        course.ring_all(VERDICTS[sign])
        course.pass_time(minutes=5)


def watched(signs: str) -> Course:
    course = live(TEXT, POLICY, Back="rollback")
    every_five(course, signs)
    return course


def issues(course: Course) -> list[tuple[int, timedelta]]:
    return [
        (fact.number, fact.at - START)
        for fact in course.events
        if isinstance(fact, e.Announced) and fact.announcement == "issue"
    ]


def test_what_flaps_is_one_issue() -> None:
    course = watched("gbgbgbgb")
    assert issues(course) == [(1, FIVE)]
    assert course.state.issue is not None
    assert (course.state.issue.number, course.state.issue.well) == (1, None)


def test_what_fails_again_after_a_quiet_half_hour_is_a_new_issue() -> None:
    course = watched("gb" + "g" * 6 + "b")
    assert issues(course) == [(1, FIVE), (2, 8 * FIVE)]


def test_what_fails_again_a_moment_sooner_is_the_old_one() -> None:
    assert len(issues(watched("gb" + "g" * 5 + "b"))) == 1


def test_degraded_and_unknown_neither_begin_nor_end_an_issue() -> None:
    assert issues(watched("d?d?")) == []
    course = watched("b?d?")
    assert course.state.issue is not None
    assert course.state.issue.well is None


def test_who_looks_after_an_issue_looks_after_its_flapping() -> None:
    course = watched("b")
    course.do(watch.acknowledge)
    every_five(course, "gbgbgbgb")
    assert (course.state.acknowledged is not None, course.state.escalated) == (True, [])


def test_a_new_issue_is_acknowledged_and_escalated_anew() -> None:
    course = watched("bbb")
    assert [fact.role for fact in course.state.escalated] == ["lead"]
    keys = {key for key in watch.due(course.plan, course.state) if key.startswith("escalate")}
    every_five(course, "g" * 7 + "b")
    assert (course.state.acknowledged, course.state.escalated) == (None, [])
    assert [key for key in watch.due(course.plan, course.state) if key.startswith("escalate")] == ["escalate:1:2"]
    assert "escalate:1:2" not in keys
    every_five(course, "bbb")
    assert [fact.role for fact in course.state.escalated] == ["lead"]
    assert sum(isinstance(fact, e.Escalated) for fact in course.events) == 2


def test_the_time_limit_of_what_flaps_counts_from_its_beginning() -> None:
    course = watched("gbgb")
    assert watch.limit_of(course.plan, course.state) == START + FIVE + timedelta(minutes=15)
    every_five(course, "g")
    assert watch.limit_of(course.plan, course.state) is None


# --- time to recover --------------------------------------------------------------------------------------------------


def test_without_an_issue_and_while_it_lasts_there_is_no_time_to_recover() -> None:
    assert watch.time_to_recover(watched("gd?").state) is None
    assert watch.time_to_recover(watched("gb?d").state) is None


def test_the_time_to_recover_is_from_the_first_failing_check_to_the_first_healthy_one() -> None:
    assert watch.time_to_recover(watched("gb?dg").state) == 3 * FIVE


def test_a_decision_to_go_on_ends_an_issue() -> None:
    course = watched("b")
    course.do(moves.accept, "t0s", 0, "a known test", who=ALL)
    assert watch.time_to_recover(course.state) == FIVE


def test_after_a_rollback_it_ends_when_the_probes_find_the_old_version_well() -> None:
    course = watched("b")
    course.do(moves.roll_back, "v1", "bad", "", who=ALL)
    course.go(VERDICTS["b"], minutes=3)
    course.go(minutes=1)
    assert course.state.recovered is not None
    course.pass_time(minutes=20)
    course.do(moves.rolled_back, "ok", who=ALL)
    assert watch.time_to_recover(course.state) == timedelta(minutes=9)


def test_where_nothing_measured_it_a_rollback_ends_it_when_people_say_so() -> None:
    course = watched("b")
    course.do(moves.roll_back, "v1", "bad", "", who=ALL)
    course.pass_time(minutes=7)
    course.do(moves.rolled_back, "ok", who=ALL)
    assert watch.time_to_recover(course.state) == timedelta(minutes=12)


@given(st.text("bdg?", min_size=1, max_size=49))
def test_between_two_announced_issues_nothing_failed_for_half_an_hour(signs: str) -> None:
    course = watched(signs)
    said = issues(course)
    assert [number for number, _ in said] == list(range(1, len(said) + 1))
    failing = [FIVE * index for index, sign in enumerate(signs) if sign == "b"]
    assert bool(said) == bool(failing)
    for (_, _before), (_, at) in itertools.pairwise(said):
        assert at in failing
        assert at - max(one for one in failing if one < at) > QUIET
    assert all(any(one <= at for _, one in said) for at in failing)
