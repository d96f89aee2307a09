"""What is wrong with a policy, in the words of who wrote it: pydantic's findings as plain sentences. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from checklists.names import did_you_mean
from checklists.policy import Policy

_KINDS = {
    "string_type": "text; put it in quotes",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a mapping of `name: value` lines",
    "mapping_type": "a mapping of `name: value` lines",
    "model_type": "a mapping of `name: value` lines",
    "model_attributes_type": "a mapping of `name: value` lines",
    "tuple_type": "a list; write `[one, two]`, or lines that begin with `- `",
    "list_type": "a list; write `[one, two]`, or lines that begin with `- `",
}


def sentence(detail: ErrorDetails, tree: Any) -> tuple[str, str, tuple[str | int, ...], bool]:
    """A finding -> (code, message, path in the YAML, whether it is the key that is wrong)."""
    path = _path(detail["loc"])
    where, kind = say_path(path), detail["type"]
    if detail["loc"] and detail["loc"][-1] == "[key]":
        known = detail.get("ctx", {}).get("expected", "")
        options = [word.strip(" '") for word in str(known).replace(" or ", ", ").split(",") if word.strip()]
        hint = did_you_mean(str(path[-1]), options) or f"; use one of {', '.join(options)}"
        return "policy-key", f"{path[-1]!r} is not a name that {say_path(path[:-1])} knows{hint}", path, True
    if kind == "extra_forbidden":
        parent, key = path[:-1], str(path[-1])
        hint = did_you_mean(key, keys_at(parent)) or f"; the keys here are {', '.join(keys_at(parent))}"
        return "policy-key", f"unknown key {key!r}{' in ' + say_path(parent) if parent else ''}{hint}", path, True
    if kind == "missing":
        return "policy-missing", f"{say_path(path[:-1]) or 'the policy'} lacks {path[-1]!r}", path[:-1], False
    if kind == "value_error":
        return "policy-value", f"{where}: {detail['ctx']['error']!s}", path, False
    if kind in ("enum", "literal_error"):
        expected = str(detail["ctx"]["expected"])
        options = [word.strip(" '") for word in expected.replace(" or ", ", ").split(",")]
        hint = did_you_mean(str(detail["input"]), options)
        message = f"{where}: {detail['input']!r} is not one of {', '.join(options)}{hint}"
        return "policy-value", message, path, False
    if kind in _KINDS:
        return "policy-type", f"{where} is {_shown(detail['input'])}, and should be {_KINDS[kind]}", path, False
    return "policy-value", f"{where}: {detail['msg'].removeprefix('Input ')}", path, False


def say_path(path: Sequence[str | int]) -> str:
    """`watch[0].at`; a key with spaces stands in quotes."""
    words = ""
    for step in path:
        if isinstance(step, int):
            words += f"[{step}]"
        elif step.replace("_", "").replace("-", "").isalnum():
            words += f".{step}" if words else step
        else:
            words += f"[{step!r}]"
    return words


def keys_at(path: Sequence[str | int]) -> list[str]:
    """The keys a policy may have at this place; empty where they are free."""
    annotation: Any = Policy
    for step in path:
        model = _model_in(annotation)
        if model is not None and isinstance(step, str):
            fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
            annotation = fields.get(step)
        else:
            annotation = (getattr(annotation, "__args__", None) or (None,))[0 if isinstance(step, int) else -1]
    model = _model_in(annotation)
    return [field.alias or name for name, field in model.model_fields.items()] if model is not None else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if getattr(annotation, "__origin__", None) in (dict, tuple, Mapping):
        return None
    for argument in getattr(annotation, "__args__", ()):
        if (model := _model_in(argument)) is not None:
            return model
    return None


def _path(loc: Sequence[str | int]) -> tuple[str | int, ...]:
    return tuple(step for step in loc if step != "[key]")


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:37] + "…"
