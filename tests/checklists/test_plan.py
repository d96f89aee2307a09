"""The document and its policy, put together for one environment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checklists.library import from_texts
from checklists.plan import Plan, make_plan
from checklists.policy import Announcement
from checklists.policy_file import load_policy
from checklists.reader import read_checklist
from tests.domain.runs import SHIPPED, plan, shipped

THREE = "# Before\n- [ ] tests\n# Deploy\n- [ ] switch\n# After\n- [ ] look\n"


def titles(found: Plan) -> list[str]:
    return [step.title for step in found.steps]


def t0(found: Plan) -> str:
    """The phase in which T0 happens; exactly one says so."""
    marked = [step for step in found.steps if step.deployed]
    assert marked == [found.steps[found.deployed_at]]
    return marked[0].title


def test_only_phases_of_the_run_are_steps() -> None:
    found = plan(
        THREE + "# Back\n- [ ] a\n# Later\n- [ ] b\n# Read\n- [ ] c\n# Quick\n- [ ] d\n",
        Back="rollback",
        Later="follow-up",
        Read="reference",
        Quick="emergency",
    )
    assert titles(found) == ["Before", "Deploy", "After"]
    assert [step.title for step in found.rollback] == ["Back"]
    assert [step.title for step in found.follow_ups] == ["Later"]
    assert found.task("c") is None
    assert found.task("d") is None


def test_a_phase_without_items_is_left_out_but_a_rollback_is_read() -> None:
    found = plan("# Words\n" + THREE + "# Back\n", Back="rollback")
    assert titles(found) == ["Before", "Deploy", "After"]
    assert [step.title for step in found.rollback] == ["Back"]


def test_a_phase_of_another_environment_is_left_out() -> None:
    yaml = "phases: {After: {environments: production}}"
    assert titles(plan(THREE, yaml)) == ["Before", "Deploy", "After"]
    assert titles(plan(THREE, yaml, environment="staging")) == ["Before", "Deploy"]


# --- where T0 is ------------------------------------------------------------------------------------------------------


def test_t0_is_where_the_policy_says() -> None:
    assert t0(plan(THREE, "phases: {Before: {deployed: true}}")) == "Before"


def test_t0_can_be_elsewhere_in_another_environment() -> None:
    yaml = "phases: {Before: {deployed_in: staging}, Deploy: {deployed: true, environments: production}}"
    assert t0(plan(THREE, yaml)) == "Deploy"
    assert t0(plan(THREE, yaml, environment="staging")) == "Before"


def test_t0_in_a_phase_without_items_is_the_end_of_the_one_before() -> None:
    text = "# Before\n- [ ] tests\n# Merge\n- [ ] merge\n# Deploy\n# Look\n- [ ] look\n"
    assert t0(plan(text, "phases: {Deploy: {deployed: true}}")) == "Merge"
    assert t0(plan("# Deploy\n# Look\n- [ ] look\n", "phases: {Deploy: {deployed: true}}")) == "Look"


def test_of_two_phases_the_first_has_t0() -> None:
    assert t0(plan(THREE, "phases: {Deploy: {deployed: true}, After: {deployed: true}}")) == "Deploy"


@pytest.mark.parametrize(
    ("phases", "expected"),
    [
        (("Before", "Deploy", "After"), "Deploy"),
        (("Before", "Deploy", "Post-Deployment"), "Deploy"),
        (("Tests", "Postgres migration", "Release"), "Release"),
        (("Pre-deployment verification", "Deploy", "Verification"), "Deploy"),
        (("Build", "Pre-release smoke tests", "Deploy", "Monitoring"), "Deploy"),
        (("Build", "Deploy", "First 30 minutes"), "Deploy"),
        (("After the meeting",), "After the meeting"),
        (("One", "Two"), "Two"),
    ],
)
def test_without_a_word_of_the_policy_t0_is_guessed_from_the_titles(phases: tuple[str, ...], expected: str) -> None:
    text = "".join(f"# {title}\n- [ ] item {number}\n" for number, title in enumerate(phases))
    assert t0(plan(text)) == expected


# --- items ------------------------------------------------------------------------------------------------------------


def required(found: Plan) -> list[str]:
    return [task.id for step in found.every_step() for task in step.tasks if task.required]


def test_below_an_optional_item_nothing_is_required() -> None:
    text = "# One\n- [ ] a (optional)\n  - [ ] b\n    - [ ] c\n- [ ] d\n"
    assert required(plan(text)) == ["d"]
    assert required(plan(text, "items: {a (optional): {optional: false}}")) == ["a-optional", "b", "c", "d"]
    assert required(plan(text, "items: {d: {optional: true}}")) == []


def test_the_policy_binds_an_item_by_its_words() -> None:
    yaml = """
items:
  tests: {probe: ci, target: ">= 2 count"}
  switch: {role: qa, due: T+2h, owner: Quinn}
  look: {announces: succeeded}
"""
    found = plan(THREE, yaml)
    tests, switch, look = (found.task(name) for name in ("tests", "switch", "look"))
    assert tests is not None
    assert switch is not None
    assert look is not None
    assert (tests.probe, str(tests.target)) == ("ci", ">= 2 count")
    assert (switch.role, switch.due, switch.owner) == ("qa", timedelta(hours=2), "Quinn")
    assert look.announces is Announcement.SUCCEEDED


def test_a_section_of_choices_is_known_to_its_items() -> None:
    found = plan("# One\n## Ready?\n- [ ] yes\n- [ ] no\n## Other\n- [ ] x\n", 'sections: {"Ready?": {choose: one}}')
    assert [task.choice is not None for task in found.steps[0].tasks] == [True, True, False]


# --- checks -----------------------------------------------------------------------------------------------------------


def minutes(found: Plan) -> list[list[float]]:
    return [[offset.total_seconds() / 60 for offset in check.offsets] for check in found.checks]


def test_a_series_runs_from_its_beginning_to_its_end() -> None:
    found = plan(THREE, "watch:\n- {at: T+5m, every: 5m, for: 20m}\n- {at: T+0, every: 2m, for: 5m}\n- {at: T+30m}\n")
    assert minutes(found) == [[5, 10, 15, 20, 25], [0, 2, 4], [30]]
    assert [check.series for check in found.checks] == [True, True, False]
    assert [check.id for check in found.checks] == ["t5s", "t0s", "t30"]


def test_checks_of_the_same_minute_have_their_own_names() -> None:
    found = plan(THREE, "watch:\n- {at: T+30m}\n- {at: T+30m}\n- {at: T+30m, every: 30s, for: 1m}\n- {at: T+30m}\n")
    assert [check.id for check in found.checks] == ["t30", "t30-2", "t30s", "t30-3"]


def test_a_check_knows_its_phase() -> None:
    found = plan(THREE, "watch:\n- {at: T+30m, phase: after}\n- {at: T+2h, phase: Nowhere}\n- {at: T+3h}\n")
    assert [check.phase for check in found.checks] == ["p2", None, None]


def test_a_phase_whose_title_has_an_arrow_in_it_is_found() -> None:
    found = plan("# Deploy\n- [ ] a\n# Success > 99%\n- [ ] b\n", 'watch:\n- {at: T+30m, phase: "Success > 99%"}\n')
    assert found.checks[0].phase == "p1"


def test_of_two_phases_of_the_same_title_a_check_takes_the_one_that_is_named() -> None:
    markdown = "# Doc\n## A\n### Look\n- [ ] one\n## B\n### Look\n- [ ] two\n"
    phases = 'phases: {"A > Look": {deployed: true}, "B > Look": {opens: T+5m}}'
    yaml = phases + '\nwatch: [{at: T+30m, phase: "B > Look"}]\n'
    loaded = from_texts("doc", markdown, yaml)
    found = make_plan(loaded.checklist, loaded.policy, environment="production")
    phase = found.step(found.checks[0].phase or "")
    assert phase is not None
    assert [task.item.text for task in phase.tasks] == ["two"]


def test_a_check_of_a_phase_that_is_left_out_stands_alone() -> None:
    yaml = "phases: {After: {environments: production}}\nwatch:\n- {at: T+30m, phase: After}\n"
    assert plan(THREE, yaml, environment="staging").checks[0].phase is None


def test_a_check_of_another_environment_is_left_out() -> None:
    yaml = "watch:\n- {at: T+30m, environments: production}\n- {at: T+2h}\n"
    assert [check.id for check in plan(THREE, yaml, environment="staging").checks] == ["t120"]


def test_a_check_is_called_as_the_policy_calls_it_or_by_its_moment() -> None:
    found = plan(THREE, "watch:\n- {at: T+30m, name: Half an hour}\n- {at: T+2h}\n")
    assert [check.title for check in found.checks] == ["Half an hour", "T+2 h"]


# --- the five ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "phase", "checks"),
    [
        ("azora", "Phase 4: Traffic Switch (T+0 minutes)", ["t0s", "t5s", "t30", "t120", "t1440"]),
        ("ca-marketplace", "Deployment Steps", ["t0s", "t5s", "t30", "t45s", "t120", "t1440"]),
        ("maishapoa", "Monitor Deployment", ["t0s", "t30", "t120", "t300", "t1440"]),
        ("petforce", "Step 3: Application Deployment (15-20 minutes)", ["t0s", "t10s", "t30", "t120", "t1440"]),
        ("services-do", "Deploy to Production", ["t0s", "t30", "t120", "t1440"]),
    ],
)
def test_t0_and_the_checks_of_the_five_documents(name: str, phase: str, checks: list[str]) -> None:
    found = shipped(name)
    assert t0(found) == phase
    assert [check.id for check in found.checks] == checks


@pytest.mark.parametrize("name", SHIPPED)
def test_every_phase_and_item_of_a_plan_is_found_by_its_id(name: str) -> None:
    found = shipped(name)
    for step in found.every_step():
        assert found.step(step.id) == step
        for task in step.tasks:
            assert found.task(task.id) == task
    assert [found.index(step.id) for step in found.steps] == list(range(len(found.steps)))
    assert found.index("nowhere") is None


@pytest.mark.parametrize(
    ("name", "last"), [("services-do", "Staging Deployment"), ("ca-marketplace", "Approval for Production")]
)
def test_a_staging_run_ends_before_production(name: str, last: str) -> None:
    found = shipped(name, "staging")
    assert found.steps[-1].title == last
    assert t0(found) == "Staging Deployment"


def test_where_the_probes_speak_of_another_environment_nothing_is_measured() -> None:
    policy = load_policy(
        "measured_in: [production]\nprobes: {health: {http: 'https://example.org'}}\n"
        "phases: {Deploy: {deployed: true}}\nitems: {look: {probe: health}}\n"
        "watch:\n  - {at: T+30m, phase: After, probes: [health], then: announce succeeded}\n"
        "  - {at: T+2h, probes: [health]}\n",
        file="x.yaml",
    )
    document = read_checklist("# X\n## Deploy\n- [ ] switch\n## After\n- [ ] look\n", name="x")
    there, here = (make_plan(document, policy, environment=name) for name in ("production", "staging"))
    assert [(len(check.probes), check.then) for check in there.checks] == [(1, ("succeeded",)), (1, ())]
    assert [(len(check.probes), check.then) for check in here.checks] == [(0, ("succeeded",))]
    assert there.steps[1].tasks[0].probe == "health"
    assert here.steps[1].tasks[0].probe is None
