"""What a check may conclude from too little, and from whatever is measured."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.events import Measurement, Outcome, Verdict
from bot.domain.verdict import Finding
from checklists.quantities import to_base
from tests.domain.judging import MATRIX, RANK, answered, check, got, unknown

# --- evidence and critical measures ---------------------------------------------------------------------------------

TRAFFIC = {"requests": "> 100 count"}
GOOD = (got("error_rate", 0.05, "%"), got("p95_latency", 245, "ms"))


def test_too_little_traffic_makes_nothing_healthy_and_says_how_little() -> None:
    finding = check(*GOOD, got("requests", 3, "count"), minimum=TRAFFIC)
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.why == "too little to tell by: 3 requests, more than 100 needed"
    assert finding.judged[-1].target == "> 100 count"


def test_at_least_so_many_is_said_so() -> None:
    finding = check(*GOOD, got("requests", 3, "count"), minimum={"requests": ">= 100 count"})
    assert finding.why == "too little to tell by: 3 requests, at least 100 needed"


def test_evidence_that_is_no_count_names_its_band() -> None:
    finding = check(*GOOD, got("share", 20, "%"), minimum={"share": ">= 50%"})
    assert finding.why == "too little to tell by: share 20% (>= 50% needed)"


def test_enough_traffic_is_healthy() -> None:
    assert check(*GOOD, got("requests", 101, "count"), minimum=TRAFFIC).verdict is Verdict.HEALTHY


@pytest.mark.parametrize("outcome", [Outcome.NO_DATA, Outcome.ERROR, Outcome.REFUSED])
def test_unknown_traffic_is_too_little(outcome: Outcome) -> None:
    assert check(*GOOD, unknown("requests", outcome), minimum=TRAFFIC).verdict is Verdict.INCONCLUSIVE
    assert check(*GOOD, minimum=TRAFFIC).verdict is Verdict.INCONCLUSIVE


def test_little_traffic_excuses_no_failure() -> None:
    few = got("requests", 3, "count")
    assert check(got("error_rate", 9, "%"), GOOD[1], few, minimum=TRAFFIC).verdict is Verdict.FAILING
    assert check(got("error_rate", 1.5, "%"), GOOD[1], few, minimum=TRAFFIC).verdict is Verdict.DEGRADED


def test_what_is_not_critical_only_degrades() -> None:
    beyond = got("p95_latency", 3, "s")
    assert check(GOOD[0], beyond).verdict is Verdict.FAILING
    assert check(GOOD[0], beyond, critical=["error_rate"]).verdict is Verdict.DEGRADED
    assert check(got("error_rate", 9, "%"), GOOD[1], critical=["error_rate"]).verdict is Verdict.FAILING


def test_an_endpoint_that_is_not_critical_only_degrades() -> None:
    down = answered("search", yes=False)
    assert check(*GOOD, down, probes=["search"], critical=["error_rate"]).verdict is Verdict.DEGRADED


def test_what_is_not_critical_and_unknown_is_still_unknown() -> None:
    assert check(GOOD[0], unknown("p95_latency"), critical=["error_rate"]).verdict is Verdict.INCONCLUSIVE


def test_a_limit_of_the_rollback_fails_whatever_is_critical() -> None:
    finding = check(GOOD[0], got("p95_latency", 3, "s"), rollback={"p95_latency": "> 2s"}, critical=["error_rate"])
    assert finding.verdict is Verdict.FAILING


# Everything a check can name, what is healthy, and in which direction its numbers get worse.
WHOLE = {
    "measure": {"a": "< 1%", "b": ">= 99%", "c": "<= 2 x"},
    "alert": {"a": "> 5%", "b": "< 95%", "d": "> 500ms"},
    "rollback": {"a": "> 8%", "d": "> 1s"},
    "minimum": {"e": "> 100 count"},
}
UNITS = {"a": "ratio", "b": "ratio", "c": "x", "d": "s", "e": "count"}
WELL = {"a": 0.001, "b": 0.999, "c": 1.0, "d": 0.2, "e": 500.0}
WORSE = {"a": 1, "b": -1, "c": 1, "d": 1, "e": -1}
criticals = st.lists(st.sampled_from("abd"), unique=True)
numbers = st.fixed_dictionaries(
    {
        "a": st.floats(0, 0.2),
        "b": st.floats(0.8, 1),
        "c": st.floats(0, 5),
        "d": st.floats(0, 3),
        "e": st.floats(0, 300),
    }
)


@given(numbers, st.sampled_from("abcde"), st.floats(0, 300), criticals)
def test_a_worse_number_never_gives_a_better_verdict(
    first: dict[str, float], name: str, by: float, critical: list[str]
) -> None:
    worse = first | {name: max(0.0, first[name] + WORSE[name] * by)}

    def at(values: dict[str, float]) -> Verdict:
        measured = [got(key, value, UNITS[key]) for key, value in values.items()]
        return check(*measured, critical=critical, **WHOLE).verdict

    assert RANK[at(worse)] >= RANK[at(first)]


@given(
    order=st.permutations("abcde"),
    lost=st.dictionaries(st.sampled_from("abcde"), st.sampled_from([None, *Outcome]), min_size=1),
    strange=st.sampled_from([math.nan, math.inf, -1.0, None]),
    again=st.booleans(),
    critical=criticals,
)
def test_no_order_of_samples_gaps_and_errors_turns_missing_evidence_into_healthy(
    order: list[str], lost: dict[str, Outcome | None], strange: float | None, again: bool, critical: list[str]
) -> None:
    measured = []
    for name in order:
        if name not in lost:
            measured.append(got(name, WELL[name], UNITS[name]))
        elif (outcome := lost[name]) is not None:
            dimension, _ = to_base(0, UNITS[name])
            value = strange if outcome is Outcome.MEASURED else None
            bad = Measurement(name=name, outcome=outcome, value=value, dimension=dimension)
            measured += [bad, got(name, WELL[name], UNITS[name])] if again else [bad]
    assert check(*(got(name, WELL[name], UNITS[name]) for name in order), **WHOLE).verdict is Verdict.HEALTHY
    assert check(*measured, critical=critical, **WHOLE).verdict is not Verdict.HEALTHY


# --- whatever is measured -------------------------------------------------------------------------------------------

NAMES = ["a", "b", "c", "d"]
BANDS = {
    "measure": {"a": "< 1%", "b": "< 500ms"},
    "alert": {"a": "> 5%", "c": "> 2%"},
    "rollback": {"a": "> 8%", "d": "> 9%"},
}
any_measurement = st.builds(
    Measurement,
    name=st.sampled_from([*NAMES, "health", "stray"]),
    outcome=st.sampled_from(Outcome),
    value=st.none() | st.floats(-0.1, 3) | st.sampled_from([math.nan, math.inf, 0.0, 1.0]),
    dimension=st.sampled_from(["ratio", "ratio", "seconds", "ok", ""]),
    detail=st.sampled_from(["", "why"]),
)
any_measurements = st.lists(any_measurement, max_size=7)


@given(any_measurements.flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_of_measurements_does_not_matter(pair: tuple[list[Measurement], list[Measurement]]) -> None:
    first, second = (check(*some, probes=["health"], **BANDS) for some in pair)
    # NaN is not equal to itself; the words are.
    assert repr(first) == repr(second)


@given(any_measurements)
def test_healthy_means_that_every_named_measure_was_measured_and_is_good(some: list[Measurement]) -> None:
    finding = check(*some, probes=["health"], **BANDS)
    if finding.verdict is not Verdict.HEALTHY:
        return
    by_name = {measurement.name: measurement for measurement in some}
    assert {"a", "b", "c", "health"} <= by_name.keys()
    for judged in finding.judged:
        assert judged.measurement.outcome is Outcome.MEASURED
        assert judged.measurement.value is not None
        assert math.isfinite(judged.measurement.value)
    assert by_name["a"].value < 0.01
    assert by_name["b"].value < 0.5
    assert by_name["c"].value <= 0.02 + 1e-9
    assert by_name["health"].value == 1.0


@given(any_measurements, st.sampled_from([*NAMES, "health"]), st.sampled_from(Outcome))
def test_adding_an_unknown_never_improves(some: list[Measurement], name: str, outcome: Outcome) -> None:
    before = check(*some, probes=["health"], **BANDS)
    after = check(*some, unknown(name, outcome), probes=["health"], **BANDS)
    assert RANK[after.verdict] >= RANK[before.verdict]


@given(any_measurements, st.integers(0, 6))
def test_losing_a_measurement_never_makes_it_healthy(some: list[Measurement], index: int) -> None:
    named = {"a", "b", "c", "health"}
    if index < len(some) and some[index].name in named and [m.name for m in some].count(some[index].name) == 1:
        after = check(*some[:index], *some[index + 1 :], probes=["health"], **BANDS)
        assert after.verdict is not Verdict.HEALTHY


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 5))
def test_a_higher_error_rate_never_improves_the_verdict_or_the_severity(
    low: float, high: float, latency: float
) -> None:
    low, high = sorted((low, high))
    rows = [row.severity for row in MATRIX[:3]]

    def at(rate: float) -> Finding:
        return check(got("error_rate", rate, "ratio"), got("p95_latency", latency, "s"))

    better, worse = at(low), at(high)
    assert RANK[worse.verdict] >= RANK[better.verdict]
    if better.advice.severity:
        assert rows.index(worse.advice.severity) <= rows.index(better.advice.severity)


@given(any_measurements)
def test_the_verdict_is_the_worst_of_its_parts_and_says_why(some: list[Measurement]) -> None:
    finding = check(*some, probes=["health"], **BANDS)
    assert finding.verdict is max((judged.verdict for judged in finding.judged), key=RANK.__getitem__)
    assert finding.why
    assert "\n" not in finding.why
