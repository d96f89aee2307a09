"""`gonogo token`: tokens are made, listed and revoked where the database is, never over HTTP or in a chat."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from adapters.store.engine import address, file_of
from adapters.store.migrate import migrate
from adapters.store.store import SqlStore
from bot.access import ApiToken
from bot.domain.errors import Unwell
from bot.front import SystemClock
from bot.services.checklists import UNREADABLE, Checklists, service_of
from bot.services.tokens import Tokens
from bot.settings import EMBEDDED, Settings
from checklists.names import did_you_mean

LONGEST_NAME = 60
"""Characters: it is read on cards."""


async def add(settings: Settings, service: str | None, name: str) -> tuple[ApiToken, str]:
    """A new token for a service that has a checklist here, or (None) one that reads `/metrics` alone; and its text. A
    SQLite file that is not there yet is made. Raises Unwell and StoreError."""
    called = " ".join(name.split())
    if not called or len(called) > LONGEST_NAME or not called.isprintable():
        raise Unwell(f"--name: write 1 to {LONGEST_NAME} characters, like ci.")
    where = await _service(settings, service) if service is not None else ""
    file = file_of(address(settings.database_url))
    if file is not None and not file.exists():  # the token may be the first thing there is
        if settings.database_url == EMBEDDED:
            file.parent.mkdir(exist_ok=True)
        await migrate(settings.database_url)
    async with _tokens(settings) as tokens:
        return await tokens.add(where, called, new_id=_new_id, new_secret=_new_secret)


async def every(settings: Settings) -> list[str]:
    """A line for each token there is or was, oldest first. Raises StoreError."""
    async with _tokens(settings) as tokens:
        found = await tokens.all()
    return [_line(token) for token in found]


async def revoke(settings: Settings, id: str) -> bool:
    """It works no longer; False if there is none. Raises StoreError."""
    async with _tokens(settings) as tokens:
        return await tokens.revoke(id)


@asynccontextmanager
async def _tokens(settings: Settings) -> AsyncIterator[Tokens]:
    store = await SqlStore.open(settings.database_url)
    try:
        yield Tokens(store, SystemClock())
    finally:
        await store.close()


async def _service(settings: Settings, said: str) -> str:
    """The service as its policy writes it, by that name or its checklist's."""
    folder = settings.checklist_file.parent if settings.checklist_file else settings.checklists
    checklists = Checklists((folder,), settings.checklist, file=settings.checklist_file)
    known: dict[str, str] = {}
    for name in await checklists.names():
        with suppress(*UNREADABLE):
            service = service_of(await checklists.load(name))
            known |= {name.casefold(): service, service.casefold(): service}
    if (found := known.get(said.strip().casefold())) is None:
        services = sorted(set(known.values()))
        there = f"There are: {', '.join(services)}." if services else f"{folder} has no checklist that can be read."
        raise Unwell(f"There is no service {said!r}{did_you_mean(said, services) or '.'} {there}")
    return found


def _line(token: ApiToken) -> str:
    used = f"last used {_day(token.last_used_at)}" if token.last_used_at is not None else "never used"
    state = f"revoked {_day(token.revoked_at)}" if token.revoked_at is not None else used
    what = "/metrics" if token.for_metrics else token.service
    return f"{token.id}  {what}  {token.name}  made {_day(token.created_at)}, {state}"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _new_id() -> str:
    return secrets.token_hex(4)


def _new_secret() -> str:
    """256 bits."""
    return secrets.token_urlsafe(32)
