"""The state is what the facts add up to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain import events as e
from bot.domain import moves
from bot.domain.deployment import Status, evolve, replay
from bot.domain.events import deployment_event
from bot.domain.people import GONOGO, Who, holds, may
from checklists.policy import Announcement, Policy
from tests.domain.runs import ANN, QUINN, Course, plan, shipped


def test_a_deployment_begins_with_its_start() -> None:
    course = Course(plan("# One\n- [ ] a"))
    for facts in ([], course.events[1:]):
        with pytest.raises(ValueError, match="begins with Started"):
            replay(facts)
    with pytest.raises(ValueError, match="starts once"):
        replay([course.events[0], course.events[0]])


def test_evolving_leaves_the_old_state_as_it_is() -> None:
    course = Course(shipped("azora"))
    course.to_t0()
    old, again = course.state, replay(course.events)
    check = course.plan.checks[0]
    due = old.due_times(check)[0]
    item = course.plan.steps[5].tasks[0].id
    facts: list[e.Event] = [
        e.Ticked(at=course.now, by=ANN, item=item),
        e.Noted(at=course.now, by=ANN, item=item, text="x"),
        course.result(check, due, e.Verdict.FAILING),
        e.CheckAccepted(at=course.now, by=ANN, check=check.id, due=due, reason="x"),
        e.PhaseOpened(at=course.now, by=GONOGO, phase="p", due=due),
        e.PhaseDone(at=course.now, by=GONOGO, phase="p"),
        e.Announced(at=course.now, by=GONOGO, announcement=Announcement.SUCCEEDED),
        e.RollbackStarted(at=course.now, by=ANN, to_version="v1", reason="x"),
    ]
    new = evolve(old, facts)
    assert new.status is Status.ROLLING_BACK
    assert old == again
    assert new == replay([*course.events, *facts])


def test_the_facts_survive_being_written_down() -> None:
    course = Course(shipped("petforce"))
    course.finish()
    written = [deployment_event.dump_json(fact) for fact in course.events]
    assert replay([deployment_event.validate_json(line) for line in written]) == course.state


def test_the_revision_counts_the_facts() -> None:
    course = Course(plan("# One\n- [ ] a\n- [ ] b"))
    course.tick("a")
    assert course.state.revision == len(course.events)


def test_the_duration_is_from_the_start_to_t0() -> None:
    course = Course(plan("# One\n- [ ] a"))
    assert course.state.duration is None
    course.pass_time(minutes=35)
    course.do(moves.deployed)
    assert course.state.duration == timedelta(minutes=35)


def test_a_running_deployment_locks_its_service_until_it_has_succeeded() -> None:
    assert {status for status in Status if status.locks} == {Status.RUNNING, Status.DEPLOYED, Status.ROLLING_BACK}
    assert {status for status in Status if status.ended} == {
        Status.STABLE,
        Status.ROLLED_BACK,
        Status.CANCELLED,
        Status.SUPERSEDED,
    }


def test_missing_items_come_in_the_order_of_the_document() -> None:
    course = Course(plan("# One\n- [ ] a\n  - [ ] b\n- [ ] c (optional)\n  - [ ] d\n- [ ] e"))
    assert [task.id for task in course.state.missing(course.plan.steps[0])] == ["a", "b", "e"]


def test_a_person_may_what_the_policy_names_no_role_for() -> None:
    policy = Policy.model_validate({"may": {"start": ["qa"]}})
    assert may(policy, "rollback", ANN)
    assert not may(policy, "start", ANN)
    assert may(policy, "start", QUINN)
    assert may(policy, "start", GONOGO)


def test_an_item_without_a_role_is_everybodys() -> None:
    assert holds(ANN, None)
    assert not holds(ANN, "qa")
    assert holds(QUINN, "qa")


def test_nobody_is_gonogo_by_name() -> None:
    assert not Who(chat="web", id="gonogo", name="gonogo").is_gonogo
