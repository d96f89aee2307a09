"""What every source has in common: how a vendor's HTTP API is asked, and how an answer becomes a measurement.

These sources speak about us to us: whatever goes wrong on the way is an *error* or a *refusal*, and so inconclusive. It
never says that the service is unhealthy.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
import stamina
import structlog
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from bot.domain.events import Measurement, Outcome
from bot.domain.verdict import YES_NO
from bot.egress import Forbidden
from checklists.policy import ProbePolicy
from checklists.quantities import say_value, to_base

TRIES = 2
"""How often one request is sent, at most."""
PAUSE = 0.2
"""Seconds between the tries, where nobody asked for more."""
LARGEST = 4_000_000
"""Bytes of one answer."""
REDIRECTS = 3
"""How many are followed, on the same host only."""
PAGES = 20
"""How many pages of one list are read."""

log = structlog.get_logger(__name__)
Shape = TypeVar("Shape", bound=BaseModel)


class Cannot(Exception):
    """Nothing can be measured; the words go into the measurement. No secret may stand in them."""

    outcome = Outcome.ERROR


class NoData(Cannot):
    """The source was asked, and knows nothing about it."""

    outcome = Outcome.NO_DATA


class Refused(Cannot):
    """The source, or the settings, do not allow it."""

    outcome = Outcome.REFUSED


class BadStatus(Cannot):
    """An answer with a status that is no success and means nothing everywhere (400, 404, 500…)."""

    def __init__(self, who: str, status: int, content: bytes) -> None:
        super().__init__(f"{who} answered HTTP {status}")
        self.status = status
        self.content = content


class _Again(Exception):
    """Worth another try, after so many seconds."""

    def __init__(self, reason: Cannot, after: float) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.after = after


@dataclass(frozen=True, slots=True)
class Found:
    """A raw number in its unit (`%`, `ms`, …, or `ok` for yes 1 and no 0), and what people read of it."""

    number: float
    unit: str
    detail: str = ""
    link: str | None = None


def yes(detail: str, link: str | None = None) -> Found:
    """It is as it should be."""
    return Found(1.0, YES_NO, detail, link)


def no(detail: str, link: str | None = None) -> Found:
    """It is not."""
    return Found(0.0, YES_NO, detail, link)


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer."""

    who: str
    url: httpx.URL
    content: bytes
    links: Mapping[str, Mapping[str, str]]
    """The `Link` header by relation."""

    def read(self, shape: type[Shape]) -> Shape:
        """The answer as what the vendor documents. Raises Cannot."""
        try:
            return shape.model_validate_json(self.content)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
            at = f" (at {where[:60]})" if where else ""
            raise Cannot(f"{self.who} answered something else than its API documents{at}") from None


@dataclass(slots=True)
class Api:
    """One vendor's API as one measurement asks it: every request of it ends by `until` (on the loop's clock)."""

    client: httpx.AsyncClient = field(repr=False)
    who: str
    """How people call it: "GitHub"."""
    base: str
    mend: str
    """What to do when it does not let us in: the name of a setting, never its value."""
    until: float
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    resets: str = ""
    """A header that says in how many seconds it may be asked again, where there is no `Retry-After`."""

    @classmethod
    def begin(
        cls,
        client: httpx.AsyncClient,
        who: str,
        base: str,
        mend: str,
        probe: ProbePolicy,
        headers: Mapping[str, str] | None = None,
        *,
        resets: str = "",
    ) -> Api:
        """For one measurement of a probe, whose time begins now."""
        return cls(client, who, base, mend, until(probe), headers or {}, resets)

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """GET below the base, or an address there (a next page). Raises Cannot."""
        return await self.send("GET", path, params=params)

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask, twice at most: a broken connection, a 5xx and a wait that fits into the time are tried again; so only
        for requests that change nothing. Raises Cannot."""
        request = self._request(method, path, params, content, headers)
        try:
            async for attempt in stamina.retry_context(
                on=lambda error: error.after if isinstance(error, _Again) else False,
                attempts=TRIES,
                timeout=max(0.0, self.until - asyncio.get_running_loop().time()),
            ):
                with attempt:
                    return await self._once(request)
        except _Again as again:
            raise again.reason from None
        raise AssertionError("the last attempt returns or raises")

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        content: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> httpx.Request:
        try:
            base = httpx.URL(self.base)
            url = httpx.URL(path) if "://" in path else httpx.URL(self.base.rstrip("/") + path)
            if url.scheme not in ("http", "https") or not url.host:
                raise ValueError
            if _origin(url) != _origin(base):
                raise Cannot(f"{self.who} leads on to {url.host}, which is not followed")
            request = self.client.build_request(
                method, url, params=params, content=content, headers={"Accept": "application/json"}
            )
        except (httpx.InvalidURL, ValueError):
            raise Cannot(f"the address of {self.who} is none that can be asked") from None
        request.headers.update({**self.headers, **(headers or {})})
        return request

    async def _once(self, request: httpx.Request) -> Answer:
        try:
            return await self._follow(request)
        except httpx.TimeoutException:
            raise Cannot(f"{self.who} did not answer in time") from None
        except Forbidden as error:
            raise Refused(f"{self.who}: {error}") from None
        except httpx.HTTPError as error:
            raise _Again(Cannot(_transport(self.who, error)), PAUSE) from None

    async def _follow(self, request: httpx.Request) -> Answer:
        for _ in range(REDIRECTS + 1):
            left = self.until - asyncio.get_running_loop().time()
            request.extensions["timeout"] = httpx.Timeout(max(left, 0.001)).as_dict()
            request.headers.pop("Cookie", None)
            response = await self.client.send(request, auth=None, follow_redirects=False, stream=True)
            try:
                content = await self._body(response)
            finally:
                await response.aclose()
            following = response.next_request
            if following is None:
                self._must_be_right(response, content)
                return Answer(self.who, request.url, content, _links(response))
            if _origin(following.url) != _origin(request.url) or request.method != "GET":
                raise Cannot(f"{self.who} leads on to {following.url.host}, which is not followed")
            request = following
        raise Cannot(f"{self.who} redirects more than {REDIRECTS} times")

    async def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > LARGEST:
                raise Cannot(f"the answer of {self.who} is longer than {LARGEST // 1_000_000} MB")
        return bytes(body)

    def _must_be_right(self, response: httpx.Response, content: bytes) -> None:
        status = response.status_code
        if response.is_success:
            return
        wait = retry_after(response.headers.get("Retry-After"))
        if wait is None and status == 429 and self.resets:
            wait = retry_after(response.headers.get(self.resets))
        limited = status in (429, 503) or (status == 403 and response.headers.get("X-RateLimit-Remaining") == "0")
        if limited or (status == 403 and wait is not None):
            if wait is None:
                if status != 503:
                    raise Cannot(f"{self.who} was asked too often (HTTP {status})")
            elif asyncio.get_running_loop().time() + wait < self.until:
                raise _Again(Cannot(f"{self.who} asked to wait {wait:g} s, and again"), wait)
            else:
                raise Cannot(f"{self.who} asked to wait {wait:g} s")
        if status in (401, 403):
            raise Refused(f"{self.who} refused it (HTTP {status}): {self.mend}")
        bad = BadStatus(self.who, status, content)
        raise _Again(bad, PAUSE) if status >= 500 else bad


async def measured(name: str, probe: ProbePolicy, work: Awaitable[Found], *, link: str | None = None) -> Measurement:
    """Await what a source found, within the probe's timeout, and say it as a measurement. Never raises; cancellation
    passes through."""
    limit = probe.timeout.total_seconds()
    link = probe.link or link
    try:
        async with asyncio.timeout(limit):
            found = await work
        link = probe.link or found.link or link
        if not math.isfinite(found.number):
            raise NoData("the last value is no number")
        dimension, value = (YES_NO, found.number) if found.unit == YES_NO else _to_base(found)
    except TimeoutError:
        return Measurement(name=name, outcome=Outcome.ERROR, detail=f"no answer within {limit:g} s", link=link)
    except Cannot as reason:
        return Measurement(name=name, outcome=reason.outcome, detail=str(reason), link=link)
    except Exception as error:
        # Its words may hold what was asked with, so they are not said.
        log.warning("probe.broke", measure=name, error=type(error).__name__)
        detail = f"it could not be asked ({type(error).__name__})"
        return Measurement(name=name, outcome=Outcome.ERROR, detail=detail, link=link)
    detail = found.detail or say_value(value, dimension)
    return Measurement(name=name, outcome=Outcome.MEASURED, value=value, dimension=dimension, detail=detail, link=link)


def until(probe: ProbePolicy) -> float:
    """When the probe's time is over, on the loop's clock."""
    return asyncio.get_running_loop().time() + probe.timeout.total_seconds()


def retry_after(value: str | None) -> float | None:
    """Seconds that a `Retry-After` asks for (RFC 9110, 10.2.3: seconds or a date); None where it says nothing."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value.strip()[:9])
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.fromtimestamp(time.time(), UTC)).total_seconds())


def bearer(token: str) -> Mapping[str, str]:
    """An `Authorization` header. A token that brings its scheme (`Basic …`, `FlyV1 …`) is sent as it is."""
    return {"Authorization": token if " " in token else f"Bearer {token}"} if token else {}


def explained(bad: BadStatus, who: str, *secrets: str) -> Cannot:
    """A bad status with the vendor's own words, wherever the usual errors have them, and without the secrets."""
    try:
        said: object = from_json(bad.content)
    except ValueError:
        return bad
    for _ in range(4):
        if isinstance(said, list) and said:
            said = said[0]
        elif isinstance(said, dict):
            said = next((said[key] for key in ("error", "errors", "message", "detail") if said.get(key)), None)
    return Cannot(f"{who} answered HTTP {bad.status}: {hidden(said, *secrets)}") if isinstance(said, str) else bad


def hidden(text: str, *secrets: str) -> str:
    """A vendor's words, cut, without the secrets."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "…")
    return short(text, 160)


def short(text: object, longest: int = 80) -> str:
    """A vendor's words on one line, printable and cut."""
    flat = " ".join("".join(ch if ch.isprintable() else " " for ch in str(text)).split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"


def _to_base(found: Found) -> tuple[str, float]:
    try:
        return to_base(found.number, found.unit)
    except ValueError as error:
        raise Cannot(str(error)) from None


def _links(response: httpx.Response) -> Mapping[str, Mapping[str, str]]:
    try:
        return {key: link for key, link in response.links.items() if key}
    except (ValueError, KeyError):
        return {}


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _transport(who: str, error: httpx.HTTPError) -> str:
    names = {type(cause).__name__ for cause in _causes(error)}
    if "gaierror" in names:
        return f"the name of {who} does not resolve here"
    if "SSLCertVerificationError" in names:
        return f"the certificate of {who} cannot be checked"
    if "ConnectionRefusedError" in names:
        return f"{who}: connection refused"
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError | httpx.DecodingError):
        return f"{who} could not be asked ({type(error).__name__})"
    return f"no connection to {who}" if isinstance(error, httpx.ConnectError) else f"the connection to {who} broke off"


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    stack: list[BaseException | None] = [error]
    while stack:
        cause = stack.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            stack.extend(cause.exceptions)
        stack += [cause.__cause__, cause.__context__]
