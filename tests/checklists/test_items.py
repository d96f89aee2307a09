from __future__ import annotations

import pytest

from tests.checklists.reading import items, read, texts


@pytest.mark.parametrize(
    "marker",
    ["-", "*", "+", "1.", "1)", "12.", "-  ", "-   ", "-\t", " -", "  -", "   -"],
    ids=lambda marker: repr(marker),
)
def test_every_list_marker_makes_an_item(marker: str) -> None:
    (item,) = items(f"{marker} [ ] Go\n")
    assert (item.text, item.label, item.line, item.depth, item.checked) == ("Go", "Go", 1, 1, False)


@pytest.mark.parametrize("box", ["[x]", "[X]"])
def test_a_ticked_box_is_read_as_ticked(box: str) -> None:
    assert items(f"- {box} Go\n")[0].checked


def test_only_the_items_own_box_says_whether_it_is_ticked() -> None:
    assert not items("- [ ] Write [x] in the form\n")[0].checked


@pytest.mark.parametrize(
    "text",
    [
        "- [ ]Go\n",
        "- [] Go\n",
        "- [✅] Go\n",
        "- [ ]\n",
        "- [ ]\u00a0Go\n",
        "-      [ ] Go\n",
        "-\n  [ ] Go\n",
        "    - [ ] Go\n",
        "> - [ ] Go\n",
        "- - [ ] Go\n",
        "[ ] Go\n",
        "<div>\n- [ ] Go\n</div>\n",
        "Text\n2. [ ] Go\n",
        "- Item\n<br>\n- [ ] Go\n",
    ],
    ids=lambda text: repr(text),
)
def test_what_cmark_gfm_reads_no_task_in_is_no_item(text: str) -> None:
    assert texts(text) == []


def test_a_task_list_inside_a_fence_is_not_an_item() -> None:
    assert texts("```\n- [ ] no\n```\n\n- [ ] yes\n  ~~~\n  - [ ] no\n  ~~~\n") == ["yes"]


def test_a_task_list_inside_a_comment_is_not_an_item() -> None:
    assert texts("<!--\n- [ ] no\n-->\n- [ ] yes\n<!-- {{if}} -->\n- [ ] also\n") == ["yes", "also"]


def test_a_box_with_a_space_behind_it_and_no_text_is_an_item() -> None:
    found = items("- [ ] \n- [x] \t\n- [ ] \n\n      - [ ] code, for an empty item ends at an empty line\n")
    assert [(item.text, item.label, item.checked) for item in found] == [
        ("", "", False),
        ("", "", True),
        ("", "", False),
    ]
    assert len({item.id for item in found}) == 3


def test_an_empty_item_can_hold_a_numbered_one() -> None:
    assert [(item.text, item.depth) for item in items("- [ ] \n  2. [ ] Go\n")] == [("", 1), ("Go", 2)]


def test_what_follows_an_empty_box_on_the_next_line_is_its_label() -> None:
    (item,) = items("- [ ] \n  Go on\n")
    assert (item.text, item.label) == ("", "Go on")


def test_the_text_is_the_items_own_line_and_the_label_its_whole_paragraph() -> None:
    (item,) = items("- [ ] Do **this**  \n  and `that`,\\\n  then rest\n\n  A paragraph.\n")
    assert item.text == "Do **this**"
    assert item.label == "Do **this** and `that`, then rest"
    assert item.notes == ("A paragraph.",)


@pytest.mark.parametrize(
    "text", ["[link](u)", "![image](u)", "<kbd>x</kbd> y", "<placeholder>", "{{ VERSION }}", "# head"]
)
def test_the_words_of_an_item_are_kept_as_written(text: str) -> None:
    (item,) = items(f"- [ ] {text}\n")
    assert item.text == item.label == text


def test_reference_links_are_written_out_in_the_label_only() -> None:
    text = "- [ ] See [the PR][pr], `[pr]` and [pr]\n"
    (item,) = items(text + "\n[pr]: https://example.org/1\n")
    assert item.text == "See [the PR][pr], `[pr]` and [pr]"
    assert item.label == "See [the PR](https://example.org/1), `[pr]` and [pr](https://example.org/1)"
    assert item.id == items(text)[0].id


def test_a_comment_in_an_item_is_not_read_out() -> None:
    (item,) = items("- [ ] Go <!-- {{if .X}} --> on `<!-- c -->`\n")
    assert item.label == "Go  on `<!-- c -->`"


def test_control_characters_are_not_read_out() -> None:
    (item,) = items("- [ ] a\x00b\x1b[31mc\n")
    assert item.label == "a\ufffdb [31mc"


NESTED = """\
- [ ] Parent
  - plain
    1. first
    2. second
  - [ ] Child
    ```sh
    child
    ```
\t- [ ] Grandchild
  - Group
    + [ ] In group

  ```sh
  one

  two
  ```

  Expected: `ok`

      indented
- Top group
  - Inner group
    - [ ] Far in
"""


def test_nesting_says_depth_parent_and_group() -> None:
    parent, child, grandchild, grouped, far = items(NESTED)
    assert [item.depth for item in (parent, child, grandchild, grouped, far)] == [1, 2, 3, 3, 3]
    assert (child.parent, grandchild.parent, grouped.parent, far.parent) == (parent.id, child.id, parent.id, None)
    assert (child.group, grouped.group, far.group) == (None, "Group", "Top group › Inner group")


def test_notes_and_commands_are_an_items_own() -> None:
    parent, child, *_ = items(NESTED)
    assert parent.notes == ("plain", "› 1. first", "› 2. second", "Expected: `ok`")
    assert parent.command == "one\n\ntwo\n\nindented"
    assert child.command == "child"
    assert child.notes == ()


def test_children_indented_too_deep_are_the_parents_text() -> None:
    (item,) = items("- [ ] Parent\n        - [ ] Child\n")
    assert (item.text, item.label) == ("Parent", "Parent - [ ] Child")


def test_lists_nest_to_any_depth() -> None:
    found = items("".join(f"{'  ' * depth}- [ ] level {depth}\n" for depth in range(60)))
    assert [item.depth for item in found] == list(range(1, 61))


def test_commands_under_no_item_are_the_sections() -> None:
    (only,) = read("## A\n```sh\none\n```\n- plain\n  ```\n  two\n  ```\n- [ ] x\n  ```\n  three\n  ```\n").phases
    assert only.sections[0].commands == ("one", "two")


@pytest.mark.parametrize(
    "words",
    [
        "Go (if needed)",
        "Go (if applicable) now",
        "Go (optional)",
        "**Go** (if frontend changes)",
        "OPTIONAL: go",
        "Go (as needed, for major versions)",
        "Go (if UX changes) - @ann",
        "(Optional) Go",
    ],
)
def test_words_which_make_an_item_optional(words: str) -> None:
    assert items(f"- [ ] {words}\n")[0].optional


@pytest.mark.parametrize(
    "words", ["Go if needed", "Go (for PostgreSQL)", "Test (mobile - if deployed)", "No optional steps"]
)
def test_words_which_do_not(words: str) -> None:
    assert not items(f"- [ ] {words}\n")[0].optional


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("Go - @ann", "@ann"),
        ("Go (@ann)", "@ann"),
        ("Go - @ann @team/ops", "@ann @team/ops"),
        ("Go (owner: DevOps)", "DevOps"),
        ("Go [Owner: Jo Doe]", "Jo Doe"),
        ("[Release Lead] Go", "Release Lead"),
        ("Go [QA]", "QA"),
        ("Go\n  - Owner: Jo", "Jo"),
        ("Go\n\n  **Owner**: Jo", "Jo"),
        ("[Docs](u) Go", None),
        ("[Feature] Go", None),
        ("Mail me@example.org", None),
        ("Ask @ann first", None),
    ],
)
def test_owner_hints(text: str, owner: str | None) -> None:
    assert items(f"- [ ] {text}\n")[0].owner == owner
