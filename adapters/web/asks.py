"""What the page may send, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.web.service import Health

Key = Annotated[str, Field(min_length=8, max_length=100)]
"""Made by the page for each click; sent again, it names the same delivery."""
Long = Annotated[str, Field(max_length=20_000)]
Name = Annotated[str, Field(min_length=1, max_length=100)]

MOVES = {
    "5m": timedelta(minutes=5),
    "30m": timedelta(minutes=30),
    "2h": timedelta(hours=2),
    "24h": timedelta(hours=24),
}


class Ask(BaseModel):
    """Closed, and read strictly."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Spoken(Ask):
    """Something a person does in a channel."""

    key: Key
    persona: Name
    channel: Name


class Command(Spoken):
    """A line typed into the composer, its slash included."""

    text: Long


class Click(Spoken):
    """A button."""

    action: Annotated[str, Field(min_length=1, max_length=200)]


class Submit(Click):
    """A form."""

    values: Annotated[dict[Name, Long], Field(max_length=50)]


class Complete(Ask):
    """A half-typed command, without `/deploy`."""

    persona: Name
    text: Long


class Move(Ask):
    """Let time pass."""

    key: Key
    by: Literal["5m", "30m", "2h", "24h", "next"]


class Set(Ask):
    """How the simulated service is."""

    health: Health


def say_invalid(error: ValidationError) -> str:
    """One sentence about what was wrong with what was sent."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(step) for step in first["loc"])
    return f"This could not be read{f' ({where})' if where else ''}: {first['msg']}."
