"""Requests to GitHub's REST API: bounded, tried again only where that is harmless, and never led to another host."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
import stamina
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from adapters.github.errors import Limited, NoAnswer, SaidNo, short
from bot.forge import ForgeError

API = "https://api.github.com"
"""GitHub Enterprise Server has https://HOST/api/v3."""
VERSION = "2022-11-28"
"""The version of the REST API that is asked for (`X-GitHub-Api-Version`)."""
TRIES = 3
"""How often one request is sent, at most."""
PAUSE = 0.3
"""Seconds between the tries, where nobody asked for more."""
PATIENCE = 8.0
"""Seconds that GitHub may ask to wait; where it is more nothing is sent meanwhile."""
TIMEOUT = httpx.Timeout(8.0, connect=4.0)
WHOLE = 20.0
"""Seconds that one question may take with all its tries and pauses: GitHub may also answer byte by byte."""
LONGEST_WAIT = 3600.0
"""Seconds that GitHub is left alone at most, whatever it asks for; its own limits are by the hour."""
LARGEST = 4_000_000
"""Bytes of one answer."""
REDIRECTS = 3
"""How many are followed, on the same host only: GitHub uses them for renamed repositories."""
_AGENT = "gonogo"

Shape = TypeVar("Shape", bound=BaseModel)


class _Again(Exception):
    """Worth another try, after so many seconds."""

    def __init__(self, reason: ForgeError, after: float) -> None:
        super().__init__(str(reason))
        self.reason, self.after = reason, after


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer."""

    status: int
    content: bytes
    date: float | None
    """GitHub's clock, in seconds since 1970."""

    def read(self, shape: type[Shape]) -> Shape:
        """The answer as GitHub documents it. Raises ForgeError."""
        try:
            return shape.model_validate_json(self.content)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
            at = f" (at {where[:60]})" if where else ""
            raise ForgeError(f"GitHub answered something else than its API documents{at}") from None


class Wire:
    """One GitHub. Once it asks not to be asked for a while, nothing is sent until then. `whole` is how long one
    question may take, in seconds."""

    def __init__(self, client: httpx.AsyncClient, base: str = API, *, whole: float = WHOLE) -> None:
        self._client, self._whole = client, whole
        self.base = base.rstrip("/")
        self._free_at: dict[str, float] = {}
        """By bearer: until when (on the loop's clock) it is to be left alone."""

    async def send(
        self,
        method: str,
        path: str,
        *,
        bearer: str,
        mend: str = "",
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        once: bool = False,
    ) -> Reply:
        """Ask below the base. With `once`, a request that may have arrived is never repeated.

        Raises NoAnswer, SaidNo and Limited. `mend` is what to do about a refusal; it names settings, never values.
        """
        left = self._free_at.get(bearer, 0.0) - asyncio.get_running_loop().time()
        if left > 0:
            raise Limited(f"GitHub asked to wait: nothing is sent for another {left:.0f} s")
        request = self._request(method, path, bearer, params, body)
        try:
            async with asyncio.timeout(self._whole):
                async for attempt in stamina.retry_context(
                    on=lambda error: error.after if isinstance(error, _Again) else False, attempts=TRIES, timeout=None
                ):
                    with attempt:
                        return await self._once(request, bearer, mend, once=once)
        except _Again as again:
            raise again.reason from None
        except TimeoutError:
            raise NoAnswer(f"GitHub did not answer within {self._whole:g} s", sent=True) from None
        raise AssertionError("the last attempt returns or raises")

    def _request(
        self, method: str, path: str, bearer: str, params: Mapping[str, Any] | None, body: Mapping[str, Any] | None
    ) -> httpx.Request:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {bearer}",
            "X-GitHub-Api-Version": VERSION,
            "User-Agent": _AGENT,
        }
        try:
            request = self._client.build_request(
                method, self.base + path, params=params, json=body, headers=headers, timeout=TIMEOUT
            )
        except (httpx.InvalidURL, ValueError):
            raise NoAnswer("the address of GitHub cannot be used: see GONOGO_GITHUB_API_URL", sent=False) from None
        if request.url.scheme not in ("http", "https") or not request.url.host:
            raise NoAnswer("the address of GitHub cannot be used: see GONOGO_GITHUB_API_URL", sent=False)
        return request

    async def _once(self, request: httpx.Request, bearer: str, mend: str, *, once: bool) -> Reply:
        try:
            return await self._follow(request, bearer, mend, once=once)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise _Again(NoAnswer("no connection to GitHub", sent=False), PAUSE) from None
        except httpx.HTTPError as error:
            late = isinstance(error, httpx.TimeoutException)
            words = "GitHub did not answer in time" if late else "the connection to GitHub broke off"
            reason = NoAnswer(words, sent=True)
            if once:
                raise reason from None
            raise _Again(reason, PAUSE) from None

    async def _follow(self, request: httpx.Request, bearer: str, mend: str, *, once: bool) -> Reply:
        for _ in range(REDIRECTS + 1):
            request.headers.pop("Cookie", None)
            response = await self._client.send(request, auth=None, follow_redirects=False, stream=True)
            try:
                content = await _body(response)
            finally:
                await response.aclose()
            following = response.next_request
            if following is None:
                date = _instant(response.headers.get("Date"))
                if response.is_success:
                    return Reply(response.status_code, content, date)
                raise self._refusal(response, content, bearer, mend, date, once=once)
            if _origin(following.url) != _origin(request.url) or following.method != request.method:
                raise NoAnswer(f"GitHub leads on to {following.url.host}, which is not followed", sent=False)
            request = following
        raise NoAnswer(f"GitHub redirects more than {REDIRECTS} times", sent=False)

    def _refusal(
        self, response: httpx.Response, content: bytes, bearer: str, mend: str, date: float | None, *, once: bool
    ) -> Exception:
        status, words = response.status_code, _words(content)
        if (asked := _wait(response, date, words)) is not None:
            wait = min(asked, LONGEST_WAIT)
            reason = Limited(f"GitHub asked to wait {wait:.0f} s before anything else; nothing was done")
            if wait <= PATIENCE:
                return _Again(reason, wait)
            now = asyncio.get_running_loop().time()
            self._free_at = {key: at for key, at in self._free_at.items() if at > now} | {bearer: now + wait}
            return reason
        said = SaidNo(status, words, mend=mend if status in (401, 403, 404) else "", date=date)
        if status < 500:
            return said
        lost = NoAnswer(str(said), sent=True)
        return lost if once else _Again(lost, PAUSE)


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST:
            raise NoAnswer(f"GitHub's answer is longer than {LARGEST // 1_000_000} MB", sent=True)
    return bytes(body)


def _wait(response: httpx.Response, date: float | None, words: str) -> float | None:
    """Seconds that GitHub asks to wait (its "Rate limits for the REST API"): `Retry-After`, else until the hour's limit
    is reset, else a minute. None: it asks for nothing."""
    status, headers = response.status_code, response.headers
    after, used_up = headers.get("Retry-After", "").strip(), headers.get("X-RateLimit-Remaining") == "0"
    if status not in (403, 429) or not (status == 429 or after or used_up or "rate limit" in words.casefold()):
        return None
    if after.isdecimal():
        return float(after[:9])
    reset = headers.get("X-RateLimit-Reset", "").strip()
    if used_up and reset.isdecimal():
        return max(1.0, float(reset[:12]) - (date if date is not None else time.time()))
    return 60.0


def _words(content: bytes) -> str:
    """What GitHub says is wrong: its `message`, and the first of its `errors`."""
    try:
        said = from_json(content)
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    errors = said.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else errors if isinstance(errors, str) else ""
    more = first.get("message", "") if isinstance(first, dict) else first
    return short(" ".join(str(part) for part in (said.get("message"), more) if part))


def _instant(header: str | None) -> float | None:
    try:
        at = parsedate_to_datetime(header or "")
    except (ValueError, TypeError):
        return None
    return datetime.timestamp(at.replace(tzinfo=at.tzinfo or UTC))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
