"""Forms as modals, and what people answered in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from discord import SelectOption, TextStyle, ui

from adapters.discord import limits
from adapters.discord.limits import clip, one_line
from adapters.discord.markdown import verbatim
from bot.cards.card import Field, Form, Option
from bot.cards.runs import clean

OTHER = ".other"
"""Ends the `custom_id` of the line beside offered values; otherwise it is the field's name."""
_LABEL, _ROW = 18, 1


def modal(form: Form) -> ui.Modal:
    """The modal of a form, stopped already: what comes back is known by its `custom_id`, which is the form's action.

    Five components fit. The form's text comes first; where there are five fields it is the description of the first of
    them. A line with offered values is a choice and a line for any other value, where there is room for both.
    Raises ValueError for an action of more than 100 characters and for more than five fields: cut, neither would do.
    """
    if not 0 < len(form.action) <= limits.CUSTOM_ID:
        raise ValueError(f"a custom_id holds 1 to {limits.CUSTOM_ID} characters, not {len(form.action)}")
    if len(form.fields) > limits.MODAL_COMPONENTS:
        raise ValueError(f"a modal holds {limits.MODAL_COMPONENTS} fields, not {len(form.fields)}")
    drawn = ui.Modal(title=one_line(form.title, limits.MODAL_TITLE), timeout=None, custom_id=form.action)
    fields, free = list(form.fields), limits.MODAL_COMPONENTS - len(form.fields)
    if text := clean(form.text).strip():
        if free:
            drawn.add_item(ui.TextDisplay(clip(verbatim(clip(text, 1_500)), limits.INPUT)))
            free -= 1
        else:
            fields[0] = replace(fields[0], hint=text)
    for field in fields:
        both = field.kind != "choice" and free > 0 and bool(_options(field.options))
        free -= both
        for item in _inputs(field, both=both):
            drawn.add_item(item)
    drawn.stop()
    return drawn


def values(components: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The answers by field name, from the `components` of a modal submit. What was left empty is "".

    Where a value was offered and another one typed, the typed one counts.
    """
    found = dict(_answers(components))
    typed = {name.removesuffix(OTHER): found.pop(name) for name in list(found) if name.endswith(OTHER)}
    return found | {name: said for name, said in typed.items() if said.strip() or name not in found}


def _answers(components: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for each in components:
        if each.get("type") == _LABEL:
            yield from _answers([each.get("component") or {}])
        elif each.get("type") == _ROW:
            yield from _answers(each.get("components") or ())
        elif each.get("custom_id"):
            chosen = each.get("values")
            yield str(each["custom_id"]), str(chosen[0] if chosen else each.get("value") or "")


def _inputs(field: Field, *, both: bool) -> Iterator[ui.Label[ui.Modal]]:
    offered = _options(field.options)
    if not (field.kind == "choice" and offered) and not both:
        names = ", ".join(option.value for option in offered)
        yield _labelled(field, _line(field, field.name, placeholder=names))
        return
    chosen = field.value in {option.value for option in offered}
    for option in offered:
        option.default = option.value == field.value
    # Either of the two is an answer, so that Discord cannot insist on one; the core does.
    required = field.required and not both
    select: ui.Select[ui.Modal] = ui.Select(
        custom_id=field.name, options=offered, required=required, min_values=int(required)
    )
    yield _labelled(field, select)
    if both:
        other = replace(field, label="Or another", hint="", required=False, value="" if chosen else field.value)
        yield _labelled(other, _line(other, field.name + OTHER))


def _labelled(field: Field, component: ui.Item[ui.Modal]) -> ui.Label[ui.Modal]:
    return ui.Label(
        text=one_line(field.label, limits.LABEL),
        description=one_line(field.hint, limits.DESCRIPTION, empty="") or None,
        component=component,
    )


def _line(field: Field, custom_id: str, *, placeholder: str = "") -> ui.TextInput[ui.Modal]:
    long = field.kind == "paragraph"
    value = clean(field.value) if long else " ".join(clean(field.value).split())
    return ui.TextInput(
        custom_id=custom_id,
        style=TextStyle.paragraph if long else TextStyle.short,
        default=value[: limits.INPUT] or None,
        placeholder=one_line(placeholder, limits.DESCRIPTION, empty="") or None,
        required=field.required,
        max_length=limits.INPUT,
    )


def _options(options: Sequence[Option]) -> list[SelectOption]:
    """Choices, each value once. A value Discord cannot carry whole is not offered; nor is anything where there are more
    than a menu holds: a line takes all of them."""
    distinct = {option.value: option for option in options if 0 < len(option.value) <= limits.OPTION}
    if len(distinct) > limits.SELECT_OPTIONS:
        return []
    return [
        SelectOption(label=one_line(option.label or option.value, limits.OPTION), value=option.value)
        for option in distinct.values()
    ]
