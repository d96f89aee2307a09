"""Slack as a chat the channel stands in: cards posted, edited, found again and taken away."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from adapters.slack import packing
from adapters.slack.cache import Cache
from adapters.slack.client import Api
from adapters.slack.faults import Refusal
from adapters.slack.people import first_holders
from adapters.slack.pictures import Uploads
from adapters.slack.posting import EVENT, deployment_of, needs_deployment, post_body, update_body
from adapters.slack.roles import People
from bot.cards.card import Card
from bot.ports import Ambiguous, ChannelGone, ChatError, MessageGone

_ID = re.compile(r"[CG][A-Z0-9]{6,}")
_FRESH, _STALE, _MISSED = 600.0, 3_600.0, 20.0
"""Seconds: how long the list of channels is good, how long it is better than nothing, how old it may be to say no."""
_PAGES = 10
_MANY = 5_000
_PAGE = 200

log = structlog.get_logger(__name__)


class SlackChat:
    """`bot.ports.Chat` over the Web API. A message's id is its `ts`; channels are `#name`, or `C…`, which survives a
    new name. The bot stands in the channels it was invited to: it posts nowhere it could not read back."""

    name = "slack"

    def __init__(self, api: Api, people: People, uploads: Uploads | None = None) -> None:
        self._api, self._people = api, people
        self._uploads = uploads or Uploads(api, None)
        self._owners: dict[str, str] = {}
        """Deployments of messages, by `ts`."""
        self._channels: Cache[Mapping[str, str]] = Cache(self._ask_channels, fresh=_FRESH, stale=_STALE, patience=10.0)

    def faults(self) -> tuple[str, ...]:
        """What is wrong between gonogo and Slack now, each with how to mend it; gone when it is mended."""
        return self._api.faults.sentences()

    def parts(self, card: Card) -> tuple[Card, ...]:
        """The card cut into as few messages as Slack takes."""
        return packing.parts(card)

    async def has_channel(self, channel: str) -> bool:
        """Whether the bot is in it. Raises Ambiguous and Busy429 when that cannot be told and never could."""
        try:
            await self._id(channel)
        except ChannelGone as problem:
            log.info("slack.channel", channel=channel, problem=str(problem))
            return False
        self._api.faults.mend(f"channel {channel}")
        return True

    async def post(self, channel: str, card: Card, *, key: str, thread: str | None = None) -> str:
        """See the port. A reply whose parent is gone would stand in the channel by itself: it is taken away again."""
        place = await self._id(channel)
        files = await self._uploads.of(card)
        with self._in(channel):
            body = partial(post_body, card, channel=place, key=key, thread=thread, people=first_holders(self._people()))
            answer = await self._uploads.call("chat.postMessage", files, lambda files: body(files=files))
        message = str(answer["ts"])
        self._remember(message, deployment_of(key))
        if thread is not None and not (answer.get("message") or {}).get("thread_ts"):
            await self.remove(channel, message)
            raise MessageGone("the message it hangs under was deleted")
        return message

    async def update(self, channel: str, message: str, card: Card, *, thread: str | None = None) -> None:
        """See the port. The key stays: chat.update keeps the metadata it is not given."""
        place = await self._id(channel)
        files = await self._uploads.of(card)
        with self._in(channel):
            deployment = await self._deployment(place, message, thread) if needs_deployment(card) else ""
            people = first_holders(self._people())
            body = partial(update_body, card, channel=place, message=message, deployment=deployment, people=people)
            await self._uploads.call("chat.update", files, lambda files: body(files=files))

    async def remove(self, channel: str, message: str, *, thread: str | None = None) -> None:
        """Take a message away; gone already is fine. Raises ChannelGone, Busy429, Ambiguous."""
        place = await self._id(channel)
        with self._in(channel):
            try:
                await self._api.call("chat.delete", channel=place, ts=message)
            except MessageGone:
                return

    async def find(self, channel: str, key: str, *, since: datetime, thread: str | None = None) -> str | None:
        """See the port. Raises Ambiguous when more than 2,000 messages were posted since: that many are not read."""
        place = await self._id(channel, looking=True)
        with self._in(channel):
            try:
                async for message in self._since(place, since, thread):
                    if self._carries(message, key):
                        return str(message["ts"])
            except MessageGone:
                return None  # the thread is gone, and with it what hung under it
        return None

    async def close(self) -> None:
        """Give up what is being asked."""
        await self._channels.close()

    async def name_of(self, channel: str) -> str:
        """`#name` of an id, for people; the id itself where the name is not known."""
        try:
            known = await self._channels.get("")
        except ChatError:
            return channel
        return next((name for name, place in known.items() if place == channel and name.startswith("#")), channel)

    # --- channels ---

    async def _id(self, channel: str, *, looking: bool = False) -> str:
        """Where `#name` is. A list that does not have it is asked for anew, at most every 20 seconds. Where I am not is
        a fault, but not for who is only looking."""
        known = await self._channels.get("")
        if not known.get(channel):
            known = await self._channels.get("", fresh=_MISSED)
        if not known.get(channel):
            if looking:
                raise ChannelGone(f"I am not in {channel}")
            raise self._gone(channel, "archived" if channel in known else "")
        return known[channel]

    def _gone(self, channel: str, why: str = "") -> ChannelGone:
        """Nothing can be said in the channel: a fault, until something is."""
        bot = self._api.me.name if self._api.me else "gonogo"
        if "archived" in why:
            sentence = f"{channel} is archived: unarchive it, or name another channel in the policy"
        else:
            sentence = f"I am not in {channel}: invite me with /invite @{bot}"
        self._api.faults.note(f"channel {channel}", sentence)
        return ChannelGone(sentence)

    @contextmanager
    def _in(self, channel: str) -> Iterator[None]:
        """A call about a channel: it shows whether something can be said there."""
        try:
            yield
        except ChannelGone as problem:
            self._channels.forget("")
            raise self._gone(channel, str(problem)) from problem
        self._api.faults.mend(f"channel {channel}")

    async def _ask_channels(self, key: str) -> Mapping[str, str]:
        """`#name` and id of every channel the bot is in, as their ids; "" for an archived one. A former name leads
        there too, if it is free."""
        names: dict[str, str] = {}
        former: dict[str, str] = {}
        archived: dict[str, str] = {}
        cursor = ""
        for _ in range(_PAGES):
            answer = await self._api.call(
                "users.conversations",
                types="public_channel,private_channel",
                limit=_PAGE,
                cursor=cursor or None,
            )
            for channel in answer.get("channels") or ():
                place = str(channel["id"])
                if channel.get("is_archived"):
                    archived |= {f"#{channel.get('name', '')}": "", place: ""}
                    continue
                names |= {f"#{channel.get('name', '')}": place, place: place}
                former |= {f"#{name}": place for name in channel.get("previous_names") or ()}
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return {**archived, **former, **names}

    # --- reading back ---

    async def _since(self, place: str, since: datetime, thread: str | None) -> AsyncIterator[Mapping[str, Any]]:
        """Messages of the channel, newest first; of a thread, its replies.
        docs.slack.dev/reference/methods/conversations.history"""
        arguments: dict[str, Any] = {
            "channel": place,
            "oldest": f"{since.timestamp():.6f}",
            "include_all_metadata": True,
            "limit": _PAGE,
        }
        method = "conversations.history" if thread is None else "conversations.replies"
        if thread is not None:
            arguments["ts"] = thread
        for _ in range(_PAGES):
            answer = await self._api.call(method, **arguments)
            for message in answer.get("messages") or ():
                yield message
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return
            arguments["cursor"] = cursor
        raise Ambiguous(f"more than {_PAGES * _PAGE} messages since {since:%H:%M} UTC are not searched")

    async def _deployment(self, place: str, message: str, thread: str | None) -> str:
        """Whose message it is: as remembered, else as its metadata says. Empty where that cannot be read."""
        if message in self._owners:
            return self._owners[message]
        here: dict[str, Any] = {"channel": place, "oldest": message, "latest": message, "inclusive": True}
        method = "conversations.history" if thread is None else "conversations.replies"
        if thread is not None:
            here["ts"] = thread
        try:
            answer = await self._api.call(method, **here, include_all_metadata=True, limit=2)
        except Refusal as problem:
            log.info("slack.metadata", problem=str(problem))
            return ""
        keys = {str(found["ts"]): _key(found) for found in answer.get("messages") or ()}
        return self._remember(message, deployment_of(keys.get(message, "")))

    def _remember(self, message: str, deployment: str) -> str:
        if len(self._owners) >= _MANY:
            self._owners.clear()
        self._owners[message] = deployment
        return deployment

    def _carries(self, message: Mapping[str, Any], key: str) -> bool:
        """Whether it is ours and was posted with this key. Other apps may write what they like into their metadata."""
        mine = self._api.me is None or message.get("user") in (None, self._api.me.user_id)
        return mine and _key(message) == key


def _key(message: Mapping[str, Any]) -> str:
    """The key a message was posted with; empty if it has none."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT:
        return ""
    return str((metadata.get("event_payload") or {}).get("key") or "")
