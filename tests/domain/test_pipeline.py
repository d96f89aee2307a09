"""What a pipeline reports: which items it ticks, when, and what it is refused."""

from __future__ import annotations

import pytest

from bot.domain import events as e
from bot.domain import moves
from bot.domain.deployment import Status
from bot.domain.errors import Code, Refused
from bot.domain.people import GONOGO, Who
from bot.domain.pipeline import Report, UnknownStep, hear, known_steps
from tests.domain.runs import ALL, Course, shipped
from tests.domain.shop import POLICY, live, shop

CI = Who(chat="api", id="t1", name="ci", roles=frozenset({"pipeline"}))
RUN = "https://ci.example.com/runs/42"
EVENTS = POLICY.replace(
    "items: {sign-off: {role: qa}}",
    """
items:
  sign-off: {role: qa, event: signed off}
  tests: {event: Tests  passed}
  switch: {event: deployed}
  look: {event: smoke tests passed}
  switch back: {event: old version back}
""",
)
TWICE = """
# Before
## Code
- [ ] tests
# Deploy
## Image
- [ ] image pushed
# After
## Image
- [ ] __image pushed__
- [ ] look
# Back
- [ ] switch back
"""


def bound(yaml: str = EVENTS) -> Course:
    return shop(yaml)


def report(course: Course, event: str, who: Who = CI, **more: str) -> list[e.Event]:
    return course.add(hear(course.plan, course.state, Report(event, **more), who, course.now))


def no(course: Course, event: str, who: Who = CI) -> Refused:
    before = list(course.events)
    with pytest.raises(Refused) as refusal:
        hear(course.plan, course.state, Report(event), who, course.now)
    assert course.events == before
    return refusal.value


def ticked(course: Course) -> set[str]:
    return set(course.state.marks)


def before_t0(yaml: str = EVENTS) -> Course:
    course = bound(yaml)
    course.tick("tests", "review", "sign-off")
    course.do(moves.advance)
    return course


# --- a step -----------------------------------------------------------------------------------------------------------


def test_a_step_ticks_the_item_that_waits_for_it_and_says_who_reported_it_and_where_it_can_be_read() -> None:
    course = bound()
    report(course, "tests passed", detail="412 tests", link=RUN)
    mark = course.state.marks["tests"]
    assert (mark.by, mark.value, mark.link) == (GONOGO, "reported by ci: 412 tests", RUN)
    assert ticked(course) == {"tests"}


@pytest.mark.parametrize("said", ["Tests passed", "TESTS PASSED", "  tests   passed ", "**tests** passed"])
def test_case_spaces_and_marks_of_a_step_do_not_matter(said: str) -> None:
    course = bound()
    report(course, said)
    assert ticked(course) == {"tests"}


def test_without_a_binding_the_words_of_an_item_will_do() -> None:
    course = bound()
    report(course, "Review")
    assert ticked(course) == {"review"}


def test_words_can_be_narrowed_by_the_headings_above() -> None:
    course = shop(text=TWICE, yaml="phases: {Deploy: {deployed: true}, After: {opens: T+5m}}")
    facts = report(course, "After > image pushed")
    after = next(step for step in course.plan.steps if step.title == "After")
    assert [fact.items for fact in facts if isinstance(fact, e.Reported)] == [(after.tasks[0].id,)]


def test_of_items_with_the_same_words_the_open_one_is_meant_then_the_next() -> None:
    yaml = "phases: {Deploy: {deployed: true}, After: {opens: T+5m}}"
    course = shop(text=TWICE, yaml=yaml)
    deploy, after = (step for step in course.plan.steps if step.title in ("Deploy", "After"))
    first, second = deploy.tasks[0].id, after.tasks[0].id
    report(course, "image pushed")
    assert set(course.state.reports) == {first}
    course.to_t0()
    course.go(minutes=5)
    report(course, "image pushed")
    assert {first, second} <= ticked(course)


def test_the_same_report_again_changes_nothing() -> None:
    course = bound()
    report(course, "tests passed", link=RUN)
    assert report(course, "tests passed", link=RUN) == []
    assert report(course, "tests passed", link="https://ci.example.com/runs/43") == []


def test_a_person_may_take_a_reported_tick_back_and_it_stays_so_until_it_is_reported_again() -> None:
    course = bound()
    report(course, "tests passed", link=RUN)
    course.do(moves.untick, "tests")
    course.pass_time(minutes=5)
    course.add([])
    assert ticked(course) == set()
    report(course, "tests passed", link=RUN)
    assert ticked(course) == {"tests"}


def test_what_a_person_has_excused_stays_excused() -> None:
    course = bound()
    course.do(moves.excuse, "tests", "nothing to test")
    assert report(course, "tests passed") == []
    assert course.state.marks["tests"].excused


# --- early ------------------------------------------------------------------------------------------------------------


def test_a_step_of_a_later_phase_is_remembered_and_ticks_when_the_phase_opens() -> None:
    course = bound()
    [fact] = report(course, "smoke tests passed", link=RUN)
    assert isinstance(fact, e.Reported)
    assert (ticked(course), set(course.state.reports)) == (set(), {"look"})
    course.to_t0()
    assert "look" not in ticked(course)
    course.go(minutes=5)
    assert course.state.marks["look"].link == RUN
    assert course.state.reports == {}


def test_a_newer_report_of_a_later_item_takes_the_place_of_the_older() -> None:
    course = bound()
    report(course, "smoke tests passed", link=RUN)
    report(course, "smoke tests passed", link=f"{RUN}/again")
    assert course.state.reports["look"].link == f"{RUN}/again"


def test_what_was_done_before_a_rollback_is_no_step_of_the_rollback() -> None:
    course = bound()
    assert no(course, "old version back").code is Code.NOT_ROLLING_BACK
    course.to_t0()
    course.do(moves.roll_back, "v1.1.0", "errors", "")
    report(course, "old version back")
    assert "switch-back" in ticked(course)


def test_a_rollback_hears_no_steps_of_the_run() -> None:
    course = bound()
    course.to_t0()
    course.do(moves.roll_back, "v1.1.0", "errors", "")
    assert no(course, "smoke tests passed").code is Code.ROLLING_BACK


# --- what it may not --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["signed off", "sign-off", "Before > sign-off"])
def test_a_sign_off_is_never_ticked_by_a_report(said: str) -> None:
    course = bound()
    for who in (CI, CI.model_copy(update={"roles": frozenset({"qa", "pipeline"})})):
        assert no(course, said, who).code is Code.NOT_ENTITLED
    assert ticked(course) == set()


def test_a_reported_item_that_has_become_a_sign_off_is_not_ticked() -> None:
    course = bound()
    report(course, "smoke tests passed")
    fact = e.Reported(at=course.now, by=CI, step="x", items=("sign-off",))
    course.add([fact])
    assert "sign-off" not in ticked(course)


def test_an_unknown_step_names_those_there_are() -> None:
    course = bound()
    with pytest.raises(UnknownStep) as unknown:
        hear(course.plan, course.state, Report("test passed"), CI, course.now)
    assert unknown.value.known == ("Tests  passed", "deployed", "smoke tests passed", "old version back")
    assert known_steps(course.plan) == unknown.value.known


def test_a_policy_that_lets_few_tick_lets_a_pipeline_tick_what_is_bound_to_it_alone() -> None:
    course = bound(EVENTS + "may: {tick: [qa]}\n")
    assert no(course, "review").code is Code.NOT_ENTITLED
    report(course, "tests passed")
    assert ticked(course) == {"tests"}


def test_after_the_end_nothing_is_heard() -> None:
    course = bound()
    course.do(moves.cancel, "not today")
    for event in ("tests passed", "deployed", "failed"):
        assert no(course, event).code is Code.ENDED, event


# --- deployed ---------------------------------------------------------------------------------------------------------


def test_deployed_sets_t0_and_ticks_what_waits_for_it() -> None:
    course = before_t0()
    report(course, "deployed", link=RUN)
    assert (course.state.t0, course.state.deployed_by) == (course.now, CI)
    assert course.state.marks["switch"].link == RUN


def test_deployed_before_its_phases_are_complete_is_refused_and_ticks_nothing() -> None:
    course = bound()
    refusal = no(course, "deployed")
    assert refusal.code is Code.MISSING_ITEMS
    assert {task.id for task in refusal.missing} == {"tests", "review", "sign-off"}
    assert (ticked(course), course.state.reports) == (set(), {})


def test_deployed_again_is_known_already() -> None:
    course = before_t0()
    report(course, "deployed")
    t0 = course.state.t0
    course.pass_time(minutes=1)
    assert report(course, "deployed") == []
    assert course.state.t0 == t0


def test_deployed_ticks_what_waits_for_it_also_where_a_person_was_faster_with_t0() -> None:
    course = before_t0()
    course.do(moves.deployed, who=ALL)
    report(course, "deployed", link=RUN)
    assert course.state.deployed_by == ALL
    assert course.state.marks["switch"].link == RUN


def test_a_report_can_leave_t0_to_people() -> None:
    course = before_t0()
    course.add(hear(course.plan, course.state, Report("deployed", sets_t0=False), CI, course.now))
    assert (ticked(course) >= {"switch"}, course.state.t0) == (True, None)


def test_deployed_during_a_rollback_is_refused() -> None:
    course = before_t0()
    course.do(moves.roll_back, "v1.1.0", "errors", "")
    assert no(course, "deployed").code is Code.ROLLING_BACK


# --- failed -----------------------------------------------------------------------------------------------------------


def test_a_failure_is_told_and_changes_nothing_else() -> None:
    course = bound()
    [fact] = report(course, "failed", step="tests", detail="3 of 412", link=RUN)
    assert isinstance(fact, e.PipelineFailed)
    assert (course.state.status, ticked(course)) == (Status.RUNNING, set())
    assert list(course.state.failures) == ["tests"]


def test_the_same_failure_again_is_known_already() -> None:
    course = bound()
    report(course, "failed", step="tests", detail="3 of 412")
    assert report(course, "failed", step="Tests", detail="3 of 412") == []
    assert report(course, "failed", step="tests", detail="4 of 412") != []


def test_a_failed_step_is_mended_by_its_report() -> None:
    course = bound()
    report(course, "failed", step="tests passed")
    report(course, "failed", step="image pushed")
    report(course, "tests passed")
    assert list(course.state.failures) == ["image pushed"]


def test_a_step_that_is_ticked_and_failed_since_is_mended_by_its_report() -> None:
    course = bound()
    report(course, "tests passed")
    report(course, "failed", step="tests passed")
    [fact] = report(course, "tests passed")
    assert isinstance(fact, e.Reported)
    assert course.state.failures == {}


@pytest.mark.parametrize("by_report", [True, False])
def test_t0_ends_all_failures_before_it(by_report: bool) -> None:
    course = before_t0()
    report(course, "failed", detail="no runner")
    if by_report:
        report(course, "deployed")
    else:
        course.do(moves.deployed)
    assert course.state.failures == {}
    report(course, "failed", step="smoke tests")
    assert list(course.state.failures) == ["smoke tests"]


def test_after_success_reports_are_heard_until_the_end() -> None:
    course = live()
    course.tick("switch")
    report(course, "failed", step="cleanup")
    assert list(course.state.failures) == ["cleanup"]


# --- the shipped checklists -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["azora", "ca-marketplace", "maishapoa", "petforce", "services-do"])
def test_each_shipped_checklist_knows_steps_and_each_of_them_ticks_something(name: str) -> None:
    plan = shipped(name)
    steps = known_steps(plan)
    assert len(steps) >= 3
    for step in steps:
        course = Course(plan)
        if step == "deployed":
            course.add(hear(plan, course.state, Report(step, sets_t0=False), CI, course.now))
        else:
            report(course, step)
        assert course.state.reports or ticked(course), step


def test_what_one_run_says_twice_of_its_failure_is_told_once_and_another_attempt_anew() -> None:
    course = bound()
    assert report(course, "failed", step="deployment to prod", run="42.1")
    assert report(course, "failed", step="workflow deploy.yml", detail="failure", run="42.1") == []
    assert report(course, "failed", step="workflow deploy.yml", detail="failure, attempt 2", run="42.2")
    assert report(course, "failed", step="push")
    assert report(course, "failed", step="sign"), "what names no run is of none"
