"""Whatever people, clocks and checks do in whatever order: what a deployment promises holds."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.domain import events as e
from bot.domain import moves
from bot.domain.course import check_of, consequences, deadlines, open_due, record_check
from bot.domain.deployment import Deployment, Status, measures_nothing, replay
from bot.domain.errors import Refused
from bot.domain.issue import QUIET
from bot.domain.people import GONOGO, Who
from bot.domain.tries import kind_of, most_tries, try_due
from checklists.plan import Plan
from checklists.policy import Announcement
from tests.domain.any_plan import ANY_PLAN, plans, startable
from tests.domain.runs import ALL, ANN, OMAR, QUINN, SHIPPED, START, Course, shipped

PEOPLE = st.sampled_from([ANN, QUINN, OMAR, ALL])
VERDICTS = st.sampled_from(list(e.Verdict))
REASONS = st.sampled_from(["", "because", "  "])


def needs(course: Course, before: Deployment, announcement: Announcement) -> None:
    """An announcement of success has a check that passed, measured or decided by people, and no newer bad news."""
    plan = course.plan
    by = [check for check in plan.checks if announcement in check.then]
    if not by:
        assert announcement is Announcement.SUCCEEDED, "nothing announces it"
        assert not any(check.then for check in plan.checks)
        by = list(plan.checks)
        assert all(before.settled(plan, check) for check in by)
    passed = []
    for check in by:
        last = before.runs.get(check.id, {}).get(before.due_times(check)[-1])
        if last is None:
            continue
        people = [
            mark.by
            for step in plan.steps
            if step.id == check.phase
            for task in step.tasks
            if (mark := before.marks.get(task.id)) and not mark.by.is_gonogo
        ]
        if last.result.verdict is e.Verdict.HEALTHY or last.accepted or (measures_nothing(check) and people):
            passed.append(check)
    assert passed or not by, f"{announcement} without a check that passed"
    measured = [
        (due, run)
        for check in plan.checks
        if not measures_nothing(check)
        for due, run in before.runs.get(check.id, {}).items()
    ]
    if measured:
        newest = max(due for due, _ in measured)
        assert all(run.passed for due, run in measured if due == newest), "the newest measurements are not healthy"


class Deployments(RuleBasedStateMachine):
    """Random moves of random people over any plan."""

    @initialize(plan=ANY_PLAN, planned=st.sampled_from([None, timedelta(hours=1), timedelta(days=3)]))
    def start(self, plan: Plan, planned: timedelta | None) -> None:
        self.course = Course(plan, planned_t0=START + planned if planned else None)
        self.items = [task.id for step in plan.every_step() for task in step.tasks] or ["none"]

    def _add(self, facts: list[e.Event]) -> None:
        before = self.course.state
        new = self.course.add(facts)
        self._follow(before, new)

    def _follow(self, before: Deployment, new: list[e.Event]) -> None:
        state = before
        for fact in new:
            if isinstance(fact, e.Announced):
                happy = fact.announcement in (Announcement.SUCCEEDED, Announcement.STABLE)
                if happy:
                    needs(self.course, state, fact.announcement)
                    assert state.status in (Status.DEPLOYED, Status.SUCCEEDED)
            if isinstance(fact, e.Ticked):
                task = self.course.plan.task(fact.item)
                assert task is not None
                assert task.id not in state.marks or state.marks[task.id].excused
                assert task.role is None or task.role in fact.by.roles
            state = replay([*self.course.events[: -len(new)], *new[: new.index(fact) + 1]])

    def _move(self, move: Any, *args: Any, who: Who) -> bool:
        """Make a move, and again at once. Whether it was allowed."""
        course = self.course
        events = list(course.events)
        try:
            facts = move(course.plan, course.state, *args, who, course.now)
        except Refused:
            assert course.events == events
            return False
        self._add(facts)
        return True

    @rule(which=st.integers(0, 200), who=PEOPLE)
    def tick(self, which: int, who: Who) -> None:
        item = self.items[which % len(self.items)]
        if self._move(moves.tick, item, who=who):
            assert moves.tick(self.course.plan, self.course.state, item, who, self.course.now) == []

    @rule(who=PEOPLE)
    def tick_what_is_open(self, who: Who) -> None:
        for task in self.course.todo():
            self._move(moves.tick, task.id, who=who)

    @rule(which=st.integers(0, 200), who=PEOPLE)
    def untick(self, which: int, who: Who) -> None:
        self._move(moves.untick, self.items[which % len(self.items)], who=who)

    @rule(which=st.integers(0, 200), who=PEOPLE, reason=REASONS)
    def excuse(self, which: int, who: Who, reason: str) -> None:
        self._move(moves.excuse, self.items[which % len(self.items)], reason, who=who)

    @rule(which=st.integers(0, 200), who=PEOPLE, text=REASONS)
    def note(self, which: int, who: Who, text: str) -> None:
        self._move(moves.note, self.items[which % len(self.items)], text, who=who)

    @rule(who=PEOPLE)
    def advance(self, who: Who) -> None:
        course = self.course
        step = course.state.current(course.plan)
        missing = course.state.missing(step) if step is not None else ()
        if self._move(moves.advance, who=who):
            assert not missing

    @rule(who=PEOPLE)
    def deployed(self, who: Who) -> None:
        self._move(moves.deployed, who=who)

    @precondition(lambda self: self.course.state.t0 is None and not self.course.state.status.ended)
    @rule()
    def everything_up_to_t0(self) -> None:
        course = self.course
        while course.state.status is Status.RUNNING:
            before, length = course.state, len(course.events)
            course.tick_all()
            step = course.state.current(course.plan)
            assert step is not None, "T0 is always still ahead"
            course.do(moves.deployed if step.deployed else moves.advance)
            self._follow(before, course.events[length:])

    @rule(minutes=st.sampled_from([1, 5, 10, 30, 120, 1440]))
    def time_passes(self, minutes: int) -> None:
        self.course.pass_time(minutes=minutes)

    @rule(which=st.integers(0, 50), verdict=VERDICTS)
    def a_deadline_rings(self, which: int, verdict: e.Verdict) -> None:
        keys = [key for key in self.course.due if not key.startswith("items:")]
        if keys:
            before, length = self.course.state, len(self.course.events)
            key = keys[which % len(keys)]
            self.course.ring(key, verdict)
            self._follow(before, self.course.events[length:])
            assert key not in deadlines(self.course.plan, self.course.state)

    @rule(verdict=VERDICTS)
    def all_that_is_due_rings(self, verdict: e.Verdict) -> None:
        while keys := [key for key in self.course.due if not key.startswith("items:")]:
            before, length = self.course.state, len(self.course.events)
            self.course.ring(keys[0], verdict)
            self._follow(before, self.course.events[length:])

    @rule(which=st.integers(0, 20), number=st.integers(0, 6), verdict=VERDICTS, again=st.booleans())
    def a_result_comes_too_late_or_twice(self, which: int, number: int, verdict: e.Verdict, again: bool) -> None:
        """A lease was lost, somebody was faster: what is no longer wanted changes nothing."""
        course = self.course
        if not course.plan.checks:
            return
        check = course.plan.checks[which % len(course.plan.checks)]
        times = course.state.due_times(check)
        due = times[number % len(times)] if times else START
        run = course.state.runs.get(check.id, {}).get(due)
        if due > course.now:
            return
        facts = record_check(course.plan, course.state, course.result(check, due, verdict, again=again))
        if course.state.status not in (Status.DEPLOYED, Status.SUCCEEDED) or (run and (run.passed or not again)):
            assert facts == []
        self._add(facts)

    @rule(which=st.integers(0, 20))
    def a_phase_is_rung_for_too_late(self, which: int) -> None:
        course = self.course
        steps = list(course.plan.every_step())
        step = steps[which % len(steps)]
        due = deadlines(course.plan, course.state).get(f"phase:{step.id}", course.now)
        facts = open_due(course.plan, course.state, step.id, due, course.now) if due <= course.now else []
        assert not facts or (step.id not in course.state.opened and not course.state.on_hold(step))
        self._add(facts)

    @rule(which=st.integers(0, 20), number=st.integers(0, 6), who=PEOPLE, reason=REASONS)
    def accept(self, which: int, number: int, who: Who, reason: str) -> None:
        checks = self.course.plan.checks
        name = checks[which % len(checks)].id if checks else "none"
        self._move(moves.accept, name, number, reason, who=who)

    @rule(who=PEOPLE, reason=REASONS)
    def roll_back(self, who: Who, reason: str) -> None:
        before = self.course.state.status
        moved = self._move(moves.roll_back, "v1.1.0", reason, "", who=who)
        always = {Status.RUNNING, Status.DEPLOYED, Status.SUCCEEDED, Status.STABLE}
        assert moved == (before in always and bool(reason.strip()))

    @rule(who=PEOPLE)
    def rolled_back(self, who: Who) -> None:
        before = self.course.state.status
        assert self._move(moves.rolled_back, "ok", who=who) == (before is Status.ROLLING_BACK)

    @rule(who=PEOPLE, reason=REASONS)
    def cancel(self, who: Who, reason: str) -> None:
        before = self.course.state.status
        moved = self._move(moves.cancel, reason, who=who)
        assert moved == (before is Status.RUNNING and bool(reason.strip()))

    @precondition(lambda self: self.course.state.status is Status.SUCCEEDED)
    @rule()
    def a_newer_one_takes_over(self) -> None:
        self._add([e.Superseded(at=self.course.now, by=GONOGO, id="d2", version="v1.3.0")])

    # --- what holds whatever happens ---

    @invariant()
    def nothing_is_announced_twice(self) -> None:
        if hasattr(self, "course"):
            said = Counter(self.course.said())
            assert all(times == 1 for kind, times in said.items() if kind != Announcement.ISSUE), said

    @invariant()
    def an_issue_is_announced_again_only_after_a_quiet_time(self) -> None:
        if hasattr(self, "course"):
            said = [fact for fact in self.course.events if isinstance(fact, e.Announced)]
            issues = [fact for fact in said if fact.announcement is Announcement.ISSUE]
            assert [fact.number for fact in issues] == list(range(1, len(issues) + 1))
            assert all(after.at - before.at > QUIET for before, after in itertools.pairwise(issues))

    @invariant()
    def every_check_is_decided_in_time_and_by_what_was_found(self) -> None:
        if hasattr(self, "course"):
            plan, state = self.course.plan, self.course.state
            for check in plan.checks:
                for due, before in state.tries.get(check.id, {}).items():
                    run = state.runs.get(check.id, {}).get(due)
                    assert len(before) < most_tries(check)
                    assert [tried.number for tried in before] == list(range(1, len(before) + 1))
                    assert all(kind_of(tried.verdict, tried.judged) is not None for tried in before)
                    assert run is None or run.result.again or run.result.tries == len(before) + 1

    @invariant()
    def no_required_item_is_skipped_silently(self) -> None:
        if hasattr(self, "course"):
            state, plan = self.course.state, self.course.plan
            done = [step for step in plan.steps if step.id in state.done]
            assert {step.title: state.missing(step) for step in done if state.missing(step)} == {}
            if state.status is Status.STABLE:
                assert len(done) == len(plan.steps)

    @invariant()
    def the_facts_are_the_state(self) -> None:
        if hasattr(self, "course"):
            assert replay(self.course.events) == self.course.state

    @invariant()
    def the_end_is_on_record(self) -> None:
        if hasattr(self, "course"):
            how = {
                Status.STABLE: e.Ended,
                Status.ROLLED_BACK: e.RolledBack,
                Status.CANCELLED: e.Cancelled,
                Status.SUPERSEDED: e.Superseded,
            }
            state = self.course.state
            if state.status.ended:
                assert any(isinstance(fact, how[state.status]) for fact in self.course.events)
                assert state.ended_at is not None

    @invariant()
    def nothing_more_follows(self) -> None:
        if hasattr(self, "course"):
            assert consequences(self.course.plan, self.course.state, self.course.saved_at) == []

    @invariant()
    def no_deadline_names_what_has_run(self) -> None:
        if hasattr(self, "course"):
            plan, state = self.course.plan, self.course.state
            for key, due in deadlines(plan, state).items():
                kind, _, rest = key.partition(":")
                if kind == "phase":
                    assert rest not in state.opened
                if (wanted := check_of(plan, state, key)) is not None:
                    check, of = wanted
                    assert of not in state.runs.get(check.id, {})
                    assert due == try_due(plan, check, of, state.tries.get(check.id, {}).get(of, ()))
                if kind == "items":
                    step = plan.step(rest)
                    assert step is not None
                    assert any(task.probe and task.id not in state.marks for task in step.tasks)

    @invariant()
    def no_success_after_a_rollback_began(self) -> None:
        if hasattr(self, "course"):
            began = False
            for fact in self.course.events:
                began = began or isinstance(fact, e.RollbackStarted)
                if began and isinstance(fact, e.Announced):
                    assert fact.announcement in (Announcement.ROLLBACK_STARTED, Announcement.ROLLED_BACK)

    def teardown(self) -> None:
        """From wherever it stands it can still come to an end: nobody is ever locked in."""
        if not hasattr(self, "course"):
            return
        course = self.course
        if course.state.status is Status.ROLLING_BACK:
            course.do(moves.rolled_back, "ok", who=ALL)
        before, length = course.state, len(course.events)
        course.finish()
        assert course.state.status.ended
        if course.state.status is Status.STABLE and not before.status.ended:
            for check in course.plan.checks:
                assert set(course.state.due_times(check)) <= set(course.state.runs[check.id]), (
                    "a check that was due has not run"
                )
            self._follow(before, course.events[length:])
        self.nothing_is_announced_twice()
        self.no_required_item_is_skipped_silently()
        self.the_facts_are_the_state()
        self.no_success_after_a_rollback_began()


TestDeployments = Deployments.TestCase
TestDeployments.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(plan=plans().filter(startable))
def test_any_plan_comes_to_an_end_when_everybody_does_their_part(plan: Plan) -> None:
    course = Course(plan)
    course.finish()
    assert course.state.status is Status.STABLE
    assert Announcement.STARTED in course.state.announced
    promised = {kind for check in plan.checks for kind in check.then} or {Announcement.SUCCEEDED}
    assert promised <= set(course.state.announced)


@pytest.mark.parametrize("environment", ["production", "staging"])
@pytest.mark.parametrize("name", SHIPPED)
def test_the_five_documents_come_to_an_end(name: str, environment: str) -> None:
    course = Course(shipped(name, environment))
    course.finish(decide=False)
    assert course.state.status is Status.STABLE
    assert "succeeded" in course.said()
