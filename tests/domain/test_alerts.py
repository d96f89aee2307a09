"""Whose an alert is, what of it is news, and what it adds up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain import alerts
from bot.domain import events as e
from bot.domain.alerts import Alerts, Signal
from bot.domain.deployment import Status
from checklists.policy import Announcement
from tests.domain.runs import START, Course, plan, policy
from tests.domain.shop import shop

HIGH = Signal("alertmanager", "f1", True, name="HighErrorRate", severity="critical", since=START)
SLOW = Signal("alertmanager", "f2", True, name="Slow", severity="warning", since=START)
MINUTE = timedelta(minutes=1)


def cleared(signal: Signal, at: datetime) -> Signal:
    """Its end, by a sender who does not say which of its times it was."""
    return replace(signal, firing=False, since=None, ended=at)


class Heard:
    """Signals as they come in, at their times."""

    def __init__(self) -> None:
        self.alerts: Alerts = {}
        self.now = START

    def hear(self, *signals: Signal, after: timedelta = timedelta(0), takes: bool = True) -> list[str]:
        self.now += after
        facts = alerts.news(self.alerts, signals, self.now, takes=takes)
        for fact in facts:
            alerts.note(self.alerts, fact)
        return [fact.kind for fact in facts]

    @property
    def stretches(self) -> Sequence[alerts.Alert]:
        return alerts.every(self.alerts)


@pytest.fixture
def heard() -> Heard:
    return Heard()


# --- whose it is ------------------------------------------------------------------------------------------------------

ENTRIES = policy("""
alerts:
  - {from: alertmanager, matching: 'namespace="production",service=~"api|web"'}
  - {from: alertmanager, matching: 'team="shop"', environments: [staging]}
  - {from: datadog, matching: "service:api, env:production"}
  - {from: sentry, matching: shop-api}
""")


@pytest.mark.parametrize(
    ("signal", "environment", "belongs"),
    [
        (replace(HIGH, labels={"namespace": "production", "service": "web"}), "production", True),
        (replace(HIGH, labels={"namespace": "production", "service": "website"}), "production", False),
        (replace(HIGH, labels={"namespace": "production"}), "production", False),
        (replace(HIGH, labels={"namespace": "production", "service": "web"}), "staging", False),
        (replace(HIGH, labels={"team": "shop"}), "staging", True),
        (replace(HIGH, source="datadog", tags=frozenset({"service:api", "env:production", "x"})), "production", True),
        (replace(HIGH, source="datadog", tags=frozenset({"service:api"})), "production", False),
        (replace(HIGH, source="sentry", projects=frozenset({"shop-api"})), "production", True),
        (replace(HIGH, source="sentry", projects=frozenset({"shop"})), "production", False),
        (replace(HIGH, source="sentry", labels={"team": "shop"}), "staging", False),
    ],
)
def test_an_alert_belongs_where_its_own_system_is_matched(signal: Signal, environment: str, belongs: bool) -> None:
    assert alerts.belongs(ENTRIES, environment, signal) is belongs


# --- what is news -----------------------------------------------------------------------------------------------------


def test_a_repeat_says_nothing_and_one_that_fires_anew_does(heard: Heard) -> None:
    assert heard.hear(HIGH, HIGH, SLOW) == ["alert_raised", "alert_raised"]
    assert heard.hear(HIGH, SLOW, after=5 * MINUTE) == []
    assert heard.hear(cleared(HIGH, heard.now), after=MINUTE) == ["alert_cleared"]
    assert heard.hear(cleared(HIGH, heard.now), HIGH) == []
    assert heard.hear(replace(HIGH, since=heard.now + MINUTE), after=MINUTE) == ["alert_raised"]


def test_an_end_that_is_told_late_does_not_clear_what_fires_anew(heard: Heard) -> None:
    heard.hear(HIGH)
    heard.hear(cleared(HIGH, heard.now), after=MINUTE)
    heard.hear(replace(HIGH, since=START + 2 * MINUTE), after=MINUTE)
    assert heard.hear(replace(HIGH, firing=False, ended=START + MINUTE), after=MINUTE) == []
    assert [one.latest.name for one in alerts.firing(heard.alerts)] == ["HighErrorRate"]


def test_an_end_told_late_without_its_beginning_does_not_either(heard: Heard) -> None:
    heard.hear(HIGH)
    over = cleared(HIGH, START + MINUTE)
    assert heard.hear(over, after=MINUTE) == ["alert_cleared"]
    heard.hear(replace(HIGH, since=START + 2 * MINUTE), after=MINUTE)
    assert heard.hear(over, after=MINUTE) == []
    assert len(alerts.firing(heard.alerts)) == 1
    heard.hear(cleared(HIGH, START + 4 * MINUTE), after=MINUTE)
    heard.hear(replace(HIGH, since=START + 60 * MINUTE), after=60 * MINUTE)
    assert heard.hear(over) == []
    assert heard.hear(cleared(HIGH, heard.now), after=MINUTE) == ["alert_cleared"]


def test_a_clearing_of_what_nobody_raised_is_none(heard: Heard) -> None:
    assert heard.hear(cleared(HIGH, START)) == []


def test_after_the_end_nothing_new_is_taken_and_what_is_known_clears(heard: Heard) -> None:
    heard.hear(HIGH)
    assert heard.hear(SLOW, takes=False) == []
    assert heard.hear(cleared(HIGH, START), takes=False) == ["alert_cleared"]


def test_what_flaps_is_one_stretch_and_what_comes_back_later_another(heard: Heard) -> None:
    heard.hear(HIGH)
    for _ in range(3):
        heard.hear(cleared(HIGH, heard.now), after=MINUTE)
        heard.hear(replace(HIGH, since=heard.now + MINUTE), after=29 * MINUTE)
    (one,) = heard.stretches
    assert (one.times, one.firing, one.since) == (4, True, START)
    heard.hear(cleared(HIGH, heard.now), after=MINUTE)
    heard.hear(replace(HIGH, since=heard.now + MINUTE), after=31 * MINUTE)
    assert [(each.number, each.times) for each in heard.stretches] == [(1, 4), (2, 1)]
    assert len({each.id for each in heard.stretches}) == 2


def test_a_warning_that_becomes_critical_is_told_anew(heard: Heard) -> None:
    heard.hear(SLOW)
    assert heard.hear(replace(SLOW, severity="critical"), after=MINUTE) == ["alert_raised"]
    assert [(each.worse, each.calls) for each in heard.stretches] == [(True, False), (False, True)]
    assert heard.hear(SLOW, after=MINUTE) == []


def test_twenty_have_messages_of_their_own_and_the_others_are_counted(heard: Heard) -> None:
    warnings = [replace(SLOW, fingerprint=f"w{number}") for number in range(30)]
    pages = [replace(HIGH, fingerprint=f"p{number}", severity="page") for number in range(30)]
    heard.hear(*warnings)
    assert sum(each.shown for each in heard.stretches) == alerts.MOST - alerts.KEPT_FREE
    heard.hear(*pages)
    shown = [each for each in heard.stretches if each.shown]
    assert (len(shown), sum(each.calls for each in shown)) == (alerts.MOST, alerts.KEPT_FREE)
    assert len(alerts.firing(heard.alerts)) == 60


def test_of_a_flood_only_so_many_are_kept(heard: Heard) -> None:
    heard.hear(*(replace(SLOW, fingerprint=f"w{number}") for number in range(1_000)))
    assert len(heard.alerts) == alerts.KNOWN
    assert heard.hear(replace(SLOW, fingerprint="new")) == []


def test_a_senders_clock_that_is_ahead_does_not_make_it_begin_later_or_end_before(heard: Heard) -> None:
    heard.hear(replace(HIGH, since=START + timedelta(hours=1)))
    heard.hear(cleared(HIGH, START - timedelta(hours=1)), after=MINUTE)
    (one,) = heard.stretches
    assert (one.since, one.ended) == (START, START)


# --- an alarm is an issue ---------------------------------------------------------------------------------------------


def live() -> Course:
    """After T0, measured by nothing but people and alerts."""
    course = shop()
    course.to_t0()
    course.pass_time(minutes=5)
    return course


def hear(course: Course, *signals: Signal) -> None:
    course.add(alerts.news(course.state.alerts, signals, course.now, takes=True))


def said(course: Course) -> list[Announcement]:
    return [fact.announcement for fact in course.events if isinstance(fact, e.Announced)]


@pytest.mark.parametrize("severity", ["critical", "CRITICAL", "page", "P1", "fatal"])
def test_a_critical_alert_after_t0_is_announced_as_an_issue(severity: str) -> None:
    course = live()
    hear(course, replace(HIGH, severity=severity, since=course.now))
    assert said(course)[-1] is Announcement.ISSUE


@pytest.mark.parametrize("severity", ["warning", "error", "P2", "", "info"])
def test_a_lesser_one_is_not(severity: str) -> None:
    course = live()
    hear(course, replace(HIGH, severity=severity, since=course.now))
    assert Announcement.ISSUE not in said(course)


def test_one_that_fired_before_t0_is_not_its_doing() -> None:
    course = live()
    hear(course, replace(HIGH, since=START - MINUTE))
    assert Announcement.ISSUE not in said(course)
    assert len(alerts.firing(course.state.alerts)) == 1


def test_one_that_flapped_before_t0_and_is_raised_again_after_it_is_an_issue() -> None:
    course = shop()
    hear(course, replace(HIGH, since=course.now))
    hear(course, cleared(HIGH, course.now))
    course.to_t0()
    course.pass_time(minutes=5)
    hear(course, replace(HIGH, since=course.now))
    assert len(alerts.every(course.state.alerts)) == 1, "it goes on with its old message"
    assert said(course)[-1] is Announcement.ISSUE


def test_before_t0_it_is_on_the_card_and_no_issue() -> None:
    course = shop()
    hear(course, replace(HIGH, since=course.now))
    assert course.state.status is Status.RUNNING
    assert Announcement.ISSUE not in said(course)


def test_two_alarms_are_one_issue_that_ends_with_the_last() -> None:
    course = live()
    hear(course, replace(HIGH, since=course.now), replace(HIGH, fingerprint="f9", since=course.now))
    lasting = course.state.issue
    assert lasting is not None
    hear(course, cleared(HIGH, course.now))
    assert course.state.issue == lasting
    course.pass_time(minutes=1)
    hear(course, cleared(replace(HIGH, fingerprint="f9"), course.now))
    assert course.state.issue == replace(lasting, well=course.now)
    assert said(course).count(Announcement.ISSUE) == 1


def test_it_is_escalated_until_somebody_acknowledges_or_it_clears() -> None:
    yaml = """
phases: {Deploy: {deployed: true}}
escalation: [on_call, lead]
people: {on_call: {name: O}, lead: {name: L}}
"""
    course = Course(plan("# Before\n- [ ] tests\n# Deploy\n- [ ] switch\n# After\n- [ ] look\n", yaml))
    course.to_t0()
    course.pass_time(minutes=5)
    hear(course, replace(HIGH, since=course.now))
    course.pass_time(minutes=6)
    assert any(key.startswith("escalate:") for key in course.due)
    hear(course, cleared(HIGH, course.now))
    assert not any(key.startswith("escalate:") for key in course.due)
