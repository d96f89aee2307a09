"""What a check and `/deploy status` draw: error rate and latency against their limits, and what happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from bot.cards import card as c
from bot.cards.chart import Chart, Limit, Mark
from bot.cards.charts import MOST_POINTS, status_picture
from bot.cards.codec import card_from_json, card_to_json, chart_digest
from bot.cards.replies import status
from bot.domain import events as e
from bot.domain import moves
from tests.cards.drawn import SHOP, posted, view
from tests.domain.runs import GONOGO, Course, plan, shipped

POLICY = """
timezone: Europe/Berlin
windows: {production: always}
phases: {Deploy: {deployed: true}, After: {opens: T+30m}, Back: {kind: rollback}}
probes:
  error_rate: {say: Error rate, datadog: x, unit: ratio}
  p95_latency: {say: P95 latency, datadog: y, unit: ms}
  pods: {say: Pods, datadog: z, unit: ratio}
watch:
  - at: T+0
    name: First minutes
    every: 1m
    for: 5m
    measure: {pods: "= 100%", error_rate: "< 0.1%", p95_latency: "< 100ms"}
  - at: T+30m
    measure: {p95_latency: "< 100ms", error_rate: "< 0.1%"}
    alert: {error_rate: "> 5%", p95_latency: "> 500ms"}
  - {at: T+2h, measure: {error_rate: "< 0.2%"}}
rollback: {alert: {error_rate: "> 5%"}, lasting: 5m}
"""


def watched(yaml: str = POLICY) -> Course:
    """At T0."""
    course = Course(plan(SHOP, yaml, Back="rollback"))
    course.to_t0()
    return course


def measure(
    course: Course,
    check: str,
    number: int,
    *,
    late: int = 0,
    past: tuple[e.Past, ...] = (),
    verdict: e.Verdict = e.Verdict.HEALTHY,
    **values: float | None,
) -> None:
    """What the run of a check found at this moment, in base units; `None` could not be measured."""
    known = course.plan.check(check)
    assert known is not None
    judged = tuple(
        e.Judged(
            measurement=e.Measurement(
                name=name,
                outcome=e.Outcome.NO_DATA if value is None else e.Outcome.MEASURED,
                value=value,
                dimension="" if value is None else "seconds" if "latency" in name else "ratio",
            ),
            verdict=e.Verdict.HEALTHY,
        )
        for name, value in values.items()
    )
    ran = e.CheckRan(
        at=course.now,
        by=GONOGO,
        check=check,
        due=course.state.due_times(known)[number],
        verdict=verdict,
        judged=judged,
        late_seconds=late,
        past=past,
    )
    course.add([ran])


def first_minutes(course: Course, *rates: float | None) -> None:
    minutes_of_series(course, 0, *rates)


def minutes_of_series(course: Course, first: int, *rates: float | None) -> None:
    for number, rate in enumerate(rates, first):
        measure(course, "t0s", number, pods=1.0, error_rate=rate, p95_latency=0.2)
        course.pass_time(minutes=1)


def at_thirty(course: Course, **values: float | None) -> None:
    assert course.state.t0 is not None
    course.now = course.state.t0 + timedelta(minutes=30)
    measure(course, "t30", 0, **(values or {"error_rate": 0.0005, "p95_latency": 0.08}))


def picture_of(course: Course, slot: str) -> c.Picture | None:
    return next((block for block in posted(course)[slot].blocks if isinstance(block, c.Picture)), None)


def chart_of(course: Course, slot: str = "check:t30:0") -> Chart:
    found = picture_of(course, slot)
    assert found is not None
    return found.chart


def test_a_check_shows_all_that_was_measured_up_to_it() -> None:
    course = watched()
    first_minutes(course, 0.0002, 0.0008)
    at_thirty(course)
    chart = chart_of(course)
    t0 = course.state.t0
    assert t0 is not None
    errors, latency = chart.curves
    assert (errors.name, errors.unit, latency.name, latency.unit) == ("Error rate", "%", "P95 latency", "ms")
    minutes = [(at - t0) / timedelta(minutes=1) for at, _ in errors.points]
    assert (minutes, [value for _, value in errors.points]) == ([0, 1, 30], [0.02, 0.08, 0.05])
    assert [value for _, value in latency.points] == [200, 200, 80]
    assert (chart.title, chart.zone, chart.start, chart.small) == (
        "shop v1.2.0 → production",
        "Europe/Berlin",
        t0,
        False,
    )


def test_limits_are_those_of_the_check_and_of_the_rollback_each_value_once() -> None:
    course = watched()
    first_minutes(course, 0.0002)
    at_thirty(course)
    errors, latency = chart_of(course).curves
    assert errors.limits == (Limit("target < 0.1%", 0.1), Limit("roll back > 5%", 5.0, bad=True))
    assert latency.limits == (Limit("target < 100ms", 100.0), Limit("alert > 500ms", 500.0, bad=True))


def test_t0_and_the_rollback_are_marked_and_what_came_later_is_not() -> None:
    course = watched()
    first_minutes(course, 0.0002)
    t0 = course.state.t0
    assert t0 is not None
    at_thirty(course)
    before = chart_of(course)
    assert before.marks == (Mark(t0, "deployed v1.2.0"),)
    course.pass_time(minutes=10)
    course.do(moves.roll_back, "v1.1.0", "slow", "")
    assert chart_of(course) == before, "a picture that was posted stays"
    course.pass_time(minutes=1)
    shown = status_picture(view(course))
    assert shown is not None
    assert shown.chart.marks[1].label == "rollback began"


def test_words_say_what_the_picture_shows() -> None:
    course = watched()
    first_minutes(course, 0.0002, 0.0008)
    at_thirty(course)
    found = picture_of(course, "check:t30:0")
    assert found is not None
    assert found.alt == (
        "Error rate 0.05% (target < 0.1%, roll back > 5%), between 0.02% and 0.08% since 11:04; "
        "P95 latency 80ms (target < 100ms, alert > 500ms), between 80ms and 200ms since 11:04; "
        "deployed v1.2.0 at 11:04."
    )


def test_one_measurement_makes_no_picture() -> None:
    course = watched()
    at_thirty(course)
    assert picture_of(course, "check:t30:0") is None
    assert status_picture(view(course)) is None


def test_a_series_has_one_on_its_message_which_grows() -> None:
    course = watched()
    first_minutes(course, 0.0002)
    assert picture_of(course, "check:t0s:0") is None
    minutes_of_series(course, 1, 0.0008, 0.0006)
    pictures = [block for block in posted(course)["check:t0s:0"].blocks if isinstance(block, c.Picture)]
    assert [len(picture.chart.curves[0].points) for picture in pictures] == [3]


def test_each_message_of_a_series_shows_what_was_known_when_it_was_the_latest() -> None:
    course = watched()
    first_minutes(course, 0.0002, 0.0003)
    quiet = chart_of(course, "check:t0s:0")
    measure(course, "t0s", 2, verdict=e.Verdict.FAILING, pods=1.0, error_rate=0.07, p95_latency=0.2)
    assert chart_of(course, "check:t0s:0") == quiet
    assert [value for _, value in chart_of(course, "check:t0s:1").curves[0].points] == [0.02, 0.03, 7.0]


def test_what_could_not_be_measured_is_missing() -> None:
    course = watched()
    first_minutes(course, 0.0002, None, 0.0008)
    at_thirty(course)
    assert len(chart_of(course).curves[0].points) == 3
    assert len(chart_of(course).curves[1].points) == 4


def test_a_late_result_stands_at_the_time_it_was_asked_for() -> None:
    course = watched()
    first_minutes(course, 0.0002)
    assert course.state.t0 is not None
    due = course.state.t0 + timedelta(minutes=30)
    course.now = due + timedelta(minutes=47)
    measure(course, "t30", 0, late=47 * 60, error_rate=0.0005)
    assert chart_of(course).curves[0].points[-1][0] == due


def test_looks_between_the_checks_count() -> None:
    course = watched()
    first_minutes(course, 0.0002)
    seen = e.Measurement(name="error_rate", outcome=e.Outcome.MEASURED, value=0.06, dimension="ratio")
    judged = (e.Judged(measurement=seen, verdict=e.Verdict.FAILING),)
    course.pass_time(minutes=9)
    course.add([e.Watched(at=course.now, by=GONOGO, due=course.now, breach=True, judged=judged)])
    at_thirty(course)
    assert [value for _, value in chart_of(course).curves[0].points] == [0.02, 6.0, 0.05]


def past_of(course: Course, name: str, points: Sequence[tuple[datetime, float]]) -> e.Past:
    start = points[0][0]
    return e.Past(name=name, start=start, points=tuple((int((at - start).total_seconds()), v) for at, v in points))


def test_what_was_before_t0_is_drawn_before_it() -> None:
    course = watched()
    t0 = course.state.t0
    assert t0 is not None
    known = [(t0 - timedelta(minutes=n), 0.0004) for n in range(30, -3, -1)]
    past = (past_of(course, "error_rate", known), past_of(course, "nobody_asked", known))
    measure(course, "t0s", 0, past=past, pods=1.0, error_rate=0.0002)
    at_thirty(course)
    chart = chart_of(course)
    points = chart.curves[0].points
    assert (chart.start, len(points)) == (t0 - timedelta(minutes=30), 34)
    assert points[30] == (t0, 0.02), "what was measured beats what is recalled"
    assert points[29:33] == ((t0 - timedelta(minutes=1), 0.04), (t0, 0.02), *points[31:33])
    found = picture_of(course, "check:t30:0")
    assert found is not None
    assert "since 10:34" in found.alt
    first = picture_of(course, "check:t0s:0")
    assert first is not None
    assert first.chart.curves[0].points[-1] == (t0, 0.02), "a posted picture knows nothing of what came later"


def test_what_a_result_recalled_stays_when_it_is_measured_again() -> None:
    course = watched()
    t0 = course.state.t0
    assert t0 is not None
    past = (past_of(course, "error_rate", [(t0 - timedelta(minutes=n), 0.0004) for n in range(9, 0, -1)]),)
    measure(course, "t0s", 0, past=past, error_rate=None, p95_latency=0.1)
    course.pass_time(minutes=1)
    measure(course, "t0s", 0, error_rate=0.0002, p95_latency=0.1)
    assert len(chart_of(course, "check:t0s:0").curves[0].points) == 10


def test_many_points_are_thinned_without_losing_a_peak_a_dip_or_the_last_and_without_a_gap() -> None:
    course = watched()
    t0 = course.state.t0
    assert t0 is not None
    values = {777: 0.09, 1_234: 0.0}
    past = [(t0 - timedelta(seconds=10 * n), values.get(n, 0.0004 + n % 7 / 1e5)) for n in range(2_000, 0, -1)]
    measure(course, "t0s", 0, past=(past_of(course, "error_rate", past),), error_rate=0.0005)
    points = chart_of(course, "check:t0s:0").curves[0].points
    assert MOST_POINTS // 2 < len(points) <= MOST_POINTS
    assert [value for _, value in points if value in (0.0, 9.0)] == [0.0, 9.0]
    assert points[-1][1] == 0.05
    assert list(points) == sorted(points)
    assert len({after - before for (before, _), (after, _) in pairwise(points[:-1])}) == 1


def test_status_carries_a_small_one_up_to_now() -> None:
    course = watched()
    first_minutes(course, 0.0002, 0.0008)
    at_thirty(course)
    course.pass_time(minutes=5, seconds=20)
    card = status(view(course)).card
    assert card is not None
    (found,) = [block for block in card.blocks if isinstance(block, c.Picture)]
    assert found.chart.small
    assert [curve.name for curve in found.chart.curves] == ["Error rate"]
    assert found.chart.end == course.now.replace(second=0)
    again = status_picture(view(course))
    assert again == found
    course.pass_time(seconds=30)
    assert status_picture(view(course)) == found, "within a minute it is the same picture"


def test_seconds_above_five_are_drawn_in_seconds() -> None:
    course = watched()
    measure(course, "t0s", 0, p95_latency=7.5)
    course.pass_time(minutes=1)
    measure(course, "t0s", 1, p95_latency=1.0)
    found = status_picture(view(course))
    assert found is not None
    assert (found.chart.curves[0].unit, [value for _, value in found.chart.curves[0].points]) == ("s", [7.5, 1.0])


def test_where_there_is_no_error_rate_another_share_is_drawn() -> None:
    course = watched()
    measure(course, "t0s", 0, pods=1.0)
    course.pass_time(minutes=1)
    measure(course, "t0s", 1, pods=0.9)
    found = status_picture(view(course))
    assert found is not None
    assert [curve.name for curve in found.chart.curves] == ["Pods"]


def test_a_check_that_only_compares_with_the_normal_is_drawn_too() -> None:
    course = Course(shipped("maishapoa"))
    course.to_t0()
    names = ("error_rate_vs_normal", "response_time_vs_normal")
    for check in course.plan.checks[:2]:
        due = course.state.due_times(check)[0]
        course.now = max(course.now, due)
        judged = tuple(
            e.Judged(
                measurement=e.Measurement(name=name, outcome=e.Outcome.MEASURED, value=0.9, dimension="times normal"),
                verdict=e.Verdict.HEALTHY,
            )
            for name in names
        )
        course.add([e.CheckRan(at=due, by=GONOGO, check=check.id, due=due, verdict=e.Verdict.HEALTHY, judged=judged)])
    found = status_picture(view(course))
    assert found is not None
    assert (found.chart.curves[0].unit, found.chart.curves[0].limits[0].label) == ("x", "target <= 1 x")


def test_a_picture_is_kept_letter_for_letter() -> None:
    course = watched()
    first_minutes(course, 0.0002, 0.0008)
    at_thirty(course)
    card = posted(course)["check:t30:0"]
    assert card_from_json(card_to_json(card)) == card
    small = status(view(course)).card
    assert small is not None
    assert card_from_json(card_to_json(small)) == small
    one, other = chart_of(course), next(b.chart for b in small.blocks if isinstance(b, c.Picture))
    assert chart_digest(one) != chart_digest(other)


def test_the_words_of_the_message_stay_as_they_were() -> None:
    course = watched()
    first_minutes(course, 0.0002)
    at_thirty(course)
    assert "since" not in posted(course)["check:t30:0"].text
