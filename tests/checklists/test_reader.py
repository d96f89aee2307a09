from __future__ import annotations

import pytest

from checklists.document import PhaseKind
from checklists.reader import Reading, headings
from tests.checklists.reading import items, phase, read, texts, titles


@pytest.mark.parametrize(
    ("text", "title", "phases"),
    [
        ("# T\n## A\n- [ ] a\n## B\n- [ ] b\n", "T", ["A", "B"]),
        ("\ufeff# T\n## A\n- [ ] a\n", "T", ["A"]),
        ("---\nname: x\nlabels: y\n---\n# T\n## A\n- [ ] a\n", "T", ["A"]),
        ("# A\n- [ ] a\n# B\n- [ ] b\n", "x", ["A", "B"]),
        ("# T\n### A\n##### deep\n- [ ] a\n### B\n- [ ] b\n", "T", ["A", "B"]),
        ("### First\n- [ ] a\n# B\n- [ ] b\n# C\n- [ ] c\n", "x", ["First", "B", "C"]),
        ("## T\n- [ ] a\n", "T", ["T"]),
        ("## A\n- [ ] a\n## B\n- [ ] b\n", "x", ["A", "B"]),
        ("- [ ] a\n", "x", ["x"]),
        ("- [ ] a\n# T\n- [ ] b\n## A\n- [ ] c\n", "T", ["T", "T", "A"]),
        ("T\n===\nA\n---\n- [ ] a\n", "T", ["A"]),
        ("# T\n## [A](u) `b` <a name='c'></a>\n- [ ] a\n", "T", ["A b"]),
        ("# T\n<details>\n<summary><h3>A</h3></summary>\n\n- [ ] a\n\n</details>\n", "T", ["A"]),
        ("<details><summary>A</summary>\n\n- [ ] a\n\n</details>\n", "x", ["A"]),
        ("", "x", []),
    ],
)
def test_title_and_phases_go_by_relative_depth(text: str, title: str, phases: list[str]) -> None:
    checklist = read(text)
    assert (checklist.title, titles(checklist)) == (title, phases)


def test_a_lone_dash_makes_no_heading_of_the_line_above() -> None:
    (only,) = read("## A\n**Key changes**:\n- \n- [ ] a\n").phases
    assert only.sections[0].prose == "**Key changes**:\n- \n- [ ] a"
    assert [item.text for item in only.items] == ["a"]


def test_a_bold_line_before_items_is_a_section() -> None:
    (only,) = read("## A\n**One**\n\n- [ ] a\n\n**Two:**\n- [ ] b\n\n**Checklist**:\n- [ ] c\n\n**Not**\n- d\n").phases
    assert [(section.title, len(section.items)) for section in only.sections] == [("One", 1), ("Two", 2)]


def test_sections_of_the_same_title_show_what_they_are_below() -> None:
    first, second = read("# T\n## P\n### A\n#### Test\n- [ ] a\n### B\n#### Test\n- [ ] a\n").phases[0].sections
    assert (first.title, second.title) == ("A › Test", "B › Test")
    assert first.id != second.id
    assert first.items[0].id != second.items[0].id


def test_what_follows_a_details_block_is_outside_it_again() -> None:
    (only,) = read("## P\n<details><summary>More</summary>\n\n- [ ] a\n\n</details>\n\n- [ ] b\n").phases
    assert [(section.title, [item.text for item in section.items]) for section in only.sections] == [
        ("More", ["a"]),
        ("P", ["b"]),
    ]


def test_headings_are_listed_for_lint_with_path_and_line() -> None:
    found = headings("# T\n\n## A\n### B\n\n**C**\n- [ ] c\n", name="x")
    assert [(heading.path, heading.line, heading.form) for heading in found] == [
        (("T",), 1, "heading"),
        (("T", "A"), 3, "heading"),
        (("T", "A", "B"), 4, "heading"),
        (("T", "A", "B", "C"), 6, "bold"),
    ]


def test_prose_is_the_sections_own_markdown_without_what_is_not_shown() -> None:
    text = "# T\n## Notes\n\n---\n<!-- hidden -->\nRead **this**.\n\n[//]: # (hidden)\n\n| a |\n|---|\n| b |\n\n---\n"
    (only,) = read(text).phases
    assert only.kind is PhaseKind.REFERENCE
    assert only.sections[0].prose == "Read **this**.\n\n\n| a |\n|---|\n| b |"


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Rollback Procedure (If Needed)", PhaseKind.ROLLBACK),
        ("If Something Goes Wrong", PhaseKind.ROLLBACK),
        ("If issues are detected", PhaseKind.ROLLBACK),
        ("🔄 Rolling back", PhaseKind.ROLLBACK),
        ("Rollback readiness", PhaseKind.RUN),
        ("Emergency Deployment", PhaseKind.EMERGENCY),
        ("Hotfix process", PhaseKind.EMERGENCY),
        ("Post-Deployment Tasks (Within 1 week)", PhaseKind.FOLLOW_UP),
        ("Week 1", PhaseKind.FOLLOW_UP),
        ("Emergency Contacts", PhaseKind.REFERENCE),
        ("Rollback Decision Matrix", PhaseKind.REFERENCE),
        ("Checklist Summary", PhaseKind.REFERENCE),
        ("Success Criteria", PhaseKind.REFERENCE),
        ("Post-Deployment", PhaseKind.RUN),
        ("Release notes", PhaseKind.RUN),
        ("Metrics", PhaseKind.RUN),
    ],
)
def test_the_words_of_a_phase_with_items_say_what_it_is_for(title: str, kind: PhaseKind) -> None:
    assert phase(read(f"# T\n## {title}\n- [ ] a\n## Other\n- [ ] b\n"), title).kind is kind


@pytest.mark.parametrize(
    ("title", "kind"),
    [("Overview", PhaseKind.REFERENCE), ("Emergency resources", PhaseKind.REFERENCE), ("Rollback", PhaseKind.ROLLBACK)],
)
def test_a_phase_without_items_is_for_reading_unless_it_rolls_back(title: str, kind: PhaseKind) -> None:
    assert phase(read(f"# T\n## {title}\nText\n## Other\n- [ ] b\n"), title).kind is kind


SPLIT = "# T\n## P\n- [ ] own\n### A\n- [ ] a\n### B\n- [ ] b\n#### B2\n- [ ] b2\n### C\n- [ ] c\n## Q\n- [ ] q\n"


@pytest.mark.parametrize("name", ["B", "P > B", "T > P > B", "b"])
def test_a_split_heading_and_what_follows_it_become_phases(name: str) -> None:
    checklist = read(SPLIT, Reading(split=frozenset({name})))
    assert titles(checklist) == ["P", "B", "C", "Q"]
    assert [item.text for item in checklist.items()] == ["own", "a", "b", "b2", "c", "q"]


def test_a_part_kept_out_of_the_run_leaves_the_rest_of_its_phase_together() -> None:
    checklist = read(SPLIT, Reading(kinds={"B": PhaseKind.ROLLBACK}))
    assert [(part.title, part.kind.value, len(part.items)) for part in checklist.phases] == [
        ("P", "run", 3),
        ("B", "rollback", 2),
        ("Q", "run", 1),
    ]


def test_the_policy_decides_against_the_words() -> None:
    checklist = read("## Rollback\n- [ ] a\n## B\n- [ ] b\n", Reading(kinds={"Rollback": PhaseKind.RUN}))
    assert checklist.phases[0].kind is PhaseKind.RUN


def test_a_phase_left_with_nothing_disappears() -> None:
    text = "# T\n## P\n### A\n- [ ] a\n### B\n- [ ] b\n"
    assert titles(read(text, Reading(split=frozenset({"A"})))) == ["A", "B"]


def test_splitting_changes_no_item_id() -> None:
    split = read(SPLIT, Reading(split=frozenset({"A", "B2"}), kinds={"C": PhaseKind.FOLLOW_UP}))
    assert [item.id for item in split.items()] == [item.id for item in read(SPLIT).items()]


def test_a_bold_line_named_by_the_policy_is_a_phase() -> None:
    text = "**Go**\n- [ ] a\n\n**Undo**\n- [ ] b\n"
    assert titles(read(text)) == ["x"]
    checklist = read(text, Reading(kinds={"Undo": PhaseKind.ROLLBACK}))
    assert [(part.title, part.kind.value) for part in checklist.phases] == [("x", "run"), ("Undo", "rollback")]


def test_names_no_heading_has_are_left_to_lint() -> None:
    assert titles(read(SPLIT, Reading(split=frozenset({"nowhere"})))) == ["P", "Q"]


def test_table_rows_are_read_as_items_when_the_policy_says_so() -> None:
    text = (
        "| # | Task | Done | Owner | Result |\n|--|--|--|--|--|\n"
        "| 1 | Go | [ ] | Ann | |\n| 2 | Rest | ☑ | | ok |\n| 3 | x | | | |\n"
    )
    assert items(text) == []
    first, second = items(text, "tables")
    assert (first.text, first.label, first.line, first.owner, first.checked) == ("Go", "Go", 3, "Ann", False)
    assert (second.text, second.notes, second.checked) == ("Rest", ("#: 2", "Result: ok"), True)


def test_symbols_are_read_as_items_when_the_policy_says_so() -> None:
    text = "☐ one\n☑ two\n\n- [✅] three\n- [] four\n- ⬜️ five\n- six\n\n✅ **Good when**:\n- ✅ seven\n"
    assert texts(text, "symbols") == ["one", "two", "three", "four", "five", "seven"]
    assert [item.checked for item in items(text, "symbols")] == [False, True, True, False, False, True]


def test_plain_lists_are_read_as_items_when_the_policy_says_so() -> None:
    text = "1. Run\n   - unit\n2. Go\n\n- [ ] box\n- none\n"
    found = items(text, "lists")
    assert [(item.text, item.notes) for item in found] == [("Run", ("unit",)), ("Go", ()), ("box", ())]
