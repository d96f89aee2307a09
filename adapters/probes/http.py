"""Health and version endpoints, asked the way their users reach them.

What the users see too is *measured unhealthy*: a refused or broken connection, no answer in time, another status,
another field, an expired certificate. What only says something about us or the policy is an *error*, and so
inconclusive: a name that does not resolve, a certificate we cannot check, an address that is none, no network here,
being asked to slow down.
"""

from __future__ import annotations

import asyncio
import errno
import json
import math
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import stamina

from bot.domain.events import Measurement, Outcome
from bot.domain.verdict import YES_NO
from bot.egress import Forbidden
from bot.ports import Asked
from checklists.policy import ProbePolicy
from checklists.quantities import say_value, to_base
from checklists.spellings import names_version, spellings, without_v

TRIES = 2
"""How often a connection is attempted; an answer, whatever it is, is not asked for again."""
PAUSE = 0.2
"""Seconds between the tries."""
LONGEST_BODY = 64 * 1024
"""Bytes of an answer that are read."""
REDIRECTS = 3

_OURS = {
    errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM,
    errno.EPERM, errno.EACCES,
}  # fmt: skip
_CERTIFICATE_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED


class _Cannot(Exception):
    """Nothing can be said about the endpoint; the words go into the measurement."""


class _Refused(_Cannot):
    """The policy names something that is not asked at all."""


class _Unhealthy(Exception):
    """The endpoint is not as it should be; the words go into the measurement."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    took: float
    """Seconds until the whole of what was needed had arrived."""
    body: bytes = b""
    elsewhere: str = ""
    """Where a redirect that was not followed leads."""


class HttpProbe:
    """`bot.ports.Probe` for `http:`. `reroute` replaces an address just before it is asked (the sandbox's own service).

    It measures now, whatever `asked.as_of` says: an endpoint has no past. Nothing is remembered between two asks: no
    cookie pins it to an old server, and redirects are followed on the same host only.
    """

    def __init__(self, client: httpx.AsyncClient, *, reroute: Callable[[str], str] | None = None) -> None:
        self._client = client
        self._reroute = reroute

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Yes or no (dimension `ok`, 1.0 or 0.0); or a number, where the policy gives a `unit` or a `target`.

        The number is the JSON field in the probe's unit or, without a field, how long the answer took: of several asked
        for one after the other, where the policy wants a percentile. Never raises;
        refused are other schemes and addresses with a password in them.
        """
        if probe is None or probe.http is None:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=f"the policy has no address for {name}")
        wanted = probe.unit, probe.target, probe.percentile
        numeric = probe.equals is None and any(each is not None for each in wanted)
        try:
            address = _address(probe.http)
        except _Cannot as reason:
            refused = isinstance(reason, _Refused)
            return Measurement(name=name, outcome=Outcome.REFUSED if refused else Outcome.ERROR, detail=str(reason))
        link = probe.link or str(address)

        def say(outcome: Outcome, detail: str, value: float | None = None, dimension: str = "") -> Measurement:
            return Measurement(name=name, outcome=outcome, value=value, dimension=dimension, detail=detail, link=link)

        try:
            dimension, value, detail = await self._ask(probe, asked, numeric)
            return say(Outcome.MEASURED, detail, value, dimension)
        except _Unhealthy as reason:
            # A number that was not given is not zero.
            if numeric:
                return say(Outcome.ERROR, str(reason))
            return say(Outcome.MEASURED, str(reason), 0.0, YES_NO)
        except _Cannot as reason:
            return say(Outcome.REFUSED if isinstance(reason, _Refused) else Outcome.ERROR, str(reason))
        except Exception as error:
            return say(Outcome.ERROR, f"the address could not be asked ({type(error).__name__})")

    async def _ask(self, probe: ProbePolicy, asked: Asked, numeric: bool) -> tuple[str, float, str]:
        """Dimension, value and detail. Raises _Unhealthy and _Cannot."""
        url = _address(self._reroute(str(probe.http)) if self._reroute else str(probe.http))
        limit = probe.timeout.total_seconds()
        took: list[float] = []
        many = probe.samples if probe.percentile is not None else 1
        try:
            async with asyncio.timeout(limit):
                while len(took) < many:
                    answer = await self._get(url, probe, limit)
                    _must_be_expected(probe, answer)
                    took.append(answer.took)
        except (TimeoutError, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.WriteTimeout):
            if many > 1:
                raise _Cannot(_too_slow(len(took), many, limit)) from None
            raise _Unhealthy(f"no answer within {limit:g} s") from None
        except httpx.TransportError as error:
            raise _transport(error) from error
        if probe.percentile is not None:
            return _percentile(took, probe.percentile)
        if numeric:
            return _number(probe, answer)
        _compare(probe, answer.body, asked.version)
        return YES_NO, 1.0, f"HTTP {answer.status} in {answer.took * 1000:.0f} ms"

    async def _get(self, url: httpx.URL, probe: ProbePolicy, limit: float) -> _Answer:
        async for attempt in stamina.retry_context(
            on=_worth_a_retry, attempts=TRIES, timeout=limit, wait_initial=PAUSE, wait_max=PAUSE, wait_jitter=0
        ):
            with attempt:
                return await self._follow(url, probe, limit)
        raise AssertionError("the last attempt returns or raises")

    async def _follow(self, url: httpx.URL, probe: ProbePolicy, limit: float) -> _Answer:
        needs_body = probe.json_field is not None or probe.equals is not None
        started = time.perf_counter()
        for _ in range(REDIRECTS + 1):
            request = self._client.build_request(
                "GET", url, timeout=limit, headers={"Accept": "*/*", "Accept-Encoding": "identity"}
            )
            request.headers.pop("Cookie", None)
            response = await self._client.send(request, auth=None, follow_redirects=False, stream=True)
            try:
                status, following = response.status_code, response.next_request
                if status == probe.expect or following is None:
                    body = await _body(response) if needs_body and status == probe.expect else b""
                    answer = _Answer(status, time.perf_counter() - started, body)
                    if probe.percentile is not None:
                        await _drain(response)
                    return answer
                if not _same_host(url, following.url):
                    return _Answer(status, time.perf_counter() - started, elsewhere=f" to {following.url.host}")
                url = following.url
            finally:
                await response.aclose()
        raise _Unhealthy(f"more than {REDIRECTS} redirects")


def _address(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
        host, port = url.host, url.port or 80
    except (httpx.InvalidURL, ValueError) as error:
        raise _Cannot("the address in the policy is not one that can be asked") from error
    if url.scheme not in ("http", "https"):
        raise _Refused("only http:// and https:// addresses are asked")
    if url.userinfo:
        raise _Refused("the address carries a password, which does not belong into a policy")
    if not host or port > 65535:
        raise _Cannot("the address in the policy is not one that can be asked")
    return url


def _same_host(old: httpx.URL, new: httpx.URL) -> bool:
    """Whether a redirect stays where it was, or only goes over to https there."""
    if old.host != new.host:
        return False
    upgraded = (old.scheme, new.scheme) == ("http", "https") and old.port is None and new.port is None
    return upgraded or (old.scheme == new.scheme and old.port == new.port)


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise _Cannot(f"the answer is longer than {LONGEST_BODY // 1024} kB")
    return bytes(body)


async def _drain(response: httpx.Response) -> None:
    """Read what is left, so that the connection can be kept; what is long is not worth it."""
    read = 0
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if read > LONGEST_BODY:
            return


def _worth_a_retry(error: Exception) -> bool:
    """A connection that could not be made or broke; a GET changes nothing, so it may be asked again."""
    return isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError)


def _transport(error: httpx.TransportError) -> _Cannot | _Unhealthy:
    if isinstance(error, Forbidden):
        return _Refused(str(error))
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return _Cannot("its name does not resolve here")
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            if cause.verify_code == _CERTIFICATE_EXPIRED:
                return _Unhealthy("its certificate has expired")
            return _Cannot(f"its certificate cannot be checked ({cause.verify_message})")
        if isinstance(cause, ssl.SSLError):
            return _Cannot("no TLS connection could be agreed on")
    if isinstance(error, httpx.ProxyError):
        return _Cannot("the proxy did not let it through")
    if isinstance(error, httpx.PoolTimeout | httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return _Cannot("it could not be asked from here")
    numbers = {cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno}
    if numbers and numbers <= _OURS:
        return _Cannot("there is no network to it from here")
    if errno.ECONNREFUSED in numbers:
        return _Unhealthy("connection refused")
    return _Unhealthy("no connection" if isinstance(error, httpx.ConnectError) else "the connection broke off")


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


def _field(body: bytes, path: str) -> object:
    """What stands at a dotted path (`data.0.version`). Raises _Unhealthy."""
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        raise _Unhealthy("the answer is no JSON") from None
    for key in path.split("."):
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        else:
            raise _Unhealthy(f"the answer has no {path}")
    return found


def _must_be_expected(probe: ProbePolicy, answer: _Answer) -> None:
    """Raises _Unhealthy and _Cannot for another status than the policy's."""
    if answer.status == probe.expect:
        return
    if answer.status == httpx.codes.TOO_MANY_REQUESTS:
        raise _Cannot("HTTP 429: it was asked too often")
    raise _Unhealthy(f"HTTP {answer.status}{answer.elsewhere}, expected {probe.expect}")


def _percentile(took: list[float], rank: float) -> tuple[str, float, str]:
    """By nearest rank: one of the times that were measured, never one between two of them."""
    value = sorted(took)[math.ceil(round(rank / 100 * len(took), 6)) - 1]
    return "seconds", value, f"{say_value(value, 'seconds')}, p{rank:g} of {len(took)} answers"


def _too_slow(answers: int, wanted: int, limit: float) -> str:
    return f"only {answers} of {wanted} answers within {limit:g} s: a longer `timeout` or fewer `samples` would tell"


def _number(probe: ProbePolicy, answer: _Answer) -> tuple[str, float, str]:
    if probe.json_field is None:
        return "seconds", answer.took, say_value(answer.took, "seconds")
    found = _field(answer.body, probe.json_field)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise _Cannot(f"{probe.json_field} is {_say(found)}, which is no number")
    if probe.unit is None:
        raise _Cannot(f"the policy gives no unit for {probe.json_field}")
    try:
        dimension, value = to_base(found, probe.unit)
    except ValueError as error:
        raise _Cannot(str(error)) from error
    return dimension, value, say_value(value, dimension)


def _compare(probe: ProbePolicy, body: bytes, version: str) -> None:
    """Raises _Unhealthy unless the field (the whole answer, if none is named) is what it should be."""
    if probe.json_field is not None:
        found = _say(_field(body, probe.json_field))
        name = probe.json_field.rpartition(".")[2]
    else:
        found, name = body.decode("utf-8", "replace").strip(), "the answer"
    if probe.equals is None:
        return
    if not version and names_version(probe.equals):
        raise _Cannot("which version it should be is not known")
    try:
        expected = [without_v(text) for text in spellings(probe.equals, without_v(version))]
    except ValueError as error:
        raise _Cannot(f"`equals` {error}") from None
    found = without_v(found)
    if found not in expected:
        raise _Unhealthy(f"{name} is {_short(found)}, expected {_short(expected[0])}")


def _say(value: object) -> str:
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    flat = " ".join("".join(ch if ch.isprintable() else " " for ch in text).split()) or "empty"
    return flat if len(flat) <= 60 else flat[:59] + "…"
