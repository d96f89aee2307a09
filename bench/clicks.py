"""Slack's clicks, signed as Slack signs them, sent over HTTP: as fast as they are answered, or one at a time."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Iterable, Iterator
from urllib.parse import urlencode

import aiohttp
from slack_sdk.signature import SignatureVerifier

SECRET = "fake-signing-secret"
USER, TEAM, APP, CHANNEL = "U1", "T0FAKE", "A0FAKE", "C1"
_FORM = "application/x-www-form-urlencoded"
_MESSAGE = "1764000000.000100"
_numbers = itertools.count(1)


def payload(action: str) -> bytes:
    """A button of a message in the channel was pressed (docs.slack.dev/reference/interaction-payloads); each time with
    a trigger of its own."""
    number = next(_numbers)
    stamp = f"{time.time():.6f}"
    body = {
        "type": "block_actions",
        "user": {"id": USER, "username": "ana", "name": "ana", "team_id": TEAM},
        "api_app_id": APP,
        "token": "fake-verification",
        "container": {"type": "message", "message_ts": _MESSAGE, "channel_id": CHANNEL, "is_ephemeral": False},
        "trigger_id": f"{number}.{time.time_ns()}.abcdef",
        "team": {"id": TEAM, "domain": "gonogo"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": CHANNEL, "name": "deployments"},
        "message": {"type": "message", "ts": _MESSAGE, "text": "Phase 1", "user": "U0BOT", "blocks": []},
        "state": {"values": {}},
        "response_url": "http://127.0.0.1:9/response",
        "actions": [
            {
                "type": "button", "action_id": f"press:{number % 50}", "block_id": f"b{number % 50}",
                "text": {"type": "plain_text", "text": "Tick"}, "value": action, "action_ts": stamp,
            }
        ],
    }  # fmt: skip
    return urlencode({"payload": json.dumps(body)}).encode()


def signed(body: bytes) -> dict[str, str]:
    """The headers of a form that Slack signed now."""
    stamp = str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body)
    return {"Content-Type": _FORM, "x-slack-request-timestamp": stamp, "x-slack-signature": str(signature)}


class Clicker:
    """Presses buttons of one server."""

    def __init__(self, url: str, actions: Iterable[str]) -> None:
        self.url = url
        self._actions: Iterator[str] = iter(actions)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Clicker:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=3))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def click(self) -> float:
        """Press the next one; seconds until it was acknowledged. Raises AssertionError if it was not."""
        assert self._session is not None
        body = payload(next(self._actions))
        headers = signed(body)
        begun = time.perf_counter()
        async with self._session.post(self.url, data=body, headers=headers) as answer:
            said = await answer.read()
            took = time.perf_counter() - begun
        assert answer.status == 200, (answer.status, said[:200])
        return took

    async def burst(self, count: int, in_flight: int) -> float:
        """So many, always as many in flight as there may be; how many were acknowledged each second."""
        left = iter(range(count))

        async def one() -> None:
            for _ in left:
                await self.click()

        begun = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(in_flight)))
        return count / (time.perf_counter() - begun)

    async def singly(self, count: int) -> list[float]:
        """So many, one after the other; seconds each."""
        return [await self.click() for _ in range(count)]

    async def steadily(self, per_second: float, seconds: float) -> list[float]:
        """So many each second, whether the ones before are answered or not; seconds each."""
        loop, first = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        tasks = []
        for number in range(int(per_second * seconds)):
            await asyncio.sleep(max(0.0, first + number / per_second - loop.time()))
            tasks.append(asyncio.create_task(self.click()))
        return list(await asyncio.gather(*tasks))
