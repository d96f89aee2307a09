"""Cards and answers as JSON and back, letter for letter: what the outbox, deliveries and the sandbox channel keep."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import datetime
from enum import Enum
from typing import Any

from bot.cards import card as c
from bot.cards.chart import Chart, Curve, Limit, Mark

_BLOCKS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (c.Text, c.Verbatim, c.Code, c.Progress, c.Heading, c.ItemRow, c.Buttons, c.Facts, c.Picture)
}


def card_to_json(card: c.Card) -> dict[str, Any]:
    """A card as plain JSON values; every block carries its `block` name."""
    plain: dict[str, Any] = _plain(card)
    for block, written in zip(card.blocks, plain["blocks"], strict=True):
        written["block"] = type(block).__name__
    return plain


def card_from_json(data: dict[str, Any]) -> c.Card:
    """The card of `card_to_json`. Raises KeyError or TypeError for anything else."""
    blocks = tuple(_block(block) for block in data["blocks"])
    return c.Card(
        title=data["title"],
        text=data["text"],
        blocks=blocks,
        tone=c.Tone(data["tone"]),
        mentions=tuple(data["mentions"]),
    )


def answer_to_text(answer: c.Answer) -> str:
    """An answer as JSON text."""
    return json.dumps(
        {
            "card": card_to_json(answer.card) if answer.card else None,
            "form": _plain(answer.form) if answer.form else None,
            "refused": answer.refused,
        },
        ensure_ascii=False,
    )


def answer_from_text(text: str) -> c.Answer:
    """The answer of `answer_to_text`."""
    data = json.loads(text)
    card = card_from_json(data["card"]) if data["card"] else None
    form = form_from_json(data["form"]) if data["form"] else None
    return c.Answer(card=card, form=form, refused=data.get("refused", False))  # kept by an older release: not said


def form_from_json(data: dict[str, Any]) -> c.Form:
    """The form of its plain JSON values."""
    fields = tuple(
        c.Field(**{**field, "options": tuple(c.Option(**option) for option in field["options"])})
        for field in data["fields"]
    )
    return c.Form(**{**data, "fields": fields})


def digest(card: c.Card) -> str:
    """A short content hash: the same for cards that say the same."""
    return _hash(card_to_json(card))


def chart_digest(chart: Chart) -> str:
    """A short content hash: the same for charts that show the same. 32 hexadecimal digits."""
    return _hash(_plain(chart))


def _hash(value: dict[str, Any]) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {part.name: _plain(getattr(value, part.name)) for part in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    return value


def _block(data: dict[str, Any]) -> c.Block:
    kind = _BLOCKS[data["block"]]
    values = {key: value for key, value in data.items() if key != "block"}
    if kind is c.ItemRow:
        values["state"] = c.ItemState(values["state"])
        values["hints"] = tuple(values["hints"])
    if kind in (c.ItemRow, c.Buttons):
        values["buttons"] = tuple(c.Button(**button) for button in values["buttons"])
    if kind is c.Facts:
        values["facts"] = tuple(c.Fact(**fact) for fact in values["facts"])
    if kind is c.Picture:
        values["chart"] = _chart(values["chart"])
    block: c.Block = kind(**values)
    return block


def _chart(data: dict[str, Any]) -> Chart:
    return Chart(
        title=data["title"],
        zone=data["zone"],
        start=datetime.fromisoformat(data["start"]),
        end=datetime.fromisoformat(data["end"]),
        curves=tuple(
            Curve(
                name=curve["name"],
                unit=curve["unit"],
                points=tuple((datetime.fromisoformat(at), value) for at, value in curve["points"]),
                limits=tuple(Limit(**limit) for limit in curve["limits"]),
            )
            for curve in data["curves"]
        ),
        marks=tuple(Mark(datetime.fromisoformat(mark["at"]), mark["label"]) for mark in data["marks"]),
        small=data.get("small", False),  # kept by an older release: not said
    )
