"""Forms as modals, and the answers in them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack import modals
from bot.cards.card import Field, Form, Option
from tests.adapters.card_kit import any_form, core_forms
from tests.fakes.slack_blocks import view_problems


def drawn(form: Form | None, private: str = "p") -> dict[str, Any]:
    assert form is not None
    modal = modals.view(form, private=private)
    assert view_problems(modal) == []
    return modal


def form(*fields: Field, **more: str) -> Form:
    return Form("Title", "verb:id", fields, **more)


def inputs(modal: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {block["block_id"]: block for block in modal["blocks"] if block["type"] == "input"}


def test_every_form_of_the_core_is_accepted() -> None:
    for each in core_forms():
        modal = drawn(each, each.action)
        assert modal["private_metadata"] == each.action
        assert set(inputs(modal)) >= {field.name for field in each.fields}


def test_a_paragraph_has_several_lines_and_a_hint() -> None:
    block = inputs(drawn(form(Field("reason", "Why?", "paragraph", value="because", hint="Kept."))))["reason"]
    assert block["element"]["multiline"] is True
    assert block["element"]["initial_value"] == "because"
    assert block["hint"]["text"] == "Kept."
    assert block["optional"] is False


def test_a_line_that_may_be_left_empty() -> None:
    block = inputs(drawn(form(Field("note", "Note", required=False))))["note"]
    assert block["optional"] is True
    assert "initial_value" not in block["element"]


def test_a_choice_begins_with_its_value() -> None:
    options = (Option("production", "Production"), Option("staging", "Staging"))
    element = inputs(drawn(form(Field("environment", "Environment", "choice", "staging", options=options))))[
        "environment"
    ]["element"]
    assert element["initial_option"]["value"] == "staging"
    assert [option["value"] for option in element["options"]] == ["production", "staging"]


def test_a_choice_without_options_is_a_line() -> None:
    assert (
        inputs(drawn(form(Field("service", "Checklist", "choice"))))["service"]["element"]["type"] == "plain_text_input"
    )


def test_more_than_a_hundred_options_stand_in_groups() -> None:
    options = tuple(Option(f"v{number}", f"v{number} " * 30) for number in range(250))
    element = inputs(drawn(form(Field("version", "Version", "choice", "v201", options=options))))["version"]["element"]
    assert [len(group["options"]) for group in element["option_groups"]] == [100, 100, 50]
    assert element["initial_option"]["value"] == "v201"


def test_a_value_that_slack_cannot_carry_whole_is_not_offered() -> None:
    options = (Option("x" * 151, "too long"), Option("", "empty"), Option("v1", "v1"), Option("v1", "again"))
    element = inputs(drawn(form(Field("version", "Version", "choice", options=options))))["version"]["element"]
    assert [option["value"] for option in element["options"]] == ["v1"]


def test_a_line_with_offered_values_takes_any_other_too() -> None:
    versions = (Option("v1.1.9", "v1.1.9"), Option("v1.1.8", "v1.1.8"))
    blocks = inputs(drawn(form(Field("version", "Which?", value="v1.1.9", required=False, options=versions))))
    assert blocks["version"]["element"]["initial_option"]["value"] == "v1.1.9"
    assert "initial_value" not in blocks["version.other"]["element"]
    typed = inputs(drawn(form(Field("version", "Which?", value="v0.9", options=versions))))
    assert "initial_option" not in typed["version"]["element"]
    assert typed["version.other"]["element"]["initial_value"] == "v0.9"


def test_answers_come_back_by_name() -> None:
    chosen = {"type": "static_select", "selected_option": {"text": {}, "value": "v1.1.9"}}
    line = {"type": "plain_text_input", "value": "because"}
    empty = {"type": "plain_text_input", "value": None}
    assert modals.values(
        {
            "values": {
                "version": {"version": chosen},
                "version.other": {"version.other": empty},
                "reason": {"reason": line},
            }
        }
    ) == {"version": "v1.1.9", "reason": "because"}


def test_what_was_typed_counts_before_what_was_chosen() -> None:
    chosen = {"type": "static_select", "selected_option": {"value": "v1.1.9"}}
    line = {"type": "plain_text_input", "value": "v0.9"}
    state = {"values": {"version": {"version": chosen}, "version.other": {"version.other": line}}}
    assert modals.values(state) == {"version": "v0.9"}


def test_nothing_chosen_and_nothing_typed_is_empty() -> None:
    nothing = {"type": "static_select", "selected_option": None}
    assert modals.values({"values": {"version": {"version": nothing}}}) == {"version": ""}
    assert modals.values({}) == {}


def test_a_live_field_reports_its_changes() -> None:
    options = (Option("production", "production"),)
    modal = modals.view(
        form(Field("environment", "Where?", "choice", options=options), Field("note", "Note")),
        private="",
        live=("environment",),
    )
    assert view_problems(modal) == []
    assert [block.get("dispatch_action") for block in modal["blocks"]] == [True, None]


def test_what_a_form_carries_is_never_cut() -> None:
    with pytest.raises(ValueError, match="3000"):
        modals.view(form(Field("a", "A")), private="x" * 3_001)
    assert drawn(form(Field("a", "A")), "x" * 3_000)["private_metadata"] == "x" * 3_000


@given(any_form(st.text(max_size=40)))
@settings(max_examples=60, deadline=None)
def test_any_form_is_accepted(any_one: Form) -> None:
    modal = drawn(any_one)
    assert "<!" not in str([block.get("text") for block in modal["blocks"]])
