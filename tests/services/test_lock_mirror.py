"""The lock of a service, told over real HTTP to an address of the policy."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.webhook.caller import WebhookCaller
from bot.calls import Calls
from bot.domain.calendar_facts import Locked
from bot.domain.people import Who
from bot.egress import guarded
from bot.services.lock_mirror import LockMirror
from tests.adapters.store_kit import migrated_database, migrated_file, sqlite_url, url
from tests.core_kit import ANN, SHOP_POLICY, Core, a_folder, open_core
from tests.fakes.vendors import Reply, Request, Vendor, vendor_server

__all__ = ["migrated_database", "migrated_file", "sqlite_url", "url"]

BEN = Who(chat="web", id="ben", name="ben", roles=frozenset())


@pytest.fixture(scope="module")
def one_receiver() -> Iterator[Vendor]:
    with vendor_server() as vendor:
        yield vendor


@pytest.fixture
def receiver(one_receiver: Vendor) -> Vendor:
    one_receiver.reset()
    one_receiver.serve = lambda request: Reply("", 204)
    return one_receiver


@pytest.fixture(scope="module")
def caller() -> WebhookCaller:
    """Made once: loading the authorities takes longer than the tests. Its connections end with each call."""
    return WebhookCaller(guarded(private=True), "not-a-real-secret")


@pytest.fixture
async def core(sqlite_url: str, receiver: Vendor, tmp_path: Path) -> AsyncIterator[Core]:
    folder = a_folder(tmp_path / "checklists")
    policy = folder / "shop.yaml"
    policy.write_text(policy.read_text() + f"lock_webhook: {receiver.base}/lock\n")
    async with open_core(sqlite_url, folder) as core:
        yield core


@pytest.fixture
def calls(core: Core, caller: WebhookCaller) -> Calls:
    return the_calls(core, caller)


def the_calls(core: Core, caller: WebhookCaller, owner: str = "first") -> Calls:
    return Calls(core.store, core.clock, caller, core.checklists, ("web",), owner=owner, changed=core.changed)


def told(receiver: Vendor) -> list[dict[str, Any]]:
    return [json.loads(asked.body) for asked in receiver.asked]


def brief(receiver: Vendor) -> list[tuple[str, str, str]]:
    return [(body["event"], body["by"], body["reason"]) for body in told(receiver)]


def ids(receiver: Vendor) -> list[str]:
    return [asked.headers["x-gonogo-delivery"] for asked in receiver.asked]


async def test_a_deployment_takes_the_lock_and_frees_it_with_its_success(
    core: Core, calls: Calls, receiver: Vendor
) -> None:
    deployment = await core.start()
    await calls.settle()
    assert told(receiver) == [
        {
            "event": "locked", "service": "shop", "environment": "production", "by": "ann",
            "reason": "v1.2.0 is being deployed", "version": "v1.2.0", "deployment": deployment,
            "at": "2026-11-24T15:00:00Z",
        }
    ]  # fmt: skip
    await core.succeed(deployment)
    await calls.settle()
    await calls.settle()
    assert brief(receiver)[1:] == [("unlocked", "gonogo", "v1.2.0 has succeeded")]


async def test_after_a_rollback_it_stays_locked_until_somebody_unlocks(
    core: Core, calls: Calls, receiver: Vendor
) -> None:
    deployment = await core.start()
    await core.deploy(deployment)
    await calls.settle()
    await core.submit(f"rollback:{deployment}:", {"version": "v1.1.0", "reason": "slow"})
    await core.submit(f"rolledback:{deployment}:", {"status": "all is well"})
    await calls.settle()
    assert await core.status(deployment) == "rolled back"
    assert brief(receiver)[1:] == [("locked", "gonogo", "v1.2.0 was rolled back: slow")]
    await core.say("unlock shop production fixed")
    await calls.settle()
    assert brief(receiver)[2:] == [("unlocked", "ann", "fixed")]


async def test_a_persons_lock_goes_out_with_its_end_and_is_freed_by_the_clock(
    core: Core, calls: Calls, receiver: Vendor
) -> None:
    await core.say("lock shop production the database is moved for 2h")
    await calls.settle()
    (body,) = told(receiver)
    assert (body["event"], body["reason"], body["until"]) == ("locked", "the database is moved", "2026-11-24T17:00:00Z")
    core.clock.later(hours=2, minutes=1)
    await core.scheduler.settle()
    await core.scheduler.settle()
    await calls.settle()
    assert brief(receiver)[1:] == [("unlocked", "gonogo", "the lock is over")]


async def test_a_lock_whose_end_was_slept_through_is_freed_nevertheless(
    core: Core, calls: Calls, receiver: Vendor
) -> None:
    await core.say("lock shop production the database is moved for 2h")
    await calls.settle()
    core.clock.later(days=9)
    await core.scheduler.settle()
    await calls.settle()
    assert [event for event, _, _ in brief(receiver)] == ["locked", "unlocked"]


async def test_what_still_holds_is_told_when_something_else_ends(core: Core, calls: Calls, receiver: Vendor) -> None:
    deployment = await core.start()
    await core.say("lock shop production not again today")
    await calls.settle()
    await core.say("cancel shop wrong version")
    await calls.settle()
    assert await core.status(deployment) == "cancelled"
    for command in ("unlock shop production", "start v1.2.1 shop", "lock shop production once more", "unlock shop"):
        await core.say(command)
        await calls.settle()
    assert brief(receiver) == [
        ("locked", "ann", "v1.2.0 is being deployed"),
        ("locked", "ann", "not again today"),
        ("unlocked", "ann", ""),
        ("locked", "ann", "v1.2.1 is being deployed"),
        ("locked", "ann", "v1.2.1 is being deployed"),
        ("locked", "ann", "v1.2.1 is being deployed"),
    ]


async def test_what_changes_no_lock_is_not_told(core: Core, calls: Calls, receiver: Vendor) -> None:
    deployment = await core.start()
    await core.tick(deployment, "Prepare")
    await core.start("v2", more="pet staging")
    await core.say("lock pet staging load test")
    await core.say("start v1.3.0 shop", who=BEN)
    await calls.settle()
    assert len(receiver.asked) == 1


# --- at least once, in order ------------------------------------------------------------------------------------------


async def test_it_is_repeated_with_the_same_id_until_it_is_answered(core: Core, calls: Calls, receiver: Vendor) -> None:
    failures = [Reply("", 500), Reply("", 503)]

    def production_is_upset(request: Request) -> Reply:
        upset = json.loads(request.body)["environment"] == "production" and failures
        return failures.pop() if upset else Reply("", 204)

    receiver.serve = production_is_upset
    await core.start()
    await core.say("lock shop staging load test")
    await calls.settle()
    assert sorted(body["environment"] for body in told(receiver)) == ["production", "staging"]
    for _ in range(4):
        await core.time_passes()
        await calls.settle()
    called = [id for body, id in zip(told(receiver), ids(receiver), strict=True) if body["environment"] == "production"]
    assert len(called) == 3
    assert len(set(called)) == 1


async def test_it_is_told_how_it_stands_and_not_each_change_on_the_way(
    core: Core, calls: Calls, receiver: Vendor
) -> None:
    receiver.always = Reply("", 500)
    await core.start()
    await calls.settle()
    await core.say("cancel shop wrong version")
    await core.say("lock shop production look first")
    receiver.always = None
    for _ in range(3):
        await core.time_passes()
        await calls.settle()
    assert [reason for _, _, reason in brief(receiver)] == ["v1.2.0 is being deployed", "look first"]
    assert len(set(ids(receiver))) == 2  # who has seen the first one must not take the second one for it


@pytest.mark.parametrize("url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
async def test_a_lock_that_commits_after_a_later_change_is_what_is_told_last(
    url: str, tmp_path: Path, caller: WebhookCaller, receiver: Vendor
) -> None:
    folder = a_folder(tmp_path / "checklists")
    (folder / "shop.yaml").write_text(SHOP_POLICY + f"lock_webhook: {receiver.base}/lock\n")
    async with open_core(url, folder) as core, core.second() as second:
        calls = the_calls(core, caller)
        await core.start()
        await calls.settle()
        lock = Locked(
            at=core.clock.now(), by=ANN, id="l1", service="shop", environment="production", reason="look first"
        )
        async with second.store.write() as unit:  # it has its place in the outbox, and nobody sees it yet
            await unit.append_calendar([lock])
            await LockMirror().set(unit, (await core.checklists.load("shop")).policy, lock)
            await core.say("cancel shop wrong version")
            await calls.settle()
        await calls.settle()
        assert brief(receiver)[1:] == [("unlocked", "ann", "v1.2.0 was cancelled"), ("locked", "ann", "look first")]


async def test_who_rolls_back_beside_another_one_keeps_the_service_when_that_ends(
    core: Core, calls: Calls, receiver: Vendor
) -> None:
    first = await core.start("v1")
    await core.succeed(first)
    second = await core.start("v2")
    await core.submit(f"rollback:{first}:", {"version": "v0", "reason": "bad"})
    await core.submit(f"cancel:{second}:", {"reason": "no"})
    await calls.settle()
    assert await core.status(second) == "cancelled"
    assert brief(receiver) == [("locked", "ann", "v1 is being rolled back")]
    await core.say("start v3 shop")
    assert {row.version for row in await core.rows()} == {"v1", "v2"}
    await core.submit(f"rolledback:{first}:", {"status": "all is well"})
    await calls.settle()
    assert brief(receiver)[1:] == [("locked", "gonogo", "v1 was rolled back: bad")]


async def test_a_policy_that_cannot_be_read_when_a_lock_ends_is_read_later(
    core: Core, calls: Calls, receiver: Vendor
) -> None:
    await core.say("lock shop production the database is moved for 2h")
    await calls.settle()
    file = core.folder / "shop.yaml"
    good = file.read_text()
    file.write_text("service: [\n")
    core.clock.later(hours=2, minutes=1)
    await core.scheduler.settle()
    await calls.settle()
    assert len(receiver.asked) == 1
    file.write_text(good)
    await core.scheduler.settle()
    await calls.settle()
    assert brief(receiver)[1:] == [("unlocked", "gonogo", "the lock is over")]


async def test_what_is_given_up_is_said_as_it_stands_then(core: Core, calls: Calls, receiver: Vendor) -> None:
    receiver.always = Reply("", 500)
    deployment = await core.start()
    await calls.settle()
    await core.succeed(deployment)
    core.clock.later(hours=24)
    for _ in range(3):
        await core.time_passes()
        await calls.settle()
        await core.relay.settle()
    (said,) = [text for text in await core.texts() if "lock_webhook" in text]
    assert "It should say now: unlocked (v1.2.0 has succeeded)." in said
    assert len(receiver.asked) == 2  # the change behind it is given up with it


async def test_what_a_killed_process_has_not_told_the_next_one_does(
    core: Core, caller: WebhookCaller, receiver: Vendor
) -> None:
    await core.start()
    receiver.always = Reply("", 500)
    await the_calls(core, caller).settle()
    receiver.always = None
    async with core.second() as second:
        await core.time_passes()
        await the_calls(second, caller, "second").settle()
    assert len(receiver.asked) == 2
    assert len(set(ids(receiver))) == 1


async def test_two_processes_tell_it_once(core: Core, caller: WebhookCaller, receiver: Vendor) -> None:
    await core.start()
    async with core.second() as second:
        await the_calls(core, caller).settle()
        await the_calls(second, caller, "second").settle()
    assert len(receiver.asked) == 1


async def test_after_a_day_it_is_given_up_and_said_once(core: Core, calls: Calls, receiver: Vendor) -> None:
    receiver.always = Reply("", 500)
    await core.start()
    await calls.settle()
    core.clock.later(hours=23)
    await core.time_passes()
    await calls.settle()
    assert len(receiver.asked) == 2
    core.clock.later(hours=1)
    for _ in range(3):
        await core.time_passes()
        await calls.settle()
        await core.relay.settle()
    assert len(receiver.asked) == 3
    said = [text for text in await core.texts() if "lock_webhook" in text]
    assert said == [
        "⚠️ shop → production: lock_webhook was not told for 24 hours: 127.0.0.1 answered HTTP 500. "
        "It should say now: locked (v1.2.0 is being deployed). Please set it by hand."
    ]


async def test_an_address_that_may_not_be_called_is_said_at_once(
    sqlite_url: str, tmp_path: Path, caller: WebhookCaller
) -> None:
    folder = a_folder(tmp_path / "checklists")
    policy = folder / "shop.yaml"
    policy.write_text(policy.read_text() + "lock_webhook: http://169.254.169.254/latest/meta-data/\n")
    async with open_core(sqlite_url, folder) as core:
        await core.start()
        await the_calls(core, caller).settle()
        await core.relay.settle()
        (said,) = [text for text in await core.texts() if "lock_webhook" in text]
        assert "169.254.169.254 is not called: it is an address where machines ask about themselves" in said
        assert "meta-data" not in said


async def test_nobody_is_told_by_who_may_not_lock(core: Core, calls: Calls, receiver: Vendor) -> None:
    await core.say("lock shop production one thing", who=ANN)
    await core.say("lock shop production another", who=BEN)
    await calls.settle()
    assert brief(receiver) == [("locked", "ann", "one thing")]
