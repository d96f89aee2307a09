"""What a policy says of Datadog's monitors: `monitor 4201`, or `monitors service:api,env:production`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r"(monitors?)(?:\s+(.*))?", re.DOTALL)
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_TAG = re.compile(r"[^\s,{}]+")


@dataclass(frozen=True, slots=True)
class Monitors:
    """Which monitors are meant: one by its number, or all that carry each of the tags."""

    number: int | None = None
    tags: tuple[str, ...] = ()


def parse_monitors(words: str) -> Monitors | None:
    """The monitors that a `datadog` probe names; None for a metrics query, which begins with neither word. Raises
    ValueError, with what to write, for a number or tags that cannot be."""
    found = _WORD.fullmatch(words.strip())
    if found is None:
        return None
    word, rest = found[1], (found[2] or "").strip()
    if word == "monitor":
        if not _NUMBER.fullmatch(rest):
            raise ValueError(f"{rest[:60]!r} is no monitor's number; its address ends with it: `monitor 4201`")
        return Monitors(number=int(rest))
    tags = [tag.strip() for tag in rest.split(",")]
    if not all(_TAG.fullmatch(tag) for tag in tags):
        raise ValueError(f"{rest[:60]!r} are no tags of monitors; write `monitors service:api,env:production`")
    return Monitors(tags=tuple(tags))
