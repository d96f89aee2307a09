"""Slack, Discord, or both at once: one deployment, with its card and items in each of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from adapters.discord.config import DiscordConfig
from adapters.pictures.pictures import MatplotlibPictures
from adapters.probes.connect import connect
from adapters.probes.http import HttpProbe
from adapters.probes.sources import Sources
from adapters.probes.turns import CONNECTIONS
from adapters.slack.config import SlackConfig
from bot.connections import probe_keys
from bot.front import Core, SystemClock, people_of
from bot.ports import Chat, Clock, Probe, Roster, Store, StoreError
from bot.reaching import make_client
from bot.services.incidents import OwnIncidents
from bot.services.rosters import Named
from bot.settings import Settings
from checklists.policy import Person

if TYPE_CHECKING:
    from adapters.discord.adapter import DiscordAdapter
    from adapters.slack.adapter import SlackAdapter


class ChatsFront:
    """The chats a team has: what one commits the other shows. Time is real, and so are the probes."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._client = make_client(limits=CONNECTIONS)
        self.chat_names = chats_of(settings)
        self.clock: Clock = clock or SystemClock()
        self.chats: list[Chat] = []
        self._people: dict[str, list[Person]] = {}
        self._pictures = MatplotlibPictures()
        self._slack: SlackAdapter | None = None
        self._discord: DiscordAdapter | None = None

    def roster(self) -> Roster:
        """As the policies name them."""
        return Named(self.chat_names)

    def probe(self, store: Store) -> Probe:
        """HTTP endpoints, own incidents, and every source the settings connect; others say that they are not."""
        connected = connect(self._client, probe_keys(self._settings, self._client))
        return Sources(HttpProbe(self._client), connected={**connected, "incidents": OwnIncidents(store)})

    async def open(self, core: Core) -> None:
        """The adapters, with the people of every policy. Only the libraries of the chats in use are loaded."""
        self._core = core
        self._people = await people_of(core.checklists)
        core.router.faults = self._faults
        if "slack" in self.chat_names:
            from adapters.slack.adapter import SlackAdapter

            config = slack_config(self._settings)
            self._slack = SlackAdapter(config, core.router, lambda: self._people, self._pictures)
            self.chats.append(self._slack.chat)
            await self._slack.open()
        if "discord" in self.chat_names:
            from adapters.discord.adapter import DiscordAdapter

            self._discord = DiscordAdapter(
                discord_config(self._settings), core.router, lambda: self._people, core.store, pictures=self._pictures
            )
            self.chats.append(self._discord.chat)

    async def follow(self) -> None:
        """Real time needs no following."""

    async def listen(self) -> None:
        """Socket Mode, the Home tab, the roster; the gateway."""
        if self._slack is not None:
            await self._slack.start()
        if self._discord is not None:
            await self._discord.start()

    def asgi(self) -> ASGIApp:
        """`/healthz`, and Slack's requests when they come over HTTP."""
        slack = self._slack.routes() if self._slack is not None else []
        return Starlette(routes=[Route("/healthz", self._healthz, methods=["GET"]), *slack])

    def where(self, port: int) -> str:
        """How clicks come in."""
        slack = [f"Slack by {self._slack.way_in}"] if self._slack is not None else []
        discord = ["Discord"] if self._discord is not None else []
        return f"gonogo: on {' and '.join(slack + discord)}; http://127.0.0.1:{port}/healthz  (Ctrl-C stops it)"

    def connected(self) -> dict[str, bool]:
        """Whether each chat is heard now. Slack over HTTP is left out: its requests come by themselves. Of several
        processes one hears Discord."""
        found = {"slack": self._slack.connected} if self._slack is not None else {}
        if self._discord is not None:
            found["discord"] = self._discord.gateway.listening.is_set()
        return {chat: there for chat, there in found.items() if there is not None}

    def changed(self) -> None:
        """Home tabs are drawn anew."""
        if self._slack is not None:
            self._slack.changed()

    async def lost(self) -> str:
        """Discord can end for good, by a wrong token for one; beside Slack, that is a fault like others."""
        if self._discord is None or self._slack is not None:
            never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            return await never
        return await asyncio.shield(self._discord.gateway.ended)

    def stopping(self) -> None:
        """No streams are open."""

    async def stop(self) -> None:
        """Running clicks are answered first."""
        await asyncio.gather(*(chat.stop() for chat in (self._slack, self._discord) if chat is not None))

    async def close(self) -> None:
        """Those of the chats, and of the probes."""
        if self._slack is not None:
            await self._slack.close()
        if self._discord is not None:
            await self._discord.close()
        await self._client.aclose()

    def _faults(self) -> tuple[str, ...]:
        both = (self._slack, self._discord)
        return tuple(sentence for one in both if one is not None for sentence in one.chat.faults())

    async def _healthz(self, request: Request) -> Response:
        try:
            await self._core.store.next_due()
        except StoreError as problem:
            return JSONResponse({"status": "error", "database": str(problem)}, 503)
        return JSONResponse({"status": "ok"})


def chats_of(settings: Settings) -> tuple[str, ...]:
    """The chats there are tokens for."""
    tokens = {"slack": settings.slack_bot_token, "discord": settings.discord_token}
    return tuple(name for name, token in tokens.items() if token.get_secret_value().strip())


def slack_config(settings: Settings) -> SlackConfig:
    """What the settings say of Slack."""
    return SlackConfig(
        bot_token=settings.slack_bot_token.get_secret_value(),
        app_token=settings.slack_app_token.get_secret_value(),
        signing_secret=settings.slack_signing_secret.get_secret_value(),
        api_url=settings.slack_api_url,
        processes=settings.slack_processes,
    )


def discord_config(settings: Settings) -> DiscordConfig:
    """What the settings say of Discord."""
    token = settings.discord_token.get_secret_value().strip()
    return DiscordConfig(token, guild=settings.discord_guild_id, api_url=settings.discord_api_url)
