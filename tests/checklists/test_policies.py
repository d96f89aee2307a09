"""What each of the five documents demands, found again in its loaded policy."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

import checklists
from checklists.document import PhaseKind
from checklists.library import Loaded, load
from checklists.policy import Announcement

SHIPPED = Path(checklists.__file__).parent
FIVE = ["services-do", "ca-marketplace", "petforce", "maishapoa", "azora"]
M, H = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(scope="module")
def loaded() -> dict[str, Loaded]:
    return {name: load(name, [SHIPPED]) for name in FIVE}


@pytest.mark.parametrize(
    ("name", "items", "reference", "rollback", "emergency", "follow_up"),
    [
        ("services-do", 99, 0, 7, 14, 0),
        ("ca-marketplace", 114, 14, 3, 11, 0),
        ("petforce", 137, 0, 4, 0, 7),
        ("maishapoa", 58, 0, 0, 0, 0),
        ("azora", 124, 0, 7, 0, 15),
    ],
)
def test_every_item_is_read_and_has_its_place(
    loaded: dict[str, Loaded], name: str, items: int, reference: int, rollback: int, emergency: int, follow_up: int
) -> None:
    checklist = loaded[name].checklist
    found = {kind: sum(len(phase.items) for phase in checklist.phases if phase.kind is kind) for kind in PhaseKind}
    assert sum(found.values()) == items
    assert (found[PhaseKind.REFERENCE], found[PhaseKind.ROLLBACK]) == (reference, rollback)
    assert (found[PhaseKind.EMERGENCY], found[PhaseKind.FOLLOW_UP]) == (emergency, follow_up)


@pytest.mark.parametrize(
    ("name", "timezone", "windows"),
    [
        ("services-do", "UTC", {"production": ("tue-thu 10:00-16:00",), "staging": ("always",)}),
        ("ca-marketplace", "UTC", {"production": ("tue-thu 10:00-14:00",), "staging": ("mon-fri 09:00-18:00",)}),
        ("petforce", "America/New_York", {"production": ("tue-thu 10:00-16:00",), "staging": ("always",)}),
        ("maishapoa", "UTC", {"production": ("tue-thu 10:00-14:00",), "staging": ("always",)}),
        ("azora", "UTC", {"production": ("always",)}),
    ],
)
def test_windows(loaded: dict[str, Loaded], name: str, timezone: str, windows: dict[str, tuple[str, ...]]) -> None:
    assert (loaded[name].policy.timezone, loaded[name].policy.windows) == (timezone, windows)


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("services-do", ["Friday afternoon", "weekend", "holiday", "high traffic period"]),
        (
            "ca-marketplace",
            [
                "Friday",
                "weekend",
                "major holiday",
                "New Year",
                "month-end",
                "quarter-end",
                "active incident",
                "large marketing campaign",
            ],
        ),
        ("petforce", ["Monday", "Friday", "major holiday", "company event", "active incident in production"]),
        ("maishapoa", []),
        ("azora", []),
    ],
)
def test_freezes_and_why(loaded: dict[str, Loaded], name: str, reasons: list[str]) -> None:
    assert [freeze.why for freeze in loaded[name].policy.freezes] == reasons


def test_a_campaign_freezes_two_hours_on_either_side(loaded: dict[str, Loaded]) -> None:
    [campaign] = [freeze for freeze in loaded["ca-marketplace"].policy.freezes if freeze.calendar]
    assert campaign.buffer == 2 * H


def test_calendars_named_in_a_policy_are_shipped(loaded: dict[str, Loaded]) -> None:
    named = {freeze.calendar for each in loaded.values() for freeze in each.policy.freezes if freeze.calendar}
    assert named == {"services-do-high-traffic.ics", "ca-marketplace-campaigns.ics", "petforce-company-events.ics"}
    assert all((SHIPPED / file).read_bytes().startswith(b"BEGIN:VCALENDAR\r\n") for file in named)


@pytest.mark.parametrize(
    ("name", "override", "role", "closed_windows"),
    [
        ("services-do", "skip-staging", "senior_engineer", True),
        ("services-do", "fast-track", None, True),
        ("ca-marketplace", "hotfix", "senior_engineer", True),
        ("petforce", "emergency", "vp_engineering", True),
        ("petforce", "hotfix", None, False),
    ],
)
def test_ways_around_cost_a_reason_and_an_approval(
    loaded: dict[str, Loaded], name: str, override: str, role: str | None, closed_windows: bool
) -> None:
    rule = loaded[name].policy.overrides[override]
    assert (rule.role, rule.reason, rule.closed_windows) == (role, True, closed_windows)


def test_a_hotfix_is_reviewed_watched_and_looked_back_on(loaded: dict[str, Loaded]) -> None:
    assert loaded["petforce"].policy.overrides["hotfix"].review_after
    hotfix = loaded["ca-marketplace"].policy.overrides["hotfix"]
    assert (hotfix.watch_at_least, hotfix.post_mortem) == (2 * H, 24 * H)


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("services-do", {"deployments": "#deployments", "incidents": "#incidents"}),
        ("ca-marketplace", {"deployments": "#deployments", "announcements": "#announcements", "qa": "#qa"}),
        ("petforce", {"deployments": "#engineering"}),
        ("maishapoa", {"deployments": "#deployments"}),
        ("azora", {"deployments": "#deployments"}),
    ],
)
def test_channels(loaded: dict[str, Loaded], name: str, channels: dict[str, str]) -> None:
    assert loaded[name].policy.channels == channels


@pytest.mark.parametrize(
    ("name", "phase", "opens"),
    [
        ("services-do", "Deploy to Production", []),
        ("ca-marketplace", "Deployment Steps", []),
        ("petforce", "Step 3: Application Deployment (15-20 minutes)", ["T-48 h", "T-2 h", "T-30 m"]),
        ("maishapoa", "Monitor Deployment", ["T-48 h", "T-1 h"]),
        (
            "azora",
            "Phase 4: Traffic Switch (T+0 minutes)",
            ["T-48 h", "T-2 h", "T-30 m", "T-20 m", "T-10 m"],
        ),
    ],
)
def test_where_t0_happens_and_what_opens_before(
    loaded: dict[str, Loaded], name: str, phase: str, opens: list[str]
) -> None:
    rules = loaded[name].policy.phases
    assert [title for title, rule in rules.items() if rule.deployed] == [phase]
    assert [str(rule.opens) for rule in rules.values() if rule.opens and rule.opens.offset < 0 * M] == opens


@pytest.mark.parametrize("name", FIVE)
def test_phases_of_a_run_open_in_the_document_s_order(loaded: dict[str, Loaded], name: str) -> None:
    rules = loaded[name].policy.phases
    run = [phase.title for phase in loaded[name].checklist.phases if phase.kind is PhaseKind.RUN and phase.items]
    moments = [rules[title].opens for title in run if title in rules]
    known = [moment for moment in moments if moment is not None]
    assert all(before <= after for before, after in pairwise(known))


def test_azora_s_phases_follow_its_clock(loaded: dict[str, Loaded]) -> None:
    opens = [str(rule.opens) for rule in loaded["azora"].policy.phases.values() if rule.opens]
    assert opens == [
        "T-48 h", "T-2 h", "T-30 m", "T-20 m", "T-10 m", "T+0", "T+5 m", "T+30 m", "T+2 h", "T+24 h",
        "T+24 h", "T+7 days", "T+30 days",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "moments"),
    [
        ("services-do", [(0 * M, 5 * M), (30 * M, None), (2 * H, None), (24 * H, None)]),
        (
            "ca-marketplace",
            [(0 * M, M), (5 * M, 5 * M), (30 * M, None), (45 * M, 15 * M), (2 * H, None), (24 * H, None)],
        ),
        ("petforce", [(0 * M, M), (10 * M, 5 * M), (30 * M, None), (2 * H, None), (24 * H, None)]),
        ("maishapoa", [(0 * M, 15 * M), (30 * M, None), (2 * H, None), (5 * H, None), (24 * H, None)]),
        ("azora", [(0 * M, M), (5 * M, 5 * M), (30 * M, None), (2 * H, None), (24 * H, None)]),
    ],
)
def test_moments_that_are_watched(
    loaded: dict[str, Loaded], name: str, moments: list[tuple[timedelta, timedelta | None]]
) -> None:
    assert [(entry.at.offset, entry.every) for entry in loaded[name].policy.watch] == moments


@pytest.mark.parametrize("name", FIVE)
def test_success_is_announced_after_30_minutes_and_stability_after_24_hours(
    loaded: dict[str, Loaded], name: str
) -> None:
    said = {entry.at.offset: entry.then for entry in loaded[name].policy.watch if entry.then}
    assert said[30 * M] == (Announcement.SUCCEEDED,)
    assert said[24 * H] == (Announcement.STABLE,)


def test_maishapoa_says_stable_at_the_end_of_the_day(loaded: dict[str, Loaded]) -> None:
    [entry] = [entry for entry in loaded["maishapoa"].policy.watch if entry.phase == "End of Day"]
    assert entry.then == (Announcement.STABLE,)


@pytest.mark.parametrize(
    ("name", "at", "measure", "alert"),
    [
        (
            "services-do",
            30 * M,
            {"error_rate": "< 1%", "p95_latency": "< 500ms", "requests": "> 0 count"},
            {"error_rate": "> 2%", "p95_latency": "> 1000ms"},
        ),
        (
            "ca-marketplace",
            30 * M,
            {
                "error_rate": "< 1%",
                "p50_latency": "< 200ms",
                "p95_latency": "< 500ms",
                "p99_latency": "< 1000ms",
                "cpu": "< 70%",
                "memory": "< 80%",
            },
            {"error_rate": "> 5%", "response_time_vs_normal": "> 2 x"},
        ),
        (
            "petforce",
            30 * M,
            {"error_rate": "< 0.1%", "p99_latency": "< 500ms", "success_rate": "> 99.9%"},
            {"error_rate": "> 5%"},
        ),
        (
            "maishapoa",
            30 * M,
            {
                "error_rate_vs_normal": "<= 1 x",
                "sentry_errors_vs_normal": "<= 1 x",
                "response_time_vs_normal": "< 1.5 x",
            },
            {},
        ),
        (
            "azora",
            30 * M,
            {"error_rate": "< 0.1%", "p95_latency": "< 100ms", "query_latency": "< 50ms", "pods_running": "= 100%"},
            {"error_rate": "> 5%", "p95_latency": "> 500ms"},
        ),
    ],
)
def test_thresholds(
    loaded: dict[str, Loaded], name: str, at: timedelta, measure: dict[str, str], alert: dict[str, str]
) -> None:
    [entry] = [entry for entry in loaded[name].policy.watch if entry.at.offset == at and entry.then]
    assert {measured: str(band) for measured, band in entry.measure.items()} == measure
    assert {measured: str(band) for measured, band in entry.alert.items()} == alert


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        (
            "services-do",
            [
                ("Critical", "> 5%", "Immediate rollback", "<5 min", 5 * M),
                ("High", "2-5%", "Rollback or fix forward", "<15 min", 15 * M),
                ("Medium", "1-2%", "Monitor, fix forward", "<1 hour", H),
                ("Low", "< 1%", "Fix in next release", "Next deploy", None),
            ],
        ),
        (
            "ca-marketplace",
            [
                ("Critical", "= 100%", "Immediate rollback", "< 5 minutes", 5 * M),
                ("High", "> 50%", "Quick rollback", "< 15 minutes", 15 * M),
                ("Medium", "10-50%", "Evaluate fix vs rollback", "< 30 minutes", 30 * M),
                ("Low", "< 10%", "Fix forward", "Within 24 hours", 24 * H),
            ],
        ),
        (
            "maishapoa",
            [
                ("Critical", None, "Rollback immediately", "immediately", None),
                ("High", None, "Quick fix or rollback", "", None),
                ("Medium", None, "Fix forward", "", None),
                ("Low", None, "Note for next deploy", "next deploy", None),
            ],
        ),
        ("petforce", []),
        ("azora", []),
    ],
)
def test_matrix_word_for_word(loaded: dict[str, Loaded], name: str, rows: list[tuple[object, ...]]) -> None:
    assert [
        (row.severity, next((str(band) for band in row.when.values()), None), row.action, row.within, row.limit)
        for row in loaded[name].policy.matrix
    ] == rows


@pytest.mark.parametrize(
    ("name", "alert", "lasting", "mode", "within"),
    [
        ("services-do", {"error_rate": "> 5%", "p95_latency": "> 2s"}, None, "ask", 5 * M),
        ("ca-marketplace", {"response_time_vs_normal": "> 2 x", "error_rate": "> 5%"}, None, "ask", 5 * M),
        ("petforce", {"error_rate": "> 5%"}, 5 * M, "ask", 5 * M),
        ("maishapoa", {}, None, "ask", None),
        ("azora", {"error_rate": "> 5%"}, 5 * M, "automatic", 5 * M),
    ],
)
def test_when_to_roll_back(
    loaded: dict[str, Loaded],
    name: str,
    alert: dict[str, str],
    lasting: timedelta | None,
    mode: str,
    within: timedelta | None,
) -> None:
    rule = loaded[name].policy.rollback
    assert {measured: str(band) for measured, band in rule.alert.items()} == alert
    assert (rule.lasting, rule.mode, rule.within) == (lasting, mode, within)
    assert rule.when
