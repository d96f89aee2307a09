"""What people may do, who may, and what they are told when they may not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.domain import events as e
from bot.domain import moves
from bot.domain.deployment import Status
from bot.domain.errors import Code
from tests.domain.runs import ANN, OMAR, QUINN, Course, plan
from tests.domain.shop import POLICY, live, ready, refused, shop

# --- ticking ----------------------------------------------------------------------------------------------------------


def test_a_tick_says_who_and_when() -> None:
    course = shop()
    course.do(moves.tick, "tests", who=ANN)
    mark = course.state.marks["tests"]
    assert (mark.by, mark.at, mark.excused) == (ANN, course.now, False)


def test_a_tick_of_what_is_ticked_changes_nothing() -> None:
    course = shop()
    course.do(moves.tick, "tests", who=ANN)
    assert course.do(moves.tick, "tests", who=QUINN) == []
    assert course.state.marks["tests"].by == ANN


def test_a_tick_is_undone_until_the_phase_is_complete() -> None:
    course = shop()
    course.tick("tests", "review", "sign-off")
    course.do(moves.untick, "tests")
    assert "tests" not in course.state.marks
    course.tick("tests")
    course.do(moves.advance)
    refusal = refused(course, moves.untick, "tests")
    assert (refusal.code, refusal.at) == (Code.PHASE_DONE, course.now)


def test_an_optional_tick_can_be_undone_even_then() -> None:
    course = shop()
    course.tick("tests", "review", "sign-off", "changelog-optional")
    course.do(moves.advance)
    course.do(moves.untick, "changelog-optional")
    assert "changelog-optional" not in course.state.marks


def test_undoing_what_nobody_did_changes_nothing() -> None:
    assert shop().do(moves.untick, "tests") == []


def test_an_item_of_a_later_phase_is_not_open_yet() -> None:
    refusal = refused(shop(), moves.tick, "switch")
    assert refusal.code is Code.PHASE_NOT_OPEN
    assert refusal.step is not None
    assert refusal.step.title == "Deploy"


@pytest.mark.parametrize("item", ["switch-back", "post-mortem"])
def test_items_of_a_rollback_and_of_later_are_not_open_in_a_run(item: str) -> None:
    assert refused(live(), moves.tick, item).code is Code.PHASE_NOT_OPEN


@pytest.mark.parametrize("move", [moves.tick, moves.untick])
def test_an_item_of_another_deployment_is_unknown(move: Callable[..., list[e.Event]]) -> None:
    assert refused(shop(), move, "something else").code is Code.UNKNOWN_ITEM


def test_an_excuse_needs_a_reason_and_keeps_it() -> None:
    course = shop()
    assert refused(course, moves.excuse, "tests", "  ").code is Code.REASON_NEEDED
    course.do(moves.excuse, "tests", " no code changed ")
    assert course.state.marks["tests"].reason == "no code changed"
    assert course.do(moves.excuse, "tests", "no code changed") == []


def test_what_was_excused_can_be_ticked_after_all() -> None:
    course = shop()
    course.do(moves.excuse, "tests", "not now")
    course.tick("tests")
    assert not course.state.marks["tests"].excused


def test_a_note_can_be_written_at_any_time_by_anybody() -> None:
    course = shop()
    course.do(moves.note, "sign-off", "asked quinn", who=ANN)
    course.do(moves.cancel, "no")
    course.do(moves.note, "post-mortem", "why it was cancelled", who=OMAR)
    assert [note.text for notes in course.state.notes.values() for note in notes] == [
        "asked quinn",
        "why it was cancelled",
    ]
    assert refused(course, moves.note, "sign-off", "").code is Code.REASON_NEEDED
    assert refused(course, moves.note, "nothing", "x").code is Code.UNKNOWN_ITEM


# --- roles ------------------------------------------------------------------------------------------------------------


def test_a_sign_off_belongs_to_its_role() -> None:
    course = shop()
    refusal = refused(course, moves.tick, "sign-off", who=ANN)
    assert (refusal.code, refusal.roles) == (Code.NOT_ENTITLED, ("qa",))
    course.do(moves.tick, "sign-off", who=QUINN)
    assert course.state.marks["sign-off"].by == QUINN


def test_only_the_role_excuses_or_undoes_its_sign_off() -> None:
    course = shop()
    assert refused(course, moves.excuse, "sign-off", "in a hurry", who=ANN).code is Code.NOT_ENTITLED
    course.do(moves.tick, "sign-off", who=QUINN)
    assert refused(course, moves.untick, "sign-off", who=ANN).code is Code.NOT_ENTITLED


def test_a_sign_off_is_not_waived_with_the_item_above_it() -> None:
    course = Course(plan("# One\n- [ ] release\n  - [ ] notes\n  - [ ] qa agrees", "items: {qa agrees: {role: qa}}"))
    course.do(moves.excuse, "release", "small change", who=ANN)
    assert [task.id for task in refused(course, moves.advance).missing] == ["qa-agrees"]


@pytest.mark.parametrize(
    ("act", "move", "args"),
    [
        ("tick", moves.tick, ("tests",)),
        ("tick", moves.excuse, ("tests", "because")),
        ("tick", moves.note, ("tests", "text")),
        ("tick", moves.advance, ()),
        ("tick", moves.deployed, ()),
        ("cancel", moves.cancel, ("because",)),
        ("rollback", moves.roll_back, ("v1.1.0", "because", "")),
    ],
)
def test_what_the_policy_gives_to_a_role_others_cannot_do(
    act: str, move: Callable[..., list[e.Event]], args: tuple[str, ...]
) -> None:
    refusal = refused(shop(POLICY + f"may: {{{act}: [on_call, qa]}}"), move, *args)
    assert (refusal.code, refusal.roles) == (Code.NOT_ENTITLED, ("on_call", "qa"))


# --- phases -----------------------------------------------------------------------------------------------------------


def test_who_advances_too_early_is_told_exactly_what_is_missing() -> None:
    course = shop()
    course.tick("review")
    refusal = refused(course, moves.advance)
    assert refusal.code is Code.MISSING_ITEMS
    assert [task.id for task in refusal.missing] == ["tests", "sign-off"]
    assert refusal.step is not None
    assert refusal.step.title == "Before"


def test_advancing_completes_a_phase_and_opens_the_next() -> None:
    course = shop()
    course.tick("tests", "review", "sign-off")
    facts = course.do(moves.advance)
    assert [fact.kind for fact in facts[:2]] == ["phase_done", "phase_opened"]
    assert course.state.current(course.plan) == course.plan.steps[1]


def test_an_excused_item_does_not_hold_up_its_phase() -> None:
    course = shop()
    course.tick("tests", "sign-off")
    course.do(moves.excuse, "review", "pair programmed")
    assert course.do(moves.advance)


def test_below_an_excused_item_nothing_is_required() -> None:
    course = Course(plan("# One\n- [ ] migrate\n  - [ ] back up\n    - [ ] check it\n- [ ] other\n# Two\n- [ ] x"))
    course.do(moves.excuse, "migrate", "no migration")
    course.tick("other")
    assert course.do(moves.advance)


def test_an_excuse_is_not_taken_back_by_a_tick_that_would_open_a_complete_phase() -> None:
    course = Course(plan("# One\n- [ ] migrate\n  - [ ] back up\n# Two\n- [ ] x"))
    course.do(moves.excuse, "migrate", "no migration")
    course.do(moves.advance)
    assert refused(course, moves.tick, "migrate").code is Code.PHASE_DONE


def test_one_tick_completes_a_choice() -> None:
    course = Course(
        plan("# One\n## Ready?\n- [ ] yes\n- [ ] no\n# Two\n- [ ] x", 'sections: {"Ready?": {choose: one}}')
    )
    course.tick("no")
    assert course.do(moves.advance)


def test_excusing_one_choice_does_not_make_the_other() -> None:
    course = Course(
        plan("# One\n## Ready?\n- [ ] yes\n- [ ] no\n# Two\n- [ ] x", 'sections: {"Ready?": {choose: one}}')
    )
    course.do(moves.excuse, "no", "it is ready")
    assert [task.id for task in refused(course, moves.advance).missing] == ["yes"]


def test_the_phase_of_t0_is_complete_only_when_it_is_deployed() -> None:
    course = ready()
    course.tick("switch")
    assert refused(course, moves.advance).code is Code.NOT_DEPLOYED


def test_after_t0_a_phase_that_has_not_begun_cannot_be_completed() -> None:
    course = live()
    course.tick("switch")
    refusal = refused(course, moves.advance)
    assert refusal.code is Code.NOT_YET
    assert refusal.step is not None
    assert refusal.step.title == "After"


# --- T0 ---------------------------------------------------------------------------------------------------------------


def test_deployed_sets_t0() -> None:
    course = ready()
    course.pass_time(minutes=9)
    course.do(moves.deployed, who=OMAR)
    assert (course.state.t0, course.state.deployed_by, course.state.status) == (course.now, OMAR, Status.DEPLOYED)


def test_it_is_not_deployed_before_the_phases_before_are_complete() -> None:
    course = shop()
    course.tick("tests")
    refusal = refused(course, moves.deployed)
    assert refusal.code is Code.MISSING_ITEMS
    assert [task.id for task in refusal.missing] == ["review", "sign-off"]


def test_a_phase_whose_items_are_done_but_which_is_not_complete_is_named_without_items() -> None:
    course = shop()
    course.tick("tests", "review", "sign-off")
    refusal = refused(course, moves.deployed)
    assert (refusal.code, refusal.missing) == (Code.MISSING_ITEMS, ())


def test_it_is_deployed_once() -> None:
    course = live()
    course.pass_time(minutes=1)
    refusal = refused(course, moves.deployed)
    assert (refusal.code, refusal.by, refusal.at) == (Code.ALREADY_DEPLOYED, "ann", course.state.t0)


# --- checks -----------------------------------------------------------------------------------------------------------


def test_a_person_lets_a_check_pass_with_a_written_reason() -> None:
    course = live()
    course.go(e.Verdict.INCONCLUSIVE, minutes=30)
    assert refused(course, moves.accept, "t30", 0, " ").code is Code.REASON_NEEDED
    course.do(moves.accept, "t30", 0, "the metrics are down, the users are well", who=OMAR)
    run = course.state.run(course.plan, "t30", 0)
    assert run is not None
    assert run.passed
    assert run.accepted is not None
    assert run.accepted.by == OMAR
    refusal = refused(course, moves.accept, "t30", 0, "again")
    assert (refusal.code, refusal.by) == (Code.CHECK_SETTLED, "omar")


def test_a_healthy_check_needs_no_decision() -> None:
    course = live()
    course.go(minutes=30)
    assert refused(course, moves.accept, "t30", 0, "fine").code is Code.CHECK_SETTLED


@pytest.mark.parametrize(("check", "number"), [("t30", 0), ("t30", 7), ("t30", -1), ("t99", 0)])
def test_a_check_that_has_not_run_cannot_be_decided_about(check: str, number: int) -> None:
    assert refused(live(), moves.accept, check, number, "why not").code is Code.UNKNOWN_CHECK


def test_deciding_can_belong_to_a_role() -> None:
    course = shop(POLICY + "may: {decide: [on_call]}")
    course.tick("tests", "review", "sign-off")
    course.do(moves.advance)
    course.do(moves.deployed)
    course.go(e.Verdict.DEGRADED, minutes=30)
    assert refused(course, moves.accept, "t30", 0, "fine", who=ANN).code is Code.NOT_ENTITLED
    assert course.do(moves.accept, "t30", 0, "fine", who=OMAR)
