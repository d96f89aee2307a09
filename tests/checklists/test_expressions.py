"""Regular expressions of a policy: those that are quick on any text, and the rest refused in words."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checklists.expressions import LONGEST_TEXT, check_expression, found_in

USUAL = [
    "Black Friday|Cyber Monday", r"\bfreeze\b", "(?i)no[- ]deploy", ".*foo.*", "api-[a-z]+-[0-9]{1,3}", "(?:ab){2,5}",
    "^(Q1|Q2|Q3|Q4) end", "(?=a+)b", "a{1000}", "stocktak(e|ing)",
]  # fmt: skip
EVIL = [
    "(a+)+$", "(a|aa)+$", "(.*)*x", r"(a)\1", "x*y*z*w*", "(?:a{1,20}){1,20}", "a?" * 60 + "a" * 60, "(?:a|ab)" * 20,
    "((a*)b?)*c", "(?:(?:a{0,9}){0,9}){0,9}", r"(\w+\s?)+$", "(.+)+@", "(?>(a|a)*)+",
]  # fmt: skip
BROKEN = ["(", "[a-", "a{5000000000}", "(?(1)a|b)", "*", "a" * 201, "(" * 150 + ")" * 10]


@pytest.mark.parametrize("pattern", USUAL)
def test_what_people_write_is_taken(pattern: str) -> None:
    check_expression(pattern)


@pytest.mark.parametrize("pattern", EVIL)
def test_what_might_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"might take (for ever|long)|not a regular expression"):
        check_expression(pattern)


@pytest.mark.parametrize("pattern", BROKEN)
def test_what_is_no_expression_is_refused_in_words(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"not a regular expression|at most|too deeply") as refused:
        check_expression(pattern)
    assert not isinstance(refused.value, re.error)


def test_a_text_is_searched_in_any_case_and_up_to_a_length() -> None:
    assert found_in("black friday", "BLACK FRIDAY sale")
    assert not found_in("end", "x" * LONGEST_TEXT + "end")


_LETTER = st.sampled_from(["a", "b", ".", "[ab]", r"\w"])
_REPEAT = st.sampled_from(["", "?", "*", "+", "{0,9}", "{2}", "*?"])
_PART = st.recursive(
    _LETTER,
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, _REPEAT),
        st.builds("(?:{}){}".format, inner, _REPEAT),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(_PART, st.sampled_from(["a" * 200, "ab" * 100, "b" * 199 + "a"]))
def test_whatever_is_taken_is_quick(pattern: str, text: str) -> None:
    try:
        check_expression(f"{pattern}~")
    except ValueError:
        return
    begun = time.thread_time()
    assert not found_in(f"{pattern}~", text)
    assert time.thread_time() - begun < 1
