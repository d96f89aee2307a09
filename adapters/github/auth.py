"""Who gonogo is for GitHub: a token, or an App that gets its own tokens.

An App signs a JSON Web Token of a few minutes with its key (RS256), finds its installation in a repository and gets a
token for it that lasts an hour. GitHub recommends to date the first 60 seconds back, and accepts at most 10 minutes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import jwt
from pydantic import AwareDatetime, BaseModel, Field

from adapters.github.errors import SaidNo, Unusable
from adapters.github.wire import Reply, Wire

BACKDATED = 60.0
LASTS = 540.0
"""Seconds: together below the 10 minutes that GitHub accepts."""
EARLY = 300.0
"""Seconds before its end that a token is not used any more."""
_DRIFT = 20.0
"""Seconds that two clocks may differ before it is worth another try."""


class Auth(Protocol):
    """Gives the bearer's token for a repository."""

    mend: str
    """What to do where GitHub refuses it; names settings, never their values."""

    async def token(self, wire: Wire, repository: str) -> str:
        """A token that may be used now. Raises ForgeError."""
        ...

    def forget(self, repository: str, token: str) -> bool:
        """GitHub does not know this token any more. False: there will be no other."""
        ...


class TokenAuth:
    """A personal access token, or any other that is used as it is."""

    mend = "GONOGO_GITHUB_TOKEN must be allowed to do this in the repository"

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self, wire: Wire, repository: str) -> str:
        """The token."""
        return self._token

    def forget(self, repository: str, token: str) -> bool:
        """There is no other."""
        return False


class _Installation(BaseModel):
    id: int


class _Token(BaseModel):
    token: str = Field(repr=False)
    expires_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str = field(repr=False)
    ends: float
    """On GitHub's clock, seconds since 1970."""


class AppAuth:
    """A GitHub App, by its id (or client id) and private key. However many ask at once, a token is fetched once."""

    mend = "the App GONOGO_GITHUB_APP_ID must be installed in the repository, with the permissions for this"

    def __init__(self, app: str, key: str, *, now: Callable[[], float] = time.time) -> None:
        """Raises Unusable for a key that signs nothing."""
        self._app, self._key, self._now = app, key, now
        self._ahead = 0.0
        """Seconds that GitHub's clock is ahead of ours, where that once mattered."""
        self._installations: dict[str, int] = {}
        self._tokens: dict[int, _Kept] = {}
        self._turn = asyncio.Lock()
        try:
            self._signed()
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unusable(
                "GONOGO_GITHUB_APP_KEY_FILE: this is no RSA private key in PEM form "
                f"({type(error).__name__}). Download a new one from the App's settings."
            ) from None

    async def token(self, wire: Wire, repository: str) -> str:
        """The installation's token, fetched anew five minutes before its end. Raises ForgeError."""
        name = repository.casefold()
        if (kept := self._usable(name)) is not None:
            return kept.token
        async with self._turn:
            if name not in self._installations:
                found = await self._ask(wire, "GET", f"/repos/{repository}/installation")
                self._installations[name] = found.read(_Installation).id
            # Whoever was before us may have fetched it.
            return (self._usable(name) or await self._fetch(wire, name)).token

    def forget(self, repository: str, token: str) -> bool:
        """Fetch another one next time; the App may have been installed anew."""
        installation = self._installations.get(repository.casefold())
        if installation is not None and (kept := self._tokens.get(installation)) is not None and kept.token == token:
            del self._tokens[installation]
            del self._installations[repository.casefold()]
        return True

    def _usable(self, name: str) -> _Kept | None:
        kept = self._tokens.get(self._installations.get(name, 0))
        return kept if kept is not None and kept.ends - EARLY > self._now() + self._ahead else None

    async def _fetch(self, wire: Wire, name: str) -> _Kept:
        installation = self._installations[name]
        try:
            answer = await self._ask(wire, "POST", f"/app/installations/{installation}/access_tokens")
        except SaidNo as no:
            if no.status == 404:
                self._installations.pop(name, None)  # taken away; next time it is looked for again
            raise
        found = answer.read(_Token)
        kept = self._tokens[installation] = _Kept(found.token, found.expires_at.timestamp())
        return kept

    async def _ask(self, wire: Wire, method: str, path: str) -> Reply:
        """As the App itself. Where GitHub refuses the signature because the clocks differ, once more by its clock."""
        try:
            return await wire.send(method, path, bearer=self._signed(), mend=self.mend)
        except SaidNo as no:
            if no.status != 401 or no.date is None:
                raise
            ahead = no.date - self._now()
            if abs(ahead - self._ahead) < _DRIFT:
                raise
            self._ahead = ahead
        return await wire.send(method, path, bearer=self._signed(), mend=self.mend)

    def _signed(self) -> str:
        now = int(self._now() + self._ahead)
        claims = {"iat": now - int(BACKDATED), "exp": now + int(LASTS), "iss": self._app}
        return jwt.encode(claims, self._key, algorithm="RS256")
