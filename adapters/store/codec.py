"""Events and cards as text, and back again, exactly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from bot.cards.card import Card
from bot.cards.codec import card_from_json, card_to_json
from bot.domain.events import CalendarEvent, Event
from bot.ports import StoreError, UnknownRecord

_EVENTS: TypeAdapter[list[Event]] = TypeAdapter(list[Event])
_CALENDAR: TypeAdapter[list[CalendarEvent]] = TypeAdapter(list[CalendarEvent])
T = TypeVar("T")


def dump_event(event: Event | CalendarEvent) -> str:
    """One fact as JSON."""
    return _text(event.model_dump())


def load_events(bodies: Sequence[str]) -> list[Event]:
    """Facts of a deployment from their JSON. Raises UnknownRecord at one this release does not know."""
    return _load(_EVENTS, bodies)


def load_calendar(bodies: Sequence[str]) -> list[CalendarEvent]:
    """Freezes and incidents from their JSON. Raises UnknownRecord at one this release does not know."""
    return _load(_CALENDAR, bodies)


def dump_card(card: Card) -> str:
    """A card as JSON."""
    return _text(card_to_json(card))


def load_card(text: str) -> Card:
    """A card from its JSON. Raises UnknownRecord if it has a block this release does not know."""
    try:
        return card_from_json(json.loads(text))
    except (KeyError, TypeError, ValueError) as error:
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


def _unknown(what: str, error: Exception) -> UnknownRecord:
    detail = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
    return UnknownRecord(
        f"{what} in the database was written by another version of gonogo ({detail}). Install the newest one."
    )
