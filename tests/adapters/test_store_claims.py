"""A claim that was kept, though the answer was lost, holds nothing up."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import update

from adapters.store import claims
from adapters.store.statements import real_now
from adapters.store.store import SqlStore
from adapters.store.tables import deadlines
from bot.ports import StoreError
from tests.adapters.store_kit import (
    LEASE,
    NOON,
    a_message,
    due,
    migrated_database,
    migrated_file,
    other,
    sqlite_url,
    start,
    store,
    url,
)

__all__ = ["migrated_database", "migrated_file", "other", "sqlite_url", "store", "url"]


@contextlib.contextmanager
def away(store: SqlStore, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """It cannot be reached."""

    @contextlib.asynccontextmanager
    async def unreachable() -> AsyncIterator[Any]:
        raise StoreError("cannot be reached")
        yield

    with patch.context() as here:
        here.setattr(store._database, "write", unreachable)
        yield


Claim = Callable[[SqlStore], Awaitable[list[Any]]]
CLAIMS: dict[str, Claim] = {
    "due work": lambda store: store.claim_due(NOON, "me", LEASE),
    "cards": lambda store: store.claim_mirrors("web", "me", LEASE),
    "messages": lambda store: store.claim_outbox("web", "me", LEASE),
}


GIVEN_BACK: dict[str, tuple[str, Callable[[SqlStore, Any], Awaitable[None]]]] = {
    "due work": ("due work", lambda store, held: store.release_due(held)),
    "cards for later": ("cards", lambda store, held: store.mirror_later(held, 60)),
    "cards that are shown": ("cards", lambda store, held: store.mirror_done(held)),
    "a message for later": ("messages", lambda store, held: store.say_later(held, 60, "no answer")),
    "a message that was said": ("messages", lambda store, held: store.said(held, "1", "#deployments", NOON)),
}


@pytest.fixture
async def everything(store: SqlStore) -> None:
    await start(store)
    async with store.write() as unit:
        await unit.plan_deadlines("one", [due("check:a")])
        await unit.say([a_message("started", deployment="one")])


@contextlib.contextmanager
def lost_answers(store: SqlStore, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything is kept, and nobody hears of it."""
    write = store._database.write

    @contextlib.asynccontextmanager
    async def unheard() -> AsyncIterator[Any]:
        async with write() as connection:
            yield connection
        raise StoreError("the connection was lost")

    with patch.context() as here:
        here.setattr(store._database, "write", unheard)
        yield


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("what", CLAIMS)
async def test_a_claim_whose_answer_was_lost_is_given_back_before_the_next_one(
    store: SqlStore, other: SqlStore, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = CLAIMS[what]
    for _ in range(2):
        with lost_answers(store, monkeypatch), pytest.raises(StoreError):
            await claim(store)
        assert await claim(other) == [], "it was kept"
    assert len(await claim(store)) == 1
    assert await claim(store) == [], "what is held is held"


@pytest.mark.usefixtures("everything")
async def test_what_a_server_commits_late_is_given_back_too(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim after the one whose answer was lost may come before the server is done with that."""
    with lost_answers(store, monkeypatch), pytest.raises(StoreError):
        await store.claim_due(NOON, "me", LEASE)
    [token] = store._database.doubtful["deadlines"]
    [held] = await store.claim_due(NOON, "me", LEASE)
    await store.release_due(held)
    async with store._database.write() as connection:
        await connection.execute(update(deadlines).values(held_by=token, held_until=real_now() + LEASE))
    assert len(await store.claim_due(NOON, "me", LEASE)) == 1
    monkeypatch.setattr(claims, "SURE", 0.0)
    assert await store.claim_due(NOON, "me", LEASE) == []
    assert store._database.doubtful["deadlines"] == {}


@pytest.mark.usefixtures("everything")
async def test_however_often_claims_fail_only_so_many_are_remembered(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "MOST", 3)
    with lost_answers(store, monkeypatch):
        for _ in range(5):
            with pytest.raises(StoreError):
                await store.claim_due(NOON, "me", LEASE)
    assert len(store._database.doubtful["deadlines"]) == 3


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("what", GIVEN_BACK)
async def test_what_could_not_be_given_back_is_so_before_the_next_claim(
    store: SqlStore, other: SqlStore, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, give_back = CLAIMS[GIVEN_BACK[what][0]], GIVEN_BACK[what][1]
    [held] = await claim(store)
    with away(store, monkeypatch), pytest.raises(StoreError):
        await give_back(store, held)
    assert await claim(other) == []
    assert len(await claim(store)) == 1


@pytest.mark.usefixtures("everything")
async def test_a_claim_that_failed_before_it_was_kept_is_no_doubt(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with away(store, monkeypatch), pytest.raises(StoreError):
        await store.claim_due(NOON, "me", LEASE)
    assert not any(store._database.doubtful.values())
    assert len(await store.claim_due(NOON, "me", LEASE)) == 1
