"""People are reminded of what waits for them, by name, a few times, and not of what is done."""

from __future__ import annotations

from datetime import timedelta

from bot.domain import events as e
from bot.domain import moves, reminders
from tests.domain.runs import ALL, START, Course, live

TEXT = "# Deploy\n- [ ] switch\n# After\n- [ ] no complaints\n- [ ] logs are quiet\n"
POLICY = """
phases: {Deploy: {deployed: true}}
probes: {error_rate: {prometheus: x, unit: ratio}}
watch:
  - {at: T+30m, phase: After, measure: {error_rate: "< 1%"}}
  - {at: T+24h, measure: {error_rate: "< 1%"}}
escalation: [on_call, lead, cto]
"""
HALF = timedelta(minutes=30)
T0 = START
UNKNOWN = e.Verdict.INCONCLUSIVE


def at_thirty(verdict: e.Verdict = e.Verdict.HEALTHY, policy: str = POLICY) -> Course:
    course = live(TEXT, policy)
    course.tick("switch")
    course.go(verdict, minutes=30)
    return course


def reminded(course: Course) -> list[tuple[str, int, str, timedelta]]:
    return [(fact.what, fact.number, fact.role, fact.at - T0) for fact in course.events if isinstance(fact, e.Reminded)]


def every_quarter(course: Course, hours: int, verdict: e.Verdict = e.Verdict.HEALTHY) -> None:
    for _ in range(hours * 4):
        course.go(verdict, minutes=15)


def test_the_on_call_is_reminded_of_open_items_every_half_hour_four_times() -> None:
    course = at_thirty()
    every_quarter(course, 5)
    assert reminded(course) == [("items", n, "on_call", HALF * (n + 1)) for n in (1, 2, 3, 4)]


def test_what_is_done_is_no_longer_asked_for() -> None:
    course = at_thirty()
    course.go(minutes=30)
    course.tick("no-complaints", "logs-are-quiet")
    every_quarter(course, 3)
    assert len(reminded(course)) == 1


def test_what_is_excused_is_done() -> None:
    course = at_thirty()
    for item in ("no-complaints", "logs-are-quiet"):
        course.do(moves.excuse, item, "there is no support channel", who=ALL)
    every_quarter(course, 3)
    assert reminded(course) == []


def test_half_hours_that_were_slept_through_are_not_made_up_for() -> None:
    course = at_thirty()
    course.go(minutes=125)
    assert [number for _, number, *_ in reminded(course)] == [4]
    every_quarter(course, 3)
    assert len(reminded(course)) == 1


def test_nothing_is_asked_for_before_the_check_has_run() -> None:
    course = live(TEXT, POLICY)
    assert reminders.due(course.plan, course.state) == {}
    assert reminders.open_items(course.plan, course.state, course.plan.checks[0]) == ()


def test_nothing_is_asked_for_while_it_is_rolled_back() -> None:
    course = at_thirty(UNKNOWN)
    course.do(moves.roll_back, "v1", "bad", "", who=ALL)
    assert reminders.due(course.plan, course.state) == {}


def test_two_checks_of_one_phase_remind_once() -> None:
    more = POLICY.replace(
        "  - {at: T+24h", '  - {at: T+45m, phase: After, measure: {error_rate: "< 1%"}}\n  - {at: T+24h'
    )
    course = at_thirty(policy=more)
    every_quarter(course, 4)
    assert len({(what, number) for what, number, *_ in reminded(course)}) == len(reminded(course)) <= 4


def test_when_nobody_decides_what_could_not_be_told_the_next_of_the_escalation_is_called_once() -> None:
    course = at_thirty(UNKNOWN)
    course.tick("no-complaints", "logs-are-quiet")
    every_quarter(course, 3)
    assert reminded(course) == [("decision", 1, "lead", timedelta(minutes=45))]


def test_without_an_escalation_the_on_call_is_called_again() -> None:
    course = at_thirty(UNKNOWN, POLICY.replace("escalation: [on_call, lead, cto]", ""))
    course.go(minutes=15)
    assert [role for *_, role, _ in reminded(course)] == ["on_call"]


def test_what_is_decided_needs_nobody() -> None:
    course = at_thirty(UNKNOWN)
    course.tick("no-complaints", "logs-are-quiet")
    course.do(moves.accept, "t30", 0, "looked at the dashboard", who=ALL)
    every_quarter(course, 3)
    assert reminded(course) == []


def test_what_was_measured_again_and_is_healthy_needs_nobody() -> None:
    course = at_thirty(UNKNOWN)
    course.tick("no-complaints", "logs-are-quiet")
    course.settle(decide=False)
    every_quarter(course, 3)
    assert reminded(course) == []


def test_a_series_that_could_be_told_in_the_end_needs_nobody() -> None:
    series = POLICY.replace("- {at: T+30m, phase: After,", "- {at: T+0, every: 1m, for: 5m,")
    course = live(TEXT, series)
    course.tick("switch", "no-complaints", "logs-are-quiet")
    for verdict in (UNKNOWN, UNKNOWN, e.Verdict.HEALTHY, e.Verdict.HEALTHY, e.Verdict.HEALTHY, e.Verdict.HEALTHY):
        course.ring_all(verdict)
        course.pass_time(minutes=1)
    every_quarter(course, 2)
    assert reminded(course) == []


def test_the_last_results_of_a_series_that_nobody_could_tell_are_one_decision() -> None:
    series = POLICY.replace("- {at: T+30m, phase: After,", "- {at: T+0, every: 1m, for: 5m,")
    course = live(TEXT, series)
    course.tick("switch", "no-complaints", "logs-are-quiet")
    for _ in range(6):
        course.ring_all(UNKNOWN)
        course.pass_time(minutes=1)
    course.go(UNKNOWN, minutes=30)
    assert [what for what, *_ in reminded(course)] == ["decision"]


def test_every_reminder_has_a_deadline_of_its_own() -> None:
    course = at_thirty(UNKNOWN)
    keys: set[str] = set()
    for _ in range(20):
        keys |= reminders.due(course.plan, course.state).keys()
        course.go(UNKNOWN, minutes=15)
    said = [fact for fact in course.events if isinstance(fact, e.Reminded)]
    assert len(keys) == len(said) == 5
