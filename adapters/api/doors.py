"""The API's routes. Each checks by itself who comes in; nothing about a request is believed before that."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterable
from functools import cache
from typing import Any

import structlog
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from adapters.api import operations as ops
from adapters.api.answers import problem
from adapters.api.asks import Ask, first_problem
from adapters.api.openapi import document
from adapters.api.page import CONTENT_SECURITY_POLICY, page
from bot.access import ApiToken
from bot.desk import Denied, Desk
from bot.ports import StoreError

log = structlog.get_logger(__name__)

LONGEST_BODY = 64 * 1024
"""Bytes of a request that are read."""
BODY_SECONDS = 10.0
"""How long a body may take to arrive."""
_LONGEST_KEY = 200
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Refusal(Exception):
    """A request that is turned away before any rule is asked."""

    def __init__(self, status: int, code: str, message: str, *, field: str = "", headers: dict[str, str] | None = None):
        super().__init__(code)
        self.status, self.headers = status, headers
        self.body = problem(code, message, field=field)


def doors(desk: Desk, *, body_seconds: float = BODY_SECONDS) -> list[BaseRoute]:
    """The routes of every operation, the OpenAPI document and its page; these two are open to everybody."""
    by_path: dict[str, list[ops.Operation]] = {}
    for operation in ops.OPERATIONS:
        by_path.setdefault(operation.path, []).append(operation)
    text, html = _described()

    async def openapi(request: Request) -> Response:
        return Response(text, media_type="application/json", headers=_HEADERS)

    async def docs(request: Request) -> Response:
        return HTMLResponse(html, headers={**_HEADERS, "Content-Security-Policy": CONTENT_SECURITY_POLICY})

    return [
        Route("/api/openapi.json", openapi, methods=["GET"]),
        Route("/api/docs", docs, methods=["GET"]),
        *(Route(path, _Door(desk, those, body_seconds)) for path, those in by_path.items()),
    ]


@cache
def _described() -> tuple[str, str]:
    """The OpenAPI document and its page."""
    described = document()
    return json.dumps(described, indent=2, ensure_ascii=False), page(described)


class _Door:
    """All operations of one path."""

    def __init__(self, desk: Desk, operations: Iterable[ops.Operation], body_seconds: float) -> None:
        self._desk, self._body_seconds = desk, body_seconds
        self._operations = {operation.method: operation for operation in operations}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        request = Request(scope, receive)
        try:
            status, body, headers = await self._answer(request)
        except ClientDisconnect:
            return
        await JSONResponse(body, status, headers={**_HEADERS, **headers})(scope, receive, send)

    async def _answer(self, request: Request) -> tuple[int, Any, dict[str, str]]:
        try:
            status, answer = await self._handle(request)
            return status, answer, {}
        except Refusal as refusal:
            return refusal.status, refusal.body, refusal.headers or {}
        except Denied as denied:
            body = problem(denied.code, denied.message, field=denied.field, gate=denied.gate)
            return ops.STATUS.get(denied.code, 409), body, {}
        except StoreError as error:
            # Its sentence names the database, and it is not known yet who asks.
            log.warning("the API could not use the database", path=request.url.path, problem=str(error))
            return 503, problem("unavailable", ops.UNAVAILABLE), {"Retry-After": "5"}
        except ClientDisconnect:
            raise
        except Exception as error:
            log.error("the API could not answer", path=request.url.path, exc_info=error)
            return 500, problem("broken", "Something broke inside gonogo; its log says what."), {}

    async def _handle(self, request: Request) -> tuple[int, Any]:
        caller = await self._caller(request)
        operation = self._operations.get(request.method)
        if operation is None:
            allowed = {"Allow": ", ".join(self._operations)}
            raise Refusal(405, "method", f"{request.method} cannot be done here.", headers=allowed)
        ask: Ask | None = None
        if operation.query is not None:
            ask = _query(request, operation.query)
        elif operation.body is not None:
            ask = _parsed(await self._body(request), operation.body)
        key = _key(request) if operation.body is not None else ""
        call = ops.Call(caller, ask, key, request.path_params)
        status, answer = await operation.handle(self._desk, call)
        return status, answer.model_dump(mode="json")

    async def _caller(self, request: Request) -> ApiToken:
        said = request.headers.getlist("authorization")
        scheme, _, token = said[0].partition(" ") if len(said) == 1 else ("", "", "")
        caller = await self._desk.caller(token.strip()) if scheme.casefold() == "bearer" else None
        if caller is None:
            raise Refusal(
                401,
                "no_token" if not said else "unknown_token",
                "Send a token that works: `Authorization: Bearer gng_…`. `gonogo token add SERVICE` makes one.",
                headers={"WWW-Authenticate": 'Bearer realm="gonogo"'},
            )
        return caller

    async def _body(self, request: Request) -> bytes:
        if request.headers.get("content-type", "").partition(";")[0].strip().casefold() != "application/json":
            raise Refusal(415, "not_json", "Send JSON, with `Content-Type: application/json`.")
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_seconds):
                async for piece in request.stream():
                    body += piece
                    if len(body) > LONGEST_BODY:
                        raise Refusal(413, "too_long", "The body is longer than 64 kB; no request needs that.")
        except TimeoutError:
            message = f"The body did not arrive within {self._body_seconds:g} s. Send it again."
            raise Refusal(408, "too_slow", message, headers={"Connection": "close"}) from None
        return bytes(body)


def _parsed(body: bytes, model: type[Ask]) -> Ask:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        if problems[0]["type"] == "json_invalid":
            raise Refusal(400, "bad_json", f"The body cannot be read: {problems[0]['msg']}.") from None
        field, message = first_problem(problems)
        raise Refusal(422, "invalid", message, field=field) from None


def _query(request: Request, model: type[Ask]) -> Ask:
    asked = request.query_params.multi_items()
    repeated = next((name for name, _ in asked if len(request.query_params.getlist(name)) > 1), None)
    if repeated is not None:
        raise Refusal(422, "invalid", f"{repeated}: it is said twice. Say it once.", field=repeated)
    try:
        return model.model_validate(dict(asked))
    except ValidationError as error:
        field, message = first_problem(error.errors(include_url=False, include_input=False))
        raise Refusal(422, "invalid", message, field=field) from None


def _key(request: Request) -> str:
    """The delivery's key: the caller's own, else one that nobody sends again."""
    said = request.headers.getlist("idempotency-key")
    if not said:
        return secrets.token_urlsafe(24)
    key = said[0].strip()
    if len(said) > 1 or not key or len(key) > _LONGEST_KEY:
        message = f"Idempotency-Key: send one, of 1 to {_LONGEST_KEY} characters."
        raise Refusal(422, "invalid", message, field="Idempotency-Key")
    return key
