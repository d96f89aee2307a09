"""Mirrors: which chat is behind with which deployment, and where its cards stand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta

import pytest

from adapters.store import mirrors
from adapters.store.store import SqlStore
from bot.ports import Mirror, PostedCard
from tests.adapters.store_kit import (
    LEASE,
    NOON,
    OVER,
    advance,
    migrated_database,
    migrated_file,
    other,
    sqlite_url,
    start,
    store,
    url,
)

__all__ = ["migrated_database", "migrated_file", "other", "sqlite_url", "store", "url"]

EVENING = NOON + timedelta(hours=8)


def shown(mirrors: Sequence[Mirror]) -> list[tuple[str, int]]:
    return [(each.deployment, each.wanted) for each in mirrors]


async def test_a_new_deployment_is_behind_in_every_chat(store: SqlStore) -> None:
    await start(store)
    assert shown(await store.claim_mirrors("web", "me", LEASE)) == [("one", 1)]
    assert shown(await store.claim_mirrors("slack", "me", LEASE)) == [("one", 1)]


async def test_what_was_shown_is_behind_again_only_when_it_moves_on(store: SqlStore) -> None:
    await start(store)
    (mirror,) = await store.claim_mirrors("web", "me", LEASE)
    await store.mirror_done(mirror)
    assert await store.claim_mirrors("web", "me", LEASE) == []
    await advance(store)
    (mirror,) = await store.claim_mirrors("web", "me", LEASE)
    assert mirror.wanted == 2
    await advance(store)
    await store.mirror_done(mirror)
    assert shown(await store.claim_mirrors("web", "me", LEASE)) == [("one", 3)]


async def test_a_mirror_is_held_by_one_until_the_lease_is_over(store: SqlStore, other: SqlStore) -> None:
    await start(store)
    assert len(await store.claim_mirrors("web", "me", OVER)) == 1
    assert len(await other.claim_mirrors("web", "you", LEASE)) == 1
    assert await store.claim_mirrors("web", "me", LEASE) == []
    assert await store.claim_mirrors("web", "me", LEASE, every=True) == []


async def test_a_mirror_put_off_waits_by_the_real_clock(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await start(store)
    (mirror,) = await store.claim_mirrors("web", "me", LEASE)
    await store.mirror_later(mirror, 30)
    assert await store.claim_mirrors("web", "me", LEASE, every=True) == []
    later = time.time() + 31
    monkeypatch.setattr("time.time", lambda: later)
    assert shown(await store.claim_mirrors("web", "me", LEASE)) == [("one", 1)]


async def test_a_mirror_rests_by_the_real_clock_before_it_is_behind_again(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await start(store)
    (mirror,) = await store.claim_mirrors("web", "me", LEASE)
    await store.mirror_done(mirror, rest=timedelta(seconds=30))
    await advance(store)
    assert await store.claim_mirrors("web", "me", LEASE) == []
    later = time.time() + 31
    monkeypatch.setattr("time.time", lambda: later)
    assert shown(await store.claim_mirrors("web", "me", LEASE)) == [("one", 2)]


async def test_a_deployment_that_ended_is_brought_to_its_last_revision_once(store: SqlStore) -> None:
    await start(store)
    (mirror,) = await store.claim_mirrors("web", "me", LEASE)
    await store.mirror_done(mirror)
    await advance(store, live=False)
    (mirror,) = await store.claim_mirrors("web", "me", LEASE)
    assert mirror.wanted == 2
    await store.mirror_done(mirror)
    assert await store.claim_mirrors("web", "me", LEASE, every=True) == []


async def test_every_live_mirror_can_be_gone_round(store: SqlStore) -> None:
    for id in "abc":
        await start(store, id)
    for mirror in await store.claim_mirrors("web", "me", LEASE):
        await store.mirror_done(mirror)
    assert await store.claim_mirrors("web", "me", LEASE) == []
    seen = []
    for _ in range(3):
        (mirror,) = await store.claim_mirrors("web", "me", LEASE, every=True, limit=1)
        await store.mirror_done(mirror)
        seen.append(mirror.deployment)
    assert sorted(seen) == ["a", "b", "c"]


async def test_drawing_with_a_lost_lease_is_drawn_over(store: SqlStore, other: SqlStore) -> None:
    await start(store)
    (lost,) = await store.claim_mirrors("web", "me", OVER)
    (held,) = await other.claim_mirrors("web", "you", LEASE)
    await other.mirror_done(held)
    await store.mirror_done(lost)
    assert shown(await other.claim_mirrors("web", "you", LEASE)) == [("one", 1)]


async def test_a_lost_mirror_cannot_be_put_off(store: SqlStore) -> None:
    await start(store)
    (lost,) = await store.claim_mirrors("web", "me", OVER)
    (held,) = await store.claim_mirrors("web", "me", LEASE)
    await store.mirror_later(lost, 30)
    await store.mirror_later(held, 0)
    assert len(await store.claim_mirrors("web", "you", LEASE)) == 1


async def test_a_chat_that_joins_later_is_not_told_what_ended_long_ago(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await start(store, "ended", live=False)
    await start(store, "runs")
    assert shown(await store.claim_mirrors("web", "me", LEASE)) == [("ended", 1), ("runs", 1)]
    later = time.time() + mirrors.RECENT.total_seconds() + 1
    monkeypatch.setattr("time.time", lambda: later)
    assert shown(await store.claim_mirrors("discord", "me", LEASE)) == [("runs", 1)]
    assert shown(await store.claim_mirrors("web", "me", LEASE)) == [("ended", 1), ("runs", 1)], "it had begun to"


async def test_where_a_slot_stands_is_remembered_in_each_chat(store: SqlStore) -> None:
    await start(store)
    meant = PostedCard("head", "#deployments", None, None, "d1", NOON)
    stands = PostedCard("head", "#deployments", "17.4", "17.3", "d2", EVENING)
    assert await store.posted("one", "web") == {}
    await store.note_posted("one", "web", meant)
    assert await store.posted("one", "web") == {"head": meant}
    await store.note_posted("one", "web", stands)
    await store.note_posted("one", "slack", meant)
    assert await store.posted("one", "web") == {"head": stands}
    assert await store.posted("one", "slack") == {"head": meant}
