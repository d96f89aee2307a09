"""Any plan one can start: random documents with random policies, and the five that are shipped."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from checklists.document import Checklist, Item, Phase, PhaseKind, Section
from checklists.plan import Plan, make_plan
from checklists.policy import Announcement, Policy
from tests.domain.runs import SHIPPED, shipped

_OPENS = st.sampled_from([None, None, None, "T-30m", "T+0", "T+5m", "T+30m", "T+2h"])
_SAID = st.sampled_from([None] * 8 + list(Announcement))


@st.composite
def documents(draw: st.DrawFn) -> tuple[Checklist, dict[str, Any]]:
    """A document of a few phases, and what its policy says about them."""
    rules: dict[str, Any] = {"phases": {}, "items": {}, "sections": {}, "watch": []}
    phases = [
        _phase(draw, rules, index, PhaseKind.RUN, draw(st.integers(0, 3)))
        for index in range(draw(st.integers(min_value=1, max_value=5)))
    ]
    if draw(st.booleans()):
        phases.append(_phase(draw, rules, 10, PhaseKind.ROLLBACK, draw(st.integers(0, 2))))
    if draw(st.booleans()):
        phases.append(_phase(draw, rules, 20, PhaseKind.FOLLOW_UP, 1))
    if draw(st.integers(0, 3)):  # mostly the policy says where T0 is
        rules["phases"][f"Phase {draw(st.integers(0, 4))}"] = {"deployed": True}
    for number in range(draw(st.integers(0, 3))):
        rules["watch"].append(_check(draw, number))
    return Checklist("shop", "Shop", tuple(phases)), rules


def _phase(draw: st.DrawFn, rules: dict[str, Any], index: int, kind: PhaseKind, items: int) -> Phase:
    title = f"Phase {index}"
    rule: dict[str, Any] = {}
    if opens := draw(_OPENS):
        rule["opens"] = opens
    if kind is PhaseKind.RUN and draw(st.integers(0, 7)) == 0:
        rule["environments"] = ["staging"]
    rules["phases"][title] = rule
    made: list[Item] = []
    for number in range(items):
        words = f"item {index}.{number}"
        parent = draw(st.sampled_from([None, None, *(item.id for item in made)]))
        made.append(
            Item(
                id=words.replace(" ", "").replace(".", "-"),
                text=words,
                label=words,
                line=number,
                depth=1 if parent is None else 2,
                command=None,
                notes=(),
                checked=False,
                optional=draw(st.integers(0, 3)) == 0,
                parent=parent,
            )
        )
        bound: dict[str, Any] = {}
        if (said := draw(_SAID)) is not None:
            bound["announces"] = said
        if draw(st.integers(0, 5)) == 0:
            bound["role"] = draw(st.sampled_from(["qa", "on_call"]))
        if draw(st.integers(0, 5)) == 0:
            bound["probe"] = "health"
        if draw(st.integers(0, 5)) == 0:
            bound["due"] = "T+1h"
        if bound:
            rules["items"][words] = bound
    if draw(st.integers(0, 4)) == 0:
        rules["sections"][f"Section {index}"] = {"choose": "one"}
    section = Section(f"s{index}", f"Section {index}", index, tuple(made), path=(title, f"Section {index}"))
    return Phase(f"p{index}", title, index, kind, (section,), path=(title,))


def _check(draw: st.DrawFn, number: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"at": draw(st.sampled_from(["T+0", "T+5m", "T+30m", "T+2h"])), "name": f"check {number}"}
    if draw(st.integers(0, 3)) == 0:
        entry |= {"every": "5m", "for": "10m"}
    if draw(st.booleans()):
        entry["phase"] = f"Phase {draw(st.integers(0, 4))}"
    if draw(st.booleans()):
        entry["probes"] = ["health"]
        numbers = st.sampled_from([1, 1, 2, 3])
        entry |= {"failures": draw(numbers), "inconclusive": draw(numbers), "errors": draw(numbers)}
    if then := draw(
        st.sampled_from([(), ("announce succeeded",), ("announce stable",), ("announce succeeded", "announce stable")])
    ):
        entry["then"] = list(then)
    return entry


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any plan one can start."""
    document, rules = draw(documents())
    environment = draw(st.sampled_from(["production", "production", "staging"]))
    found = make_plan(document, Policy.model_validate(rules), environment=environment)
    if not found.steps:
        rules["phases"] = {}
        found = make_plan(document, Policy.model_validate(rules), environment=environment)
    return found


def startable(plan: Plan) -> bool:
    return bool(plan.steps)


ANY_PLAN = st.one_of(
    plans().filter(startable),
    plans().filter(startable),
    plans().filter(startable),
    st.sampled_from([shipped(name, where) for name in SHIPPED for where in ("production", "staging")]),
)
