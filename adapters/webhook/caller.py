"""A signed call to an address of a policy: the receiver knows that it comes from this gonogo, and whether it has seen
it before."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time

import httpx

from bot.caller import CallFailed
from bot.egress import Forbidden
from checklists.addresses import host_of

TIMEOUT = 10.0
"""Seconds for everything."""


class WebhookCaller:
    """`bot.caller.Caller`: POSTs JSON, signed by HMAC-SHA256 with `secret`. The client is its own from then on; what it
    may reach is the client's affair (`bot.egress`)."""

    def __init__(self, client: httpx.AsyncClient, secret: str, *, timeout: float = TIMEOUT) -> None:
        self._client, self._secret, self._timeout = client, secret.encode(), timeout

    async def close(self) -> None:
        """Give every connection back."""
        await self._client.aclose()

    async def __call__(self, address: str, body: bytes, *, delivery: str) -> None:
        """Call once. Returns when the answer is 2xx, else raises CallFailed. `delivery` is the same for a repeat."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "gonogo",
            "X-Gonogo-Delivery": delivery,
            "X-Gonogo-Timestamp": str(int(time.time())),
            "X-Gonogo-Signature-256": "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest(),
        }
        host = host_of(address)
        # A name has several addresses: one that swallows everything leaves time for the next.
        timeout = httpx.Timeout(self._timeout, connect=self._timeout / 4)
        try:
            async with asyncio.timeout(self._timeout):
                request = self._client.build_request("POST", address, content=body, headers=headers, timeout=timeout)
                answer = await self._client.send(request, stream=True, follow_redirects=False)
                await answer.aclose()  # what it says besides does not matter, however long it is
        except Forbidden as error:
            raise CallFailed(str(error), final=True) from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise CallFailed(f"{host} gave no answer within {self._timeout:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise CallFailed(f"{host} cannot be reached ({type(error).__name__})") from error
        if answer.is_success:
            return
        if answer.is_redirect:
            raise CallFailed(f"{host} leads on to another address (HTTP {answer.status_code}), which is not followed")
        if answer.status_code in (401, 403):
            raise CallFailed(
                f"{host} refused it (HTTP {answer.status_code}): does it know the same GONOGO_WEBHOOK_SECRET?"
            )
        raise CallFailed(f"{host} answered HTTP {answer.status_code}")
