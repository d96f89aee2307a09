"""Listening to Discord's gateway: one process at a time, connected anew when the line drops, ended by what only a
person can mend."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Protocol

import aiohttp
import discord
import structlog

from adapters.discord import commands
from adapters.discord.client import Api, client_settings, point
from adapters.discord.faults import UNACCEPTED, Refusal, problem_of
from bot.ports import ChatError, StoreError

LEASE = timedelta(seconds=15)
"""How long a process that died still counts as the one that listens."""
NAME = "discord:shard:0"
_GOODBYE = 2.0
"""Seconds that closing may take: discord.py would wait half a minute for a line that is dead."""
_LONGEST = 60.0
_LOST = 30.0
"""Seconds without a connection until that is a fault: Discord asks to reconnect every few hours, which takes one."""
_FATAL = {
    4004: UNACCEPTED,
    4010: "Discord refuses the shard (4010): please report this to the makers of gonogo",
    4011: "the bot is in so many servers that it must be sharded (4011): start gonogo again, and it will be",
    4012: "Discord no longer speaks this version of the gateway (4012): update discord.py",
    4013: "Discord does not know an intent (4013): update discord.py",
    4014: "Discord refuses an intent (4014), though none is asked for that needs a switch in the developer portal: "
    "see whether the bot is suspended there",
}  # discord/discord-api-docs: topics/opcodes-and-status-codes, gateway close event codes

Take = Callable[[discord.Interaction[discord.Client]], Awaitable[None]]

log = structlog.get_logger(__name__)


class Fatal(Exception):
    """Nothing more will be heard until somebody mends it; the sentence says what."""


class Leases(Protocol):
    """Of `bot.ports.Store`: who does what only one process does."""

    async def hold(self, name: str, owner: str, lease: timedelta) -> bool:
        """Take a named lease, or keep it."""
        ...

    async def drop(self, name: str, owner: str) -> None:
        """Give it back."""
        ...


class _Hears:
    """What a connected client tells."""

    take: Take
    told: Callable[[bool], None]

    async def on_interaction(self, interaction: discord.Interaction[discord.Client]) -> None:
        """A command, click or form."""
        await self.take(interaction)

    async def on_ready(self) -> None:
        """A new session."""
        self.told(True)

    async def on_resumed(self) -> None:
        """The old session, with what was missed."""
        self.told(True)

    async def on_disconnect(self) -> None:
        """The line dropped."""
        self.told(False)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """A fault of ours in one of these."""
        log.exception("discord.event", method=event_method)


class _One(_Hears, discord.Client):
    """All servers over one connection."""


class _Sharded(_Hears, discord.AutoShardedClient):
    """Several connections: from 2,500 servers on (topics/gateway: sharding)."""


class Gateway:
    """`run` is a task of its own. `listening` is set while the connection stands; `ended` gets the sentence of what
    ends it for good."""

    def __init__(self, api: Api, leases: Leases, take: Take, *, lease: timedelta = LEASE) -> None:
        self._api, self._leases, self._take, self._lease = api, leases, take, lease
        self._owner = secrets.token_hex(8)
        self.listening = asyncio.Event()
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._alarm: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Listen while this process is the one that does, else stand by. Returns when it is over for good."""
        failed = 0
        try:
            while True:
                try:
                    if await self._held():
                        await self._listen()
                        failed = 0
                        continue
                    failed = 0
                    await asyncio.sleep(self._third)
                except Fatal as problem:
                    self._api.faults.note("gateway", str(problem))
                    self.ended.set_result(str(problem))
                    return
                except Exception as problem:
                    failed += 1
                    log.warning("discord.gateway", problem=str(problem) or type(problem).__name__)
                    self._told(False)
                    await asyncio.sleep(min(_LONGEST, 2.0 ** min(failed, 6) / 2))
        finally:
            if self._alarm is not None:
                self._alarm.cancel()
            with contextlib.suppress(StoreError):
                await self._leases.drop(NAME, self._owner)

    @property
    def _third(self) -> float:
        return self._lease.total_seconds() / 3

    async def _held(self) -> bool:
        return await self._leases.hold(NAME, self._owner, self._lease)

    async def _listen(self) -> None:
        """Connected until the lease is lost. Raises Fatal, and whatever went wrong on the way."""
        client = await self._prepared()
        connected = asyncio.create_task(self._connected(client))
        try:
            while True:
                done, _ = await asyncio.wait({connected}, timeout=self._third)
                if done:
                    connected.result()
                    return
                if not await self._kept():
                    log.warning("discord.lease", problem="another process listens now")
                    return
        finally:
            self.listening.clear()
            connected.cancel()
            await asyncio.gather(connected, return_exceptions=True)
            await _close(client)

    async def _kept(self) -> bool:
        """Whether this process still is the one. A database that is away for less than the lease takes it from
        nobody."""
        try:
            async with asyncio.timeout(self._third):
                return await self._held()
        except (StoreError, TimeoutError) as problem:
            log.warning("discord.lease", problem=str(problem) or "no answer in time")
            return True

    async def _prepared(self) -> _One | _Sharded:
        """A client for as many shards as Discord recommends; the commands are as they should be."""
        try:
            shards, url = await self._api.call("the gateway", _gateway)
            await self._synchronise()
        except Refusal as problem:
            if problem.code == 401:
                raise Fatal(str(problem)) from problem
            raise
        point(self._api.config.api_url, url)
        settings = client_settings()
        client = _One(**settings) if shards <= 1 else _Sharded(**settings)  # type: ignore[arg-type]
        client.take, client.told = self._take, self._told
        return client

    async def _connected(self, client: _One | _Sharded) -> None:
        try:
            await client.start(self._api.config.token)
        except discord.ConnectionClosed as closed:
            if closed.code in _FATAL:
                raise Fatal(_FATAL[closed.code]) from closed
            raise
        except discord.PrivilegedIntentsRequired as refused:
            raise Fatal(_FATAL[4014]) from refused
        except discord.LoginFailure as refused:
            raise Fatal(UNACCEPTED) from refused
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            raise problem_of("the gateway", error) from error

    async def _synchronise(self) -> None:
        """Define `/deploy` where Discord knows it otherwise. Discord is asked rather than a hash kept: a definition
        that somebody else changed is mended, too, and there are 200 creations a day, so that none is made in vain."""
        guild = self._api.config.guild

        async def bring(client: discord.Client) -> bool:
            application, payload = client.application_id, commands.payload()
            assert application is not None
            if guild is not None:
                if commands.same(await client.http.get_guild_commands(application, guild)):
                    return False
                await client.http.bulk_upsert_guild_commands(application, guild, payload)
            else:
                if commands.same(await client.http.get_global_commands(application)):
                    return False
                await client.http.bulk_upsert_global_commands(application, payload)
            return True

        try:
            if await self._api.call("the commands", bring):
                log.info("discord.commands", problem="defined anew")
        except ChatError as problem:
            if isinstance(problem, Refusal) and problem.code == 401:
                raise
            where = "invite the bot again with what `gonogo discord invite` prints"
            self._api.faults.note("commands", f"/deploy could not be defined ({problem}): {where}")
        else:
            self._api.faults.mend("commands")

    def _told(self, there: bool) -> None:
        """The connection stands, or does not."""
        if there:
            self.listening.set()
            if self._alarm is not None:
                self._alarm.cancel()
                self._alarm = None
            self._api.faults.mend("gateway")
            return
        self.listening.clear()
        if self._alarm is None:
            sentence = "no clicks or commands are heard: the connection to Discord is lost and made again"
            self._alarm = asyncio.get_running_loop().call_later(_LOST, self._api.faults.note, "gateway", sentence)


async def _close(client: discord.Client) -> None:
    try:
        async with asyncio.timeout(_GOODBYE):
            await client.close()
    except TimeoutError:
        await client.http.close()  # it had not come to that


async def _gateway(client: discord.Client) -> tuple[int, str]:
    shards, url, _ = await client.http.get_bot_gateway()
    return shards, url
