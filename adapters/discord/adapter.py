"""Discord, put together: what the wiring needs of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from adapters.discord.answers import PATIENCE, Answers, Interaction
from adapters.discord.chat import DiscordChat
from adapters.discord.client import Api
from adapters.discord.config import DiscordConfig
from adapters.discord.dialogue import DiscordDialogue
from adapters.discord.gateway import LEASE, Gateway, Leases
from adapters.discord.inbox import Inbox
from adapters.discord.people import People
from adapters.discord.pictures import Drawings
from adapters.discord.tasks import Tasks
from bot.ports import Pictures

_DRAIN = 5.0


class DiscordAdapter:
    """`chat` can be posted to at once; `start` listens. `leases` says which process does. Without `pictures` they are
    said in words."""

    way_in = "Discord"

    def __init__(
        self,
        config: DiscordConfig,
        dialogue: DiscordDialogue,
        people: People,
        leases: Leases,
        *,
        pictures: Pictures | None = None,
        lease: timedelta = LEASE,
        patience: float = PATIENCE,
    ) -> None:
        self.api = Api(config)
        drawings = Drawings(pictures, self.api.faults)
        self.chat = DiscordChat(self.api, people, drawings)
        self.inbox = Inbox(dialogue, people, Answers(people, drawings, patience=patience), config.guild)
        self._tasks = Tasks()
        self.gateway = Gateway(self.api, leases, self._take, lease=lease)
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen. What is wrong with token, server or channels is in `chat.faults()`; it goes on trying, but for what
        is in `gateway.ended`."""
        if self._listening is None:
            self._listening = asyncio.create_task(self.gateway.run())

    async def stop(self) -> None:
        """Let what has begun end and be answered, then hear no more; posting goes on. Safe before `start`, and
        twice."""
        await self._tasks.drained(_DRAIN)
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._tasks.drained(_DRAIN)

    async def close(self) -> None:
        """Give every connection back; nothing is posted any more."""
        await self.chat.close()
        await self.api.close()

    async def _take(self, interaction: Interaction) -> None:
        """Each runs on its own, and is waited for before the process ends."""
        self._tasks.spawn(self.inbox.take(interaction))
