"""When it is open: the documents' own tables, what wins, and the nights the clock changes."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.calendar import (
    Busy,
    Code,
    Opening,
    can_ever_open,
    next_transitions,
    opening,
    rules_for,
    to_be_read,
)
from checklists.policy import Policy

US_HOLIDAYS: dict[str, object] = {"holidays": {"country": "US"}}


def policy(*windows: str, zone: str = "UTC", freezes: list[dict[str, object]] | None = None) -> Policy:
    return Policy.model_validate(
        {"timezone": zone, "windows": {"production": windows} if windows else {}, "freezes": freezes or []}
    )


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def ask(which: Policy, text: str, environment: str = "production", busy: tuple[Busy, ...] = ()) -> Opening:
    return opening(rules_for(which, environment), at(text, which.timezone), busy=busy)


def texts(found: Opening) -> list[str]:
    return [reason.text for reason in found.reasons]


# --- the five documents ----------------------------------------------------------------------------------------------

SERVICES_DO = policy(
    "tue-thu 10:00-16:00",
    zone="Europe/Berlin",
    freezes=[
        {"weekly": "fri 12:00-24:00", "why": "Friday afternoon"},
        {"weekly": "sat-sun", "why": "weekend"},
        {"holidays": {"country": "DE"}},
    ],
)
CA_MARKETPLACE = policy(
    "tue-thu 10:00-14:00",
    freezes=[
        {"weekly": "fri"},
        {"weekly": "sat-sun"},
        {"holidays": {"country": "IN", "only": ["Diwali"], "also": {"US": ["New Year's Day"]}}},
        {"month_end": {"last": 2, "business": True}},
        {"quarter_end": {"last": 5, "business": True}},
        {"incidents": True},
        {"calendar": "campaigns.ics", "matching": "campaign", "buffer": "2h"},
    ],
)
PETFORCE = policy("tue-thu 10:00-16:00", zone="America/New_York", freezes=[US_HOLIDAYS])
MAISHAPOA = policy("tue-thu 10:00-14:00", zone="Africa/Dar_es_Salaam")
AZORA = policy("always")


@pytest.mark.parametrize(
    ("which", "local", "reasons"),
    [
        (SERVICES_DO, "2026-11-24T09:59", ["before 10:00"]),
        (SERVICES_DO, "2026-11-24T10:00", []),
        (SERVICES_DO, "2026-11-26T15:59", []),
        (SERVICES_DO, "2026-11-26T16:00", ["after 16:00"]),
        (SERVICES_DO, "2026-11-27T11:00", ["Friday"]),
        (SERVICES_DO, "2026-11-27T16:55", ["Friday afternoon", "Friday"]),
        (SERVICES_DO, "2026-11-28T11:00", ["weekend", "Saturday"]),
        (SERVICES_DO, "2026-11-23T11:00", ["Monday"]),
        (SERVICES_DO, "2027-10-06T11:00", []),
        (SERVICES_DO, "2030-10-03T11:00", ["German Unity Day"]),
        (CA_MARKETPLACE, "2026-11-19T10:00", []),
        (CA_MARKETPLACE, "2026-11-19T14:00", ["after 14:00"]),
        (CA_MARKETPLACE, "2026-11-20T12:00", ["Friday", "Friday"]),
        (CA_MARKETPLACE, "2026-11-21T12:00", ["weekend", "Saturday"]),
        (CA_MARKETPLACE, "2024-10-31T12:00", ["Diwali", "month-end"]),
        (CA_MARKETPLACE, "2029-11-06T12:00", []),
        (CA_MARKETPLACE, "2026-01-01T12:00", ["New Year's Day"]),
        (CA_MARKETPLACE, "2025-12-31T12:00", ["month-end", "quarter-end"]),
        (CA_MARKETPLACE, "2026-03-25T12:00", ["quarter-end"]),
        (CA_MARKETPLACE, "2026-03-24T12:00", []),
        (CA_MARKETPLACE, "2026-06-30T12:00", ["month-end", "quarter-end"]),
        (PETFORCE, "2026-11-24T10:00", []),
        (PETFORCE, "2026-07-08T15:59", []),
        (PETFORCE, "2026-11-26T12:00", ["Thanksgiving Day"]),
        (PETFORCE, "2026-11-23T12:00", ["Monday"]),
        (PETFORCE, "2026-11-27T12:00", ["Friday"]),
        (MAISHAPOA, "2026-11-25T13:59", []),
        (MAISHAPOA, "2026-11-25T14:00", ["after 14:00"]),
        (MAISHAPOA, "2026-11-22T12:00", ["Sunday"]),
        (AZORA, "2026-11-22T03:00", []),
    ],
)
def test_the_documents_windows_and_freezes(which: Policy, local: str, reasons: list[str]) -> None:
    found = ask(which, local)
    assert texts(found) == reasons
    assert found.open == (not reasons)


def test_us_eastern_windows_follow_the_clock_in_summer_and_winter() -> None:
    assert ask(PETFORCE, "2026-07-07T10:00").open
    assert ask(PETFORCE, "2026-12-01T10:00").open
    rules = rules_for(PETFORCE, "production")
    assert opening(rules, at("2026-07-07T14:00")).open
    assert not opening(rules, at("2026-12-01T14:59")).open


def test_friday_afternoon_opens_on_tuesday() -> None:
    found = ask(SERVICES_DO, "2026-11-20T16:55")
    assert found.next_open == at("2026-11-24T10:00", "Europe/Berlin")
    assert found.next_close == at("2026-11-24T16:00", "Europe/Berlin")
    assert [(reason.code, reason.until) for reason in found.reasons] == [
        (Code.FREEZE, at("2026-11-21T00:00", "Europe/Berlin")),
        (Code.WINDOW, at("2026-11-24T10:00", "Europe/Berlin")),
    ]


def test_staging_is_open_although_production_has_windows() -> None:
    found = ask(CA_MARKETPLACE, "2026-11-21T03:00", "staging")
    assert (found.open, found.next_close) == (True, None)


def test_only_calendars_and_incidents_of_the_environment_have_to_be_read() -> None:
    named = [freeze.calendar or "incidents" for freeze in to_be_read(CA_MARKETPLACE, "production")]
    assert named == ["incidents", "campaigns.ics"]
    assert to_be_read(CA_MARKETPLACE, "staging") == ()


# --- what wins -------------------------------------------------------------------------------------------------------


def test_two_windows_are_a_union_and_do_not_block_each_other() -> None:
    which = policy("tue 10:00-12:00", "tue 11:00-14:00", "wed 09:00-10:00")
    assert [ask(which, f"2026-11-24T{clock}").open for clock in ("10:30", "11:30", "13:59", "14:00")] == [1, 1, 1, 0]
    assert ask(which, "2026-11-24T10:30").next_close == at("2026-11-24T14:00")
    assert ask(which, "2026-11-24T14:00").next_open == at("2026-11-25T09:00")


def test_a_freeze_beats_an_open_window() -> None:
    which = policy("tue-thu 10:00-16:00", freezes=[{"dates": "2026-11-24 - 2026-11-25", "why": "audit"}])
    found = ask(which, "2026-11-24T12:00")
    assert [(r.code, r.text, r.until) for r in found.reasons] == [(Code.FREEZE, "audit", at("2026-11-26T00:00"))]
    assert found.next_open == at("2026-11-26T10:00")


def test_a_freeze_beats_always() -> None:
    which = policy("always", freezes=[{"weekly": "fri 12:00-24:00"}])
    assert texts(ask(which, "2026-11-20T12:00")) == ["fri 12:00-24:00"]
    assert ask(which, "2026-11-20T11:59").next_close == at("2026-11-20T12:00")


def test_a_freeze_holds_only_where_it_says() -> None:
    which = policy("always", freezes=[{"weekly": "sat-sun", "environments": ["Production", "staging"]}])
    assert not ask(which, "2026-11-21T12:00", "staging").open
    assert not ask(which, "2026-11-21T12:00", "PRODUCTION").open
    assert ask(which, "2026-11-21T12:00", "preview").open


def test_a_one_off_freeze_in_chat_closes_and_then_opens_again() -> None:
    added = Busy(at("2026-11-24T11:00"), at("2026-11-24T13:00"), "database move", "/deploy freeze", "freeze")
    found = ask(policy("tue-thu 10:00-16:00"), "2026-11-24T12:00", busy=(added,))
    assert (texts(found), found.next_open, found.next_close) == (
        ["database move"],
        at("2026-11-24T13:00"),
        at("2026-11-24T16:00"),
    )


def test_an_open_incident_closes_until_further_notice() -> None:
    incident = Busy(at("2026-11-24T11:00"), None, "checkout is down", "INC-12", Code.INCIDENT)
    found = ask(policy("tue-thu 10:00-16:00"), "2026-11-24T12:00", busy=(incident,))
    assert [(r.code, r.until) for r in found.reasons] == [(Code.INCIDENT, None)]
    assert (found.next_open, found.next_close) == (None, None)
    before = ask(policy("tue-thu 10:00-16:00"), "2026-11-24T10:00", busy=(incident,))
    assert (before.open, before.next_close) == (True, at("2026-11-24T11:00"))


def test_a_source_that_cannot_be_read_blocks_or_is_named() -> None:
    rules = rules_for(policy("tue-thu 10:00-16:00"), "production")
    blocked = opening(rules, at("2026-11-24T12:00"), unreadable=[("events.ics", True)])
    assert (blocked.open, blocked.next_open, blocked.reasons[0].code) == (False, None, Code.UNKNOWN)
    passed = opening(rules, at("2026-11-24T12:00"), unreadable=[("events.ics", False)])
    assert (passed.open, passed.ignored) == (True, ("events.ics",))


def test_an_unknown_zone_is_an_error_and_never_utc() -> None:
    with pytest.raises(ValueError, match="did you mean Europe/Berlin"):
        rules_for(policy("always", zone="Europe/Berlln"), "production")
    with pytest.raises(ValueError, match="write America/New_York"):
        rules_for(policy("always", zone="EST"), "production")


def test_a_bad_window_is_an_error_with_a_way_out() -> None:
    with pytest.raises(ValueError, match="'freitag' is not a day"):
        rules_for(policy("freitag 10:00-12:00"), "production")
    with pytest.raises(ValueError, match="write `always`"):
        rules_for(Policy(windows={"production": ()}), "production")


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        opening(rules_for(policy(), "production"), datetime.fromisoformat("2026-01-01"))


def test_a_cause_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="mood"):
        ask(policy(), "2026-01-01T00:00", busy=(Busy(at("2026-01-01"), None, "x", "y", "mood"),))


def test_a_policy_that_never_opens_says_so() -> None:
    which = policy("fri 12:00-16:00", freezes=[{"weekly": "fri 12:00-24:00", "why": "Friday afternoon"}])
    rules = rules_for(which, "production")
    assert not can_ever_open(rules, at("2026-11-20T12:00"))
    assert opening(rules, at("2026-11-20T12:00")).next_open is None
    assert can_ever_open(rules_for(SERVICES_DO, "production"), at("2026-11-20T12:00"))


@pytest.mark.parametrize(
    "freeze",
    [
        {"month_end": {"first": 1}},
        {"weekly": "tue"},
        {"holidays": {"country": "RO", "only": ["National Day"]}},
        {"rrule": "DTSTART:20261201T000000 RRULE:FREQ=YEARLY", "lasts": "1d"},
    ],
)
def test_a_freeze_at_the_far_edge_of_what_is_looked_at_first_still_counts(freeze: dict[str, object]) -> None:
    which = policy("daily 10:00-12:00", freezes=[{"dates": "2026-11-20 - 2026-11-30"}, freeze])
    assert ask(which, "2026-11-23T00:00").next_open == at("2026-12-02T10:00")


@pytest.mark.parametrize("last", ["2026-11-30", "2027-01-03", "2027-12-01"])
def test_a_long_freeze_says_when_it_ends(last: str) -> None:
    which = policy("always", freezes=[{"dates": f"2026-11-01 - {last}"}])
    found = ask(which, "2026-11-20T12:00")
    end = at(last) + timedelta(days=1)
    assert ([reason.until for reason in found.reasons], found.next_open) == ([end], end)


def test_adjacent_spans_of_one_cause_are_one_reason() -> None:
    found = ask(
        policy("always", freezes=[{"weekly": "sat-sun"}, {"weekly": "mon-fri 09:00-24:00"}]), "2026-11-21T12:00"
    )
    assert [reason.until for reason in found.reasons] == [at("2026-11-23T00:00")]
    assert found.next_close == at("2026-11-23T09:00")


def test_a_freeze_without_end_has_no_until() -> None:
    found = ask(policy("always", freezes=[{"weekly": "mon-sun"}]), "2026-11-20T12:00")
    assert [(r.text, r.until) for r in found.reasons] == [("every day", None)]


@pytest.mark.parametrize(
    ("local", "text"),
    [
        ("2026-11-20T21:59", "before 22:00"),
        ("2026-11-21T02:00", "between 02:00 and 22:00"),
        ("2026-11-24T02:00", "after 02:00"),
        ("2026-11-25T12:00", "Wednesday"),
    ],
)
def test_outside_a_window_is_said_in_the_clock_of_the_day(local: str, text: str) -> None:
    assert texts(ask(policy("fri-mon 22:00-02:00"), local)) == [text]


# --- the night the clock changes -------------------------------------------------------------------------------------


def hours_open(which: Policy, day: str) -> list[tuple[str, str]]:
    """The openings that start on a local day, as they are in UTC."""
    rules, now, found = rules_for(which, "production"), at(f"{day}T00:00", which.timezone), []
    while (state := opening(rules, now)).next_open is not None and state.next_open < now + timedelta(hours=25):
        if state.next_open.astimezone(rules.zone).date() != date.fromisoformat(day) or state.next_close is None:
            break
        found.append((f"{state.next_open:%H:%M}", f"{state.next_close:%H:%M}"))
        now = state.next_close
    return found


@pytest.mark.parametrize(
    ("zone", "words", "day", "expected"),
    [
        ("Europe/Berlin", "daily 10:00-18:00", "2026-03-28", [("09:00", "17:00")]),
        ("Europe/Berlin", "daily 10:00-18:00", "2026-03-29", [("08:00", "16:00")]),
        ("Europe/Berlin", "daily 10:00-18:00", "2026-10-25", [("09:00", "17:00")]),
        ("Europe/Berlin", "daily 01:00-04:00", "2026-03-29", [("00:00", "02:00")]),
        ("Europe/Berlin", "daily 01:00-04:00", "2026-10-25", [("23:00", "03:00")]),
        ("Europe/Berlin", "daily 02:30-04:00", "2026-03-29", [("01:00", "02:00")]),
        ("Europe/Berlin", "daily 02:00-02:30", "2026-03-29", []),
        ("Europe/Berlin", "daily 02:00-02:30", "2026-10-25", [("00:00", "00:30"), ("01:00", "01:30")]),
        ("Australia/Lord_Howe", "daily 01:00-03:00", "2026-04-05", [("14:00", "16:30")]),
        ("Australia/Lord_Howe", "daily 01:00-03:00", "2026-10-04", [("14:30", "16:00")]),
        ("America/New_York", "sat 20:00-04:00", "2026-10-31", [("00:00", "09:00")]),
    ],
)
def test_a_window_is_open_while_the_wall_clock_shows_it(
    zone: str, words: str, day: str, expected: list[tuple[str, str]]
) -> None:
    assert hours_open(policy(words, zone=zone), day) == expected


def test_a_day_that_never_was_has_no_window() -> None:
    found = ask(policy("fri 10:00-16:00", zone="Pacific/Apia"), "2011-12-29T23:59")
    assert found.next_open == at("2012-01-06T10:00", "Pacific/Apia")


def test_the_next_changes_of_the_clock() -> None:
    changes = next_transitions("America/New_York", at("2026-11-20T00:00"))
    assert [change.at for change in changes] == [at("2027-03-14T07:00"), at("2027-11-07T06:00")]
    assert changes[0].after - changes[0].before == timedelta(hours=1)
    assert next_transitions("Asia/Kathmandu", at("2026-11-20T00:00")) == ()
    assert next_transitions("America/New_York", changes[0].at, 1) == (changes[1],)


def test_an_answer_takes_milliseconds() -> None:
    rules = rules_for(CA_MARKETPLACE, "production")
    opening(rules, at("2026-01-01T00:00"))
    begin = time.perf_counter()
    for day in range(365):
        opening(rules, at("2026-01-01T00:00") + timedelta(days=day))
    assert time.perf_counter() - begin < 365 * 0.005
