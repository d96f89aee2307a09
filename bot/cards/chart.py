"""What a picture of a check shows, as data. Who draws it knows no deployment; who says it knows no pixels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Limit:
    """A line across a curve: a threshold in the curve's unit. `bad` beyond it means going back, else only missing the
    target."""

    label: str
    value: float
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """One measure over time. `points` are in `unit` ("%", "ms"), in order; what was not measured is simply missing."""

    name: str
    unit: str
    points: tuple[tuple[datetime, float], ...]
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment worth a vertical line: T0, a newer deployment's start, the rollback."""

    at: datetime
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves above each other over one time axis. Times are shown on the wall clock of `zone`."""

    title: str
    zone: str
    start: datetime
    end: datetime
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...] = ()
    small: bool = False
    """Drawn lower, without its title: it stands below what says so already."""
