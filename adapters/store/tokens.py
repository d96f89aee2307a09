"""What is asked and changed of tokens."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, Row, Select, Update, func, insert, literal, select, update

from adapters.store.tables import tokens
from bot.access import ApiToken

_TOKEN = [tokens.c[field.name] for field in dataclasses.fields(ApiToken)]


def added(token: ApiToken) -> Insert:
    """A new one."""
    return insert(tokens).values({field.name: getattr(token, field.name) for field in dataclasses.fields(token)})


def by_digest(digest: str) -> Select[Any]:
    """The one of this digest."""
    return select(*_TOKEN).where(tokens.c.digest == digest)


def every() -> Select[Any]:
    """All, oldest first."""
    return select(*_TOKEN).order_by(tokens.c.created_at, tokens.c.id)


def revoked(id: str, at: datetime) -> Update:
    """The first time counts."""
    first = func.coalesce(tokens.c.revoked_at, literal(at, tokens.c.revoked_at.type))
    return update(tokens).where(tokens.c.id == id).values(revoked_at=first)


def used(id: str, at: datetime) -> Update:
    """When it was used last."""
    return update(tokens).where(tokens.c.id == id).values(last_used_at=at)


def token_of(found: Row[Any]) -> ApiToken:
    """A row as it is handed out."""
    return ApiToken(**found._mapping)
