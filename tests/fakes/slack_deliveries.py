"""How a payload reaches the app: over Socket Mode, or signed over HTTP; and what came back.

Pages: docs.slack.dev/interactivity/handling-user-interaction, /apis/events-api,
/authentication/verifying-requests-from-slack.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.fakes.slack_shapes import JSON
from tests.fakes.slack_sockets import SocketMode
from tests.fakes.slack_things import APP, BOT_USER, TEAM
from tests.fakes.slack_world import World

Target = str | Callable[..., Any]
"""A request URL, or an ASGI application to be called without a network."""


@dataclass
class Ack:
    """What the app answered to one delivery. `error`: operation_timeout, dispatch_failed, or None."""

    status: int = 0
    body: Any = None
    elapsed: float = 0.0
    error: str | None = None
    trigger_id: str = ""
    payload: JSON = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    """By block_id, what a submitted form was refused with: by Slack itself, or by the app's `response_action`."""
    options: list[JSON] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.error is None and not self.errors


@dataclass
class EventDelivery:
    """An event and every attempt to deliver it."""

    event_id: str
    attempts: list[Ack] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return bool(self.attempts) and self.attempts[-1].ok


class Courier:
    """Delivers. Commands and interactions once; events up to three times more."""

    def __init__(self, world: World, socket: SocketMode) -> None:
        self.world, self.socket = world, socket
        self.target: Target | Sequence[Target] | None = None
        """Where to post; several are taken in turn, as behind a balancer. None: Socket Mode."""
        self.secret = "fake-signing-secret"
        self.skew = 0.0
        """Seconds added to the timestamp that is signed; more than 300 must be refused."""
        self.signature: str | None = None
        """Sent in the place of the right signature."""
        self.ack_timeout = 3.0
        self.retry_delays: tuple[float, ...] = (0.0, 0.01, 0.02)
        """Before each retry of an event; on the platform almost at once, a minute, five minutes."""
        self._turn = 0

    # --- one payload ---

    async def interact(self, payload: JSON) -> Ack:
        """One shot: interactive payloads are never sent again."""
        return await self._send("interactive", payload, urlencode({"payload": json.dumps(payload)}).encode())

    async def command(self, payload: JSON) -> Ack:
        """One shot, too."""
        return await self._send("slash_commands", payload, urlencode(payload).encode())

    async def event(self, event: JSON, *, retry: bool = True) -> EventDelivery:
        """An `event_callback`; not acknowledged, it comes again with x-slack-retry-num and -reason (Events API)."""
        body = {
            "token": "fake-verification",
            "team_id": TEAM,
            "api_app_id": APP,
            "type": "event_callback",
            "event_id": self.world.id("Ev"),
            "event_time": int(self.world.clock.now()),
            "authorizations": [{"team_id": TEAM, "user_id": BOT_USER, "is_bot": True, "enterprise_id": None}],
            "is_ext_shared_channel": False,
            "event": {"event_ts": f"{self.world.clock.now():.6f}", **event},
        }
        delivery = EventDelivery(str(body["event_id"]))
        reason = ""
        for number, delay in enumerate((None, *self.retry_delays) if retry else (None,)):
            if delay is not None:
                await asyncio.sleep(delay)
            ack = await self._send("events_api", body, json.dumps(body).encode(), number, reason)
            delivery.attempts.append(ack)
            if ack.ok:
                break
            reason = {"operation_timeout": "http_timeout"}.get(str(ack.error), "http_error")
            if ack.status == 0 and ack.error == "dispatch_failed":
                reason = "connection_failed"
        return delivery

    async def _send(self, kind: str, payload: JSON, body: bytes, attempt: int = 0, reason: str = "") -> Ack:
        start = asyncio.get_running_loop().time()
        ack = Ack(trigger_id=str(payload.get("trigger_id", "")), payload=payload)
        if self.target is None:
            retry: JSON = {"retry_attempt": attempt, "retry_reason": "timeout" if attempt else ""}
            told, answer = await self.socket.deliver(
                kind, payload, self.ack_timeout, retry if kind == "events_api" else None
            )
            ack.body, ack.error = answer, None if told == "acked" else told
            ack.status = 200 if told == "acked" else 0
        else:
            headers = {"x-slack-retry-num": str(attempt), "x-slack-retry-reason": reason} if attempt else {}
            await self._post(ack, body, "json" if kind == "events_api" else "x-www-form-urlencoded", headers)
        ack.elapsed = asyncio.get_running_loop().time() - start
        self.world.changed()
        return ack

    # --- over HTTP ---

    def signed(self, body: bytes) -> dict[str, str]:
        """`v0=` HMAC-SHA256 of `v0:timestamp:body`; the timestamp is the machine's time, plus `skew`."""
        stamp = str(int(time.time() + self.skew))
        digest = hmac.new(self.secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        return {"x-slack-request-timestamp": stamp, "x-slack-signature": self.signature or f"v0={digest}"}

    async def _post(self, ack: Ack, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        """Not waited for longer than `ack_timeout`; a handler that is late runs on, and its answer is lost."""
        targets = self.target if isinstance(self.target, Sequence) and not isinstance(self.target, str) else None
        target: Any = targets[self._turn % len(targets)] if targets else self.target
        self._turn += 1
        all_headers = {"content-type": f"application/{kind}", "user-agent": "Slackbot 1.0", **self.signed(body)}
        work = self.world.spawn(_request(target, body, all_headers | (headers or {})))
        done, _ = await asyncio.wait({work}, timeout=self.ack_timeout)
        if not done:
            ack.error = "operation_timeout"
            return
        try:
            response = work.result()
        except (httpx.HTTPError, OSError):
            ack.error = "dispatch_failed"
            return
        ack.status = response.status_code
        as_json = response.headers.get("content-type", "").startswith("application/json")
        ack.body = response.json() if as_json and response.content else response.text
        if not 200 <= ack.status < 300:
            ack.error = "dispatch_failed"

    async def verify_url(self) -> bool:
        """The `url_verification` handshake: the challenge comes back (Events API, request URLs)."""
        challenge, ack = f"{self.world.random.getrandbits(128):032x}", Ack()
        body = {"token": "fake-verification", "challenge": challenge, "type": "url_verification"}
        await self._post(ack, json.dumps(body).encode(), "json")
        answer = ack.body.get("challenge") if isinstance(ack.body, dict) else ack.body
        return ack.ok and answer == challenge

    async def ssl_check(self) -> Ack:
        """The probe that Slack sends now and then: `ssl_check=1`, to be answered with 200."""
        ack = Ack()
        await self._post(ack, b"ssl_check=1&token=fake-verification", "x-www-form-urlencoded")
        return ack


async def _request(target: Any, body: bytes, headers: dict[str, str]) -> httpx.Response:
    transport = None if isinstance(target, str) else httpx.ASGITransport(app=target, raise_app_exceptions=False)
    url = target if isinstance(target, str) else "http://gonogo.test/slack/events"
    async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=30.0) as client:
        return await client.post(url, content=body, headers=headers)
