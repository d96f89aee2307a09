"""Events and cards as text, and back again, exactly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from bot.cards.card import Card
from bot.cards.codec import card_from_json, card_to_json
from bot.domain.events import CalendarEvent, Event, Unread
from bot.domain.people import GONOGO
from bot.ports import StoreError, UnknownRecord

_EVENTS: TypeAdapter[list[Event]] = TypeAdapter(list[Event])
_CALENDAR: TypeAdapter[list[CalendarEvent]] = TypeAdapter(list[CalendarEvent])
T = TypeVar("T")


def dump_event(event: Event | CalendarEvent) -> str:
    """One fact as JSON, without what is as it is by default: a release that knows more fields than another one writes
    what both can read, as long as it says nothing new."""
    return _text({"kind": event.kind} | event.model_dump(exclude_defaults=True))


def load_events(bodies: Sequence[str]) -> list[Event]:
    """Facts of a deployment from their JSON. Raises UnknownRecord at one this release does not know."""
    return _load(_EVENTS, bodies)


def load_calendar(bodies: Sequence[str]) -> list[CalendarEvent]:
    """Freezes, incidents and locks from their JSON. One that this release does not know becomes `Unread`: mostly it is
    about one service, and the others go on."""
    try:
        return _load(_CALENDAR, bodies)
    except UnknownRecord:
        return _read_singly(bodies)


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


def _read_singly(bodies: Sequence[str]) -> list[CalendarEvent]:
    found: list[CalendarEvent] = []
    services: dict[str, str | None] = {}
    for body in bodies:
        try:
            [fact] = _load(_CALENDAR, [body])
            if (id := getattr(fact, "id", None)) is not None and hasattr(fact, "service"):
                services[id] = fact.service
        except UnknownRecord:
            fact = _unread(body, services)
        found.append(fact)
    return found


def _unread(body: str, services: dict[str, str | None]) -> Unread:
    """As much of it as can be told: the service it names, else that of the fact whose id it repeats."""
    try:
        data = json.loads(body)
    except ValueError:
        data = None
    data = data if isinstance(data, dict) else {}
    service = data["service"] if "service" in data else services.get(str(data.get("id")))
    return Unread(
        at=datetime.fromtimestamp(0, UTC),
        by=GONOGO,
        what=str(data.get("kind", "unreadable")),
        service=service if isinstance(service, str) else None,
    )


def _unknown(what: str, error: Exception) -> UnknownRecord:
    detail = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
    return UnknownRecord(
        f"{what} in the database was written by another version of gonogo ({detail}). Install the newest one."
    )
