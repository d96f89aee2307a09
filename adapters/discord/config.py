"""What Discord's adapter has to be told. The environment is read elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field

DISCORD = "https://discord.com/api/v10"


@dataclass(frozen=True, slots=True)
class DiscordConfig:
    """`token` is the bot's; it is left out when this is printed. Without a `guild`, the only server the bot is in is
    meant."""

    token: str = field(repr=False)
    guild: int | None = None
    api_url: str = DISCORD
