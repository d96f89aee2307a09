"""Commands, completions, clicks and forms: committed, then answered, within the three seconds Discord waits."""

from __future__ import annotations

import asyncio

import pytest

from adapters.discord.adapter import DiscordAdapter
from bot.cards.card import Answer, Button, Buttons, Card
from bot.ports import StoreError
from tests.adapters.discord.kit import (
    ASK,
    BUTTONS,
    CHECKLIST,
    HELLO,
    QA,
    REFUSED,
    Core,
    Delivery,
    Held,
    adapter_on,
    posted,
    said,
)
from tests.fakes.discord import FakeDiscord, Fault
from tests.fakes.discord_screen import pressables

MESSAGE, DEFERRED, SILENT, MODAL = 4, 5, 6, 9
"""Types of the first response (interactions/receiving-and-responding)."""


# --- commands -------------------------------------------------------------------------------------------------------


async def test_a_command_is_answered_to_its_author_alone(
    server: FakeDiscord, core: Core, adapter: DiscordAdapter
) -> None:
    core.replies['start "v1.2.0" "shop"'] = Answer(card=HELLO)
    server.give_role("ana", QA)
    answer = await server.person("ana").slash("deploy start", channel="deployments", version="v1.2.0", service="shop")
    assert answer.kind == MESSAGE
    assert answer.ephemeral
    assert "Hello **everybody**." in answer.text
    [got] = core.got
    assert (got.key, got.channel) == (f"discord:{answer.interaction.id}", "#deployments")
    assert (got.who.chat, got.who.name, got.who.roles) == ("discord", "Ana", {"qa"})
    assert server.messages("deployments") == []


async def test_what_takes_long_is_answered_later(server: FakeDiscord, core: Core) -> None:
    held = Held(Answer(card=HELLO))
    core.replies["status"] = held
    async with adapter_on(server, core, patience=0.05):
        answer = await server.person("ana").slash("deploy status", channel="deployments")
        assert (answer.kind, answer.ephemeral) == (DEFERRED, True)
        assert core.got == []
        held.go.set()
        await answer.settled()
        assert "Hello **everybody**." in answer.text


async def test_a_form_that_comes_late_is_offered_by_a_button(server: FakeDiscord, core: Core) -> None:
    held = Held(Answer(form=ASK))
    core.replies["cancel"] = held
    async with adapter_on(server, core, patience=0.05):
        ana = server.person("ana")
        answer = await ana.slash("deploy cancel", channel="deployments")
        held.go.set()
        await answer.settled()
        assert answer.message is not None
        assert (await ana.click(answer.message, "Open the form…")).kind == MODAL


async def test_a_database_that_is_away_is_told_in_words(
    server: FakeDiscord, core: Core, adapter: DiscordAdapter
) -> None:
    core.replies["list"] = StoreError("disk full")
    answer = await server.person("ana").slash("deploy list", channel="deployments")
    assert "The database cannot be written now, so nothing was changed. Please try again." in answer.text
    core.replies["list"] = RuntimeError("a fault of ours")
    answer = await server.person("ana").slash("deploy list", channel="deployments")
    assert "Something went wrong here, and it is in the log." in answer.text


async def test_a_completion_is_the_last_word_of_what_the_core_offers(
    server: FakeDiscord, core: Core, adapter: DiscordAdapter
) -> None:
    offered = await server.person("ana").complete("deploy status", "service", "", channel="deployments")
    assert [(each["name"], each["value"]) for each in offered] == [("shop · checklist", "shop")]


# --- clicks ---------------------------------------------------------------------------------------------------------


async def test_a_click_is_committed_and_then_answered_silently(server: FakeDiscord, core: Core) -> None:
    held = Held(Answer())
    core.replies["advance:d1"] = held
    async with adapter_on(server, core, patience=2.0) as adapter:
        message = await posted(server, adapter, BUTTONS)
        clicking = server.person("ana").click(message, "Next")
        click = asyncio.create_task(clicking)
        await held.asked.wait()
        assert not server.called("POST /interactions/*")
        held.go.set()
        answer = await click
        assert answer.kind == SILENT
        assert [each.what for each in core.got] == ["advance:d1"]
        assert server.person("ana").whispers == []


async def test_a_check_is_asked_for_again(server: FakeDiscord, core: Core, adapter: DiscordAdapter) -> None:
    """No verb of the adapter's own stands in the way."""
    buttons = (
        Button("Check again", "again:d1:t30:0"),
        Button("Measure", "measure:d1:i1"),
        Button("Note…", "note:d1:i1"),
    )
    message = await posted(server, adapter, Card("A check", "A check.", (Buttons(buttons),)))
    for button in buttons:
        await server.person("ana").click(message, button.label)
    assert [got.what for got in core.got] == [button.action for button in buttons]


async def test_a_slow_click_that_says_nothing_leaves_nothing_behind(server: FakeDiscord, core: Core) -> None:
    held = Held(Answer())
    core.replies["advance:d1"] = held
    async with adapter_on(server, core, patience=0.05) as adapter:
        answer = await server.person("ana").click(await posted(server, adapter, BUTTONS), "Next")
        assert answer.kind == DEFERRED
        held.go.set()
        await server.until(lambda: not server.person("ana").whispers, what="gone")


async def test_a_refusal_is_whispered(server: FakeDiscord, core: Core, adapter: DiscordAdapter) -> None:
    core.replies["advance:d1"] = REFUSED
    answer = await server.person("ana").click(await posted(server, adapter, BUTTONS), "Next")
    assert answer.ephemeral
    assert "The window is closed." in answer.text


async def test_an_answer_of_several_messages_is_told_whole(
    server: FakeDiscord, core: Core, adapter: DiscordAdapter
) -> None:
    rows = tuple(
        type(CHECKLIST.blocks[3])(f"i{n}", f"Item {n} {'x' * 90}", CHECKLIST.blocks[3].state) for n in range(60)
    )  # type: ignore[union-attr]
    core.replies["items"] = Answer(card=type(HELLO)("Open items", "60 items", rows))
    answer = await server.person("ana").slash("deploy items", channel="deployments")
    await server.until(lambda: "Item 59" in answer.text, what="the last of them")
    assert all(each.ephemeral_to for each in answer.followups)


async def test_an_item_and_a_section_are_shown_whole_to_who_asks(
    server: FakeDiscord, core: Core, adapter: DiscordAdapter
) -> None:
    message = await posted(server, adapter, CHECKLIST)
    section = await server.person("ana").click(message, "Open")
    assert "✅ Unit tests" in section.text
    whole = await server.person("ana").choose(message, "More about an item…", "show:d1:i2")
    assert "kubectl apply" in whole.text
    assert whole.message is not None
    assert [each.custom_id for each in pressables(whole.message)] == ["tick:d1:i2"]
    core.shown = ()
    assert "That cannot be shown now" in (await server.person("ben").click(message, "Open")).text
    assert core.got == [], "the core is not asked to do anything"


# --- forms ----------------------------------------------------------------------------------------------------------


async def test_a_form_is_the_first_answer_and_its_values_reach_the_core(
    server: FakeDiscord, core: Core, adapter: DiscordAdapter
) -> None:
    core.replies["boom:d1"] = Answer(form=ASK)
    ana = server.person("ana")
    answer = await ana.click(await posted(server, adapter, BUTTONS), "Boom")
    assert answer.kind == MODAL
    assert ana.modal is not None
    sent = await ana.submit(ana.modal, {"reason": "docs only"})
    assert sent.kind == SILENT
    got = core.got[-1]
    assert (got.what, got.values, got.channel) == ("excuse:d1:i2", {"reason": "docs only", "note": ""}, "#deployments")
    assert got.key == f"discord:{sent.interaction.id}"


async def test_a_form_from_before_a_restart_is_taken(server: FakeDiscord, core: Core) -> None:
    ana = server.person("ana")
    core.replies["boom:d1"] = Answer(form=ASK)
    async with adapter_on(server, core) as adapter:
        await ana.click(await posted(server, adapter, BUTTONS), "Boom")
    assert ana.modal is not None
    core.replies["excuse:d1:i2"] = said("Noted.")
    async with adapter_on(server, core):
        sent = await ana.submit(ana.modal, {"reason": "docs only"})
        assert "Noted." in sent.text
    assert core.got[-1].values["reason"] == "docs only"


async def test_a_refused_form_can_be_corrected(server: FakeDiscord, core: Core, adapter: DiscordAdapter) -> None:
    ana = server.person("ana")
    core.replies |= {"boom:d1": Answer(form=ASK), "excuse:d1:i2": REFUSED}
    await ana.click(await posted(server, adapter, BUTTONS), "Boom")
    assert ana.modal is not None
    refused = await ana.submit(ana.modal, {"reason": "docs only"})
    assert refused.ephemeral
    assert "The window is closed." in refused.text
    assert refused.message is not None
    await ana.click(refused.message, "Correct it…")
    assert ana.modal is not None
    assert "docs only" in server.text(ana.modal)


async def test_what_is_not_known_any_more_says_so(server: FakeDiscord, core: Core) -> None:
    ana = server.person("ana")
    core.replies |= {"boom:d1": Answer(form=ASK), "excuse:d1:i2": REFUSED}
    async with adapter_on(server, core) as adapter:
        await ana.click(await posted(server, adapter, BUTTONS), "Boom")
        assert ana.modal is not None
        refused = await ana.submit(ana.modal, {"reason": "docs only"})
    async with adapter_on(server, core):
        assert refused.message is not None
        assert "no longer known" in (await ana.click(refused.message, "Correct it…")).text


# --- troubles -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.drop(), Fault.status(500), Fault.drop(stored=True)])
async def test_an_answer_that_gets_lost_does_not_undo_what_was_done(
    server: FakeDiscord, core: Core, adapter: DiscordAdapter, fault: Fault
) -> None:
    server.ack_within = 0.3
    message = await posted(server, adapter, BUTTONS)
    server.faults.script("POST /interactions/*", fault)
    await server.person("ana").click(message, "Next")
    assert [each.what for each in core.got] == ["advance:d1"]
    assert (await server.person("ana").click(message, "Next")).kind == SILENT, "the next click is heard"


async def test_deliveries_have_a_key_of_their_own_each(
    server: FakeDiscord, core: Core, adapter: DiscordAdapter
) -> None:
    message = await posted(server, adapter, BUTTONS)
    for who in ("ana", "ana", "ben"):
        await server.person(who).click(message, "Next")
    keys = [got.key for got in core.got]
    assert len(set(keys)) == len(keys) == 3
    assert isinstance(core.got[0], Delivery)
