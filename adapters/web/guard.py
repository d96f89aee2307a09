"""What keeps the sandbox to the person at this machine, or to who knows its token: other sites, other names for
loopback and strangers are turned away."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.web.entrance import Entrance

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

    Without an `entrance` the Host must be loopback. With one, whoever it does not admit gets nothing but the page that
    asks for the token, `door`. A post must come from this very origin (a client without an Origin is no browser) and be
    JSON.
    """

    def __init__(self, app: ASGIApp, *, entrance: Entrance | None = None, door: str = "") -> None:
        self._app, self._entrance, self._door = app, entrance, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            if self._entrance is None or scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        app = self._refusal(scope, headers) or self._stranger(scope, headers) or self._app
        await app(scope, receive, with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        found = _refusal(scope["method"], scope["scheme"], headers, anywhere=self._entrance is not None)
        return JSONResponse({"error": found[1]}, found[0]) if found else None

    def _stranger(self, scope: Scope, headers: Headers) -> Response | None:
        if self._entrance is None or self._entrance.admits(scope["path"], headers):
            return None
        if scope["path"] == "/" and scope["method"] in _READS:
            return HTMLResponse(self._door, 401)
        return JSONResponse({"error": "Load this page again and enter the token of this sandbox."}, 401)


def _refusal(method: str, scheme: str, headers: Headers, *, anywhere: bool) -> tuple[int, str] | None:
    host = headers.get("host", "")
    name = _hostname(f"//{host}")
    if len(headers.getlist("host")) != 1 or not name or (name not in _LOOPBACK and not anywhere):
        return 403, "The sandbox answers on this machine only: open it as http://127.0.0.1 with its port."
    if method in _READS:
        return None
    if headers.get("origin", f"{scheme}://{host}") != f"{scheme}://{host}":
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
