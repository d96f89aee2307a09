"""Calls to Slack's Web API over TLS: gonogo's client, which keeps its connections, beside slack_sdk's as it is by
default, which makes one for every call."""

from __future__ import annotations

import asyncio
import itertools
import ssl
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.client import Api
from bench.report import Line, line, middle, over, run
from bench.serving import server

CALLS, IN_FLIGHT, ROUNDS = 200, 8, 5


async def measure() -> list[Line]:
    """Both, in turn, against the same server."""
    with tempfile.TemporaryDirectory(prefix="gonogo-bench-") as made:
        certificate, key = _certificate(Path(made))
        trusted = ssl.create_default_context(cafile=str(certificate))
        with server("bench.servers.slack_api", str(certificate), str(key)) as address:
            base = f"{address.replace('127.0.0.1', 'localhost')}/api/"
            api = Api("xoxb-bench", base_url=base)
            api.web.ssl = trusted
            for pace in api._paces.values():
                pace._interval = 0.0  # Slack's limits are not what is measured
            await api.open()
            theirs = AsyncWebClient("xoxb-bench", base_url=base, ssl=trusted)
            theirs.proxy = None

            async def by_us() -> None:
                await api.call("chat.update", channel="C1", ts="1.1", text="now")

            async def by_them() -> None:
                await theirs.chat_update(channel="C1", ts="1.1", text="now")

            async def arrived() -> int:
                async with httpx.AsyncClient(verify=trusted, trust_env=False) as client:
                    return int((await client.get(f"{base.removesuffix('/api/')}/calls")).json().get("chat.update", 0))

            rates: list[tuple[float, float]] = []
            try:
                for _ in range(ROUNDS + 1):
                    before = await arrived()
                    mine = await _rate(by_us)
                    between = await arrived()
                    rates.append((mine, await _rate(by_them)))
                    counted = (between - before, await arrived() - between)
                    assert counted == (CALLS, CALLS), f"{counted} of {CALLS} calls arrived"
            finally:
                await api.close()
    ours, sdk = zip(*rates[1:], strict=True)
    note = f"{middle(ours):.0f}/s, {middle(sdk):.0f}/s"
    return [line("outgoing calls/s over TLS ÷ slack_sdk's default client", over(ours, sdk), "≥", 4, note=note)]


async def _rate(call: Callable[[], Awaitable[None]]) -> float:
    left = itertools.repeat(None, CALLS)

    async def one() -> None:
        for _ in left:
            await call()

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(IN_FLIGHT)))
    return CALLS / (time.perf_counter() - begun)


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


if __name__ == "__main__":
    run(measure)
