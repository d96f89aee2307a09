"""Where the channel stands: in the chats there are tokens for, else on the sandbox page."""

from __future__ import annotations

from bot.chats_front import ChatsFront, chats_of
from bot.front import Front
from bot.sandbox_front import SandboxFront
from bot.settings import Settings


def front_for(settings: Settings, port: int) -> Front:
    """The front the settings ask for: Slack and Discord where there is a bot token, both at once where there are two,
    else the sandbox."""
    return ChatsFront(settings) if chats_of(settings) else SandboxFront(settings, port)
