"""What is announced, letter for letter, from what really happened."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from bot.cards.announcement import announcement_text
from bot.cards.card import Card, Text, Verbatim
from bot.cards.said import announcement_card, no_channel_card
from bot.domain import events as e
from bot.domain import moves
from bot.domain.course import record_check
from bot.domain.people import GONOGO
from checklists.policy import Announcement
from checklists.quantities import to_base
from tests.domain.runs import ALL, ANN, SHIPPED, START, Course, plan, shipped

A = Announcement


class Told(Course):
    """A course of a checklist, and what it announces."""

    def text(self, announcement: Announcement) -> str:
        return announcement_text(self.plan, self.state, announcement, self.now)

    def measure(self, check: str, verdict: e.Verdict, *measured: tuple[str, float, str, str]) -> None:
        """Run a check now with these measures: name, number, unit, target."""
        known = self.plan.check(check)
        assert known is not None
        judged = tuple(
            e.Judged(
                measurement=e.Measurement(
                    name=name,
                    outcome=e.Outcome.MEASURED,
                    dimension=to_base(number, unit)[0],
                    value=to_base(number, unit)[1],
                ),
                target=target,
                verdict=verdict,
            )
            for name, number, unit, target in measured
        )
        due = self.state.due_times(known)[0]
        result = self.result(known, due, verdict).model_copy(update={"judged": judged})
        self.add(record_check(self.plan, self.state, result))


def deployed(name: str, *, minutes: int = 35) -> Told:
    """One of the five, 35 minutes after its first announcement, just deployed; nothing of the last phases is ticked."""
    course = Told(shipped(name))
    while (step := course.state.current(course.plan)) is not None and not step.deployed:
        course.tick_all()
        course.do(moves.advance)
    course.pass_time(minutes=minutes)
    course.do(moves.deployed)
    return course


HEALTHY = (("error_rate", 0.05, "%", "< 0.1%"), ("p99_latency", 420.0, "ms", "< 500ms"))


# --- the documents' own words -----------------------------------------------------------------------------------------


def test_petforce_starts_in_its_own_words() -> None:
    assert deployed("petforce").text(A.STARTED) == (
        "🚀 Production Deployment Starting\n"
        "Version: v1.2.0\n"
        "ETA: 45 minutes\n"
        "Changes: unknown (not recorded)\n"
        "On-call: Check PagerDuty"
    )


def test_petforce_succeeds_in_its_own_words() -> None:
    course = deployed("petforce")
    course.pass_time(minutes=30)
    course.measure("t30", e.Verdict.HEALTHY, *HEALTHY)
    assert course.text(A.SUCCEEDED) == (
        "✅ Production Deployment Complete\n"
        "Version: v1.2.0\n"
        "Duration: 35 minutes\n"
        "Status: Successful\n"
        "Metrics: ✅ Error rate: 0.05% | P99: 420ms"
    )


def test_petforce_does_not_boast_of_metrics_that_were_missed() -> None:
    course = deployed("petforce")
    course.pass_time(minutes=30)
    course.measure("t30", e.Verdict.DEGRADED, ("error_rate", 0.5, "%", "< 0.1%"))
    course.do(moves.accept, "t30", 0, "known", who=ALL)
    assert course.text(A.SUCCEEDED).endswith("Metrics: Error rate: 0.5% (target < 0.1%)")


def test_petforce_is_rolled_back_in_its_own_words() -> None:
    course = deployed("petforce")
    course.do(moves.roll_back, "v1.1.0", "Error rate above 5%", "Fix the query", who=ALL)
    course.do(moves.rolled_back, "System stable", who=ALL)
    assert course.text(A.ROLLED_BACK) == (
        "🔄 ROLLBACK COMPLETE\n"
        "Rolled back to: v1.1.0\n"
        "Reason: Error rate above 5%\n"
        "Status: System stable\n"
        "Next steps: Fix the query"
    )


def test_maishapoa_speaks_its_own_words() -> None:
    course = deployed("maishapoa")
    assert course.text(A.STARTED) == "Starting production deployment"
    assert course.text(A.ISSUE) == "⚠️ Issue detected in production. Investigating..."
    assert course.text(A.STABLE) == "Deployment stable"


def test_azora_says_how_long_it_is_until_the_start() -> None:
    course = Told(shipped("azora"), planned_t0=START + timedelta(hours=3))
    course.pass_time(minutes=150)
    assert course.text(A.STARTING) == "Deployment starting in 30 minutes"


def test_azora_without_a_planned_time_says_the_documents_own() -> None:
    course = Told(shipped("azora"))
    for _ in range(2):
        course.tick_all()
        course.do(moves.advance)
    said = [fact for fact in course.events if isinstance(fact, e.Announced)]
    assert [fact.announcement for fact in said] == [A.STARTING]
    assert announcement_text(course.plan, course.state, A.STARTING, course.now) == "Deployment starting in 30 minutes"


def test_azora_tells_a_rollback_by_hand_from_an_automatic_one() -> None:
    by_hand, automatic = deployed("azora"), deployed("azora")
    by_hand.do(moves.roll_back, "v1.1.0", "slow", "", who=ALL)
    automatic.do(moves.roll_back, "v1.1.0", "error rate > 5% for 5 m", "", who=GONOGO)
    assert by_hand.text(A.ROLLED_BACK) == "Rollback completed. Investigating issue."
    assert automatic.text(A.ROLLED_BACK) == "Automatic rollback completed"


def test_ca_marketplace_lists_what_really_changed_and_was_really_verified() -> None:
    course = deployed("ca-marketplace")
    course.state.started = course.state.started.model_copy(update={"changes": ("Faster search", "New logo")})
    course.ring_all()
    look = next(task for task in course.plan.steps[7].tasks if task.item.text == "User login")
    course.tick(look.id)
    excused = next(task for task in course.plan.steps[7].tasks if task.id != look.id and task.role is None)
    course.do(moves.excuse, excused.id, "nobody uses it", who=ALL)
    assert course.text(A.SUCCEEDED) == (
        "✅ Production Deployment Complete\n\n"
        "Version: v1.2.0\n"
        "Deployed: 2026-11-24 10:39 UTC\n"
        "Duration: 35 minutes\n"
        "Downtime: unknown (not measured)\n\n"
        "Changes:\n- Faster search\n- New logo\n\n"
        "Verification:\n✓ User login\n\n"
        "Monitoring: https://sentry.io/ca-marketplace/production\n"
        "Dashboards: https://datadog.com/dashboard/ca-marketplace"
    )


def test_services_do_has_no_words_of_its_own_and_gets_the_nearest() -> None:
    course = deployed("services-do")
    course.pass_time(minutes=5)
    course.measure("t0s", e.Verdict.FAILING, ("error_rate", 7.2, "%", "< 1%"), ("p95_latency", 1530.0, "ms", "< 500ms"))
    assert course.text(A.ISSUE) == (
        "⚠️ Issue detected in production. Investigating...\n"
        "services.do v1.2.0: Error rate 7.2%; Response time (p95) 1.53s"
    )
    course.do(moves.roll_back, "", "errors", "", who=ALL)
    assert course.text(A.ROLLBACK_STARTED) == "🔄 Rolling back services.do from v1.2.0 to v1.1.0\nReason: errors"


# --- whatever the words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("announcement", list(A))
def test_every_announcement_of_the_five_can_be_said_at_any_time(name: str, announcement: Announcement) -> None:
    course = Told(shipped(name), previous_version=None)
    for text in (course.text(announcement), deployed(name).text(announcement)):
        assert text.strip() == text != ""
        assert "{{" not in text
        assert "None" not in text
        assert "<" not in text.replace("(target <", "")


@pytest.mark.parametrize("people", ["{}", "{on_call: {slack: U1}}", "{on_call: {name: On-Call Engineer}}"])
def test_words_of_ours_leave_out_what_nobody_knows_and_name_the_service(people: str) -> None:
    course = two(f"people: {people}", previous_version=None)
    assert course.text(A.STARTED) == "🚀 Production Deployment Starting\nService: shop\nVersion: v1.2.0"
    assert course.text(A.SUCCEEDED) == (
        "✅ Production Deployment Complete\n\nService: shop\nVersion: v1.2.0\nDeployed: 2026-11-24 10:04 UTC\n"
        "Duration: 0 seconds\n\nVerification:\nnothing was ticked"
    )
    assert course.text(A.ISSUE).endswith("\nshop v1.2.0")
    course.do(moves.roll_back, "", "slow", "", who=ALL)
    assert course.text(A.ROLLBACK_STARTED) == "🔄 Rolling back shop from v1.2.0\nReason: slow"
    course.do(moves.rolled_back, "System stable", who=ALL)
    assert course.text(A.ROLLED_BACK) == (
        "🔄 ROLLBACK COMPLETE\nService: shop, production\nRolled back from: v1.2.0\nReason: slow\nStatus: System stable"
    )


TWO = "# Deploy\n- [ ] switch\n# After\n- [ ] look\n"


def two(yaml: str = "", **more: object) -> Told:
    course = Told(plan(TWO, yaml), **more)  # type: ignore[arg-type]
    course.do(moves.deployed)
    return course


def test_what_nobody_knows_is_said_to_be_unknown() -> None:
    course = two(
        "templates: {started: '{{ previous_version }}, {{ on_call }}, {{ eta }}, {{ downtime }}'}",
        previous_version=None,
    )
    assert course.text(A.STARTED) == (
        "unknown (no earlier deployment is recorded), unknown (the policy names nobody as on_call), "
        "unknown (the policy names no expected time), unknown (not measured)"
    )


def test_an_issue_speaks_of_the_check_that_failed_not_of_a_healthy_one_of_the_same_moment() -> None:
    course = two("watch:\n- {at: T+0, measure: {latency: '< 1s'}}\n- {at: T+0, measure: {error_rate: '< 1%'}}\n")
    course.measure("t0", e.Verdict.HEALTHY, ("latency", 0.2, "s", "< 1s"))
    course.measure("t0-2", e.Verdict.FAILING, ("error_rate", 7.2, "%", "< 1%"))
    assert course.text(A.ISSUE).endswith(": error rate 7.2%")
    assert course.said()[-1] == "issue"


def test_success_shows_the_metrics_of_the_check_that_earned_it() -> None:
    course = two(
        "templates: {succeeded: \"{{ metrics | join(', ') }}\"}\n"
        "watch:\n- {at: T+30m, measure: {error_rate: '< 1%'}, then: announce succeeded}\n"
        "- {at: T+2h, measure: {cpu: '< 60%'}}\n"
    )
    course.pass_time(hours=3)
    course.measure("t120", e.Verdict.HEALTHY, ("cpu", 40.0, "%", "< 60%"))
    course.measure("t30", e.Verdict.HEALTHY, ("error_rate", 0.1, "%", "< 1%"))
    assert course.text(A.SUCCEEDED) == "error rate: 0.1%"


def test_times_are_in_the_zone_of_the_policy() -> None:
    course = two("timezone: America/New_York\ntemplates: {succeeded: '{{ deployed_at }}'}")
    assert course.text(A.SUCCEEDED) == "2026-11-24 05:04 EST"


def test_a_template_that_cannot_be_filled_in_does_not_silence_the_announcement() -> None:
    found = plan(TWO)
    broken = found.policy.model_copy(update={"templates": {A.STABLE: "{{ nothing_of_that_name }}"}})
    course = Told(dataclasses.replace(found, policy=broken))
    assert course.text(A.STABLE) == "Deployment stable: shop v1.2.0"


def test_what_people_wrote_is_never_read_as_a_template() -> None:
    course = two()
    course.do(moves.roll_back, "v1", "{{ version }} {% if %}", "", who=ANN)
    assert "Reason: {{ version }} {% if %}" in course.text(A.ROLLBACK_STARTED)


def test_bad_news_calls_the_on_call_and_good_news_nobody() -> None:
    cards = {kind: said("shop", kind) for kind in A}
    assert {kind for kind, card in cards.items() if card.mentions} == {A.ISSUE, A.ROLLBACK_STARTED}
    assert all(card.text == "shop" for card in cards.values())


def said(text: str, announcement: Announcement = A.STABLE) -> Card:
    """What is said in these words of the deployment of `two`."""
    return announcement_card(e.Announced(at=START, by=ANN, announcement=announcement, text=text), two().state.started)


@pytest.mark.parametrize("text", ["Rollback completed.", "The workshop is open", "See https://dash.example/shop/now"])
def test_below_words_that_do_not_name_the_service_stands_of_what_they_are(text: str) -> None:
    card = said(text)
    assert card.blocks == (Verbatim(text), Text("shop v1.2.0 → production", small=True))
    assert card.text == f"{text}\nshop v1.2.0 → production"


@pytest.mark.parametrize("text", ["Shop is stable", "🚀 shop: v1.2.0", "(SHOP)"])
def test_words_that_name_the_service_stand_alone(text: str) -> None:
    assert said(text).blocks == (Verbatim(text),)


def test_a_missing_channel_is_said_once_and_named() -> None:
    assert no_channel_card("#engineering").text == (
        "There is no channel #engineering here (or I am not in it), so this was said only in #deployments."
    )
