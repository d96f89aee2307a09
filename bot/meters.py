"""What a process counts about itself, and what it reads of the database to be watched by. The docstrings are the
contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.domain.events import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Figures:
    """How things stand in the database now, for all processes together."""

    deployments: Mapping[str, int]
    """Status -> how many live deployments have it."""
    waiting: int
    """Due work that nobody has begun. Counted up to 10,000."""
    begun: int
    """Due work that a process is at."""
    lag: float
    """Seconds since the oldest due work that is not done fell due; 0 where none is."""
    behind: Mapping[str, int]
    """Chat -> how many deployments' cards there do not yet show the newest state."""
    unsaid: Mapping[str, int]
    """Chat -> announcements and other messages that do not stand in their channel yet."""


class Meters(Protocol):
    """Counts what happens in this process. Costs microseconds, keeps nothing of what was said, never raises."""

    def checked(self, verdict: Verdict) -> None:
        """A check was measured."""
        ...

    def asked(self, source: str, outcome: Outcome, seconds: float) -> None:
        """A source was asked: the policy's word for it (`prometheus`), how that ended, and how long it took."""
        ...

    def answered(self, kind: str, how: str, seconds: float) -> None:
        """Somebody in the chat was: `command`, `click` or `submit`; `done`, `refused` or `failed`; how long that took
        until it was durable and the answer known."""
        ...
