"""Tokens of programs: known by their digest, for one service, until they are revoked."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.store.store import SqlStore
from bot.access import ApiToken
from bot.services.tokens import Tokens
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.core_kit import ManualClock

__all__ = ["migrated_file", "sqlite_url"]


class Desk:
    """Tokens over a store, with a clock to move."""

    def __init__(self, store: SqlStore) -> None:
        self.clock = ManualClock()
        self.tokens = Tokens(store, self.clock)
        self._ids = itertools.count(1)

    async def add(self, service: str = "azora", name: str = "ci") -> tuple[ApiToken, str]:
        number = next(self._ids)
        return await self.tokens.add(
            service, name, new_id=lambda: f"t{number}", new_secret=lambda: f"secret-number-{number}"
        )


@pytest.fixture
async def desk(sqlite_url: str) -> AsyncIterator[Desk]:
    store = await SqlStore.open(sqlite_url)
    yield Desk(store)
    await store.close()


async def test_a_token_is_known_by_its_text(desk: Desk) -> None:
    token, text = await desk.add()
    assert text == "gng_secret-number-1"
    assert await desk.tokens.known(text) == token


@pytest.mark.parametrize(
    "text",
    ["", "gng_", "secret-number-1", "gng_secret-number-2", "GNG_secret-number-1", "gng_secret-number-1 ", "\ud800"],
)
async def test_nothing_else_is(desk: Desk, text: str) -> None:
    await desk.add()
    assert await desk.tokens.known(text) is None


async def test_what_is_too_long_to_be_one_is_not_looked_up(desk: Desk) -> None:
    assert await desk.tokens.known("gng_" + "x" * 1_000_000) is None


async def test_only_the_digest_is_kept_and_not_even_that_is_written_anywhere(desk: Desk, sqlite_url: str) -> None:
    token, text = await desk.add()
    assert token.digest == hashlib.sha256(text.encode()).hexdigest()
    assert token.digest not in repr(token)
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    kept = b"".join(each.read_bytes() for each in file.parent.glob("gonogo.db*"))
    assert token.digest.encode() in kept
    assert text.encode() not in kept


async def test_a_revoked_one_is_nobody_at_once_and_stays_so(desk: Desk) -> None:
    token, text = await desk.add()
    other, other_text = await desk.add(name="other")
    assert await desk.tokens.revoke(token.id)
    assert await desk.tokens.known(text) is None
    assert await desk.tokens.known(other_text) == other
    first = desk.clock.at
    desk.clock.later(hours=1)
    assert await desk.tokens.revoke(token.id)
    assert [each.revoked_at for each in await desk.tokens.all()] == [first, None]


async def test_revoking_what_is_not_there_says_so(desk: Desk) -> None:
    assert not await desk.tokens.revoke("t9")


async def test_its_last_use_is_noted_by_the_hour(desk: Desk) -> None:
    _, text = await desk.add()

    async def used_after(**span: float) -> object:
        desk.clock.later(**span)
        await desk.tokens.known(text)
        return (await desk.tokens.all())[0].last_used_at

    first = await used_after(minutes=1)
    assert first == desk.clock.at
    assert await used_after(minutes=59) == first
    assert await used_after(minutes=1) == desk.clock.at
