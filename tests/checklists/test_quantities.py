"""Durations, moments and thresholds, as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checklists.quantities import (
    Moment,
    parse_band,
    parse_duration,
    parse_moment,
    say_duration,
    say_value,
    spell_duration,
    to_base,
)


@pytest.mark.parametrize(
    ("words", "span"),
    [
        ("45m", timedelta(minutes=45)),
        ("2h", timedelta(hours=2)),
        ("1h 30m", timedelta(hours=1, minutes=30)),
        ("90 seconds", timedelta(seconds=90)),
        ("1.5h", timedelta(minutes=90)),
        ("7d", timedelta(days=7)),
        ("1 week", timedelta(days=7)),
        ("1 Month", timedelta(days=30)),
    ],
)
def test_durations(words: str, span: timedelta) -> None:
    assert parse_duration(words) == span
    assert parse_duration(span) == span


@pytest.mark.parametrize(
    "words", ["", "soon", "30", "m", "30m!", "30m later", "1h and 30m", "-5m", "5 fortnights", None, []]
)
def test_no_durations(words: object) -> None:
    with pytest.raises(ValueError, match="is not a duration; write it like 30m"):
        parse_duration(words)


@pytest.mark.parametrize(
    ("span", "said", "spelled"),
    [
        (timedelta(0), "0 s", "0 seconds"),
        (timedelta(seconds=1), "1 s", "1 second"),
        (timedelta(minutes=35), "35 m", "35 minutes"),
        (timedelta(minutes=30, seconds=20), "30 m", "30 minutes"),
        (timedelta(hours=1, minutes=12), "1 h 12 m", "1 hour 12 minutes"),
        (timedelta(hours=2), "2 h", "2 hours"),
        (timedelta(days=3, hours=17, minutes=5), "3 days 17 h", "3 days 17 hours"),
        (timedelta(days=1, minutes=1), "1 day", "1 day 1 minute"),
        (-timedelta(hours=1), "0 s", "0 seconds"),
    ],
)
def test_durations_are_said_short_and_spelled_in_announcements(span: timedelta, said: str, spelled: str) -> None:
    assert (say_duration(span), spell_duration(span)) == (said, spelled)


@pytest.mark.parametrize(
    ("words", "offset", "said"),
    [
        ("T-48h", -timedelta(hours=48), "T-48 h"),
        ("T+0", timedelta(0), "T+0"),
        ("T", timedelta(0), "T+0"),
        ("T+30m", timedelta(minutes=30), "T+30 m"),
        ("T + 2 hours", timedelta(hours=2), "T+2 h"),
        ("T+7d", timedelta(days=7), "T+7 days"),
    ],
)
def test_moments(words: str, offset: timedelta, said: str) -> None:
    assert parse_moment(words) == Moment(offset)
    assert str(Moment(offset)) == said


@pytest.mark.parametrize("words", ["30m", "t-30m", "T30m", "T-", "T+soon", "+30m", 30, None])
def test_no_moments(words: object) -> None:
    with pytest.raises(ValueError, match="write it like"):
        parse_moment(words)


def test_moments_have_an_order() -> None:
    assert parse_moment("T-48h") < parse_moment("T-30m") < parse_moment("T+0") < parse_moment("T+24h")


@pytest.mark.parametrize(
    ("words", "inside", "outside"),
    [
        ("< 0.1%", [0.0, 0.00099], [0.001, 0.5]),
        ("<= 1 ratio", [1.0], [1.01]),
        ("≥ 30%", [0.3, 0.9], [0.29]),
        ("> 99.9%", [0.9995], [0.999, 0.5]),
        ("= 0 count", [0.0], [1.0]),
        ("= 100%", [1.0], [0.99]),
        ("> 1000ms", [1.001], [1.0, 0.2]),
        ("2-5%", [0.02, 0.035, 0.05], [0.019, 0.051]),
        ("500ms-1s", [0.5, 0.7, 1.0], [0.49, 1.01]),
        ("1 to 2 s", [1.0, 2.0], [2.1]),
        ("> 2 x", [2.1], [2.0]),
        ("2-4 /week", [3.0], [5.0]),
        ("< 24 h", [3600.0], [86400.0]),
    ],
)
def test_bands(words: str, inside: list[float], outside: list[float]) -> None:
    band = parse_band(words)
    assert str(band) == words
    assert all(band.holds(value) for value in inside)
    assert not any(band.holds(value) for value in outside)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("< 5", "has no unit; write for example '< 5%'"),
        ("< 5 furlong", "'furlong' is not a unit"),
        ("5%", "does not say on which side"),
        (5, "does not say on which side"),
        ("5-2%", "must share a unit and rise"),
        ("1% - 2s", "must share a unit and rise"),
        ("low", "is not a threshold"),
        ("", "is not a threshold"),
        ("< 1% or so", "is not a threshold"),
    ],
)
def test_a_threshold_that_is_none_says_what_to_write(words: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_band(words)


@pytest.mark.parametrize(
    ("number", "unit", "said"),
    [
        (0.05, "%", "0.05%"),
        (0.0005, "ratio", "0.05%"),
        (245, "ms", "245ms"),
        (1.3, "s", "1.3s"),
        (2.1, "x", "2.1 x"),
        (3, "count", "3"),
    ],
)
def test_measured_values_are_said_as_people_write_them(number: float, unit: str, said: str) -> None:
    dimension, value = to_base(number, unit)
    assert say_value(value, dimension) == said


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="'mph' is not a unit"):
        to_base(1, "mph")
