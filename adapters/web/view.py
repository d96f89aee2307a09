"""What the page is told: messages with their HTML, and the state of the sandbox."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic
from typing import Any

from adapters.web.chat import WebChat
from adapters.web.clock import NextEvent, SandboxClock, SandboxTime
from adapters.web.draw import draw_card, iso
from adapters.web.messages import Message
from adapters.web.pictures import Figures
from adapters.web.service import SimulatedService
from bot.ports import StoreError

_DRAWN = 400
"""How many drawn messages are kept, so that ten open pages draw each once."""
_FRESH_SECONDS = 1.0
"""How old what the pages are told about the next event may be."""
PAGE = 60
"""Messages of a channel that are sent at once; older ones are asked for."""
THREAD = 400


class View:
    """Reads the channel for the page."""

    def __init__(
        self, chat: WebChat, clock: SandboxClock, time: SandboxTime, service: SimulatedService, figures: Figures
    ) -> None:
        self._chat = chat
        self._clock = clock
        self._time = time
        self._service = service
        self._figures = figures
        self._asked: tuple[tuple[timedelta, bool], float, NextEvent | None] | None = None
        self._drawn: OrderedDict[tuple[int, int], str] = OrderedDict()

    async def channel(self, name: str, before: int | None = None) -> dict[str, Any]:
        """The latest messages of a channel (or those before one), the channels, and the change they are as of."""
        # Read first: what changes meanwhile is told once more, which is harmless.
        change = await self._chat.messages.last_change()
        found = await self._chat.messages.roots(name, before, PAGE + 1)
        shown = found[-PAGE:]
        return {
            "change": change,
            "channels": await self.channels(),
            "messages": await self.tell(shown),
            "more": len(found) > len(shown),
        }

    async def thread(self, root: int) -> dict[str, Any] | None:
        """A message and what hangs under it; None if there is no such message."""
        change = await self._chat.messages.last_change()
        message = await self._chat.messages.get(root)
        if message is None or message.thread is not None:
            return None
        replies = await self._chat.messages.thread(root, THREAD)
        return {"change": change, "messages": await self.tell([message, *replies])}

    async def channels(self) -> list[str]:
        """The channels that exist and those something was said in, #deployments first."""
        return list(dict.fromkeys([*self._chat.channels, *await self._chat.messages.channels()]))

    async def changed(self, after: int, limit: int = 50) -> list[dict[str, Any]]:
        """Messages changed after that change, oldest change first."""
        return await self.tell(await self._chat.messages.changed(after, limit))

    async def tell(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """Messages for the page, with what hangs under them or, for replies, under their root."""
        replies = await self._chat.messages.replies(sorted({message.thread or message.id for message in messages}))
        told = []
        for message in messages:
            hanging = replies.get(message.thread or message.id)
            told.append(
                {
                    "id": message.id,
                    "channel": message.channel,
                    "thread": message.thread,
                    "change": message.change,
                    "posted": iso(message.posted_at),
                    "edited": iso(message.edited_at) if message.edited_at else None,
                    "title": message.card.title,
                    "text": message.card.text,
                    "html": self._html(message),
                    "replies": {"count": hanging.count, "last": iso(hanging.last_at)} if hanging else None,
                }
            )
        return told

    async def sandbox(self) -> dict[str, Any]:
        """The clock, what comes next and how the service is."""
        event = await self._next_event()
        now = self._clock.now()
        return {
            "now": now.isoformat(timespec="milliseconds"),
            "offset": round(self._clock.offset.total_seconds()),
            "moving": self._time.moving,
            "next": _event(event),
            "health": (await self._service.health()).value,
        }

    async def _next_event(self) -> NextEvent | None:
        """Reading calendars costs more than telling the time: all pages share one answer."""
        moved, asked = (self._clock.offset, self._time.moving), monotonic()
        if self._asked is None or self._asked[0] != moved or asked - self._asked[1] > _FRESH_SECONDS:
            try:
                event = await self._time.next_event()
            except StoreError:
                event = None
            self._asked = (moved, asked, event)
        return self._asked[2]

    def _html(self, message: Message) -> str:
        key = (message.id, message.change)
        if key not in self._drawn:
            self._drawn[key] = draw_card(message.card, self._figures.of_message(message.id))
            while len(self._drawn) > _DRAWN:
                self._drawn.popitem(last=False)
        self._drawn.move_to_end(key)
        return self._drawn[key]


def _event(event: NextEvent | None) -> dict[str, str] | None:
    return {"at": iso(event.at), "kind": event.kind} if event else None
