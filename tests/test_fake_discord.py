"""The loopback Discord, asked by the real discord.py: what it keeps and what people see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from discord import ui

from tests.discord_bot import Bot, layout, running, section
from tests.fakes.discord import FakeDiscord

pytestmark = pytest.mark.slow


@pytest.fixture
async def server() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        yield server


@pytest.fixture
async def bot(server: FakeDiscord) -> AsyncIterator[Bot]:
    async with running(server, sync=True) as bot:
        yield bot


def channel(server: FakeDiscord, bot: Bot) -> discord.TextChannel:
    found = bot.get_channel(server.place("deployments").id)
    assert isinstance(found, discord.TextChannel)
    return found


async def test_a_card_is_laid_out_and_pressed(server: FakeDiscord, bot: Bot) -> None:
    view = layout(ui.TextDisplay("# v1.2.0", id=77), section("Tests pass", "Tick", "tick:1"), ui.Separator())
    sent = await channel(server, bot).send(view=view, nonce="k1")
    shown = server.find("deployments", "v1.2.0")
    assert server.screen("ana", "deployments") == "# v1.2.0\nTests pass\n[Tick]\n---"
    assert (shown.id, shown.nonce, shown.marker[0]) == (sent.id, "k1", 77)

    async def done(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.edit_message(view=layout(section("~~Tests pass~~", "Undo", "undo:1")))

    bot.handler = done
    answer = await server.person("ana").click(shown, "Tick")
    assert answer.kind == 7
    assert server.screen("ben", "deployments") == "~~Tests pass~~\n[Undo]"
    assert bot.got[-1].user.name == "ana"


async def test_a_command_with_autocomplete_and_a_deferred_answer(server: FakeDiscord, bot: Bot) -> None:
    ana = server.person("ana")
    assert await ana.complete("deploy start", "version", "v1") == [
        {"name": "v1.0", "value": "v1.0"},
        {"name": "v1.1", "value": "v1.1"},
    ]

    async def later(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.edit_original_response(view=layout(ui.TextDisplay("Started")))
        await interaction.followup.send("And more", ephemeral=True)

    bot.handler = later
    answer = await ana.slash("deploy start", version="v1.2.0")
    assert answer.kind == 5
    await server.until(lambda: answer.followups)
    assert answer.text == "Started\nAnd more"
    assert ana.screen("deployments") == "Started\n\nAnd more"
    assert server.screen("ben", "deployments") == ""


async def test_a_modal_is_filled_in(server: FakeDiscord, bot: Bot) -> None:
    class Reason(ui.Modal, title="Not applicable"):
        why: Any = ui.Label(text="Why", component=ui.TextInput(custom_id="why", style=discord.TextStyle.long))
        risk: Any = ui.Label(
            text="Risk",
            component=ui.RadioGroup(
                custom_id="risk",
                options=[
                    discord.RadioGroupOption(label="Low", value="l"),
                    discord.RadioGroupOption(label="High", value="h"),
                ],
            ),
        )

    got: dict[str, Any] = {}

    async def answer(interaction: discord.Interaction[Any]) -> None:
        if interaction.type is discord.InteractionType.modal_submit:
            got.update(interaction.data or {})
            await interaction.response.send_message("Thanks", ephemeral=True)
        else:
            await interaction.response.send_modal(Reason(custom_id="excuse:1"))

    bot.handler = answer
    ana = server.person("ana")
    opened = (await ana.slash("deploy start", version="v1")).modal
    assert opened is not None
    assert server.text(opened) == "== Not applicable ==\nWhy: […]\nRisk: ( ) Low ( ) High\n[Cancel] [Submit]"
    told = await ana.submit(opened, {"Why": "no UI\nhere", "risk": "High"})
    assert told.text == "Thanks"
    assert ana.modal is None
    assert got["custom_id"] == "excuse:1"
    assert [each["component"].get("value") for each in got["components"]] == ["no UI\nhere", "h"]
