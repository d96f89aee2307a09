from __future__ import annotations

from pathlib import Path

import pytest

import checklists
from checklists.reader import AS_WRITTEN, Doubt, Reading, SourceName, doubts


def found(text: str, reading: Reading = AS_WRITTEN) -> list[tuple[int, int, str]]:
    return [(doubt.line, doubt.column, doubt.code) for doubt in doubts(text, name="x.md", reading=reading)]


def only(text: str) -> Doubt:
    (doubt,) = doubts(text, name="x.md")
    return doubt


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## A\n- [ ] one\n- [ ] two\n\n1. plain\n", []),
        ("Text:\n- \n- [ ] a\n", [(2, 1, "setext")]),
        ("Text:\n---\n- [ ] a\n", [(2, 1, "setext")]),
        ("Title\n---\n- [ ] a\n", []),
        ("- [ ] a\n        - [ ] b\n", [(2, 9, "too-deep")]),
        ("- [ ] a\n\n        - [ ] b\n", [(3, 9, "too-deep")]),
        ("- [x] a\n- [X] b\n", [(1, 1, "ticked"), (2, 1, "ticked")]),
        ("- [ ] a\n- [ ]\n", [(2, 1, "bare-box")]),
        ("- [ ] a\n- [ ] \n", [(2, 1, "empty")]),
        ("- [ ] a\n- [ ]b\n", [(2, 1, "glued-box")]),
        ("- [ ] a\n- [x](u) b\n", []),
        ("> - [ ] a\n\n- [ ] b\n", [(1, 3, "not-an-item")]),
        ("- [ ] b\n- - [ ] a\n", [(2, 1, "not-an-item")]),
        ("- [ ] a\n\n```\n- [ ] b\n- [ ] c\n```\n", [(4, 1, "in-code")]),
        ("- [ ] a (if needed)\n", [(1, 1, "optional")]),
        ("- [ ] a\n- [ ] b\n- [ ] a\n", [(3, 1, "duplicate")]),
        ("- [ ] a\n  - [ ] c\n- [ ] b\n  - [ ] c\n", []),
        ("## Q?\n- [ ] Yes\n- [ ] No\n", [(2, 1, "exclusive")]),
        ("- [ ] a (leave unchecked)\n", [(1, 1, "exclusive")]),
        ("1. Run\n2. Go\n", [(1, 1, "lists")]),
        ("| Done | Task |\n|--|--|\n| [ ] | a |\n| ☐ | b |\n", [(3, 1, "tables")]),
        ("- [] a\n- [✅] b\n- ☐ c\n", [(1, 1, "symbols")]),
    ],
)
def test_what_is_doubtful_is_said_with_its_place(text: str, expected: list[tuple[int, int, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "source"), [("1. Run\n", "lists"), ("|x|\n|-|\n|[ ] a|\n", "tables"), ("- [] a\n", "symbols")]
)
def test_what_the_policy_already_reads_is_not_offered(text: str, source: SourceName) -> None:
    assert [code for _, _, code in found(text)] == [source]
    assert found(text, Reading(sources=frozenset({source}))) == []


def test_boxes_which_are_no_items_are_counted_and_a_way_out_is_offered() -> None:
    assert only("- [] a\n- [] b\n- ☐ c\n").message == (
        "2 × [], 1 × ☐: no GitHub items, so not ticked here. `items_from: [symbols]` in the policy reads them as items."
    )
    assert only("|x|\n|-|\n|[ ] a|\n").message == (
        "1 table row with a box: no GitHub items. `items_from: [tables]` in the policy reads each row as an item."
    )
    assert only("- a\n- b\n").message == (
        "No list has a box, so nothing can be ticked. "
        "`items_from: [lists]` in the policy reads 2 list entries as items."
    )


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("services-do", {"optional"}),
        ("ca-marketplace", {"optional"}),
        ("petforce", {"optional"}),
        ("maishapoa", {"optional", "setext", "symbols"}),
        ("azora", {"optional"}),
    ],
)
def test_what_is_doubtful_in_the_five_documents(name: str, codes: set[str]) -> None:
    raw = (Path(checklists.__file__).parent / f"{name}.md").read_bytes()
    assert {doubt.code for doubt in doubts(raw, name=name)} == codes
