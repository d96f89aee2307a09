"""Message templates that `adopt` recovers."""

from __future__ import annotations

import pytest

from checklists.adopt import adopt
from checklists.policy import Announcement, Policy
from checklists.policy_file import load_policy
from checklists.templates import render
from tests.checklists.test_adopt import policy

CA_MARKETPLACE = """\
✅ {{ environment | capitalize }} Deployment Complete

Version: {{ version }}
Deployed: {{ deployed_at }}
Duration: {{ duration }}
Downtime: {{ downtime }}

Changes:
{% for line in changes %}
- {{ line }}
{% else %}
none recorded
{% endfor %}

Verification:
{% for line in verification %}
✓ {{ line }}
{% else %}
none recorded
{% endfor %}

Monitoring: {{ links.monitoring }}
Dashboards: {{ links.dashboards }}
"""
PETFORCE = {
    "started": """\
🚀 {{ environment | capitalize }} Deployment Starting
Version: {{ version }}
ETA: {{ eta }}
Changes: {{ changes | join('; ') }}
On-call: {{ on_call }}
""",
    "succeeded": """\
✅ {{ environment | capitalize }} Deployment Complete
Version: {{ version }}
Duration: {{ duration }}
Status: Successful
Metrics: {% if metrics is met %}✅ {% endif %}{{ metrics | join(' | ') }}
""",
    "rolled_back": """\
🔄 ROLLBACK COMPLETE
Rolled back to: {{ previous_version }}
Reason: {{ reason }}
Status: {{ status }}
Next steps: {{ next_steps }}
""",
}


@pytest.mark.parametrize(
    ("name", "templates"),
    [
        ("services-do", {}),
        ("ca-marketplace", {"succeeded": CA_MARKETPLACE}),
        ("petforce", PETFORCE),
        (
            "maishapoa",
            {
                "started": "Starting {{ environment }} deployment\n",
                "stable": "Deployment stable\n",
                "issue": "⚠️ Issue detected in {{ environment }}. Investigating...\n",
            },
        ),
        (
            "azora",
            {
                "starting": "Deployment starting in {{ starts_in }}\n",
                "rolled_back": "{% if automatic %}Automatic rollback completed"
                "{% else %}Rollback completed. Investigating issue.{% endif %}\n",
            },
        ),
    ],
)
def test_templates(name: str, templates: dict[str, str]) -> None:
    assert {kind.value: text for kind, text in policy(name).templates.items()} == templates


def test_the_samples_own_values_give_the_documents_message_back() -> None:
    text = render(
        policy("ca-marketplace").templates[Announcement.SUCCEEDED],
        {
            "environment": "production",
            "version": "v1.2.0",
            "deployed_at": "2026-01-12 10:00 UTC",
            "duration": "15 minutes",
            "downtime": "None (zero-downtime deployment)",
            "changes": ["[Fix] one"],
            "verification": ["Smoke tests passed"],
            "links": policy("ca-marketplace").links,
        },
    )
    assert text.split("\n") == [
        "✅ Production Deployment Complete", "", "Version: v1.2.0", "Deployed: 2026-01-12 10:00 UTC",
        "Duration: 15 minutes", "Downtime: None (zero-downtime deployment)", "", "Changes:", "- [Fix] one", "",
        "Verification:", "✓ Smoke tests passed", "", "Monitoring: https://sentry.io/ca-marketplace/production",
        "Dashboards: https://datadog.com/dashboard/ca-marketplace",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "items"),
    [
        ("ca-marketplace", {"Deployment announcement": "succeeded"}),
        (
            "petforce",
            {
                "Deployment announcement posted to #engineering": "started",
                "Post deployment success to #engineering": "succeeded",
            },
        ),
        (
            "maishapoa",
            {
                'Inform team: "Starting production deployment"': "started",
                'Update team: "Deployment stable"': "stable",
            },
        ),
    ],
)
def test_the_item_that_asks_for_an_announcement_ticks_itself(name: str, items: dict[str, str]) -> None:
    assert {key: rule.announces for key, rule in policy(name).items.items() if rule.announces} == items


def policy_of(text: str) -> Policy:
    return load_policy(adopt(text, name="x"), file="x.yaml")


def message(body: str, info: str = "") -> str:
    return f"# Release\n\n## Announcement\n\n```{info}\n{body}\n```\n\n- [ ] Go\n"


@pytest.mark.parametrize(
    "blank",
    ["{{ VERSION }}", "{{version}}", "[version]", "<version>", "$VERSION", "${VERSION}", "VERSION", "{version}"],
)
def test_every_kind_of_blank_becomes_its_variable(blank: str) -> None:
    assert policy_of(message(f"Deployment started: {blank} is coming")).templates == {
        "started": "Deployment started: {{ version }} is coming\n"
    }


@pytest.mark.parametrize(
    "blank", ["{{ JIRA_TICKET }}", "[JIRA_TICKET]", "<JIRA_TICKET>", "${JIRA_TICKET}", "JIRA_TICKET"]
)
def test_a_blank_nobody_knows_stays_in_words_and_is_listed(blank: str) -> None:
    text = message(f"Deployment started for {blank}")
    assert policy_of(text).templates == {"started": "Deployment started for [JIRA_TICKET]\n"}
    assert f"a blank of `started` that nothing fills: {blank}" in " ".join(adopt(text, name="x").split())


@pytest.mark.parametrize("odd", ["{% if x %}", "{# note #}", "}}", "{{", "{%"])
def test_what_looks_like_a_template_but_is_text_is_said_as_text(odd: str) -> None:
    templates = policy_of(message(f"Deployment started {odd} now")).templates
    assert render(templates[Announcement.STARTED], {}) == f"Deployment started {odd} now"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("🚀 Deploying v1.2.0 to production now", "started"),
        ("Deployment of v2.0.0 will begin at 10:00", "starting"),
        ("Release v1.2.0 completed successfully", "succeeded"),
        ("v1.2.0 is now live! Successfully deployed", "succeeded"),
        ("Rolling back v1.2.0", "rollback_started"),
        ("Rollback complete, we are back on v1.1.0", "rolled_back"),
        ("Deployment cancelled", "cancelled"),
        ("We are investigating an issue", "issue"),
        ("All clear, everything is stable", "stable"),
    ],
)
def test_a_message_is_known_by_its_first_line(body: str, kind: str) -> None:
    assert list(policy_of(message(body)).templates) == [kind]


def test_a_quoted_block_can_be_a_message() -> None:
    text = "## Message templates\n\n> ✅ Release [version] completed in [duration]\n\n- [ ] Go\n"
    assert policy_of(text).templates == {"succeeded": "✅ Release {{ version }} completed in {{ duration }}\n"}


def test_a_line_that_may_be_a_sample_is_marked() -> None:
    assert 'UNSURE: "Ticket: OPS-12" may be a sample value' in adopt(
        message("Deployment started\nTicket: OPS-12"), name="x"
    )


def test_commands_are_no_message() -> None:
    assert policy_of(message("git push origin main\n# deployment complete", "bash")).templates == {}
