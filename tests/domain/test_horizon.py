"""What will fall badly, said at the start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.calendar import Opening, opening, rules_for
from bot.domain.horizon import Concern, concerns
from checklists.plan import Plan
from tests.domain.runs import plan, shipped

TEXT = "# Before\n- [ ] a\n# After\n- [ ] b\n"
YAML = """
timezone: America/New_York
expected: 45m
windows: {production: ["tue-thu 10:00-16:00"]}
freezes:
  - {dates: "2026-11-26 - 2026-11-26", why: Thanksgiving}
phases: {Before: {deployed: true}}
watch:
  - {at: T+0, every: 1m, for: 5m}
  - {at: T+30m, name: half hour}
  - {at: T+2h, name: two hours}
  - {at: T+24h, name: next day}
"""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def found(of: Plan, start: datetime, planned: datetime | None = None) -> list[Concern]:
    rules = rules_for(of.policy, of.environment)

    def asked(when: datetime) -> Opening:
        return opening(rules, when)

    return concerns(of, start, planned, asked(planned or start), asked)


def test_a_start_in_the_middle_of_the_window_and_the_week_is_no_concern() -> None:
    assert found(plan(TEXT, YAML), at("2026-11-17 15:30")) == []


def test_a_run_that_takes_longer_than_the_window_is_open_is_said() -> None:
    (late,) = found(plan(TEXT, YAML), at("2026-11-17 20:30"))
    assert (late.code, late.at) == ("late", at("2026-11-17 21:15"))


def test_a_run_that_ends_as_the_window_closes_fits() -> None:
    assert found(plan(TEXT, YAML), at("2026-11-17 20:15")) == []


def test_a_check_in_a_freeze_names_it() -> None:
    concern = found(plan(TEXT, YAML), at("2026-11-25 15:30"))[-1]
    assert concern == Concern("freeze", "next day", at("2026-11-26 16:15"), "Thanksgiving")


def test_a_closed_window_is_no_freeze() -> None:
    assert not [c for c in found(plan(TEXT, YAML), at("2026-11-19 15:30")) if c.code == "freeze"]


def test_a_check_on_a_weekend_is_said_to_who_starts_on_a_friday() -> None:
    azora = shipped("azora")
    assert [c.code for c in found(azora, at("2026-11-20 16:30"))] == ["weekend"]
    assert found(azora, at("2026-11-21 16:30")) == [], "who starts on a Saturday knows"


def test_a_check_by_night_is_said_to_who_starts_in_the_evening() -> None:
    azora = shipped("azora")
    assert [(c.code, c.what) for c in found(azora, at("2026-11-17 20:00"))] == [("night", "2-hour check")]
    assert found(azora, at("2026-11-17 23:00")) == [], "who starts by night knows"


def test_a_plan_is_judged_for_its_time_and_not_for_now() -> None:
    azora = shipped("azora")
    assert found(azora, at("2026-11-20 16:30"), planned=at("2026-11-24 10:00")) == []


@given(st.integers(0, 60 * 24 * 28))
def test_there_is_one_concern_at_most_for_each_check_and_they_are_in_order(minutes: int) -> None:
    concerns = found(plan(TEXT, YAML), at("2026-11-02 00:00") + timedelta(minutes=minutes))
    names = [concern.what for concern in concerns]
    assert len(names) == len(set(names))
    assert [c.at for c in concerns if c.what] == sorted(c.at for c in concerns if c.what)
