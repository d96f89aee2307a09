"""The kinds of values a policy is written in: durations, moments, thresholds, lists of words. Each is also described
to editors."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, PlainSerializer, WithJsonSchema

from checklists.quantities import Band, Moment, parse_band, parse_duration, parse_moment


class Announcement(StrEnum):
    """What is said in the channel, once. The names are the template keys of a policy."""

    STARTING = "starting"
    """Said before T0 ("Deployment starting in 30 minutes")."""
    STARTED = "started"
    SUCCEEDED = "succeeded"
    STABLE = "stable"
    ISSUE = "issue"
    """Issue detected, investigating."""
    ROLLBACK_STARTED = "rollback_started"
    ROLLED_BACK = "rolled_back"
    CANCELLED = "cancelled"


_ANNOUNCED = ("succeeded", "stable")
"""What a check can lead to. Everything else that is announced follows from what people do."""


def parse_then(value: object) -> tuple[str, ...]:
    """`announce succeeded`, or a list of such, as the names; raises ValueError with what there is."""
    entries = [value] if isinstance(value, str) else value
    known = " or ".join(f"`announce {name}`" for name in _ANNOUNCED)
    if not isinstance(entries, (list, tuple)):
        raise ValueError(f"write {known}, or a list of these")
    names = []
    for entry in entries:
        verb, _, name = str(entry).partition(" ")
        if verb != "announce" or name not in _ANNOUNCED:
            raise ValueError(f"{entry!r} is nothing a check leads to; write {known}")
        names.append(name)
    return tuple(names)


def listed(value: object) -> object:
    """One text as a list of one; anything else as it is."""
    return (value,) if isinstance(value, str) else value


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["30m", "2h", "1h 30m", "7d"]}),
]
"""`45m`, `2h`, `24h`, `7d`, `1 week`."""
At = Annotated[
    Moment,
    BeforeValidator(parse_moment),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": "^T", "examples": ["T-48h", "T+0", "T+30m"]}),
]
"""`T-48h`, `T+0`, `T+30m`: an instant relative to T0 (production deployment done, or traffic switched)."""
Measured = Annotated[
    Band,
    BeforeValidator(parse_band),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["< 0.1%", "> 500ms", "2-5%"]}),
]
"""`< 0.1%`, `500ms-1s`, `> 2 x`: what a measurement is held against; a number without a unit is an error."""
Words = Annotated[
    tuple[str, ...],
    BeforeValidator(listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One text, or a list of texts."""
_THEN: list[JsonValue] = [f"announce {name}" for name in _ANNOUNCED]
THEN_SCHEMA = WithJsonSchema({"anyOf": [{"enum": _THEN}, {"type": "array", "items": {"enum": _THEN}}]})
"""`parse_then`, for editors."""

CLOSED = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
"""Of every model of a policy: frozen, and closed against unknown keys."""
Then = Annotated[tuple[Announcement, ...], BeforeValidator(parse_then), THEN_SCHEMA]
"""`announce succeeded`, or a list of such."""


class Model(BaseModel):
    """Frozen, and closed against unknown keys."""

    model_config = CLOSED
