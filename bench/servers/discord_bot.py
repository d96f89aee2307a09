"""An empty discord.py bot: one message with a button in #deployments, and every click is deferred and forgotten."""

from __future__ import annotations

import sys
from typing import Any

import discord
import yarl
from discord import ui
from discord.gateway import DiscordWebSocket
from discord.http import Route

api, gateway, token = sys.argv[1:4]


class Bot(discord.Client):
    """discord.py as it is; `on_interaction` is its own hook."""

    async def on_ready(self) -> None:
        """Something to press."""
        channel: Any = discord.utils.get(self.get_all_channels(), name="deployments")
        view = ui.View(timeout=None)
        view.add_item(ui.Button(label="Tick", custom_id="tick:d1:i1"))
        view.stop()
        await channel.send("Phase 1", view=view)
        print("http://ready", flush=True)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Nothing is done."""
        await interaction.response.defer()


def main() -> None:
    """Runs until it is killed."""
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = api, yarl.URL(gateway)
    Bot(intents=discord.Intents(guilds=True)).run(token, log_handler=None)


if __name__ == "__main__":
    main()
