"""Discord as a chat the channel stands in: cards posted, edited, found again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, TypeVar

import discord

from adapters.discord import layout, packing
from adapters.discord.client import Api
from adapters.discord.faults import THREAD_EXISTS, Archived, Refusal
from adapters.discord.people import People, first_holders
from adapters.discord.pictures import Drawings, Shown
from adapters.discord.posting import deployment_of, thread_name
from adapters.discord.rooms import Rooms
from bot.cards.card import Card, Picture
from bot.ports import Ambiguous, ChannelGone, MessageGone

T = TypeVar("T")

_READ = 2_000
"""So many messages are searched, at most."""
_MANY = 5_000
_KEPT_OPEN: Final = 10_080
"""Minutes without a word until Discord archives a thread: the longest it offers."""


class DiscordChat:
    """`bot.ports.Chat` over the REST API. A thread has the id of the message it hangs under.

    Until a key was answered for, it goes out with the same nonce, and Discord posts it once (resources/message:
    enforce_nonce, "the past few minutes"). After that the same key is meant to stand a second time, and gets a nonce
    of its own.
    """

    name = "discord"

    def __init__(self, api: Api, people: People, drawings: Drawings | None = None) -> None:
        self._api, self._people = api, people
        self._drawings = drawings or Drawings(None, api.faults)
        self.rooms = Rooms(api)
        self._markers: dict[int, tuple[int, int] | None] = {}
        """What messages are found by again, by their ids."""
        self._names: dict[int, str] = {}
        """How the threads under messages of channels are called."""
        self._stood: dict[str, int] = {}
        """How often a key was posted for certain."""
        self._owners: dict[int, str] = {}

    def faults(self) -> tuple[str, ...]:
        """What is wrong between gonogo and Discord now, each with how to mend it; gone when it is mended."""
        return self._api.faults.sentences()

    def parts(self, card: Card) -> tuple[Card, ...]:
        """The card cut into as few messages as Discord takes."""
        return packing.parts(card)

    async def has_channel(self, channel: str) -> bool:
        """Whether it can be posted to. Raises Ambiguous and Busy429 when that cannot be told and never could."""
        try:
            await self.rooms.place(channel)
        except ChannelGone:
            return False
        return True

    async def post(self, channel: str, card: Card, *, key: str, thread: str | None = None) -> str:
        """See the port. The thread is made with the first reply."""
        place = await self.rooms.place(channel)
        marker = layout.marker(key)
        with self._in(channel):
            if thread is None:
                message = await self._send(place, card, key, marker)
                _keep(self._names, message.id, thread_name(card))
            else:
                message = await self._reply(place, int(thread), card, key, marker)
        _keep(self._stood, key, self._stood.get(key, 0) + 1)
        _keep(self._markers, message.id, marker)
        return str(message.id)

    async def update(self, channel: str, message: str, card: Card, *, thread: str | None = None) -> None:
        """See the port. What it is found by stays; a thread that was archived is opened again."""
        place = int(thread) if thread is not None else await self.rooms.place(channel, looking=True)
        number = int(message)
        with self._in(channel, thread):
            await self._recall(place, number)
            marker, deployment = self._markers[number], self._owners.get(number, "")
            people = first_holders(self._people())
            drawn = await self._drawings.of(card)
            pictured = any(isinstance(block, Picture) for block in card.blocks)

            async def edit(client: discord.Client, shown: Shown) -> None:
                view = layout.layout(card, people=people, deployment=deployment, marker=marker, pictures=shown.names)
                here = client.get_partial_messageable(place).get_partial_message(number)
                await here.edit(
                    view=view,
                    allowed_mentions=discord.AllowedMentions.none(),
                    attachments=shown.files() if pictured else discord.utils.MISSING,
                )

            def tried(shown: Shown) -> Awaitable[None]:
                return self._api.call("an edit", lambda client: edit(client, shown))

            await self._opened(place, lambda: self._drawings.send(drawn, tried))
        if thread is None:
            _keep(self._names, number, thread_name(card))

    async def find(self, channel: str, key: str, *, since: datetime, thread: str | None = None) -> str | None:
        """See the port. Raises Ambiguous when more than 2,000 messages were posted since: that many are not read."""
        place = int(thread) if thread is not None else await self.rooms.place(channel, looking=True)
        marker, nonces = layout.marker(key), {layout.nonce(key)}
        me = self._api.me

        async def look(client: discord.Client) -> str | None:
            read = 0
            async for message in client.get_partial_messageable(place).history(after=since, limit=_READ):
                read += 1
                mine = me is None or message.author.id == me.id
                if mine and (_ids(message) == marker or message.nonce in nonces):
                    return str(message.id)
            if read >= _READ:
                raise Ambiguous(f"more than {_READ} messages since {since:%H:%M} UTC are not searched")
            return None

        try:
            found = await self._api.call("reading back", look)
        except ChannelGone:
            if thread is None:
                raise
            return None  # the thread is gone, and with it what hung under it
        if found is not None:
            _keep(self._markers, int(found), marker)
        return found

    async def close(self) -> None:
        """Give up what is being asked."""
        await self.rooms.close()

    # --- posting ---

    async def _send(self, place: int, card: Card, key: str, marker: tuple[int, int]) -> discord.Message:
        """Post into a channel or thread. What was deleted minutes ago may be posted anew: its nonce is spent."""
        deployment = deployment_of(key)
        people = first_holders(self._people())
        drawn = await self._drawings.of(card)

        async def send(client: discord.Client, nonce: str, shown: Shown) -> discord.Message:
            view = layout.layout(card, people=people, deployment=deployment, marker=marker, pictures=shown.names)
            return await client.get_partial_messageable(place).send(
                view=view, nonce=nonce, allowed_mentions=layout.mentioned(card, people), files=shown.files()
            )

        def tried(nonce: str) -> Awaitable[discord.Message]:
            return self._drawings.send(
                drawn, lambda shown: self._api.call("a message", lambda client: send(client, nonce, shown))
            )

        try:
            message = await tried(_nonce(key, self._stood.get(key, 0)))
        except MessageGone:
            message = await tried(layout.nonce(f"{key}@{place}+"))
        _keep(self._owners, message.id, deployment)
        return message

    async def _reply(self, place: int, root: int, card: Card, key: str, marker: tuple[int, int]) -> discord.Message:
        """Post into the thread of a message, which is made where there is none."""
        try:
            return await self._send(root, card, key, marker)
        except ChannelGone as problem:
            if isinstance(problem.__cause__, discord.Forbidden):
                raise
        name = self._names.get(root) or thread_name(card)

        async def begin(client: discord.Client) -> None:
            await client.http.start_thread_with_message(place, root, name=name, auto_archive_duration=_KEPT_OPEN)

        try:
            await self._api.call("a thread", begin)
        except Refusal as problem:
            if problem.code != THREAD_EXISTS:
                raise
        except ChannelGone as problem:
            if isinstance(problem.__cause__, discord.NotFound):
                raise MessageGone("the message it hangs under was deleted") from problem
            raise
        return await self._send(root, card, key, marker)

    async def _opened(self, thread: int, do: Callable[[], Awaitable[T]]) -> T:
        """Do it; in a thread that was archived once more, after opening it."""
        try:
            return await do()
        except Archived:

            async def reopen(client: discord.Client) -> None:
                await client.http.edit_channel(thread, archived=False)

            await self._api.call("opening a thread again", reopen)
            return await do()

    async def _recall(self, place: int, message: int) -> None:
        """What a message is found by, and whose it is: as remembered, else as it stands there."""
        if message in self._markers and message in self._owners:
            return

        async def read(client: discord.Client) -> Mapping[str, Any]:
            return await client.http.get_message(place, message)

        stands = await self._api.call("a message", read)
        match [component.get("id") for component in stands.get("components", ())][:2]:
            case [int() as first, int() as second]:
                _keep(self._markers, message, (first, second))
            case _:
                _keep(self._markers, message, None)
        actions = (action.split(":") for action in _actions(stands))
        _keep(self._owners, message, next((parts[1] for parts in actions if len(parts) > 2), ""))

    @contextmanager
    def _in(self, channel: str, thread: str | None = None) -> Iterator[None]:
        """A call about a channel: it shows whether something can be said there. A thread that is gone took its
        messages along."""
        try:
            yield
        except ChannelGone as problem:
            if thread is not None and isinstance(problem.__cause__, discord.NotFound):
                raise MessageGone("the thread was deleted") from problem
            raise self.rooms.gone(channel, why=str(problem)) from problem
        self.rooms.spoken(channel)


def _nonce(key: str, times: int) -> str:
    return layout.nonce(key) if not times else layout.nonce(f"{key}+{times}")


def _ids(message: discord.Message) -> tuple[int, int] | None:
    """The ids of its first two components."""
    match [getattr(component, "id", None) for component in message.components[:2]]:
        case [int() as first, int() as second]:
            return first, second
    return None


def _actions(component: Mapping[str, Any]) -> Iterator[str]:
    """Every `custom_id` in it."""
    if component.get("custom_id"):
        yield str(component["custom_id"])
    for name in ("components", "accessory"):
        inner = component.get(name) or ()
        for each in [inner] if isinstance(inner, Mapping) else inner:
            yield from _actions(each)


def _keep(memory: dict[Any, T], key: int | str, value: T) -> None:
    """Remember, within bounds."""
    if len(memory) >= _MANY:
        memory.clear()
    memory[key] = value
