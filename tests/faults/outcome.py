"""What is asked of a round, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """What is asked for."""

    seed: int
    kills: int
    seconds: float
    chat: str = "both"
    db: str = "sqlite"
    replicas: int = 1
    roles: str = "run"
    calm_every: int = 60
    """Kills between two looks on the way."""
    foul: float = 0.35
    """How often the weather is foul."""
    quiet: bool = False
    """Nothing goes wrong but kills."""
    likes: str = ""
    """What people do far more often than they would: the verb of a button."""
    finishing: float = 120.0
    """Seconds in which all that runs is brought to its end."""
    settling: float = 140.0
    """Seconds after which calm is given up."""
    planted: str = ""
    """A mistake that is put into the processes, for the checker to find."""
    keep: Path | None = None
    """Where the evidence is kept."""


@dataclass
class Result:
    """What came of it."""

    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    stops: int = 0
    deployments: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    checks: int = 0
    announcements: int = 0
    calms: list[float] = field(default_factory=list)
    """Seconds until all was shown and said, each time."""
    noise: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
