"""What lint finds in a policy's workflows, and in what items ask GitHub."""

from __future__ import annotations

from pathlib import Path

import pytest

from checklists.lint import lint

DOCUMENT = "# Shop\n## Before\n- [ ] Tagged\n## Deploy\n- [ ] Switched\n"
POLICY = """\
channels: {deployments: "#d"}
repository: acme/shop
phases: {Deploy: {deployed: true}}
items: {Tagged: {probe: tagged}}
"""


def codes(folder: Path, more: str) -> list[tuple[str, str]]:
    (folder / "shop.md").write_text(DOCUMENT)
    (folder / "shop.yaml").write_text(POLICY + more)
    return [(one.code, one.message) for one in lint(folder / "shop.yaml") if one.severity == "error"]


@pytest.mark.parametrize("words", ["tag", "workflow deploy.yml"])
def test_what_says_yes_or_no_needs_no_unit_and_no_target(tmp_path: Path, words: str) -> None:
    assert codes(tmp_path, f"probes: {{tagged: {{github: {words}}}}}\n") == []


def test_what_is_counted_needs_both(tmp_path: Path) -> None:
    found = codes(tmp_path, "probes: {tagged: {github: approvals}}\n")
    assert [code for code, _ in found] == ["no-target", "no-unit"]


@pytest.mark.parametrize("purpose", ["deploy", "rollback"])
def test_an_input_nobody_provides_is_found_before_a_deployment_does(tmp_path: Path, purpose: str) -> None:
    workflow = 'workflow: go.yml, ref: "{{ branch }}", inputs: {v: "{{ versoin }}"}'
    found = codes(tmp_path, f"probes: {{tagged: {{github: tag}}}}\npipeline: {{{purpose}: {{{workflow}}}}}\n")
    assert [message for _, message in found] == [
        "nothing is called 'branch'",
        "nothing is called 'versoin'; did you mean 'version'?",
    ]


def test_what_is_no_workflows_file_is_refused(tmp_path: Path) -> None:
    found = codes(tmp_path, "probes: {tagged: {github: tag}}\npipeline: {deploy: {workflow: ../deploy}}\n")
    assert len(found) == 1
    assert "is no workflow's file; write it like deploy.yml" in found[0][1]


def test_an_event_of_a_sign_off_is_said_to_do_nothing(tmp_path: Path) -> None:
    more = "probes: {tagged: {github: tag}}\npeople: {qa: {name: QA, slack: U1}}\n"
    codes(tmp_path, more)
    policy = tmp_path / "shop.yaml"
    policy.write_text(policy.read_text().replace("{Tagged:", "{Switched: {role: qa, event: switched}, Tagged:"))
    (found,) = [one for one in lint(policy) if one.code == "unused-event"]
    assert (found.severity, found.message) == (
        "warning", "no report ticks a sign-off, so nothing is done by this; take away `event`, or `role`"
    )  # fmt: skip
