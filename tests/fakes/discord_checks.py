"""How Discord judges a value, and the tree of errors it answers with (reference: error messages).

Lengths count code points. `None` is the same as a field that is not there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from tests.fakes.discord_things import JSON, Refused

Path = tuple[str | int, ...]


class Errors:
    """What was wrong, by path."""

    def __init__(self) -> None:
        self.tree: JSON = {}

    def say(self, at: Path, code: str, message: str) -> None:
        node = self.tree
        for step in at:
            node = node.setdefault(str(step), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def refuse(self) -> None:
        """Raises 50035 if anything was wrong."""
        if self.tree:
            raise Refused(400, 50035, "Invalid Form Body", self.tree)

    # --- one field ---

    def text(
        self, of: JSON, name: str, at: Path, most: int, least: int = 1, *, required: bool = True, strip: bool = False
    ) -> str:
        value = of.get(name)
        if value is None:
            if required:
                self.say((*at, name), "BASE_TYPE_REQUIRED", "This field is required")
            return ""
        if not isinstance(value, str):
            self.say((*at, name), "STRING_TYPE_COERCE", "Could not interpret value as string.")
            return ""
        length = len(value.strip()) if strip else len(value)
        if least and not least <= length <= most:
            self.say((*at, name), "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
        elif length > most:
            self.say((*at, name), "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
        return value

    def whole(
        self,
        of: JSON,
        name: str,
        at: Path,
        least: int,
        most: int,
        *,
        required: bool = False,
        default: int | None = None,
    ) -> int | None:
        value = of.get(name)
        if value is None:
            if required:
                self.say((*at, name), "BASE_TYPE_REQUIRED", "This field is required")
            return default
        if not isinstance(value, int) or isinstance(value, bool):
            self.say((*at, name), "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif value < least:
            self.say((*at, name), "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {least}.")
        elif value > most:
            self.say((*at, name), "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")
        else:
            return value
        return default

    def flag(self, of: JSON, name: str, at: Path, default: bool = False) -> bool:
        value = of.get(name)
        if value is not None and not isinstance(value, bool):
            self.say((*at, name), "BOOLEAN_TYPE_COERCE", "Could not interpret value as boolean.")
        return bool(default if value is None else value)

    def choice(self, of: JSON, name: str, at: Path, among: Collection[Any], *, required: bool = True) -> Any:
        value = of.get(name)
        if value is None and not required:
            return None
        if value is None:
            self.say((*at, name), "BASE_TYPE_REQUIRED", "This field is required")
        elif isinstance(value, bool) or value not in among:
            self.say((*at, name), "BASE_TYPE_CHOICES", f"Value must be one of {_set(among)}.")
        else:
            return value
        return None

    def items(self, of: JSON, name: str, at: Path, most: int, least: int = 1, *, required: bool = True) -> list[JSON]:
        """A list of objects; what is none is reported and left out of the answer."""
        value = of.get(name)
        if value is None:
            if required:
                self.say((*at, name), "BASE_TYPE_REQUIRED", "This field is required")
            return []
        if not isinstance(value, list):
            self.say((*at, name), "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return []
        if not least <= len(value) <= most:
            self.say((*at, name), "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
        for index, each in enumerate(value):
            if not isinstance(each, dict):
                self.say((*at, name, index), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        return [each for each in value if isinstance(each, dict)]

    def kind(self, of: JSON, at: Path, among: Collection[int]) -> int | None:
        """The `type` of a component."""
        if of.get("type") in among and not isinstance(of["type"], bool):
            return int(of["type"])
        self.say((*at, "type"), "UNION_TYPE_CHOICES", f'Value of field "type" must be one of {_set(among)}.')
        return None

    def emoji(self, of: JSON, at: Path) -> None:
        value = of.get("emoji")
        if value is not None and not (isinstance(value, dict) and (value.get("name") or value.get("id"))):
            self.say((*at, "emoji"), "COMPONENT_INVALID_EMOJI", "Invalid emoji")


def _set(among: Iterable[Any]) -> str:
    return "(" + ", ".join(str(each) for each in among) + ")"
