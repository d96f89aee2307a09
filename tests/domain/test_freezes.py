"""Holidays, recurrences, and the ends of months and quarters."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.calendar import Code, Opening, opening, rules_for
from bot.domain.holiday_names import calendar_of
from checklists.policy import Holidays, Policy

DAY = timedelta(days=1)
ZONES = ["Pacific/Apia", "Asia/Kathmandu", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]


def frozen(freezes: list[dict[str, object]], text: str, zone: str = "UTC", told_in: str | None = None) -> Opening:
    """Asked at a reading of the clock in `told_in`, by default the policy's zone."""
    which = Policy.model_validate({"timezone": zone, "freezes": freezes})
    now = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(told_in or zone))
    return opening(rules_for(which, "production"), now)


def texts(found: Opening) -> list[str]:
    return [reason.text for reason in found.reasons]


# --- holidays --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holidays", "day", "expected"),
    [
        ({"country": "US"}, "2026-11-26", ["Thanksgiving Day"]),
        ({"country": "US"}, "2026-07-03", ["Independence Day (observed)"]),
        ({"country": "US"}, "2026-11-25", []),
        ({"country": "US", "only": ["christmas day", "THANKSGIVING"]}, "2026-11-26", ["Thanksgiving Day"]),
        ({"country": "US", "only": ["Christmas"]}, "2026-11-26", []),
        ({"country": "US", "without": ["Columbus Day"]}, "2026-10-12", []),
        ({"country": "US", "without": ["Columbus Day"]}, "2026-11-26", ["Thanksgiving Day"]),
        ({"country": "US", "subdivision": "CA"}, "2026-03-31", ["Cesar Chavez Day"]),
        ({"country": "IN"}, "2026-11-08", ["Diwali"]),
        ({"country": "IN", "only": ["Diwali"]}, "2026-01-26", []),
        ({"country": "IN", "only": ["Diwali"], "also": {"US": ["New Year’s Day"]}}, "2027-01-01", ["New Year's Day"]),
        ({"country": "IN", "only": ["Diwali"], "also": {"US": ["New Year's Day"]}}, "2026-07-03", []),
        ({"country": "IN", "categories": ["optional"], "only": ["New Year's Day"]}, "2026-01-01", ["New Year's Day"]),
        ({"country": "IN", "categories": ["optional"], "only": ["Pongal"]}, "2025-01-14", ["Pongal"]),
        ({"country": "DE"}, "2026-10-03", ["German Unity Day"]),
        ({"country": "US"}, "2028-02-29", []),
    ],
)
def test_holidays_are_named(holidays: dict[str, object], day: str, expected: list[str]) -> None:
    assert texts(frozen([{"holidays": holidays}], f"{day}T12:00")) == expected


def test_a_holiday_lasts_from_midnight_to_midnight_in_the_policys_zone() -> None:
    freeze: list[dict[str, object]] = [{"holidays": {"country": "US", "only": ["Thanksgiving"]}}]
    for text, is_open in [("26T04:59", True), ("26T05:00", False), ("27T04:59", False), ("27T05:00", True)]:
        assert frozen(freeze, f"2026-11-{text}", "America/New_York", "UTC").open == is_open


def test_a_holidays_reason_ends_with_its_day() -> None:
    (reason,) = frozen([{"holidays": {"country": "US"}, "why": "closed shop"}], "2026-12-25T12:00").reasons
    assert (reason.code, reason.text) == (Code.HOLIDAY, "closed shop: Christmas Day")
    assert reason.until == datetime(2026, 12, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("holidays", "says"),
    [
        ({"country": "IN", "only": ["Divali"]}, "did you mean 'Diwali'"),
        ({"country": "IN", "only": ["New Year's Day"]}, "add `categories: [public, optional]`"),
        ({"country": "US", "without": ["Guy Fawkes"]}, "no holiday of US is called 'Guy Fawkes'"),
        ({"country": "US", "also": {"IN": ["Divali"]}}, "no holiday of IN"),
        ({"country": "Elbonia"}, "two-letter country code"),
        ({"country": "US", "subdivision": "QQ"}, "has no holidays for 'QQ'"),
        ({"country": "US", "categories": ["lunar"]}, "it has: "),
        ({"country": "IN", "only": ["wali"]}, "no holiday"),
    ],
)
def test_a_misspelt_holiday_is_an_error_as_it_would_never_freeze(holidays: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match="holiday") as error:
        calendar_of(Holidays.model_validate(holidays))
    assert says in str(error.value)


def test_a_year_without_known_holidays_is_unknown_and_blocks_unless_told_otherwise() -> None:
    found = frozen([{"holidays": {"country": "IN"}}], "2036-05-10T12:00")
    assert [reason.code for reason in found.reasons] == [Code.UNKNOWN]
    assert texts(found) == ["the holidays of IN are not known for 2036"]
    assert frozen([{"holidays": {"country": "IN"}, "unknown": "allow"}], "2036-05-10T12:00").open


def test_a_year_is_known_when_every_named_holiday_is() -> None:
    republic_day: dict[str, object] = {"holidays": {"country": "IN", "only": ["Republic Day"]}}
    assert frozen([republic_day], "2036-05-10T12:00").open
    assert texts(frozen([republic_day], "2036-01-26T12:00")) == ["Republic Day"]


# --- the ends of months and quarters ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edge", "day", "expected"),
    [
        ({"month_end": {"last": 1}}, "2026-11-29", []),
        ({"month_end": {"last": 1}}, "2026-11-30", ["month-end"]),
        ({"month_end": {"last": 1}}, "2026-12-01", []),
        ({"month_end": {"last": 1}}, "2028-02-28", []),
        ({"month_end": {"last": 1}}, "2028-02-29", ["month-end"]),
        ({"month_end": {"last": 1}}, "2027-02-28", ["month-end"]),
        ({"month_end": {"first": 2}}, "2026-12-02", ["start of the month"]),
        ({"month_end": {"first": 2}}, "2026-12-03", []),
        ({"month_end": {"last": 31}}, "2026-11-01", ["month-end"]),
        ({"quarter_end": {"last": 3}}, "2026-11-30", []),
        ({"quarter_end": {"last": 3}}, "2026-12-29", ["quarter-end"]),
        ({"quarter_end": {"last": 3}}, "2026-12-28", []),
        ({"quarter_end": {"last": 3, "first": 1}}, "2027-01-01", ["start of the quarter"]),
        ({"quarter_end": {"last": 3}, "why": "closing the books"}, "2026-09-30", ["closing the books"]),
        # 31 October 2026 is a Saturday, the 30th a Friday
        ({"month_end": {"last": 2, "business": True}}, "2026-10-28", []),
        ({"month_end": {"last": 2, "business": True}}, "2026-10-29", ["month-end"]),
        ({"month_end": {"last": 2, "business": True}}, "2026-10-31", ["month-end"]),
        ({"month_end": {"first": 1, "business": True}}, "2026-11-02", ["start of the month"]),
        ({"month_end": {"first": 1, "business": True}}, "2026-11-03", []),
    ],
)
def test_month_end_and_quarter_end(edge: dict[str, object], day: str, expected: list[str]) -> None:
    assert texts(frozen([edge], f"{day}T12:00")) == expected


def test_business_days_leave_out_the_policys_holidays() -> None:
    # 25 May 2026, a Monday, is Memorial Day; the month ends on Sunday the 31st
    month_end: dict[str, object] = {"month_end": {"last": 5, "business": True}}
    assert frozen([month_end], "2026-05-22T12:00").open
    holidays: dict[str, object] = {"holidays": {"country": "US"}, "environments": ["elsewhere"]}
    assert texts(frozen([month_end, holidays], "2026-05-22T12:00")) == ["month-end"]
    assert frozen([month_end, holidays], "2026-05-21T12:00").open


def test_an_edge_without_days_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"write for example \{last: 2\}"):
        frozen([{"month_end": {}}], "2026-11-30T12:00")


def business_days(days: list[date]) -> list[date]:
    return [day for day in days if day.weekday() < 5]


@settings(max_examples=200)
@given(
    st.integers(2011, 2035),
    st.integers(1, 12),
    st.integers(1, 31),
    st.sampled_from([1, 3]),
    st.integers(0, 9),
    st.integers(0, 9),
    st.booleans(),
    st.sampled_from(ZONES),
)
def test_an_edge_agrees_with_counting_days(
    year: int, month: int, day: int, months: int, last: int, first: int, business: bool, zone: str
) -> None:
    if not last and not first:
        return
    today = date(year, month, min(day, monthrange(year, month)[1]))
    begin = (month - 1) // months * months + 1
    period = [date(year, m, d) for m in range(begin, begin + months) for d in range(1, monthrange(year, m)[1] + 1)]
    counted = business_days(period) if business else period
    expected = bool((last and today >= counted[-last]) or (first and today <= counted[first - 1]))
    key = "month_end" if months == 1 else "quarter_end"
    edge: dict[str, object] = {key: {"last": last, "first": first, "business": business}}
    if today == date(2011, 12, 30) and zone == "Pacific/Apia":
        return  # this day never was
    assert frozen([edge], f"{today}T12:00", zone).open == (not expected)


# --- recurrences -----------------------------------------------------------------------------------------------------


def recurring(rule: str, text: str, zone: str = "UTC", lasts: str = "8h", told_in: str | None = None) -> Opening:
    return frozen([{"rrule": rule, "lasts": lasts, "why": "maintenance"}], text, zone, told_in)


@pytest.mark.parametrize(
    ("rule", "closed", "free"),
    [
        ("DTSTART:20260106T180000 RRULE:FREQ=WEEKLY;BYDAY=TU", "2026-11-24T18:00", "2026-11-25T02:00"),
        ("DTSTART:20260106T180000\nRRULE:FREQ=WEEKLY;BYDAY=TU", "2026-11-25T01:59", "2026-11-24T17:59"),
        ("dtstart:20260106t180000 freq=weekly;byday=tu", "2026-11-24T18:00", "2026-11-23T18:00"),
        ("DTSTART:20260106T180000 RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "2026-01-20T18:00", "2026-01-13T18:00"),
        ("DTSTART:20260106T180000 RRULE:FREQ=WEEKLY;COUNT=2;BYDAY=TU", "2026-01-13T18:00", "2026-01-20T18:00"),
        ("DTSTART:20260106T180000 RRULE:FREQ=WEEKLY;UNTIL=20260113;BYDAY=TU", "2026-01-13T18:00", "2026-01-20T18:00"),
        ("DTSTART:20260106T180000 RRULE:FREQ=DAILY;UNTIL=20260108T180000Z", "2026-01-08T18:00", "2026-01-09T18:00"),
        ("DTSTART:20260101T000000 RRULE:FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27T03:00", "2026-11-20T03:00"),
        ("DTSTART:20240229T000000 RRULE:FREQ=YEARLY", "2028-02-29T03:00", "2027-02-28T03:00"),
        ("DTSTART;VALUE=DATE:20260101 RRULE:FREQ=DAILY;BYHOUR=9,15", "2026-11-24T16:00", "2026-11-24T08:00"),
    ],
)
def test_a_recurrence_freezes(rule: str, closed: str, free: str) -> None:
    assert texts(recurring(rule, closed)) == ["maintenance"]
    assert recurring(rule, free).open


def test_a_recurrence_is_read_in_its_own_zone_or_the_policys() -> None:
    rule = "DTSTART{}:20260106T180000{} RRULE:FREQ=WEEKLY;BYDAY=TU"
    named = recurring(rule.format(";TZID=America/New_York", ""), "2026-11-24T23:00", "Europe/Berlin", told_in="UTC")
    assert (named.open, named.reasons[0].until) == (False, datetime(2026, 11, 25, 7, tzinfo=UTC))
    assert not recurring(rule.format("", "Z"), "2026-11-24T18:00", "Europe/Berlin", told_in="UTC").open
    assert recurring(rule.format("", "Z"), "2026-11-24T17:59", "Europe/Berlin", told_in="UTC").open
    assert not recurring(rule.format("", ""), "2026-11-24T17:00", "Europe/Berlin", told_in="UTC").open


def test_eight_hours_stay_eight_hours_on_the_night_the_clock_changes() -> None:
    rule = "DTSTART:20260101T220000 RRULE:FREQ=DAILY"
    for day in ("2026-03-28", "2026-10-24", "2026-11-24"):
        start = datetime.fromisoformat(f"{day}T22:00").replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
        (reason,) = recurring(rule, f"{day}T22:30", "Europe/Berlin").reasons
        assert reason.until == start + timedelta(hours=8)


def test_a_day_stays_a_day_on_the_clock() -> None:
    (reason,) = recurring(
        "DTSTART:20260329T000000 RRULE:FREQ=YEARLY", "2026-03-29T12:00", "Europe/Berlin", "1d"
    ).reasons
    assert reason.until == datetime(2026, 3, 29, 22, tzinfo=UTC)


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("DTSTART:20260101T000000 RRULE:FREQ=SECONDLY", "must have FREQ=YEARLY, MONTHLY, WEEKLY or DAILY"),
        ("DTSTART:20260101T000000 RRULE:FREQ=MINUTELY;INTERVAL=5", "must have FREQ"),
        ("DTSTART:20260101T000000 RRULE:FREQ=HOURLY", "must have FREQ"),
        ("DTSTART:20260101T000000 RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never occurs"),
        ("DTSTART:20260105T000000 RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU", "never occurs"),
        ("DTSTART:20260101T000000 RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "write FREQ=MONTHLY or FREQ=YEARLY"),
        ("DTSTART:20260101T000000 RRULE:FREQ=DAILY;BYSECOND=" + ",".join(map(str, range(60))), "60 times a day"),
        ("RRULE:FREQ=WEEKLY;BYDAY=TU", "one DTSTART and one RRULE"),
        ("DTSTART:20260101T000000", "one DTSTART and one RRULE"),
        ("DTSTART:20260101T000000 RRULE:FREQ=DAILY EXDATE:20260102T000000", "one DTSTART and one RRULE"),
        ("DTSTART:20261301T000000 RRULE:FREQ=DAILY", "a day that does not exist"),
        ("DTSTART:00010101T000000 RRULE:FREQ=DAILY", "starts in 1"),
        ("DTSTART:20260101T000000 RRULE:FREQ=WEEKLY;BYDAY=XX", "cannot be read"),
        ("DTSTART:20260101T000000 RRULE:FREQ=WEEKLY;WHEN=3", "cannot be read"),
        ("DTSTART:20260101T000000 RRULE:FREQ=DAILY;BYHOUR=25", "cannot be read"),
        ("DTSTART:20260101T000000 RRULE:FREQ=WEEKLY;INTERVAL=0", "INTERVAL that is no number"),
        ("DTSTART:20260101T000000 RRULE:FREQ=MONTHLY;INTERVAL=12;BYMONTH=2", "never occurs"),
        ("DTSTART:22001231T000000 RRULE:FREQ=YEARLY;INTERVAL=9999;BYMONTH=1", "never occurs"),
        ("DTSTART:20260101T000000 RRULE:FREQ=WEEKLY;UNTIL=20269999T000000Z", "UNTIL that is no date"),
        ("DTSTART;TZID=EST:20260101T000000 RRULE:FREQ=WEEKLY", "write America/New_York"),
        ("on tuesdays", "one DTSTART and one RRULE"),
        ("DTSTART:20260101T000000 " + "A" * 600, "longer than 500"),
    ],
)
def test_an_unusable_recurrence_says_what_to_write(rule: str, says: str) -> None:
    with pytest.raises(ValueError, match="write") as error:
        recurring(rule, "2026-11-24T12:00")
    assert says in str(error.value)


# --- the model -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("freeze", "says"),
    [
        ({}, "this one has none"),
        ({"why": "because"}, "this one has none"),
        ({"weekly": "fri", "incidents": True}, "weekly and incidents, write an entry for each"),
        ({"rrule": "DTSTART:20260101T000000 RRULE:FREQ=DAILY"}, "rrule and lasts belong together"),
        ({"weekly": "fri", "lasts": "8h"}, "rrule and lasts belong together"),
        ({"weekly": "fri", "buffer": "2h"}, "belong to a calendar"),
        ({"weekly": "freitag"}, "'freitag' is not a day"),
        ({"dates": "24 dec"}, "names no year"),
        ({"calendar": "x.ics", "matching": "("}, "is not a regular expression"),
    ],
)
def test_a_freeze_has_exactly_one_source(freeze: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError) as error:
        Policy.model_validate({"freezes": [freeze]})
    assert says in str(error.value)
