"""Forms as modals, and what people answered in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapters.slack import limits
from adapters.slack.limits import Json, plain_text
from bot.cards.card import Field, Form, Option
from bot.cards.runs import clean

CALLBACK = "form"
"""`callback_id` of every modal."""
OTHER = ".other"
"""Ends the ids of the line beside offered values. Otherwise `block_id` and `action_id` are the field's name, so that
errors by field name are shown where they belong."""


def view(form: Form, *, private: str, live: Collection[str] = ()) -> Json:
    """The modal of a form. `private` comes back as `private_metadata` with the answers: it carries the form's action.

    Fields named in `live` report every change while the modal is open. Raises ValueError for more than 3,000 characters
    of `private`: cut, it would bring answers to the wrong place.
    """
    if len(private) > limits.PRIVATE_METADATA:
        raise ValueError(f"private_metadata holds {limits.PRIVATE_METADATA} characters, not {len(private)}")
    blocks = [{"type": "section", "text": plain_text(form.text, limits.TEXT, lines=True)}] if form.text.strip() else []
    for field in form.fields:
        blocks += _inputs(field, live=field.name in live)
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain_text(form.title, limits.MODAL_TITLE),
        "submit": plain_text(form.submit, limits.MODAL_TITLE),
        "close": plain_text("Close", limits.MODAL_TITLE),
        "private_metadata": private,
        "blocks": blocks[: limits.MODAL_BLOCKS],
    }


def values(view_state: Mapping[str, Any]) -> dict[str, str]:
    """The answers by field name, from the `state` of a view. What was left empty is "".

    Where a value was offered and another one typed, the typed one counts.
    """
    found: dict[str, str] = {}
    typed: dict[str, str] = {}
    for answers in view_state.get("values", {}).values():
        for action, answer in answers.items():
            said = _said(answer)
            if action.endswith(OTHER):
                typed[action.removesuffix(OTHER)] = said
            else:
                found[action] = said
    return found | {name: said for name, said in typed.items() if said.strip() or name not in found}


def _said(answer: Mapping[str, Any]) -> str:
    chosen = answer.get("selected_option")
    return str(chosen["value"] if chosen else answer.get("value") or "")


def _inputs(field: Field, *, live: bool) -> list[Json]:
    """The input of a field; for a line with offered values a choice of these, and a line for any other."""
    offered = _options(field.options)
    if not offered:
        return [_input(field.name, field.label, _line(field), field, live=live)]
    known = field.value in {option["value"] for option in offered}
    select: Json = {"type": "static_select", **_choices(offered)}
    if known:
        select["initial_option"] = next(option for option in offered if option["value"] == field.value)
    if field.kind == "choice":
        return [_input(field.name, field.label, select, field, live=live)]
    other = _line(Field(field.name, field.label, value="" if known else field.value))
    # Either of the two is an answer, so that Slack cannot insist on one; the core does.
    either = replace(field, required=False)
    return [
        _input(field.name, field.label, select, either, live=live),
        _input(field.name + OTHER, "Or another", other, replace(either, hint=""), live=live),
    ]


def _input(name: str, label: str, element: Json, field: Field, *, live: bool) -> Json:
    block: Json = {
        "type": "input",
        "block_id": name,
        "label": plain_text(label, limits.LABEL),
        "element": {**element, "action_id": name},
        "optional": not field.required,
    }
    if field.hint.strip():
        block["hint"] = plain_text(field.hint, limits.LABEL, lines=True)
    if live:
        block["dispatch_action"] = True
    return block


def _line(field: Field) -> Json:
    element: Json = {
        "type": "plain_text_input",
        "multiline": field.kind == "paragraph",
        "max_length": limits.TEXT,
    }
    if value := clean(field.value):
        element["initial_value"] = value[: limits.TEXT]
    return element


def _options(options: Sequence[Option]) -> list[Json]:
    """Choices, each value once. A value Slack cannot carry whole is not offered."""
    distinct = {option.value: option for option in options if 0 < len(option.value) <= limits.OPTION_VALUE}
    return [
        {"text": plain_text(option.label or option.value, limits.OPTION_LABEL), "value": option.value}
        for option in distinct.values()
    ][: limits.SELECT_OPTIONS**2]


def _choices(options: list[Json]) -> Json:
    """Up to 100 choices as they are, more in groups of 100."""
    most = limits.SELECT_OPTIONS
    if len(options) <= most:
        return {"options": options}
    groups = [options[start : start + most] for start in range(0, len(options), most)]
    names = [f"{group[0]['text']['text'][:34]} – {group[-1]['text']['text'][:34]}" for group in groups]
    return {
        "option_groups": [
            {"label": plain_text(name, limits.OPTION_LABEL), "options": group}
            for name, group in zip(names, groups, strict=True)
        ]
    }
