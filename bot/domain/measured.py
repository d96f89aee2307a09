"""What has been measured of a deployment, over time: by its checks, and by the looks between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.domain import events as e
from bot.domain.deployment import Deployment
from checklists.plan import Plan


@dataclass(frozen=True, slots=True)
class Healthy:
    """What an item's probe found where it is as it should be: in words, and where that can be read."""

    words: str
    link: str | None = None


def instant_of(plan: Plan, result: e.CheckRan | e.CheckTried, names: Iterable[str]) -> datetime:
    """The latest instant of which a result says how these measures were. A late one speaks of its due time, but what
    knows no past (a health endpoint) was measured when it ran."""
    late = bool(result.late_seconds)
    return result.at if late and any(not _knows_past(plan, name) for name in names) else result.speaks_of


def measured_now(plan: Plan, result: e.CheckRan | e.CheckTried) -> list[str]:
    """Of a late result, the measures that are not as of its due time but of when it ran. What was never asked is none
    of them."""
    if not result.late_seconds:
        return []
    asked = (one.measurement for one in result.judged if one.measurement.outcome is not e.Outcome.REFUSED)
    return [one.name for one in asked if not _knows_past(plan, one.name)]


def measurements(plan: Plan, state: Deployment) -> Iterator[tuple[datetime, e.Measurement]]:
    """Every value that was measured, with the instant it speaks of; in no order."""
    for at, one in _looks(plan, state):
        if one.outcome is e.Outcome.MEASURED and one.value is not None:
            yield at, one


def last_measured(plan: Plan, state: Deployment, name: str) -> datetime | None:
    """The latest instant of which a measure is known."""
    return max((at for at, one in measurements(plan, state) if one.name == name), default=None)


def _looks(plan: Plan, state: Deployment) -> Iterator[tuple[datetime, e.Measurement]]:
    results: list[e.CheckRan | e.CheckTried] = [run.result for runs in state.runs.values() for run in runs.values()]
    results += [one for tries in state.tries.values() for several in tries.values() for one in several]
    for result in results:
        for judged in result.judged:
            yield instant_of(plan, result, [judged.measurement.name]), judged.measurement
    for look in state.watched:
        yield from ((look.at, judged.measurement) for judged in look.judged)


def _knows_past(plan: Plan, name: str) -> bool:
    """As the policy says; what it has no source for is asked of nobody but the sandbox, which remembers."""
    probe = plan.policy.probes.get(name)
    return probe is None or probe.knows_past
