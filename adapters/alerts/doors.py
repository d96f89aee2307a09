"""The doors through which monitoring systems bring their alerts: `/hooks/alertmanager`, `/hooks/datadog`,
`/hooks/sentry`.

Each looks who comes in before it reads what they bring, reads at most `LARGEST` bytes, and answers once all of it is
durable. What cannot be read is answered 400 with the reason: no sender repeats that. What the database could not do is
answered 503: Alertmanager and Datadog send it again.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence

import structlog
from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from adapters.alerts import alertmanager, datadog, sentry
from bot.domain.alerts import Signal
from bot.ports import StoreError

LARGEST = 1_000_000
"""Bytes of a body."""
PATIENCE = 10.0
"""Seconds a body may take to come."""

Take = Callable[[Sequence[Signal]], Awaitable[int]]
"""What is done with alerts (`bot.services.alerts.Alerts.take`): how many are of a deployment that is under way."""
Read = Callable[[bytes, Headers], list[Signal]]
"""The alerts of a body. Raises ValidationError, and ValueError with what was wrong."""

log = structlog.get_logger(__name__)


def alert_doors(take: Take, *, token: str, sentry_secret: str) -> list[BaseRoute]:
    """The doors, if any of them is to be there. One whose token or secret is not set answers 404."""
    if not token and not sentry_secret:
        return []
    return [
        _door("/hooks/alertmanager", _Bearer(token), alertmanager.read, take),
        _door("/hooks/datadog", _Bearer(token), datadog.read, take),
        _door("/hooks/sentry", _Signature(sentry_secret), sentry.read, take),
    ]


class _Bearer:
    """`Authorization: Bearer TOKEN`, which is known before the body is."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self.there = bool(token)

    def early(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode(), self._token)
        return scheme.casefold() == "bearer" and right

    def late(self, headers: Headers, body: bytes) -> bool:
        return True


class _Signature:
    """`Sentry-Hook-Signature`: the HMAC-SHA256 of the body, under the integration's client secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self.there = bool(secret)

    def early(self, headers: Headers) -> bool:
        return "sentry-hook-signature" in headers

    def late(self, headers: Headers, body: bytes) -> bool:
        wanted = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(headers.get("sentry-hook-signature", "").strip().encode(), wanted.encode())


def _door(path: str, guard: _Bearer | _Signature, read: Read, take: Take) -> Route:
    async def enter(request: Request) -> Response:
        if not guard.there:
            return _no(404, "There is nothing here.")
        if not guard.early(request.headers):
            return _turned_away(path)
        try:
            async with asyncio.timeout(PATIENCE):
                body = await _body(request)
        except TimeoutError:
            return _no(408, f"The body did not come within {PATIENCE:.0f} s.")
        except ClientDisconnect:
            return _no(400, "The body broke off.")
        if body is None:
            return _no(413, f"The body is larger than {LARGEST // 1_000_000} MB.")
        if not guard.late(request.headers, body):
            return _turned_away(path)
        try:
            signals = read(body, request.headers)
        except ValidationError as error:
            return _no(400, _reason(error))
        except ValueError as error:
            return _no(400, str(error))
        try:
            attached = await take(signals) if signals else 0
        except StoreError as error:
            return _no(503, str(error))
        return JSONResponse({"attached": attached})

    return Route(path, enter, methods=["POST"])


async def _body(request: Request) -> bytes | None:
    """All of it; None where it is too large, which is known before all of it has come."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return None
    return bytes(body)


def _reason(error: ValidationError) -> str:
    """What was wrong and where, without what was sent."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def _turned_away(path: str) -> Response:
    log.info("alerts.turned_away", path=path)
    return _no(401, "The token or signature is not the one of GONOGO_ALERTS_TOKEN or GONOGO_SENTRY_WEBHOOK_SECRET.")


def _no(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)
