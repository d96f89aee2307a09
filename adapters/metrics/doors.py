"""The door to `/metrics`. It looks who comes before anything is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from adapters.metrics.page import MetricsPage
from bot.access import ApiToken
from bot.ports import StoreError

PATH = "/metrics"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
_THROUGH_A_PROXY = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

log = structlog.get_logger(__name__)


def metrics_doors(
    page: MetricsPage, known: Callable[[str], Awaitable[ApiToken | None]], *, near: bool
) -> list[BaseRoute]:
    """`GET /metrics` for who brings a token that reads metrics. With `near` (the process listens on this machine only)
    whoever asks from this machine, by its own name and through no proxy, needs none."""

    async def metrics(request: Request) -> Response:
        if not (near and _from_here(request)):
            try:
                token = await _token(request, known)
            except StoreError as problem:
                log.warning("metrics.token", problem=str(problem))
                return _no(503, "The database cannot be asked whose token this is. Try again.")
            if token is None:
                return _no(
                    401,
                    "Send a token that works: `Authorization: Bearer gng_…`. `gonogo token add --metrics` makes one.",
                )
            if not token.for_metrics:
                return _no(403, "This token is for a service's pipeline. `gonogo token add --metrics` makes another.")
        text, content_type = await page.text(request.headers.get("accept", ""))
        return Response(text, headers={**_HEADERS, "Content-Type": content_type})

    return [Route(PATH, metrics, methods=["GET"])]


async def _token(request: Request, known: Callable[[str], Awaitable[ApiToken | None]]) -> ApiToken | None:
    said = request.headers.getlist("authorization")
    scheme, _, text = said[0].partition(" ") if len(said) == 1 else ("", "", "")
    return await known(text.strip()) if scheme.casefold() == "bearer" else None


def _from_here(request: Request) -> bool:
    """The name keeps out a web site that has its own name point here; a proxy speaks for others."""
    name = request.headers.get("host", "").casefold()
    name = name if name.endswith("]") else name.rpartition(":")[0] or name
    near = request.client is not None and request.client.host in _LOOPBACK
    return near and name in _LOOPBACK and not any(header in request.headers for header in _THROUGH_A_PROXY)


def _no(status: int, sentence: str) -> Response:
    headers = {**_HEADERS, "WWW-Authenticate": 'Bearer realm="gonogo"'} if status == 401 else _HEADERS
    return JSONResponse({"error": sentence}, status, headers=headers)
