"""Checks to judge and measurements to judge them by."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.events import Measurement, Outcome, Verdict
from bot.domain.verdict import Finding, judge
from checklists.policy import RollbackPolicy, Severity
from checklists.quantities import parse_band, to_base

RANK = {Verdict.HEALTHY: 0, Verdict.INCONCLUSIVE: 1, Verdict.DEGRADED: 2, Verdict.FAILING: 3}
MATRIX = (  # the decision matrix of services-do
    Severity(
        severity="Critical",
        when={"error_rate": parse_band("> 5%"), "p95_latency": parse_band("> 2s")},
        action="Immediate rollback",
        within="<5 min",
    ),
    Severity(
        severity="High",
        when={"error_rate": parse_band("2-5%"), "p95_latency": parse_band("1s-2s")},
        action="Rollback or fix forward",
        within="<15 min",
    ),
    Severity(
        severity="Medium",
        when={"error_rate": parse_band("1-2%"), "p95_latency": parse_band("500ms-1s")},
        action="Monitor, fix forward",
        within="<1 hour",
    ),
    Severity(
        severity="Low",
        when={"error_rate": parse_band("< 1%"), "p95_latency": parse_band("< 500ms")},
        action="Fix in next release",
        within="Next deploy",
    ),
)
TARGETS = {"error_rate": "< 1%", "p95_latency": "< 500ms"}
ALERTS = {"error_rate": "> 2%", "p95_latency": "> 1000 ms"}


def got(name: str, number: float, unit: str) -> Measurement:
    dimension, value = to_base(number, unit)
    return Measurement(name=name, outcome=Outcome.MEASURED, value=value, dimension=dimension)


def answered(name: str, yes: bool, detail: str = "") -> Measurement:
    return Measurement(name=name, outcome=Outcome.MEASURED, value=float(yes), dimension="ok", detail=detail)


def unknown(name: str, outcome: Outcome = Outcome.NO_DATA, detail: str = "") -> Measurement:
    return Measurement(name=name, outcome=outcome, detail=detail)


def check(
    *measurements: Measurement,
    probes: Sequence[str] = (),
    measure: dict[str, str] = TARGETS,
    alert: dict[str, str] = ALERTS,
    matrix: Sequence[Severity] = MATRIX,
    rollback: dict[str, str] | None = None,
    minimum: dict[str, str] | None = None,
    critical: Sequence[str] = (),
) -> Finding:
    return judge(
        measurements,
        probes=probes,
        measure={name: parse_band(words) for name, words in measure.items()},
        alert={name: parse_band(words) for name, words in alert.items()},
        matrix=matrix,
        rollback=RollbackPolicy(alert={name: parse_band(words) for name, words in (rollback or {}).items()}),
        minimum={name: parse_band(words) for name, words in (minimum or {}).items()},
        critical=critical,
    )
