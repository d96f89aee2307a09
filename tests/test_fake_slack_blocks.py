"""Each limit of Block Kit: the largest that Slack shows, and the first that it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.slack_blocks import problems, view_problems, weigh

pytestmark = pytest.mark.slow

JSON = dict[str, Any]


def plain(length: int = 1) -> JSON:
    return {"type": "plain_text", "text": "x" * length}


def mrkdwn(length: int = 1) -> JSON:
    return {"type": "mrkdwn", "text": "x" * length}


def button(**more: Any) -> JSON:
    return {"type": "button", "text": plain(), **more}


def option(number: int = 0, **more: Any) -> JSON:
    return {"text": plain(), "value": f"v{number}", **more}


def options(count: int) -> list[JSON]:
    return [option(number) for number in range(count)]


def actions(*elements: JSON) -> list[JSON]:
    return [{"type": "actions", "elements": list(elements)}]


def asks(**element: Any) -> list[JSON]:
    return [{"type": "input", "label": plain(), "element": {"type": "plain_text_input", **element}}]


def select(**more: Any) -> list[JSON]:
    return actions({"type": "static_select", **({} if "option_groups" in more else {"options": options(1)}), **more})


def confirmed(**more: Any) -> list[JSON]:
    return actions(button(confirm={"title": plain(), "text": mrkdwn(), "confirm": plain(), "deny": plain(), **more}))


def section(**more: Any) -> list[JSON]:
    return [{"type": "section", **({} if "fields" in more else {"text": mrkdwn()}), **more}]


# What, a maker of blocks of that size, and the largest size shown.
UP_TO: list[tuple[str, Callable[[int], list[JSON]], int]] = [
    ("blocks in a message", lambda n: [{"type": "divider"}] * n, 50),
    ("block_id", lambda n: section(block_id="x" * n), 255),
    ("action_id", lambda n: actions(button(action_id="x" * n)), 255),
    ("section text", lambda n: section(text=mrkdwn(n)), 3000),
    ("section fields", lambda n: section(fields=[mrkdwn()] * n), 10),
    ("field text", lambda n: section(fields=[mrkdwn(n)]), 2000),
    ("header", lambda n: [{"type": "header", "text": plain(n)}], 150),
    ("context elements", lambda n: [{"type": "context", "elements": [mrkdwn()] * n}], 10),
    ("actions elements", lambda n: actions(*[button()] * n), 25),
    (
        "context_actions",
        lambda n: [
            {"type": "context_actions", "elements": [{"type": "icon_button", "icon": "trash", "text": plain()}] * n}
        ],
        5,
    ),
    ("button text", lambda n: actions(button(text=plain(n))), 75),
    ("button value", lambda n: actions(button(value="x" * n)), 2000),
    ("button url", lambda n: actions(button(url="x" * n)), 3000),
    ("accessibility_label", lambda n: actions(button(accessibility_label="x" * n)), 75),
    ("overflow options", lambda n: actions({"type": "overflow", "options": options(n)}), 5),
    ("select options", lambda n: select(options=options(n)), 100),
    ("select groups", lambda n: select(option_groups=[{"label": plain(), "options": options(1)}] * n), 100),
    ("options in a group", lambda n: select(option_groups=[{"label": plain(), "options": options(n)}]), 100),
    ("group label", lambda n: select(option_groups=[{"label": plain(n), "options": options(1)}]), 75),
    ("checkboxes", lambda n: actions({"type": "checkboxes", "options": options(n)}), 10),
    ("radio buttons", lambda n: actions({"type": "radio_buttons", "options": options(n)}), 10),
    ("option text", lambda n: select(options=[option(text=plain(n))]), 75),
    ("option value", lambda n: select(options=[option(value="x" * n)]), 150),
    ("option description", lambda n: select(options=[option(description=plain(n))]), 75),
    ("placeholder", lambda n: select(placeholder=plain(n)), 150),
    ("confirm title", lambda n: confirmed(title=plain(n)), 100),
    ("confirm text", lambda n: confirmed(text=mrkdwn(n)), 300),
    ("confirm confirm", lambda n: confirmed(confirm=plain(n)), 30),
    ("confirm deny", lambda n: confirmed(deny=plain(n)), 30),
    ("input label", lambda n: [asks()[0] | {"label": plain(n)}], 2000),
    ("input hint", lambda n: [asks()[0] | {"hint": plain(n)}], 2000),
    ("input max_length", lambda n: asks(max_length=n), 3000),
    ("image_url", lambda n: [{"type": "image", "image_url": "x" * n, "alt_text": "x"}], 3000),
    ("alt_text", lambda n: [{"type": "image", "image_url": "x", "alt_text": "x" * n}], 2000),
    ("image title", lambda n: [{"type": "image", "image_url": "x", "alt_text": "x", "title": plain(n)}], 2000),
    ("markdown together", lambda n: [{"type": "markdown", "text": "x" * part} for part in (n // 2, n - n // 2)], 12000),
    ("table rows", lambda n: [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]] * n}], 100),
    ("table columns", lambda n: [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * n]}], 20),
    ("tables", lambda n: [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]} for _ in range(n)], 1),
]


@pytest.mark.parametrize(("make", "most"), [(make, most) for _, make, most in UP_TO], ids=[name for name, *_ in UP_TO])
def test_the_largest_is_shown_and_one_more_refused(make: Callable[[int], list[JSON]], most: int) -> None:
    assert problems(make(most)) == []
    assert len(problems(make(most + 1))) == 1


@pytest.mark.parametrize(
    ("make", "name"),
    [(make, name) for name, make, most in UP_TO if most > 1 and not name.startswith(("blocks", "markdown"))],
)
def test_nothing_may_be_empty(make: Callable[[int], list[JSON]], name: str) -> None:
    assert problems(make(0)), name


VIEW: JSON = {"type": "modal", "title": plain(), "blocks": section()}
VIEWS: list[tuple[str, Callable[[int], JSON], int]] = [
    ("blocks in a modal", lambda n: {"blocks": [{"type": "divider"}] * n}, 100),
    ("title", lambda n: {"title": plain(n)}, 24),
    ("submit", lambda n: {"submit": plain(n)}, 24),
    ("close", lambda n: {"close": plain(n)}, 24),
    ("private_metadata", lambda n: {"private_metadata": "x" * n}, 3000),
    ("callback_id", lambda n: {"callback_id": "x" * n}, 255),
    ("file_input", lambda n: {"blocks": asks(type="file_input", max_files=n), "submit": plain()}, 10),
]


@pytest.mark.parametrize(("make", "most"), [(make, most) for _, make, most in VIEWS], ids=[name for name, *_ in VIEWS])
def test_the_largest_view_is_shown_and_one_more_refused(make: Callable[[int], JSON], most: int) -> None:
    assert view_problems(VIEW | make(most)) == []
    assert len(view_problems(VIEW | make(most + 1))) == 1


def test_a_home_tab_has_a_hundred_blocks_and_needs_no_title() -> None:
    assert view_problems({"type": "home", "blocks": [{"type": "divider"}] * 100}) == []
    assert view_problems({"type": "home", "blocks": [{"type": "divider"}] * 101})


REFUSED: list[tuple[list[JSON], str]] = [
    ([{"type": "data_table"}], "unsupported type: data_table"),
    (actions({"type": "slider"}), "unsupported type: slider"),
    (actions(asks()[0]["element"]), "unsupported type: plain_text_input"),
    (section(text={"type": "markdown", "text": "x"}), "unsupported type: markdown"),
    ([{"type": "section"}], "missing required field: text"),
    ([{"type": "header", "text": mrkdwn()}], "unsupported type: mrkdwn"),
    (actions(button(text=mrkdwn())), "unsupported type: mrkdwn"),
    (select(options=[option(text=mrkdwn())]), "unsupported type: mrkdwn"),
    (section(text=mrkdwn() | {"emoji": True}), "invalid additional property: emoji"),
    (section(text=plain() | {"verbatim": True}), "invalid additional property: verbatim"),
    (section(colour="red"), "invalid additional property: colour"),
    (actions(button(style="default")), "must be one of: primary, danger"),
    (actions(button(value=None)), "must not be null"),
    (actions(button(value=1)), "must be a string"),
    ([{"type": "image", "alt_text": "x"}], "must have exactly one of: image_url, slack_file"),
    ([{"type": "image", "image_url": "x"}], "missing required field: alt_text"),
    (select(initial_option=option(7)), "initial option was not found"),
    (actions({"type": "datepicker", "initial_date": "1.2.2026"}), "must be a date"),
    (section(block_id="x") * 2, "`block_id` x already exists"),
    (actions(button(action_id="x"), button(action_id="x")), "`action_id` x already exists"),
    (actions(button(action_id="x")) + actions(button(action_id="x")), "`action_id` x already exists"),
    (asks(min_length=5, max_length=3), "min_length must be less"),
    (asks(max_length=3, initial_value="four"), "must be less than 4 characters"),
    ([{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text"}]}]}], "text"),
    (["divider"], "must be an object"),  # type: ignore[list-item]
]


@pytest.mark.parametrize(("blocks", "because"), REFUSED, ids=[because for _, because in REFUSED])
def test_what_is_refused_is_explained(blocks: list[JSON], because: str) -> None:
    (said,) = problems(blocks)
    assert because in said


def test_an_explanation_points_at_the_place() -> None:
    blocks = [*section(), *actions(button(), button(text=plain(76)))]
    said = "[ERROR] must be less than 76 characters [json-pointer:/blocks/1/elements/1/text/text]"
    assert problems(blocks) == [said]


def test_the_pages_ask_for_unique_action_ids_only_within_a_block() -> None:
    blocks = actions(button(action_id="x")) + actions(button(action_id="x"))
    assert problems(blocks, action_scope="block") == []


def test_some_blocks_are_for_messages_only() -> None:
    assert problems([{"type": "markdown", "text": "x"}], "modal") == [
        "[ERROR] unsupported type in a modal: markdown [json-pointer:/view/blocks/0/type]"
    ]


def test_a_modal_that_asks_needs_a_submit_button() -> None:
    assert len(view_problems(VIEW | {"blocks": asks()})) == 1
    assert view_problems(VIEW | {"blocks": asks(), "submit": plain()}) == []
    both = asks(focus_on_load=True) + asks(focus_on_load=True)
    assert "focus_on_load" in view_problems(VIEW | {"blocks": both, "submit": plain()})[0]


def test_the_weight_counts_all_text_and_the_json_in_bytes() -> None:
    blocks = [*section(text=mrkdwn(10)), *actions(button(text=plain(5)))]
    characters, size = weigh(blocks)
    assert characters == 15
    assert weigh([*section(text={"type": "mrkdwn", "text": "x" * 7 + "نعم"}), blocks[1]]) == (characters, size + 3)
