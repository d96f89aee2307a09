"""Tokens of programs: what is kept of one, and what the store must be able to do with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What is kept of a token: its digest, never the token itself. It works for one service; one without a service
    reads `/metrics`, and nothing else."""

    id: str
    service: str
    name: str
    """Who comes with it, as people read it: "reported by ci"."""
    digest: str = field(repr=False)
    """SHA-256 of the token, hexadecimal."""
    created_at: datetime
    last_used_at: datetime | None = None
    """Coarse: not noted at every use."""
    revoked_at: datetime | None = None

    @property
    def for_metrics(self) -> bool:
        """Whether its one right is to read `/metrics`. No service is called by an empty name."""
        return not self.service


class TokenUnit(Protocol):
    """The part of a transaction (`bot.ports.Unit`) that knows tokens."""

    async def add_token(self, token: ApiToken) -> None:
        """Keep a new one. Raises Conflict if its id or digest is there already."""
        ...

    async def token(self, digest: str) -> ApiToken | None:
        """The one of this digest, revoked or not."""
        ...

    async def tokens(self) -> list[ApiToken]:
        """All that were ever made, oldest first."""
        ...

    async def revoke_token(self, id: str, at: datetime) -> bool:
        """It works no longer. Revoking again keeps the first time; False if there is none of this id."""
        ...

    async def use_token(self, id: str, at: datetime) -> None:
        """Note that it was used."""
        ...
