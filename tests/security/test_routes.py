"""Everything on HTTP is refused unless it is listed here. The routes are found by walking the applications: one that is
added tomorrow is asked tomorrow."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from bot.app import App
from bot.doors import with_doors
from bot.fronts import front_for
from bot.settings import Settings
from tests.adapters.store_kit import migrated_file, sqlite_url

__all__ = ["migrated_file", "sqlite_url"]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
TOKEN = "correct-horse-battery-staple"
MODES: dict[str, dict[str, object]] = {
    "sandbox": {},
    "sandbox with a token": {"sandbox_token": TOKEN},
    "Slack by Socket Mode": {"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1"},
    "Slack over HTTP": {"slack_bot_token": "xoxb-1", "slack_signing_secret": "secret"},
    "Discord": {"discord_token": "a.b.c", "discord_guild_id": 7},
    "both, with every door": {
        "slack_bot_token": "xoxb-1", "slack_signing_secret": "secret", "discord_token": "a.b.c", "discord_guild_id": 7,
        "alerts_token": "alerts", "sentry_webhook_secret": "sentry", "github_webhook_secret": "github",
    },
}  # fmt: skip
OPEN = {
    "GET /healthz": "whether the process is well, for balancers",
    "GET /api/openapi.json": "what the API can do, as the repository says too",
    "GET /api/docs": "the same for people",
}
OPEN_WITH_A_TOKEN = {"GET /static/app.js": "the files of the page, as in the repository"}
REFUSED = {400, 401, 403, 404, 405, 415}


def routes(app: ASGIApp | BaseRoute, prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every path below an application, and the methods it says it takes; an endpoint of its own kind takes all."""
    if isinstance(app, Route):
        yield prefix + app.path, set(app.methods or METHODS)
    elif isinstance(app, Mount):
        if not app.routes:
            yield f"{prefix}{app.path}/app.js", {"GET"}
        for route in app.routes:
            yield from routes(route, prefix + app.path)
        if isinstance(app.app, Starlette) and not app.routes:
            yield from routes(app.app, prefix + app.path)
    elif isinstance(app, Starlette):
        for route in app.routes:
            yield from routes(route, prefix)
    else:
        raise AssertionError(f"{app!r} is no route this test knows how to walk")


@contextlib.asynccontextmanager
async def process(url: str, folder: Path, settings: dict[str, object]) -> AsyncIterator[ASGIApp]:
    """The application that a process serves in this mode, not listening to any chat."""
    made = Settings.model_validate({"database_url": url, "checklists": folder, **settings})
    async with App.open(made, front_for(made, 8642)) as app:
        yield with_doors(app.front.asgi(), app.doors)


def concrete(path: str) -> str:
    """A path with something in the place of its parameters."""
    return re.sub(r"\{\w+(:\w+)?\}", lambda m: "1", path).replace("//", "/")


async def asked(app: ASGIApp, known: Iterable[tuple[str, set[str]]], **headers: str) -> dict[str, int]:
    """Every path with every method by somebody unknown: what was answered."""
    found = {}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gonogo.example.org", headers=headers) as client:
        for path, _ in known:
            for method in METHODS:
                body = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
                answer = await client.request(method, concrete(path), **body)  # type: ignore[arg-type]
                found[f"{method} {concrete(path)}"] = answer.status_code
    return found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x", "X-Hub-Signature-256": "sha256=" + "0" * 64}])
async def test_whoever_is_unknown_is_refused_everywhere_but_where_it_is_listed(
    sqlite_url: str, tmp_path: Path, mode: str, headers: dict[str, str]
) -> None:
    async with process(sqlite_url, tmp_path, MODES[mode]) as app:
        known = [(path, methods) for path, methods in routes(app)]  # type: ignore[arg-type]
        answers = await asked(app, known, **headers)
    paths = {path for path, _ in known}
    assert "/healthz" in paths
    assert len(paths) > 5
    may = {**OPEN, **(OPEN_WITH_A_TOKEN if "with a token" in mode else {})}
    if mode == "sandbox":
        may.pop("GET /healthz")  # it answers on this machine's own names only
    assert answers.pop("POST /api/enter", 422) == 422, "whoever brings no token gets no cookie"
    wrong = {what: status for what, status in answers.items() if status not in REFUSED and what not in may}
    assert wrong == {}
    assert all(answers[what] == 200 for what in may), "what is listed is there"


async def test_every_route_that_does_something_is_known_here(sqlite_url: str, tmp_path: Path) -> None:
    """So that a new door is looked at by a person once, and its check written."""
    async with process(sqlite_url, tmp_path, MODES["both, with every door"]) as app:
        doors = sorted(path for path, _ in routes(app))  # type: ignore[arg-type]
    posts = [path for path in doors if path.startswith(("/hooks/", "/slack/"))]
    assert posts == ["/hooks/alertmanager", "/hooks/datadog", "/hooks/github", "/hooks/sentry", "/slack/events"]
    assert all(path.startswith(("/api/", "/hooks/", "/slack/", "/healthz", "/metrics")) for path in doors), doors


async def test_the_walk_sees_what_is_not_refused(sqlite_url: str, tmp_path: Path) -> None:
    async def open_door(request: object) -> httpx.Response:
        raise AssertionError

    app = Starlette(routes=[Mount("/in", routes=[Route("/deep", open_door)])])
    assert list(routes(app)) == [("/in/deep", {"GET", "HEAD"})]
    async with process(sqlite_url, tmp_path, {}) as real:
        assert (await asked(real, [("/", {"GET"})], Host="127.0.0.1:8642"))["GET /"] == 200, (
            "on this machine it is there"
        )
