"""The door that GitHub's webhooks come in by: `POST /hooks/github`.

Who it is from is checked before the body is looked into: `X-Hub-Signature-256`, compared in constant time. The
signature covers the body alone, so a delivery is known again by its body as well as by `X-GitHub-Delivery`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re

import structlog
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from adapters.github.errors import short
from adapters.github.payloads import Misleading, heard
from bot.forge import ForgeError, Hooks
from bot.ports import StoreError

PATH = "/hooks/github"
LARGEST = 5_000_000
"""Bytes. GitHub sends up to 25 MB, but nothing like it of the events that are listened to."""
PATIENCE = 9.0
"""Seconds. GitHub takes a delivery that is not answered within ten as failed."""
_UNSIGNED = "not signed with GONOGO_GITHUB_WEBHOOK_SECRET (X-Hub-Signature-256)"
_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
_DELIVERY = re.compile(r"[0-9A-Za-z-]{1,64}")

log = structlog.get_logger(__name__)


def routes(secret: str, hooks: Hooks, base: str) -> list[BaseRoute]:
    """The door. Without a secret nobody could be told from anybody else, and there is nothing here.

    `base` is the API's address: an answer that a delivery asks for goes nowhere else.
    """

    async def door(request: Request) -> Response:
        if not secret.strip():
            return _answer(404, "nothing here", "GONOGO_GITHUB_WEBHOOK_SECRET is not set")
        if "x-hub-signature-256" not in request.headers:
            return _answer(401, "refused", _UNSIGNED)
        try:
            async with asyncio.timeout(PATIENCE):
                body = await _body(request)
        except (ClientDisconnect, TimeoutError):
            return _answer(400, "refused", "the delivery broke off")
        if body is None:
            return _answer(413, "refused", f"a delivery has at most {LARGEST // 1_000_000} MB")
        if not signed(secret, body, request.headers.get("x-hub-signature-256", "")):
            return _answer(401, "refused", _UNSIGNED)
        if request.headers.get("content-type", "").partition(";")[0].strip().casefold() != "application/json":
            return _answer(415, "refused", "set the webhook's content type to application/json")
        delivery, event = request.headers.get("x-github-delivery", ""), request.headers.get("x-github-event", "")
        if not _DELIVERY.fullmatch(delivery) or not event:
            return _answer(400, "refused", "X-GitHub-Delivery and X-GitHub-Event are missing")
        return await _hear(hooks, base, event, delivery, body)

    return [Route(PATH, door, methods=["POST"])]


def signed(secret: str, body: bytes, signature: str) -> bool:
    """Whether this signature is the body's, by this secret."""
    if not _SIGNATURE.fullmatch(signature):
        return False
    expected = hmac.new(secret.strip().encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={expected}", signature)


async def _hear(hooks: Hooks, base: str, event: str, delivery: str, body: bytes) -> Response:
    if event == "ping":
        return _answer(202, "pong", "gonogo hears this repository")
    try:
        told = heard(event, body, base)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        return _answer(400, "refused", f"this is no {short(event, 40)} of GitHub's: {short(where)}: {first['msg']}")
    except Misleading as problem:
        log.warning("github.misleading", github_event=short(event, 40), delivery=delivery)
        return _answer(400, "refused", str(problem))
    if told is None:
        return _answer(202, "ignored", "nothing that is listened to")
    keys = (f"github:{delivery}", f"github:body:{hashlib.sha256(body).hexdigest()}")
    try:
        async with asyncio.timeout(PATIENCE):
            outcome = await hooks.hear(told, keys=keys)
    except TimeoutError:
        return _answer(503, "failed", "it could not be done in time; redeliver it")
    except (ForgeError, StoreError) as problem:
        log.warning("github.failed", github_event=event, delivery=delivery, problem=str(problem))
        return _answer(503, "failed", f"{problem}; redeliver it")
    log.info("github.heard", github_event=event, delivery=delivery, outcome=outcome)
    return _answer(202, outcome)


async def _body(request: Request) -> bytes | None:
    """What was sent; None where it is too long, of which no more is read."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return None
    return bytes(body)


def _answer(status: int, outcome: str, detail: str = "") -> Response:
    return JSONResponse({"status": outcome, **({"detail": detail} if detail else {})}, status)
