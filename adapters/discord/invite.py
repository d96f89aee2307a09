"""What the bot needs to be allowed, and the address that asks a server for exactly that."""

from __future__ import annotations

import discord

SCOPES = ("bot", "applications.commands")
NEEDED = {
    "view_channel": "View Channels",
    "send_messages": "Send Messages",
    "create_public_threads": "Create Public Threads",
    "send_messages_in_threads": "Send Messages in Threads",
    "read_message_history": "Read Message History",
}
"""Permissions by discord.py's name and as Discord's settings call them. Not among them or below: Manage Threads, as a
thread nobody locked is opened again without it; Embed Links, as cards are no embeds; Mention Everyone, which would be
needed only to call a role that is not mentionable: let that role be mentioned instead."""
PICTURES = {"attach_files": "Attach Files"}
"""For the pictures of checks. Without it they are said in words."""


def permissions() -> discord.Permissions:
    """Exactly what is needed, and what pictures need."""
    return discord.Permissions(**dict.fromkeys({**NEEDED, **PICTURES}, True))


def invite_url(application: int, guild: int | None = None) -> str:
    """The address to open in a browser: it adds the bot to a server."""
    chosen = discord.Object(guild) if guild else discord.utils.MISSING
    return discord.utils.oauth_url(
        application, permissions=permissions(), guild=chosen, scopes=SCOPES, disable_guild_select=bool(guild)
    )


def missing(held: discord.Permissions) -> list[str]:
    """What is needed and not held, as Discord's settings call it."""
    return [words for name, words in NEEDED.items() if not getattr(held, name)]


def shows_pictures(held: discord.Permissions) -> bool:
    """Whether pictures can be sent."""
    return all(getattr(held, name) for name in PICTURES)
