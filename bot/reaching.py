"""The httpx clients that ask sources and calendars: they connect to no address where machines ask about themselves.

Unlike `bot.egress`, which is for addresses that are told something, these may reach the team's own network by http,
keep their connections and use a proxy of the environment. What a name resolves to is looked at when a connection is
made, and the connection is made to just that address: neither a redirect nor a name that changes its mind gets past.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpcore
import httpx

from bot.egress import Forbidden
from checklists.addresses import barred

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""A host and port -> its IP addresses, in order of preference. Raises OSError."""
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)
"""As httpx has them."""
_TRIED = 3
"""As many addresses of a name are tried, each for its share of the time."""


def make_client(
    *,
    verify: ssl.SSLContext | bool = True,
    limits: httpx.Limits = LIMITS,
    trust_env: bool = True,
    resolve: Resolve | None = None,
) -> httpx.AsyncClient:
    """A client that follows no redirect by itself. What it may not reach raises `bot.egress.Forbidden`.

    Through a proxy of the environment the proxy resolves names; an address written as a number is refused there too.
    """
    client = httpx.AsyncClient(
        verify=verify, limits=limits, trust_env=trust_env, event_hooks={"request": [_look_at_number]}
    )
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.AsyncHTTPTransport):
            # httpx has no way to say how connections are made; httpcore, which makes them, has.
            transport._pool._network_backend = _Looking(resolve or _resolve)
    return client


class _Looking(httpcore.AsyncNetworkBackend):
    """Connects as httpcore does, to addresses it has looked at."""

    def __init__(self, resolve: Resolve) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._resolve = resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        until = None if timeout is None else loop.time() + timeout
        try:
            async with asyncio.timeout_at(until):
                found = await self._resolve(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"the name {host} did not resolve in time") from None
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        for address in found:
            # One that is barred among others: somebody plays with the name.
            _look_at(host, address)
        tried = found[:_TRIED]
        for left, address in zip(reversed(range(len(tried))), tried, strict=True):
            share = None if until is None else max(0.0, until - loop.time()) / (left + 1)
            try:
                return await self._inner.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not left:
                    raise
        raise httpcore.ConnectError(f"the name {host} has no address")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


async def _look_at_number(request: httpx.Request) -> None:
    host = request.url.host
    try:
        _look_at(host, host)
    except ValueError:
        return  # a name: it is looked at when it is resolved


def _look_at(host: str, address: str) -> None:
    """Raises Forbidden, and ValueError for what is no IP address."""
    if why := barred(address, private=True):
        raise Forbidden(f"{host} is not asked: {why}" + (f" ({address})" if host != address else ""))


async def _resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
