"""How many results decide a check: each kind by itself, never for ever, and never healthy without a healthy one."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain import events as e
from bot.domain import tries, watch
from bot.domain.course import check_of, deadlines, record_check
from bot.domain.people import GONOGO
from bot.domain.tries import Kind
from checklists.plan import Check
from tests.domain.runs import START, TWO, Course, live

ONCE = 'at: T+30m, measure: {error_rate: "< 1%"}, alert: {error_rate: "> 5%"}'
POLICY = """
phases: {{Deploy: {{deployed: true}}}}
probes: {{error_rate: {{prometheus: x, unit: ratio}}}}
watch: [{{{entry}, then: announce succeeded}}]
"""
THRICE = f"{ONCE}, failures: 3, inconclusive: 2, errors: 2, again: 2m"
MINUTE = timedelta(minutes=1)
# What a try of `judged` finds: b beyond its limit, d missed its target, g good, ? no data, ! an error.
SIGNS = {
    "b": (e.Verdict.FAILING, e.Outcome.MEASURED),
    "d": (e.Verdict.DEGRADED, e.Outcome.MEASURED),
    "g": (e.Verdict.HEALTHY, e.Outcome.MEASURED),
    "?": (e.Verdict.INCONCLUSIVE, e.Outcome.NO_DATA),
    "!": (e.Verdict.INCONCLUSIVE, e.Outcome.ERROR),
}


def watched(entry: str = THRICE) -> Course:
    course = live(TWO, POLICY.format(entry=entry))
    course.tick_all()
    course.pass_time(minutes=30)
    return course


def found(course: Course, check: Check, due: datetime, sign: str) -> e.CheckRan:
    verdict, outcome = SIGNS[sign]
    value = 0.1 if outcome is e.Outcome.MEASURED else None
    measured = e.Measurement(name="error_rate", outcome=outcome, value=value, dimension="ratio" if value else "")
    judged = (e.Judged(measurement=measured, verdict=verdict),)
    return e.CheckRan(at=course.now, by=GONOGO, check=check.id, due=due, verdict=verdict, judged=judged)


def ask(course: Course, signs: str) -> list[str]:
    """Ring for the check, each try at its own time; the keys that rang."""
    rang = []
    for sign in signs:
        (key,) = [key for key in deadlines(course.plan, course.state) if key.startswith("check:")]
        course.now = max(course.now, deadlines(course.plan, course.state)[key])
        wanted = check_of(course.plan, course.state, key)
        assert wanted is not None
        course.add(record_check(course.plan, course.state, found(course, *wanted, sign)))
        rang.append(key)
    return rang


def decided(course: Course) -> e.CheckRan | None:
    run = course.state.run(course.plan, course.plan.checks[0].id, 0)
    return run.result if run is not None else None


def test_without_a_word_about_it_the_first_result_decides() -> None:
    for sign in SIGNS:
        course = watched(ONCE)
        ask(course, sign)
        result = decided(course)
        assert result is not None
        assert (result.verdict, result.tries, course.state.tries) == (SIGNS[sign][0], 1, {})


def test_only_the_third_failing_result_decides_and_is_announced() -> None:
    course = watched()
    assert ask(course, "bb") == ["check:t30:0", "check:t30:0:again:1"]
    assert (decided(course), course.said()) == (None, ["started"])
    assert [(tried.number, tried.at) for tried in course.state.tries["t30"][START + 30 * MINUTE]] == [
        (1, START + 30 * MINUTE),
        (2, START + 32 * MINUTE),
    ]
    assert ask(course, "b") == ["check:t30:0:again:2"]
    result = decided(course)
    assert result is not None
    assert (result.verdict, result.tries, result.at) == (e.Verdict.FAILING, 3, START + 34 * MINUTE)
    assert course.said() == ["started", "issue"]
    assert not [key for key in deadlines(course.plan, course.state) if key.startswith("check:")]


def test_what_is_healthy_the_second_time_was_never_an_issue() -> None:
    course = watched()
    ask(course, "bg")
    result = decided(course)
    assert result is not None
    assert (result.verdict, result.tries, course.said()) == (e.Verdict.HEALTHY, 2, ["started", "succeeded"])


def test_degraded_stands_at_once() -> None:
    course = watched()
    ask(course, "d")
    assert decided(course) is not None


def test_each_kind_counts_by_itself() -> None:
    course = watched()
    ask(course, "b?!b")
    assert decided(course) is None
    ask(course, "b")
    result = decided(course)
    assert result is not None
    assert (result.verdict, result.tries) == (e.Verdict.FAILING, 5)


def test_no_data_and_no_answer_are_counted_apart() -> None:
    course = watched()
    ask(course, "?!")
    assert decided(course) is None
    ask(course, "?")
    result = decided(course)
    assert result is not None
    assert (result.verdict, result.tries) == (e.Verdict.INCONCLUSIVE, 3)


def test_a_refusal_counts_like_an_error_and_not_where_something_else_has_no_data() -> None:
    def judged(*outcomes: e.Outcome) -> list[e.Judged]:
        return [
            e.Judged(measurement=e.Measurement(name="a", outcome=outcome), verdict=e.Verdict.INCONCLUSIVE)
            for outcome in outcomes
        ]

    unknown = e.Verdict.INCONCLUSIVE
    assert tries.kind_of(unknown, judged(e.Outcome.ERROR, e.Outcome.REFUSED)) is Kind.ERROR
    assert tries.kind_of(unknown, judged(e.Outcome.ERROR, e.Outcome.NO_DATA)) is Kind.INCONCLUSIVE
    assert tries.kind_of(unknown, judged(e.Outcome.ERROR, e.Outcome.MEASURED)) is Kind.INCONCLUSIVE
    assert tries.kind_of(unknown, []) is Kind.INCONCLUSIVE


def test_what_nothing_measures_is_for_people_at_once() -> None:
    course = live(TWO, POLICY.format(entry="at: T+30m, phase: After, inconclusive: 5"))
    course.pass_time(minutes=30)
    course.ring_all()
    assert decided(course) is not None


def test_what_is_beyond_the_limit_of_the_rollback_counts_from_the_first_try() -> None:
    limit = 'rollback: {alert: {error_rate: "> 5%"}, lasting: 10m, mode: automatic}\n'
    course = live(TWO, POLICY.format(entry=THRICE) + limit)
    course.pass_time(minutes=30)
    ask(course, "b")
    lasts = watch.breach(course.plan, course.state)
    assert lasts is not None
    assert (decided(course), lasts.since) == (None, START + 30 * MINUTE)


def test_nothing_is_announced_while_another_check_is_being_asked_again() -> None:
    series = 'at: T+0, every: 15m, for: 30m, measure: {error_rate: "< 1%"}, failures: 3}, {' + ONCE
    course = live(TWO, POLICY.format(entry=series))
    course.tick_all()
    course.go(minutes=29)
    course.pass_time(minutes=1)
    course.ring("check:t0s:2", e.Verdict.FAILING)
    course.ring("check:t30:0", e.Verdict.HEALTHY)
    assert course.said() == ["started"]
    course.pass_time(minutes=1)
    course.ring("check:t0s:2:again:1", e.Verdict.HEALTHY)
    assert course.said() == ["started", "succeeded"]


def test_a_rollback_ends_the_asking() -> None:
    course = watched()
    ask(course, "b")
    course.add([e.RollbackStarted(at=course.now, by=GONOGO, to_version="v1", reason="bad")])
    assert not [key for key in deadlines(course.plan, course.state) if key.startswith("check:")]
    check = course.plan.checks[0]
    assert record_check(course.plan, course.state, found(course, check, START + 30 * MINUTE, "b")) == []


@given(
    signs=st.text("bdg?!", min_size=28, max_size=28),
    numbers=st.tuples(st.integers(1, 10), st.integers(1, 10), st.integers(1, 10)),
)
def test_it_is_decided_in_time_by_a_result_that_was_found(signs: str, numbers: tuple[int, int, int]) -> None:
    failures, inconclusive, errors = numbers
    course = watched(f"{ONCE}, failures: {failures}, inconclusive: {inconclusive}, errors: {errors}")
    check, seen, keys = course.plan.checks[0], "", []
    for sign in signs:
        if decided(course) is not None:
            break
        keys += ask(course, sign)
        seen += sign
    result = decided(course)
    assert result is not None
    assert len(seen) == len(set(keys)) <= tries.most_tries(check)
    assert (result.verdict, result.tries) == (SIGNS[seen[-1]][0], len(seen))
    if seen[-1] in "b?!":
        assert seen.count(seen[-1]) == {"b": failures, "?": inconclusive, "!": errors}[seen[-1]]
    assert not set(seen[:-1]) & set("dg")
