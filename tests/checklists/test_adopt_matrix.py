"""Decision matrices that `adopt` recovers, from the five documents and in the forms other teams use."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from checklists.adopt import adopt
from checklists.policy import Severity
from checklists.policy_file import load_policy
from tests.checklists.test_adopt import draft, policy, words


def matrix(name: str) -> list[dict[str, Any]]:
    return [
        {"severity": row.severity, **words(row.when), "action": row.action, "within": row.within}
        for row in policy(name).matrix
    ]


def test_matrix_of_services_do() -> None:
    when: list[dict[str, str]] = [
        {"error_rate": "> 5%", "p95_latency": "> 2s"},
        {"error_rate": "2-5%", "p95_latency": "1-2s"},
        {"error_rate": "1-2%", "p95_latency": "500ms-1s"},
        {"error_rate": "< 1%", "p95_latency": "< 500ms"},
    ]
    rows = [
        ("Critical", "Immediate rollback", "<5 min"),
        ("High", "Rollback or fix forward", "<15 min"),
        ("Medium", "Monitor, fix forward", "<1 hour"),
        ("Low", "Fix in next release", "Next deploy"),
    ]
    assert matrix("services-do") == [
        {"severity": severity, **bands, "action": action, "within": within}
        for (severity, action, within), bands in zip(rows, when, strict=True)
    ]


def test_a_percentile_taken_from_elsewhere_is_marked() -> None:
    assert "UNSURE: the table names no percentile; p95_latency" in draft("services-do")


def test_matrix_of_ca_marketplace_is_the_share_of_users_without_overlap() -> None:
    assert [row["users_affected"] for row in matrix("ca-marketplace")] == ["= 100%", "> 50%", "10-50%", "< 10%"]
    limits = [row.limit for row in policy("ca-marketplace").matrix]
    assert limits == [timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=24)]


def test_matrix_of_maishapoa_is_its_list_of_severities() -> None:
    assert [(row.severity, row.means, row.action) for row in policy("maishapoa").matrix] == [
        ("Critical", "users affected, data loss risk", "Rollback immediately"),
        ("High", "some users affected", "Quick fix or rollback"),
        ("Medium", "minor issues", "Fix forward"),
        ("Low", "cosmetic", "Note for next deploy"),
    ]


@pytest.mark.parametrize("name", ["petforce", "azora"])
def test_documents_without_a_matrix_get_none(name: str) -> None:
    assert policy(name).matrix == ()


def rows(text: str) -> tuple[Severity, ...]:
    return load_policy(adopt(text, name="x"), file="x.yaml").matrix


def test_a_response_time_in_minutes_is_a_limit_and_not_a_measure() -> None:
    text = "| Priority | Symptoms | Response | Response time |\n|---|---|---|---|\n"
    found = rows(text + "| P1 | Down | Roll back | 5 minutes |\n| P2 | Slow | Fix forward | 1 hour |\n")
    assert [(row.severity, row.means, row.action, row.within, row.limit, row.when) for row in found] == [
        ("P1", "Down", "Roll back", "5 minutes", timedelta(minutes=5), {}),
        ("P2", "Slow", "Fix forward", "1 hour", timedelta(hours=1), {}),
    ]


def test_a_table_without_severities_is_no_matrix() -> None:
    assert rows("| Version | Action |\n|---|---|\n| 1.0 | Roll back |\n| 1.1 | Keep |\n") == ()


def test_a_list_of_severities_needs_one_that_rolls_back() -> None:
    assert rows("- High: call somebody\n- Low: wait\n") == ()


def test_a_limit_in_a_list_of_severities_is_read() -> None:
    found = rows("- SEV1 (everybody): roll back within 10 minutes\n- SEV2: fix forward\n")
    assert [(row.severity, row.means, row.limit) for row in found] == [
        ("SEV1", "everybody", timedelta(minutes=10)),
        ("SEV2", None, None),
    ]
