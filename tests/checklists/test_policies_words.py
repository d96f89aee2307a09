"""Sign-offs, endpoints, people and the wording of the five policies, against what their documents say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import checklists
from checklists.document import Item
from checklists.library import Loaded, load
from checklists.lint_names import names_item
from checklists.policy import Announcement, ItemPolicy
from checklists.templates import check, render, template_for

SHIPPED = Path(checklists.__file__).parent
FIVE = ["services-do", "ca-marketplace", "petforce", "maishapoa", "azora"]


@pytest.fixture(scope="module")
def loaded() -> dict[str, Loaded]:
    return {name: load(name, [SHIPPED]) for name in FIVE}


def bound(checklist: Loaded, words: str) -> list[tuple[Item, ItemPolicy]]:
    """The items that say this, with what the policy binds them to."""
    return [
        (item, rule)
        for phase in checklist.checklist.phases
        for section in phase.sections
        for item in section.items
        if words in item.label
        for key, rule in checklist.policy.items.items()
        if names_item(key, section, item)
    ]


@pytest.mark.parametrize(
    ("name", "words", "role"),
    [
        ("services-do", "Get approval from senior engineer", "senior_engineer"),
        ("ca-marketplace", "QA sign-off received", "qa"),
        ("ca-marketplace", "Product owner approval", "product_owner"),
        ("ca-marketplace", "Technical lead approval", "tech_lead"),
        ("ca-marketplace", "Code review by senior engineer", "senior_engineer"),
        ("petforce", "Product owner approval", "product_owner"),
    ],
)
def test_sign_offs_are_given_by_their_roles(loaded: dict[str, Loaded], name: str, words: str, role: str) -> None:
    [(_, rule)] = bound(loaded[name], words)
    assert rule.role == role
    assert role in loaded[name].policy.people


@pytest.mark.parametrize(
    ("name", "words", "announcement"),
    [
        ("services-do", "Notify team in Slack/Discord", Announcement.STARTED),
        ("services-do", "Notify team of rollback", Announcement.ROLLED_BACK),
        ("services-do", "Notify team of successful deployment", Announcement.SUCCEEDED),
        ("ca-marketplace", "Internal team notified", Announcement.STARTING),
        ("ca-marketplace", "Deployment announcement", Announcement.SUCCEEDED),
        ("petforce", "Deployment announcement posted to #engineering", Announcement.STARTED),
        ("petforce", "Post deployment success to #engineering", Announcement.SUCCEEDED),
        ("maishapoa", "Starting production deployment", Announcement.STARTED),
        ("maishapoa", "Deployment stable", Announcement.STABLE),
    ],
)
def test_items_that_only_announce_tick_themselves(
    loaded: dict[str, Loaded], name: str, words: str, announcement: Announcement
) -> None:
    [(_, rule)] = bound(loaded[name], words)
    assert rule.announces is announcement


def test_azora_s_team_is_notified_before_and_after_a_rollback(loaded: dict[str, Loaded]) -> None:
    found = [rule.announces for _, rule in bound(loaded["azora"], "Team notified")]
    assert found == [Announcement.STARTING, Announcement.ROLLED_BACK]


@pytest.mark.parametrize(
    ("name", "words", "probe", "target"),
    [
        ("services-do", "PR approved by at least one reviewer", "approvals", ">= 1 count"),
        ("services-do", "Check Cloudflare status page", "cloudflare_status", None),
        ("services-do", "Verify no concurrent deployments", "concurrent_deployments", "= 0 count"),
        ("ca-marketplace", "Code review completed", "approvals", ">= 2 count"),
        ("ca-marketplace", "Storage > 20% free", "database_resources", None),
        ("ca-marketplace", "Redis: Memory < 70%", "redis_memory", "< 70%"),
        ("petforce", "PR has 2+ approvals", "approvals", ">= 2 count"),
        ("petforce", "No active incidents", "no_incidents", None),
        ("petforce", "Disk space ≥ 30% free", "disk_free", ">= 30%"),
        ("petforce", "CPU usage < 50%", "cpu", "< 50%"),
        ("petforce", "Success rate > 99.9%", "success_rate", "> 99.9%"),
        ("petforce", "Set deployment in progress flag", "deployment_flag", "= 1 count"),
        ("petforce", "Clear deployment flag", "deployment_flag", "= 0 count"),
        ("maishapoa", "All health endpoints return 200", "health", None),
        ("azora", "Code review approved by 2+", "approvals", ">= 2 count"),
        ("azora", "Database queries < 50ms", "query_latency", "< 50ms"),
    ],
)
def test_items_that_can_be_read_tick_themselves(
    loaded: dict[str, Loaded], name: str, words: str, probe: str, target: str | None
) -> None:
    [(_, rule)] = bound(loaded[name], words)
    held_to = rule.target or loaded[name].policy.probes[probe].target
    assert (rule.probe, str(held_to) if held_to else None) == (probe, target)


@pytest.mark.parametrize("name", FIVE)
def test_every_address_of_a_health_or_version_endpoint_is_the_document_s_own(
    loaded: dict[str, Loaded], name: str
) -> None:
    document = loaded[name].source.markdown.decode()
    addresses = [probe.http for probe in loaded[name].policy.probes.values() if probe.http]
    assert addresses
    assert [address for address in addresses if address not in document] == []


def test_the_version_endpoint_must_answer_the_version_deployed(loaded: dict[str, Loaded]) -> None:
    probe = loaded["ca-marketplace"].policy.probes["version"]
    assert (probe.json_field, probe.equals) == ("version", "{{ version }}")


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("services-do", ["on_call", "team_lead", "engineering_manager", "cto"]),
        ("ca-marketplace", ["on_call", "devops_lead", "backend_lead"]),
        ("petforce", ["on_call", "engineering_lead", "cto"]),
        ("maishapoa", ["on_call", "team_lead", "devops"]),
        ("azora", ["on_call", "deployment_lead", "infrastructure_lead"]),
    ],
)
def test_escalation_begins_with_who_is_on_call(loaded: dict[str, Loaded], name: str, roles: list[str]) -> None:
    assert list(loaded[name].policy.escalation) == roles


def test_contacts_are_the_documents_own(loaded: dict[str, Loaded]) -> None:
    assert loaded["petforce"].policy.people["dba"].contact == "@buck on Slack"
    assert loaded["ca-marketplace"].policy.people["on_call"].availability == "24/7"


def test_the_delivery_targets_of_the_marketplace(loaded: dict[str, Loaded]) -> None:
    targets = {name: str(band) for name, band in loaded["ca-marketplace"].policy.targets.items()}
    assert targets == {
        "deployment_time": "< 30 min",
        "downtime": "= 0 min",
        "rollback_rate": "< 5%",
        "mttr": "< 15 min",
        "success_rate": "> 95%",
        "bugs_introduced": "< 1 count",
        "security_issues": "= 0 count",
        "performance_regression": "= 0 count",
        "customer_complaints": "< 5 count",
        "deployment_frequency": "2-4 /week",
        "lead_time": "< 24 h",
        "change_failure_rate": "< 10%",
        "test_coverage": "> 80%",
    }


VALUES: dict[str, object] = {
    "environment": "production",
    "version": "v1.2.0",
    "eta": timedelta(minutes=45),
    "duration": timedelta(minutes=35),
    "starts_in": timedelta(minutes=30),
    "deployed_at": datetime(2026, 1, 12, 10, tzinfo=UTC),
    "downtime": "None (zero-downtime deployment)",
    "on_call": "@engineer",
    "changes": ["[Feature] New payment reconciliation system", "[Fix] Resolved issue with CA verification"],
    "verification": ["All health checks passing", "Smoke tests passed"],
    "metrics": [
        {"name": "Error rate", "value": "0.05%", "target": "< 0.1%", "ok": True},
        {"name": "P99", "value": "245ms", "target": "< 500ms", "ok": True},
        {"name": "Success", "value": "99.95%", "target": "> 99.9%", "ok": True},
    ],
    "previous_version": "v1.1.0",
    "reason": "error rate 6%",
    "status": "System stable",
    "next_steps": "look at the logs",
}


@pytest.mark.parametrize(
    ("name", "announcement", "more", "text"),
    [
        (
            "petforce",
            Announcement.STARTED,
            {"changes": ["see CHANGELOG"]},
            "🚀 Production Deployment Starting\nVersion: v1.2.0\nETA: 45 minutes\nChanges: see CHANGELOG\n"
            "On-call: @engineer",
        ),
        (
            "petforce",
            Announcement.SUCCEEDED,
            {},
            "✅ Production Deployment Complete\nVersion: v1.2.0\nDuration: 35 minutes\nStatus: Successful\n"
            "Metrics: ✅ Error rate: 0.05% | P99: 245ms | Success: 99.95%",
        ),
        (
            "petforce",
            Announcement.ROLLED_BACK,
            {},
            "🔄 ROLLBACK COMPLETE\nRolled back to: v1.1.0\nReason: error rate 6%\nStatus: System stable\n"
            "Next steps: look at the logs",
        ),
        (
            "ca-marketplace",
            Announcement.SUCCEEDED,
            {"duration": timedelta(minutes=15)},
            "✅ Production Deployment Complete\n\nVersion: v1.2.0\nDeployed: 2026-01-12 10:00 UTC\n"
            "Duration: 15 minutes\nDowntime: None (zero-downtime deployment)\n\nChanges:\n"
            "- [Feature] New payment reconciliation system\n- [Fix] Resolved issue with CA verification\n\n"
            "Verification:\n✓ All health checks passing\n✓ Smoke tests passed\n\n"
            "Monitoring: https://sentry.io/ca-marketplace/production\n"
            "Dashboards: https://datadog.com/dashboard/ca-marketplace",
        ),
        ("maishapoa", Announcement.STARTED, {}, "Starting production deployment"),
        ("maishapoa", Announcement.ISSUE, {}, "⚠️ Issue detected in production. Investigating..."),
        ("maishapoa", Announcement.STABLE, {}, "Deployment stable"),
        ("azora", Announcement.STARTING, {}, "Deployment starting in 30 minutes"),
        ("azora", Announcement.ROLLED_BACK, {"automatic": True}, "Automatic rollback completed"),
        ("azora", Announcement.ROLLED_BACK, {}, "Rollback completed. Investigating issue."),
    ],
)
def test_announcements_read_as_in_the_document(
    loaded: dict[str, Loaded], name: str, announcement: Announcement, more: dict[str, object], text: str
) -> None:
    policy = loaded[name].policy
    assert render(policy.templates[announcement], {**VALUES, "links": policy.links, **more}) == text


@pytest.mark.parametrize("name", FIVE)
@pytest.mark.parametrize("announcement", list(Announcement))
def test_every_announcement_of_every_team_can_be_made(
    loaded: dict[str, Loaded], name: str, announcement: Announcement
) -> None:
    policy = loaded[name].policy
    template = template_for(policy, announcement)
    assert check(template, links=[*policy.links, "monitoring", "dashboards"]) == []
    assert render(template, {})
