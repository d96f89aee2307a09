"""What has been measured of a deployment, over time: by its checks, and by the looks between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.domain import events as e
from bot.domain.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Healthy:
    """What an item's probe found where it is as it should be: in words, and where that can be read."""

    words: str
    link: str | None = None


def measurements(state: Deployment) -> Iterator[tuple[datetime, e.Measurement]]:
    """Every value that was measured, with the instant it speaks of; in no order."""
    for at, judged in _looks(state):
        for one in judged:
            if one.measurement.outcome is e.Outcome.MEASURED and one.measurement.value is not None:
                yield at, one.measurement


def last_measured(state: Deployment, name: str) -> datetime | None:
    """The latest instant of which a measure is known."""
    return max((at for at, one in measurements(state) if one.name == name), default=None)


def _looks(state: Deployment) -> Iterator[tuple[datetime, tuple[e.Judged, ...]]]:
    for runs in state.runs.values():
        for run in runs.values():
            yield run.result.speaks_of, run.result.judged
    for tries in state.tries.values():
        for tried in (one for several in tries.values() for one in several):
            yield tried.speaks_of, tried.judged
    for look in state.watched:
        yield look.at, look.judged
