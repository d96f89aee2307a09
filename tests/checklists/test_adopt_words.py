"""Times, days and numbers in the words of many teams."""

from __future__ import annotations

import pytest

from checklists.adopt import adopt
from checklists.adoption.amounts import band, duration, every, limits
from checklists.adoption.clock import days, hours, span, zone
from checklists.policy import Policy
from checklists.policy_file import load_policy


def policy_of(text: str) -> Policy:
    return load_policy(adopt(text, name="x"), file="x.yaml")


@pytest.mark.parametrize(
    ("text", "bands"),
    [
        ("error rate > 5% for 5+ minutes", ["> 5%"]),
        ("Error rate > 5% for > 5 minutes", ["> 5%"]),
        ("(<500ms p95)", ["< 500ms"]),
        ("P95 response time under 500 ms", ["< 500ms"]),
        ("Response times > 2x normal", ["> 2 x"]),
        ("Error rate in Sentry < baseline", ["< 1 x"]),
        ("CPU at most 70%, memory ≤ 80%", ["<= 70%", "<= 80%"]),
        ("at least 99.9% success", [">= 99.9%"]),
        ("Traffic cutover 0% -> 50% → 100%", []),
        ("--tail=100 --limit=5", []),
        ("merge <previous-run-id>", []),
    ],
)
def test_thresholds_in_a_sentence(text: str, bands: list[str]) -> None:
    assert [limit.band() for limit in limits(text)] == bands


@pytest.mark.parametrize("text", ["> 5% for 5+ minutes", "> 5% for > 5 minutes", "> 5% for more than 5 min"])
def test_how_long_a_threshold_must_last(text: str) -> None:
    assert [limit.lasting for limit in limits(text)] == ["5m"]


@pytest.mark.parametrize(
    ("cell", "words"),
    [(">5%", "> 5%"), ("2-5%", "2-5%"), ("500ms-1s", "500ms-1s"), ("1 – 2 s", "1-2s"), ("5-2%", None), ("All", None)],
)
def test_bands_in_a_cell(cell: str, words: str | None) -> None:
    assert band(cell) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [("<5 min", "5m"), ("15-20 minutes", "20m"), ("Within 24 hours", "24h"), ("1 week", "7d"), ("Next deploy", None)],
)
def test_durations(text: str, words: str | None) -> None:
    assert duration(text) == words


@pytest.mark.parametrize(
    ("text", "words"), [("every minute", "1m"), ("every 15 minutes", "15m"), ("each hour", "1h"), ("every day", "1d")]
)
def test_how_often(text: str, words: str) -> None:
    assert every(text) == words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10am-4pm", "10:00-16:00"),
        ("10 AM-2 PM", "10:00-14:00"),
        ("10:00-14:00 UTC", "10:00-14:00"),
        ("9:30am – 3 p.m.", "09:30-15:00"),
        ("between 10:00 and 16:00", "10:00-16:00"),
        ("10-4pm", "10:00-16:00"),
        ("1-4pm", "13:00-16:00"),
        ("10pm to 2am", "22:00-02:00"),
        ("12am-12pm", "00:00-12:00"),
        ("2-3 times", None),
        ("25:00-99:99", None),
    ],
)
def test_hours(text: str, found: str | None) -> None:
    read = hours(text)
    assert (read.words if read else None) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Tuesday-Thursday", "tue-thu"),
        ("Tue – Thu", "tue-thu"),
        ("Monday through Wednesday", "mon-wed"),
        ("Mondays and Fridays", "mon,fri"),
        ("weekends", "sat-sun"),
        ("business days", "mon-fri"),
        ("any time", None),
    ],
)
def test_days(text: str, found: str | None) -> None:
    assert days(text) == found


@pytest.mark.parametrize(
    ("text", "name", "sure"),
    [
        ("10am-4pm EST", "America/New_York", True),
        ("14:00 UTC", "UTC", True),
        ("Europe/Berlin", "Europe/Berlin", True),
        ("UTC+2", "UTC", False),
        ("(your timezone)", "UTC", False),
    ],
)
def test_zones(text: str, name: str, sure: bool) -> None:
    found = zone(text)
    assert found is not None
    assert (found.name, found.sure) == (name, sure)


@pytest.mark.parametrize(
    ("title", "opens", "until", "expected"),
    [
        ("Checks (48 hours before)", "T-48h", None, None),
        ("Phase 5: Monitoring (T+5 to T+30 minutes)", "T+5m", "T+30m", None),
        ("Traffic Switch (T+0 minutes)", "T+0", None, None),
        ("Immediate verification (0-5 minutes)", "T+0", "T+5m", None),
        ("Extended monitoring (30min - 2 hours)", "T+30m", "T+2h", None),
        ("Monitoring (First 24 Hours)", "T+0", "T+24h", None),
        ("Step 2: Migrations (1-5 minutes)", None, None, "5m"),
        ("Cleanup (After 30 minutes of stability)", "T+30m", None, None),
        ("Post-Deployment (Immediately After)", "T+0", None, None),
        ("Week 1", "T+7d", None, None),
        ("Deploy", None, None, None),
    ],
)
def test_moments_in_a_title(title: str, opens: str | None, until: str | None, expected: str | None) -> None:
    found = span(title)
    assert (found.opens, found.until, found.expected) == (opens, until, expected)


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("## Deployment window\n\n- Days: Mon to Thu\n- Hours: 9:30am - 3pm\n", ("mon-thu 09:30-15:00",)),
        ("We deploy Monday-Wednesday between 10:00 and 15:00.\n", ("mon-wed 10:00-15:00",)),
        ("## Deployment windows\n\nWeekdays 9am-5pm, except Fridays.\n", ("mon-fri 09:00-17:00",)),
        ("## Support\n\nOffice hours: Mon-Fri 9am-5pm.\n", None),
        ("## Deployment\n\nNever deploy Fri 10am-4pm.\n", None),
    ],
)
def test_windows_of_other_teams(text: str, windows: tuple[str, ...] | None) -> None:
    assert policy_of(f"# Deployment\n\n{text}").windows.get("production") == windows


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Never deploy on Fridays after 3pm.", {"weekly": "fri 15:00-24:00"}),
        ("No releases on weekends.", {"weekly": "sat-sun"}),
        ("Code freeze: Dec 20 - Jan 3", {"rrule": "DTSTART:20231220T000000\nRRULE:FREQ=YEARLY"}),
        ("Do not deploy 2026-12-20 - 2027-01-03", {"dates": "2026-12-20 00:00 - 2027-01-04 00:00"}),
        ("Avoid deploying at the end of the quarter", {"quarter_end": {"last": 1}}),
        ("No deployments during an active incident", {"incidents": True}),
    ],
)
def test_freezes_of_other_teams(text: str, rule: dict[str, object]) -> None:
    (freeze,) = policy_of(f"## When to deploy\n\n- {text}\n").freezes
    found = freeze.model_dump(exclude_defaults=True)
    assert {key: found[key] for key in rule} == rule


@pytest.mark.parametrize("text", ["Avoid Patch Tuesday", "Avoid Cyber Monday", "Avoid the last Friday of a month"])
def test_one_named_day_is_not_every_such_weekday(text: str) -> None:
    policy = policy_of(f"## When to deploy\n\n- {text}\n")
    assert policy.freezes == ()
    assert len(policy.advice) == 1


def test_never_in_a_sentence_without_a_time_is_no_freeze() -> None:
    assert policy_of("## Deployment\n\nNever deploy without a rollback plan.\n").freezes == ()


@pytest.mark.parametrize(
    ("text", "sources"),
    [("- ☐ one\n- ☐ two\n", ("symbols",)), ("1. Run\n2. Tag\n", ("lists",)), ("- [ ] one\n- ☐ two\n", ())],
)
def test_a_document_without_task_boxes_is_read_by_what_stands_in_their_place(
    text: str, sources: tuple[str, ...]
) -> None:
    assert policy_of(f"# Release\n\n{text}").items_from == sources
