"""A small team's deployment on Slack, as its people do and read it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.fakes.slack_faults import Fault
from tests.fakes.slack_screen import pressables
from tests.fakes.slack_team import MAIN, Health, Team, key_of, shop, team

__all__ = ["migrated_file", "sqlite_url"]

TUESDAY = "2026-11-24 10:00"
NIGHT = "2026-11-24 22:00"
OURS = ("@UQUINN", "@UOLU")
"""Whom the policy has called."""


@pytest.fixture(params=["socket", "http"])
async def either(request: pytest.FixtureRequest, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Team]:
    """By Socket Mode, and over HTTP."""
    async with team(sqlite_url, shop(tmp_path), "shop", TUESDAY, http=request.param == "http") as here:
        yield here


@pytest.fixture
async def here(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Team]:
    async with team(sqlite_url, shop(tmp_path), "shop", TUESDAY) as here:
        yield here


async def before_deployed(here: Team, version: str = "v1.2.0") -> None:
    await here.types(f"start {version}")
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


async def test_a_deployment_from_start_to_stable(either: Team) -> None:
    here = either
    answer = await here.types("start v1.2.0")
    assert answer.startswith("# Started shop v1.2.0 → production\nThe card is in #deployments")
    assert here.reads(here.card()).startswith(
        "# 🚀 shop v1.2.0 → production\nstarted by Ann 10:00\nPhase 1 of 3: *Before*"
    )
    assert [here.reads(m).splitlines()[0] for m in here.thread()] == ["# Before"]
    assert "🔔 @Quinn" in here.reads(here.thread()[0])
    assert here.slack.pings(here.thread()[0]) == ["@UQUINN"]

    await here.tick_all()
    assert here.ticked == ["quinn"]
    await here.press(here.card(), "Next phase")
    assert [here.reads(m).splitlines()[0] for m in here.thread()] == ["# ✅ Before", "# Deploy"]
    assert here.reads(here.thread()[0]) == "# ✅ Before\n🔔 @Quinn\n✅ 2 of 2 · Ann, Quinn\n[Open]"
    await here.tick_all()
    await here.press(here.card(), "Deployed")
    assert "Deployed 10:00 by Ann" in here.reads(here.card())
    await here.tick_all()
    assert here.said(MAIN)[1:] == []
    await here.move(minutes=30)
    check = here.reads(here.in_thread("30-minute check"))
    assert check.splitlines()[:2] == ["# ✅ 30-minute check: healthy", "✅ *Error rate*: 0.05% · target < 1%"]
    assert "(image: Error rate 0.05%" in check
    await here.move(hours=24)
    assert "*Stable* since Wed 25 Nov 10:00" in here.reads(here.card())
    assert [text.splitlines()[0] for text in here.said(MAIN)] == [
        "🚀 Production Deployment Starting", "✅ Production Deployment Complete", "Deployment stable: shop v1.2.0",
    ]  # fmt: skip
    keys = [key_of(message) for message in here.slack.posted["C1"].values()]
    assert len(keys) == len(set(keys))
    assert [call for call in here.slack.calls if call.error] == []


async def test_an_item_is_ticked_undone_excused_noted_and_its_command_shown(either: Team) -> None:
    here = either
    await before_deployed(here)
    phase = here.thread()[-1]
    assert "☐" not in here.reads(phase)
    phase = here.thread()[0]
    opener = next(each for each in pressables(phase.blocks) if each.label == "Open")
    await here.press(phase, opener.label)
    section = await here.slack.until(lambda: here.whispers()[-1:], what="the section")
    assert "✅ Tests pass" in here.reads(section[0])

    await here.types("cancel wrong version")
    await here.types("start v1.2.1")
    phase = here.thread()[0]
    tick = next(each for each in pressables(phase.blocks) if each.label == "Tick")
    await here.press(phase, tick.value or "")
    assert "✅ Tests pass\n[⋯ Undo | Note… | Show command]\nAnn 10:00" in here.reads(here.thread()[0])
    await here.press(here.thread()[0], "Undo")
    assert "☐ Tests pass" in here.reads(here.thread()[0])
    item = str(tick.value).removeprefix("tick:")
    await here.press(here.thread()[0], f"note:{item}")
    assert (await here.fills(text="flaky & <!channel>")).ok
    assert "📝 Ann 10:00: flaky & <!channel>" in here.reads(here.thread()[0])
    assert here.slack.pings(here.thread()[0]) == ["@UQUINN"]
    await here.press(here.thread()[0], f"excuse:{item}")
    assert (await here.fills(reason="docs only")).ok
    assert "➖ Tests pass" in here.reads(here.thread()[0])
    assert "Ann 10:00: not applicable, docs only" in here.reads(here.thread()[0])
    before = len(here.whispers())
    await here.press(here.thread()[0], f"show:{item}")
    [shown] = await here.slack.until(lambda: here.whispers()[before:], what="the command")
    assert "make test | tee log" in here.reads(shown)
    assert shown.thread_ts == here.card().ts


async def test_a_section_of_an_ended_run_can_still_be_opened_after_a_restart(here: Team) -> None:
    await succeeded(here)
    here.app.front._slack.chat._owners.clear()  # type: ignore[attr-defined]
    await here.move(hours=24)
    phase = here.thread()[0]
    assert here.reads(phase).endswith("✅ 2 of 2 · Ann, Quinn\n[Open]")
    before = len(here.whispers())
    await here.press(phase, "Open")
    [shown] = await here.slack.until(lambda: here.whispers()[before:], what="the section")
    assert "✅ QA sign-off" in here.reads(shown)


# --- what only the asker sees ---------------------------------------------------------------------------------------


async def test_deploy_alone_opens_the_form_that_says_whether_the_gate_is_open(sqlite_url: str, tmp_path: Path) -> None:
    async with team(sqlite_url, shop(tmp_path), "shop", NIGHT) as here:
        assert await here.types("") == ""
        form = await here.modal()
        assert "shop → production: closed: after 17:00. Opens Wed 25 Nov 09:00 UTC, in 11 h" in here.reads(form)
        await here.slack.user("UANN").choose(form, "environment", "staging")
        await here.slack.until(lambda: "shop → staging: open" in here.reads(form), what="the other gate")
        assert (await here.fills(version="v1.2.0", service="shop", environment="production")).errors != {}
        assert "closed" in str((await here.fills(version="v1.2.0", environment="production")).errors)
        assert (await here.fills(version="v1.2.0", environment="staging", note="a try")).ok
        assert "shop v1.2.0 → staging" in here.reads(here.card())


async def test_mistakes_are_told_to_their_author_alone(here: Team) -> None:
    assert "There is no `/deploy stat`. Did you mean `/deploy start`?" in await here.types("stat v1")
    assert "Start one with `/deploy start v1.2.0`" in await here.types("status")
    await here.types("start v1.2.0")
    before = here.slack.messages(MAIN)
    await here.press(here.card(), "Next phase")
    told = await here.slack.until(lambda: [m for m in here.whispers() if "Not yet" in here.reads(m)], what="a word")
    assert "“Before” still needs 2 items ticked or excused:\n• Tests pass\n• QA sign-off" in here.reads(told[0])
    assert here.slack.messages(MAIN) == before
    assert "shop v1.2.0 is already being deployed to production" in await here.types("start v1.3.0")
    await here.press(here.card(), "Cancel…")
    ack = await here.fills(reason="   ")
    assert ack.errors == {"reason": "Please write a reason; it is kept with the deployment."}


async def test_who_is_in_the_group_may_tick_what_is_the_groups(sqlite_url: str, tmp_path: Path) -> None:
    async with team(sqlite_url, shop(tmp_path, qa="SQA"), "shop", TUESDAY) as here:
        await here.types("start v1.2.0")
        assert here.slack.pings(here.thread()[0]) == ["!subteam^SQA"]
        sign = [each.value for each in pressables(here.thread()[0].blocks) if each.label == "Tick"][1] or ""
        await here.press(here.thread()[0], sign, "quinn")
        assert not await here.item(sign)
        await here.press(here.thread()[0], sign, "pat")
        assert await here.item(sign)


async def test_nothing_typed_calls_the_channel(here: Team) -> None:
    for text in (
        "start <!channel>",
        "start v1 <!here>",
        'freeze add "1 dec - 3 jan" <!channel> @everyone',
        "stat <!channel>",
    ):
        await here.types(text)
    await here.types("start v1.2.0")
    await here.types("cancel <!channel> @ana *bold*")
    assert "<!channel> @ana *bold*" in here.reads(here.card()).replace("\u200b", "")
    await succeeded(here)
    assert "- Faster for & <@U1> @everyone" in here.said(MAIN)[-1]
    standing = [*here.slack.posted["C1"].values(), *here.slack.ephemerals]
    assert [ping for m in standing for ping in here.slack.pings(m) if ping not in OURS] == []


# --- issue and rollback ---------------------------------------------------------------------------------------------


async def test_an_issue_is_announced_and_the_rollback_offers_the_versions_that_were_good(here: Team) -> None:
    await succeeded(here, "v1.1.0")
    await deployed(here)
    await here.service.set_health(Health.FAILING)
    await here.move(minutes=30)
    issue = here.said(MAIN)[-1]
    assert issue == (
        "⚠️ Issue detected in production. Investigating...\nshop v1.2.0: Error rate 7.2%\n[Acknowledge] [Roll back…]"
    )
    assert "@UOLU" in here.slack.pings(here.slack.messages(MAIN)[-1])
    await here.press(here.card(), "Roll back…", "olu")
    form = here.reads(await here.modal("olu"))
    assert "Back to which version?: [v1.1.0 ▾ v1.1.0]" in form
    assert "Nothing stands in the way of a rollback." in form
    await here.fills("olu", reason="Error rate at 7%", next_steps="Fix the query")
    assert "Rolling back* to v1.1.0 since" in here.reads(here.card())
    await here.tick_all()
    await here.press(here.card(), "Rolled back…", "olu")
    await here.fills("olu", status="All quiet")
    assert "Rolled back* to v1.1.0 at" in here.reads(here.card())
    assert "Status: All quiet" in here.said(MAIN)[-1]
    assert await here.status() == "rolled back"


async def test_a_freeze_is_asked_for_in_a_form_and_closes_the_gate(here: Team) -> None:
    await here.types("freeze add")
    assert (await here.fills(when="today", reason="stocktaking")).ok
    assert "stocktaking" in await here.types("start v1.2.0")
    told, turned = map(here.reads, here.slack.messages(MAIN))
    assert told.startswith("🧊 Ann added a freeze: in force now, until tomorrow 00:00 (UTC): stocktaking")
    assert turned == "✋ Ann was turned away from starting shop v1.2.0 → production: stocktaking"


# --- the Home tab ---------------------------------------------------------------------------------------------------


async def test_the_home_tab_has_ones_own_open_items_first_and_follows(here: Team) -> None:
    assert here.slack.user("UQUINN").home is None
    await here.types("start v1.2.0")
    await here.slack.user("UQUINN").open_home()
    home = await here.slack.until(lambda: here.slack.user("UQUINN").home, what="the Home tab")
    shown = here.reads(home)
    assert "*Waiting for you*: QA sign-off\nOpen: Tests pass\n[Tick: QA sign-off]" in shown
    assert "*shop*: open until Tue 24 Nov 17:00 UTC, 7 h left" in shown
    await here.press(home, "Tick: QA sign-off", "quinn")
    assert "✅ QA sign-off" in here.reads(here.thread()[0])
    await here.tick_all()
    await here.slack.until(lambda: "QA sign-off" not in here.reads(here.slack.user("UQUINN").home), what="news")  # type: ignore[arg-type]
    assert here.slack.user("UANN").home is None, "nobody else looked"


# --- Slack's own troubles -------------------------------------------------------------------------------------------


async def test_a_burst_of_clicks_is_few_edits_and_the_last_state_lands(here: Team) -> None:
    await here.types("start v1.2.0")
    phase, edits = here.thread()[0], len(here.slack.called("chat.update"))
    tick = next(each for each in pressables(phase.blocks) if each.label == "Tick")
    old = phase.snapshot()
    for _ in range(10):
        await here.slack.user("UANN").click(old, value=tick.value)
        row = str(tick.value).replace("tick:", "untick:")
        await here.app.router.click(
            row, who=(await here.app.front._slack._roster.who("UANN")), key=f"u{_}", channel=MAIN
        )  # type: ignore[attr-defined]
    await here.slack.user("UANN").click(old, value=tick.value)
    here.slack.faults.script("chat.update", Fault.ratelimited(1))
    await here.app.settle()
    await here.slack.until(lambda: "✅ Tests pass" in here.reads(here.thread()[0]), what="the last state")
    assert len(here.slack.called("chat.update")) - edits <= 3


async def test_an_answer_that_is_lost_after_slack_took_the_message_doubles_nothing(here: Team) -> None:
    here.slack.faults.script(
        "chat.postMessage", Fault.status(503, stored=True), Fault.drop(stored=True), Fault.error(stored=True)
    )
    await here.types("start v1.2.0")
    for _ in range(4):
        await here.time_passes()
    keys = [key_of(message) for message in here.slack.posted["C1"].values()]
    assert sorted(keys) == sorted(set(keys))
    assert [m.is_reply for m in here.slack.posted["C1"].values()].count(True) == 1
    await here.tick_all()
    await here.press(here.card(), "Next phase")
    await here.tick_all()
    here.slack.faults.script("chat.postMessage", Fault.drop(stored=True), when=lambda body: "Production" in str(body))
    await here.press(here.card(), "Deployed")
    await here.time_passes()
    assert len(here.said(MAIN)) == 1


async def test_a_deleted_card_is_posted_again_once_with_its_thread(here: Team) -> None:
    await here.types("start v1.2.0")
    here.slack.delete(here.thread()[0])
    here.slack.delete(here.card())
    await here.look_round()
    cards = [m for m in here.slack.messages(MAIN) if ":card" in key_of(m)]
    assert len(cards) == 1
    assert [here.reads(m).splitlines()[0] for m in here.thread()] == ["# Before"]


async def test_a_card_too_old_to_be_edited_points_to_the_new_one(here: Team) -> None:
    await here.types("start v1.2.0")
    old = here.card()
    here.slack.edit_window = 0.0
    await here.move(minutes=1)
    await here.look_round()
    here.slack.edit_window = None
    assert here.card().ts != old.ts
    under = here.slack.messages(MAIN, old.ts)
    assert "The current one stands further down in this channel" in here.reads(under[-1])
    await here.look_round()
    assert len([m for m in here.slack.messages(MAIN) if key_of(m).endswith(":card")]) == 2
