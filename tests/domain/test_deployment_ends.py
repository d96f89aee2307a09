"""The ways out of a deployment: rollback and cancellation, and what is on hold then."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.domain import events as e
from bot.domain import moves
from bot.domain.deployment import Status
from bot.domain.errors import Code
from tests.domain.runs import ALL, OMAR, Course, plan
from tests.domain.shop import live, ready, refused, shop

# --- the ways out -----------------------------------------------------------------------------------------------------


def test_a_rollback_starts_whatever_is_open() -> None:
    for course in (shop(), ready(), live()):
        course.do(moves.roll_back, "v1.1.0", "it is slow", "look at it tomorrow", who=OMAR)
        assert course.state.status is Status.ROLLING_BACK
        assert "p3" in course.state.opened
        course.do(moves.tick, "switch-back", who=OMAR)


def test_a_stable_deployment_can_be_rolled_back() -> None:
    course = live()
    course.finish()
    assert course.state.status is Status.STABLE
    course.do(moves.roll_back, "v1.1.0", "found on day two", "")
    assert course.state.status is Status.ROLLING_BACK
    assert course.state.ended_at is None


def test_a_rollback_needs_a_reason() -> None:
    assert refused(live(), moves.roll_back, "v1.1.0", "  ", "").code is Code.REASON_NEEDED


@pytest.mark.parametrize("version", ["v1.2.0", "1.2.0", " v1.2.0 "])
def test_nobody_goes_back_to_the_version_that_is_left(version: str) -> None:
    assert refused(live(), moves.roll_back, version, "broken", "").code is Code.SAME_VERSION


def test_what_was_deployed_over_itself_goes_back_to_itself() -> None:
    course = Course(plan("# One\n- [ ] a"), previous_version="v1.2.0")
    course.do(moves.deployed)
    course.do(moves.roll_back, "v1.2.0", "the new settings are wrong", "")
    assert course.state.status is Status.ROLLING_BACK


def test_two_people_do_not_start_two_rollbacks() -> None:
    course = live()
    course.do(moves.roll_back, "v1.1.0", "slow", "", who=OMAR)
    refusal = refused(course, moves.roll_back, "v1.0.0", "very slow", "")
    assert (refusal.code, refusal.by) == (Code.ROLLING_BACK, "omar")


@pytest.mark.parametrize(
    ("move", "args"),
    [
        (moves.tick, ("switch",)),
        (moves.untick, ("tests",)),
        (moves.excuse, ("switch", "because")),
        (moves.advance, ()),
        (moves.deployed, ()),
        (moves.accept, ("t30", 0, "because")),
        (moves.cancel, ("because",)),
    ],
)
@pytest.mark.parametrize("begun", [ready, live])
def test_while_it_is_rolled_back_the_run_is_on_hold(
    begun: Callable[[], Course], move: Callable[..., list[e.Event]], args: tuple[str | int, ...]
) -> None:
    course = begun()
    course.do(moves.roll_back, "v1.1.0", "slow", "", who=OMAR)
    refusal = refused(course, move, *args)
    assert (refusal.code, refusal.by) == (Code.ROLLING_BACK, "omar")


def test_open_items_of_the_rollback_list_do_not_hold_it_up() -> None:
    course = live()
    course.do(moves.roll_back, "v1.1.0", "slow", "")
    course.pass_time(minutes=4)
    course.do(moves.rolled_back, " System stable ")
    assert course.state.status is Status.ROLLED_BACK
    assert course.state.rolled_back is not None
    assert course.state.rolled_back.status == "System stable"
    assert course.state.ended_at == course.now
    course.tick("switch-back")  # may still be ticked, for the record


def test_nothing_is_rolled_back_that_no_rollback_was_started_for() -> None:
    assert refused(live(), moves.rolled_back, "fine").code is Code.NOT_ROLLING_BACK


def test_it_is_rolled_back_once() -> None:
    course = live()
    course.do(moves.roll_back, "v1.1.0", "slow", "")
    course.do(moves.rolled_back, "fine")
    assert refused(course, moves.rolled_back, "fine").code is Code.ENDED
    assert refused(course, moves.roll_back, "v1.0.0", "slow", "").code is Code.ENDED


def test_before_t0_it_can_be_cancelled_with_a_reason() -> None:
    course = ready()
    assert refused(course, moves.cancel, "").code is Code.REASON_NEEDED
    course.do(moves.cancel, "wrong version")
    assert (course.state.status, course.state.ended_at) == (Status.CANCELLED, course.now)
    assert refused(course, moves.cancel, "again").code is Code.ENDED


def test_after_t0_there_is_only_the_rollback() -> None:
    assert refused(live(), moves.cancel, "too late").code is Code.CANNOT_CANCEL


@pytest.mark.parametrize(
    ("move", "args"),
    [(moves.tick, ("tests",)), (moves.advance, ()), (moves.deployed, ()), (moves.roll_back, ("v1", "because", ""))],
)
def test_what_has_been_cancelled_is_over(move: Callable[..., list[e.Event]], args: tuple[str, ...]) -> None:
    course = shop()
    course.do(moves.cancel, "no")
    assert refused(course, move, *args, who=ALL).code is Code.ENDED


def test_a_second_click_on_the_item_that_ended_it_changes_nothing() -> None:
    course = Course(plan("# One\n- [ ] a"))
    course.do(moves.deployed)
    course.tick("a")
    assert course.state.status is Status.STABLE
    assert course.do(moves.tick, "a") == []
