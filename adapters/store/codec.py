"""Events and cards as text, and back again, exactly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from bot.cards.card import Block, Card
from bot.domain.events import CalendarEvent, Event
from bot.ports import StoreError

_EVENTS: TypeAdapter[list[Event]] = TypeAdapter(list[Event])
_CALENDAR: TypeAdapter[list[CalendarEvent]] = TypeAdapter(list[CalendarEvent])
_BLOCKS: dict[str, TypeAdapter[Block]] = {block.__name__: TypeAdapter(block) for block in get_args(Block)}
T = TypeVar("T")
_CARD: TypeAdapter[Card] = TypeAdapter(Card)


def dump_event(event: Event | CalendarEvent) -> str:
    """One fact as JSON."""
    return _text(event.model_dump())


def load_events(bodies: Sequence[str]) -> list[Event]:
    """Facts of a deployment from their JSON. Raises StoreError at one this release does not know."""
    return _load(_EVENTS, bodies)


def load_calendar(bodies: Sequence[str]) -> list[CalendarEvent]:
    """Freezes and incidents from their JSON. Raises StoreError at one this release does not know."""
    return _load(_CALENDAR, bodies)


def dump_card(card: Card) -> str:
    """A card as JSON; every block says which kind it is, since some have the same fields."""
    plain = asdict(card)
    for block, fields in zip(card.blocks, plain["blocks"], strict=True):
        fields["block"] = type(block).__name__
    return _text(plain)


def load_card(text: str) -> Card:
    """A card from its JSON. Raises StoreError if it has a block this release does not know."""
    try:
        plain = json.loads(text)
        plain["blocks"] = tuple(_BLOCKS[fields.pop("block")].validate_python(fields) for fields in plain["blocks"])
        return _CARD.validate_python(plain)
    except (KeyError, ValueError) as error:
        raise _unknown("A message", error) from error


def _text(value: Any) -> str:
    try:
        # Plain JSON has no infinity, and pydantic would write null; but null is not what was measured.
        return to_json(value, inf_nan_mode="constants").decode()
    except PydanticSerializationError as error:
        raise StoreError(f"This cannot be kept, it holds characters that are none: {error}") from error


def _load(adapter: TypeAdapter[list[T]], bodies: Sequence[str]) -> list[T]:
    try:
        return adapter.validate_json(f"[{','.join(bodies)}]")
    except ValidationError as error:
        raise _unknown("A record", error) from error


def _unknown(what: str, error: Exception) -> StoreError:
    detail = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
    return StoreError(
        f"{what} in the database was written by another version of gonogo ({detail}). Install the newest one."
    )
