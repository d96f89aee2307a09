"""The sandbox channel over HTTP. `make_app` serves it alone, `make_routes` adds it to a bigger application (last)."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from adapters.web.api import Api
from adapters.web.chat import WebChat
from adapters.web.clock import SandboxClock, SandboxTime
from adapters.web.draw import HERE, draw_door, draw_page
from adapters.web.entrance import ENTER, Entrance
from adapters.web.guard import Guard
from adapters.web.personas import PERSONAS
from adapters.web.pictures import Figures
from adapters.web.service import SimulatedService
from adapters.web.state import Sandbox
from adapters.web.stream import HEARTBEAT_SECONDS, POLL_SECONDS, Stream
from adapters.web.view import View
from bot.ports import Dialogue, Pictures

log = structlog.get_logger(__name__)

SUGGESTIONS = ("/deploy start v1.2.0", "/deploy window", "/deploy checklist", "/deploy help")
"""What a newcomer may type first."""


def make_routes(
    *,
    sandbox: Sandbox,
    chat: WebChat,
    dialogue: Dialogue,
    clock: SandboxClock,
    time: SandboxTime,
    service: SimulatedService,
    pictures: Pictures | None = None,
    entrance: Entrance | None = None,
    suggestions: Sequence[str] = SUGGESTIONS,
    title: str = "gonogo sandbox",
    poll: float = POLL_SECONDS,
    heartbeat: float = HEARTBEAT_SECONDS,
) -> list[BaseRoute]:
    """All routes of the sandbox behind its guard: they answer on loopback names only, whatever they are mounted in;
    with an `entrance`, on any name, and only whom it admits. Without `pictures` they are said in words.

    Call `sandbox.bell.close()` when the process is asked to stop: a server waits for its open streams to end.
    """
    figures = Figures(chat.messages, pictures)
    view = View(chat, clock, time, service, figures)
    stream = Stream(sandbox.bell, chat, view, poll, heartbeat)
    api = Api(sandbox.bell, view, dialogue, time, service, figures)
    # The page never changes while the process runs; its messages are asked for by its script.
    page = draw_page(personas=PERSONAS, channels=chat.channels, suggestions=suggestions, title=title)

    async def index(request: Request) -> Response:
        return HTMLResponse(page)

    async def healthz(request: Request) -> Response:
        try:
            await chat.messages.alive()
        except SQLAlchemyError:
            return JSONResponse({"status": "error", "database": "cannot be read"}, 503)
        return JSONResponse({"status": "ok"})

    routes: list[BaseRoute] = [
        Route("/", index, methods=["GET"]),
        Route("/healthz", healthz, methods=["GET"]),
        Route("/events", stream.serve, methods=["GET"]),
        *api.routes(),
        *service.routes(),
        *figures.routes(),
        Mount("/static", _Static(directory=HERE / "static")),
    ]
    if entrance is not None:
        routes.append(Route(ENTER, entrance.enter, methods=["POST"]))
    guard = Middleware(Guard, entrance=entrance, door=draw_door(title))
    errors = Middleware(ExceptionMiddleware, handlers={HTTPException: _refused, Exception: _broken})
    return [Mount("", routes=routes, middleware=[guard, errors])]


def make_app(
    *,
    sandbox: Sandbox,
    chat: WebChat,
    dialogue: Dialogue,
    clock: SandboxClock,
    time: SandboxTime,
    service: SimulatedService,
    pictures: Pictures | None = None,
    entrance: Entrance | None = None,
    suggestions: Sequence[str] = SUGGESTIONS,
    title: str = "gonogo sandbox",
    poll: float = POLL_SECONDS,
    heartbeat: float = HEARTBEAT_SECONDS,
) -> Starlette:
    """The sandbox as an application of its own; see `make_routes`."""
    routes = make_routes(
        sandbox=sandbox,
        chat=chat,
        dialogue=dialogue,
        clock=clock,
        time=time,
        service=service,
        pictures=pictures,
        entrance=entrance,
        suggestions=suggestions,
        title=title,
        poll=poll,
        heartbeat=heartbeat,
    )
    return Starlette(routes=routes)


class _Static(StaticFiles):
    """Files that are asked for anew each time: after an update no page runs yesterday's script."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response: Response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"
        return response


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentences = {404: "There is nothing here.", 405: "This cannot be done here."}
    return JSONResponse(
        {"error": sentences.get(error.status_code, str(error.detail))}, error.status_code, headers=error.headers
    )


async def _broken(request: Request, error: Exception) -> Response:
    log.error("the sandbox could not answer", path=request.url.path, exc_info=error)
    return JSONResponse({"error": "Something broke inside gonogo; its log says what. Try again."}, 500)
