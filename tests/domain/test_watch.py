"""What lasts beyond its limit leads to a rollback in the document's time, and to nothing where it is not known."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import events as e
from bot.domain import moves, watch
from bot.domain.course import deadlines
from bot.domain.deployment import Status
from bot.domain.errors import Code, Refused
from checklists.policy import Announcement
from tests.domain.runs import ALL, ANN, START, Course, plan

TEXT = "# Before\n- [ ] a\n# After\n- [ ] b\n# Back\n- [ ] c\n"
YAML = """
phases: {Before: {deployed: true}, Back: {kind: rollback}}
probes: {error_rate: {prometheus: x, unit: ratio}}
watch:
  - {at: T+0, every: 1m, for: 5m, measure: {error_rate: "< 0.1%"}}
  - {at: T+30m, measure: {error_rate: "< 0.1%"}, then: announce succeeded}
rollback: {alert: {error_rate: "> 5%"}, lasting: 5m, mode: MODE, within: 5m}
escalation: [on_call, lead, cto]
acknowledge_within: 5m
matrix: [{severity: High, when: {error_rate: "> 5%"}, action: Go back, limit: 15m}]
"""
BAD, GOOD, UNKNOWN = e.Verdict.FAILING, e.Verdict.HEALTHY, e.Verdict.INCONCLUSIVE
MINUTE = timedelta(minutes=1)


def deployed(mode: str = "automatic") -> Course:
    course = Course(plan(TEXT, YAML.replace("MODE", mode), Back="rollback"))
    course.to_t0()
    return course


def each_minute(course: Course, verdicts: str) -> None:
    """`b` bad, `g` good, `?` unknown: one look a minute, beginning now."""
    for sign in verdicts:
        course.ring_all({"b": BAD, "g": GOOD, "?": UNKNOWN}[sign])
        course.pass_time(minutes=1)


def kinds(course: Course) -> list[str]:
    return [fact.kind for fact in course.events]


def test_five_bad_minutes_roll_back_by_themselves_and_say_so_a_minute_before() -> None:
    course = deployed()
    t0 = course.now
    each_minute(course, "bbbbb")
    assert course.state.proposed is not None
    assert course.state.proposed.at == t0 + 4 * MINUTE
    assert course.state.proposed.stops_at == t0 + 5 * MINUTE
    assert course.state.status is Status.DEPLOYED
    each_minute(course, "b")
    assert course.state.status is Status.ROLLING_BACK
    assert course.state.rollback is not None
    assert course.state.rollback.at == t0 + 5 * MINUTE
    assert course.state.rollback.by.is_gonogo
    assert course.state.rollback.to_version == "v1.1.0"
    assert course.state.rollback.reason.startswith("error rate ")
    assert course.state.rollback.reason.endswith("(limit > 5%) for 5 min")


def test_one_good_minute_begins_the_count_anew() -> None:
    course = deployed()
    each_minute(course, "bbbbgbbbb")
    assert course.state.status is Status.DEPLOYED
    each_minute(course, "bb")
    assert course.state.status is Status.ROLLING_BACK


def test_it_is_looked_at_every_minute_also_where_the_checks_are_further_apart() -> None:
    course = deployed()
    each_minute(course, "gggggg")
    course.pass_time(minutes=24)
    t = course.now
    each_minute(course, "bbbbbb")
    assert course.state.rollback is not None
    assert course.state.rollback.at == t + 5 * MINUTE


def test_unknown_neither_rolls_back_nor_ends_the_breach() -> None:
    course = deployed()
    each_minute(course, "bbbb??")
    assert course.state.status is Status.DEPLOYED
    assert watch.breach(course.plan, course.state) is not None
    each_minute(course, "bb")
    assert course.state.status is Status.ROLLING_BACK


def test_within_its_limits_again_in_the_grace_it_does_not_roll_back_and_may_be_proposed_again() -> None:
    course = deployed()
    each_minute(course, "bbbbbg")
    assert course.state.proposed is None
    assert "rollback_stopped" in kinds(course)
    assert course.state.status is Status.DEPLOYED
    course.pass_time(minutes=24)
    each_minute(course, "bbbbbb")
    assert course.state.status is Status.ROLLING_BACK


def test_somebody_stops_it_with_a_reason_and_then_only_people_roll_back() -> None:
    course = deployed()
    each_minute(course, "bbbbb")
    with pytest.raises(Refused) as refused:
        course.do(watch.stop_rollback, " ")
    assert refused.value.code is Code.REASON_NEEDED
    course.do(watch.stop_rollback, "the load test causes it")
    each_minute(course, "bbbbbbbb")
    assert course.state.status is Status.DEPLOYED
    course.do(moves.roll_back, "v1.1.0", "it was not", "", who=ALL)
    assert course.state.status is Status.ROLLING_BACK


def test_what_was_stopped_or_begun_or_is_over_is_not_stopped_again() -> None:
    course = deployed()
    assert why_not_stopped(course) == (Code.NO_ROLLBACK_COMES, "", None)
    each_minute(course, "bbbbb")
    course.do(watch.stop_rollback, "the load test causes it", who=ALL)
    assert why_not_stopped(course) == (Code.NO_ROLLBACK_COMES, "all", course.now)
    begun = deployed()
    each_minute(begun, "bbbbbb")
    at = begun.state.rollback.at if begun.state.rollback else None
    assert why_not_stopped(begun) == (Code.ROLLING_BACK, "gonogo", at)
    begun.do(moves.rolled_back, "ok", who=ALL)
    assert why_not_stopped(begun) == (Code.ENDED, "", begun.now)


def why_not_stopped(course: Course) -> tuple[Code, str, object]:
    with pytest.raises(Refused) as refused:
        course.do(watch.stop_rollback, "not this one", who=ALL)
    return refused.value.code, refused.value.by, refused.value.at


def test_a_decision_to_go_on_ends_the_breach() -> None:
    course = deployed()
    each_minute(course, "bbbb")
    number = course.state.due_times(course.plan.checks[0]).index(course.now - MINUTE)
    course.do(moves.accept, "t0s", number, "known and harmless", who=ALL)
    assert watch.breach(course.plan, course.state) is None


def test_where_the_document_asks_people_nothing_rolls_back_by_itself() -> None:
    course = deployed("ask")
    each_minute(course, "b" * 12)
    assert course.state.status is Status.DEPLOYED
    assert "rollback_proposed" not in kinds(course)


def test_the_old_version_is_announced_as_back_once_the_probes_find_it_well_for_as_long_as_it_was_bad() -> None:
    course = deployed()
    each_minute(course, "bbbbbb")
    each_minute(course, "bb" + "gggg" + "b" + "ggggg")
    assert course.state.status is Status.ROLLING_BACK
    each_minute(course, "g")
    assert course.state.status is Status.ROLLED_BACK
    assert course.said()[-2:] == ["rollback_started", "rolled_back"]
    assert kinds(course).count("rollback_started") == 1


def test_a_rollback_by_people_is_told_that_it_recovered_and_ended_by_people() -> None:
    course = deployed("ask")
    each_minute(course, "b")
    course.do(moves.roll_back, "v1.1.0", "bad", "", who=ALL)
    each_minute(course, "bgggggg")
    assert course.state.recovered is not None
    assert course.state.status is Status.ROLLING_BACK
    course.do(moves.rolled_back, "ok", who=ALL)
    assert course.state.status is Status.ROLLED_BACK


def test_recovery_is_not_looked_for_for_ever() -> None:
    course = deployed("ask")
    course.do(moves.roll_back, "v1.1.0", "bad", "", who=ALL)
    each_minute(course, "b" * 125)
    assert not [key for key in watch.due(course.plan, course.state) if key.startswith("recovery")]


def test_one_after_the_other_is_called_until_somebody_acknowledges() -> None:
    course = deployed("ask")
    each_minute(course, "b" * 7)
    assert [
        (fact.role, fact.at - course.state.announced[Announcement.ISSUE].at) for fact in course.state.escalated
    ] == [("lead", 5 * MINUTE)]
    course.do(watch.acknowledge, who=ANN)
    assert course.do(watch.acknowledge, who=ANN) == []
    each_minute(course, "b" * 7)
    assert len(course.state.escalated) == 1


def test_the_escalation_ends_with_its_last_role_and_when_all_is_well() -> None:
    course = deployed("ask")
    each_minute(course, "b" * 30)
    assert [fact.role for fact in course.state.escalated] == ["lead", "cto"]


def test_there_is_nothing_to_acknowledge_while_nothing_is_wrong() -> None:
    with pytest.raises(Refused) as refused:
        deployed().do(watch.acknowledge)
    assert refused.value.code is Code.NO_ISSUE


def test_an_issue_of_what_is_over_is_nobodys_to_look_after() -> None:
    course = deployed()
    each_minute(course, "bbbbbb")
    course.do(moves.rolled_back, "ok", who=ALL)
    with pytest.raises(Refused) as refused:
        course.do(watch.acknowledge)
    assert refused.value.code is Code.ENDED


def test_the_limit_counts_from_the_first_bad_result() -> None:
    course = deployed("ask")
    assert watch.limit_of(course.plan, course.state) is None
    t0 = course.now
    each_minute(course, "bb")
    assert watch.limit_of(course.plan, course.state) == t0 + 5 * MINUTE


@given(st.text("bg?", min_size=1, max_size=40))
def test_it_rolls_back_exactly_when_the_limit_was_exceeded_for_five_minutes_without_a_good_look(verdicts: str) -> None:
    course = deployed()
    first = None
    expected = False
    for minute, sign in enumerate(verdicts):
        if course.state.status is Status.ROLLING_BACK:
            break
        each_minute(course, sign)
        now = START + minute * MINUTE
        looked = any(isinstance(fact, e.Watched | e.CheckRan) and fact.at == now for fact in course.events)
        if not looked:
            continue
        if sign == "g":
            first = None
        elif sign == "b":
            first = now if first is None else first
            expected = now - first >= 5 * MINUTE
    rolled = course.state.rollback is not None
    if rolled:
        assert expected
    assert kinds(course).count("rollback_started") <= 1


@given(late=st.integers(1, 900), begins=st.integers(0, 170), lasting=st.integers(20, 600))
def test_looks_that_come_a_moment_late_cost_no_further_interval(late: int, begins: int, lasting: int) -> None:
    """A look takes some milliseconds: it rolls back at most an interval after the limit was passed for so long."""
    text = YAML.replace("MODE", "automatic").replace("lasting: 5m", f"lasting: {lasting}s")
    course = Course(plan(TEXT, text, Back="rollback"))
    course.to_t0()
    passed = course.now + timedelta(seconds=begins)
    for _ in range(40):
        if course.state.status is Status.ROLLING_BACK:
            break
        at = min(deadlines(course.plan, course.state).values())
        course.now = max(course.now, at) + timedelta(milliseconds=late)
        course.ring_all(BAD if course.now >= passed else GOOD)
    assert course.state.rollback is not None
    span = course.state.rollback.at - passed - timedelta(seconds=lasting)
    assert timedelta(0) <= span <= MINUTE + timedelta(seconds=3)
