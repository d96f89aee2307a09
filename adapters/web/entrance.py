"""Who comes in where the sandbox is not this machine's own: who knows its token.

The page asks for the token once and keeps in a cookie that scripts cannot read not the token, but what is derived from
it: another token, and every cookie is void.
"""

from __future__ import annotations

import hmac

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import JSONResponse, Response

COOKIE = "gonogo_sandbox"
ENTER = "/api/enter"
SHORTEST = 20
"""Letters of a token; a shorter one can be guessed."""
LONGEST_BODY = 4_096
_KEPT = 30 * 24 * 3600
"""Seconds for which the page does not ask again."""
_OPEN = ("/healthz", ENTER)
_WRONG = "This is not the token of this sandbox: it is what GONOGO_SANDBOX_TOKEN is set to where gonogo runs."


class _Ask(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    token: str = Field(max_length=1_000)


class Entrance:
    """Knows the token. Raises ValueError for one that can be guessed."""

    def __init__(self, token: str) -> None:
        if len(token) < SHORTEST:
            raise ValueError(f"the token of the sandbox is shorter than {SHORTEST} letters and could be guessed")
        self._token = token.encode()
        self._cookie = hmac.digest(self._token, b"the cookie of gonogo's sandbox", "sha256").hex()

    def admits(self, path: str, headers: Headers) -> bool:
        """Whether a request may go on: with the cookie, or the token as a bearer's. What anybody may know, the files of
        the page and whether the process is well, is open."""
        if path in _OPEN or path.startswith("/static/"):
            return True
        scheme, _, said = headers.get("authorization", "").partition(" ")
        if scheme.casefold() == "bearer" and hmac.compare_digest(said.strip().encode(), self._token):
            return True
        return hmac.compare_digest(_cookie(headers).encode(), self._cookie.encode())

    async def enter(self, request: Request) -> Response:
        """`POST /api/enter` with `{"token": …}`: sets the cookie, or refuses."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST_BODY:
                return JSONResponse({"error": "That is too long."}, 413)
        try:
            ask = _Ask.model_validate_json(bytes(body))
        except ValidationError:
            return JSONResponse({"error": "Send the token as JSON."}, 422)
        if not hmac.compare_digest(ask.token.strip().encode(), self._token):
            return JSONResponse({"error": _WRONG}, 401)
        answer = JSONResponse({})
        answer.set_cookie(
            COOKIE,
            self._cookie,
            max_age=_KEPT,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer


def _cookie(headers: Headers) -> str:
    # As browsers write them: the standard library's reader stops at a neighbour's that holds JSON or a space.
    return next((found for line in headers.getlist("cookie") if (found := cookie_parser(line).get(COOKIE))), "")
