"""How Block Kit judges a value: lengths, counts, kinds, and the properties an object may have.

The wording of the refusals is the platform's: `must be less than 76 characters [json-pointer:/blocks/0/text/text]`.
Lengths count code points. Pages: docs.slack.dev/reference/block-kit, composition objects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]


@dataclass
class Look:
    """One look at one payload: what was wrong, and what must not come twice."""

    surface: str = "message"
    action_scope: str = "message"
    """`message`: an action_id once in the whole payload; `block`: once in its block (all that the pages ask)."""
    found: list[str] = field(default_factory=list)
    seen: set[tuple[str, ...]] = field(default_factory=set)
    markdown: int = 0
    tables: int = 0
    focused: int = 0

    def say(self, what: str, at: str) -> None:
        self.found.append(f"[ERROR] {what} [json-pointer:{at or '/'}]")

    def once(self, kind: str, value: Any, at: str, scope: str = "") -> None:
        if isinstance(value, str):
            if (kind, scope, value) in self.seen:
                self.say(f"`{kind}` {value} already exists", at)
            self.seen.add((kind, scope, value))


Rule = Callable[[Look, Any, str], None]


@dataclass(frozen=True)
class Shape:
    """The properties an object of one type may have, those it must have, and what holds between them."""

    fields: Mapping[str, Rule]
    required: Sequence[str] = ()
    also: Callable[[Look, JSON, str], None] | None = None
    surfaces: Sequence[str] = ("message", "modal", "home")


def anything(look: Look, value: Any, at: str) -> None:
    """No rule is published."""


def flag(look: Look, value: Any, at: str) -> None:
    if not isinstance(value, bool):
        look.say("must be a boolean", at)


def string(most: int, least: int = 1) -> Rule:
    def rule(look: Look, value: Any, at: str) -> None:
        if not isinstance(value, str):
            look.say("must be a string", at)
        elif len(value) < least:
            look.say(f"must be more than {least - 1} characters", at)
        elif len(value) > most:
            look.say(f"must be less than {most + 1} characters", at)

    return rule


def whole(least: int, most: int) -> Rule:
    def rule(look: Look, value: Any, at: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            look.say("must be an integer", at)
        elif not least <= value <= most:
            look.say(f"must be between {least} and {most}", at)

    return rule


def among(*values: str) -> Rule:
    def rule(look: Look, value: Any, at: str) -> None:
        if value not in values:
            look.say(f"must be one of: {', '.join(values)}", at)

    return rule


def items(rule: Rule, most: int, least: int = 1) -> Rule:
    """An array; `no more than 10 items allowed` is the platform's own phrase."""

    def whole_array(look: Look, value: Any, at: str) -> None:
        if not isinstance(value, list):
            look.say("must be an array", at)
            return
        if len(value) < least:
            look.say(f"no fewer than {least} items allowed", at)
        if len(value) > most:
            look.say(f"no more than {most} items allowed", at)
        for index, each in enumerate(value):
            rule(look, each, f"{at}/{index}")

    return whole_array


def fits(look: Look, value: Any, at: str, shape: Shape) -> None:
    """Unknown properties are refused (`invalid additional property`), and so are nulls."""
    if not isinstance(value, dict):
        look.say("must be an object", at)
        return
    for name in value:
        if name != "type" and name not in shape.fields:
            look.say(f"invalid additional property: {name}", at)
        elif value[name] is None:
            look.say("must not be null", f"{at}/{name}")
    for name in shape.required:
        if name not in value:
            look.say(f"missing required field: {name}", at)
    for name, rule in shape.fields.items():
        if value.get(name) is not None:
            rule(look, value[name], f"{at}/{name}")
    if shape.also is not None:
        shape.also(look, value, at)


def object_of(shape: Shape) -> Rule:
    def rule(look: Look, value: Any, at: str) -> None:
        fits(look, value, at, shape)

    return rule


def kind(shapes: Mapping[str, Shape]) -> Rule:
    """An object whose `type` says which shape it has; an unknown type is refused."""

    def rule(look: Look, value: Any, at: str) -> None:
        if not isinstance(value, dict):
            look.say("must be an object", at)
        elif str(value.get("type")) not in shapes:
            look.say(f"unsupported type: {value.get('type')}", f"{at}/type")
        else:
            shape = shapes[value["type"]]
            if look.surface not in shape.surfaces:
                look.say(f"unsupported type in a {look.surface}: {value['type']}", f"{at}/type")
            fits(look, value, at, shape)

    return rule


def text(most: int, *, plain: bool = False, mrkdwn: bool = False) -> Rule:
    """A text object (composition-objects/text-object): never empty; plain_text may say `emoji`, mrkdwn `verbatim`."""
    shapes = {
        "plain_text": Shape({"text": string(most), "emoji": flag}, ("text",)),
        "mrkdwn": Shape({"text": string(most), "verbatim": flag}, ("text",)),
    }
    if plain:
        del shapes["mrkdwn"]
    if mrkdwn:
        del shapes["plain_text"]
    return kind(shapes)


def exactly_one(*names: str) -> Callable[[Look, JSON, str], None]:
    def also(look: Look, value: JSON, at: str) -> None:
        if sum(name in value for name in names) != 1:
            look.say(f"must have exactly one of: {', '.join(names)}", at)

    return also
