"""A host on this machine that publishes calendars and incidents, and does as it is told."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.calendars.fetch import Fetcher
from adapters.calendars.pagerduty import PagerDuty
from adapters.calendars.sources import FreezeSources


@dataclass
class Host:
    """What stands at every path of it, and who asked."""

    base: str = ""
    status: int = 200
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    there: bytes = b""
    """What stands at /there, whatever else is told."""
    asked: list[Request] = field(default_factory=list)

    def answers(self, status: int = 200, content: bytes | str = b"", **headers: str) -> None:
        """From now on. `Location="/x"` becomes the header of that name."""
        self.status, self.headers = status, {name.replace("_", "-"): value for name, value in headers.items()}
        self.content = content if isinstance(content, bytes) else content.encode()

    async def answer(self, request: Request) -> Response:
        """What it was told; 304 to who has this version already."""
        self.asked.append(request)
        if request.url.path == "/there":
            return Response(self.there)
        if "ETag" in self.headers and request.headers.get("If-None-Match") == self.headers["ETag"]:
            return Response(status_code=304)
        return Response(self.content, self.status, self.headers)


class Elapsed:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def later(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture(scope="package")
def serving() -> Iterator[Host]:
    host = Host()
    # TCP by name: only then does asyncio turn Nagle's algorithm off, which holds every answer back for 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/{path:path}", host.answer)])
    config = uvicorn.Config(app, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    host.base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    yield host
    server.should_exit = True
    thread.join(10)
    listening.close()


@pytest.fixture
def host(serving: Host) -> Host:
    serving.answers()
    serving.asked.clear()
    return serving


@pytest.fixture
def elapsed() -> Elapsed:
    return Elapsed()


@pytest_asyncio.fixture
async def sources(host: Host, elapsed: Elapsed, tmp_path: Path) -> AsyncIterator[FreezeSources]:
    """All sources, with a PagerDuty that is the host and a memory that ages when told."""
    made = FreezeSources(tmp_path, pagerduty=PagerDuty("s3cret-key", host.base), fetcher=Fetcher(elapsed=elapsed))
    yield made
    await made.close()
