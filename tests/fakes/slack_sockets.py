"""Socket Mode: up to ten WebSockets, any of which gets a payload.

Page: docs.slack.dev/apis/events-api/using-socket-mode. Ghosts are registrations that nobody reads: issue 1940 of
slackapi/python-slack-sdk.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.slack_shapes import JSON
from tests.fakes.slack_things import APP
from tests.fakes.slack_world import World

MOST = 10


@dataclass(eq=False)
class Connection:
    """One registered WebSocket, as Slack's side sees it.

    `state`: `live`; `deaf` answers pings but gets nothing (what is sent to it vanishes); `mute` does not even answer
    pings; `ghost` has nobody at the other end.
    """

    id: str
    opened_at: float
    ws: web.WebSocketResponse | None = None
    state: str = "live"
    leaving: bool = False
    envelopes: list[str] = field(default_factory=list)
    request: web.Request | None = None

    def drop(self) -> None:
        """Cut the TCP connection: no close frame."""
        if self.request is not None and self.request.transport is not None:
            self.request.transport.abort()

    def stall(self) -> None:
        """Nothing is read from it any more, and nothing answered: the peer is gone and nobody has noticed."""
        if self.request is not None and self.request.transport is not None:
            self.request.transport.pause_reading()


@dataclass(frozen=True)
class SocketAck:
    """An acknowledgement as it came in. `late`: after the time was up, or for an envelope nobody sent."""

    envelope_id: str
    at: float
    elapsed: float
    payload: Any
    connection: str
    late: bool


class SocketMode:
    """Registers connections, hands out payloads, collects acks."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.connections: list[Connection] = []
        self.acks: list[SocketAck] = []
        self.most = MOST
        self.lifetime = 3600
        self.linger = False
        """Whether a connection that ends without a close handshake stays registered, as a ghost."""
        self.route: Callable[[list[Connection]], Connection] | None = None
        """Which connection gets the next payload; by default any, from the seed."""
        self._sent: dict[str, tuple[float, asyncio.Future[Any]]] = {}

    def ghost(self) -> Connection:
        """A registration left over from a process that died."""
        left_over = Connection(self.world.id("ws"), self.world.clock.now(), state="ghost")
        self.connections.append(left_over)
        self.world.changed()
        return left_over

    @property
    def live(self) -> list[Connection]:
        return [each for each in self.connections if each.ws is not None and not each.leaving]

    # --- connecting ---

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """A ticket opens one connection. The eleventh is told too_many_websockets and closed."""
        ticket = request.query.get("ticket", "")
        if self.world.tickets.get(ticket, True):
            return web.Response(status=403, text="ticket unknown or used")
        self.world.tickets[ticket] = True
        ws = web.WebSocketResponse(autoping=False, timeout=0.5)
        await ws.prepare(request)
        if len(self.connections) >= self.most:
            await ws.send_json({"type": "disconnect", "reason": "too_many_websockets", "debug_info": self._debug()})
            await ws.close()
            return ws
        connection = Connection(self.world.id("ws"), self.world.clock.now(), ws, request=request)
        self.connections.append(connection)
        lifetime = 360 if request.query.get("debug_reconnects") == "true" else self.lifetime
        hello = {"type": "hello", "num_connections": len(self.connections), "connection_info": {"app_id": APP}}
        await ws.send_json(hello | {"debug_info": self._debug() | {"approximate_connection_time": lifetime}})
        self.world.changed()
        try:
            await self._listen(connection, ws)
        finally:
            if self.linger and ws.close_code in (None, 1006) and not connection.leaving:
                connection.state, connection.ws = "ghost", None
            elif connection in self.connections:
                self.connections.remove(connection)
            self.world.changed()
        return ws

    def _debug(self) -> JSON:
        return {"host": "applink-fake", "started": "2026-01-01 00:00:00.000", "build_number": 1}

    async def _listen(self, connection: Connection, ws: web.WebSocketResponse) -> None:
        while not ws.closed:
            message = await ws.receive()
            if message.type is WSMsgType.PING:
                if connection.state != "mute":
                    await ws.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._acked(connection, json.loads(message.data))
            elif message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return

    def _acked(self, connection: Connection, message: JSON) -> None:
        envelope, now = str(message.get("envelope_id")), asyncio.get_running_loop().time()
        sent_at, waiting = self._sent.get(envelope, (now, None))
        late = waiting is None or waiting.done()
        payload = message.get("payload")
        self.acks.append(
            SocketAck(envelope, self.world.clock.now(), now - sent_at, payload, connection.id, late),
        )
        if waiting is not None and not waiting.done():
            waiting.set_result(payload)
        self.world.changed()

    # --- delivering ---

    async def deliver(self, kind: str, payload: JSON, within: float, retry: JSON | None = None) -> tuple[str, Any]:
        """To one connection, once: `acked` with the response payload, `operation_timeout`, or `dispatch_failed`."""
        ready = [each for each in self.connections if not each.leaving]
        if not ready:
            return "dispatch_failed", None
        to = self.route(ready) if self.route else self.world.random.choice(ready)
        loop = asyncio.get_running_loop()
        envelope = f"{self.world.random.getrandbits(128):032x}"
        waiting: asyncio.Future[Any] = loop.create_future()
        self._sent[envelope] = (loop.time(), waiting)
        to.envelopes.append(envelope)
        body = {"envelope_id": envelope, "type": kind, "payload": payload, **(retry or {})}
        body["accepts_response_payload"] = kind != "events_api"
        if to.state == "live" and to.ws is not None and not to.ws.closed:
            with contextlib.suppress(ConnectionError):  # it died unseen; what was sent is lost
                await to.ws.send_str(json.dumps(body))
        self.world.changed()
        done, _ = await asyncio.wait({waiting}, timeout=within)
        if not done:
            waiting.cancel()
            return "operation_timeout", None
        return "acked", waiting.result()

    async def disconnect(
        self,
        reason: str = "refresh_requested",
        connection: Connection | None = None,
        *,
        patience: float = 0.5,
    ) -> None:
        """Tell one connection, or all, to go: `warning`, `refresh_requested` or `link_disabled`.

        After a `warning` the connection still works; after the other two it gets nothing more, and is closed when the
        app has not done so itself within `patience` seconds.
        """
        closes = reason != "warning"
        for each in [connection] if connection else list(self.live):
            if each.ws is None or each.ws.closed:
                continue
            each.leaving = closes
            await each.ws.send_json({"type": "disconnect", "reason": reason, "debug_info": self._debug()})
            if closes:
                self.world.start(self._hang_up(each, each.ws, patience))
        self.world.changed()

    async def _hang_up(self, connection: Connection, ws: web.WebSocketResponse, patience: float) -> None:
        with contextlib.suppress(AssertionError):
            await self.world.until(lambda: connection not in self.connections, within=patience)
        await ws.close()

    async def close(self) -> None:
        for each in self.connections:
            if each.ws is not None and not each.ws.closed:
                each.drop()
