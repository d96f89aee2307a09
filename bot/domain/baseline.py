"""What was normal: a measure in the time before T0, less what another deployment was doing then. Pure.

Unknown stays unknown: where too little of that time is left, or nothing was measured in it, there is no baseline, and
the reason is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from bot.domain import events as e
from bot.domain.deployment import Deployment
from bot.domain.watch import LOOK_EVERY, breaches
from checklists.plan import Plan
from checklists.quantities import say_duration, say_value
from checklists.zones import find_zone

FEWEST = 5
"""So many points make a baseline, at least."""
COVERED = 0.5
"""The share of the time before T0 that must be left."""
SETTLES = timedelta(minutes=30)
"""So long after another deployment's T0, or after its rollback, nothing is called normal."""
DIMENSION = "times normal"


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A stretch that was not normal, and why, in words that follow "the hour before T0 was not normal: "."""

    start: datetime
    end: datetime
    why: str

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies in it; both ends do."""
        return self.start <= at <= self.end


@dataclass(frozen=True, slots=True)
class Normal:
    """What a measure was, in its base unit; or, where `value` is None, why that is not known."""

    value: float | None
    before: timedelta
    why: str = ""


def step_for(before: timedelta) -> timedelta:
    """How far apart the points of a baseline are asked for: sixty of them, but no closer than ten seconds."""
    return max(timedelta(seconds=10), before / 60)


def disturbances(plan: Plan, other: Deployment, start: datetime, end: datetime) -> Iterator[Disturbance]:
    """What another deployment of the same service and environment did between two instants: from its start (or its go)
    until half an hour after its T0, or after its rollback; and whenever it was beyond the limits of its rollback."""
    zone = find_zone(plan.policy.timezone)
    version = other.started.version
    found: list[Disturbance] = []
    if (under_way := _under_way(other, end)) is not None:
        (began, over), at = under_way, other.t0
        why = f"{version} was deployed at" if at is not None else f"{version} was being deployed since"
        found.append(Disturbance(began, over, f"{why} {(at or began).astimezone(zone):%H:%M}"))
    if other.rollback is not None:
        over = other.rolled_back.at + SETTLES if other.rolled_back is not None else end
        at = other.rollback.at
        found.append(Disturbance(at, over, f"{version} was rolled back at {at.astimezone(zone):%H:%M}"))
    for breach in breaches(plan, other):
        since = breach.since.astimezone(zone)
        why = f"{version} was beyond its limits at {since:%H:%M}"
        found.append(Disturbance(breach.since, breach.looked + LOOK_EVERY, why))
    yield from (one for one in found if one.start < end and one.end > start)


def _under_way(other: Deployment, now: datetime) -> tuple[datetime, datetime] | None:
    """From when until when a deployment was on its way to T0 and settled; None where it never began."""
    if other.started.waits and other.admitted is None:
        return None
    began = other.admitted.at if other.admitted is not None else other.started.at
    if other.t0 is not None:
        return began, other.t0 + SETTLES
    return began, other.ended_at or now


def normal(
    samples: Iterable[tuple[datetime, float]], t0: datetime, before: timedelta, disturbed: Sequence[Disturbance]
) -> Normal:
    """The median of a measure's samples in the time before T0, those of a disturbance left out. At least `FEWEST` must
    be left, and by `step_for` they must cover half of that time."""
    finite = sorted((at, value) for at, value in samples if t0 - before <= at <= t0 and math.isfinite(value))
    # A source may answer more densely than it was asked: what counts is how much of the time it knows.
    step = step_for(before)
    kept = [(at, value) for at, value in finite if not any(one.holds(at) for one in disturbed)]
    known = len({int((at - (t0 - before)) / step) for at, _ in kept})
    words = time_before(before)
    if len(kept) >= FEWEST and known * step >= before * COVERED:
        return Normal(median(value for _, value in kept), before)
    if len(kept) < len(finite):
        reasons = "; ".join(dict.fromkeys(one.why for one in disturbed if any(one.holds(at) for at, _ in finite)))
        return Normal(None, before, f"{words} was not normal: {reasons}")
    if not finite:
        return Normal(None, before, f"nothing is known of {words}")
    return Normal(None, before, f"too little is known of {words}: {say_duration(known * step)} of it")


def compare(name: str, now: e.Measurement, usual: Normal) -> e.Measurement:
    """How many times its normal value a measure has. Where that was zero, zero is normal (1 x), and nothing else can be
    compared with it. What is not measured now stays what it is."""
    link = now.link
    if now.outcome is not e.Outcome.MEASURED or now.value is None:
        return now.model_copy(update={"name": name})
    if usual.value is None:
        return e.Measurement(name=name, outcome=e.Outcome.NO_DATA, detail=usual.why, link=link)
    said, was = say_value(now.value, now.dimension), say_value(usual.value, now.dimension)
    detail = f"{said}, {was} in {time_before(usual.before)}"
    if usual.value == 0 and now.value == 0:
        times = 1.0
    elif usual.value <= 0 or not math.isfinite(times := now.value / usual.value):
        why = f"{said} cannot be compared with {was} in {time_before(usual.before)}"
        return e.Measurement(name=name, outcome=e.Outcome.NO_DATA, detail=why, link=link)
    return e.Measurement(
        name=name, outcome=e.Outcome.MEASURED, value=times, dimension=DIMENSION, detail=detail, link=link
    )


def time_before(before: timedelta) -> str:
    """`the hour before T0`, `the 30 m before T0`."""
    return "the hour before T0" if before == timedelta(hours=1) else f"the {say_duration(before)} before T0"
