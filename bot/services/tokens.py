"""Tokens of programs: made once, kept as digests, bound to one service, revocable."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from bot.access import ApiToken
from bot.ports import Clock, Store, StoreError

PREFIX = "gng_"
"""What a token begins with, so that whoever finds one knows what it is."""
_COARSE = timedelta(hours=1)
"""How exactly it is noted when a token was used last."""
_LONGEST = 200
"""Characters of what is looked at as a token at all."""


class Tokens:
    """Makes and knows tokens. `clock` is the real one: tokens are no part of a deployment's time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def add(
        self, service: str, name: str, *, new_id: Callable[[], str], new_secret: Callable[[], str]
    ) -> tuple[ApiToken, str]:
        """A new token for a service, and its text, which nobody can show again. `new_secret` gives 256 bits."""
        text = PREFIX + new_secret()
        token = ApiToken(new_id(), service, name, _digest(text), self._clock.now())
        async with self._store.write() as unit:
            await unit.add_token(token)
        return token, text

    async def all(self) -> list[ApiToken]:
        """All that were ever made, oldest first."""
        async with self._store.read() as unit:
            return await unit.tokens()

    async def revoke(self, id: str) -> bool:
        """It works no longer, at once and everywhere. False if there is none of this id."""
        async with self._store.write() as unit:
            return await unit.revoke_token(id, self._clock.now())

    async def known(self, text: str) -> ApiToken | None:
        """The token of this text, if it works. Raises StoreError when that cannot be told."""
        if not text.startswith(PREFIX) or len(text) > _LONGEST:
            return None
        digest = _digest(text)
        async with self._store.read() as unit:
            token = await unit.token(digest)
        if token is None or not hmac.compare_digest(token.digest, digest) or token.revoked_at is not None:
            return None
        now = self._clock.now()
        if token.last_used_at is None or now - token.last_used_at >= _COARSE:
            with suppress(StoreError):  # worth knowing, not worth turning anybody away
                async with self._store.write() as unit:
                    await unit.use_token(token.id, now)
        return token


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
