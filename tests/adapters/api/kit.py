"""The whole application in this process, over its real HTTP server; every answer is held to the OpenAPI document."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from openapi_schema_validator import OAS31Validator

from adapters.api.doors import doors
from adapters.api.openapi import document
from adapters.web.clock import SandboxClock
from bot.app import App
from bot.cards.card import Answer
from bot.domain.deployment import Deployment
from bot.domain.people import Who
from bot.doors import with_doors
from bot.front import SystemClock
from bot.sandbox_front import SandboxFront
from bot.services.tokens import Tokens
from bot.settings import Settings
from tests.core_kit import TUESDAY, a_folder
from tests.process import Records

ANN = Who(chat="web", id="ann", name="Ann", roles=frozenset({"engineer"}))
QUINN = Who(chat="web", id="quinn", name="Quinn", roles=frozenset({"qa"}))
DOCUMENT = document()
SHOP_EVENTS = """
service: shop
phases:
  Switch: {deployed: true}
  Rollback: {kind: rollback}
items:
  Tests pass: {event: tests passed}
  Backup made: {role: qa, event: backup made}
  Traffic switched: {event: deployed}
  Errors are low: {event: smoke tests passed}
people: {on_call: {name: Olu}}
"""
"""A policy whose items wait for steps; one of them is a sign-off all the same."""
RUN = "https://ci.example.com/runs/42"


@dataclass
class Api:
    """One process, and a pipeline that talks to it."""

    app: App
    settings: Settings
    address: str
    http: httpx.AsyncClient
    folder: Path
    seen: set[tuple[str, int]]
    """Operation and status of every answer so far."""
    keys: Iterator[int] = field(default_factory=itertools.count)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    token: str = ""

    async def new_token(self, service: str, name: str = "ci") -> tuple[str, str]:
        """A token's text and its id."""
        token, text = await self.tokens.add(
            service, name, new_id=lambda: f"t{next(self.ids)}", new_secret=lambda: secrets.token_urlsafe(32)
        )
        return text, token.id

    @property
    def tokens(self) -> Tokens:
        return Tokens(self.app.store, SystemClock())

    async def ask(
        self, method: str, path: str, json: Any = None, *, token: str | None = None, key: str = "", **more: Any
    ) -> httpx.Response:
        """A request of the pipeline; its answer is as the document says."""
        headers = dict(more.pop("headers", {}))
        text = self.token if token is None else token
        if text:
            headers["Authorization"] = f"Bearer {text}"
        if key:
            headers["Idempotency-Key"] = key
        if json is not None:
            more["json"] = json
        answer = await self.http.request(method, path, headers=headers, **more)
        self.hold(method, path, answer)
        return answer

    def hold(self, method: str, path: str, answer: httpx.Response) -> None:
        """Remember the answer; it must be one that the document describes, in that shape."""
        operation = _operation(method, path)
        if operation is None:
            return
        self.seen.add((operation["operationId"], answer.status_code))
        described = operation["responses"].get(str(answer.status_code))
        assert described is not None, f"{method} {path}: {answer.status_code} {answer.text}"
        _validator(described["content"]["application/json"]["schema"]["$ref"]).validate(answer.json())
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"

    async def say(self, command: str, who: Who = ANN) -> Answer:
        """A person says it in chat."""
        return await self.app.router.command(command, who=who, key=f"k{next(self.keys)}", channel="#deployments")

    async def click(self, action: str, who: Who = ANN) -> Answer:
        """A person clicks it."""
        return await self.app.router.click(action, who=who, key=f"k{next(self.keys)}", channel="#deployments")

    async def start(self, version: str = "v1.2.0", more: str = "shop", who: Who = ANN) -> str:
        """A person starts it; its id."""
        said = await self.say(f"start {version} {more}", who)
        async with self.app.store.read() as unit:
            rows = await unit.rows(live=True)
        found = [row.id for row in rows if row.version == version]
        assert found, said.card.text if said.card else said
        return found[0]

    async def tick_all(self, deployment: str, who: Who = ANN) -> None:
        """A person ticks what is open."""
        view = await self.app._views.bare(deployment)
        for step in view.plan.steps:
            if step.id in view.state.opened:
                for task in step.tasks:
                    if task.id not in view.state.marks:
                        await self.click(f"tick:{deployment}:{task.id}", who)

    async def state(self, deployment: str) -> Deployment:
        """As it stands."""
        return (await self.app._views.bare(deployment)).state

    async def ticked(self, deployment: str) -> set[str]:
        """The words of its ticked items."""
        view = await self.app._views.bare(deployment)
        tasks = [task for step in view.plan.every_step() for task in step.tasks]
        return {task.item.label for task in tasks if task.id in view.state.marks}

    async def channel(self) -> str:
        """Everything that stands in the channel and its threads."""
        await self.app.settle()
        chat = self.app.front.chats[0]
        roots = await chat.messages.roots("#deployments", None, 50)  # type: ignore[attr-defined]
        found = []
        for root in roots:
            replies = (await self.http.get("/api/messages", params={"thread": root.id})).json()["messages"]
            found += [message["html"] for message in replies]
        return "\n".join(found)

    async def set_clock(self, at: str) -> None:
        """It is later, UTC: "2026-11-28 12:00"."""
        clock = self.app.front.clock
        assert isinstance(clock, SandboxClock)
        await clock.advance_to(datetime.fromisoformat(at).replace(tzinfo=UTC))

    def policy(self, text: str, name: str = "shop") -> None:
        """Another policy."""
        (self.folder / f"{name}.yaml").write_text(text)


@contextlib.asynccontextmanager
async def serve(
    file: Path, folder: Path, *, at: datetime = TUESDAY, body_seconds: float | None = None
) -> AsyncIterator[Api]:
    """The application over a migrated SQLite file; the sandbox's clock says `at`."""
    Records(file.parent).set_clock(at)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    port = listener.getsockname()[1]
    settings = Settings(
        _env_file=None, database_url=f"sqlite:///{file}", checklists=folder, checklist="shop", port=port
    )
    async with App.open(settings, SandboxFront(settings, port)) as app:
        routes = app.doors if body_seconds is None else doors(app.desk, body_seconds=body_seconds)
        application = with_doors(app.front.asgi(), routes)
        server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        address = f"http://127.0.0.1:{port}"
        try:
            async with httpx.AsyncClient(base_url=address, timeout=20, verify=False) as http:
                yield Api(app, settings, address, http, folder, set())
        finally:
            app.front.stopping()
            server.should_exit = True
            await serving
            listener.close()


@pytest.fixture
async def api(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The shop and the pet store; the pipeline has a token for the shop."""
    async with serve(Path(sqlite_url.removeprefix("sqlite:///")), a_folder(tmp_path / "checklists")) as api:
        api.token, _ = await api.new_token("shop")
        yield api


async def slow(api: Api, path: str) -> httpx.Response:
    """A post whose body does not come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.address.rpartition(":")[2]))
    head = {
        "Host": "x",
        "Authorization": f"Bearer {api.token}",
        "Content-Type": "application/json",
        "Content-Length": 9,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    writer.write(f'POST {path} HTTP/1.1\r\n{lines}\r\n{{"event'.encode())
    told = (await asyncio.wait_for(reader.read(), 10)).decode()
    writer.close()
    await writer.wait_closed()
    start, _, content = told.partition("\r\n\r\n")
    status, *named = start.split("\r\n")
    headers = dict(line.split(": ", 1) for line in named if not line.lower().startswith("content-length"))
    answer = httpx.Response(int(status.split()[1]), headers=headers, content=content.encode())
    api.hold("POST", path, answer)
    return answer


def error(answer: httpx.Response) -> dict[str, Any]:
    """What an answer says was wrong."""
    found: dict[str, Any] = answer.json()["error"]
    return found


@cache
def _validator(reference: str) -> OAS31Validator:
    return OAS31Validator({"$ref": reference, "components": DOCUMENT["components"]})


def _operation(method: str, path: str) -> dict[str, Any] | None:
    """What the document says of a request; a path without a parameter goes first."""
    pieces = path.partition("?")[0].split("/")
    for template in sorted(DOCUMENT["paths"], key=lambda one: "{" in one):
        wanted = template.split("/")
        if len(wanted) == len(pieces) and all(
            want.startswith("{") or want == piece for want, piece in zip(wanted, pieces, strict=True)
        ):
            found: dict[str, Any] | None = DOCUMENT["paths"][template].get(method.lower())
            return found
    return None
