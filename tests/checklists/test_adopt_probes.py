"""Probes that `adopt` recovers, and the items they tick."""

from __future__ import annotations

import pytest

from tests.checklists.test_adopt import draft, policy


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        (
            "petforce",
            {"health": "https://api.petforce.app/health", "health_ready": "https://api.petforce.app/health/ready"},
        ),
        ("azora", {"health": "https://api.azora.io/health"}),
        (
            "maishapoa",
            {
                "internal_api": "https://maishapoa-production-internal-api.fly.dev/api/health",
                "agent_registration": "https://maishapoa-production-agent-registration.fly.dev/",
                "public_api": "https://maishapoa-production-public-api.fly.dev/",
            },
        ),
        (
            "services-do",
            {
                "staging_gateway": "https://staging.api.services.do/health",
                "staging_db": "https://db-staging.workers.services.do/health",
                "staging_auth": "https://auth-staging.workers.services.do/health",
                "gateway": "https://api.services.do/health",
                "db": "https://db.workers.services.do/health",
                "auth": "https://auth.workers.services.do/health",
            },
        ),
    ],
)
def test_health_addresses(name: str, addresses: dict[str, str]) -> None:
    assert {key: probe.http for key, probe in policy(name).probes.items() if probe.http} == addresses


def test_an_address_is_asked_for_what_the_document_expects() -> None:
    probes = policy("ca-marketplace").probes
    assert (probes["health"].json_field, probes["health"].equals) == ("status", "ok")
    assert (probes["version"].json_field, probes["version"].equals) == ("version", "{{ version }}")


def test_an_address_that_is_written_to_is_no_probe() -> None:
    assert not [probe for probe in policy("petforce").probes.values() if "households" in str(probe.http)]


def test_all_endpoints_together_tick_the_item_that_asks_for_them() -> None:
    rule = policy("maishapoa").items["All health endpoints return 200"]
    assert policy("maishapoa").probes[str(rule.probe)].all == ("internal_api", "agent_registration", "public_api")


def test_a_query_the_document_cannot_know_is_left_to_fill_in() -> None:
    assert policy("azora").probes["error_rate"].prometheus == "FILL_IN_error_rate"
    assert "write a query in place of every FILL_IN" in draft("azora")


def test_thresholds_before_the_deployment_are_their_items_own() -> None:
    rule = policy("petforce").items["Disk space ≥ 30% free"]
    assert (rule.probe, str(rule.target)) == ("disk_free", ">= 30%")


@pytest.mark.parametrize(
    ("name", "item", "needed"),
    [
        ("services-do", "PR approved by at least one reviewer", ">= 1 count"),
        ("ca-marketplace", "Code review completed", ">= 2 count"),
        ("petforce", "PR has 2+ approvals from senior engineers", ">= 2 count"),
        ("azora", "Code review approved by 2+ team members", ">= 2 count"),
    ],
)
def test_approvals_of_the_pull_request(name: str, item: str, needed: str) -> None:
    rule = policy(name).items[item]
    assert (rule.probe, str(rule.target)) == ("approvals", needed)
