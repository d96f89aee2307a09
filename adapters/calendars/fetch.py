"""Asking an address, politely: one request at a time, kept for a while, and a failure remembered as well.

Cards are drawn often and every drawing asks the calendars, so a source that hangs must not hold each of them up.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import stamina
import structlog

from bot.domain.calendar import Unreadable
from bot.egress import Forbidden
from bot.reaching import make_client

LIMIT = 5.0
"""Seconds for the whole of a request, its second try included."""
AGAIN = 30.0
"""Seconds after a failure before an address is asked again."""
REDIRECTS = 3
_TRIES = 2
_PAUSE = 0.2
_MOST = 64
"""Addresses that are remembered; the one asked longest ago goes first."""

log = structlog.get_logger()
T = TypeVar("T")
Reader = Callable[[bytes, str], T]
"""Content and source -> what it says. Raises Unreadable for what cannot be understood. Called off the event loop."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked and how long its answer may be used, in seconds: `fresh` without asking again, `stale` when asking
    again fails. `source` is how people call it: an address itself may hold a secret, so it is never said."""

    url: str
    source: str
    fresh: float
    stale: float = 0
    largest: int = 1_000_000
    """Bytes of the answer."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    refused: str = "it does not let us in; check that its address is open to us"
    """What is said of 401 and 403: the way out."""


@dataclass(slots=True)
class _Kept:
    """What is known of one address. The lock makes those who ask at the same time ask once."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    found: Any = None
    """What the last good answer says; None: there was none."""
    validators: Mapping[str, str] = field(default_factory=dict)
    read_at: float = 0
    failed_at: float | None = None
    why: str = ""


class _Failed(Exception):
    """The address gave no answer that can be used; the words go into Unreadable."""


class Fetcher:
    """GET with a memory. `elapsed` counts seconds: how old a copy is has nothing to do with the product's clock."""

    def __init__(
        self,
        client: Callable[[], httpx.AsyncClient] = make_client,
        *,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = client
        self._client: httpx.AsyncClient | None = None
        self._elapsed = elapsed
        self._kept: dict[tuple[str, Reader[Any]], _Kept] = {}

    async def get(self, wish: Wish, read: Reader[T]) -> T:
        """What an address says, at most `fresh` seconds old, or `stale` ones while it cannot be read or understood.

        The same object comes back until there is a new answer. Raises Unreadable.
        """
        kept = self._kept.pop((wish.url, read), None) or _Kept()
        self._kept[wish.url, read] = kept
        if len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]
        async with kept.lock:
            if not self._good_for(kept, wish.fresh) and self._may_ask(kept):
                try:
                    await self._read(wish, kept, read)
                except (_Failed, Unreadable) as failure:
                    kept.failed_at = self._elapsed()
                    kept.why = failure.why if isinstance(failure, Unreadable) else str(failure)
                    log.warning("calendar.unreadable", source=wish.source, why=kept.why)
            if self._good_for(kept, wish.fresh) or self._good_for(kept, wish.stale):
                found: T = kept.found
                return found
            raise Unreadable(wish.source, kept.why)

    def _good_for(self, kept: _Kept, seconds: float) -> bool:
        return kept.found is not None and self._elapsed() - kept.read_at < seconds

    def _may_ask(self, kept: _Kept) -> bool:
        return kept.failed_at is None or self._elapsed() - kept.failed_at >= AGAIN

    async def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _read(self, wish: Wish, kept: _Kept, read: Reader[T]) -> None:
        if self._client is None:
            self._client = self._make()
        try:
            async with asyncio.timeout(LIMIT):
                response, content = await self._tried(self._client, wish, kept.validators)
        except (TimeoutError, httpx.TimeoutException):
            raise _Failed(f"no answer within {LIMIT:g} s") from None
        except httpx.HTTPError as error:
            raise _Failed(_transport(error)) from error
        except (httpx.InvalidURL, ValueError):
            raise _Failed("its address is none that can be asked; correct it in the policy") from None
        if response.status_code != httpx.codes.NOT_MODIFIED or kept.found is None:
            kept.found = await asyncio.to_thread(read, content, wish.source)
            names = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
            kept.validators = {ask: response.headers[name] for name, ask in names.items() if name in response.headers}
        kept.read_at, kept.failed_at = self._elapsed(), None

    async def _tried(
        self, client: httpx.AsyncClient, wish: Wish, validators: Mapping[str, str]
    ) -> tuple[httpx.Response, bytes]:
        async for attempt in stamina.retry_context(
            on=(httpx.NetworkError, httpx.RemoteProtocolError),
            attempts=_TRIES, timeout=LIMIT, wait_initial=_PAUSE, wait_max=_PAUSE, wait_jitter=0,
        ):  # fmt: skip
            with attempt:
                return await _follow(client, wish, validators)
        raise AssertionError("the last attempt returns or raises")


async def _follow(client: httpx.AsyncClient, wish: Wish, validators: Mapping[str, str]) -> tuple[httpx.Response, bytes]:
    url = httpx.URL(wish.url)
    for _ in range(REDIRECTS + 1):
        request = client.build_request("GET", url, headers={**wish.headers, **validators}, timeout=LIMIT)
        request.headers.pop("Cookie", None)
        response = await client.send(request, auth=None, follow_redirects=False, stream=True)
        try:
            if (following := response.next_request) is None:
                _must_be_right(response, wish, asked_again=bool(validators))
                return response, await _body(response, wish.largest)
            if not _same_host(url, following.url):
                raise _Failed(
                    f"it leads on to {following.url.host}, which is not followed; write that address into the policy"
                )
            url = following.url
        finally:
            await response.aclose()
    raise _Failed(f"more than {REDIRECTS} redirects")


def _same_host(old: httpx.URL, new: httpx.URL) -> bool:
    """Whether a redirect stays where it was, or only goes over to https there: headers may hold a key."""
    if old.host != new.host:
        return False
    upgraded = (old.scheme, new.scheme) == ("http", "https") and old.port is None and new.port is None
    return upgraded or (old.scheme == new.scheme and old.port == new.port)


def _must_be_right(response: httpx.Response, wish: Wish, *, asked_again: bool) -> None:
    status = response.status_code
    if status == httpx.codes.OK or (status == httpx.codes.NOT_MODIFIED and asked_again):
        return
    said = f"HTTP {status}"
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise _Failed(f"{said}: {wish.refused}")
    if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        raise _Failed(f"{said}: nothing is there; correct the address in the policy")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise _Failed(f"{said}: it was asked too often")
    raise _Failed(f"{said}, expected 200")


async def _body(response: httpx.Response, largest: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > largest:
            raise _Failed(f"the answer is larger than {largest // 1_000_000} MB")
    return bytes(body)


def _transport(error: httpx.HTTPError) -> str:
    if isinstance(error, Forbidden):
        return str(error)
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return "its name does not resolve here"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate cannot be trusted ({cause.verify_message})"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
    if isinstance(error, httpx.DecodingError):
        return "its answer is compressed and cannot be read"
    if isinstance(error, httpx.UnsupportedProtocol):
        return "its address is none that can be asked; correct it in the policy"
    return "there was no connection" if isinstance(error, httpx.ConnectError) else "the connection broke off"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, each once."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            waiting.extend(cause.exceptions)
        waiting += [cause.__cause__, cause.__context__]
