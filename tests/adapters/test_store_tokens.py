"""What the store keeps of tokens, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.store.store import SqlStore
from bot.access import ApiToken
from bot.ports import Conflict, StoreError
from tests.adapters.store_kit import NOON, migrated_database, migrated_file, other, sqlite_url, store, url

__all__ = ["migrated_database", "migrated_file", "other", "sqlite_url", "store", "url"]

ONE = ApiToken("t1", "azora", "ci", "a" * 64, NOON)
TWO = ApiToken("t2", "petforce", "Ünï 🚀", "b" * 64, NOON - timedelta(days=1))


async def keep(store: SqlStore, *tokens: ApiToken) -> None:
    async with store.write() as unit:
        for token in tokens:
            await unit.add_token(token)


async def found(store: SqlStore) -> list[ApiToken]:
    async with store.read() as unit:
        return await unit.tokens()


async def test_a_token_is_found_by_its_digest_alone(store: SqlStore, other: SqlStore) -> None:
    await keep(store, ONE, TWO)
    async with other.read() as unit:
        assert await unit.token(ONE.digest) == ONE
        assert await unit.token(TWO.digest) == TWO
        assert await unit.token("c" * 64) is None
        assert await unit.token(ONE.digest.upper()) is None
        assert await unit.token("a" * 63 + "%") is None


async def test_all_are_listed_oldest_first(store: SqlStore) -> None:
    await keep(store, ONE, TWO)
    assert await found(store) == [TWO, ONE]


@pytest.mark.parametrize("again", [replace(ONE, id="t9"), replace(ONE, digest="d" * 64)], ids=["digest", "id"])
async def test_an_id_and_a_digest_are_there_once(store: SqlStore, again: ApiToken) -> None:
    await keep(store, ONE)
    with pytest.raises(Conflict):
        await keep(store, again)
    assert await found(store) == [ONE]


async def test_revoking_keeps_the_first_time_and_touches_no_other(store: SqlStore) -> None:
    await keep(store, ONE, TWO)
    later = NOON + timedelta(hours=1)
    async with store.write() as unit:
        assert await unit.revoke_token("t1", NOON)
        assert await unit.revoke_token("t1", later)
        assert not await unit.revoke_token("t9", NOON)
    assert await found(store) == [TWO, replace(ONE, revoked_at=NOON)]


async def test_its_use_is_noted(store: SqlStore) -> None:
    await keep(store, ONE, TWO)
    async with store.write() as unit:
        await unit.use_token("t2", NOON)
        await unit.use_token("t9", NOON)
    assert await found(store) == [replace(TWO, last_used_at=NOON), ONE]


async def test_a_reading_unit_makes_none(store: SqlStore) -> None:
    async with store.read() as unit:
        with pytest.raises(StoreError):
            await unit.add_token(ONE)
    assert await found(store) == []
