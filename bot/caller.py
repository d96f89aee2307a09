"""What the core asks of a webhook of the team's own. The docstrings are the contract."""

from __future__ import annotations

from typing import Protocol


class CallFailed(Exception):
    """A call that was to be answered 2xx was not. The sentence names the host, never the rest of its address.

    `final`: it would be the same next time.
    """

    def __init__(self, sentence: str, *, final: bool = False) -> None:
        super().__init__(sentence)
        self.final = final


class Caller(Protocol):
    """Calls an address that a policy names."""

    async def __call__(self, address: str, body: bytes, *, delivery: str) -> None:
        """POST `body` once. `delivery` is the same for a repeat. Raises CallFailed unless it was answered 2xx."""
        ...
