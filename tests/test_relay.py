"""The channel follows the database, whatever the chat does: over a real store and the real sandbox channel."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from bot import relay as relay_module
from tests.adapters.store_kit import migrated_database, migrated_file, sqlite_url, url
from tests.core_kit import HERE, Core, Fault, Killed, a_folder, open_core

__all__ = ["migrated_database", "migrated_file", "sqlite_url", "url"]


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(sqlite_url, a_folder(tmp_path / "checklists")) as core:
        yield core


FINE: list[Fault] = ["fine"] * 6


async def calm(core: Core) -> None:
    """Let as much time pass as it takes until nothing is left to do."""
    for _ in range(40):
        await core.time_passes()
        before = len(core.chat.posts) + len(core.chat.updates)
        await core.relay.settle()
        if len(core.chat.posts) + len(core.chat.updates) == before:
            return
    raise AssertionError("it never comes to rest")


async def keys(core: Core) -> Counter[str]:
    """How often a message of each key stands anywhere."""
    async with core.sandbox.engine.connect() as connection:
        found = await connection.execute(text("SELECT key FROM sandbox_messages"))
        return Counter(key for (key,) in found)


async def once_each(core: Core) -> bool:
    return set((await keys(core)).values()) == {1}


# --- cards ----------------------------------------------------------------------------------------------------------


async def test_a_start_stands_as_a_card_with_its_first_phase_in_the_thread(core: Core) -> None:
    await core.start()
    await core.relay.settle()
    [card] = await core.channel()
    assert card.card.title == "🚀 shop v1.2.0 → production"
    assert [message.card.title for message in await core.thread(card)] == ["Prepare"]


async def test_a_burst_of_ticks_is_one_update_of_each_message(core: Core) -> None:
    deployment = await core.start()
    await core.relay.settle()
    tasks = (await core.views.bare(deployment)).plan.steps[0].tasks
    for _ in range(6):
        await core.tick(deployment, "Prepare")
        for task in tasks:
            await core.click(f"untick:{deployment}:{task.id}")
    await core.tick(deployment, "Prepare")
    await core.relay.settle()
    assert len(core.chat.updates) == 2
    [card] = await core.channel()
    assert "2 of" in card.card.text


async def test_the_last_state_lands_when_ticks_go_on_while_it_is_shown(core: Core) -> None:
    deployment = await core.start()
    running = asyncio.create_task(core.relay.run())
    core.relay.wake()
    view = await core.views.bare(deployment)
    tasks = view.plan.steps[0].tasks
    for _ in range(5):
        for task in tasks:
            await core.click(f"untick:{deployment}:{task.id}")
            await core.click(f"tick:{deployment}:{task.id}")
            core.relay.wake()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await calm(core)
    [card] = await core.channel()
    assert card.card.text == (await core.say("status")).card.text  # type: ignore[union-attr]


async def test_nothing_new_is_nothing_sent(core: Core) -> None:
    await core.start()
    await core.relay.settle()
    core.chat.posts.clear()
    await core.relay.settle()
    await core.relay.settle(every=True)
    assert (core.chat.posts, core.chat.updates) == ([], [])


async def test_a_message_that_was_deleted_is_posted_anew_once_with_its_thread(core: Core) -> None:
    deployment = await core.start()
    await core.relay.settle()
    [card] = await core.channel()
    await core.delete(card)
    await core.tick(deployment, "Prepare")
    await calm(core)
    assert await once_each(core)
    [card] = await core.channel()
    assert [message.card.title for message in await core.thread(card)] == ["Prepare"]


async def test_a_new_reply_finds_its_card_deleted(core: Core) -> None:
    await core.start()
    await core.relay.settle()
    [card] = await core.channel()
    await core.delete(card)
    await core.sql("DELETE FROM posted_cards WHERE slot <> 'card'")
    await core.sql("UPDATE mirrors SET shown = 0")
    await calm(core)
    assert await once_each(core)
    [card] = await core.channel()
    assert len(await core.thread(card)) == 1


async def test_a_start_repairs_what_was_deleted_while_nobody_ran(core: Core) -> None:
    await core.start()
    await core.relay.settle()
    [card] = await core.channel()
    await core.delete(card)
    async with core.second() as restarted:
        await restarted.relay.settle(every=True)
    [card] = await core.channel()
    assert len(await core.thread(card)) == 1


async def test_every_looks_at_all_live_deployments(core: Core) -> None:
    for number in range(13):
        await core.start(f"v{number}", "shop")
        await core.say("cancel shop not now")
        await core.start(f"v{number}-s", "shop staging")
        await core.sql("UPDATE deployments SET locked = false WHERE environment = 'staging'")
    await calm(core)
    for message in await core.channel():
        await core.delete(message)
    async with core.second() as restarted:
        await restarted.relay.settle(every=True)
    assert len([message for message in await core.channel() if "staging" in message.card.text]) == 13


# --- what is said once ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["lost", "stored", "busy", "killed", "killed after", "broken", "channel gone"])
@pytest.mark.parametrize("at", [0, 1, 3])
async def test_a_fault_anywhere_doubles_and_loses_nothing(core: Core, fault: Fault, at: int) -> None:
    deployment = await core.start()
    await core.deploy(deployment)
    core.chat.faults = [*FINE[:at], fault]
    with contextlib.suppress(Killed):
        await core.relay.settle()
    async with core.second() as restarted:
        await calm(restarted)
    found = await keys(core)
    assert set(found.values()) == {1}, found
    assert f"{deployment}:started:web:{HERE}" in found


async def test_what_may_stand_is_looked_for_before_it_is_posted_again(core: Core) -> None:
    await core.say("incident open checkout is down")
    core.chat.faults = ["stored"]
    await calm(core)
    assert len(core.chat.posts) == 1
    assert core.chat.finds == core.chat.posts


async def test_while_nobody_can_tell_whether_it_stands_nothing_is_posted(core: Core) -> None:
    await core.start()
    await core.say("incident open checkout is down")
    core.chat.faults = ["stored", "stored"]
    await core.relay.settle()
    core.chat.blind = 2
    await core.time_passes()
    await core.relay.settle()
    assert len(core.chat.posts) == 2
    await calm(core)
    assert await once_each(core)


async def test_what_certainly_does_not_stand_is_posted_again(core: Core) -> None:
    await core.say("incident open checkout is down")
    core.chat.faults = ["lost", "lost"]
    await calm(core)
    assert len(core.chat.posts) == 3
    assert await once_each(core)


async def test_being_told_to_wait_ends_the_round_and_starves_nobody(core: Core) -> None:
    await core.start("v1", "shop")
    await core.start("v2", "shop staging")
    core.chat.faults = ["busy"]
    await core.relay.settle()
    assert len(core.chat.posts) <= 4
    assert len([key for key in core.chat.posts if key.endswith(":card")]) == 2
    assert len(await core.channel()) == 1
    await calm(core)
    assert len(await core.channel()) == 2


async def test_a_long_wait_is_kept(core: Core) -> None:
    await core.start()
    core.chat.faults = ["busy"]
    await core.relay.settle()
    core.chat.posts.clear()
    await core.relay.settle()
    await core.relay.settle(every=True)
    assert core.chat.posts == []


@pytest.mark.parametrize("place", ["cards", "announcement"])
async def test_a_stop_in_the_middle_gives_the_work_back_at_once(core: Core, place: str) -> None:
    await (core.start() if place == "cards" else core.say("incident open checkout is down"))
    core.chat.faults = ["hangs"]
    working = asyncio.create_task(core.relay.settle())
    await core.chat.out.wait()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    async with core.second() as restarted:
        await restarted.relay.settle()
    assert len(await core.channel()) == 1
    assert await once_each(core)


async def test_a_call_that_never_answers_is_given_up(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "LONGEST", relay_module.LONGEST / 450)
    await core.start()
    await core.say("incident open checkout is down")
    core.chat.faults = ["hangs", "hangs"]
    await core.relay.settle()
    await calm(core)
    assert len(await core.channel()) == 2
    assert await once_each(core)


async def test_announcements_stand_in_the_order_in_which_they_were_said(core: Core) -> None:
    deployment = await core.start()
    await core.deploy(deployment)
    await core.submit(f"rollback:{deployment}", {"reason": "errors"})
    await core.submit(f"rolledback:{deployment}", {"status": "fine"})
    core.chat.faults = [*FINE, "lost", "busy"]
    await calm(core)
    async with core.sandbox.engine.connect() as connection:
        found = await connection.execute(text("SELECT key FROM sandbox_messages WHERE channel = '#deployments'"))
        said = [key.split(":")[1] for (key,) in found if key.endswith(HERE)]
    assert said == ["started", "rollback_started", "rolled_back"]


FAULTS: list[Fault] = ["fine", "fine", "lost", "stored", "busy", "killed", "killed after", "broken", "channel gone"]


@given(st.lists(st.sampled_from(FAULTS), max_size=14))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@pytest.mark.slow
def test_every_message_stands_exactly_once_after_any_faults(
    migrated_file: Path, tmp_path: Path, faults: list[Fault]
) -> None:
    async def go() -> Counter[str]:
        url = f"sqlite:///{shutil.copy(migrated_file, tmp_path / f'{uuid.uuid4().hex}.db')}"
        async with open_core(url, a_folder(tmp_path / "checklists")) as core, core.second() as other:
            first, second = iter(faults[::2]), iter(faults[1::2])
            deployment = await core.start()
            await core.deploy(deployment)
            core.chat.faults, other.chat.faults = list(first), list(second)
            for step in range(16):
                mine = core if step % 2 else other
                with contextlib.suppress(Killed):
                    await mine.relay.settle()
                await core.time_passes()
                if step == 3:
                    await core.submit(f"rollback:{deployment}", {"reason": "errors"})
            core.chat.faults.clear()
            await calm(core)
            return await keys(core)

    found = asyncio.run(go())
    assert set(found.values()) == {1}, found
    assert {"d1:card", f"d1:started:web:{HERE}", f"d1:rollback_started:web:{HERE}"} <= set(found)
    assert "d1:rollback_started:web:#incidents" in found


async def test_two_relays_over_one_database_never_double_a_post(url: str, tmp_path: Path) -> None:
    async with open_core(url, a_folder(tmp_path / "checklists")) as core, core.second() as other:
        for more in ("shop", "shop staging", "pet preprod"):
            await core.deploy(await core.start("v1.2.0", more))
        await asyncio.gather(*(each.relay.settle() for each in (core, other, core, other)))
        await calm(core)
        assert await once_each(core)
        assert len(core.chat.posts) + len(other.chat.posts) == len(await keys(core))


# --- channels that do not exist -------------------------------------------------------------------------------------


async def test_without_an_extra_channel_the_main_one_is_told_once_and_hears_nothing_twice(core: Core) -> None:
    core.web.channels = (HERE,)
    deployment = await core.start()
    await core.relay.settle()
    await core.submit(f"rollback:{deployment}", {"reason": "errors"})
    await calm(core)
    said = [text for text in await core.texts() if "#incidents" in text]
    assert said == ["There is no channel #incidents here (or I am not in it), so this was said only in #deployments."]
    assert Counter(await core.texts()).most_common(1)[0][1] == 1


async def test_without_its_own_channel_the_cards_and_words_come_to_the_main_one_which_says_so(core: Core) -> None:
    core.web.channels = (HERE,)
    deployment = await core.start("v1.2.0", "pet preprod")
    await core.relay.settle()
    [card] = await core.channel()
    notices = [message.card.text for message in await core.thread(card) if "#engineering" in message.card.text]
    assert len(notices) == 1
    await core.submit(f"rollback:{deployment}", {"reason": "errors"})
    await calm(core)
    spoken = [text for text in await core.texts() if "errors" in text and "no channel #engineering" in text]
    assert len(spoken) == 1
    assert len([text for text in await core.texts() if "no channel #incidents" in text]) == 1
    assert await once_each(core)


async def test_an_extra_channel_is_missing_where_the_main_one_hears_nothing_of_it(core: Core) -> None:
    core.web.channels = (HERE, "#engineering")
    deployment = await core.start("v1.2.0", "pet preprod")
    await core.submit(f"rollback:{deployment}", {"reason": "errors"})
    await calm(core)
    [fallen] = await core.texts()
    assert "errors" in fallen
    assert "no channel #incidents" in fallen


async def test_a_channel_made_later_leaves_the_thread_where_its_card_is(core: Core) -> None:
    core.web.channels = (HERE,)
    deployment = await core.start("v1.2.0", "pet preprod")
    await core.relay.settle()
    core.web.channels = (HERE, "#engineering")
    await core.tick(deployment, "Prepare")
    await core.click(f"advance:{deployment}")
    await calm(core)
    [card] = await core.channel()
    assert {message.card.title for message in await core.thread(card)} >= {"Prepare", "Switch"}


# --- one that is broken ---------------------------------------------------------------------------------------------


async def test_a_deployment_that_cannot_be_read_does_not_stop_the_others(core: Core) -> None:
    broken = await core.start("v1", "shop")
    await core.sql("UPDATE events SET body = '{}' WHERE deployment = :id", id=broken)
    await core.start("v2", "shop staging")
    await core.say("incident open checkout is down")
    await core.relay.settle()
    assert len(await core.channel()) == 2


async def test_a_deployment_that_was_broken_is_shown_soon_after(core: Core) -> None:
    deployment = await core.start()
    async with core.sandbox.engine.connect() as connection:
        found = await connection.execute(text("SELECT seq, body FROM events"))
        bodies = [tuple(row) for row in found]
    await core.sql("UPDATE events SET body = '{}'")
    await core.relay.settle()
    for seq, body in bodies:
        await core.sql("UPDATE events SET body = :body WHERE seq = :seq", body=body, seq=seq)
    async with core.sandbox.engine.connect() as connection:
        held = (await connection.execute(text("SELECT held_until FROM mirrors"))).scalars().all()
    assert held == [None]
    await core.sql("UPDATE mirrors SET not_before = NULL")
    await core.relay.settle()
    assert len(await core.channel()) == 1
    assert deployment


async def test_a_relay_that_runs_shows_what_is_committed_when_it_is_woken(core: Core) -> None:
    running = asyncio.create_task(core.relay.run())
    await core.start()
    core.relay.wake()
    rings = core.sandbox.bell.rings
    async with asyncio.timeout(10):
        while not await core.channel():
            rings = await core.sandbox.bell.wait(rings, 5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
