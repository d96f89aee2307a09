"""Going out: a transport for httpx that calls only where it may.

For addresses that a policy names. The name is resolved first, and what it resolves to must be allowed; the connection
is then made to that very IP address, so that a name cannot point elsewhere a moment later. Certificates are still
checked against the name. No proxy of the environment is used, and a redirect is not followed unless the client says so.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable

import httpx

from checklists.addresses import barred, is_private

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""A host and port -> its IP addresses, in order of preference. Raises OSError."""
_TRIED = 3
"""As many addresses of a name are tried."""


class Forbidden(httpx.TransportError):
    """The address is none that may be called. The sentence says why."""


class Guarded(httpx.AsyncBaseTransport):
    """Calls https addresses that are public; with `private` also those of the team's own network and of this machine,
    and these by http, too. Never link-local or cloud metadata addresses."""

    def __init__(
        self, *, private: bool = False, verify: ssl.SSLContext | bool = True, resolve: Resolve | None = None
    ) -> None:
        # A kept connection belongs to an IP address: the next name there would not have its certificate checked.
        self._inner = httpx.AsyncHTTPTransport(verify=verify, limits=httpx.Limits(max_keepalive_connections=0))
        self._private = private
        self._resolve = resolve or _resolve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises Forbidden before anything is sent, and what httpx raises."""
        url = request.url
        addresses = await self._allowed(url)
        extensions = {**request.extensions, "sni_hostname": url.host}
        for left, address in zip(reversed(range(len(addresses))), addresses, strict=True):
            there = httpx.Request(
                request.method, url.copy_with(host=address), headers=request.headers, stream=request.stream,
                extensions=extensions,
            )  # fmt: skip
            try:
                return await self._inner.handle_async_request(there)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if not left:
                    raise
        raise AssertionError("unreachable: the last address returns or raises")

    async def aclose(self) -> None:
        """Give every connection back."""
        await self._inner.aclose()

    async def _allowed(self, url: httpx.URL) -> list[str]:
        if url.scheme not in ("http", "https"):
            raise Forbidden(f"{url.host}: only https addresses are called")
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = await self._resolve(url.host, port)
        except (OSError, UnicodeError) as error:  # UnicodeError: no name at all, like a..b
            raise httpx.ConnectError(f"the name {url.host} does not resolve here") from error
        for address in found:
            # One that may not be called among those that may: somebody plays with the name.
            if why := barred(address, private=self._private):
                raise Forbidden(f"{url.host} is not called: {why} ({address})")
            if url.scheme == "http" and not is_private(address):
                raise Forbidden(f"{url.host} is not called: its address must begin with https://")
        if not found:
            raise httpx.ConnectError(f"the name {url.host} does not resolve here")
        return found[:_TRIED]


def guarded(*, private: bool = False) -> httpx.AsyncClient:
    """A client that goes out by this way only: no proxy or password of the environment, no redirect followed."""
    return httpx.AsyncClient(transport=Guarded(private=private), trust_env=False, follow_redirects=False)


async def _resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
