"""What `adopt` recovers from the five documents about time and numbers: phases, checks, thresholds, matrices."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checklists.document import PhaseKind
from tests.checklists.test_adopt import NAMES, check, draft, policy, words


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("services-do", {"error_rate": "< 1%", "p95_latency": "< 500ms"}),
        (
            "ca-marketplace",
            {
                "error_rate": "< 1%",
                "p50_latency": "< 200ms",
                "p95_latency": "< 500ms",
                "p99_latency": "< 1000ms",
                "cpu": "< 70%",
                "memory": "< 80%",
            },
        ),
        ("petforce", {"error_rate": "< 0.1%", "p99_latency": "< 500ms", "success_rate": "> 99.9%"}),
        ("maishapoa", {"error_rate_vs_normal": "< 1 x"}),
        ("azora", {"error_rate": "< 0.1%", "latency": "< 100ms", "query_latency": "< 50ms"}),
    ],
)
def test_targets_of_every_check(name: str, measure: dict[str, str]) -> None:
    assert [words(entry.measure) for entry in policy(name).watch] == [measure] * len(policy(name).watch)


@pytest.mark.parametrize(
    ("name", "alert"),
    [
        ("services-do", {"error_rate": "> 2%", "p95_latency": "> 1000ms"}),
        ("ca-marketplace", {"response_time_vs_normal": "> 2 x", "error_rate": "> 5%"}),
        ("petforce", {"error_rate": "> 5%"}),
        ("maishapoa", {}),
        ("azora", {"error_rate": "> 5%", "latency": "> 500ms"}),
    ],
)
def test_alerts_of_every_check(name: str, alert: dict[str, str]) -> None:
    assert [words(entry.alert) for entry in policy(name).watch] == [alert] * len(policy(name).watch)


@pytest.mark.parametrize(
    ("name", "alert", "lasting", "mode", "within"),
    [
        ("services-do", {"error_rate": "> 5%", "p95_latency": "> 2s"}, None, "ask", 5),
        ("ca-marketplace", {"response_time_vs_normal": "> 2 x", "error_rate": "> 5%"}, None, "ask", 5),
        ("petforce", {"error_rate": "> 5%"}, 5, "ask", 5),
        ("maishapoa", {}, None, "ask", None),
        ("azora", {"error_rate": "> 5%"}, 5, "automatic", 5),
    ],
)
def test_when_to_roll_back(
    name: str, alert: dict[str, str], lasting: int | None, mode: str, within: int | None
) -> None:
    rollback = policy(name).rollback
    assert words(rollback.alert) == alert
    assert rollback.mode == mode
    minutes = [span and int(span.total_seconds() // 60) for span in (rollback.lasting, rollback.within)]
    assert minutes == [lasting, within]


def test_an_automatic_rollback_is_marked_for_a_person_to_decide() -> None:
    before = draft("azora").split("mode: automatic")[0]
    assert "UNSURE" in before.rsplit("\n", 2)[-2]


@pytest.mark.parametrize(
    ("name", "conditions"),
    [
        ("petforce", 4),
        ("azora", 7),
        ("ca-marketplace", 9),
        ("services-do", 2),
        ("maishapoa", 2),
    ],
)
def test_conditions_in_words(name: str, conditions: int) -> None:
    assert len(policy(name).rollback.when) == conditions


def test_a_condition_keeps_the_bullet_it_stands_under() -> None:
    assert "Critical functionality broken: Payment processing failing" in policy("ca-marketplace").rollback.when


def test_what_the_pipeline_rolls_back_by_itself() -> None:
    assert policy("ca-marketplace").rollback.by_pipeline == (
        "Smoke tests fail",
        "Health checks fail",
        "Database migration fails",
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_draft_looks_after_30_minutes_2_hours_and_24_hours(name: str) -> None:
    moments = [str(entry.at) for entry in policy(name).watch if entry.every is None]
    assert [moment for moment in moments if moment in ("T+30 m", "T+2 h", "T+24 h")] == ["T+30 m", "T+2 h", "T+24 h"]


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("services-do", {"2-hour"}),
        ("ca-marketplace", {"24-hour"}),
        ("petforce", {"2-hour"}),
        ("maishapoa", {"30-minute", "24-hour"}),
        ("azora", set()),
    ],
)
def test_a_check_the_document_does_not_name_is_marked(name: str, default: set[str]) -> None:
    every = {"30-minute", "2-hour", "24-hour"}
    assert {kind for kind in every if f"UNSURE: the document names no {kind} check" in draft(name)} == default


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("services-do", []),
        ("ca-marketplace", [("T+5 m", 5, 20), ("T+30 m", 30, 60)]),
        ("petforce", [("T+0", 1, 5)]),
        ("maishapoa", [("T+0", 15, 120)]),
        ("azora", [("T+5 m", 5, 20)]),
    ],
)
def test_series(name: str, series: list[tuple[str, int, int]]) -> None:
    found = [
        (str(entry.at), entry.every // timedelta(minutes=1), entry.during // timedelta(minutes=1))
        for entry in policy(name).watch
        if entry.every and entry.during
    ]
    assert found == series


def test_success_is_announced_after_30_minutes_and_stability_after_a_day() -> None:
    assert [(entry.then, str(entry.at)) for entry in policy("azora").watch if entry.then] == [
        (("succeeded",), "T+30 m"),
        (("stable",), "T+24 h"),
    ]


@pytest.mark.parametrize(
    ("name", "at", "phase"),
    [
        ("services-do", "T+30 m", "Monitoring (First 30 Minutes)"),
        ("services-do", "T+24 h", "Monitoring (First 24 Hours)"),
        ("petforce", "T+30 m", "Short-term (First 30 minutes)"),
        ("petforce", "T+24 h", "Long-term Monitoring (24 hours)"),
        ("azora", "T+2 h", "Short-term (T+2 hours)"),
        ("maishapoa", "T+2 h", "Ongoing Monitoring (Next 1-2 Hours)"),
    ],
)
def test_a_check_opens_the_phase_it_was_read_from(name: str, at: str, phase: str) -> None:
    assert check(name, at).phase == phase


@pytest.mark.parametrize(
    ("name", "moments"),
    [
        (
            "azora",
            [
                "T-48 h", "T-2 h", "T-30 m", "T-20 m", "T-10 m", "T+0", "T+5 m", "T+30 m", "T+2 h", "T+24 h",
                "T+24 h", "T+7 days", "T+30 days",
            ],
        ),
        ("maishapoa", ["T-48 h", "T-1 h", "T+0", "T+0"]),
        ("petforce", ["T-48 h", "T+0", "T+0", "T+30 m", "T+30 m", "T+7 days"]),
    ],
)  # fmt: skip
def test_moments_of_the_phases(name: str, moments: list[str]) -> None:
    assert [str(rule.opens) for rule in policy(name).phases.values() if rule.opens] == moments


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        ("services-do", "Production Deployment"),
        ("ca-marketplace", "Production Deployment"),
        ("petforce", "Step 3: Application Deployment (15-20 minutes)"),
        ("maishapoa", "Monitor Deployment"),
        ("azora", "Phase 4: Traffic Switch (T+0 minutes)"),
    ],
)
def test_where_production_is_deployed(name: str, phase: str) -> None:
    assert [key for key, rule in policy(name).phases.items() if rule.deployed] == [phase]


def test_minutes_in_a_steps_title_are_how_long_it_takes() -> None:
    rule = policy("petforce").phases["Step 2: Database Migrations (1-5 minutes)"]
    assert (rule.expected, rule.opens) == (timedelta(minutes=5), None)


def test_emergency_lanes_become_overrides_that_open_no_window_by_themselves() -> None:
    lanes = policy("services-do").overrides
    assert {name: (lane.instead, lane.role, lane.closed_windows) for name, lane in lanes.items()} == {
        "fast-track": ("Fast Track", None, False),
        "skip-staging": ("Skip-Staging Deployment", "senior_engineer", False),
    }


def test_a_lane_keeps_how_long_it_is_watched_and_when_its_post_mortem_is_due() -> None:
    lane = policy("ca-marketplace").overrides["hotfix"]
    assert (lane.watch_at_least, lane.post_mortem) == (timedelta(hours=2), timedelta(hours=24))


def test_a_sentence_that_allows_a_way_around_becomes_an_override() -> None:
    lanes = policy("petforce").overrides
    assert (lanes["emergency"].role, lanes["hotfix"].review_after) == ("vp_engineering", True)


@pytest.mark.parametrize("name", NAMES)
def test_reference_parts_are_kept_out_of_the_run(name: str) -> None:
    contacts = next(rule for key, rule in policy(name).phases.items() if key.endswith("Contacts"))
    assert contacts.kind is PhaseKind.REFERENCE
