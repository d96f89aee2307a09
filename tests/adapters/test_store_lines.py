"""Messages of no deployment that name a thread: they go out in its order, one at a time."""

from __future__ import annotations

from adapters.store.store import SqlStore
from bot.ports import Outgoing, Posting
from tests.adapters.store_kit import (
    LEASE,
    NOON,
    a_message,
    migrated_database,
    migrated_file,
    sqlite_url,
    store,
    url,
)

__all__ = ["migrated_database", "migrated_file", "sqlite_url", "store", "url"]


async def put(store: SqlStore, *messages: Outgoing) -> None:
    async with store.write() as unit:
        await unit.say(messages)


async def claim(store: SqlStore) -> list[Posting]:
    return await store.claim_outbox("web", "me", LEASE)


async def test_the_next_one_of_a_line_waits_until_the_first_is_said(store: SqlStore) -> None:
    ours, theirs = {"thread": "shop/production"}, {"thread": "shop/staging"}
    await put(
        store, a_message("one", **ours), a_message("two", **ours), a_message("other", **theirs), a_message("free")
    )
    first, *others = await claim(store)
    assert [each.message.key for each in (first, *others)] == ["one", "other", "free"]
    assert first.message.thread == "shop/production"
    assert await claim(store) == []
    await store.say_later(first, 60, "busy")
    assert await claim(store) == []
    await store.said(first, "m1", "#deployments", NOON)
    assert [each.message.key for each in await claim(store)] == ["two"]


async def test_the_same_line_to_another_channel_is_another(store: SqlStore) -> None:
    line = {"thread": "shop/production"}
    await put(store, a_message("one", **line), a_message("two", channel="#elsewhere", **line))
    assert [each.message.key for each in await claim(store)] == ["one", "two"]


async def test_those_without_a_line_wait_for_nobody(store: SqlStore) -> None:
    await put(store, a_message("one"), a_message("two"))
    assert [each.message.key for each in await claim(store)] == ["one", "two"]
