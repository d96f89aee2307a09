"""Interactions of the loopback Discord: in time, once, of the right kind, and seen by whom they are for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import discord
import pytest
from discord import ui

from tests.discord_bot import Bot, layout, logged_in, raw, refused, running, section
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_things import Interaction, Message

pytestmark = pytest.mark.slow


@pytest.fixture
async def server() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        yield server


@pytest.fixture
async def bot(server: FakeDiscord) -> AsyncIterator[Bot]:
    async with running(server, sync=True) as bot:
        yield bot


@pytest.fixture
async def card(server: FakeDiscord, bot: Bot) -> Message:
    channel = bot.get_channel(server.place("deployments").id)
    assert isinstance(channel, discord.TextChannel)
    menu: ui.Select[Any] = ui.Select(
        custom_id="more",
        placeholder="More…",
        options=[discord.SelectOption(label="Logs", value="l"), discord.SelectOption(label="Pods", value="p")],
    )
    off: ui.Button[Any] = ui.Button(label="Deployed", custom_id="deployed", disabled=True)
    await channel.send(view=layout(section("Tests", "Tick", "tick"), ui.ActionRow(menu), ui.ActionRow(off)))
    return server.find("deployments", "Tests")


async def test_what_the_bot_is_told_of_a_click(server: FakeDiscord, bot: Bot, card: Message) -> None:
    server.give_role("ana", "qa")

    async def quiet(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()

    bot.handler = quiet
    answer = await server.person("ana").choose(card, "More…", "Pods")
    assert answer.kind == 6
    assert answer.message is card
    session = server.gateway.sessions[0]
    payload = next(each["d"] for each in session.events if each["t"] == "INTERACTION_CREATE")
    assert payload["data"] == {"custom_id": "more", "component_type": 3, "id": 5, "values": ["p"]}
    assert payload["member"]["roles"] == [str(server.role("qa").id)]
    assert payload["message"]["id"] == str(card.id)
    assert payload["guild_id"] == str(server.guild_id)
    got = bot.got[-1]
    assert (got.user.name, got.channel_id, got.filesize_limit) == ("ana", card.channel_id, 10 * 1024 * 1024)
    assert isinstance(got.user, discord.Member)
    assert got.user.get_role(server.role("qa").id)
    assert got.app_permissions.send_messages


async def test_only_what_is_there_can_be_pressed(server: FakeDiscord, card: Message) -> None:
    ana = server.person("ana")
    with pytest.raises(AssertionError, match="0 controls"):
        await ana.click(card, "Untick")
    with pytest.raises(AssertionError, match="disabled"):
        await ana.click(card, "Deployed")
    with pytest.raises(AssertionError, match="0 options"):
        await ana.choose(card, "more", "Nodes")
    with pytest.raises(AssertionError, match="not registered"):
        await ana.slash("rollback")
    with pytest.raises(AssertionError, match="required"):
        await ana.slash("deploy start")
    server.remove_message(card)
    with pytest.raises(AssertionError, match="gone"):
        await ana.click(card, "Tick")


async def test_an_answer_comes_in_three_seconds_or_the_person_sees_a_failure(
    server: FakeDiscord, bot: Bot, card: Message
) -> None:
    codes: list[int] = []
    late = asyncio.Event()

    async def slow(interaction: discord.Interaction[Any]) -> None:
        await late.wait()
        with pytest.raises(discord.NotFound) as error:
            await interaction.response.send_message("too late")
        codes.append(error.value.code)

    bot.handler = slow
    pressing = asyncio.create_task(server.person("ana").click(card, "Tick"))
    await server.until(lambda: bot.got)
    server.clock.forward(3.1)
    answer = await pressing
    late.set()
    assert (answer.failed, answer.kind) == (True, None)
    await server.until(lambda: codes)
    assert codes == [10062]
    assert len(server.messages("deployments")) == 1


async def test_a_click_without_a_bot_fails(server: FakeDiscord, bot: Bot, card: Message) -> None:
    server.ack_within = 0.05
    await bot.close()
    assert (await server.person("ana").click(card, "Tick")).failed


async def test_an_interaction_is_answered_once_and_its_token_lives_15_minutes(
    server: FakeDiscord, bot: Bot, card: Message
) -> None:
    async def defer(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)

    bot.handler = defer
    answer = await server.person("ana").click(card, "Tick")
    found = answer.interaction
    again = f"/interactions/{found.id}/{found.token}/callback"
    assert (await refused(bot, "POST", again, {"type": 6}))[:2] == (400, 40060)
    assert (await refused(bot, "POST", f"/interactions/1/{found.token}/callback", {"type": 6}))[:2] == (404, 10062)
    hook = f"/webhooks/{server.application_id}/{found.token}"
    assert server.text(answer.message or card) == "gonogo is thinking…"
    public = await raw(bot, "PATCH", f"{hook}/messages/@original", {"content": "done", "flags": 0})
    assert public["flags"] == 64
    assert server.person("ana").whispers == [answer.message]
    assert server.person("ben").whispers == []
    path = f"/channels/{card.channel_id}/messages/{public['id']}"
    assert (await refused(bot, "PATCH", path, {"content": "x"}))[:2] == (404, 10008)
    assert (await refused(bot, "POST", f"/webhooks/1/{found.token}", {"content": "x"}))[:2] == (404, 10015)
    server.clock.forward(901)
    assert (await refused(bot, "POST", hook, {"content": "x"}))[:2] == (401, 50027)
    assert (await refused(bot, "PATCH", f"{hook}/messages/@original", {"content": "x"}))[:2] == (401, 50027)


async def test_the_first_follow_up_fills_in_what_was_deferred(server: FakeDiscord, bot: Bot, card: Message) -> None:
    async def defer(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.followup.send("one", ephemeral=False)
        await interaction.followup.send("two", ephemeral=False)

    bot.handler = defer
    answer = await server.person("ana").click(card, "Tick")
    await server.until(lambda: answer.followups)
    assert answer.message in server.person("ana").whispers
    assert [server.text(each) for each in server.messages("deployments")[1:]] == ["two"]


async def sent(server: FakeDiscord, bot: Bot, begin: Callable[[], Any]) -> tuple[Interaction, asyncio.Task[Any]]:
    """An interaction that nobody has answered yet."""
    there = len(server.interactions)
    task = asyncio.create_task(begin())
    await server.until(lambda: len(server.interactions) > there)
    return list(server.interactions.values())[-1], task


def label(component: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": 18, "label": "Why", "component": component, **more}


def field(**more: Any) -> dict[str, Any]:
    return {"type": 4, "custom_id": "f", "style": 1, **more}


def radio(count: int) -> dict[str, Any]:
    return {"type": 21, "custom_id": "r", "options": [{"label": str(n), "value": str(n)} for n in range(count)]}


MODALS: list[tuple[str, dict[str, Any]]] = [
    ("Must be between 1 and 45", {"title": "x" * 46}),
    ("Must be between 1 and 100", {"custom_id": "x" * 101}),
    ("Must be between 1 and 5", {"components": [label(field(custom_id=str(n))) for n in range(6)]}),
    ("Must be between 1 and 5", {"components": []}),
    ("UNION_TYPE_CHOICES", {"components": [field()]}),
    ("Must be between 1 and 45", {"components": [label(field(), label="x" * 46)]}),
    ("Must be 100 or fewer", {"components": [label(field(), description="x" * 101)]}),
    ("Must be 100 or fewer", {"components": [label(field(placeholder="x" * 101))]}),
    ("LABEL_IN_LABEL", {"components": [label(field(label="x"))]}),
    ("CUSTOM_ID_DUPLICATED", {"components": [label(field()), label(field())]}),
    ("Must be between 2 and 10", {"components": [label(radio(11))]}),
    ("Must be between 2 and 10", {"components": [label(radio(1))]}),
    ("less than or equal to 4000", {"components": [label(field(max_length=4001))]}),
    ("UNION_TYPE_CHOICES", {"components": [label({"type": 2, "style": 1, "label": "x", "custom_id": "x"})]}),
]


@pytest.mark.parametrize(("why", "change"), MODALS)
async def test_a_modal_is_judged(server: FakeDiscord, why: str, change: dict[str, Any]) -> None:
    async with logged_in(server) as bot:
        await raw(bot, "PUT", f"/applications/{server.bot_id}/commands", [{"name": "deploy", "description": "x"}])
        found, task = await sent(server, bot, lambda: server.person("ana").slash("deploy"))
        data = {"title": "Why", "custom_id": "m", "components": [label(field())], **change}
        path = f"/interactions/{found.id}/{found.token}/callback"
        assert (await refused(bot, "POST", path, {"type": 9, "data": data}))[:2] == (400, 50035)
        assert why in str(server.calls[-1].answer)
        task.cancel()


async def test_a_modal_must_be_the_first_answer_and_cannot_answer_a_modal(
    server: FakeDiscord, bot: Bot, card: Message
) -> None:
    ana, codes = server.person("ana"), list[int]()

    class Form(ui.Modal, title="Why"):
        why: Any = ui.Label(text="Why", component=ui.TextInput(custom_id="why", max_length=5))

    async def deferred(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()
        path = f"/interactions/{interaction.id}/{interaction.token}/callback"
        codes.append((await refused(bot, "POST", path, {"type": 9, "data": Form().to_dict()}))[1])

    bot.handler = deferred
    await ana.click(card, "Tick")
    await server.until(lambda: codes)
    assert codes == [40060]

    async def again(interaction: discord.Interaction[Any]) -> None:
        if interaction.type is discord.InteractionType.modal_submit:
            path = f"/interactions/{interaction.id}/{interaction.token}/callback"
            codes.append((await refused(bot, "POST", path, {"type": 9, "data": Form().to_dict()}))[1])
            await interaction.response.edit_message(view=layout(ui.TextDisplay("noted")))
        else:
            await interaction.response.send_modal(Form())

    bot.handler = again
    modal = (await ana.click(card, "Tick")).modal
    assert modal is not None
    with pytest.raises(AssertionError, match="required"):
        await ana.submit(modal)
    with pytest.raises(AssertionError, match="too long"):
        await ana.submit(modal, {"Why": "because"})
    assert (await ana.submit(modal, {"Why": "yes"})).kind == 7
    assert codes[1:] == [50035]
    assert ana.screen("deployments") == "noted"


async def test_autocomplete_is_judged(server: FakeDiscord) -> None:
    async with logged_in(server) as bot:
        version = {"type": 3, "name": "version", "description": "x", "autocomplete": True}
        command = {"name": "deploy", "description": "x", "options": [version]}
        await raw(bot, "PUT", f"/applications/{server.bot_id}/commands", [command])
        found, task = await sent(server, bot, lambda: server.person("ana").complete("deploy", "version", "v"))
        path = f"/interactions/{found.id}/{found.token}/callback"
        many = [{"name": str(n), "value": str(n)} for n in range(26)]
        for choices in (many, [{"name": "x" * 101, "value": "x"}], [{"name": "x", "value": "x" * 101}]):
            assert (await refused(bot, "POST", path, {"type": 8, "data": {"choices": choices}}))[1] == 50035
        assert (await refused(bot, "POST", path, {"type": 4, "data": {"content": "x"}}))[1] == 50035
        await raw(bot, "POST", path, {"type": 8, "data": {"choices": many[:25]}})
        assert len(await task) == 25
