"""What keeps the sandbox to the person at this machine: other sites and other names for loopback are turned away."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_READS = frozenset({"GET", "HEAD"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
        " form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Turns away what a browser sends on behalf of another site (DNS rebinding, forged posts), and adds the headers.

    The Host must be loopback; a post must come from this very origin (a client without an Origin is no browser) and be
    JSON.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = _refusal(scope["method"], Headers(scope=scope))
        app = JSONResponse({"error": refusal[1]}, refusal[0]) if refusal else self._app
        await app(scope, receive, with_headers)


def _refusal(method: str, headers: Headers) -> tuple[int, str] | None:
    host = headers.get("host", "")
    if len(headers.getlist("host")) != 1 or _hostname(f"//{host}") not in _LOOPBACK:
        return 403, "The sandbox answers on this machine only: open it as http://127.0.0.1 with its port."
    if method in _READS:
        return None
    if headers.get("origin", f"http://{host}") != f"http://{host}":
        return 403, "This came from another site, and was not done."
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return 403, "This came from another site, and was not done."
    if headers.get("content-type", "").partition(";")[0].strip().casefold() != "application/json":
        return 415, "Only JSON is read here."
    return None


def _hostname(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        return None if parts.username is not None or parts.path else (parts.port, parts.hostname)[1]
    except ValueError:
        return None
