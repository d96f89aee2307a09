"""Alertmanager's matchers, held against labels."""

from __future__ import annotations

import pytest

from checklists.matchers import all_fit, check_matchers, parse_matchers

API = {"service": "api", "severity": "critical", "say": 'a "b", c'}


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        ('service="api"', True), ('service="web"', False), ('service="api",severity="critical"', True),
        ('service="api",severity="page"', False), ('{service="api"}', True), ('service!="api"', False),
        ('service=~"api|web"', True), ('service=~"ap"', False), ('service!~"web.*"', True), ('service!~".*"', False),
        ('team=""', True), ('team!=""', False), ('team=~".+"', False), ('say="a \\"b\\", c"', True),
    ],
)  # fmt: skip
def test_a_matcher_means_what_it_means_in_alertmanager(words: str, fits: bool) -> None:
    assert all_fit(parse_matchers(words), API) is fits


@pytest.mark.parametrize(
    "words",
    ["", "{}", "service", "service=api", 'service="api" or b="c"', 'up{a="b"}', 'a="b"[5m]', 'a="b"} offset 5m', "1"],
)
def test_what_is_no_matcher_is_refused_with_an_example(words: str) -> None:
    with pytest.raises(ValueError, match='write `severity="critical",service="api"`'):
        parse_matchers(words)


def test_an_expression_python_cannot_read_is_refused_when_the_policy_is_read() -> None:
    with pytest.raises(ValueError, match="is not a regular expression"):
        check_matchers(r'service=~"\\pN+"')
