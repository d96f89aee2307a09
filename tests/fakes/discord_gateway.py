"""The gateway: sessions, heartbeats, resuming (events/gateway; topics/opcodes-and-status-codes)."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes import discord_shapes
from tests.fakes.discord_routes import Request, route
from tests.fakes.discord_things import ALL_INTENTS, APPLICATION, BOT, GUILD, JSON, PRIVILEGED
from tests.fakes.discord_world import World

INTENTS = {"MESSAGE": 1 << 9, "GUILD": 1, "CHANNEL": 1, "THREAD": 1}
"""Which intent an event needs, by the first word of its name; INTERACTION_CREATE needs none."""


@dataclass(eq=False)
class Session:
    """What RESUME takes up. `alive`: until it is invalidated or closed with 1000 or 1001."""

    id: str
    intents: int
    shard: tuple[int, int]
    sequence: int = 0
    events: list[JSON] = field(default_factory=list)
    alive: bool = True
    connection: Connection | None = None


@dataclass(eq=False)
class Connection:
    ws: web.WebSocketResponse
    request: web.Request
    session: Session | None = None
    beats: int = 0
    got: list[JSON] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    """When it sent something, in the last minute."""
    told: int | None = None
    """The code with which a test closed it."""

    def drop(self) -> None:
        """Cut the TCP connection: no close frame."""
        if self.request.transport is not None:
            self.request.transport.abort()

    def stall(self) -> None:
        """Nothing is read from it any more, and nothing answered: the peer is gone and nobody has noticed."""
        if self.request.transport is not None:
            self.request.transport.pause_reading()


class Gateway:
    """Opens sessions, sends them events, plays them again after RESUME."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.connections: list[Connection] = []
        self.sessions: list[Session] = []
        self.identifies: list[JSON] = []
        self.resumes: list[JSON] = []
        self.heartbeat = 41.25
        """Seconds between heartbeats."""
        self.mute = False
        """A zombie: heartbeats are read, and not acknowledged."""
        self.required_shards = 0
        self.identify_limit = 1000
        self.down = False
        self.close_codes: list[int | None] = []
        """How connections ended; 1006: no close frame."""

    @property
    def url(self) -> str:
        return self.world.base.replace("http", "ws", 1) + "/gateway"

    # --- a connection ---

    async def handle(self, request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(timeout=0.5)
        if self.down and request.transport is not None:
            request.transport.abort()
            return ws
        await ws.prepare(request)
        connection = Connection(ws, request)
        self.connections.append(connection)
        try:
            await self._send(
                connection, {"op": 10, "d": {"heartbeat_interval": int(self.heartbeat * 1000)}, "s": None, "t": None}
            )
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    await self._read(connection, message.data)
        finally:
            self.connections.remove(connection)
            self._ended(connection, connection.told or ws.close_code)
            self.world.changed()
        return ws

    def _ended(self, connection: Connection, code: int | None) -> None:
        """1000 and 1001 from the bot end the session; it can come back after anything else."""
        self.close_codes.append(code)
        if connection.session is not None and connection.session.connection is connection:
            connection.session.connection = None
            if code in (1000, 1001):
                connection.session.alive = False

    async def _read(self, connection: Connection, text: str) -> None:
        """4,096 bytes of JSON, and 120 of them in 60 seconds (events/gateway: rate limiting)."""
        now = self.world.clock.now()
        connection.sent = [at for at in connection.sent if at > now - 60] + [now]
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if not isinstance(message, dict) or len(text.encode()) > 4096:
            await connection.ws.close(code=4002, message=b"Error while decoding payload.")
        elif len(connection.sent) > 120:
            await connection.ws.close(code=4008, message=b"Rate limited.")
        else:
            await self._got(connection, message)

    async def _got(self, connection: Connection, message: JSON) -> None:
        op, data = message.get("op"), message.get("d")
        connection.got.append(message)
        if op == 1:
            connection.beats += 1
            if not self.mute:
                await self._send(connection, {"op": 11, "d": None, "s": None, "t": None})
        elif op == 2 and isinstance(data, dict):
            await self._identify(connection, data)
        elif op == 6 and isinstance(data, dict):
            await self._resume(connection, data)
        elif op not in (3, 4, 8):
            await connection.ws.close(code=4001, message=b"Unknown opcode")
        elif connection.session is None:
            await connection.ws.close(code=4003, message=b"Not authenticated")
        self.world.changed()

    async def _identify(self, connection: Connection, data: JSON) -> None:
        kept = {key: value for key, value in data.items() if key != "token"}
        self.identifies.append(kept)
        if connection.session is not None:
            await connection.ws.close(code=4005, message=b"Already authenticated")
            return
        if wrong := self._wrong(data):
            await connection.ws.close(code=wrong[0], message=wrong[1].encode())
            return
        shard = data.get("shard") or [0, 1]
        session = Session(self.world.secret()[:32], int(data["intents"]), (shard[0], shard[1]), connection=connection)
        connection.session = session
        self.sessions.append(session)
        ready = {
            "v": 10,
            "user": discord_shapes.user(self.world.people[BOT])
            | {"verified": True, "mfa_enabled": False, "email": None},
            "guilds": [{"id": str(GUILD), "unavailable": True}],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "session_type": "normal",
            "private_channels": [],
            "relationships": [],
            "application": {"id": str(APPLICATION), "flags": 0},
            "shard": list(shard),
        }
        self._event(session, "READY", ready)
        self._event(session, "GUILD_CREATE", discord_shapes.guild(self.world, whole=True))

    def _wrong(self, data: JSON) -> tuple[int, str] | None:
        """Close codes 4004, 4010, 4011, 4013, 4014; too many IDENTIFYs reset the token."""
        shard = data.get("shard") or [0, 1]
        intents = data.get("intents")
        if len(self.identifies) > self.identify_limit:
            self.world.token = self.world.secret()
        if data.get("token") != self.world.token:
            return 4004, "Authentication failed."
        if len(shard) != 2 or not 0 <= shard[0] < shard[1]:
            return 4010, "Invalid shard."
        if shard[1] < self.required_shards:
            return 4011, "Sharding required."
        if not isinstance(intents, int) or intents & ~ALL_INTENTS:
            return 4013, "Invalid intent(s)."
        if intents & PRIVILEGED & ~self.world.allowed_intents:
            return 4014, "Disallowed intent(s)."
        return None

    async def _resume(self, connection: Connection, data: JSON) -> None:
        self.resumes.append({key: value for key, value in data.items() if key != "token"})
        session = next((each for each in self.sessions if each.id == data.get("session_id")), None)
        if data.get("token") != self.world.token:
            await connection.ws.close(code=4004, message=b"Authentication failed.")
        elif session is None or not session.alive or not 0 <= int(data.get("seq") or 0) <= session.sequence:
            await self._send(connection, {"op": 9, "d": False, "s": None, "t": None})
        else:
            session.connection, connection.session = connection, session
            for each in session.events:
                if each["s"] > data["seq"]:
                    self.world.start(self._send(connection, each))
            self._event(session, "RESUMED", {"_trace": []})

    async def _send(self, connection: Connection, body: JSON) -> None:
        with contextlib.suppress(ConnectionError):  # it died unseen; what was sent is lost
            await connection.ws.send_str(json.dumps(body))

    # --- events ---

    def dispatch(self, name: str, data: JSON) -> None:
        """To every session that asked for this; one without a connection gets it after RESUME."""
        need = INTENTS.get(name.partition("_")[0], 0)
        for session in self.sessions:
            if (
                session.alive
                and session.shard[0] == (GUILD >> 22) % session.shard[1]
                and session.intents & need == need
            ):
                self._event(session, name, data)
        self.world.changed()

    def _event(self, session: Session, name: str, data: JSON) -> None:
        session.sequence += 1
        body = {"op": 0, "t": name, "s": session.sequence, "d": data}
        session.events.append(body)
        if session.connection is not None and not session.connection.ws.closed:
            self.world.start(self._send(session.connection, json.loads(json.dumps(body))))

    # --- what a test does to it ---

    @property
    def live(self) -> list[Connection]:
        return [each for each in self.connections if each.session is not None]

    @property
    def is_ready(self) -> bool:
        return bool(self.live)

    async def reconnect(self) -> None:
        """Op 7 to all: come back and resume."""
        for each in list(self.live):
            await self._send(each, {"op": 7, "d": None, "s": None, "t": None})

    async def invalidate(self, *, resumable: bool = False) -> None:
        """Op 9 to all; not resumable: what was missed is gone."""
        for each in list(self.live):
            if each.session is not None and not resumable:
                each.session.alive = False
            await self._send(each, {"op": 9, "d": resumable, "s": None, "t": None})

    def drop(self) -> None:
        """All connections end without a close frame."""
        for each in list(self.connections):
            each.drop()

    async def close(self, code: int = 4000) -> None:
        """All connections are closed with this code; 4007 and 4009 end the session (opcodes-and-status-codes)."""
        for each in list(self.connections):
            if each.session is not None and code in (4003, 4004, 4007, 4009):
                each.session.alive = False
            each.told = code
            await each.ws.close(code=code)


@route("GET", "/gateway", token=False)
def address(world: World, request: Request) -> Any:
    return {"url": world.base.replace("http", "ws", 1) + "/gateway"}


@route("GET", "/gateway/bot")
def bot_address(world: World, request: Request) -> Any:
    start = {"total": 1000, "remaining": 1000, "reset_after": 14_400_000, "max_concurrency": 1}
    shards = max(1, getattr(world, "gateway").required_shards)  # noqa: B009 the world does not know its gateway
    return {"url": world.base.replace("http", "ws", 1) + "/gateway", "shards": shards, "session_start_limit": start}
