"""The words of windows and freezes, in policies and in chat."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checklists.windows import parse_dates, parse_freeze, parse_when, parse_window

T = TypeVar("T")
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 16, 55, tzinfo=UTC)  # a Friday
SENTENCE = re.compile(r"write|did you mean|days are")


def local(text: str) -> datetime:
    """A naive reading."""
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def sentence_or(read: Callable[[], T]) -> T | None:
    """What was read, or None if it was refused with a sentence."""
    said = ""
    try:
        return read()
    except ValueError as error:
        said = str(error)
    assert SENTENCE.search(said)
    return None


@pytest.mark.parametrize(
    ("words", "days", "start", "end"),
    [
        ("tue-thu 10:00-16:00", {1, 2, 3}, "10:00", "16:00"),
        ("Tuesday-Thursday 10:00-16:00", {1, 2, 3}, "10:00", "16:00"),
        ("TUE – THU  10:00 – 14:00", {1, 2, 3}, "10:00", "14:00"),
        ("mon,wed 09:00-17:00", {0, 2}, "09:00", "17:00"),
        ("mon, wed-thu, sunday 9:00-17:30", {0, 2, 3, 6}, "09:00", "17:30"),
        ("fri 12:00-24:00", {4}, "12:00", "24:00"),
        ("fri 12:00-00:00", {4}, "12:00", "24:00"),
        ("sat-sun", {5, 6}, "00:00", "24:00"),
        ("weekend", {5, 6}, "00:00", "24:00"),
        ("weekdays 10:00-12:00", {0, 1, 2, 3, 4}, "10:00", "12:00"),
        ("daily 10:00-14:00", set(range(7)), "10:00", "14:00"),
        ("always", set(range(7)), "00:00", "24:00"),
        ("sat-tue 10:00-12:00", {5, 6, 0, 1}, "10:00", "12:00"),
        ("thurs. 10:00-12:00", {3}, "10:00", "12:00"),
    ],
)
def test_window_words_mean(words: str, days: set[int], start: str, end: str) -> None:
    window = parse_window(words)
    assert window.days == days
    assert f"{window.start // 60:02}:{window.start % 60:02}" == start
    assert f"{window.end // 60:02}:{window.end % 60:02}" == end
    assert not window.wraps


def test_a_window_across_midnight_belongs_to_the_day_it_starts_on() -> None:
    window = parse_window("fri-mon 22:00-02:00")
    assert window.wraps
    assert window.days == {4, 5, 6, 0}
    assert window.on(date(2026, 11, 20)) == (local("2026-11-20T22:00"), local("2026-11-21T02:00"))
    assert window.on(date(2026, 11, 24)) is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("tue 10:00-25:00", "25:00 is not a time of day"),
        ("tue 10:00-24:30", "24:30 is not a time of day"),
        ("tue 10:60-12:00", "10:60 is not a time of day"),
        ("tue 24:00-02:00", "to start at midnight write 00:00"),
        ("tue 10:00-10:00", "write 'tue' without hours"),
        ("tue 00:00-00:00", "write 'tue' without hours"),
        ("10:00-16:00", "write 'daily 10:00-16:00'"),
        ("always 10:00-16:00", "write 'daily 10:00-16:00'"),
        ("tues-freitag 10:00-12:00", "'freitag' is not a day"),
        ("t 10:00-12:00", "'t' is not a day"),
        ("tue-thu 10am-4pm", "hours of a 24-hour clock like 10:00-16:00"),
        ("tue-thu 10-16", "hours of a 24-hour clock"),
        ("tue 10:00-12:00, 14:00-16:00", "hours of a 24-hour clock"),
        ("", "no time is given"),
        ("mon," * 100, "too long"),
        ("mon,,tue", "'' is not a day"),
        ("mon-", "'' is not a day"),
    ],
)
def test_unreadable_window_words_say_what_to_write(words: str, says: str) -> None:
    with pytest.raises(ValueError, match=SENTENCE) as error:
        parse_window(words)
    assert says in str(error.value)


@given(st.text(max_size=60))
def test_any_words_are_a_window_or_a_sentence(words: str) -> None:
    window = sentence_or(lambda: parse_window(words))
    if window is not None:
        assert window.days
        assert 0 <= window.start < 1440
        assert 0 < window.end <= 1440
        assert window.wraps == (window.end < window.start)


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("2026-12-20 - 2027-01-03", "2026-12-20T00:00", "2027-01-04T00:00"),
        ("2026-12-20 to 2027-01-03", "2026-12-20T00:00", "2027-01-04T00:00"),
        ("2026-12-20-2027-01-03", "2026-12-20T00:00", "2027-01-04T00:00"),
        ("2026-12-20..2027-01-03", "2026-12-20T00:00", "2027-01-04T00:00"),
        ("2026-12-25", "2026-12-25T00:00", "2026-12-26T00:00"),
        ("2026-12-20 18:00 - 2026-12-27 08:00", "2026-12-20T18:00", "2026-12-27T08:00"),
        ("2026-12-20T18:00:00 - 2026-12-27T08:00:00", "2026-12-20T18:00", "2026-12-27T08:00"),
        ("2026-12-20 18:00 - 2026-12-27", "2026-12-20T18:00", "2026-12-28T00:00"),
        ("2026-12-31 - 2026-12-31 24:00", "2026-12-31T00:00", "2027-01-01T00:00"),
        ("2028-02-29", "2028-02-29T00:00", "2028-03-01T00:00"),
    ],
)
def test_dates_include_both_days(words: str, start: str, end: str) -> None:
    assert parse_dates(words) == (local(start), local(end))


@pytest.mark.parametrize(
    "words",
    [
        "2027-01-03 - 2026-12-20",
        "2026-02-29",
        "2026-13-01",
        "24 dec",
        "2026-12-20 18:00",
        "2026-12-20 18:00+01:00 - 2026-12-21 08:00",
        "2026-12-20 25:00 - 2026-12-21",
        "soon",
        "",
        "2026-01-01 - 2026-02-01 - 2026-03-01",
    ],
)
def test_unreadable_dates_say_what_to_write(words: str) -> None:
    with pytest.raises(ValueError, match=SENTENCE):
        parse_dates(words)


# --- what people type ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("1 dec - 3 jan", "2026-12-01T00:00", "2027-01-04T00:00"),
        ("1 dec-3 jan", "2026-12-01T00:00", "2027-01-04T00:00"),
        ("1 dec – 3 jan 2027", "2026-12-01T00:00", "2027-01-04T00:00"),
        ("Dec 1st to Jan 3rd", "2026-12-01T00:00", "2027-01-04T00:00"),
        ("24-27 dec", "2026-12-24T00:00", "2026-12-28T00:00"),
        ("24 dec", "2026-12-24T00:00", "2026-12-25T00:00"),
        ("1 november", "2027-11-01T00:00", "2027-11-02T00:00"),
        ("29 feb", "2028-02-29T00:00", "2028-03-01T00:00"),
        ("today", "2026-11-20T00:00", "2026-11-21T00:00"),
        ("tomorrow", "2026-11-21T00:00", "2026-11-22T00:00"),
        ("tomorrow 10:00-12:00", "2026-11-21T10:00", "2026-11-21T12:00"),
        ("fri 12:00-24:00", "2026-11-20T12:00", "2026-11-21T00:00"),
        ("fri 12:00-16:00", "2026-11-27T12:00", "2026-11-27T16:00"),
        ("thu 22:00-02:00", "2026-11-26T22:00", "2026-11-27T02:00"),
        ("22:00-02:00", "2026-11-20T22:00", "2026-11-21T02:00"),
        ("friday", "2026-11-20T00:00", "2026-11-21T00:00"),
        ("sat-sun", "2026-11-21T00:00", "2026-11-23T00:00"),
        ("thu - fri", "2026-11-19T00:00", "2026-11-21T00:00"),
        ("fri 18:00 - mon 08:00", "2026-11-20T18:00", "2026-11-23T08:00"),
        ("2026-12-20 18:00 - 2026-12-27 08:00", "2026-12-20T18:00", "2026-12-27T08:00"),
        ("2026-12-20 - 2027-01-03", "2026-12-20T00:00", "2027-01-04T00:00"),
        ("24 dec 18:00 - 27 dec 08:00", "2026-12-24T18:00", "2026-12-27T08:00"),
        ("24 dec 10:00-16:00", "2026-12-24T10:00", "2026-12-24T16:00"),
        ("until mon 08:00", "2026-11-20T17:55", "2026-11-23T08:00"),
        ("until 24 dec", "2026-11-20T17:55", "2026-12-25T00:00"),
        ("now - tomorrow", "2026-11-20T17:55", "2026-11-22T00:00"),
        ("for 2h", "2026-11-20T17:55", "2026-11-20T19:55"),
        ("3 days", "2026-11-20T17:55", "2026-11-23T17:55"),
    ],
)
def test_a_freeze_typed_in_chat_means(words: str, start: str, end: str) -> None:
    expected = tuple(local(text).replace(tzinfo=BERLIN).astimezone(UTC) for text in (start, end))
    assert parse_freeze(words, NOW, BERLIN) == expected


def test_a_period_running_across_the_year_is_the_running_one() -> None:
    freeze = parse_freeze("1 dec - 3 jan", utc("2027-01-02T12:00"), ZoneInfo("UTC"))
    assert freeze == (utc("2026-12-01"), utc("2027-01-04"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("2026-11-01 - 2026-11-19", "is over"),
        ("today 08:00-09:00", "is over"),
        ("until 2026-11-01", "is over"),
        ("24 dec 10:00", "has no end"),
        ("fri 10:00-10:00", "is empty"),
        ("fri 10:00-25:00", "25:00 is not a time of day"),
        ("2027-01-03 - 2026-12-20", "ends before it starts"),
        ("2026-12-01 - 2028-12-01", "longer than a year"),
        ("31 april", "there is no 31 April; write a day that exists"),
        ("31 feb", "there is no 31 February; write a day that exists"),
        ("31 feb 2027", "there is no day 2027-02-31"),
        ("christmas", "is not a time"),
        ("1 dec - 2 dec - 3 dec", "not one period"),
        ("0h", "has no length"),
        ("", "no time is given"),
    ],
)
def test_an_unusable_freeze_says_what_to_write(words: str, says: str) -> None:
    with pytest.raises(ValueError, match=SENTENCE) as error:
        parse_freeze(words, NOW, BERLIN)
    assert says in str(error.value)


@given(words=st.text(alphabet="0123456789 -:.todecfriunmw", max_size=40))
def test_any_freeze_words_end_in_the_future_or_in_a_sentence(words: str) -> None:
    span = sentence_or(lambda: parse_freeze(words, NOW, BERLIN))
    if span is not None:
        assert span[0] < span[1]
        assert span[1] > NOW


@given(words=st.text(alphabet="0123456789 -:+.zintodecfriunmwhat", max_size=30))
def test_any_words_of_a_time_are_in_the_future_or_a_sentence(words: str) -> None:
    when = sentence_or(lambda: parse_when(words, NOW, BERLIN))
    assert when is None or when > NOW


def test_a_freeze_ending_in_a_repeated_hour_ends_the_second_time() -> None:
    start, end = parse_freeze("2026-10-25 02:15 - 2026-10-25 02:45", utc("2026-10-01"), BERLIN)
    assert (start, end) == (utc("2026-10-25T00:15"), utc("2026-10-25T01:45"))


def test_a_freeze_starting_in_a_skipped_hour_starts_when_the_clock_jumps() -> None:
    start, end = parse_freeze("2027-03-28 02:30 - 2027-03-28 04:00", NOW, BERLIN)
    assert (start, end) == (utc("2027-03-28T01:00"), utc("2027-03-28T02:00"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("fri 18:00", "2026-11-20T17:00"),
        ("fri 16:55", "2026-11-27T15:55"),
        ("Friday at 16:55", "2026-11-27T15:55"),
        ("at 18:30", "2026-11-20T17:30"),
        ("2026-11-24T10:00", "2026-11-24T09:00"),
        ("tue 10:00", "2026-11-24T09:00"),
        ("2026-11-24 10:00", "2026-11-24T09:00"),
        ("24 nov 10:00", "2026-11-24T09:00"),
        ("24 nov 2026, 10:00", "2026-11-24T09:00"),
        ("november 24 10:00", "2026-11-24T09:00"),
        ("19 nov 10:00", "2027-11-19T09:00"),
        ("tomorrow 10:00", "2026-11-21T09:00"),
        ("today 23:30", "2026-11-20T22:30"),
        ("10:00", "2026-11-21T09:00"),
        ("18:30", "2026-11-20T17:30"),
        ("in 2h", "2026-11-20T18:55"),
        ("in 1h 30m", "2026-11-20T18:25"),
        ("2026-11-24T10:00+05:45", "2026-11-24T04:15"),
        ("2026-11-24T10:00Z", "2026-11-24T10:00"),
        ("2026-10-25T00:00Z", None),
        ("2027-10-31 02:30", "2027-10-31T00:30"),
    ],
)
def test_a_time_typed_in_chat_means(words: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match="is past; write"):
            parse_when(words, NOW, BERLIN)
    else:
        assert parse_when(words, NOW, BERLIN) == utc(expected)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("today 10:00", "is past"),
        ("2026-11-20 17:55", "is past"),
        ("2020-01-01 10:00", "is past"),
        ("24 nov", "has no time of day"),
        ("fri", "has no time of day"),
        ("2027-03-28 02:30", "write 2027-03-28 03:00 or later"),
        ("fri 24:00", "write 00:00"),
        ("in a bit", "is not a duration"),
        ("in 0h", "not within the next year"),
        ("in 900 days", "not within the next year"),
        ("next week", "is not a time"),
        ("10am", "is not a time"),
    ],
)
def test_an_unusable_time_says_what_to_write(words: str, says: str) -> None:
    with pytest.raises(ValueError, match=SENTENCE) as error:
        parse_when(words, NOW, BERLIN)
    assert says in str(error.value)
