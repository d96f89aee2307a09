"""What lint says of baselines and of the evidence that checks need."""

from __future__ import annotations

import pytest

from checklists.lint_values import remarks
from checklists.policy_file import load_policy

POLICY = """
channels: {deployments: "#deployments"}
probes:
  p95: {prometheus: x, unit: s}
  requests: {prometheus: y, unit: count}
  errors: {sentry: shop errors, unit: count}
  slower: {baseline: p95}
items: {As fast as before: {probe: slower, target: "< 1.5 x"}}
watch:
  - at: T+30m
    measure: {slower: "< 1.5 x", errors: "= 0 count"}
    minimum: {requests: "> 100 count"}
    then: announce succeeded
"""


def found(old: str = "", new: str = "") -> list[tuple[str, str, str]]:
    assert old in POLICY
    policy = load_policy(POLICY.replace(old, new) if old else POLICY, file="shop.yaml")
    return [(".".join(str(part) for part in one.path), one.code, one.message) for one in remarks(policy)]


def test_a_good_baseline_has_nothing_to_say() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("old", "new", "remark"),
    [
        ("baseline: p95", "baseline: p59", ("probes.slower.baseline", "unknown-probe", "did you mean 'p95'?")),
        (
            "baseline: p95",
            "baseline: errors",
            ("probes.slower.baseline", "no-past", "sentry knows no past, and 'errors'"),
        ),
        ("baseline: p95", "baseline: slower", ("probes.slower.baseline", "no-past", "baseline knows no past")),
        (
            "{baseline: p95}",
            "{baseline: p95, unit: s}",
            ("probes.slower.unit", "unit-mismatch", "measured in x, not s"),
        ),
        ("{baseline: p95}", "{baseline: p95, before: 5m}", ("probes.slower.before", "bad-baseline", "`before: 1h`")),
        ("{baseline: p95}", "{baseline: p95, before: 8d}", ("probes.slower.before", "bad-baseline", "`before: 1h`")),
        ('slower: "< 1.5 x"', 'slower: "< 1%"', ("watch.0.measure.slower", "unit-mismatch", "is measured in x")),
        (
            'requests: "> 100 count"',
            'request: "> 1 count"',
            ("watch.0.minimum.request", "unknown-probe", "'requests'?"),
        ),
        ('requests: "> 100 count"', 'requests: "> 1%"', ("watch.0.minimum.requests", "unit-mismatch", "in count")),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(old: str, new: str, remark: tuple[str, str, str]) -> None:
    where, code, words = remark
    assert [one for one in found(old, new) if one[:2] == (where, code) and words in one[2]]


def test_an_item_bound_to_a_baseline_needs_a_target() -> None:
    policy = POLICY.replace(', target: "< 1.5 x"}', "}").replace('slower: "< 1.5 x", ', "")
    codes = [one.code for one in remarks(load_policy(policy, file="shop.yaml"))]
    assert codes == ["no-target"]


def test_what_only_a_baseline_or_a_minimum_asks_for_is_not_unused() -> None:
    assert "unused-probe" not in {code for _, code, _ in found()}
