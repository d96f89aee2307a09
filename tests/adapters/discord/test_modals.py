"""Forms as modals, and the answers in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.modals import modal, values
from bot.cards.card import Field, Form, Option
from tests.adapters.card_kit import any_form, core_forms
from tests.fakes.discord_checks import Errors
from tests.fakes.discord_modals import judged, submission
from tests.fakes.discord_things import Modal

VERSIONS = (Option("v1.1.9", "v1.1.9"), Option("v1.1.8", "v1.1.8"))
LINE, SELECT, TEXT = 4, 3, 10


def drawn(form: Form | None) -> dict[str, Any]:
    assert form is not None
    payload = modal(form).to_dict()
    errors = Errors()
    judged(errors, payload)
    assert errors.tree == {}
    return payload


def form(*fields: Field, **more: str) -> Form:
    return Form("Title", "verb:id", fields, **more)


def labels(payload: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Labels by the `custom_id` of what they hold."""
    return {each["component"]["custom_id"]: each for each in payload["components"] if each["type"] == 18}


def answered(payload: dict[str, Any], **typed: Any) -> Mapping[str, str]:
    """What comes back when somebody fills it in, by the rules of the fake Discord."""
    stored = judged(Errors(), payload)
    return values(submission(Modal(1, 2, 3, payload["custom_id"], payload["title"], stored), typed))


def test_every_form_of_the_core_is_accepted() -> None:
    for each in core_forms():
        payload = drawn(each)
        assert payload["custom_id"] == each.action
        assert set(labels(payload)) >= {field.name for field in each.fields}
        assert each.text in str(payload)


def test_the_text_stands_above_the_questions() -> None:
    payload = drawn(form(Field("reason", "Why?"), text="All *pods* running"))
    assert payload["components"][0] == {"type": TEXT, "content": r"All \*pods\* running"}


def test_a_paragraph_has_several_lines_and_a_hint() -> None:
    label = labels(drawn(form(Field("reason", "Why?", "paragraph", value="because", hint="Kept."))))["reason"]
    assert label["description"] == "Kept."
    component = label["component"]
    assert (component["style"], component["value"], component["required"]) == (2, "because", True)


def test_a_line_that_may_be_left_empty() -> None:
    component = labels(drawn(form(Field("note", "Note", required=False))))["note"]["component"]
    assert (component["style"], component["required"], component.get("value")) == (1, False, None)


def test_a_choice_begins_with_its_value() -> None:
    options = (Option("production", "Production"), Option("staging", "Staging"))
    component = labels(drawn(form(Field("where", "Where?", "choice", "staging", options=options))))["where"][
        "component"
    ]
    assert component["type"] == SELECT
    assert [(each["value"], each["default"]) for each in component["options"]] == [
        ("production", False), ("staging", True),
    ]  # fmt: skip


def test_a_choice_of_none_or_of_too_many_is_a_line() -> None:
    many = tuple(Option(f"v{number}", f"v{number}") for number in range(26))
    for options in ((), many):
        payload = drawn(form(Field("service", "Checklist", "choice", options=options)))
        assert labels(payload)["service"]["component"]["type"] == LINE


def test_a_value_that_discord_cannot_carry_whole_is_not_offered() -> None:
    options = (Option("x" * 101, "too long"), Option("", "empty"), Option("v1", "v1"), Option("v1", "again"))
    component = labels(drawn(form(Field("version", "Version", "choice", options=options))))["version"]["component"]
    assert [option["value"] for option in component["options"]] == ["v1"]


def test_a_line_with_offered_values_takes_any_other_too() -> None:
    field = Field("version", "Which?", value="v1.1.9", required=False, options=VERSIONS)
    payload = drawn(form(field))
    assert labels(payload)["version"]["component"]["options"][0]["default"] is True
    assert labels(payload)["version.other"]["component"].get("value") is None
    assert answered(payload) == {"version": "v1.1.9"}
    assert answered(payload, version="v1.1.8") == {"version": "v1.1.8"}
    assert answered(payload, **{"version.other": "v0.9"}) == {"version": "v0.9"}
    typed = drawn(form(Field("version", "Which?", value="v0.9", options=VERSIONS)))
    assert answered(typed) == {"version": "v0.9"}


def test_where_there_is_no_room_the_values_stand_in_the_line() -> None:
    others = [Field(f"f{number}", "More", required=False) for number in range(4)]
    payload = drawn(form(Field("version", "Which?", options=VERSIONS), *others, text="Back to v1"))
    line = labels(payload)["version"]
    assert (line["component"]["type"], line["component"]["placeholder"]) == (LINE, "v1.1.9, v1.1.8")
    assert line["description"] == "Back to v1"
    assert len(payload["components"]) == 5


def test_answers_come_back_by_name() -> None:
    payload = drawn(form(Field("a", "A", "paragraph"), Field("b", "B", "choice", options=VERSIONS), Field("c", "C")))
    assert answered(payload, a="one\ntwo", b="v1.1.8", c="x") == {"a": "one\ntwo", "b": "v1.1.8", "c": "x"}


def test_nothing_chosen_and_nothing_typed_is_empty() -> None:
    payload = drawn(form(Field("version", "Which?", required=False, options=VERSIONS), Field("n", "N", required=False)))
    assert answered(payload) == {"version": "", "n": ""}
    assert values([]) == {}


def test_what_would_be_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="100"):
        modal(Form("T", "x" * 101, (Field("a", "A"),)))
    with pytest.raises(ValueError, match="5 fields"):
        modal(form(*(Field(f"f{number}", "F") for number in range(6))))


async def test_a_modal_is_stopped_so_that_nothing_keeps_it() -> None:
    assert modal(form(Field("a", "A"))).is_finished()


@given(any_form(st.text("abc:", min_size=1, max_size=100)))
@settings(max_examples=60, deadline=None)
def test_any_form_is_accepted(any_one: Form) -> None:
    assert 1 <= len(drawn(any_one)["components"]) <= 5
