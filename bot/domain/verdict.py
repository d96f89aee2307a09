"""Measurements -> verdict, severity, advice. Unknown is never success: what was not measured can only make it worse.

Each measure is judged by itself, and the worst of them is the verdict: failing, degraded, inconclusive, healthy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.events import Judged, Measurement, Outcome, Verdict
from checklists.policy import RollbackPolicy, Severity
from checklists.quantities import Band, say_value

YES_NO = "ok"
"""The dimension of a source that answers yes (1.0) or no (0.0): a health endpoint."""

_RANK = {Verdict.HEALTHY: 0, Verdict.INCONCLUSIVE: 1, Verdict.DEGRADED: 2, Verdict.FAILING: 3}
_NEVER_NEGATIVE = {"ratio", "seconds", "times normal", "count", "per week"}
_ROUNDING = 1e-9
_REASONS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Advice:
    """What the matching row of the decision matrix says, in its own words; all empty when no row matches."""

    severity: str = ""
    action: str = ""
    within: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `judged` has each measure once, in the order the check names them."""

    verdict: Verdict
    judged: tuple[Judged, ...]
    advice: Advice
    why: str
    """One plain sentence: "error rate 7.2% (limit > 2%)", "no data for p95 latency"."""
    people_only: bool = False
    """The check names nothing to measure. The verdict is inconclusive; that its items are done may stand for it."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What one measure is held against."""

    target: Band | None = None
    alert: Band | None = None
    rollback: Band | None = None
    minimum: Band | None = None
    must_be_healthy: bool = False
    worst: Verdict = Verdict.FAILING
    """What its alert, or an answer no, makes of the check."""

    @property
    def limits(self) -> tuple[Band, ...]:
        """Inside one of these it is bad."""
        return tuple(band for band in (self.alert, self.rollback) if band is not None)

    @property
    def words(self) -> str:
        """As people read it: the target, else what it must not be, else the evidence there must be."""
        if self.target is not None:
            return self.target.words
        limits = " or ".join(dict.fromkeys(f"not {band.words}" for band in self.limits))
        return limits or (self.minimum.words if self.minimum is not None else "")

    def strange(self, dimension: str) -> Band | None:
        """A band that speaks of something else than what was measured."""
        given = (*self.limits, self.target, self.minimum)
        return next((band for band in given if band is not None and band.dimension != dimension), None)


@dataclass(frozen=True, slots=True)
class _Ruling:
    judged: Judged
    why: str

    @property
    def verdict(self) -> Verdict:
        return self.judged.verdict


def judge(
    measurements: Sequence[Measurement],
    *,
    probes: Sequence[str],
    measure: Mapping[str, Band],
    alert: Mapping[str, Band],
    matrix: Sequence[Severity],
    rollback: RollbackPolicy,
    minimum: Mapping[str, Band] | None = None,
    critical: Sequence[str] = (),
) -> Finding:
    """Hold measurements against what a check names. Their order does not matter.

    - Inside a band of `alert` or of `rollback.alert`: failing. `rollback.lasting` is for the caller: this sees one run.
    - Outside the band of `measure`: degraded. Inside, and in no alert: healthy. Only an alert, and outside it: healthy.
    - One of `probes` that answers no: failing. One that gives a number must also be in `measure` (its own target), and
      failing is then what missing it means; without that its number says nothing.
    - Outside a band of `minimum`: inconclusive, as so little evidence makes nothing healthy. It excuses nothing either:
      what is failing or degraded stays so.
    - Where `critical` names measures, every other one only degrades the check. A limit of the rollback always fails it.
    - No data, an error, a refusal, a wrong dimension, no finite number, a number that cannot be (a negative ratio), or
      no measurement at all: inconclusive. Two measurements of one name contradict each other: the worse counts, and it
      is never better than inconclusive.

    A measure only `rollback.alert` names is judged if it was asked for, and not missed if it was not. Measurements
    nobody names are left out. A row of `matrix`, worst first, is advised when one of its bands holds a failing or
    degraded value, or a measure that only the matrix names while anything is bad; where something fails that no row
    speaks of, only the worst row is, as a milder one would play it down.
    """
    found: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        found.setdefault(measurement.name, []).append(measurement)
    minimum = minimum or {}
    named = list(dict.fromkeys((*probes, *measure, *alert, *minimum)))
    named += [name for name in rollback.alert if name in found and name not in named]
    if not named:
        return Finding(Verdict.INCONCLUSIVE, (), Advice(), "nothing is measured here: people decide", people_only=True)
    rulings = [
        _rule_all(
            name,
            found.get(name, []),
            _Bounds(
                measure.get(name),
                alert.get(name),
                rollback.alert.get(name),
                minimum.get(name),
                must_be_healthy=name in probes,
                worst=Verdict.DEGRADED if critical and name not in critical else Verdict.FAILING,
            ),
        )
        for name in named
    ]
    verdict = max((ruling.verdict for ruling in rulings), key=_RANK.__getitem__)
    extra = [found[name][0] for row in matrix for name in row.when if name in found and name not in named]
    advice = _advice(matrix, rulings, extra)
    return Finding(verdict, tuple(ruling.judged for ruling in rulings), advice, _why(rulings))


def label(name: str) -> str:
    """A measure's name in words, where the policy does not say better: `p95_latency` is "p95 latency"."""
    return name.replace("_", " ")


def _rule_all(name: str, found: Sequence[Measurement], bounds: _Bounds) -> _Ruling:
    missing = Measurement(name=name, outcome=Outcome.NO_DATA, detail="not measured")
    rulings = []
    for measurement in found or [missing]:
        causes = list(_rule(measurement, bounds))
        if len(found) > 1:
            causes.append((Verdict.INCONCLUSIVE, f"{label(name)} was measured {len(found)} times"))
        verdict, why = max(causes, key=lambda cause: _RANK[cause[0]])
        rulings.append(_Ruling(Judged(measurement=measurement, target=bounds.words, verdict=verdict), why))
    # The text decides between equals, so that the order of the measurements cannot.
    return max(rulings, key=lambda ruling: (_RANK[ruling.verdict], repr(ruling.judged.measurement)))


def _rule(measurement: Measurement, bounds: _Bounds) -> Iterator[tuple[Verdict, str]]:
    """Everything that can be said of one measurement; the worst of it counts. Yields at least once."""
    name, dimension = label(measurement.name), measurement.dimension
    value = _value(measurement)
    if value is None:
        yield Verdict.INCONCLUSIVE, _unknown(measurement)
        return
    target, minimum = bounds.target, bounds.minimum
    said = f"{name} {say_value(value, dimension)}"
    if (strange := bounds.strange(dimension)) is not None:
        came = "a yes or no" if dimension == YES_NO else dimension or "a bare number"
        yield Verdict.INCONCLUSIVE, f"{name} came as {came} instead of {strange.dimension}"
    for band, verdict in ((bounds.alert, bounds.worst), (bounds.rollback, Verdict.FAILING)):
        if band is not None and band.dimension == dimension and band.holds(value):
            yield verdict, f"{said} (limit {band.words})"
    if target and target.dimension == dimension and not target.holds(value):
        yield bounds.worst if bounds.must_be_healthy else Verdict.DEGRADED, f"{said} (target {target.words})"
    if bounds.must_be_healthy and dimension == YES_NO and value != 1.0:
        detail = _short(measurement.detail)
        yield bounds.worst, f"{name}: {detail}" if detail else f"{name} is not healthy"
    if bounds.must_be_healthy and dimension != YES_NO and target is None:
        yield Verdict.INCONCLUSIVE, f"{said}, and nothing says what is healthy"
    if minimum is not None and minimum.dimension == dimension and not minimum.holds(value):
        yield Verdict.INCONCLUSIVE, _too_little(name, value, minimum)
    yield Verdict.HEALTHY, said


def _value(measurement: Measurement) -> float | None:
    """The number that can be judged, rounded as bands are; None when there is none."""
    value = measurement.value
    if measurement.outcome is not Outcome.MEASURED or value is None or not math.isfinite(value):
        return None
    if measurement.dimension in _NEVER_NEGATIVE and value < -_ROUNDING:
        return None
    return round(value, 12)


def _unknown(measurement: Measurement) -> str:
    name, because = label(measurement.name), f": {_short(measurement.detail)}" if measurement.detail else ""
    match measurement.outcome:
        case Outcome.NO_DATA:
            return f"no data for {name}"
        case Outcome.ERROR:
            return f"{name} could not be measured{because}"
        case Outcome.REFUSED:
            return f"{name} is not measured{because}"
        case Outcome.MEASURED:
            return f"{name} came as {measurement.value}, which cannot be"


def _too_little(name: str, value: float, minimum: Band) -> str:
    """`too little to tell by: 3 requests, more than 100 needed`."""
    if minimum.dimension != "count" or minimum.low is None or minimum.high is not None:
        return f"too little to tell by: {name} {say_value(value, minimum.dimension)} ({minimum.words} needed)"
    least = f"{'more than' if minimum.low_open else 'at least'} {minimum.low:g}"
    return f"too little to tell by: {say_value(value, 'count')} {name}, {least} needed"


def _short(detail: str) -> str:
    flat = " ".join(detail.split())
    return flat if len(flat) <= 120 else flat[:119].rstrip() + "…"


def _why(rulings: Sequence[_Ruling]) -> str:
    causes = [ruling for ruling in rulings if ruling.verdict is not Verdict.HEALTHY]
    if not causes:
        return "all that is measured is as it should be"
    causes.sort(key=lambda ruling: -_RANK[ruling.verdict])
    more = f"; and {len(causes) - _REASONS_SHOWN} more" if len(causes) > _REASONS_SHOWN else ""
    return "; ".join(ruling.why for ruling in causes[:_REASONS_SHOWN]) + more


def _advice(matrix: Sequence[Severity], rulings: Sequence[_Ruling], extra: Sequence[Measurement]) -> Advice:
    """`extra` are measures only the matrix names (the share of users hit): they speak once something else is bad."""
    bad = [ruling.judged for ruling in rulings if _RANK[ruling.verdict] >= _RANK[Verdict.DEGRADED]]
    for row in matrix:
        if bad and any(_speaks(row, measurement) for measurement in extra):
            return Advice(row.severity, row.action, row.within)
    unspoken = any(
        judged.verdict is Verdict.FAILING and not any(_speaks(row, judged.measurement) for row in matrix)
        for judged in bad
    )
    for row in matrix[:1] if unspoken else matrix:
        if any(_speaks(row, judged.measurement) for judged in bad):
            return Advice(row.severity, row.action, row.within)
    return Advice()


def _speaks(row: Severity, measurement: Measurement) -> bool:
    band, value = row.when.get(measurement.name), _value(measurement)
    return band is not None and value is not None and band.dimension == measurement.dimension and band.holds(value)
