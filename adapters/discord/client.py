"""Discord's REST API as gonogo uses it: bounded in time, its refusals as the port's errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp
import discord
import structlog
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.discord.config import DISCORD, DiscordConfig
from adapters.discord.faults import Faults, Refusal, problem_of
from bot.ports import Ambiguous, ChatError

T = TypeVar("T")

_TIMEOUT = 15.0
"""Seconds for one call with all its waits; a relay may need several of them within its 45."""
_PATIENCE = 30.0
"""A longer wait for a rate limit is told to the caller (discord.py takes no less: http.py, max_ratelimit_timeout)."""
INTENTS = discord.Intents(guilds=True)
"""Channels and roles. Interactions need no intent, and bring the roles of who clicked."""

log = structlog.get_logger(__name__)


def point(api_url: str, gateway: str = "") -> None:
    """Another Discord than Discord's own, for this process: a test server. discord.py keeps both addresses in its
    classes."""
    if api_url.rstrip("/") != DISCORD:
        Route.BASE = api_url.rstrip("/")
        if gateway:
            DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)


def quiet() -> None:
    """discord.py logs through the standard library, tracebacks at every reconnect. What people need to know is said
    as faults."""
    library = logging.getLogger("discord")
    if not library.handlers:
        library.addHandler(logging.NullHandler())


class Api:
    """A client that is logged in and not connected: enough to post. It logs in at the first call."""

    def __init__(self, config: DiscordConfig, *, timeout: float = _TIMEOUT) -> None:
        self.faults = Faults()
        self.config, self._timeout = config, timeout
        self._client: discord.Client | None = None
        self._turn = asyncio.Lock()
        self._guild: int | None = config.guild
        point(config.api_url)
        quiet()

    @property
    def me(self) -> discord.ClientUser | None:
        """Whom the token stands for; known after the first call."""
        return self._client.user if self._client is not None else None

    async def call(self, what: str, work: Callable[[discord.Client], Awaitable[T]]) -> T:
        """Do something with the logged-in client; `what` names it for people.

        Raises Ambiguous (timeout, dropped connection, 5xx), Busy429, MessageGone, ChannelGone, Archived, and Refusal
        for the rest, with a sentence somebody can act on.
        """
        try:
            async with asyncio.timeout(self._timeout):
                result = await work(await self._logged_in())
        except (ChatError, discord.DiscordException, aiohttp.ClientError, OSError) as error:
            problem = problem_of(what, error, token=self.config.token)
            self.faults.refused(what, problem)
            raise problem from error
        self.faults.answered(what)
        return result

    async def identify(self) -> discord.AppInfo:
        """Log in, if need be, and say what application this is. Raises like `call`."""
        return await self.call("the application", lambda client: client.application_info())

    async def guild(self) -> int:
        """The server: the one set, else the only one the bot is in. Raises like `call`, and Refusal when it is in none
        or in several."""
        if self._guild is None:
            self._guild = await self.call("the list of servers", _only_guild)
        return self._guild

    async def close(self) -> None:
        """Give the connections back."""
        async with self._turn:
            if self._client is not None:
                await self._client.close()
                self._client = None

    async def _logged_in(self) -> discord.Client:
        async with self._turn:
            if self._client is None:
                client = discord.Client(**client_settings())  # type: ignore[arg-type]
                try:
                    await client.login(self.config.token)
                except (AttributeError, KeyError, TypeError, ValueError) as error:
                    await client.close()
                    name = type(error).__name__
                    raise Ambiguous(f"who I am was answered by something else than Discord ({name})") from error
                except BaseException:
                    await client.close()
                    raise
                self._client = client
        return self._client


def client_settings() -> dict[str, object]:
    """How every client is made: it keeps no messages and no members, and mentions nobody unless told to."""
    return {
        "intents": INTENTS,
        "allowed_mentions": discord.AllowedMentions.none(),
        "max_messages": None,
        "member_cache_flags": discord.MemberCacheFlags.none(),
        "chunk_guilds_at_startup": False,
        "max_ratelimit_timeout": _PATIENCE,
        "guild_ready_timeout": 0.1,
    }


async def _only_guild(client: discord.Client) -> int:
    found = [guild.id async for guild in client.fetch_guilds(limit=2, with_counts=False)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise Refusal("I am in no server: open what `gonogo discord invite` prints", 0, lasts=True)
    raise Refusal("I am in several servers: set GONOGO_DISCORD_GUILD_ID to the one that is meant", 0, lasts=True)
