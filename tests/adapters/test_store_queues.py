"""Deadlines and outbox: who holds what, for how long, and in which order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta

import pytest

from adapters.store.codec import dump_card, load_card
from adapters.store.store import SqlStore
from bot.cards.card import (
    Button,
    Buttons,
    Card,
    Code,
    Fact,
    Facts,
    Heading,
    ItemRow,
    ItemState,
    Progress,
    Text,
    Tone,
    Verbatim,
)
from bot.ports import Claimed, Conflict, Deadline, Outgoing, Posting, StoreError
from tests.adapters.store_kit import (
    LEASE,
    NOON,
    OVER,
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

EVENING = NOON + timedelta(hours=8)


def keys(claimed: Sequence[Claimed]) -> list[str]:
    return [each.deadline.key for each in claimed]


def texts(postings: Sequence[Posting]) -> list[str]:
    return [each.message.key for each in postings]


# --- deadlines --------------------------------------------------------------------------------------------------------


async def plan(store: SqlStore, *wanted: Deadline, deployment: str = "one") -> None:
    async with store.write() as unit:
        await unit.plan_deadlines(deployment, wanted)


async def finish(store: SqlStore, key: str, deployment: str = "one") -> None:
    async with store.write() as unit:
        await unit.finish_deadline(deployment, key, EVENING)


async def open_deadlines(store: SqlStore) -> list[Deadline]:
    """What could be claimed by the evening; given back at once."""
    found: list[Claimed] = []
    while claimed := await store.claim_due(EVENING, "looker", LEASE):
        found += claimed
    for each in found:
        await store.release_due(each)
    return sorted((each.deadline for each in found), key=lambda each: each.due)


async def test_what_is_due_is_claimed_oldest_first_and_nothing_early(store: SqlStore) -> None:
    for name, minutes in (("late", 30), ("now", 0), ("first", -5)):
        await start(store, name)
        await plan(store, due(name, minutes, name), deployment=name)
    assert await store.next_due() == due("first", -5).due
    assert keys(await store.claim_due(NOON, "me", LEASE)) == ["first", "now"]
    assert keys(await store.claim_due(due("", 30).due - timedelta(microseconds=1), "me", LEASE)) == []
    assert keys(await store.claim_due(due("", 30).due, "me", LEASE)) == ["late"]


async def test_of_each_deployment_only_the_first_is_claimed_at_a_time(store: SqlStore) -> None:
    for name in ("one", "two"):
        await start(store, name)
        await plan(store, *(due(f"{name} {number}", number, name) for number in range(3)), deployment=name)
    assert keys(await store.claim_due(EVENING, "me", LEASE)) == ["one 0", "two 0"]
    assert keys(await store.claim_due(EVENING, "you", LEASE)) == ["one 1", "two 1"]
    assert keys(await store.claim_due(due("", 1).due, "you", LEASE)) == []


async def test_of_two_that_are_due_at_the_same_time_one_is_the_first(store: SqlStore) -> None:
    await start(store)
    await plan(store, due("b"), due("a"))
    assert keys(await store.claim_due(NOON, "me", LEASE)) == ["a"]
    assert keys(await store.claim_due(NOON, "me", LEASE)) == ["b"]


async def test_nothing_of_a_busy_deployment_is_claimed(store: SqlStore) -> None:
    for name in ("one", "two", "three"):
        await start(store, name)
        await plan(store, due(name, 0, name), due(f"{name} later", 1, name), deployment=name)
    assert keys(await store.claim_due(EVENING, "me", LEASE, busy=("one", "three"))) == ["two"]
    assert keys(await store.claim_due(EVENING, "me", LEASE, busy=("one", "two", "three"))) == []


async def test_a_lease_that_is_kept_does_not_end(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        await start(store, name)
        await plan(store, due(name, 0, name), deployment=name)
    first, second = await store.claim_due(NOON, "me", LEASE)
    begun = time.time()
    monkeypatch.setattr("time.time", lambda: begun + LEASE.total_seconds() - 1)
    await store.keep_due([first], LEASE)
    monkeypatch.setattr("time.time", lambda: begun + LEASE.total_seconds() + 1)
    assert keys(await store.claim_due(NOON, "you", LEASE)) == [second.deadline.key]


async def test_what_was_lost_or_done_meanwhile_is_not_kept(store: SqlStore) -> None:
    await start(store)
    await plan(store, due("check"))
    (lost,) = await store.claim_due(NOON, "me", OVER)
    (held,) = await store.claim_due(NOON, "you", OVER)
    await store.keep_due([lost], LEASE)
    assert keys(await store.claim_due(NOON, "other", OVER)) == ["check"]
    await finish(store, "check")
    await store.keep_due([held], LEASE)
    assert await store.next_due() is None


async def test_the_next_due_can_be_asked_after_an_instant(store: SqlStore) -> None:
    await start(store)
    await plan(store, due("a", 1), due("b", 2))
    assert await store.next_due(after=due("", 1).due) == due("", 2).due
    assert await store.next_due(after=due("", 2).due) is None


async def test_no_more_than_asked_for_are_claimed(store: SqlStore) -> None:
    for number in range(5):
        await start(store, f"d{number}")
        await plan(store, due(f"check {number}", number, f"d{number}"), deployment=f"d{number}")
    assert keys(await store.claim_due(EVENING, "me", LEASE, limit=2)) == ["check 0", "check 1"]
    assert keys(await store.claim_due(EVENING, "you", LEASE)) == ["check 2", "check 3", "check 4"]


async def test_nobody_else_gets_what_is_held_until_the_lease_is_over(store: SqlStore, other: SqlStore) -> None:
    await start(store)
    await plan(store, due("check"))
    (mine,) = await store.claim_due(NOON, "me", LEASE)
    assert await other.claim_due(NOON, "you", LEASE) == []
    assert await store.claim_due(NOON, "me", LEASE) == [], "not even the same owner"
    await store.release_due(mine)
    assert keys(await other.claim_due(NOON, "you", OVER)) == ["check"]
    assert keys(await store.claim_due(NOON, "me", timedelta(0))) == ["check"]
    assert keys(await other.claim_due(NOON, "you", LEASE)) == ["check"]


async def test_a_lost_lease_cannot_be_given_back(store: SqlStore) -> None:
    await start(store)
    await plan(store, due("check"))
    (lost,) = await store.claim_due(NOON, "me", OVER)
    (held,) = await store.claim_due(NOON, "me", LEASE)
    await store.release_due(lost)
    assert await store.claim_due(NOON, "you", LEASE) == []
    await store.release_due(held)
    assert keys(await store.claim_due(NOON, "you", LEASE)) == ["check"]


async def test_the_clock_of_the_product_does_not_end_a_lease(store: SqlStore) -> None:
    await start(store)
    await plan(store, due("check"))
    await store.claim_due(NOON, "me", LEASE)
    assert await store.claim_due(NOON + timedelta(days=400), "you", LEASE) == []


async def test_the_next_due_is_the_earliest_open_one_even_if_it_is_held(store: SqlStore) -> None:
    assert await store.next_due() is None
    await start(store)
    await plan(store, due("a", 1), due("b", 2))
    await store.claim_due(due("", 1).due, "me", LEASE)
    assert await store.next_due() == due("", 1).due
    await finish(store, "a")
    assert await store.next_due() == due("", 2).due


async def test_what_is_done_stays_done_and_cannot_be_done_twice(store: SqlStore) -> None:
    await start(store)
    await plan(store, due("a"), due("b"))
    await finish(store, "a")
    with pytest.raises(Conflict):
        await finish(store, "a")
    await plan(store, due("a", 90), due("b"))
    assert await open_deadlines(store) == [due("b")]


async def test_a_plan_adds_moves_and_drops(store: SqlStore) -> None:
    await start(store)
    await start(store, "two")
    await plan(store, due("stays", 1), due("moves", 2), due("drops", 3))
    await plan(store, due("other's", 4, "two"), deployment="two")
    await plan(store, due("stays", 1), due("moves", 60), due("new", 0))
    assert await open_deadlines(store) == [due("new", 0), due("stays", 1), due("other's", 4, "two"), due("moves", 60)]
    with pytest.raises(Conflict):
        await finish(store, "drops")


async def test_what_was_dropped_opens_again_when_it_is_wanted_again(store: SqlStore) -> None:
    await start(store)
    await plan(store, due("check", 1))
    await plan(store)
    assert await open_deadlines(store) == []
    await plan(store, due("check", 5))
    assert await open_deadlines(store) == [due("check", 5)]


async def test_a_new_plan_takes_nothing_out_of_the_hands_of_its_holder(store: SqlStore) -> None:
    await start(store)
    await plan(store, due("check", 0))
    await store.claim_due(NOON, "me", LEASE)
    await plan(store, due("check", 1))
    assert await store.claim_due(EVENING, "you", LEASE) == []


# --- outbox -----------------------------------------------------------------------------------------------------------


async def say(store: SqlStore, *messages: Outgoing) -> None:
    async with store.write() as unit:
        await unit.say(messages)


async def test_messages_come_oldest_first_each_in_its_own_chat(store: SqlStore) -> None:
    await say(store, a_message("a"), a_message("b"), a_message("s", chat="slack"), a_message("c"))
    assert texts(await store.claim_outbox("web", "me", LEASE, limit=2)) == ["a", "b"]
    assert texts(await store.claim_outbox("web", "you", LEASE)) == ["c"]
    assert texts(await store.claim_outbox("slack", "me", LEASE)) == ["s"]
    assert texts(await store.claim_outbox("discord", "me", LEASE)) == []


async def test_a_message_comes_back_exactly(store: SqlStore) -> None:
    button = Button("Roll back…", "rollback:one:", "danger")
    item = ItemRow("i1", "**pods**", ItemState.EXCUSED, 2, "Checks", "by ann", ("@ops",), "kubectl get", (button,))
    card = Card(
        "🚀 azora",
        "azora → production",
        (
            *(Text("*a*", small=True), Verbatim("same"), Code("same"), Heading("same"), Progress(61, 107, "of 107")),
            *(item, Buttons((button,)), Facts((Fact("errors", "0.2 %", "< 0.1 %", False), Fact("p99", "?")))),
        ),
        Tone.WARN,
        ("on_call",),
    )
    message = a_message("m", channel="#engineering", card=card, deployment="one", thread="head")
    await start(store)
    await say(store, message)
    (posting,) = await store.claim_outbox("web", "me", LEASE)
    assert posting.message == message
    assert [type(block) for block in posting.message.card.blocks] == [type(block) for block in card.blocks]


def test_a_block_of_a_newer_release_is_refused() -> None:
    with pytest.raises(StoreError, match="another version"):
        load_card(dump_card(Card("t", "t", (Code("x"),))).replace('"Code"', '"Hologram"'))


async def test_a_key_is_said_once_however_often_it_is_asked_for(store: SqlStore) -> None:
    await say(store, a_message("a"))
    await say(store, a_message("a", channel="#elsewhere"), a_message("b"))
    first, second = await store.claim_outbox("web", "me", LEASE)
    assert (first.message, second.message) == (a_message("a"), a_message("b"))
    await store.said(first, "1", "#deployments", NOON)
    await say(store, a_message("a"))
    assert await store.claim_outbox("web", "you", LEASE) == []


async def test_what_stands_in_the_channel_is_never_claimed_again(store: SqlStore) -> None:
    await say(store, a_message("a"))
    (posting,) = await store.claim_outbox("web", "me", OVER)
    await store.trying(posting, NOON)
    await store.said(posting, "1", "#deployments", NOON)
    await store.said(posting, "2", "#deployments", NOON)
    await store.say_later(posting, 0, "too late to say so")
    assert await store.claim_outbox("web", "you", LEASE) == []


async def test_only_the_first_try_is_remembered_and_every_attempt_counted(store: SqlStore) -> None:
    await say(store, a_message("a"))
    (first,) = await store.claim_outbox("web", "me", LEASE)
    assert (first.attempts, first.first_tried) == (0, None)
    await store.trying(first, NOON)
    await store.say_later(first, 0, "no answer")
    (second,) = await store.claim_outbox("web", "me", LEASE)
    assert (second.attempts, second.first_tried) == (1, NOON)
    await store.trying(second, EVENING)
    await store.say_later(second, 0, "no answer")
    (third,) = await store.claim_outbox("web", "me", LEASE)
    assert (third.attempts, third.first_tried) == (2, NOON)


async def test_what_was_put_off_waits_by_the_real_clock(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await say(store, a_message("a"))
    (posting,) = await store.claim_outbox("web", "me", LEASE)
    await store.say_later(posting, 30, "the chat asked to wait 30 s")
    assert await store.claim_outbox("web", "you", LEASE) == []
    later = time.time() + 31
    monkeypatch.setattr("time.time", lambda: later)
    assert texts(await store.claim_outbox("web", "you", LEASE)) == ["a"]


async def test_whoever_lost_the_lease_may_not_post(store: SqlStore, other: SqlStore) -> None:
    await say(store, a_message("a"))
    (lost,) = await store.claim_outbox("web", "me", OVER)
    (held,) = await other.claim_outbox("web", "you", LEASE)
    with pytest.raises(Conflict):
        await store.trying(lost, NOON)
    await store.say_later(lost, 0, "cannot give back what is not held")
    assert await store.claim_outbox("web", "me", LEASE) == []
    await other.trying(held, NOON)


async def test_what_was_posted_with_a_lost_lease_was_posted_all_the_same(store: SqlStore, other: SqlStore) -> None:
    await say(store, a_message("a"))
    (lost,) = await store.claim_outbox("web", "me", OVER)
    await store.trying(lost, NOON)
    (held,) = await other.claim_outbox("web", "you", LEASE)
    await store.said(lost, "1", "#deployments", NOON)
    with pytest.raises(Conflict):
        await other.trying(held, NOON)


async def test_later_messages_of_a_deployment_wait_for_the_first_one(store: SqlStore) -> None:
    await start(store)
    await start(store, "two")
    await say(
        store,
        a_message("started", deployment="one"),
        a_message("succeeded", deployment="one"),
        a_message("elsewhere", deployment="one", channel="#announcements"),
        a_message("other", deployment="two"),
        a_message("free"),
    )
    first, *rest = await store.claim_outbox("web", "me", LEASE)
    assert texts([first, *rest]) == ["started", "elsewhere", "other", "free"]
    assert await store.claim_outbox("web", "you", LEASE) == [], "held"
    await store.say_later(first, 60, "no answer")
    assert await store.claim_outbox("web", "you", LEASE) == [], "put off"
    await store.said(first, "1", "#deployments", NOON)
    assert texts(await store.claim_outbox("web", "you", LEASE)) == ["succeeded"]


# --- named leases -----------------------------------------------------------------------------------------------------


async def test_a_named_lease_is_held_by_one_at_a_time(store: SqlStore, other: SqlStore) -> None:
    assert await store.hold("shard", "me", LEASE)
    assert not await other.hold("shard", "you", LEASE)
    assert await store.hold("shard", "me", OVER)
    assert await other.hold("shard", "you", LEASE)
    await store.drop("shard", "me")
    assert not await store.hold("shard", "me", LEASE)
    await other.drop("shard", "you")
    assert await store.hold("shard", "me", LEASE)


# --- beside another release -------------------------------------------------------------------------------------------


async def test_deadlines_of_a_kind_that_is_not_known_here_stay_as_they_are(store: SqlStore) -> None:
    await start(store)
    async with store.write() as unit:
        await unit.plan_deadlines("one", [due("check:a", 1), due("newer:b", 2)])
    async with store.write() as unit:
        await unit.plan_deadlines("one", [], {"check"})
    assert await store.next_due() == NOON + timedelta(minutes=2)


async def test_what_waits_behind_a_message_in_its_thread_is_told_in_order(store: SqlStore) -> None:
    async with store.write() as unit:
        await unit.say([a_message(key, thread="line") for key in ("m1", "m2", "m3")])
        await unit.say([a_message("other line", thread="other"), a_message("no line")])
    [first, *_] = await store.claim_outbox("web", "me", LEASE)
    assert [each.message.key for each in await store.behind(first)] == ["m2", "m3"]
    assert [each.message.key for each in await store.behind(first, 1)] == ["m2"]
