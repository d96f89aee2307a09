"""Where `#name` is in the server, and what the bot may do there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import discord

from adapters.discord.cache import Cache
from adapters.discord.client import Api
from adapters.discord.faults import Refusal
from adapters.discord.invite import missing, shows_pictures
from bot.ports import ChannelGone

_FRESH, _STALE, _MISSED = 600.0, 3_600.0, 20.0
"""Seconds: how long the list of channels is good, how long it is better than nothing, how old it may be to say no."""


@dataclass(frozen=True, slots=True)
class Room:
    """A text channel. `lacks`: permissions that are needed there and not held, overwrites counted. `pictures`: whether
    those can be sent there."""

    id: int
    name: str
    lacks: tuple[str, ...] = ()
    pictures: bool = True


class Rooms:
    """The text channels of the server by `#name` and by number, read over REST: a process that does not listen knows
    them too. What cannot be posted to is a fault, until it can."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._kept: Cache[Mapping[str, Room]] = Cache(self._ask, fresh=_FRESH, stale=_STALE, patience=10.0)

    async def all(self) -> Mapping[str, Room]:
        """Every text channel, by `#name` and by number."""
        return await self._kept.get("")

    async def place(self, channel: str, *, looking: bool = False) -> int:
        """The number of a channel that can be posted to. Raises ChannelGone, Ambiguous, Busy429. Who is only looking
        makes no fault of it."""
        known = await self._kept.get("")
        room = known.get(channel)
        if room is None or room.lacks:
            room = (await self._kept.get("", fresh=_MISSED)).get(channel)
        if room is not None and not (room.lacks and not looking):
            self._api.faults.mend(f"channel {channel}")
            return room.id
        if looking:
            raise ChannelGone(f"there is no {channel} that I can see")
        raise self.gone(channel, room)

    def gone(self, channel: str, room: Room | None = None, why: str = "") -> ChannelGone:
        """Nothing can be said in the channel: a fault, until something is."""
        self._kept.forget("")
        if room is not None and room.lacks:
            sentence = f"I may not {', '.join(room.lacks)} in {channel}: allow it to my role in that channel's settings"
        elif why:
            sentence = f"{channel}: {why}"
        else:
            sentence = f"there is no {channel} that I can see: make it, or allow my role View Channel there"
        self._api.faults.note(f"channel {channel}", sentence)
        return ChannelGone(sentence)

    def spoken(self, channel: str) -> None:
        """Something was said there."""
        self._api.faults.mend(f"channel {channel}")

    async def close(self) -> None:
        """Give up what is being asked."""
        await self._kept.close()

    async def _ask(self, key: str) -> Mapping[str, Room]:
        number = await self._api.guild()

        async def look(client: discord.Client) -> Mapping[str, Room]:
            assert client.user is not None
            guild = await client.fetch_guild(number, with_counts=False)
            me = await guild.fetch_member(client.user.id)
            found: dict[str, Room] = {}
            for channel in await guild.fetch_channels():
                if isinstance(channel, discord.TextChannel):
                    held = channel.permissions_for(me)
                    room = Room(channel.id, f"#{channel.name}", tuple(missing(held)), shows_pictures(held))
                    found.setdefault(room.name, room)
                    found[str(room.id)] = room
            return found

        try:
            return await self._api.call("the list of channels", look)
        except ChannelGone as problem:
            sentence = f"I am not in the server {number}: open what `gonogo discord invite` prints"
            raise Refusal(sentence, 10004, lasts=True) from problem
