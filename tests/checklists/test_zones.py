"""Clocks of named zones, on the nights they change too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checklists.zones import changes_between, find_zone, instants, merged, without

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 16, 55, tzinfo=UTC)


def local(text: str) -> datetime:
    """A naive reading."""
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("EST", "America/New_York"),
        ("pst", "America/Los_Angeles"),
        ("Europe/Berln", "did you mean Europe/Berlin"),
        ("new york", "did you mean America/New_York"),
        ("America", "write one like"),
        ("Mars/Base", "write one like"),
        ("../etc/passwd", "write one like"),
        ("", "write one like"),
    ],
)
def test_an_unknown_zone_is_an_error_and_never_utc(name: str, says: str) -> None:
    with pytest.raises(ValueError, match="zone") as error:
        find_zone(name)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("zone", "year", "expected"),
    [
        ("Europe/Berlin", 2026, ["2026-03-29T01:00", "2026-10-25T01:00"]),
        ("America/New_York", 2026, ["2026-03-08T07:00", "2026-11-01T06:00"]),
        ("Australia/Lord_Howe", 2026, ["2026-04-04T15:00", "2026-10-03T15:30"]),
        ("Asia/Kathmandu", 2026, []),
        ("Pacific/Apia", 2011, ["2011-04-02T14:00", "2011-09-24T14:00", "2011-12-30T10:00"]),
    ],
)
def test_clock_changes_are_found_to_the_second(zone: str, year: int, expected: list[str]) -> None:
    start = datetime(year, 1, 1, tzinfo=UTC)
    found = changes_between(ZoneInfo(zone), start, start.replace(year=year + 1))
    assert [change.at for change in found] == [utc(text) for text in expected]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        # 02:00 becomes 03:00
        ("2026-03-29T01:00", "2026-03-29T04:00", [("00:00", "02:00")]),
        ("2026-03-29T02:30", "2026-03-29T04:00", [("01:00", "02:00")]),
        ("2026-03-29T01:00", "2026-03-29T02:30", [("00:00", "01:00")]),
        ("2026-03-29T02:10", "2026-03-29T02:50", []),
        # 03:00 becomes 02:00
        ("2026-10-25T01:00", "2026-10-25T04:00", [("-1:00", "03:00")]),
        ("2026-10-25T01:00", "2026-10-25T02:30", [("-1:00", "00:30"), ("01:00", "01:30")]),
        ("2026-10-25T02:10", "2026-10-25T02:50", [("00:10", "00:50"), ("01:10", "01:50")]),
        ("2026-10-25T10:00", "2026-10-25T18:00", [("09:00", "17:00")]),
    ],
)
def test_instants_follow_the_clock_on_the_wall(start: str, end: str, expected: list[tuple[str, str]]) -> None:
    midnight = utc(start[:10])

    def at(clock: str) -> datetime:
        hour, minute = clock.split(":")
        return midnight + timedelta(hours=int(hour), minutes=int(minute))

    assert instants(local(start), local(end), BERLIN) == [(at(a), at(b)) for a, b in expected]


def test_a_day_that_a_zone_skipped_has_no_instants() -> None:
    assert instants(local("2011-12-30"), local("2011-12-31"), ZoneInfo("Pacific/Apia")) == []


ZONES = ["Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "America/New_York", "Europe/Berlin", "UTC"]


@settings(max_examples=150)
@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    start=st.datetimes(local("2011-01-01T00:00"), local("2030-12-31T00:00")),
    length=st.timedeltas(timedelta(minutes=1), timedelta(days=40)),
    probe=st.floats(-0.5, 1.5),
)
def test_an_instant_is_inside_exactly_when_its_clock_reading_is(
    zone: ZoneInfo, start: datetime, length: timedelta, probe: float
) -> None:
    at = start.replace(tzinfo=UTC) + length * probe
    shown = at.astimezone(zone).replace(tzinfo=None)
    inside = any(a <= at < b for a, b in instants(start, start + length, zone))
    assert inside == (start <= shown < start + length)


SPANS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 12)).map(lambda t: (NOW + timedelta(t[0]), NOW + timedelta(sum(t))))
)


@given(SPANS, SPANS, st.integers(0, 70))
def test_taking_spans_away_leaves_what_neither_covers(
    spans: list[tuple[datetime, datetime]], taken: list[tuple[datetime, datetime]], day: int
) -> None:
    at = NOW + timedelta(day)
    left = without(merged(spans), merged(taken))
    covered = any(a <= at < b for a, b in spans) and not any(a <= at < b for a, b in taken)
    assert any(a <= at < b for a, b in left) == covered
    assert left == merged(left)
