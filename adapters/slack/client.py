"""Slack's Web API as gonogo uses it: paced, never sent twice behind one's back, its refusals as the port's errors."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

from adapters.slack.config import SLACK
from adapters.slack.faults import Faults, problem_of
from adapters.slack.methods import METHODS
from bot.ports import Ambiguous, Busy429

_TIMEOUT = 10.0
_PATIENCE = 3.0
_TRIES = 3
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Me:
    """Whom the bot token stands for, as auth.test says. `clock` is Slack's time by the answer's Date header, in
    seconds."""

    team_id: str
    team: str
    user_id: str
    bot_id: str
    name: str
    scopes: frozenset[str] | None = None
    clock: float | None = None


class Pace:
    """Calls of one method, kept under its limit for every key.

    Who would have to wait longer than `patience` seconds gets Busy429 instead.
    """

    def __init__(self, per_minute: int, burst: int, *, patience: float = _PATIENCE) -> None:
        self._burst = burst
        self._interval = 60 / (per_minute - burst + 1)
        self._patience = patience
        self._free: dict[str, float] = {}
        self._held: dict[str, float] = {}

    async def turn(self, key: str) -> None:
        """Returns when the call may go out. Raises Busy429."""
        now = asyncio.get_running_loop().time()
        free = max(self._free.get(key, now), now)
        wait = max(free - now - (self._burst - 1) * self._interval, self._held.get(key, now) - now)
        if wait > self._patience:
            raise Busy429(wait)
        self._free[key] = free + self._interval
        if wait > 0:
            await asyncio.sleep(wait)

    def hold(self, key: str, seconds: float) -> None:
        """Slack asked to wait."""
        self._held[key] = asyncio.get_running_loop().time() + seconds


class Api:
    """The methods of `METHODS`, and nothing else. Usable between `open` and `close`.

    Only what Slack put off (429: nothing was done) is tried again. The SDK's default would post a message twice when
    the connection drops after Slack took it (slack_sdk, http_retry/builtin_async_handlers.py): who calls decides,
    knowing what may have happened.
    """

    def __init__(
        self, token: str, *, base_url: str = SLACK, timeout: float = _TIMEOUT, patience: float = _PATIENCE
    ) -> None:
        self.faults = Faults()
        self.me: Me | None = None
        """Known after `identify`."""
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self.web = AsyncWebClient(token, base_url=base_url, timeout=max(1, round(timeout)), retry_handlers=[])
        if urlsplit(base_url).hostname in _LOOPBACK:
            self.web.proxy = None
        self._paces = {
            name: Pace(method.per_minute, method.burst, patience=patience) for name, method in METHODS.items()
        }

    async def open(self) -> None:
        """One connection pool for all calls: a call then costs one round trip, not a TLS handshake."""
        self.web.session = aiohttp.ClientSession(timeout=self._timeout)

    async def close(self) -> None:
        """Give the connections back."""
        if self.web.session is not None:
            await self.web.session.close()

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call once and return Slack's answer.

        Raises Ambiguous (timeout, dropped connection, 5xx, internal_error), Busy429, MessageGone, ChannelGone, and
        Refusal for the rest, with a sentence somebody can act on.
        """
        response = await self._call(method, arguments)
        return response.data if isinstance(response.data, dict) else {}

    async def identify(self) -> Me:
        """Who this is: auth.test. Raises like `call`."""
        response = await self._call("auth.test", {})
        said = {name: str(response.get(name) or "") for name in ("team_id", "team", "user_id", "bot_id", "user")}
        headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        granted = headers.get("x-oauth-scopes")
        self.me = Me(
            team_id=said["team_id"],
            team=said["team"],
            user_id=said["user_id"],
            bot_id=said["bot_id"],
            name=said["user"] or "gonogo",
            scopes=None if granted is None else frozenset(word.strip() for word in granted.split(",") if word.strip()),
            clock=_clock(headers.get("date")),
        )
        return self.me

    async def respond(self, url: str, body: Mapping[str, Any]) -> None:
        """Answer through a response_url: at most 5 times within 30 minutes of the click or command.

        Raises like `call`. docs.slack.dev/interactivity/handling-user-interaction
        """
        webhook = AsyncWebhookClient(url, session=self.web.session, proxy=self.web.proxy, retry_handlers=[])
        if urlsplit(url).hostname in _LOOPBACK:
            webhook.proxy = None
        try:
            answer = await webhook.send_dict(dict(body))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise problem_of("response_url", error) from error
        if answer.status_code != 200:
            raise Ambiguous(f"response_url was answered with HTTP {answer.status_code}")

    async def upload(self, url: str, content: bytes) -> None:
        """The bytes of a file to the address that files.getUploadURLExternal gave. Raises Ambiguous.

        docs.slack.dev/messaging/working-with-files
        """
        assert self.web.session is not None
        proxy = None if urlsplit(url).hostname in _LOOPBACK else self.web.proxy
        try:
            async with self.web.session.post(url, data=content, proxy=proxy) as answer:
                status = answer.status
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise problem_of("the upload of a picture", error) from error
        if status != 200:
            raise Ambiguous(f"the upload of a picture was answered with HTTP {status}")

    async def _call(self, method: str, arguments: dict[str, Any]) -> AsyncSlackResponse:
        known, pace = METHODS[method], self._paces[method]
        key = str(arguments.get("channel", "")) if known.by_channel else ""
        for left in reversed(range(_TRIES)):
            await pace.turn(key)
            try:
                response: AsyncSlackResponse = await getattr(self.web, method.replace(".", "_"))(**arguments)
            except (SlackApiError, aiohttp.ClientError, OSError, AttributeError, ValueError) as error:
                problem = problem_of(method, error, app_token=known.app_token)
                if isinstance(problem, Busy429):
                    pace.hold(key, problem.retry_after)
                    if left:
                        continue  # nothing was done; `turn` waits, or gives up if that takes too long
                self.faults.refused(method, problem, app_token=known.app_token)
                raise problem from error
            self.faults.answered(method, app_token=known.app_token)
            return response
        raise AssertionError("unreachable: the last try raises")


def _clock(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None
