"""The sandbox as a chat: what the core posts stands in the database, and every open page shows it at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from adapters.web.messages import Messages
from adapters.web.state import Sandbox
from bot.cards.card import Card
from bot.ports import Ambiguous, ChannelGone, Clock, MessageGone

DEPLOYMENTS = "#deployments"


class WebChat:
    """`bot.ports.Chat` over the sandbox's tables. Message ids are numbers in words; messages are stamped with `clock`.

    `channels` are those that exist besides #deployments (with `#`).
    """

    name = "web"

    def __init__(self, sandbox: Sandbox, clock: Clock, channels: Iterable[str] = ()) -> None:
        self.channels = (DEPLOYMENTS, *sorted({channel for channel in channels if channel != DEPLOYMENTS}))
        self.messages = Messages(sandbox)
        self._clock = clock

    def parts(self, card: Card) -> tuple[Card, ...]:
        """A page has room for any card."""
        return (card,)

    async def has_channel(self, channel: str) -> bool:
        """See the port."""
        return channel in self.channels

    async def post(self, channel: str, card: Card, *, key: str, thread: str | None = None) -> str:
        """See the port."""
        if channel not in self.channels:
            raise ChannelGone(f"the sandbox has no channel {channel}")
        with _ambiguous():
            message = await self.messages.add(channel, _number(thread), key, card, self._clock.now())
        if message is None:
            raise MessageGone(f"there is no message {thread} in {channel} to reply to")
        return str(message)

    async def update(self, channel: str, message: str, card: Card, *, thread: str | None = None) -> None:
        """See the port."""
        with _ambiguous():
            found = await self.messages.replace(_number(message) or 0, channel, card, self._clock.now())
        if not found:
            raise MessageGone(f"there is no message {message} in {channel}")

    async def find(self, channel: str, key: str, *, since: datetime, thread: str | None = None) -> str | None:
        """See the port."""
        with _ambiguous():
            message = await self.messages.with_key(channel, _number(thread), key, since)
        return None if message is None else str(message)


def _number(message: str | None) -> int | None:
    """Ids of other chats name no message here: 0 is none's id."""
    if message is None:
        return None
    return int(message) if message.isascii() and message.isdigit() and len(message) < 10 else 0


@contextmanager
def _ambiguous() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise Ambiguous(f"the sandbox's database did not answer: {error}") from error
