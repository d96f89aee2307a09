"""opsdroid, the best-known chatops bot in Python, in an environment of its own.

It hears the same signed clicks over HTTP, and a skill answers each with a message, as its documentation shows
(docs.opsdroid.dev, connectors/slack). It acknowledges before it has looked at a click, so what counts is its answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import subprocess
import sys
import time
import venv
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx

from bench.clicks import Clicker
from bench.serving import server
from tests.process import ROOT

VERSION = "0.31.0"
HOME = ROOT / "var" / f"bench-opsdroid-{VERSION}"
_PATIENCE = 60.0

Answers = Callable[[int, int], Awaitable[float]]
"""So many clicks, so many in flight: how many it answered each second."""


class Unavailable(Exception):
    """It cannot be installed or does not run here; the sentence says why."""


@contextlib.asynccontextmanager
async def opsdroid(folder: Path) -> AsyncIterator[Answers]:
    """Running, with a Slack of its own. Raises Unavailable."""
    python = await asyncio.to_thread(_installed)
    async with contextlib.AsyncExitStack() as stack:
        try:
            api = stack.enter_context(server("bench.servers.slack_api"))
            address = stack.enter_context(
                server("bench.servers.opsdroid_bot", f"{api}/api/", str(folder / "opsdroid"), python=str(python))
            )
        except AssertionError as reason:
            raise Unavailable(str(reason)[:200]) from reason
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        clicker = await stack.enter_async_context(
            Clicker(f"{address}/connector/slack", itertools.cycle(["tick:d1:i1"]))
        )

        await _listening(client, address)

        async def said() -> int:
            return int((await client.get(f"{api}/calls")).json().get("chat.postMessage", 0))

        async def answered(count: int, in_flight: int) -> float:
            before, begun = await said(), time.perf_counter()
            await clicker.burst(count, in_flight)
            while await said() < before + count:
                if time.perf_counter() - begun > _PATIENCE:
                    raise AssertionError(f"opsdroid answered {await said() - before} of {count} clicks")
                await asyncio.sleep(0.01)
            return count / (time.perf_counter() - begun)

        yield answered


async def _listening(client: httpx.AsyncClient, address: str) -> None:
    for _ in range(200):
        with contextlib.suppress(httpx.TransportError):
            if (
                await client.post(f"{address}/connector/slack", json={"type": "url_verification", "challenge": "x"})
            ).is_success:
                return
        await asyncio.sleep(0.1)
    raise Unavailable("opsdroid does not listen")


def _installed() -> Path:
    """Its Python, made when it is first needed."""
    python = HOME / "bin" / "python"
    if not (HOME / "ready").exists():
        try:
            venv.create(HOME, with_pip=True, clear=True)
            wanted = [f"opsdroid=={VERSION}", "certifi", "emoji", "slack_sdk", "setuptools<81"]  # it names one of them
            subprocess.run(
                [python, "-m", "pip", "-qq", "--disable-pip-version-check", "install", *wanted],
                check=True, capture_output=True, timeout=600,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as problem:
            raise Unavailable(f"opsdroid {VERSION} cannot be installed here ({type(problem).__name__})") from problem
        (HOME / "ready").write_text(f"{sys.version}\n")
    return python
