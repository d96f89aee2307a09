"""Alertmanager's matchers: taken apart, and held against the labels of an alert. Pure."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import promql_parser

from checklists.expressions import LONGEST_TEXT, check_expression

Sign = Literal["=", "!=", "=~", "!~"]
_OPERATORS: tuple[tuple[object, Sign], ...] = (
    (promql_parser.MatchOp.Equal, "="), (promql_parser.MatchOp.NotEqual, "!="),
    (promql_parser.MatchOp.Re, "=~"), (promql_parser.MatchOp.NotRe, "!~"),
)  # fmt: skip
_LIKE = '`severity="critical",service="api"`'


@dataclass(frozen=True, slots=True)
class Matcher:
    """One of them: `service=~"api|web"`."""

    name: str
    sign: Sign
    value: str

    def __str__(self) -> str:
        return self.name + self.sign + json.dumps(self.value, ensure_ascii=False)

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is meant. As in Alertmanager a label that is missing is empty, and an
        expression must match the whole value; it is one of Python's, not RE2's. Raises `re.error` for none."""
        found = labels.get(self.name, "")
        if self.sign in ("=", "!="):
            return (found == self.value) == (self.sign == "=")
        return (re.fullmatch(self.value, found[:LONGEST_TEXT]) is not None) == (self.sign == "=~")


@functools.lru_cache(maxsize=1_000)
def parse_matchers(words: str) -> tuple[Matcher, ...]:
    """The matchers one by one. They are read by PromQL's grammar, which is Alertmanager's too where values are quoted.
    Raises ValueError with what to write instead."""
    shown = " ".join(words.split())[:80]
    try:
        # With a metric's name before them, matchers that match everything are understood as well.
        selector = promql_parser.parse(f"ALERTS{{{words.strip().removeprefix('{').removesuffix('}')}}}")
    except ValueError as error:
        raise ValueError(f"{shown!r} are no matchers ({' '.join(str(error).split())[:80]}); write {_LIKE}") from None
    if not isinstance(selector, promql_parser.VectorSelector) or selector.name != "ALERTS":
        raise ValueError(f"{shown!r} are no matchers; write {_LIKE}")
    found = selector.matchers.matchers
    if not found or selector.offset is not None or selector.at is not None:
        raise ValueError(f"{shown!r} are no matchers; write {_LIKE}")
    return tuple(
        Matcher(one.name, next(sign for operator, sign in _OPERATORS if one.op == operator), one.value) for one in found
    )


def check_matchers(words: str) -> None:
    """Whether alerts can be held against these. Raises ValueError with what to write instead."""
    for matcher in parse_matchers(words):
        if matcher.sign in ("=~", "!~"):
            check_expression(matcher.value)


def all_fit(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether an alert with these labels is meant by all of them."""
    return all(matcher.fits(labels) for matcher in matchers)
