"""Announcements: filled from values, honest about what is unknown, and powerless."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checklists.policy import Announcement, Policy
from checklists.template_words import NEAREST
from checklists.templates import LONGEST_OUTPUT, VARIABLES, TemplateError, Unknown, check, render, template_for

HEALTHY = {"name": "Error rate", "value": "0.05%", "target": "< 0.1%", "ok": True}
MISSED = {"name": "P99", "value": "612ms", "target": "< 500ms", "ok": False}


def test_durations_are_spelled_and_instants_carry_their_zone() -> None:
    values = {"duration": timedelta(minutes=15), "deployed_at": datetime(2026, 1, 12, 10, tzinfo=UTC)}
    assert render("{{ deployed_at }}, {{ duration }}", values) == "2026-01-12 10:00 UTC, 15 minutes"


@pytest.mark.parametrize("values", [{}, {"reason": None}])
def test_what_nobody_recorded_says_so(values: dict[str, object]) -> None:
    assert render("Reason: {{ reason }}", values) == "Reason: unknown (not recorded)"


def test_an_unknown_value_says_why() -> None:
    values = {"changes": Unknown("no CHANGELOG"), "metrics": Unknown("no check ran")}
    text = render("Changes:\n- {{ changes }}\nMetrics: {{ metrics | join(' | ') }}", values)
    assert text == "Changes:\n- unknown (no CHANGELOG)\nMetrics: unknown (no check ran)"


def test_a_loop_over_an_unknown_list_says_so_once() -> None:
    template = "{% for line in metrics %}\n{{ line.name }}\n{% endfor %}"
    assert render(template, {"metrics": Unknown("no check ran")}) == "unknown (no check ran)"


def test_a_template_can_ask_whether_a_value_is_known() -> None:
    template = "{% if reason is known %}{{ reason }}{% else %}no word{% endif %}"
    assert [render(template, values) for values in ({"reason": "slow"}, {"reason": Unknown("x")}, {})] == [
        "slow",
        "no word",
        "no word",
    ]


def test_a_line_of_only_a_list_is_repeated_for_each_entry() -> None:
    assert render("Verification:\n✓ {{ verification }}\nend", {"verification": ["a", "b"]}) == (
        "Verification:\n✓ a\n✓ b\nend"
    )
    assert render("Issues: {{ issues }}", {"issues": ["a", "b"]}) == "Issues: a, b"


def test_metrics_say_their_target_where_they_miss_it() -> None:
    template = "{% if metrics is met %}✅ {% endif %}{{ metrics | join(' | ') }}"
    assert render(template, {"metrics": [HEALTHY]}) == "✅ Error rate: 0.05%"
    assert render(template, {"metrics": [HEALTHY, MISSED]}) == "Error rate: 0.05% | P99: 612ms (target < 500ms)"
    assert render(template, {"metrics": []}) == ""


def test_values_are_never_read_as_templates() -> None:
    assert render("{{ reason }}", {"reason": "{{ version }}{% for x in y %}"}) == "{{ version }}{% for x in y %}"


def test_output_is_bounded_and_the_cut_shows() -> None:
    text = render("- {{ changes }}", {"changes": ["x" * 900] * 500})
    assert len(text) <= LONGEST_OUTPUT
    assert text.endswith("…")
    assert render("- {{ changes }}", {"changes": ["x"] * 500}).splitlines()[-1] == "- and 440 more"


def test_a_link_the_policy_lacks_is_unknown() -> None:
    template = "{{ links.dashboards }} {{ links.grafana }}"
    assert render(template, {"links": {"dashboards": "https://d"}}) == (
        "https://d unknown (no link named grafana in the policy)"
    )


@pytest.mark.parametrize(
    ("template", "line", "words"),
    [
        ("a\n{{ verison }}", 2, "nothing is called 'verison'; did you mean 'version'?"),
        ("a\nb\n{{ version", 3, "unexpected end of template"),
        ("{% if %}", 1, "Expected an expression"),
        ("{{ version.__class__ }}", 1, ".__class__ can be asked only of links"),
        ("{{ ''.__class__.__mro__ }}", 1, ".__mro__ can be asked only of links"),
        ("{{ links['x'] }}", 1, "write links.NAME"),
        ("{{ version() }}", 1, "it cannot use calls"),
        ("{{ range(10) }}", 1, "it cannot use calls"),
        ("{{ 'a' * 1000000000 }}", 1, "it cannot use arithmetic"),
        ("{{ '%999999999d' % 1 }}", 1, "it cannot use arithmetic"),
        ("{% set x = 1 %}", 1, "it cannot use set"),
        ("{% include 'x' %}", 1, "it cannot use include"),
        ("{% macro m() %}{% endmacro %}", 1, "it cannot use macros"),
        ("{{ version | attr('x') }}", 1, "there is no filter 'attr'"),
        ("{{ version | center(999999999) }}", 1, "there is no filter 'center'"),
        ("{{ version is defined }}", 1, "there is no test 'defined'"),
        ("{% for a in version %}{% endfor %}", 1, "`for` goes through one of changes"),
        ("{% for a in changes %}{% for b in changes %}{% endfor %}{% endfor %}", 1, "a loop inside a loop"),
        ("{% for a in changes recursive %}{{ a }}{% endfor %}", 1, "write `for NAME in LIST`"),
        ("{% for loop in changes %}{% endfor %}", 1, "loop"),
        ("{% for m in metrics %}{{ m.valeu }}{% endfor %}", 1, "'m' has no 'valeu'; did you mean 'value'?"),
        ("{{ " + "(" * 1000 + "1" + ")" * 1000 + " }}", 1, "nested too deeply"),
        ("x" * 9000, 1, "at most 8000 characters"),
    ],
)
def test_a_template_that_asks_for_more_than_a_message_needs_is_refused(template: str, line: int, words: str) -> None:
    [*_, problem] = check(template)
    assert problem.line == line
    assert words in " ".join(found.message for found in check(template))
    with pytest.raises(TemplateError):
        render(template, {})


def test_a_template_that_compares_apples_with_pears_is_a_template_error() -> None:
    with pytest.raises(TemplateError, match="cannot be filled in"):
        render("{% if metrics > 1 %}x{% endif %}", {"metrics": [HEALTHY]})


def test_links_are_proved_against_the_policy() -> None:
    [problem] = check("{{ links.dashbords }}", links=["dashboards"])
    assert problem.message == "the policy has no link 'dashbords'; did you mean 'dashboards'?"


@pytest.mark.parametrize("announcement", list(Announcement))
def test_every_announcement_has_a_wording_for_teams_without_one(announcement: Announcement) -> None:
    assert check(NEAREST[announcement]) == []
    text = render(template_for(Policy(), announcement), {name: Unknown("test") for name in VARIABLES})
    assert text
    assert "{{" not in text


def test_a_team_s_own_words_come_first() -> None:
    own = Policy(templates={Announcement.STABLE: "All quiet"})
    assert template_for(own, Announcement.STABLE) == "All quiet"


def test_the_nearest_wordings_keep_the_documents_words() -> None:
    values = {
        "service": "shop",
        "version": "v1.2.0",
        "environment": "production",
        "starts_in": timedelta(minutes=30),
        "deployed_at": datetime(2026, 1, 12, 10, tzinfo=UTC),
        "previous_version": "v1.1.0",
        "eta": timedelta(minutes=45),
        "on_call": "PagerDuty",
        "changes": ["[Fix] A"],
        "verification": ["All health checks passing"],
        "links": {},
    }
    said = {kind: render(NEAREST[kind], values) for kind in Announcement}
    assert said[Announcement.STARTING].startswith("Deployment starting in 30 minutes")
    assert said[Announcement.STARTED] == (
        "🚀 Production Deployment Starting\nService: shop\nVersion: v1.2.0\nETA: 45 minutes\nChanges: [Fix] A\n"
        "On-call: PagerDuty"
    )
    assert said[Announcement.SUCCEEDED].startswith(
        "✅ Production Deployment Complete\n\nService: shop\nVersion: v1.2.0\nDeployed: "
    )
    assert "\n\nChanges:\n- [Fix] A\n\nVerification:\n✓ All health checks passing" in said[Announcement.SUCCEEDED]
    assert said[Announcement.STABLE].startswith("Deployment stable")
    assert said[Announcement.ISSUE].startswith("⚠️ Issue detected in production. Investigating...")
    assert said[Announcement.ROLLED_BACK].startswith(
        "🔄 ROLLBACK COMPLETE\nService: shop, production\nRolled back to: v1.1.0"
    )
