"""What the overrides of the documents make of a run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checklists.document import PhaseKind
from checklists.library import load
from checklists.plan import POST_MORTEM, Plan, make_plan
from tests.domain.runs import FOLDER


def lane(name: str, way: str) -> Plan:
    loaded = load(name, [FOLDER])
    return make_plan(loaded.checklist, loaded.policy, environment="production", lane=way)


def titles(plan: Plan) -> list[str]:
    return [step.title for step in plan.steps]


@pytest.mark.parametrize(
    ("name", "way", "phase", "items"),
    [
        ("services-do", "fast-track", "Fast Track", 9),
        ("services-do", "skip-staging", "Skip-Staging Deployment", 5),
        ("ca-marketplace", "hotfix", "Hotfix Deployment Process", 11),
    ],
)
def test_an_abbreviated_checklist_runs_in_place_of_the_ordinary_one(
    name: str, way: str, phase: str, items: int
) -> None:
    plan = lane(name, way)
    assert titles(plan) == [phase]
    assert len(plan.steps[0].tasks) == items
    assert plan.steps[0].deployed
    assert plan.steps[0].kind is PhaseKind.RUN


@pytest.mark.parametrize(("name", "way"), [("services-do", "fast-track"), ("ca-marketplace", "hotfix")])
def test_checks_and_rollback_of_a_lane_are_the_ordinary_ones(name: str, way: str) -> None:
    ordinary, short = lane(name, ""), lane(name, way)
    assert [(c.id, c.offsets, c.measure, c.then) for c in short.checks] == [
        (c.id, c.offsets, c.measure, c.then) for c in ordinary.checks
    ]
    assert [step.id for step in short.rollback] == [step.id for step in ordinary.rollback]


def test_petforces_emergency_leaves_out_the_days_before_and_keeps_the_rest_in_order() -> None:
    ordinary, short = titles(lane("petforce", "")), titles(lane("petforce", "emergency"))
    assert short == [title for title in ordinary if title != "Pre-Deployment (1-2 days before)"]


def test_t0_happens_in_the_same_phase_when_phases_before_it_are_left_out() -> None:
    for way in ("", "emergency", "hotfix"):
        plan = lane("petforce", way)
        assert plan.steps[plan.deployed_at].title == "Step 3: Application Deployment (15-20 minutes)"
        assert [step.deployed for step in plan.steps].count(True) == 1


def test_what_a_hotfix_skips_comes_back_for_review_and_is_chased() -> None:
    plan, ordinary = lane("petforce", "hotfix"), lane("petforce", "")
    (review,) = [step for step in plan.follow_ups if step.chased]
    assert review.title == "Review afterwards: Pre-Deployment (1-2 days before)"
    assert [task.id for task in review.tasks] == [task.id for task in ordinary.steps[0].tasks]
    assert review.opens is not None
    assert review.opens.offset == timedelta(0)


def test_nothing_is_lost_between_the_hotfix_and_its_review() -> None:
    def items(plan: Plan) -> list[str]:
        return sorted(task.id for step in plan.every_step() for task in step.tasks)

    assert items(lane("petforce", "hotfix")) == items(lane("petforce", ""))


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("petforce", "emergency"),
        ("services-do", "fast-track"),
        ("services-do", "skip-staging"),
        ("ca-marketplace", "hotfix"),
    ],
)
def test_a_lane_past_closed_windows_owes_a_post_mortem_within_a_day(name: str, way: str) -> None:
    (owed,) = [step for step in lane(name, way).follow_ups if step.chased]
    assert [task.item.label for task in owed.tasks] == [POST_MORTEM]
    assert owed.opens is not None
    assert owed.opens.offset == timedelta(hours=24)


def test_ca_marketplaces_hotfix_is_watched_for_two_hours_at_least() -> None:
    assert max(check.offsets[-1] for check in lane("ca-marketplace", "hotfix").checks) >= timedelta(hours=2)


def test_the_ordinary_run_owes_nothing() -> None:
    for name in ("azora", "petforce", "services-do", "ca-marketplace", "maishapoa"):
        assert not [step for step in lane(name, "").follow_ups if step.chased]


def test_a_lane_nobody_has_is_an_error() -> None:
    with pytest.raises(KeyError):
        lane("azora", "emergency")
