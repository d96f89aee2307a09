"""The live stream of one open page (server-sent events).

Nothing is queued for a page: it only has a position in the order of changes, and is sent what comes after it. A slow
page gets fewer, newer states; a page that was away says where it was (Last-Event-ID) and misses nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from adapters.web.chat import WebChat
from adapters.web.state import Bell
from adapters.web.view import View

POLL_SECONDS = 2.0
"""How often a page looks for what other processes have posted."""
HEARTBEAT_SECONDS = 15.0
_BATCH = 50
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

T = TypeVar("T")


class Stream:
    """Serves `/events`."""

    def __init__(self, bell: Bell, chat: WebChat, view: View, poll: float, heartbeat: float) -> None:
        self._bell = bell
        self._chat = chat
        self._view = view
        self._poll = poll
        self._heartbeat = heartbeat

    async def serve(self, request: Request) -> Response:
        """`?after=CHANGE`, or the Last-Event-ID a browser sends by itself when it comes back."""
        position = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        if not (position.isascii() and position.isdigit() and len(position) < 19):
            return JSONResponse({"error": "`after` is the number of a change."}, 400)
        return StreamingResponse(self._events(int(position)), media_type="text/event-stream", headers=_HEADERS)

    async def _events(self, position: int) -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        told: dict[str, Any] | None = None
        quiet = 0.0
        while not self._bell.closed:
            rings = self._bell.rings
            try:
                if position > await _unbroken(self._chat.messages.last_change):
                    yield "event: reset\ndata: {}\n\n"  # another database than the page came from
                    return
                while messages := await _unbroken(partial(self._view.changed, position, _BATCH)):
                    for message in messages:
                        position = message["change"]
                        yield _event("message", message, position)
                    quiet = 0.0
                state = await _unbroken(self._view.sandbox)
            except SQLAlchemyError:
                return  # the browser comes back in a second and goes on where it was
            lasting = {name: value for name, value in state.items() if name != "now"}
            if lasting != told:
                yield _event("sandbox", state)
                told, quiet = lasting, 0.0
            if quiet >= self._heartbeat:
                yield ": still here\n\n"
                quiet = 0.0
            heard = await self._bell.wait(rings, self._poll)
            quiet += self._poll if heard == rings else 0.0


async def _unbroken(read: Callable[[], Awaitable[T]]) -> T:
    """A page that is closed in the middle of a read must not take the database connection with it."""
    return await asyncio.shield(asyncio.ensure_future(read()))


def _event(kind: str, data: dict[str, Any], position: int | None = None) -> str:
    mark = "" if position is None else f"id: {position}\n"
    return f"{mark}event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"
