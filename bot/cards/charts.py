"""A deployment's measurements -> the chart of a check: error rate and latency, their limits, and what happened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from statistics import median

from bot.cards.announcement import measure_name
from bot.cards.card import Picture
from bot.cards.chart import Chart, Curve, Limit, Mark
from bot.cards.view import View
from bot.cards.words import clock, short
from bot.domain import events as e
from bot.domain.measured import instant_of, measurements
from checklists.plan import Check, Plan
from checklists.quantities import Band, say_value

Sample = tuple[datetime, float]
"""An instant, and a value in the base unit."""

MOST_POINTS = 200
"""Of one curve; a phone shows no more."""
_ERRORS = re.compile(r"error|fail|5xx", re.IGNORECASE)
_LATENCY = re.compile(r"latency|response|duration|p\d\d", re.IGNORECASE)
_DIMENSIONS = ("ratio", "seconds", "times normal")
_LONGEST_IN_MS = 5.0
"""Seconds up to which a latency is drawn in milliseconds."""
MOST_CURVES = 2
"""In one picture."""


def check_picture(view: View, check: Check, result: e.CheckRan) -> Picture | None:
    """What was measured up to this result of a check, against the limits of that check. None with less than two points
    of any measure. It stays the same whatever is measured later."""
    return _picture(view, check, instant_of(view.plan, result, [one.measurement.name for one in result.judged]))


def status_picture(view: View) -> Picture | None:
    """The same in small for what has been measured up to now, against the limits of the latest check."""
    results = [run.result for runs in view.state.runs.values() for run in runs.values()]
    latest = max(results, key=lambda result: result.speaks_of, default=None)
    check = view.plan.check(latest.check) if latest is not None else None
    return _picture(view, check, view.now, small=True)


def charted(plan: Plan, dimensions: Mapping[str, str], most: int) -> list[str]:
    """Which of these measures are drawn: the error rate, then the latency; where there is neither, another share or
    time that checks measure. `dimensions` are those of the measures that are known."""
    named = [name for check in plan.checks for name in (*check.measure, *check.alert, *check.probes)]
    known = [
        name
        for name in dict.fromkeys((*named, *plan.policy.rollback.alert, *dimensions))
        if dimensions.get(name) in _DIMENSIONS
    ]
    errors = [name for name in known if _ERRORS.search(name) and dimensions[name] != "seconds"]
    latencies = [name for name in known if _LATENCY.search(name) and dimensions[name] != "ratio"]
    best = [*errors[:1], *[name for name in latencies if name not in errors][:1]]
    return (best or known)[:most]


def _picture(view: View, check: Check | None, end: datetime, *, small: bool = False) -> Picture | None:
    samples, dimensions = _samples(view, end)
    names = charted(view.plan, dimensions, 1 if small else MOST_CURVES)
    if not any(len(samples[name]) > 1 for name in names):
        return None
    curves = tuple(_curve(view, check, name, dimensions[name], samples[name]) for name in names)
    starts = [curve.points[0][0] for curve in curves]
    start = min(starts if view.state.t0 is None else [*starts, view.state.t0])
    # In whole minutes: who asks twice gets the same picture.
    end = max([end.replace(second=0, microsecond=0), *(curve.points[-1][0] for curve in curves)])
    marks = tuple(mark for mark in _marks(view) if start <= mark.at <= end)
    words = [
        _said(view, curve, dimensions[name], samples[name], end) for name, curve in zip(names, curves, strict=True)
    ]
    happened = [f"{mark.label} at {clock(mark.at, view.zone, end)}" for mark in marks]
    alt = "; ".join([*words, *happened]) + "."
    return Picture(alt, Chart(view.name, view.zone, start, end, curves, marks, small))


# --- what was measured ------------------------------------------------------------------------------------------------


def _samples(view: View, end: datetime) -> tuple[dict[str, list[Sample]], dict[str, str]]:
    """What was measured by `end`, in order, with what is known of the time between; and the dimension of each
    measure."""
    found: dict[str, dict[datetime, float]] = {}
    dimensions: dict[str, str] = {}
    for at, one in measurements(view.plan, view.state):
        if at <= end and one.value is not None and dimensions.setdefault(one.name, one.dimension) == one.dimension:
            found.setdefault(one.name, {})[at] = one.value
    for past in view.state.pasts:
        for at, value in past.samples() if past.name in found else ():
            if at <= end:
                found[past.name].setdefault(at, value)
    return {name: _thinned(sorted(values.items())) for name, values in found.items()}, dimensions


def _thinned(points: Sequence[Sample]) -> list[Sample]:
    """At most `MOST_POINTS`: of neighbours the one farthest from the middle of the curve, so that no peak and no dip is
    lost, at the time of the first of them, so that no gap is made; the last one stays."""
    if len(points) <= MOST_POINTS:
        return list(points)
    middle = median(value for _, value in points)
    step = -(-(len(points) - 1) // (MOST_POINTS - 1))
    groups = [points[at : min(at + step, len(points) - 1)] for at in range(0, len(points) - 1, step)]
    kept = [(group[0][0], max((value for _, value in group), key=lambda v: abs(v - middle))) for group in groups]
    return [*kept, points[-1]]


# --- how it is shown --------------------------------------------------------------------------------------------------


def _curve(view: View, check: Check | None, name: str, dimension: str, samples: Sequence[Sample]) -> Curve:
    limits = list(_limits(view, check, name, dimension))
    highest = max([value for _, value in samples] + [value for _, value, _ in limits])
    unit, factor = _unit(dimension, highest)
    drawn = tuple(Limit(label, round(value * factor, 9), bad) for label, value, bad in limits)
    points = tuple((at, round(value * factor, 9)) for at, value in samples)
    return Curve(short(measure_name(view.plan, name), 60), unit, points, drawn)


def _unit(dimension: str, highest: float) -> tuple[str, float]:
    """The unit a measure is drawn in, and how many of it the base unit has."""
    match dimension:
        case "ratio":
            return "%", 100.0
        case "seconds":
            return ("ms", 1_000.0) if highest <= _LONGEST_IN_MS else ("s", 1.0)
        case _:
            return "x", 1.0


def _limits(view: View, check: Check | None, name: str, dimension: str) -> Iterator[tuple[str, float, bool]]:
    """Label, value in the base unit, and whether beyond it is bad. The same value is named once."""
    bands: list[tuple[str, Band | None, bool]] = [
        ("target", check.measure.get(name) if check else None, False),
        ("roll back", view.plan.policy.rollback.alert.get(name), True),
        ("alert", check.alert.get(name) if check else None, True),
    ]
    seen: set[float] = set()
    for word, band, bad in bands:
        if band is None or band.dimension != dimension:
            continue
        for value in (band.low, band.high):
            if value is not None and value not in seen:
                seen.add(value)
                yield f"{word} {band.words}", value, bad


def _marks(view: View) -> Iterator[Mark]:
    state = view.state
    if state.t0 is not None:
        yield Mark(state.t0, f"deployed {short(state.started.version, 24)}")
    if state.rollback is not None:
        yield Mark(state.rollback.at, "rollback began")
    if state.superseded is not None:
        yield Mark(state.superseded.at, f"deployed {short(state.superseded.version, 24)}")


def _said(view: View, curve: Curve, dimension: str, samples: Sequence[Sample], end: datetime) -> str:
    """`Error rate 0.05% (target < 0.1%, roll back > 5%), between 0.02% and 0.08% since 09:30`."""
    values = [value for _, value in samples]
    limits = ", ".join(dict.fromkeys(limit.label for limit in curve.limits))
    said = f"{curve.name} {say_value(values[-1], dimension)}" + (f" ({limits})" if limits else "")
    if len(values) < 2:
        return said
    low, high = say_value(min(values), dimension), say_value(max(values), dimension)
    course = f"between {low} and {high}" if low != high else f"always {low}"
    return f"{said}, {course} since {clock(samples[0][0], view.zone, end)}"
