"""GitHub, as one process is connected to it: who gonogo is there, and the door that its webhooks come in by."""

from __future__ import annotations

import httpx
from starlette.routing import BaseRoute

from adapters.github.api import GitHub
from adapters.github.hooks import routes
from bot.chats_front import chats_of
from bot.connections import github_of
from bot.forge import Hooks
from bot.reaching import make_client
from bot.settings import Settings

_HERE = ("127.0.0.1", "localhost", "::1")


class Hub:
    """`forge` None: there is no token and no App; or this is the sandbox, which nothing leaves: there a GitHub on this
    machine is asked, and no other. Raises `adapters.github.errors.Unusable` for settings that cannot be used."""

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.github_webhook_secret.get_secret_value()
        self._base = settings.github_api_url
        outside = bool(chats_of(settings)) or _host(settings.github_api_url) in _HERE
        known = bool(settings.github_token.get_secret_value().strip() or settings.github_app_id)
        known |= settings.github_app_key_file is not None
        self._client = make_client() if outside and known else None
        self.forge: GitHub | None = github_of(settings, self._client) if self._client is not None else None

    def doors(self, hooks: Hooks) -> list[BaseRoute]:
        """`POST /hooks/github`; without a webhook secret it answers 404."""
        return routes(self._secret, hooks, self._base)

    async def close(self) -> None:
        """Give every connection back."""
        if self._client is not None:
            await self._client.aclose()


def _host(address: str) -> str:
    try:
        return httpx.URL(address).host
    except httpx.InvalidURL:
        return ""
