"""How an opening is said."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.cards import replies
from bot.cards.home import home_card
from bot.cards.opening import say_opening, say_reasons, say_when
from bot.cards.words import clock
from bot.domain.calendar import Busy, Code, opening, rules_for
from bot.domain.events import FreezeAdded
from bot.domain.people import Who
from checklists.policy import Policy

FREEZES = [
    {"weekly": "fri 12:00-24:00", "why": "Friday afternoon"},
    {"weekly": "sat-sun"},
    {"holidays": {"country": "US"}},
    {"month_end": {"last": 2}},
]


def said(
    text: str,
    *,
    zone: str = "UTC",
    windows: list[str] | None = None,
    freezes: object = (),
    busy: tuple[Busy, ...] = (),
    unreadable: tuple[tuple[str, bool], ...] = (),
) -> str:
    words = {"production": ["tue-thu 10:00-14:00"] if windows is None else windows}
    which = Policy.model_validate({"timezone": zone, "windows": words, "freezes": freezes})
    now = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return say_opening(opening(rules_for(which, "production"), now, busy=busy, unreadable=unreadable), now)


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("2026-11-20T16:55", "UTC", "closed: Friday. Opens Tue 24 Nov 10:00 UTC, in 3 days 17 h"),
        ("2026-11-26T12:48", "UTC", "open until Thu 26 Nov 14:00 UTC, 1 h 12 m left"),
        ("2026-11-26T13:59:30", "UTC", "open until Thu 26 Nov 14:00 UTC, 30 s left"),
        ("2026-11-24T09:59:59.5", "UTC", "closed: before 10:00. Opens Tue 24 Nov 10:00 UTC, in 1 s"),
        ("2026-11-24T14:55", "America/New_York", "closed: before 10:00. Opens Tue 24 Nov 10:00 EST, in 5 m"),
        ("2026-07-07T13:55", "America/New_York", "closed: before 10:00. Opens Tue 7 Jul 10:00 EDT, in 5 m"),
        ("2026-11-24T04:00", "Asia/Kathmandu", "closed: before 10:00. Opens Tue 24 Nov 10:00 UTC+05:45, in 15 m"),
        ("2026-12-01T12:00", "America/Sao_Paulo", "closed: before 10:00. Opens Tue 1 Dec 10:00 UTC-03, in 1 h"),
    ],
)
def test_an_opening_is_said_in_the_policys_zone(now: str, zone: str, expected: str) -> None:
    assert said(now, zone=zone) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-20T16:55", "closed: Friday afternoon. Opens Tue 24 Nov 10:00 UTC, in 3 days 17 h"),
        ("2026-11-21T10:00", "closed: weekend. Opens Tue 24 Nov 10:00 UTC, in 3 days"),
        ("2026-11-26T11:00", "closed: Thanksgiving Day. Opens Tue 1 Dec 10:00 UTC, in 4 days 23 h"),
        ("2026-11-29T11:00", "closed: weekend and month-end. Opens Tue 1 Dec 10:00 UTC, in 1 day 23 h"),
        ("2026-12-31T15:00", "closed: month-end and after 14:00. Opens Tue 5 Jan 10:00 UTC, in 4 days 19 h"),
    ],
)
def test_several_reasons_are_joined_and_none_is_said_twice(now: str, expected: str) -> None:
    assert said(now, freezes=FREEZES) == expected


def test_three_reasons_are_a_list() -> None:
    busy = tuple(Busy(datetime(2026, 1, 1, tzinfo=UTC), None, text, text) for text in ("audit", "move", "audit"))
    assert said("2026-11-24T09:00", busy=busy).startswith("closed: audit, move and before 10:00.")


def test_always_open_is_said() -> None:
    assert said("2026-11-21T03:00", windows=["always"]) == "open at all times"


def test_an_incident_has_no_end_to_tell() -> None:
    incident = Busy(datetime(2026, 11, 24, tzinfo=UTC), None, "checkout is down", "INC-12", Code.INCIDENT)
    assert said("2026-11-24T12:00", busy=(incident,)) == (
        "closed: checkout is down. Opens when that is over; no end is known"
    )


def test_a_policy_that_never_opens_says_what_to_do() -> None:
    words = said("2026-11-24T12:00", windows=["fri 12:00-16:00"], freezes=FREEZES)
    assert words == (
        "closed: Tuesday. It does not open within 400 days: change the windows or freezes of the policy, "
        "or ask for an override"
    )


def test_an_unreadable_source_says_what_to_do() -> None:
    assert said("2026-11-24T12:00", unreadable=(("events.ics", True),)) == (
        "closed: events.ics cannot be read. Nobody can tell when it opens until that is readable again: "
        "repair it, or ask for an override"
    )
    assert said("2026-11-24T12:00", unreadable=(("events.ics", False),)) == (
        "open until Tue 24 Nov 14:00 UTC, 2 h left. events.ics cannot be read and is left aside, as the policy says"
    )


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-24T10:00", "open until Tue 24 Nov 14:00 UTC, 4 h after the start"),
        ("2026-11-24T09:00", "closed: before 10:00. Opens Tue 24 Nov 10:00 UTC, 1 h later"),
        ("2026-11-21T12:00:30", "closed: Saturday. Opens Tue 24 Nov 10:00 UTC, in 2 days 21 h"),
    ],
)
def test_what_is_asked_on_saturday_about_tuesday_is_not_said_to_be_left(at: str, expected: str) -> None:
    rules = rules_for(Policy.model_validate({"windows": {"production": ["tue-thu 10:00-14:00"]}}), "production")
    asked, saturday = datetime.fromisoformat(at).replace(tzinfo=UTC), datetime(2026, 11, 21, 12, tzinfo=UTC)
    found = opening(rules, asked)
    assert say_opening(found, asked, saturday) == expected
    card = replies.window("shop", "production", found, asked, saturday).card
    assert card is not None
    assert expected in card.text


def test_a_distant_date_has_its_year() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert say_when(datetime(2027, 11, 23, 10, tzinfo=UTC), "UTC", now) == "Tue 23 Nov 2027 10:00 UTC"
    assert say_when(datetime(2026, 11, 24, 12, 0, 5, tzinfo=UTC), "UTC", now) == "Tue 24 Nov 12:00:05 UTC"


def test_an_open_calendar_has_no_reasons() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert say_reasons(opening(rules_for(Policy(), "production"), now)) == ""


def test_a_clock_says_the_year_when_it_is_not_this_one() -> None:
    now = datetime(2026, 12, 31, 12, tzinfo=UTC)
    assert clock(datetime(2026, 12, 30, 10, tzinfo=UTC), "UTC", now) == "Wed 30 Dec 10:00"
    assert clock(datetime(2027, 1, 1, 10, tzinfo=UTC), "UTC", now) == "tomorrow 10:00"
    assert clock(datetime(2027, 1, 4, tzinfo=UTC), "UTC", now) == "Mon 4 Jan 2027 00:00"
    # In New York it is still 2026 then.
    assert clock(datetime(2027, 1, 1, 3, tzinfo=UTC), "America/New_York", now) == "22:00"


def test_a_freeze_over_new_year_is_listed_with_its_years_and_its_zone() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    ann = Who(chat="web", id="u1", name="ann")
    begin, end = datetime(2026, 12, 1, 5, tzinfo=UTC), datetime(2027, 1, 4, 5, tzinfo=UTC)
    sale = FreezeAdded(at=now, by=ann, id="f1", words="1 dec - 3 jan", start=begin, end=end, reason="sales")
    card = replies.freezes([sale], "America/New_York", now).card
    assert card is not None
    assert "Tue 1 Dec 00:00 to Mon 4 Jan 2027 00:00 (America/New_York): sales" in card.text
    home = str(home_card(ann, [], [], [sale], [], now))
    assert "Tue 1 Dec 05:00 to Mon 4 Jan 2027 05:00 UTC: sales" in home
