"""What somebody else has written, as alerts keep it: plain, on one line, cut."""

from __future__ import annotations

import hashlib
from datetime import MAXYEAR, UTC, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from bot.cards.runs import clean

NAME, SUMMARY, SEVERITY, LINK, FINGERPRINT = 200, 1_000, 40, 1_500, 100
"""Characters that are kept of each."""


class Told(BaseModel):
    """A part of a vendor's body: what is not named here is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def _line(value: object) -> object:
    return " ".join(clean(value).split()) if isinstance(value, str) else "" if value is None else value


Line = Annotated[str, BeforeValidator(_line)]
"""Text on one line, without control characters; null is none."""


def cut(text: str, limit: int) -> str:
    """The text, shortened visibly where it is longer."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def link_of(*addresses: str) -> str:
    """The first of these that is short enough to be kept whole."""
    return next((address for address in addresses if address and len(address) <= LINK), "")


def key_of(text: str) -> str:
    """A fingerprint of any length as one of a length we keep."""
    return text if len(text) <= FINGERPRINT else hashlib.sha256(text.encode()).hexdigest()


def instant(at: datetime | None) -> datetime | None:
    """In UTC; a time without a zone is meant so. None where it is none, or as good as none (Go's year 1, and the last
    one there is)."""
    if at is None or not 1970 <= at.year < MAXYEAR:
        return None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)
