"""What lint finds in a pair, and that it finds nothing wrong in the five that are shipped."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import checklists
from checklists.library import ChecklistError
from checklists.lint import failed, lint
from checklists.lint_remark import Remark
from checklists.policy import Policy
from checklists.policy_file import Problem

SHIPPED = Path(checklists.__file__).parent
NOW = datetime(2026, 1, 12, 10, tzinfo=UTC)

DOCUMENT = """\
# Shop
## Before
### Checks
- [ ] Tests pass
- [ ] Sign-off
## Deploy
### Steps
- [ ] Run it
## After
### Steps
- [ ] Error rate < 1%
- [ ] Tell the team
## Hotfix
- [ ] Fix it
## Contacts
Ask Ann.
"""

POLICY = """\
timezone: Europe/Berlin
channels: {deployments: "#d"}
windows: {production: ["tue-thu 10:00-16:00"]}
phases:
  Before: {opens: T-2h}
  Deploy: {deployed: true}
  After: {opens: T+0}
  Hotfix: {kind: emergency}
items:
  Sign-off: {role: lead}
  Error rate < 1%: {probe: errors, target: "< 1%"}
probes:
  errors: {prometheus: up, unit: ratio}
watch:
  - {at: T+30m, phase: After, measure: {errors: "< 1%"}, then: announce succeeded}
  - {at: T+24h, measure: {errors: "< 1%"}, then: announce stable}
people: {lead: {name: Lead, slack: U1}}
templates:
  stable: |
    Stable
    {{ version }}
"""


def pair(folder: Path, policy: str | None, document: str = DOCUMENT) -> list[Problem]:
    (folder / "shop.md").write_text(document, encoding="utf-8")
    if policy is not None:
        (folder / "shop.yaml").write_text(policy, encoding="utf-8")
    return lint(folder / "shop.md")


@pytest.mark.parametrize("name", ["services-do", "ca-marketplace", "petforce", "maishapoa", "azora"])
@pytest.mark.parametrize("suffix", [".md", ".yaml"])
def test_the_shipped_pairs_have_no_errors_and_no_warnings_of_their_policies(name: str, suffix: str) -> None:
    problems = lint(SHIPPED / f"{name}{suffix}", now=NOW)
    assert not failed(problems)
    assert [str(found) for found in problems if found.severity == "warning" and found.file.endswith(".yaml")] == []


def test_a_good_pair_has_nothing_to_say(tmp_path: Path) -> None:
    assert [str(problem) for problem in pair(tmp_path, POLICY)] == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "  Before: {",
            "  Befor: {",
            "shop.yaml:5: unknown-heading no heading is called 'Befor'; did you mean 'Before'?",
        ),
        (
            "  Hotfix: {kind: emergency}",
            "  Hotfix: {kind: emergency}\n  Steps: {}",
            "shop.yaml:9: ambiguous-heading 2 headings are called 'Steps'; write 'Deploy > Steps' or 'After > Steps'",
        ),
        ("  Sign-off:", "  Signoff:", "shop.yaml:10: unknown-item no item says 'Signoff'; did you mean 'Sign-off'?"),
        (
            "Europe/Berlin",
            "Europe/Berln",
            "shop.yaml:1: unknown-zone 'Europe/Berln' is not a time zone; write one like Europe/Berlin or UTC; "
            "did you mean Europe/Berlin?",
        ),
        ("16:00", "26:00", "shop.yaml:3: bad-window "),
        (
            "phase: After",
            "phase: Afer",
            "shop.yaml:15: unknown-heading no heading is called 'Afer'; did you mean 'After'?",
        ),
        (
            "phase: After",
            "phase: After > Steps",
            "shop.yaml:15: no-phase 'After > Steps' is a section of a phase; "
            "name it under `phases` to make it a phase of its own",
        ),
        (
            "phase: After",
            "phase: Hotfix",
            "shop.yaml:15: no-phase 'Hotfix' is kept out of the run (emergency); a check opens only phases",
        ),
        (
            "After: {opens: T+0}",
            "After: {opens: T-3h, deployed: true}",
            "shop.yaml:7: many-deployed T0 happens once, and 'Deploy' is already marked `deployed: true`",
        ),
        (
            "After: {opens: T+0}",
            "After: {opens: T-3h}",
            "shop.yaml:7: opens-backwards opens T-3 h, and the phase before it, 'Before', opens T-2 h",
        ),
        (
            "{deployed: true}",
            "{}",
            "shop.yaml:4: no-deployed no phase says `deployed: true`, so where T0 happens is guessed; "
            "mark the one that deploys production",
        ),
        (
            "role: lead",
            "role: leed",
            "shop.yaml:10: unknown-role nobody can be 'leed': `people` does not list it; did you mean 'lead'?",
        ),
        (
            "people: {",
            "may: {start: boss}\npeople: {",
            "shop.yaml:17: unknown-role nobody can be 'boss': `people` does not list it; "
            "add `boss: {name: …}` under `people`",
        ),
        (
            "{probe: errors,",
            "{probe: erors,",
            "shop.yaml:11: unknown-probe there is no probe 'erors'; did you mean 'errors'?",
        ),
        (
            'measure: {errors: "< 1%"}, then: announce stable',
            'measure: {latency: "< 1s"}, then: announce stable',
            "shop.yaml:16: unknown-probe there is no probe 'latency'",
        ),
        (
            "prometheus: up, unit: ratio",
            "prometheus: up, unit: ms",
            "shop.yaml:11: unit-mismatch '< 1%' is in ratio, and 'errors' is measured in ms (seconds)",
        ),
        ("unit: ratio", "unit: mph", "shop.yaml:13: unknown-unit 'mph' is not a unit"),
        (
            ", unit: ratio",
            "",
            "shop.yaml:13: no-unit prometheus answers with a number, and `unit` does not say of what",
        ),
        (
            "probes:\n",
            "probes:\n  spare: {http: https://x.example}\n",
            "shop.yaml:13: unused-probe nothing asks for the probe 'spare'",
        ),
        (
            "  errors: {prom",
            "  loop: {all: [loop]}\n  errors: {prom",
            "shop.yaml:13: probe-loop 'loop' is made of itself",
        ),
        (
            "then: announce stable",
            "then: [announce succeeded, announce stable]",
            "shop.yaml:16: announced-again succeeded is already announced at T+30 m; "
            "here it is said only if it could not be said then",
        ),
        ("T+24h", "T+10m", "shop.yaml:16: announced-early stable comes before succeeded, which is announced at T+30 m"),
        (
            "{deployments: ",
            "{deploy: ",
            "shop.yaml:2: no-channel `deployments` is missing: the channel in which the card stands",
        ),
        (
            "windows:",
            "also_in: {issue: incidents}\nwindows:",
            "shop.yaml:3: unknown-channel `channels` has no 'incidents'",
        ),
        (
            "{{ version }}",
            "{{ verison }}",
            "shop.yaml:21: template line 2: nothing is called 'verison'; did you mean 'version'?",
        ),
        (
            "windows:",
            "freezes: [{calendar: ../events.ics}]\nwindows:",
            "shop.yaml:3: calendar-outside '../events.ics' is outside the policy's folder; put the calendar beside it",
        ),
        (
            "windows:",
            "freezes: [{calendar: events.ics}]\nwindows:",
            "shop.yaml:3: calendar-missing there is no file 'events.ics' beside the policy",
        ),
        (
            "windows:",
            "overrides: {hotfix: {what: x, instead: Before}}\nwindows:",
            "shop.yaml:3: not-emergency 'Before' is run instead of the rest; give it `kind: emergency` under `phases`",
        ),
        (
            "windows:",
            "rollback: {mode: automatic}\nwindows:",
            "shop.yaml:3: no-alert nothing can roll back by itself: `alert` names no number",
        ),
    ],
)
def test_a_problem_is_found_on_its_line(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in POLICY
    found = [re.sub(r"^(shop\.yaml:\d+):\d+", r"\1", str(entry)) for entry in pair(tmp_path, POLICY.replace(old, new))]
    assert any(entry.startswith(problem) for entry in found), found


def test_the_same_announcement_at_the_same_moment_is_an_error(tmp_path: Path) -> None:
    policy = POLICY.replace("T+24h", "T+30m").replace("announce stable", "announce succeeded")
    assert "announced-twice" in {problem.code for problem in pair(tmp_path, policy) if problem.severity == "error"}


def test_a_role_nobody_is_mapped_to_is_only_told(tmp_path: Path) -> None:
    [problem] = pair(tmp_path, POLICY.replace(", slack: U1", ""))
    assert (problem.code, problem.severity) == ("unmapped-role", "info")


def test_an_item_without_a_threshold_can_never_tick_itself(tmp_path: Path) -> None:
    policy = POLICY.replace(', target: "< 1%"', "").replace('measure: {errors: "< 1%"}', 'alert: {errors: "> 5%"}')
    assert "no-target" in {problem.code for problem in pair(tmp_path, policy)}


def test_a_broken_policy_still_shows_what_is_doubtful_in_the_document(tmp_path: Path) -> None:
    problems = pair(tmp_path, "timezon: UTC\n", DOCUMENT.replace("- [ ] Fix it", "- [x] Fix it"))
    assert {problem.code for problem in problems} >= {"policy-key", "ticked"}


def test_a_document_alone_is_linted_and_its_defaults_are_told(tmp_path: Path) -> None:
    problems = pair(tmp_path, None)
    assert not failed(problems)
    assert {problem.severity for problem in problems} == {"info"}
    assert any("No deployment windows" in problem.message for problem in problems)


@pytest.mark.parametrize("policy", [None, "timezone: UTC\n", "timezon: UTC\n"])
def test_a_document_without_items_is_an_error(tmp_path: Path, policy: str | None) -> None:
    found = pair(tmp_path, policy, "# Shop\n\nDeploy with care.\n\n- then rest\n")
    assert "shop.md:1:1: no-items it has no items to tick; an item is a line like `- [ ] Tests pass`" in map(str, found)
    assert failed(found)


def test_a_document_of_which_nothing_is_run_is_an_error(tmp_path: Path) -> None:
    found = pair(tmp_path, None, "# Shop\n## Rollback\n- [ ] Old version is back\n")
    [problem] = [problem for problem in found if problem.code == "no-items"]
    assert (
        problem.message == "all its items stand under headings that are kept out of the run; name a phase that is run"
    )


def test_the_next_changes_of_the_clock_are_told(tmp_path: Path) -> None:
    pair(tmp_path, POLICY)
    changes = [found.message for found in lint(tmp_path / "shop.yaml", now=NOW) if found.code == "clock-change"]
    assert sorted(changes) == [
        "the clock in Europe/Berlin changes by +1 h on 29 March 2026; windows follow it",
        "the clock in Europe/Berlin changes by -1 h on 25 October 2026; windows follow it",
    ]


def test_further_rules_are_placed_like_our_own(tmp_path: Path) -> None:
    pair(tmp_path, POLICY)

    def never(policy: Policy) -> list[Remark]:
        return [Remark(("windows", "production"), "never-opens", "it never opens")]

    [problem] = lint(tmp_path / "shop.yaml", further=never)
    assert str(problem) == "shop.yaml:3:23: never-opens it never opens"
    assert failed([problem])


def test_a_policy_that_is_no_text_and_a_document_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "shop.md").write_text(DOCUMENT, encoding="utf-8")
    (tmp_path / "shop.yaml").write_bytes(b"a: b\nc: \xff\n")
    [problem] = lint(tmp_path / "shop.md")
    assert str(problem) == "shop.yaml:2:1: policy-encoding not UTF-8 text; save it as UTF-8"
    with pytest.raises(ChecklistError, match="There is no file"):
        lint(tmp_path / "gone.yaml")
