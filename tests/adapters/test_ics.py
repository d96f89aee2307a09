"""Calendar files: what is read, what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.calendars.ics import IcsCalendars, listed, parse
from bot.domain.calendar import Busy, Code, Unreadable
from checklists.policy import FreezePolicy

START, END = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 12, 10, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ics(*events: str) -> bytes:
    """Events as lines apart by `|`; none has a DTSTAMP or a UID, as hand-written files do not."""
    blocks = ("\r\n".join(["BEGIN:VEVENT", *event.split("|"), "END:VEVENT"]) for event in events)
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *blocks, "END:VCALENDAR", ""]).encode()


def spans(content: bytes, zone: ZoneInfo = NEW_YORK, **options: object) -> list[tuple[str, str]]:
    found = listed(parse(content, "x.ics"), source="x.ics", start=START, end=END, zone=zone, **options)  # type: ignore[arg-type]
    return [(f"{busy.start:%m-%dT%H:%M}", f"{busy.end:%m-%dT%H:%M}") for busy in found]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("DTSTART:20261127T100000Z|DTEND:20261127T120000Z", [("11-27T10:00", "11-27T12:00")]),
        ("DTSTART:20261127T100000Z|DURATION:PT2H", [("11-27T10:00", "11-27T12:00")]),
        ("DTSTART:20261127T100000|DTEND:20261127T120000", [("11-27T15:00", "11-27T17:00")]),
        ("DTSTART;TZID=Europe/Berlin:20261127T100000|DURATION:PT1H", [("11-27T09:00", "11-27T10:00")]),
        ("DTSTART;TZID=Eastern Standard Time:20261127T100000|DURATION:PT1H", [("11-27T15:00", "11-27T16:00")]),
        ("DTSTART;VALUE=DATE:20261127|DTEND;VALUE=DATE:20261129", [("11-27T05:00", "11-29T05:00")]),
        ("DTSTART;VALUE=DATE:20261127", [("11-27T05:00", "11-28T05:00")]),
        ("DTSTART;VALUE=DATE:20261127|TRANSP:TRANSPARENT", [("11-27T05:00", "11-28T05:00")]),
        ("DTSTART;VALUE=DATE:20261127|STATUS:CANCELLED", []),
        ("DTSTART;VALUE=DATE:20261119", [("11-19T05:00", "11-20T05:00")]),
        ("DTSTART:20261119T190001|DURATION:PT1H", [("11-20T00:00", "11-20T01:00")]),
        ("DTSTART:20261127T100000Z", []),
        ("DTSTART:20251127T100000Z|DTEND:20251127T120000Z", []),
        ("DTSTART:20261101T000000Z|DTEND:20261120T000000Z", []),
        ("DTSTART:20261101T000000Z|DTEND:20261120T000001Z", [("11-01T00:00", "11-20T00:00")]),
        ("DTSTART:20261210T000000Z|DTEND:20261211T000000Z", []),
        (
            "DTSTART;TZID=America/New_York:20260105T100000|DURATION:PT1H|RRULE:FREQ=WEEKLY;BYDAY=MO|"
            "EXDATE;TZID=America/New_York:20261130T100000",
            [("11-23T15:00", "11-23T16:00"), ("12-07T15:00", "12-07T16:00")],
        ),
    ],
)
def test_an_event_takes_its_time(event: str, expected: list[tuple[str, str]]) -> None:
    assert spans(ics(f"SUMMARY:x|{event}")) == expected


def test_an_all_day_event_is_a_day_of_the_policys_zone() -> None:
    day = ics("SUMMARY:x|DTSTART;VALUE=DATE:20261127")
    assert spans(day, ZoneInfo("Asia/Kathmandu")) == [("11-26T18:15", "11-27T18:15")]
    last = ics("SUMMARY:x|DTSTART;VALUE=DATE:20261210")
    assert spans(last, ZoneInfo("Pacific/Kiritimati")) == [("12-09T10:00", "12-10T10:00")]


def test_an_all_day_event_lasts_25_hours_when_the_clock_goes_back() -> None:
    found = listed(
        parse(ics("SUMMARY:x|DTSTART;VALUE=DATE:20261101"), "x.ics"),
        source="x.ics",
        start=utc("2026-10-01"),
        end=utc("2026-12-01"),
        zone=NEW_YORK,
    )
    assert [(busy.end or busy.start) - busy.start for busy in found] == [25 * HOUR]


def test_a_buffer_widens_both_sides_and_reaches_into_the_span_asked_for() -> None:
    campaign = ics("SUMMARY:x|DTSTART:20261127T100000Z|DTEND:20261127T120000Z")
    assert spans(campaign, buffer=2 * HOUR) == [("11-27T08:00", "11-27T14:00")]
    just_before = ics("SUMMARY:x|DTSTART:20261119T210000Z|DTEND:20261119T230000Z")
    assert spans(just_before) == []
    assert spans(just_before, buffer=2 * HOUR) == [("11-19T19:00", "11-20T01:00")]
    moment = ics("SUMMARY:mail goes out|DTSTART:20261127T100000Z")
    assert spans(moment, buffer=2 * HOUR) == [("11-27T08:00", "11-27T12:00")]


@pytest.mark.parametrize(
    ("matching", "expected"),
    [
        (None, ["Black Friday CAMPAIGN", "Company party", "an event without a name"]),
        ("campaign", ["Black Friday CAMPAIGN"]),
        ("^company|friday", ["Black Friday CAMPAIGN", "Company party"]),
        ("nothing", []),
    ],
)
def test_only_matching_events_count(matching: str | None, expected: list[str]) -> None:
    content = ics(
        "SUMMARY:Black Friday  CAMPAIGN|DTSTART;VALUE=DATE:20261127",
        "SUMMARY:Company party|DTSTART;VALUE=DATE:20261128",
        "DTSTART;VALUE=DATE:20261129",
    )
    found = listed(parse(content, "x.ics"), source="x.ics", start=START, end=END, zone=NEW_YORK, matching=matching)
    assert [busy.what for busy in found] == expected


def test_an_event_says_where_it_comes_from() -> None:
    content = ics("SUMMARY:Offsite|DTSTART:20261127T100000Z|DURATION:PT1H")
    found = listed(
        parse(content, "events.ics"), source="events.ics", start=START, end=END, zone=NEW_YORK, why="company event"
    )
    start = utc("2026-11-27T10:00")
    assert found == [Busy(start, start + HOUR, "company event: Offsite", "events.ics", Code.CALENDAR)]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it has no VCALENDAR"),
        (b"garbage", "it is not a calendar file"),
        (b"\xff\xfe\x00\x01", "it is not a calendar file"),
        (b"BEGIN:VEVENT\r\nDTSTART:20261127T100000Z\r\nEND:VEVENT\r\n", "it has no VCALENDAR"),
        (ics("SUMMARY:x")[:40], "it"),
        (ics("SUMMARY:x"), "'x' has no DTSTART"),
        (ics("SUMMARY:x|DTSTART:soon"), "DTSTART of 'x' cannot be read"),
        (ics("SUMMARY:x|DTSTART:20261127T100000Z|RRULE:FREQ=FORTNIGHTLY"), "RRULE of 'x' cannot be read"),
        (ics("SUMMARY:x|DTSTART:20261127T100000Z|RRULE:FREQ=SECONDLY"), "recurs more often than hourly"),
        (ics("SUMMARY:x|DTSTART;TZID=Mars/Base:20261127T100000"), "'Mars/Base', which is not a time zone"),
        (ics("SUMMARY:x|DTSTART:20261127T100000Z|EXDATE;TZID=Mars/Base:20261127T100000"), "'Mars/Base'"),
    ],
)
def test_what_cannot_be_understood_is_unreadable_and_not_empty(content: bytes, says: str) -> None:
    with pytest.raises(Unreadable) as error:
        spans(content)
    assert says in error.value.why
    assert error.value.source == "x.ics"


@pytest.mark.parametrize("matching", ["(", "a" * 201])
def test_a_bad_expression_is_unreadable(matching: str) -> None:
    with pytest.raises(Unreadable, match="matching"):
        spans(ics(), matching=matching)


@settings(max_examples=100)
@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_bytes_are_events_or_unreadable(noise: bytes, place: int) -> None:
    content = ics("SUMMARY:x|DTSTART:20261127T100000Z|DURATION:PT1H")
    try:
        found = spans(content[:place] + noise + content[place:])
    except Unreadable:
        return
    assert all(start < end for start, end in found)


async def test_a_file_beside_the_policy_is_read(tmp_path: Path) -> None:
    (tmp_path / "events.ics").write_bytes(ics("SUMMARY:Offsite|DTSTART;VALUE=DATE:20261127"))
    freeze = FreezePolicy.model_validate({"calendar": "events.ics", "buffer": "1h"})
    found = await IcsCalendars(tmp_path).busy(freeze, start=START, end=END, zone="America/New_York")
    assert [busy.what for busy in found] == ["Offsite"]
    assert found[0].start == utc("2026-11-27T04:00")


@pytest.mark.parametrize("name", ["missing.ics", "../outside.ics", "/etc/hostname", ".", ""])
async def test_a_file_elsewhere_or_nowhere_is_unreadable(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside.ics").write_bytes(ics())
    folder = tmp_path / "policies"
    folder.mkdir()
    with pytest.raises(Unreadable, match="no such file beside the policy"):
        await IcsCalendars(folder).busy(FreezePolicy(calendar=name), start=START, end=END, zone="UTC")


async def test_an_enormous_file_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "big.ics").write_bytes(b"x" * 5_000_001)
    with pytest.raises(Unreadable, match="larger than 5 MB"):
        await IcsCalendars(tmp_path).busy(FreezePolicy(calendar="big.ics"), start=START, end=END, zone="UTC")
