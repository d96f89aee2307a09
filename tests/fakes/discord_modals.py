"""Modals: what may stand in one, how a person fills it in, and what is sent of it.

Pages: interactions/receiving-and-responding (modal), components/reference.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tests.fakes.discord_checks import Errors, Path
from tests.fakes.discord_components import (
    CHECKBOX,
    CHECKBOXES,
    FILE_UPLOAD,
    LABEL,
    RADIO,
    ROW,
    SELECTS,
    STRING_SELECT,
    TEXT,
    TEXT_INPUT,
    Look,
    options,
    select,
    tidy,
    walk,
)
from tests.fakes.discord_things import JSON, Modal

FIELDS = (TEXT_INPUT, *SELECTS, FILE_UPLOAD, RADIO, CHECKBOXES, CHECKBOX)


def judged(errors: Errors, data: JSON, at: Path = ("data",)) -> list[JSON]:
    """Its components as they are stored."""
    errors.text(data, "title", at, 45)
    errors.text(data, "custom_id", at, 100)
    data = copy.deepcopy(data)
    kept, look = errors.items(data, "components", at, 5), Look(errors, {})
    for index, each in enumerate(kept):
        here = (*at, "components", index)
        kind = errors.kind(each, here, (ROW, TEXT, LABEL))
        look.identify(each, here)
        if kind == TEXT:
            errors.text(each, "content", here, 4000, strip=True)
        elif kind == ROW:
            for place, inner in enumerate(errors.items(each, "components", here, 1)):
                _field(look, inner, (*here, "components", place), (TEXT_INPUT,), labelled=False)
        elif kind == LABEL:
            errors.text(each, "label", here, 45)
            errors.text(each, "description", here, 100, 0, required=False)
            if isinstance(each.get("component"), dict):
                _field(look, each["component"], (*here, "component"), FIELDS, labelled=True)
            else:
                errors.say((*here, "component"), "BASE_TYPE_REQUIRED", "This field is required")
    if not errors.tree:
        look.number()
    return [tidy(each) for each in kept]


def _field(look: Look, of: JSON, at: Path, among: tuple[int, ...], *, labelled: bool) -> None:
    errors, kind = look.errors, look.errors.kind(of, at, among)
    if kind is None:
        return
    look.identify(of, at)
    look.custom_id(of, at)
    if kind == TEXT_INPUT:
        errors.choice(of, "style", at, (1, 2))
        if labelled and of.get("label") is not None:
            errors.say((*at, "label"), "COMPONENT_LABEL_IN_LABEL", "A text input in a label must not have a label")
        elif not labelled:
            errors.text(of, "label", at, 45)
        least = errors.whole(of, "min_length", at, 0, 4000, default=0)
        most = errors.whole(of, "max_length", at, 1, 4000, default=4000)
        errors.text(of, "placeholder", at, 100, 0, required=False)
        errors.flag(of, "required", at, True)
        errors.text(of, "value", at, most or 4000, 0, required=False)
        if least is not None and most is not None and least > most:
            errors.say((*at, "min_length"), "BASE_TYPE_BAD_RANGE", "min_length must not be more than max_length")
    elif kind in SELECTS:
        select(errors, of, at, modal=True)
    elif kind == RADIO:
        if sum(bool(each.get("default")) for each in options(errors, of, at, 10, 2)) > 1:
            errors.say((*at, "options"), "RADIO_GROUP_TOO_MANY_DEFAULTS", "Only one option may be the default")
    elif kind == CHECKBOXES:
        options(errors, of, at, 10)
        errors.whole(of, "min_values", at, 0, 10)
        errors.whole(of, "max_values", at, 1, 10)
    elif kind == FILE_UPLOAD:
        errors.whole(of, "min_values", at, 0, 10)
        errors.whole(of, "max_values", at, 1, 10)


# --- filling in ---


def fields(modal: Modal) -> dict[str, tuple[str, JSON]]:
    """custom_id -> (label, component)."""
    found = {}
    for top in modal.components:
        for each in walk([top]):
            if "custom_id" in each:
                found[each["custom_id"]] = (str(top.get("label") or each.get("label") or ""), each)
    return found


def submission(modal: Modal, values: Mapping[str, Any]) -> list[JSON]:
    """What is sent when a person enters these values, by label or custom_id; others keep what they were given.

    Fails on what their client would not let them do.
    """
    there, entered = fields(modal), dict[str, Any]()
    for name, value in values.items():
        found = [key for key, (label, _) in there.items() if name in (key, label)]
        assert len(found) == 1, f"{len(found)} fields are called {name!r}; there are {sorted(there)}"
        entered[found[0]] = value

    def sent(of: JSON) -> JSON:
        body: JSON = {"type": of["type"], "id": of["id"]}
        if of["type"] == ROW:
            return body | {"components": [sent(each) for each in of["components"]]}
        if of["type"] == LABEL:
            return body | {"component": sent(of["component"])}
        if of["type"] == TEXT:
            return body
        key = of["custom_id"]
        return body | {"custom_id": key} | _entered(of, entered.get(key), given=key in entered)

    return [sent(each) for each in modal.components]


def _entered(of: JSON, value: Any, *, given: bool) -> JSON:
    kind, required = of["type"], of.get("required", True)
    if kind == TEXT_INPUT:
        text = value if given else of.get("value", "")
        assert isinstance(text, str), f"{of['custom_id']}: {text!r} is no text"
        assert text.strip() or not required, f"{of['custom_id']} is required"
        assert len(text) <= of.get("max_length", 4000), f"{of['custom_id']}: too long"
        assert not text or len(text) >= of.get("min_length", 0), f"{of['custom_id']}: too short"
        assert of["style"] == 2 or "\n" not in text, f"{of['custom_id']} is one line"
        return {"value": text}
    if kind == CHECKBOX:
        return {"value": bool(value if given else of.get("default", False))}
    default = [each["value"] for each in of.get("options", []) if each.get("default")]
    wanted = ([] if value is None else value if isinstance(value, list) else [value]) if given else default
    chosen = picked(of, [str(each) for each in wanted])
    assert chosen or not required, f"{of['custom_id']} is required"
    if kind == RADIO:
        assert len(chosen) <= 1, f"{of['custom_id']}: one only"
        return {"value": chosen[0] if chosen else None}
    most = of.get("max_values", len(of.get("options", [])) if kind == CHECKBOXES else 1)
    assert len(chosen) <= most, f"{of['custom_id']}: at most {most}"
    assert not chosen or len(chosen) >= of.get("min_values", 1 if kind != CHECKBOXES else 0), of["custom_id"]
    return {"values": chosen}


def picked(of: JSON, wanted: list[str]) -> list[str]:
    """The values of these options, each named by value or label. Selects without options take what is given."""
    if of["type"] not in (STRING_SELECT, RADIO, CHECKBOXES):
        return wanted
    values = []
    for name in wanted:
        exact = [each["value"] for each in of["options"] if name == each["value"]]
        found = exact or [each["value"] for each in of["options"] if name == each["label"]]
        assert len(found) == 1, f"{len(found)} options are {name!r} among {[each['label'] for each in of['options']]}"
        values.append(found[0])
    return values
