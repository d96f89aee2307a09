"""What is said of a check that ran late: what was asked as of its time, and what could only be measured then."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.cards import replies
from bot.domain import events as e
from bot.domain.people import GONOGO
from tests.cards.drawn import lines, main, posted, shop, view
from tests.domain.runs import Course

POLICY = """
phases: {Deploy: {deployed: true}, Back: {kind: rollback}}
probes:
  health: {say: Internal API, http: "https://example.org"}
  orders: {say: Orders, kubernetes: "pods app=orders -n shop", unit: ratio, target: "= 100%"}
  paged: {datadog: monitor 4201}
  error_rate: {say: Error rate, datadog: "avg:errors{*}", unit: ratio}
  requests: {prometheus: r, unit: count}
watch:
  - {at: T+30m, name: 30-minute check, probes: [PROBES], measure: {MEASURES}}
  - {at: T+2h, name: 2-hour check, measure: {error_rate: "< 1%"}}
"""


def late(probes: str, measures: str, *names: str) -> tuple[Course, datetime]:
    """A deployment whose 30-minute check ran 47 minutes late, and when it was due."""
    course = shop(POLICY.replace("PROBES", probes).replace("MEASURES", measures))
    course.to_t0()
    course.tick_all()
    due = course.now + timedelta(minutes=30)
    course.pass_time(minutes=77)
    found = [
        e.Measurement(name=name, outcome=e.Outcome.MEASURED, value=1.0, dimension="ok", detail="as it should be")
        for name in names
    ]
    judged = tuple(e.Judged(measurement=one, verdict=e.Verdict.HEALTHY) for one in found)
    course.add([
        e.CheckRan(at=course.now, by=GONOGO, check="t30", due=due, verdict=e.Verdict.HEALTHY, judged=judged,
                   late_seconds=47 * 60)
    ])  # fmt: skip
    return course, due


@pytest.mark.parametrize(
    ("probes", "measures", "names", "said"),
    [
        ("", 'error_rate: "< 1%"', ("error_rate",), "asked as of then"),
        ("health", "", ("health",), "measured only at 11:21"),
        ("health, orders", "", ("health", "orders"), "measured only at 11:21"),
        (
            "health", 'error_rate: "< 1%"', ("health", "error_rate"),
            "asked as of then; Internal API was measured only at 11:21",
        ),
        (
            "health, orders, paged", 'error_rate: "< 1%", requests: "> 1 count"',
            ("health", "orders", "paged", "error_rate", "requests"),
            "asked as of then; Internal API, Orders, paged were measured only at 11:21",
        ),
    ],
)  # fmt: skip
def test_what_has_no_past_is_said_to_be_measured_only_now(
    probes: str, measures: str, names: tuple[str, ...], said: str
) -> None:
    course, due = late(probes, measures, *names)
    card = posted(course)["check:t30:0"]
    assert lines(card)[0] == f"Ran 47 m late: due {due:%H:%M}, {said}."
    assert f"Ran 47 m late: due {due:%H:%M}, {said}." in card.text


def test_the_card_and_the_status_say_it_while_it_is_the_newest_result() -> None:
    course, due = late("health", 'error_rate: "< 1%"', "health", "error_rate")
    said = f"30-minute check ran 47 m late: due {due:%H:%M}, asked as of then; Internal API was measured only at 11:21"
    assert said in "\n".join(main(course))
    answer = replies.status(view(course))
    assert answer.card is not None
    assert said in "\n".join(lines(answer.card))
    check = course.plan.check("t120")
    assert check is not None
    course.pass_time(minutes=43)
    course.add([course.result(check, course.state.due_times(check)[0], e.Verdict.HEALTHY)])
    assert "late" not in "\n".join(main(course))
