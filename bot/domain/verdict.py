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
) -> Finding:
    """Hold measurements against what a check names. Their order does not matter.

    - Inside a band of `alert` or of `rollback.alert`: failing. `rollback.lasting` is for the caller: this sees one run.
    - Outside the band of `measure`: degraded. Inside, and in no alert: healthy. Only an alert, and outside it: healthy.
    - One of `probes` that answers no: failing. One that gives a number must also be in `measure` (its own target), and
      failing is then what missing it means; without that its number says nothing.
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
    named = list(dict.fromkeys((*probes, *measure, *alert)))
    named += [name for name in rollback.alert if name in found and name not in named]
    if not named:
        return Finding(Verdict.INCONCLUSIVE, (), Advice(), "nothing is measured here: people decide", people_only=True)
    rulings = [
        _rule_all(
            name,
            found.get(name, []),
            must_be_healthy=name in probes,
            target=measure.get(name),
            limits=[bands[name] for bands in (alert, rollback.alert) if name in bands],
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


def _rule_all(
    name: str, found: Sequence[Measurement], *, must_be_healthy: bool, target: Band | None, limits: Sequence[Band]
) -> _Ruling:
    held_against = target.words if target else " or ".join(dict.fromkeys(f"not {band.words}" for band in limits))
    missing = Measurement(name=name, outcome=Outcome.NO_DATA, detail="not measured")
    rulings = []
    for measurement in found or [missing]:
        causes = list(_rule(measurement, must_be_healthy, target, limits))
        if len(found) > 1:
            causes.append((Verdict.INCONCLUSIVE, f"{label(name)} was measured {len(found)} times"))
        verdict, why = max(causes, key=lambda cause: _RANK[cause[0]])
        rulings.append(_Ruling(Judged(measurement=measurement, target=held_against, verdict=verdict), why))
    # The text decides between equals, so that the order of the measurements cannot.
    return max(rulings, key=lambda ruling: (_RANK[ruling.verdict], repr(ruling.judged.measurement)))


def _rule(
    measurement: Measurement, must_be_healthy: bool, target: Band | None, limits: Sequence[Band]
) -> Iterator[tuple[Verdict, str]]:
    """Everything that can be said of one measurement; the worst of it counts. Yields at least once."""
    name = label(measurement.name)
    value = _value(measurement)
    if value is None:
        yield Verdict.INCONCLUSIVE, _unknown(measurement)
        return
    bands = [*limits, *([target] if target else [])]
    said = f"{name} {say_value(value, measurement.dimension)}"
    if any(band.dimension != measurement.dimension for band in bands):
        expected = next(band.dimension for band in bands if band.dimension != measurement.dimension)
        came = "a yes or no" if measurement.dimension == YES_NO else measurement.dimension or "a bare number"
        yield Verdict.INCONCLUSIVE, f"{name} came as {came} instead of {expected}"
    for band in limits:
        if band.dimension == measurement.dimension and band.holds(value):
            yield Verdict.FAILING, f"{said} (limit {band.words})"
    if target and target.dimension == measurement.dimension and not target.holds(value):
        yield Verdict.FAILING if must_be_healthy else Verdict.DEGRADED, f"{said} (target {target.words})"
    if must_be_healthy and measurement.dimension == YES_NO and value != 1.0:
        yield (
            Verdict.FAILING,
            f"{name}: {_short(measurement.detail)}" if measurement.detail else f"{name} is not healthy",
        )
    if must_be_healthy and measurement.dimension != YES_NO and target is None:
        yield Verdict.INCONCLUSIVE, f"{said}, and nothing says what is healthy"
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
