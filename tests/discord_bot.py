"""A small bot on the real discord.py, for the tests of the loopback Discord."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import discord
from discord import app_commands, ui

from tests.fakes.discord import FakeDiscord

Handler = Callable[[discord.Interaction[Any]], Awaitable[Any]]


class Bot(discord.Client):
    """Commands `/deploy start version` and `/deploy status`; everything else goes to `on_press`."""

    def __init__(self, intents: discord.Intents | None = None) -> None:
        super().__init__(
            intents=intents or discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=0.05,  # it waits so long after the last guild, by default 2 s
        )
        self.tree = app_commands.CommandTree(self)
        self.got: list[discord.Interaction[Any]] = []
        self.handler: Handler | None = None
        self.resumed = 0
        group = app_commands.Group(name="deploy", description="Deployments")

        @group.command(name="start", description="Start one")
        @app_commands.describe(version="Which")
        async def start(interaction: discord.Interaction[Any], version: str) -> None:
            await self.answer(interaction)

        @start.autocomplete("version")
        async def offer(interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=f"{typed}.{minor}", value=f"{typed}.{minor}") for minor in range(2)]

        self.tree.add_command(group)

    async def answer(self, interaction: discord.Interaction[Any]) -> None:
        if self.handler is not None:
            await self.handler(interaction)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        self.got.append(interaction)
        if interaction.type in (discord.InteractionType.component, discord.InteractionType.modal_submit):
            await self.answer(interaction)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """discord.py waits 5 s before every IDENTIFY but the first."""

    async def on_resumed(self) -> None:
        self.resumed += 1


@asynccontextmanager
async def running(server: FakeDiscord, bot: Bot | None = None, *, sync: bool = False) -> AsyncIterator[Bot]:
    """The bot, connected and ready; its commands registered with `sync`."""
    bot = bot or Bot()
    with server.pointed():
        await bot.login(server.token)
        if sync:
            guild = discord.Object(server.guild_id)
            bot.tree.copy_global_to(guild=guild)
            await bot.tree.sync(guild=guild)
        task = asyncio.create_task(bot.connect(reconnect=True))
        try:
            await bot.wait_until_ready()
            yield bot
        finally:
            await bot.close()
            task.cancel()
            with suppress(asyncio.CancelledError, discord.DiscordException):
                await task


@asynccontextmanager
async def logged_in(server: FakeDiscord, bot: Bot | None = None) -> AsyncIterator[Bot]:
    """Without the gateway."""
    bot = bot or Bot()
    with server.pointed():
        await bot.login(server.token)
        try:
            yield bot
        finally:
            await bot.close()


async def raw(bot: Bot, method: str, path: str, body: Any = None) -> Any:
    """A request of discord.py's HTTP client, past its own checks."""
    return await bot.http.request(discord.http.Route(method, path), **({} if body is None else {"json": body}))


async def refused(bot: Bot, method: str, path: str, body: Any = None) -> tuple[int, int, str]:
    """The status, the code and the words of a refusal."""
    try:
        answer = await raw(bot, method, path, body)
    except discord.HTTPException as error:
        return error.status, error.code, error.text
    raise AssertionError(f"not refused: {answer}")


def layout(*items: ui.Item[Any]) -> ui.LayoutView:
    """A finished view: discord.py keeps nothing of it."""
    view = ui.LayoutView(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view


def section(text: str, label: str, custom_id: str) -> ui.Section[Any]:
    return ui.Section(ui.TextDisplay(text), accessory=ui.Button(label=label, custom_id=custom_id))
