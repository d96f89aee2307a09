"""The components of a message, judged as Discord does, and stored as it stores them.

Pages: components/reference, resources/message. The 4,000 characters in all are discord.py's statement
(discord/ui/view.py), and the platform's COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord_checks import Errors, Path
from tests.fakes.discord_things import JSON

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
SELECTS = (3, 5, 6, 7, 8)
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER, LABEL = 9, 10, 11, 12, 13, 14, 17, 18
FILE_UPLOAD, RADIO, CHECKBOXES, CHECKBOX = 19, 21, 22, 23
TOP = (ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER)
INSIDE = (ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR)
MOST, MOST_TEXT = 40, 4000


def walk(components: list[JSON]) -> Iterator[JSON]:
    """All of them, in the order in which they stand, nested ones included."""
    for each in components:
        yield each
        yield from walk(each.get("components") or [])
        for name in ("accessory", "component"):
            if isinstance(each.get(name), dict):
                yield from walk([each[name]])


@dataclass
class Look:
    """One look at the components of one message."""

    errors: Errors
    files: Mapping[str, int]
    """Names of the message's attachments, and their ids."""
    count: int = 0
    text: int = 0
    ids: set[int] = field(default_factory=set)
    custom_ids: set[str] = field(default_factory=set)
    missing: list[JSON] = field(default_factory=list)

    # --- what all have ---

    def identify(self, of: JSON, at: Path) -> None:
        """`id`: 32 bits, once in a message; 0 counts as none."""
        self.count += 1
        value = self.errors.whole(of, "id", at, 0, 2**31 - 1, default=0)
        if not value:
            self.missing.append(of)
        elif value in self.ids:
            self.errors.say((*at, "id"), "COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated")
        self.ids.add(value or 0)

    def custom_id(self, of: JSON, at: Path) -> None:
        value = self.errors.text(of, "custom_id", at, 100)
        if value and value in self.custom_ids:
            at = (*at, "custom_id")
            self.errors.say(at, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
        self.custom_ids.add(value)

    def number(self) -> None:
        """Those without an id get the next free ones."""
        free = 0
        for each in self.missing:
            free = next(number for number in range(free + 1, 10_000) if number not in self.ids)
            each["id"] = free
            self.ids.add(free)

    # --- each kind ---

    def one(self, of: JSON, at: Path, among: tuple[int, ...]) -> None:
        kind = self.errors.kind(of, at, among)
        if kind is None:
            return
        self.identify(of, at)
        if kind == ROW:
            self.row(of, at)
        elif kind == BUTTON:
            self.button(of, at)
        elif kind in SELECTS:
            select(self.errors, of, at)
            self.custom_id(of, at)
        elif kind == SECTION:
            for index, each in enumerate(self.errors.items(of, "components", at, 3)):
                self.one(each, (*at, "components", index), (TEXT,))
            self.accessory(of, at)
        elif kind == TEXT:
            self.text += len(self.errors.text(of, "content", at, MOST_TEXT, strip=True))
        elif kind == THUMBNAIL:
            self.media(of, "media", at)
            self.errors.text(of, "description", at, 1024, 0, required=False)
        elif kind == GALLERY:
            for index, each in enumerate(self.errors.items(of, "items", at, 10)):
                here = (*at, "items", index)
                self.media(each, "media", here)
                self.errors.text(each, "description", here, 1024, 0, required=False)
        elif kind == FILE:
            self.media(of, "file", at, only_attached=True)
        elif kind == SEPARATOR:
            of["divider"] = self.errors.flag(of, "divider", at, True)
            of["spacing"] = self.errors.choice(of, "spacing", at, (1, 2), required=False) or 1
        elif kind == CONTAINER:
            self.errors.whole(of, "accent_color", at, 0, 0xFFFFFF)
            of["spoiler"] = self.errors.flag(of, "spoiler", at)
            for index, each in enumerate(self.errors.items(of, "components", at, MOST)):
                self.one(each, (*at, "components", index), INSIDE)

    def accessory(self, of: JSON, at: Path) -> None:
        if isinstance(of.get("accessory"), dict):
            self.one(of["accessory"], (*at, "accessory"), (BUTTON, THUMBNAIL))
        else:
            self.errors.say((*at, "accessory"), "BASE_TYPE_REQUIRED", "This field is required")

    def row(self, of: JSON, at: Path) -> None:
        """Up to five buttons, or one select."""
        children = self.errors.items(of, "components", at, 5)
        for index, each in enumerate(children):
            self.one(each, (*at, "components", index), (BUTTON, *SELECTS))
        width = sum(5 if each.get("type") in SELECTS else 1 for each in children)
        if width > 5 and len(children) <= 5:
            say = "The specified component exceeds the maximum width"
            self.errors.say((*at, "components"), "COMPONENT_LAYOUT_WIDTH_EXCEEDED", say)

    def button(self, of: JSON, at: Path) -> None:
        style = self.errors.choice(of, "style", at, (1, 2, 3, 4, 5, 6))
        self.errors.text(of, "label", at, 80, 0, required=False)
        self.errors.emoji(of, at)
        self.errors.flag(of, "disabled", at)
        if style == 6:
            return
        if not of.get("label") and not of.get("emoji"):
            self.errors.say(at, "BUTTON_COMPONENT_MISSING_LABEL", "A button must have a label or an emoji")
        if style == 5:
            url = self.errors.text(of, "url", at, 512)
            if url and not url.startswith(("http://", "https://", "discord://")):
                say = f"Scheme {url.partition(':')[0]!r} is not supported. Must be one of ('http', 'https', 'discord')."
                self.errors.say((*at, "url"), "URL_TYPE_INVALID_SCHEME", say)
            if of.get("custom_id") is not None:
                say = "A custom id and url cannot both be specified"
                self.errors.say((*at, "custom_id"), "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", say)
        elif style is not None:
            self.custom_id(of, at)
            if of.get("url") is not None:
                say = "A url cannot be specified for this style"
                self.errors.say((*at, "url"), "BUTTON_COMPONENT_URL_NOT_ALLOWED", say)

    def media(self, of: JSON, name: str, at: Path, *, only_attached: bool = False) -> None:
        """`attachment://name` must be one of the message's."""
        item = of.get(name)
        if not isinstance(item, dict):
            self.errors.say((*at, name), "BASE_TYPE_REQUIRED", "This field is required")
            return
        url = self.errors.text(item, "url", (*at, name), 2048)
        file = url.removeprefix("attachment://")
        if file != url and file in self.files:
            item["attachment_id"] = str(self.files[file])
        elif file != url:
            code = "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"
            self.errors.say((*at, name, "url"), code, "The referenced attachment was not found")
        elif url and (only_attached or not url.startswith(("http://", "https://"))) and not item.get("attachment_id"):
            self.errors.say((*at, name, "url"), "URL_TYPE_INVALID_SCHEME", "Not a valid media url")


def select(errors: Errors, of: JSON, at: Path, *, modal: bool = False) -> None:
    """A select menu, without its custom_id."""
    errors.text(of, "placeholder", at, 150, 0, required=False)
    least = errors.whole(of, "min_values", at, 0, 25, default=1)
    most = errors.whole(of, "max_values", at, 1, 25, default=1)
    required = errors.flag(of, "required", at, True)
    if modal and required and least == 0:
        errors.say((*at, "min_values"), "NUMBER_TYPE_MIN", "int value should be greater than or equal to 1.")
    if modal and of.get("disabled"):
        errors.say((*at, "disabled"), "COMPONENT_DISABLED_IN_MODAL", "A component in a modal cannot be disabled")
    if least is not None and most is not None and least > most:
        errors.say((*at, "min_values"), "BASE_TYPE_BAD_RANGE", "min_values must not be more than max_values")
    if of["type"] != STRING_SELECT:
        return
    found = options(errors, of, at, 25)
    if most is not None and found and most > len(found):
        errors.say((*at, "max_values"), "NUMBER_TYPE_MAX", f"int value should be less than or equal to {len(found)}.")
    if most is not None and sum(bool(each.get("default")) for each in found) > most:
        errors.say((*at, "options"), "SELECT_COMPONENT_TOO_MANY_DEFAULTS", "More defaults than max_values")


def options(errors: Errors, of: JSON, at: Path, most: int, least: int = 1) -> list[JSON]:
    """Of a select, a radio or a checkbox group: values once each."""
    found, seen = errors.items(of, "options", at, most, least), set[Any]()
    for index, each in enumerate(found):
        here = (*at, "options", index)
        errors.text(each, "label", here, 100)
        value = errors.text(each, "value", here, 100)
        errors.text(each, "description", here, 100, 0, required=False)
        errors.emoji(each, here)
        if value in seen:
            say = "The specified option value is already used"
            errors.say((*here, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", say)
        seen.add(value)
    return found


def judged(errors: Errors, components: Any, files: Mapping[str, int], *, v2: bool, at: Path = ()) -> list[JSON]:
    """What is stored of them: all ids there, nothing that was None."""
    body = {"components": copy.deepcopy(components)}
    kept = errors.items(body, "components", at, MOST if v2 else 5, 0, required=False)
    look = Look(errors, files)
    for index, each in enumerate(kept):
        look.one(each, (*at, "components", index), TOP if v2 else (ROW,))
    if look.count > MOST:
        say = f"The total number of components ({look.count}) exceeds the maximum of {MOST}"
        errors.say((*at, "components"), "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", say)
    if look.text > MOST_TEXT:
        say = f"The total displayable text ({look.text}) exceeds the maximum of {MOST_TEXT}"
        errors.say((*at, "components"), "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", say)
    if not errors.tree:
        look.number()
    return [tidy(each) for each in kept]


def tidy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: tidy(each) for name, each in value.items() if each is not None}
    return [tidy(each) for each in value] if isinstance(value, list) else value
