"""The lock that people set, the one a rollback leaves behind, the queue, and what the clock says of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.cards.card import Buttons
from bot.domain.people import Who
from tests.adapters.store_kit import migrated_database, migrated_file, sqlite_url, url
from tests.core_kit import ANN, Core, a_folder, open_core, told

__all__ = ["migrated_database", "migrated_file", "sqlite_url", "url"]

BOB = Who(chat="web", id="bob", name="bob", roles=frozenset())
CY = Who(chat="web", id="cy", name="cy", roles=frozenset())


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(sqlite_url, a_folder(tmp_path / "checklists")) as core:
        yield core


async def said(core: Core) -> list[str]:
    await core.scheduler.settle()
    await core.relay.settle()
    return [text for text in await core.texts() if text[:1] in "🔒🔓🔔⌛🧊✋"]


async def test_a_lock_keeps_others_away_and_not_its_holder(core: Core) -> None:
    assert told(await core.say("lock shop production the database is moved")).startswith("Locked")
    refused = told(await core.say("start v1.2.0 shop", who=BOB))
    assert refused.startswith("shop v1.2.0 → production cannot start: locked by ann since 15:00")
    assert "the database is moved" in refused
    assert told(await core.say("start v1.2.0 shop")).startswith("Started")


async def test_a_lock_of_one_environment_is_no_matter_of_another(core: Core) -> None:
    await core.say("lock shop staging load test")
    assert told(await core.say("start v1.2.0 shop", who=BOB)).startswith("Started")


async def test_a_second_lock_is_refused_and_its_own_holder_renews_it(core: Core) -> None:
    await core.say("lock shop production one thing")
    assert "is locked by ann" in told(await core.say("lock shop production another", who=BOB))
    assert told(await core.say("lock shop production one thing more for 2h")).startswith("Locked")
    refused = told(await core.say("start v1 shop", who=BOB))
    assert "one thing more" in refused
    assert "until 17:00" in refused


async def test_a_lock_is_taken_over_and_everybody_is_told(core: Core) -> None:
    await core.say("lock shop production one thing")
    await core.say("lock shop production --take ann is away", who=BOB)
    assert any("is locked by bob" in text and "(taken over from ann)" in text for text in await said(core))
    assert "locked by bob" in told(await core.say("start v1 shop"))


async def test_unlocked_it_is_free(core: Core) -> None:
    await core.say("lock shop production one thing")
    assert told(await core.say("unlock shop production it is done", who=BOB)).startswith("Unlocked")
    assert "🔓 bob unlocked shop → production: it is done" in await said(core)
    assert told(await core.say("start v1.2.0 shop", who=BOB)).startswith("Started")
    assert told(await core.say("unlock shop")) == "shop → production is not locked."


async def test_a_lock_needs_a_reason(core: Core) -> None:
    assert "Please write why" in told(await core.say("lock shop production"))


async def test_how_long_is_no_reason(core: Core) -> None:
    for words in ("for 2h", 'until "wed 18:00"', "for an hour"):
        assert "Please write why" in told(await core.say(f"lock shop {words}")), words
    assert told(await core.say("start v1.2.0 shop", who=BOB)).startswith("Started")
    assert await said(core) == []


async def test_a_lock_that_would_be_over_at_once_is_none(core: Core) -> None:
    for words in ("for 0h", "for 400d", "for 999999d"):
        assert "is no time to lock for" in told(await core.say(f"lock shop the move {words}")), words
    assert "is past" in told(await core.say("lock shop the move until 2026-11-20 10:00"))
    assert told(await core.say("unlock shop")) == "shop → production is not locked."
    assert await said(core) == []


async def test_what_a_refusal_says_to_type_is_about_the_same_place(core: Core) -> None:
    for place in ("pet.store preprod", "pet.store"):
        await core.say(f"lock {place} one thing")
        refused = told(await core.say(f"lock {place} another", who=BOB))
        assert refused.endswith(f"To take it over: /deploy lock {place} --take with your reason.")
        taken = told(await core.say(f"lock {place} --take ann is away", who=BOB))
        assert f"🔒 {' → '.join((place + ' production').split()[:2])} is locked by bob" in taken
        lift = taken.rpartition("Lift it with /deploy ")[2].rstrip(".")
        assert told(await core.say(lift, who=BOB)).startswith("Unlocked"), lift
    assert told(await core.say("unlock shop")) == "shop → production is not locked."


async def test_a_locks_times_are_everybodys_own_and_name_a_zone_that_is_not_utc(core: Core) -> None:
    locked = await core.say("lock pet one thing for 2h")
    assert "until [12:00 EST](time:2026-11-24T17:00Z): one thing" in str(locked.card)
    refused = await core.say("start v1 pet", who=BOB)
    assert "since 10:00 EST until 12:00 EST: one thing" in told(refused)
    assert "since [10:00 EST](time:2026-11-24T15:00Z)" in str(refused.card)


async def test_its_holder_is_warned_before_it_ends_and_told_when_it_has(core: Core) -> None:
    await core.say("lock shop production one thing for 1h")
    assert len(await said(core)) == 1
    core.clock.later(minutes=46)
    warned = "⌛ ann: your lock of shop → production ends 16:00. To keep it: /deploy lock shop with your reason."
    assert (await said(core))[-1] == warned
    core.clock.later(minutes=15)
    assert (await said(core))[-1] == "🔓 The lock of shop → production is over: it is free again."
    assert len(await said(core)) == 3, "each of them once"
    assert told(await core.say("start v1.2.0 shop", who=BOB)).startswith("Started")


async def test_after_a_rollback_it_is_locked_with_the_reason_until_somebody_unlocks_it(core: Core) -> None:
    deployment = await core.start()
    await core.deploy(deployment)
    await core.submit(f"rollback:{deployment}", {"version": "v1.1.0", "reason": "errors at 7%"})
    await core.submit(f"rolledback:{deployment}", {"status": "stable"})
    refused = told(await core.say("start v1.2.1 shop"))
    assert "locked by gonogo" in refused
    assert "v1.2.0 was rolled back: errors at 7%" in refused
    await core.say("unlock shop production fixed in v1.2.1")
    assert told(await core.say("start v1.2.1 shop")).startswith("Started")


async def test_the_next_in_the_queue_is_told_once_when_it_is_free(core: Core) -> None:
    deployment = await core.start()
    answer = await core.say("start v1.3.0 shop", who=BOB)
    assert answer.card is not None
    (row,) = [block for block in answer.card.blocks if isinstance(block, Buttons)]
    assert told(await core.click(row.buttons[0].action, who=BOB)).endswith("you are next")
    assert told(await core.say("queue shop", who=CY)).endswith("1 before you")
    assert not [text for text in await said(core) if text.startswith("🔔")]
    await core.submit(f"cancel:{deployment}", {"reason": "not today"})
    told_next = [text for text in await said(core) if text.startswith("🔔")]
    assert told_next == ["🔔 bob, you are next: shop → production is free."]
    assert len([text for text in await said(core) if text.startswith("🔔")]) == 1
    second = await core.start_as(BOB, "start v1.3.0 shop")
    await core.submit(f"cancel:{second}", {"reason": "nor today"}, who=BOB)
    assert [text for text in await said(core) if text.startswith("🔔")][-1].startswith("🔔 cy, you are next")


async def test_asked_again_one_leaves_the_queue(core: Core) -> None:
    await core.start()
    await core.say("queue shop", who=BOB)
    assert "no longer" in told(await core.say("queue shop", who=BOB))


async def test_there_is_no_queue_for_what_is_free(core: Core) -> None:
    assert told(await core.say("queue shop", who=BOB)).startswith("It is free")


async def test_a_freeze_is_told_when_it_begins_and_when_it_ends_and_each_once(core: Core) -> None:
    await core.say('freeze add "2026-11-24 17:00 - 2026-11-24 18:00" stocktaking')
    assert len(await said(core)) == 1
    core.clock.later(hours=2)
    assert (await said(core))[-1] == "🧊 The freeze begins: stocktaking, until 18:00 (UTC)"
    core.clock.later(hours=1)
    assert (await said(core))[-1] == "🧊 The freeze is over: stocktaking"
    core.clock.later(hours=1)
    assert len(await said(core)) == 3


async def test_a_freeze_between_weekdays_that_has_begun_says_so_and_what_it_holds(core: Core) -> None:
    answer = told(await core.say('freeze add "thu 10:00 - wed 10:00" stocktaking'))
    assert "In force now, until tomorrow 10:00 (UTC): stocktaking" in answer
    assert "It holds every service, in every environment but staging." in answer
    assert "It began Thu 19 Nov 10:00: if a later one is meant, write its dates." in answer
    assert (await said(core))[-1].startswith("🧊 ann added a freeze: in force now, until tomorrow 10:00 (UTC)")
    assert told(await core.say("start v1 shop staging")).startswith("Started")
    assert "closed: stocktaking" in told(await core.say("start v1 shop"))


async def test_a_freeze_that_was_lifted_before_it_began_is_told_no_more(core: Core) -> None:
    await core.say('freeze add "2026-11-24 17:00 - 2026-11-24 18:00" stocktaking')
    freeze = told(await core.say("freeze list")).split()[-1].rstrip(".")
    await core.say(f"freeze remove {freeze}")
    before = len(await said(core))
    core.clock.later(hours=4)
    assert len(await said(core)) == before


async def test_who_is_turned_away_by_a_freeze_is_told_of_in_the_channel_once_an_hour(core: Core) -> None:
    await core.say('freeze add "today" stocktaking')
    for _ in range(3):
        await core.say("start v1.2.0 shop", who=BOB)
    turned = [text for text in await said(core) if text.startswith("✋")]
    assert turned == ["✋ bob was turned away from starting shop v1.2.0 → production: stocktaking"]


async def test_two_people_on_two_replicas_start_exactly_one(url: str, tmp_path: Path) -> None:
    async with open_core(url, a_folder(tmp_path / "checklists")) as first, first.second() as second:
        for number in range(12):
            race = (
                first.say(f"start v1.{number}.0 shop", who=ANN),
                second.say(f"start v2.{number}.0 shop", who=BOB),
                second.say(f"start v1.{number}.0 shop", who=ANN),
            )
            answers = [told(answer) for answer in await asyncio.gather(*race)]
            assert sum(answer.startswith("Started") for answer in answers) == 1, answers
            (running,) = [row for row in await first.rows() if row.live]
            await first.submit(f"cancel:{running.id}", {"reason": "the next round"})


async def test_two_people_on_two_replicas_set_exactly_one_lock(url: str, tmp_path: Path) -> None:
    async with open_core(url, a_folder(tmp_path / "checklists")) as first, first.second() as second:
        for number in range(12):
            race = (
                first.say(f"lock shop production round {number}", who=ANN),
                second.say(f"lock shop production round {number}", who=BOB),
            )
            answers = [told(answer) for answer in await asyncio.gather(*race)]
            assert sum(answer.startswith("Locked") for answer in answers) == 1, answers
            await first.say("unlock shop production")
