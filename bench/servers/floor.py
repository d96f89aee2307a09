"""The least that can be done: no framework, the signature checked, the tick written, many of them with one commit.

What a tick is here: a row for the delivery, one for the fact, and the wanted revision. They are acknowledged when they
are on the disk (SQLite, WAL, synchronous=FULL).
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

from slack_sdk.signature import SignatureVerifier

from bench.clicks import SECRET
from bench.serving import serve

verifier = SignatureVerifier(SECRET)
Tick = tuple[str, str, str]


class Writer:
    """Writes all that is waiting, commits once."""

    def __init__(self, file: str) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._waiting: list[tuple[Tick, asyncio.Future[None]]] = []
        self._busy = False
        self._database = self._thread.submit(self._open, file).result()

    def _open(self, file: str) -> sqlite3.Connection:
        database = sqlite3.connect(file, isolation_level=None)
        for statement in (
            "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
            "CREATE TABLE deliveries (key TEXT PRIMARY KEY, answer TEXT NOT NULL)",
            "CREATE TABLE events (seq INTEGER PRIMARY KEY, deployment TEXT NOT NULL, body TEXT NOT NULL)",
            "CREATE TABLE deployments (id TEXT PRIMARY KEY, revision INTEGER NOT NULL)",
        ):  # fmt: skip
            database.execute(statement)
        return database

    async def write(self, tick: Tick) -> None:
        """Returns when it is on the disk."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((tick, done))
        if not self._busy:
            self._busy = True
            try:
                while self._waiting:
                    batch, self._waiting = self._waiting, []
                    await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, [t for t, _ in batch])
                    for _, future in batch:
                        future.set_result(None)
            finally:
                self._busy = False
        await done

    def _commit(self, ticks: list[Tick]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        for key, deployment, body in ticks:
            self._database.execute("INSERT INTO deliveries VALUES (?, '')", (key,))
            self._database.execute("INSERT INTO events (deployment, body) VALUES (?, ?)", (deployment, body))
            self._database.execute(
                "INSERT INTO deployments VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET revision = revision + 1",
                (deployment,),
            )
        self._database.execute("COMMIT")


writer = Writer(sys.argv[1])


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """ASGI itself."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    signed = verifier.is_valid(body, headers["x-slack-request-timestamp"], headers["x-slack-signature"])
    if signed:
        pressed = json.loads(parse_qs(body.decode())["payload"][0])
        _, deployment, _ = pressed["actions"][0]["value"].split(":", 2)
        fact = json.dumps({"kind": "ticked", "by": pressed["user"]["id"], "item": pressed["actions"][0]["value"]})
        await writer.write((pressed["trigger_id"], deployment, fact))
    await send(
        {"type": "http.response.start", "status": 200 if signed else 401, "headers": [(b"content-length", b"0")]}
    )
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    serve(app)
