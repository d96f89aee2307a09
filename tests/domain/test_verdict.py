"""What a check may conclude. The unknown is never taken for success."""

from __future__ import annotations

import math

import pytest

from bot.domain.events import Measurement, Outcome, Verdict
from bot.domain.verdict import Advice
from checklists.policy import Severity
from tests.domain.judging import answered, check, got, unknown


def test_every_target_met_is_healthy_and_advises_nothing() -> None:
    finding = check(got("error_rate", 0.05, "%"), got("p95_latency", 245, "ms"))
    assert finding.verdict is Verdict.HEALTHY
    assert finding.advice == Advice("", "", "")
    assert finding.why == "all that is measured is as it should be"


def test_a_missed_target_without_alert_is_degraded() -> None:
    finding = check(got("error_rate", 1.5, "%"), got("p95_latency", 245, "ms"))
    assert finding.verdict is Verdict.DEGRADED
    assert finding.why == "error rate 1.5% (target < 1%)"
    assert finding.advice == Advice("Medium", "Monitor, fix forward", "<1 hour")


def test_inside_an_alert_is_failing_and_says_the_limit() -> None:
    finding = check(got("error_rate", 7.2, "%"), got("p95_latency", 245, "ms"))
    assert finding.verdict is Verdict.FAILING
    assert finding.why == "error rate 7.2% (limit > 2%)"
    assert finding.advice == Advice("Critical", "Immediate rollback", "<5 min")


def test_inside_a_rollback_limit_is_failing() -> None:
    finding = check(
        got("error_rate", 6, "%"), measure={"error_rate": "< 0.1%"}, alert={}, rollback={"error_rate": "> 5%"}
    )
    assert finding.verdict is Verdict.FAILING
    assert "limit > 5%" in finding.why


def test_a_rollback_limit_on_what_the_check_does_not_ask_is_not_missed() -> None:
    assert check(got("x", 1, "%"), measure={"x": "< 2%"}, alert={}, rollback={"y": "> 5%"}).verdict is Verdict.HEALTHY


def test_a_rollback_limit_that_was_asked_is_judged() -> None:
    finding = check(got("x", 1, "%"), got("y", 9, "%"), measure={"x": "< 2%"}, alert={}, rollback={"y": "> 5%"})
    assert finding.verdict is Verdict.FAILING


def test_a_measure_with_only_an_alert_is_healthy_outside_it() -> None:
    finding = check(got("error_rate", 1.9, "%"), measure={}, alert={"error_rate": "> 2%"})
    assert finding.verdict is Verdict.HEALTHY
    assert finding.judged[0].target == "not > 2%"


def test_the_edge_of_a_strict_limit_is_not_inside_however_the_number_was_computed() -> None:
    for percent in range(1, 100):
        finding = check(got("x", percent, "%"), measure={}, alert={"x": f"> {percent}%"})
        assert finding.verdict is Verdict.HEALTHY, percent


@pytest.mark.parametrize("outcome", [Outcome.NO_DATA, Outcome.ERROR, Outcome.REFUSED])
def test_no_data_is_never_success(outcome: Outcome) -> None:
    finding = check(got("error_rate", 0.05, "%"), unknown("p95_latency", outcome))
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "p95 latency" in finding.why
    assert finding.advice == Advice()


def test_no_data_says_which() -> None:
    assert check(got("error_rate", 0, "%"), unknown("p95_latency")).why == "no data for p95 latency"


def test_an_error_and_a_refusal_say_why() -> None:
    finding = check(
        unknown("error_rate", Outcome.ERROR, "HTTP 502 from Prometheus"),
        unknown("p95_latency", Outcome.REFUSED, "no datadog"),
    )
    assert finding.why == (
        "error rate could not be measured: HTTP 502 from Prometheus; p95 latency is not measured: no datadog"
    )


def test_a_named_measure_nobody_measured_is_inconclusive() -> None:
    assert check(got("error_rate", 0.05, "%")).verdict is Verdict.INCONCLUSIVE


def test_a_check_without_a_single_measurement_is_inconclusive() -> None:
    finding = check()
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert not finding.people_only
    assert [judged.measurement.detail for judged in finding.judged] == ["not measured", "not measured"]


def test_a_check_for_people_alone_is_inconclusive_and_says_that_people_decide() -> None:
    finding = check(measure={}, alert={})
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.people_only
    assert finding.why == "nothing is measured here: people decide"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, -0.5])
def test_a_number_that_cannot_be_is_no_number(value: float | None) -> None:
    odd = Measurement(name="error_rate", outcome=Outcome.MEASURED, value=value, dimension="ratio")
    assert check(odd, measure={"error_rate": "< 1%"}, alert={}).verdict is Verdict.INCONCLUSIVE


def test_an_infinite_error_rate_is_not_an_alert_either() -> None:
    odd = Measurement(name="error_rate", outcome=Outcome.MEASURED, value=math.inf, dimension="ratio")
    assert check(odd, measure={}, alert={"error_rate": "> 2%"}).verdict is Verdict.INCONCLUSIVE


def test_rounding_just_below_zero_is_zero() -> None:
    odd = Measurement(name="error_rate", outcome=Outcome.MEASURED, value=-2e-16, dimension="ratio")
    assert check(odd, measure={"error_rate": "< 1%"}, alert={}).verdict is Verdict.HEALTHY


def test_a_value_without_the_outcome_measured_does_not_count() -> None:
    odd = Measurement(name="error_rate", outcome=Outcome.ERROR, value=0.0, dimension="ratio")
    assert check(odd, measure={"error_rate": "< 1%"}, alert={}).verdict is Verdict.INCONCLUSIVE


def test_seconds_are_not_held_against_a_ratio() -> None:
    finding = check(got("error_rate", 1, "ms"), measure={"error_rate": "< 1%"}, alert={})
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.why == "error rate came as seconds instead of ratio"


def test_an_unhealthy_health_endpoint_is_failing() -> None:
    finding = check(answered("health", False, "HTTP 503, expected 200"), probes=["health"], measure={}, alert={})
    assert finding.verdict is Verdict.FAILING
    assert finding.why == "health: HTTP 503, expected 200"


def test_a_healthy_endpoint_is_healthy() -> None:
    assert check(answered("health", True), probes=["health"], measure={}, alert={}).verdict is Verdict.HEALTHY


def test_an_endpoint_that_could_not_be_asked_is_inconclusive() -> None:
    finding = check(unknown("health", Outcome.ERROR), probes=["health"], measure={}, alert={})
    assert finding.verdict is Verdict.INCONCLUSIVE


def test_a_number_is_no_answer_to_whether_it_is_healthy() -> None:
    finding = check(got("pods", 100, "%"), probes=["pods"], measure={}, alert={})
    assert finding.verdict is Verdict.INCONCLUSIVE


def test_a_probe_that_gives_a_number_fails_when_it_misses_its_target() -> None:
    pods = {"pods": "= 100%"}
    assert check(got("pods", 100, "%"), probes=["pods"], measure=pods, alert={}).verdict is Verdict.HEALTHY
    assert check(got("pods", 95, "%"), probes=["pods"], measure=pods, alert={}).verdict is Verdict.FAILING


def test_failing_beats_degraded_beats_inconclusive() -> None:
    degraded, failing, silent = got("b", 2, "%"), got("a", 9, "%"), unknown("c")
    bands = {"measure": {"a": "< 1%", "b": "< 1%", "c": "< 1%"}, "alert": {"a": "> 5%"}}
    assert check(failing, degraded, silent, **bands).verdict is Verdict.FAILING
    assert check(got("a", 0, "%"), degraded, silent, **bands).verdict is Verdict.DEGRADED
    assert check(got("a", 0, "%"), got("b", 0, "%"), silent, **bands).verdict is Verdict.INCONCLUSIVE


def test_the_worst_is_said_first() -> None:
    finding = check(got("b", 2, "%"), got("a", 9, "%"), measure={"b": "< 1%", "a": "< 1%"}, alert={"a": "> 5%"})
    assert finding.why == "a 9% (limit > 5%); b 2% (target < 1%)"


def test_many_reasons_stay_one_sentence() -> None:
    assert check(measure={f"m{i}": "< 1%" for i in range(9)}, alert={}).why.endswith("; and 5 more")


def test_each_measure_appears_once() -> None:
    finding = check(got("error_rate", 0.05, "%"), got("p95_latency", 245, "ms"), probes=["error_rate", "error_rate"])
    assert [judged.measurement.name for judged in finding.judged] == ["error_rate", "p95_latency"]
    assert [judged.target for judged in finding.judged] == ["< 1%", "< 500ms"]


def test_two_measurements_of_one_name_are_never_healthy() -> None:
    twice = check(got("x", 0, "%"), got("x", 0, "%"), measure={"x": "< 1%"}, alert={})
    assert twice.verdict is Verdict.INCONCLUSIVE
    assert twice.why == "x was measured 2 times"


def test_of_two_contradicting_measurements_the_worse_counts() -> None:
    assert check(got("x", 0, "%"), got("x", 9, "%"), measure={"x": "< 1%"}, alert={}).verdict is Verdict.DEGRADED


def test_between_two_that_say_nothing_the_order_does_not_matter() -> None:
    nothing, odd = (Measurement(name="x", outcome=Outcome.MEASURED, value=value) for value in (None, math.nan))
    assert repr(check(nothing, odd, measure={"x": "< 1%"})) == repr(check(odd, nothing, measure={"x": "< 1%"}))


def test_measurements_nobody_asked_about_are_left_out() -> None:
    finding = check(got("x", 0, "%"), got("stray", 99, "%"), measure={"x": "< 1%"}, alert={})
    assert finding.verdict is Verdict.HEALTHY
    assert len(finding.judged) == 1


def test_the_worst_matching_row_is_advised() -> None:
    finding = check(got("error_rate", 1.5, "%"), got("p95_latency", 2.5, "s"))
    assert finding.advice.severity == "Critical"


def test_the_row_of_a_healthy_value_does_not_play_down_what_fails() -> None:
    finding = check(
        got("error_rate", 0.1, "%"), got("p95_latency", 200, "ms"), answered("health", False), probes=["health"]
    )
    assert finding.verdict is Verdict.FAILING
    assert finding.advice == Advice()


def test_a_milder_row_does_not_play_down_what_no_row_speaks_of() -> None:
    finding = check(
        got("error_rate", 1.5, "%"), got("p95_latency", 200, "ms"), answered("health", False), probes=["health"]
    )
    assert finding.verdict is Verdict.FAILING
    assert finding.advice == Advice()


def test_the_worst_row_is_advised_whatever_else_fails() -> None:
    finding = check(
        got("error_rate", 9, "%"), got("p95_latency", 200, "ms"), answered("health", False), probes=["health"]
    )
    assert finding.advice.severity == "Critical"


def test_a_row_that_people_judge_is_never_advised() -> None:
    by_people = (Severity(severity="Critical", action="Immediate rollback", means="All users"),)
    finding = check(got("error_rate", 9, "%"), got("p95_latency", 1, "ms"), matrix=by_people)
    assert finding.verdict is Verdict.FAILING
    assert finding.advice == Advice()
