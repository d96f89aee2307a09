"""What `adopt` recovers from the five documents, without looking at their policies."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from checklists.adopt import adopt
from checklists.library import from_texts
from checklists.lint import lint
from checklists.policy import Announcement, FreezePolicy, Policy, WatchEntry
from checklists.policy_file import load_policy

NAMES = ("services-do", "ca-marketplace", "petforce", "maishapoa", "azora")


@cache
def draft(name: str) -> str:
    return adopt(Path(f"checklists/{name}.md").read_bytes(), name=name)


@cache
def policy(name: str) -> Policy:
    return load_policy(draft(name), file=f"{name}.yaml")


def check(name: str, at: str) -> WatchEntry:
    """The single check at a moment."""
    return next(entry for entry in policy(name).watch if str(entry.at) == at and entry.every is None)


def words(bands: dict[str, Any]) -> dict[str, str]:
    return {name: str(band) for name, band in bands.items()}


@pytest.mark.parametrize("name", NAMES)
def test_lint_finds_nothing_wrong_in_the_draft_but_what_is_to_be_filled_in(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.md").write_bytes(Path(f"checklists/{name}.md").read_bytes())
    (tmp_path / f"{name}.yaml").write_text(draft(name), encoding="utf-8")
    found = [problem for problem in lint(tmp_path / f"{name}.yaml") if problem.file.endswith(".yaml")]
    wrong = [problem for problem in found if problem.severity != "info"]
    assert [str(problem) for problem in wrong if problem.code != "fill-in"] == []
    lines = draft(name).splitlines()
    assert {problem.line for problem in wrong} == {
        number for number, line in enumerate(lines, 1) if "FILL_IN" in line.partition(" #")[0] and line[:1] != "#"
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_run_can_be_made_of_the_document_and_its_draft(name: str) -> None:
    loaded = from_texts(name, Path(f"checklists/{name}.md").read_bytes(), draft(name))
    assert [rule.deployed for rule in loaded.policy.phases.values()].count(True) == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_hand_written_policy_beside_the_document_is_not_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    document = Path(f"checklists/{name}.md").read_bytes()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("adopt opened a file")

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr("builtins.open", refuse)
    assert adopt(document, name=name) == draft(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_line_a_remark_names_says_what_the_remark_quotes(name: str) -> None:
    lines = Path(f"checklists/{name}.md").read_text(encoding="utf-8-sig").splitlines()
    quotes = re.findall(r'# line (\d+): "(.{4,})"$', draft(name), re.MULTILINE)
    assert len(quotes) > 20

    def plain(text: str) -> str:
        return re.sub(r"[^a-z0-9]", "", text.lower())

    for number, quote in quotes:
        written = plain(re.sub(r"\]\([^)]*\)", "", lines[int(number) - 1]))
        assert plain(quote.split("…")[0])[:25] in written, f"line {number}"


@pytest.mark.parametrize("name", NAMES)
def test_no_number_of_a_threshold_is_made_up(name: str) -> None:
    text = Path(f"checklists/{name}.md").read_text(encoding="utf-8-sig")
    drafted = policy(name)
    bands = [str(band) for entry in drafted.watch for band in (*entry.measure.values(), *entry.alert.values())]
    bands += [str(band) for band in drafted.rollback.alert.values()]
    for number in {number for band in bands for number in re.findall(r"[\d.]+", band)} - {"1"}:
        assert number in text


@pytest.mark.parametrize(
    ("name", "windows", "timezone"),
    [
        ("services-do", {"production": ("tue-thu 10:00-16:00",)}, "UTC"),
        ("ca-marketplace", {"production": ("tue-thu 10:00-14:00",)}, "UTC"),
        ("petforce", {"production": ("tue-thu 10:00-16:00",)}, "America/New_York"),
        ("maishapoa", {"production": ("tue-thu 10:00-14:00",)}, "UTC"),
        ("azora", {}, "UTC"),
    ],
)
def test_windows_and_their_zone(name: str, windows: dict[str, tuple[str, ...]], timezone: str) -> None:
    assert (policy(name).windows, policy(name).timezone) == (windows, timezone)


def test_a_document_without_a_window_says_so() -> None:
    assert "no window found" in draft("azora")


def test_your_timezone_is_a_question() -> None:
    assert '# UNSURE: "your timezone" is no zone' in draft("services-do")


def freezes(name: str) -> list[dict[str, Any]]:
    return [freeze.model_dump(exclude_defaults=True) for freeze in policy(name).freezes]


def test_freezes_of_services_do() -> None:
    assert freezes("services-do") == [
        {"weekly": "fri 12:00-24:00", "why": "Friday afternoon"},
        {"weekly": "sat-sun", "why": "Weekends"},
        {"holidays": {"country": "US"}, "why": "Holidays"},
    ]


def test_freezes_of_ca_marketplace() -> None:
    assert freezes("ca-marketplace") == [
        {"weekly": "fri", "why": "Fridays"},
        {"weekly": "sat-sun", "why": "Weekends"},
        {"month_end": {"last": 1}, "why": "Month-end"},
        {"quarter_end": {"last": 1}, "why": "Quarter-end"},
        {"incidents": True, "why": "active incidents"},
        {"holidays": {"country": "IN", "also": {"US": ("New Year",)}}, "why": "Holidays"},
    ]


def test_freezes_of_petforce() -> None:
    assert freezes("petforce") == [
        {"weekly": "mon", "why": "Mondays"},
        {"weekly": "fri", "why": "Fridays"},
        {"holidays": {"country": "US"}, "why": "major holidays"},
    ]


@pytest.mark.parametrize("name", ["maishapoa", "azora"])
def test_documents_without_freezes_get_none(name: str) -> None:
    assert policy(name).freezes == ()


@pytest.mark.parametrize(
    ("name", "advice", "entry"),
    [
        ("services-do", "Avoid High traffic periods", "{calendar: services-do-high-traffic.ics, why: high traffic}"),
        (
            "ca-marketplace",
            "Not within 2 hours of large marketing campaigns",
            "{calendar: ca-marketplace-marketing-campaigns.ics, buffer: 2h, why: marketing campaigns}",
        ),
        ("petforce", "Avoid company events", "{calendar: petforce-company-events.ics, why: company events}"),
    ],
)
def test_what_only_a_calendar_knows_is_advice_with_the_freeze_it_can_become(name: str, advice: str, entry: str) -> None:
    assert advice in policy(name).advice
    remarks = " ".join(draft(name).replace("# ", " ").split())
    assert f"- {entry}" in remarks
    FreezePolicy.model_validate({"calendar": "x.ics", "buffer": "2h"})


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("services-do", {"deployments": "#deployments", "incidents": "#incidents"}),
        ("ca-marketplace", {"deployments": "#deployments", "announcements": "#announcements"}),
        ("petforce", {"deployments": "#engineering"}),
        ("azora", {"deployments": "#deployments"}),
    ],
)
def test_channels(name: str, channels: dict[str, str]) -> None:
    assert policy(name).channels == channels


def test_incidents_are_said_in_the_channel_for_them_too() -> None:
    assert policy("services-do").also_in[Announcement.ROLLED_BACK] == ("incidents",)


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("services-do", {"Get approval from senior engineer": "senior_engineer"}),
        (
            "ca-marketplace",
            {
                "QA sign-off received": "qa",
                "Product owner approval": "product_owner",
                "Technical lead approval": "tech_lead",
                "Code review by senior engineer (expedited)": "senior_engineer",
            },
        ),
        ("petforce", {"Product owner approval (if UX changes)": "product_owner"}),
        ("maishapoa", {}),
        ("azora", {}),
    ],
)
def test_sign_offs_ask_for_their_role(name: str, roles: dict[str, str]) -> None:
    assert {key: rule.role for key, rule in policy(name).items.items() if rule.role} == roles


def test_escalation_is_the_documents_list_in_order() -> None:
    assert policy("services-do").escalation == ("on_call", "team_lead", "engineering_manager", "cto")


def test_contacts_of_a_table() -> None:
    person = policy("petforce").people["engineering_lead"]
    assert (person.name, person.contact, person.availability) == (
        "Engineering Lead",
        "@engrid on Slack",
        "Business hours",
    )


@pytest.mark.parametrize("name", ["azora", "maishapoa"])
def test_blanks_of_a_contact_list_are_no_contacts(name: str) -> None:
    assert not any("[" in str(person.contact) for person in policy(name).people.values())


def test_delivery_targets() -> None:
    assert words(policy("ca-marketplace").targets) == {
        "deployment_time": "< 30 min", "downtime": "= 0 min", "rollback_rate": "< 5%", "mttr": "< 15 min",
        "success_rate": "> 95%", "bugs_introduced": "< 1 count", "security_issues": "= 0 count",
        "performance_regression": "= 0 count", "customer_complaints": "< 5 count", "deployment_frequency": "2-4 /week",
        "lead_time": "< 24 h", "change_failure_rate": "< 10%", "test_coverage": "> 80%",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"), [("petforce", timedelta(minutes=45)), ("ca-marketplace", None), ("azora", None)]
)
def test_how_long_a_deployment_takes(name: str, expected: timedelta | None) -> None:
    assert policy(name).expected == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_draft_ends_with_what_to_do_next(name: str) -> None:
    assert draft(name).rstrip().endswith(f"- gonogo checklist lint {name}.md")


@pytest.mark.parametrize(
    ("name", "left"), [("services-do", "Test coverage ≥ 80%"), ("azora", "Recovery point objective (RPO) < 1 hour")]
)
def test_what_was_seen_and_not_mapped_is_listed_with_its_line(name: str, left: str) -> None:
    assert re.search(rf"^# - line \d+: .*{re.escape(left)}", draft(name), re.MULTILINE)
