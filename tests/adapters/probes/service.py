"""A small service on this machine to be probed, and one that may misbehave."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.domain.events import Measurement, Outcome
from bot.ports import Asked

ASKED = Asked("azora", "production", "v1.2.0", datetime(2026, 11, 20, 14, 30, tzinfo=UTC))

Ask = Callable[..., Awaitable[Measurement]]

asked_paths: list[str] = []
"""The queries of the metrics that were asked."""


def unhealthy(found: Measurement) -> bool:
    return (found.outcome, found.value, found.dimension) == (Outcome.MEASURED, 0.0, "ok")


def healthy(found: Measurement) -> bool:
    return (found.outcome, found.value, found.dimension) == (Outcome.MEASURED, 1.0, "ok")


async def ok(request: Request) -> Response:
    return JSONResponse({"status": "ok", "ready": True, "data": [{"version": "1.2.0", "replicas": 3, "errors": 0.4}]})


async def status(request: Request) -> Response:
    return PlainTextResponse("as asked", request.path_params["code"])


async def version(request: Request) -> Response:
    return JSONResponse({"version": request.query_params["v"]})


async def slow(request: Request) -> Response:
    await asyncio.sleep(5)
    return PlainTextResponse("late")


async def drip(request: Request) -> Response:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b" "
            await asyncio.sleep(0.1)

    return StreamingResponse(body())


async def big(request: Request) -> Response:
    return JSONResponse({"status": "ok", "padding": "x" * 70_000})


async def words(request: Request) -> Response:
    return PlainTextResponse(request.query_params.get("say", "OK\n"))


async def go(request: Request) -> Response:
    return RedirectResponse(request.query_params["to"])


async def cookie(request: Request) -> Response:
    response = PlainTextResponse("blue", 500 if request.cookies else 200)
    response.set_cookie("sticky", "blue")
    return response


async def metrics(request: Request) -> Response:
    asked_paths.append(str(request.url.query))
    match request.query_params["name"]:
        case "error_rate":
            return JSONResponse({"value": 7.2, "unit": "%"})
        case "latency":
            return JSONResponse({"value": 61, "unit": "ms"})
        case "silent":
            return Response(status_code=204)
        case "incidents":
            return JSONResponse({"value": 0, "unit": "ok"})
        case "status_page":
            return JSONResponse({"value": True, "unit": "ok"})
        case "nan":
            return Response('{"value": NaN, "unit": "%"}', media_type="application/json")
        case "huge":
            return Response('{"value": 1' + "0" * 400 + ', "unit": "%"}', media_type="application/json")
        case "odd_unit":
            return JSONResponse({"value": 1, "unit": "bananas"})
        case "no_unit":
            return JSONResponse({"value": 1})
        case "text":
            return JSONResponse({"value": "1", "unit": "%"})
        case "list":
            return JSONResponse([1])
        case "html":
            return PlainTextResponse("<html>")
        case "slow":
            await asyncio.sleep(5)
    return PlainTextResponse("broken", 500)


ROUTES = [
    Route("/health", ok),
    Route("/status/{code:int}", status),
    Route("/version", version),
    Route("/slow", slow),
    Route("/drip", drip),
    Route("/big", big),
    Route("/words", words),
    Route("/go", go),
    Route("/cookie", cookie),
    Route("/metrics", metrics),
]


@asynccontextmanager
async def raw_server(
    serve: Callable[[int, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[tuple[str, list[int]]]:
    """A server that may misbehave. `serve` is told which connection it is, from 0; the list holds those made."""
    connections: list[int] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(len(connections))
        try:
            await serve(connections[-1], reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", connections
