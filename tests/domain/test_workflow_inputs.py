"""What a workflow is started with is known for certain, or it is not started."""

from __future__ import annotations

import pytest

from bot.domain import moves
from bot.domain.workflow_inputs import Unfilled, filled
from checklists.policy import Workflow
from tests.domain.runs import ALL, Course, live, plan

TWO = "# Deploy\n- [ ] switch\n# Back\n- [ ] switch back\n"


def course(previous: str | None = "v1.1.0") -> Course:
    return Course(plan(TWO, "service: shop", Back="rollback"), previous_version=previous)


def workflow(ref: str = "main", **inputs: str) -> Workflow:
    return Workflow(workflow="deploy.yml", ref=ref, inputs=inputs)


def test_inputs_are_filled_in_from_the_deployment() -> None:
    here = course()
    wanted = workflow("{{ version }}", what="{{ service }} {{ version }} to {{ environment }}", fixed="all")
    found = filled(here.plan, here.state, wanted)
    assert (found.ref, found.inputs) == ("v1.2.0", {"what": "shop v1.2.0 to production", "fixed": "all"})


def test_a_rollback_fills_in_the_version_it_goes_back_to_and_why() -> None:
    here = live(TWO, Back="rollback")
    here.do(moves.roll_back, "v1.0.9", "checkout is broken\nfor all", "", who=ALL)
    found = filled(here.plan, here.state, workflow(version="{{ previous_version }}", why="{{ reason }}"))
    assert found.inputs == {"version": "v1.0.9", "why": "checkout is broken\nfor all"}


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ previous_version }}", "nobody knows {{ previous_version }} yet"),
        ("{{ reason }} by {{ deployed_by }}", "nobody knows {{ reason }} and {{ deployed_by }} yet"),
        ("{{ changes }}", "nobody knows {{ changes }} yet"),
        ("{{ colour }}", "line 1: nothing is called 'colour'"),
        ("{{ version", "line 1: unexpected end"),
        ("{{ version.__class__ }}", "can be asked only of links"),
    ],
)
def test_what_nobody_knows_is_never_sent(template: str, why: str) -> None:
    here = course(previous=None)
    with pytest.raises(Unfilled) as missing:
        filled(here.plan, here.state, workflow(it=template))
    assert str(missing.value).startswith("it: ")
    assert why in str(missing.value)


def test_a_template_may_say_what_to_do_without_a_value() -> None:
    here = course(previous=None)
    template = "{% if previous_version is known %}{{ previous_version }}{% else %}none{% endif %}"
    assert filled(here.plan, here.state, workflow(it=template)).inputs == {"it": "none"}


@pytest.mark.parametrize("ref", ["", "two words", "-x", "a..b", "main/", "x\ny", "main.", "refs/~1", "a" * 300])
def test_a_ref_that_is_none_is_refused(ref: str) -> None:
    here = course()
    with pytest.raises(Unfilled, match="which is no branch or tag"):
        filled(here.plan, here.state, workflow(ref or "{% if automatic %}x{% endif %}"))
