"""A vendor's HTTP API on loopback: it answers and misbehaves as a test says, and remembers what was asked."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import uvicorn


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes

    def said(self, name: str) -> str:
        """One parameter of the query; empty if it is not there."""
        return dict(self.query).get(name, "")


@dataclass(frozen=True)
class Reply:
    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0
    """How long the body takes to come, in drops."""

    def encoded(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Serve = Callable[[Request], Reply]
"""What a vendor does: `tests/fakes/vendors_*.py`."""


def nothing(request: Request) -> Reply:
    return Reply({"message": "Not Found"}, 404)


class Vendor:
    """The server. `serve` is the vendor; `faults` come first, one for each request; `always` comes for every one."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.reset()

    def reset(self) -> None:
        self.serve: Serve = nothing
        self.faults: list[Reply] = []
        self.always: Reply | None = None
        self.mutate: Callable[[bytes], bytes] = bytes
        self.asked: list[Request] = []
        self.answered: list[tuple[Request, Reply]] = []
        """What the vendor itself said, to what."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
        request = Request(scope["method"], scope["raw_path"].decode(), query, headers, body)
        self.asked.append(request)
        reply = self.always or (self.faults.pop(0) if self.faults else None)
        if reply is None:
            reply = self.serve(request)
            self.answered.append((request, reply))
            content = self.mutate(reply.encoded())
        else:
            content = reply.encoded()
        sent = {"content-type": "application/json", **reply.headers}
        pairs = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": pairs})
        if reply.seconds:
            for _ in range(10):
                await send({"type": "http.response.body", "body": b" ", "more_body": True})
                await asyncio.sleep(reply.seconds / 10)
        await send({"type": "http.response.body", "body": content})


@contextmanager
def vendor_server(tls: Mapping[str, str] | None = None) -> Iterator[Vendor]:
    """A vendor in a thread of its own; `tls` has uvicorn's `ssl_certfile` and `ssl_keyfile`."""
    # Named as TCP, so that asyncio sends small answers at once.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    host = "https://localhost" if tls else "http://127.0.0.1"
    vendor = Vendor(f"{host}:{listening.getsockname()[1]}")
    config = uvicorn.Config(
        vendor, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1, **(tls or {})
    )
    server = uvicorn.Server(config)
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    serving.start()
    while not server.started and serving.is_alive():
        time.sleep(0.005)
    try:
        yield vendor
    finally:
        server.should_exit = True
        serving.join(10)
        listening.close()
