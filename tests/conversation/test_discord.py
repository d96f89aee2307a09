"""A small team's deployment on Discord, as its people do and read it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.discord import cache, rooms
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.conversation.discord_team import MAIN, NUMBERS, Health, Team, shop, team
from tests.fakes import discord_shapes
from tests.fakes.discord import Fault
from tests.fakes.discord_screen import pressables

__all__ = ["migrated_file", "sqlite_url"]

TUESDAY = "2026-11-24 10:00"
NIGHT = "2026-11-24 22:00"


@pytest.fixture
async def here(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Team]:
    async with team(sqlite_url, shop(tmp_path), "shop", TUESDAY) as here:
        yield here


async def before_deployed(here: Team, version: str = "v1.2.0") -> None:
    await here.types("start", version=version)
    await here.tick_all()
    await here.press(here.card(), "Next phase")
    await here.tick_all()


async def deployed(here: Team, version: str = "v1.2.0") -> None:
    await before_deployed(here, version)
    await here.press(here.card(), "Deployed")


async def succeeded(here: Team, version: str = "v1.2.0") -> None:
    await deployed(here, version)
    await here.tick_all()
    await here.move(minutes=30)


# --- from start to stable -------------------------------------------------------------------------------------------


async def test_a_deployment_from_start_to_stable(here: Team) -> None:
    answer = await here.types("start", version="v1.2.0")
    assert answer.ephemeral
    assert answer.text.startswith("## Started shop v1.2.0 → production\nThe card is in #deployments")
    assert here.reads(here.card()).startswith(
        "## 🚀 shop v1.2.0 → production\n-# started by Ann <t:1795514400:f>\nPhase 1 of 3: **Before**"
    )
    [phase] = here.thread()
    assert here.reads(phase).startswith("🔔 @Quinn\n## Before")
    assert here.discord.pings(phase) == ["@Quinn"]
    thread = here.discord.thread(here.card())
    assert thread is not None
    assert thread.name == "🚀 shop v1.2.0 → production"

    await here.tick_all()
    assert here.ticked == ["quinn"]
    await here.press(here.card(), "Next phase")
    assert "✅ 2 of 2 · Ann, Quinn\n[Open]" in here.reads(here.thread()[0])
    await here.tick_all()
    await here.press(here.card(), "Deployed")
    assert "Deployed <t:1795514400:f> by Ann" in here.reads(here.card())
    await here.tick_all()
    assert len(await here.said(MAIN)) == 1
    await here.move(minutes=30)
    check = here.in_thread("30-minute check")
    assert "✅ **Error rate**: 0.05%" in here.reads(check)
    assert here.discord.pings(check) == []
    await here.move(hours=24)
    assert "**Stable** since" in here.reads(here.card())
    assert [text.splitlines()[0] for text in await here.said(MAIN)] == [
        "🚀 Production Deployment Starting", "✅ Production Deployment Complete", "Deployment stable: shop v1.2.0",
    ]  # fmt: skip
    assert len(here.markers()) == len(set(here.markers()))
    refused = [(call.name, call.code) for call in here.discord.calls if call.status >= 400 and call.code != 10003]
    assert refused == [], "but for asking whether there is a thread"


async def test_an_item_is_ticked_undone_excused_noted_and_its_command_shown(here: Team) -> None:
    await before_deployed(here)
    shown = await here.press(here.thread()[0], "Open")
    assert "✅ Tests pass" in shown.text
    assert shown.ephemeral
    assert shown.message is not None
    assert "make test | tee log" not in shown.text

    await here.types("cancel", reason="wrong version")
    await here.types("start", version="v1.2.1")
    phase = here.thread()[0]
    tick = next(each for each in pressables(phase) if each.label == "Tick")
    done = await here.press(phase, tick.custom_id)
    assert done.kind == 6, "a silent update: the channel shows it"
    assert "✅ Tests pass\n-# Ann 10:00\n[Undo]" in here.reads(here.thread()[0])
    await here.press(here.thread()[0], "Undo")
    assert "☐ Tests pass" in here.reads(here.thread()[0])
    item = tick.custom_id.removeprefix("tick:")
    whole = await here.choose(here.thread()[0], "More about an item…", f"show:{item}")
    assert "make test | tee log" in whole.text
    assert whole.message is not None
    await here.press(whole.message, "Note…")
    await here.fills(text="flaky & @everyone")
    assert "📝 Ann 10:00: flaky & @\u200beveryone" in here.reads(here.thread()[0]).replace("\\", "")
    await here.press(whole.message, f"excuse:{item}")
    await here.fills(reason="docs only")
    assert "➖ Tests pass" in here.reads(here.thread()[0])
    assert "Ann 10:00: not applicable, docs only" in here.reads(here.thread()[0])
    assert here.discord.pings(here.thread()[0]) == ["@Quinn"]


async def test_one_item_is_shown_whole_by_a_command_that_offers_the_open_ones(here: Team) -> None:
    await here.types("start", version="v1.2.0")
    ann = here.discord.person(NUMBERS["ann"])
    offered = await ann.complete("deploy items", "item", "test", channel=MAIN)
    assert [each["name"] for each in offered] == ["Tests pass"]
    whole = await here.types("items", item=offered[0]["value"])
    assert "make test | tee log" in whole.text
    assert whole.message is not None
    await here.press(whole.message, "Tick")
    assert "✅ Tests pass" in here.reads(here.thread()[0])


async def test_a_section_of_an_ended_run_can_still_be_opened_after_a_restart(here: Team) -> None:
    await succeeded(here)
    chat = here.app.front._discord.chat  # type: ignore[attr-defined]
    chat._owners.clear()
    chat._markers.clear()
    await here.move(hours=24)
    assert "✅ QA sign-off" in (await here.press(here.thread()[0], "Open")).text
    assert len(here.markers()) == len(set(here.markers())), "each is still found by its own key"


# --- what only the asker sees ---------------------------------------------------------------------------------------


async def test_what_can_come_next_is_offered(here: Team) -> None:
    await here.types("start", version="v1.2.0")
    ann = here.discord.person(NUMBERS["ann"])

    async def offers(command: str, option: str, typed: str = "", **more: str) -> list[str]:
        return [each["value"] for each in await ann.complete(f"deploy {command}", option, typed, channel=MAIN, **more)]

    assert await offers("start", "service", version="v1") == ["shop"]
    assert await offers("start", "environment", "st", version="v1", service="shop") == ["staging"]
    assert await offers("start", "environment", "prod", version="v1") == ["production"]
    assert await offers("status", "service", "sh") == ["shop"]
    assert await offers("status", "environment") == ["production"]
    assert await offers("checklist", "name") == ["shop"]
    await here.types("freeze add", when="1 dec - 3 jan", reason="year-end sales")
    assert len(await offers("freeze remove", "id")) == 1
    await here.types("incident open", reason="checkout is down")
    assert len(await offers("incident close", "id")) == 1


async def test_the_versions_that_were_good_are_offered_for_a_rollback(here: Team) -> None:
    await succeeded(here, "v1.1.0")
    await deployed(here)
    ann = here.discord.person(NUMBERS["ann"])
    for chosen in ({}, {"service": "shop"}, {"service": "shop", "environment": "production"}):
        offered = await ann.complete("deploy rollback", "version", "v1", channel=MAIN, **chosen)
        assert [each["value"] for each in offered] == ["v1.1.0"], chosen
    await here.types("rollback", "olu", version="v1.1.0", reason="to production at v2 --yes")
    assert "Reason: to production at v2 --yes" in (await here.said(MAIN))[-1]


async def test_mistakes_are_told_to_their_author_alone(here: Team) -> None:
    assert "Start one with `/deploy start v1.2.0`" in (await here.types("status")).text
    await here.types("start", version="v1.2.0")
    before = [here.reads(m) for m in here.discord.messages(MAIN)]
    told = await here.press(here.card(), "Next phase")
    assert told.ephemeral
    assert "“Before” still needs 2 items ticked or excused" in told.text
    assert [here.reads(m) for m in here.discord.messages(MAIN)] == before
    assert "shop v1.2.0 is already being deployed to production" in (await here.types("start", version="v1.3.0")).text
    assert "please fill in `lane`" in (await here.types("start", version="v1", reason="urgent")).text
    assert "fill in `when`" in (await here.types("freeze add", reason="sales")).text


async def test_a_refused_form_is_opened_again_with_what_was_typed(here: Team) -> None:
    await here.types("freeze add")
    refused = await here.fills(when="some day", reason="stocktaking")
    assert refused.ephemeral
    assert refused.message is not None
    assert [each.label for each in pressables(refused.message)] == ["Correct it…"]
    await here.press(refused.message, "Correct it…")
    assert "stocktaking" in here.reads(here.modal())
    await here.fills(when="today")
    assert "stocktaking" in (await here.types("start", version="v1.2.0")).text


async def test_who_has_the_servers_role_may_tick_what_is_the_roles(sqlite_url: str, tmp_path: Path) -> None:
    role = 1_600_000_000_000_000_001
    async with team(sqlite_url, shop(tmp_path, qa=f"role:{role}"), "shop", TUESDAY) as here:
        here.discord.add_role("testers", mentionable=True, id=role)
        here.discord.dispatch("GUILD_ROLE_CREATE", _role(here, role))
        here.discord.give_role(NUMBERS["pat"], role)
        await here.types("start", version="v1.2.0")
        assert here.discord.pings(here.thread()[0]) == ["@&testers"]
        sign = [each.custom_id for each in pressables(here.thread()[0]) if each.label == "Tick"][1]
        await here.press(here.thread()[0], sign, "quinn")
        assert not await here.item(sign)
        await here.press(here.thread()[0], sign, "pat")
        assert await here.item(sign)


def _role(here: Team, role: int) -> dict[str, object]:
    return {"guild_id": str(here.discord.guild_id), "role": discord_shapes.role(here.discord.roles[role])}


async def test_nothing_typed_calls_anybody(here: Team) -> None:
    await here.types("start", version="v1 @here")
    await here.types("freeze add", when="1 dec - 3 jan", reason=f"<@{NUMBERS['ann']}> @everyone")
    await here.types("start", version="v1.2.0")
    await here.types("cancel", reason=f"<@{NUMBERS['ann']}> @everyone *bold*")
    await succeeded(here)
    everywhere = [m for rows in here.discord.posted.values() for m in rows.values()] + here.discord.ephemerals
    assert {ping for m in everywhere for ping in here.discord.pings(m)} == {"@Quinn", "@Olu"}


# --- issue and rollback ---------------------------------------------------------------------------------------------


async def test_an_issue_is_announced_and_the_rollback_ends_it(here: Team) -> None:
    await succeeded(here, "v1.1.0")
    await deployed(here)
    await here.service.set_health(Health.FAILING)
    await here.move(minutes=30)
    issue = "⚠️ Issue detected in production. Investigating...\nshop v1.2.0: Error rate 7.2%"
    assert (await here.said(MAIN))[-1].startswith(issue)
    await here.press(here.card(), "Roll back…", "olu")
    assert "v1.1.0" in here.reads(here.modal("olu"))
    await here.fills("olu", reason="Error rate at 7%", next_steps="Fix the query")
    assert "Rolling back** to v1.1.0 since" in here.reads(here.card())
    await here.tick_all()
    await here.press(here.card(), "Rolled back…", "olu")
    await here.fills("olu", status="All quiet")
    assert "Status: All quiet" in (await here.said(MAIN))[-1]
    assert await here.status() == "rolled back"


async def test_a_closed_gate_says_when_it_opens(sqlite_url: str, tmp_path: Path) -> None:
    async with team(sqlite_url, shop(tmp_path), "shop", NIGHT) as here:
        assert "closed: after 17:00" in (await here.types("start", version="v1.2.0")).text
        assert "open" in (await here.types("window", environment="staging", at="fri 10:00")).text
        await here.types("start", version="v1.2.0", environment="staging")
        assert "shop v1.2.0 → staging" in here.reads(here.card())


# --- Discord's own troubles -----------------------------------------------------------------------------------------


async def test_a_burst_of_clicks_is_few_edits_and_the_last_state_lands(here: Team) -> None:
    await here.types("start", version="v1.2.0")
    phase, edits = here.thread()[0], len(here.discord.called("PATCH /channels/*/messages/*"))
    tick = next(each.custom_id for each in pressables(phase) if each.label == "Tick")
    ann = here.discord.person(NUMBERS["ann"])
    for _ in range(10):
        await ann.click(phase, tick)
        row = tick.replace("tick:", "untick:")
        who = (await here.app._views.bare(tick.split(":")[1])).state.marks[tick.split(":", 2)[2]].by
        await here.app.router.click(row, who=who, key=f"u{_}", channel=MAIN)
    await ann.click(phase, tick)
    here.discord.faults.script("PATCH /channels/*/messages/*", Fault.ratelimited(0.05))
    await here.app.settle()
    assert "✅ Tests pass" in here.reads(here.thread()[0])
    assert len(here.discord.called("PATCH /channels/*/messages/*")) - edits <= 3


async def test_an_answer_that_is_lost_after_discord_took_the_message_doubles_nothing(here: Team) -> None:
    here.discord.faults.script("POST /channels/*/messages", Fault.drop(stored=True), Fault.drop(stored=True))
    await here.types("start", version="v1.2.0")
    for _ in range(3):
        await here.time_passes()
    assert len(here.markers()) == len(set(here.markers())) == 2
    here.discord.nonces.clear()  # minutes later, Discord knows them no more
    await here.tick_all()
    here.discord.faults.script("POST /channels/*/messages", Fault.drop(stored=True), times=2)
    await here.press(here.card(), "Next phase")
    here.discord.nonces.clear()
    for _ in range(3):
        await here.time_passes()
    assert len(here.markers()) == len(set(here.markers()))


async def test_a_deleted_card_is_posted_again_once_with_its_thread(here: Team) -> None:
    await here.types("start", version="v1.2.0")
    old = here.card()
    here.discord.remove_message(here.thread()[0])
    here.discord.remove_message(old)
    await here.look_round()
    assert here.card().id != old.id
    assert len(here.discord.messages(MAIN)) == 1
    assert len(here.thread()) == 1


async def test_a_thread_that_was_archived_is_opened_again_for_an_edit(here: Team) -> None:
    await here.types("start", version="v1.2.0")
    thread = here.discord.thread(here.card())
    assert thread is not None
    here.discord.archive(thread)
    await here.tick_all()
    assert "✅ Tests pass" in here.reads(here.thread()[0]) or "2 of 2" in here.reads(here.thread()[0])


async def test_a_thread_that_was_deleted_is_made_again(here: Team) -> None:
    await here.types("start", version="v1.2.0")
    thread = here.discord.thread(here.card())
    assert thread is not None
    here.discord.remove_thread(thread)
    await here.look_round()
    assert here.reads(here.thread()[0]).startswith("🔔 @Quinn\n## Before")


async def test_a_channel_that_may_not_be_posted_to_is_told_and_caught_up_with(
    here: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_AGAIN", 0.0)
    monkeypatch.setattr(rooms, "_MISSED", 0.0)
    here.discord.forbid("deployments", "SEND_MESSAGES")
    await here.types("start", version="v1.2.0")
    told = (await here.types("status")).text
    assert "Discord: I may not Send Messages in #deployments: allow it to my role" in told.replace("\u200b", "")
    here.discord.allow("deployments", "SEND_MESSAGES")
    for _ in range(3):
        await here.time_passes()
    assert "Phase 1 of 3" in here.reads(here.card())
    assert "Discord:" not in (await here.types("status")).text
