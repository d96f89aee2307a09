"""Socket Mode: several connections, each renewed by a fresh one before it goes, so that no click meets a closed door.

slack_sdk's own client closes the old connection before it opens the new one and acknowledges on whichever is current;
clicks and commands are delivered once, so what arrives in between is lost. Here the envelopes go through Bolt all the
same. docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.request import SocketModeRequest

from adapters.slack.client import Api
from adapters.slack.tasks import Tasks
from bot.ports import Busy429

CONNECTIONS = 2
"""Slack permits ten for an app; with two, one is always there."""
_HELLO = 10.0
_HEARTBEAT = 10.0
_RENEW = 45 * 60.0
"""Slack ends a connection after about an hour; earlier it is our choice when. A new one also tells how many there
are."""
_SUSPECT = 5 * 60.0
_LONGEST_WAIT = 30.0
_DRAIN = 5.0
_GOODBYE = aiohttp.ClientWSTimeout(ws_close=1.0)
"""Seconds that the other end may take to close, too: a line may be dead."""
_LOST = 30.0
_OFF = {
    "link_disabled": "Socket Mode is off in the app's settings: switch it on, or go over HTTP with a signing secret",
    "too_many_websockets": "this app has too many connections: stop others with its app token; Slack drops dead ones",
}

log = structlog.get_logger(__name__)

Handle = Callable[["Line", SocketModeRequest], Coroutine[Any, Any, None]]


class Line:
    """One connection. `leaving` is set when it will close, or has."""

    logger = logging.getLogger(__name__)

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: aiohttp.ClientSession) -> None:
        self._socket, self._session = socket, session
        self.leaving = asyncio.Event()
        self.greeted: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.reason = ""
        self.tasks = Tasks()
        self._reader: asyncio.Task[None] | None = None

    def start(self, handle: Handle) -> None:
        """Begin to receive."""
        self._reader = asyncio.create_task(self._read(handle))

    @property
    def open(self) -> bool:
        """Whether something can be sent on it."""
        return not self._socket.closed

    async def send_socket_mode_response(self, response: Any) -> None:
        """Acknowledge an envelope. Raises OSError when the connection is gone."""
        await self._socket.send_str(json.dumps(response.to_dict()))

    async def close(self, drain: float) -> None:
        """Let the handlers of its envelopes end, `drain` seconds at most, and close it."""
        await self.tasks.drained(drain)
        await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self._session.close()
        self.leaving.set()

    async def _read(self, handle: Handle) -> None:
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data, handle)
        finally:
            self.leaving.set()
            if not self.greeted.done():
                self.greeted.set_exception(ConnectionError(self.reason or "closed before the hello"))

    def _take(self, text: str, handle: Handle) -> None:
        frame = json.loads(text) if text.startswith("{") else {}
        if frame.get("type") == "hello" and not self.greeted.done():
            self.greeted.set_result(frame)
        elif frame.get("type") == "disconnect":
            self.reason = str(frame.get("reason", ""))
            self.leaving.set()
        elif (request := SocketModeRequest.from_dict(frame)) is not None:
            self.tasks.spawn(handle(self, request))


class SocketMode:
    """Keeps `connections` lines open between `start` and `stop`. Each that leaves, breaks or grows old is replaced
    first."""

    def __init__(
        self,
        api: Api,
        app: AsyncApp,
        app_token: str,
        *,
        connections: int = CONNECTIONS,
        processes: int = 1,
        heartbeat: float = _HEARTBEAT,
        renew: float = _RENEW,
        suspect: float = _SUSPECT,
        lost: float = _LOST,
    ) -> None:
        """`processes` share the app token. `heartbeat` seconds without an answer end a line, `renew` is a line's
        longest life, `suspect` its life when Slack counts more lines than there should be; after `lost` seconds
        without any line that is a fault."""
        self._api, self._app, self._token = api, app, app_token
        self._connections, self._expected = connections, connections * processes
        self._heartbeat, self._renew, self._suspect, self._lost = heartbeat, renew, suspect, lost
        self.lines: set[Line] = set()
        self._closing = Tasks()
        self._slots: list[asyncio.Task[None]] = []
        self._silent_since: float | None = None
        self._untried = connections

    async def start(self) -> None:
        """Returns when the first line stands, or none could be opened: it goes on trying."""
        first, self._untried = asyncio.Event(), self._connections
        self._slots = [asyncio.create_task(self._keep(place, first)) for place in range(self._connections)]
        await first.wait()

    async def stop(self) -> None:
        """Let the running handlers end (they acknowledge on their line) and close every line."""
        for slot in self._slots:
            slot.cancel()
        await asyncio.gather(*self._slots, return_exceptions=True)
        await asyncio.gather(*(line.close(_DRAIN) for line in list(self.lines)), self._closing.drained(_DRAIN))
        self.lines.clear()

    @property
    def connected(self) -> int:
        """How many lines stand."""
        return sum(line.open and not line.leaving.is_set() for line in self.lines)

    async def _keep(self, place: int, first: asyncio.Event) -> None:
        """One place, always filled. The new line stands before the old one goes."""
        failed, old = 0, None
        while True:
            try:
                line, life = await self._open(place)
            except Exception as problem:
                failed += 1
                self._untried -= failed == 1
                self._say_lost(problem)
                if str(problem) in _OFF:
                    self._api.faults.note("socket", _OFF[str(problem)])
                if self._untried <= 0:
                    first.set()
                # Slack permits few openings a minute, and says how long to wait.
                asked = problem.retry_after if isinstance(problem, Busy429) else 0.0
                await asyncio.sleep(asked or min(_LONGEST_WAIT, 0.25 * 2.0 ** min(failed, 8)))
                continue
            failed, self._silent_since = 0, None
            self._api.faults.mend("socket")
            first.set()
            if old is not None:
                self._closing.spawn(self._retire(old))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(life):
                    await line.leaving.wait()
            log.info("slack.socket.renew", place=place, reason=line.reason or "age or silence")
            old = line
            if line.reason in _OFF:
                await self._retire(line)  # there is no room for another beside it
                self._api.faults.note("socket", _OFF[line.reason])
                old = None
                await asyncio.sleep(min(_LONGEST_WAIT, self._lost))

    async def _open(self, place: int) -> tuple[Line, float]:
        """A fresh ticket and a connection that has been greeted; and how long it shall live."""
        answer = await self._api.call("apps.connections.open", app_token=self._token)
        session = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(_HELLO):
                socket = await session.ws_connect(
                    str(answer.get("url")),
                    heartbeat=self._heartbeat,
                    proxy=self._api.web.proxy,
                    max_msg_size=0,
                    timeout=_GOODBYE,
                )
                line = Line(socket, session)
                line.start(self._handle)
                hello = await line.greeted
        except BaseException:
            await session.close()
            raise
        self.lines.add(line)
        return line, self._life(place, int(hello.get("num_connections") or 0))

    async def _retire(self, line: Line) -> None:
        await line.close(_DRAIN)
        self.lines.discard(line)

    def _life(self, place: int, counted: int) -> float:
        """Lines of one process grow old at different times. Ones Slack counts and nobody has lead nowhere."""
        mine = sum(line.open for line in self.lines)
        ghosts = counted - self._expected - max(mine - self._connections, 0)
        if ghosts <= 0:
            self._api.faults.mend("ghosts")
            return self._renew * (place + 1) / self._connections
        self._api.faults.note(
            "ghosts",
            f"it counts {counted} connections of this app and there should be {self._expected}. Another gonogo with "
            "the same app token takes some of the clicks, or one that died does until Slack notices",
        )
        return min(self._suspect, self._renew)

    async def _handle(self, line: Line, request: SocketModeRequest) -> None:
        """Through Bolt, and acknowledged on the line it came by; on another where that one has gone."""
        began = time.time()
        response = await run_async_bolt_app(self._app, request)
        for way in (line, *(other for other in self.lines if other is not line and other.open)):
            try:
                await send_async_response(way, request, response, began)  # type: ignore[arg-type]
            except OSError:
                continue
            return
        log.warning("slack.socket.unacknowledged", type=request.type)

    def _say_lost(self, problem: BaseException) -> None:
        now = asyncio.get_running_loop().time()
        self._silent_since = now if self._silent_since is None else self._silent_since
        say = log.info if isinstance(problem, Busy429) else log.warning
        say("slack.socket.open", problem=str(problem) or type(problem).__name__)
        if not self.connected and now - self._silent_since >= self._lost:
            self._api.faults.note(
                "socket", "there is no connection for clicks and commands (Socket Mode); I go on trying"
            )
