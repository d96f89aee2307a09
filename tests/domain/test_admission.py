"""From waiting to running: approvals, the go, being held."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import events as e
from bot.domain.admission import (
    ASK_AGAIN,
    SHORTLY,
    approve,
    approvers,
    come_due,
    drop_approvals,
    go,
    lacking,
    reschedule,
    same_person,
    when_due,
)
from bot.domain.deployment import Deployment, Status, evolve, replay
from bot.domain.errors import Code, Refused
from bot.domain.moves import cancel, deployed, roll_back, tick
from bot.domain.people import GONOGO, Who
from tests.domain.runs import ANN, START, plan

TEXT = "# Before\n- [ ] a\n- [ ] signed\n# Switch\n- [ ] b\n"
YAML = """
phases: {Switch: {deployed: true}}
items: {signed: {role: qa}}
people: {lead: {slack: U1, discord: "7"}}
"""
PLAN = plan(TEXT, YAML)
HOUR = timedelta(hours=1)
OPEN = e.Decision(asked=START, open=True)
CLOSED = e.Decision(
    asked=START, open=False, next_open=START + 5 * HOUR,
    causes=(e.Cause(code="freeze", text="sale", source="x", until=START + 5 * HOUR),),
)  # fmt: skip
HELD = e.Decision(asked=START, open=True, lock="v1 is being deployed")


def who(name: str, *roles: str, chat: str = "web") -> Who:
    return Who(chat=chat, id=name, name=name, roles=frozenset(roles))


def waiting(*approvals: e.Approvals, planned: timedelta | None = None) -> Deployment:
    return replay(
        [
            e.Started(
                at=START, by=ANN, id="d1", version="v2", service="shop", environment="production", checklist="shop",
                digest="0", waits=True, approvals=approvals, planned_t0=START + planned if planned else None,
            ),
            e.PhaseOpened(at=START, by=ANN, phase="p0"),
        ]
    )  # fmt: skip


TWO = e.Approvals(role="lead", count=2, expires=3600)


def test_two_different_people_of_the_role_are_needed() -> None:
    state = waiting(TWO)
    state = evolve(state, approve(PLAN, state, who("bo", "lead"), START))
    assert approve(PLAN, state, who("bo", "lead"), START) == [], "the same person twice is one"
    assert [needed.count for needed in lacking(state, START)] == [1]
    state = evolve(state, approve(PLAN, state, who("cy", "lead"), START))
    assert lacking(state, START) == []


def test_an_approval_expires_and_can_be_given_anew() -> None:
    state = waiting(TWO)
    state = evolve(state, approve(PLAN, state, who("bo", "lead"), START))
    later = START + HOUR
    assert approvers(state, TWO, later - timedelta(seconds=1)) != []
    assert approvers(state, TWO, later) == []
    state = evolve(state, approve(PLAN, state, who("bo", "lead"), later))
    assert approvers(state, TWO, later) == [who("bo", "lead")]


def test_nobody_approves_what_they_asked_for() -> None:
    with pytest.raises(Refused) as refused:
        approve(PLAN, waiting(TWO), ANN.model_copy(update={"roles": frozenset({"lead"})}), START)
    assert refused.value.code is Code.OWN_APPROVAL


def test_one_person_on_two_chats_is_one_person() -> None:
    slack, discord = who("U1", "lead", chat="slack"), who("7", "lead", chat="discord")
    assert same_person(PLAN, slack, discord)
    state = waiting(TWO)
    state = evolve(state, approve(PLAN, state, slack, START))
    assert approve(PLAN, state, discord, START) == []


def test_who_does_not_hold_the_role_is_told_whose_it_is() -> None:
    with pytest.raises(Refused) as refused:
        approve(PLAN, waiting(TWO), who("di", "qa"), START)
    assert (refused.value.code, refused.value.roles) == (Code.NOT_ENTITLED, ("lead",))


def test_what_needs_no_approval_cannot_be_approved() -> None:
    with pytest.raises(Refused) as refused:
        approve(PLAN, waiting(), who("bo", "lead"), START)
    assert refused.value.code is Code.NO_APPROVAL_NEEDED


def test_another_time_takes_approvals_and_sign_offs_back() -> None:
    state = waiting(TWO, planned=HOUR)
    state = evolve(state, approve(PLAN, state, who("bo", "lead"), START))
    signed = PLAN.steps[0].tasks[1].id
    state = evolve(state, tick(PLAN, state, signed, who("quinn", "qa"), START))
    state = evolve(state, reschedule(PLAN, state, START + 2 * HOUR, ANN, START))
    assert state.planned_t0 == START + 2 * HOUR
    assert not state.approved
    assert signed not in state.marks


def test_nothing_to_take_back_is_no_fact() -> None:
    assert drop_approvals(PLAN, waiting(TWO), "changed", GONOGO, START) == []


def test_without_its_approvals_it_does_not_go() -> None:
    with pytest.raises(Refused) as refused:
        go(PLAN, waiting(TWO), OPEN, ANN, START)
    assert refused.value.code is Code.NOT_APPROVED


def test_before_its_go_it_is_neither_deployed_nor_rolled_back_and_can_be_cancelled() -> None:
    state = waiting(planned=HOUR)
    for move in (
        lambda: deployed(PLAN, state, ANN, START),
        lambda: roll_back(PLAN, state, "v1", "bad", "", ANN, START),
    ):
        with pytest.raises(Refused) as refused:
            move()
        assert refused.value.code is Code.WAITS
    assert evolve(state, cancel(PLAN, state, "not today", ANN, START)).status is Status.CANCELLED


def test_an_open_gate_at_the_planned_time_asks_for_the_go() -> None:
    state, due = waiting(planned=HOUR), START + HOUR
    assert when_due(PLAN, state, START) == due
    (asked,) = come_due(PLAN, state, due, OPEN, due)
    assert isinstance(asked, e.GoAsked)
    state = evolve(state, [asked])
    assert when_due(PLAN, state, due) is None
    assert evolve(state, go(PLAN, state, OPEN, ANN, due)).status is Status.RUNNING


def test_a_closed_gate_holds_it_until_the_gate_opens() -> None:
    state, due = waiting(planned=HOUR), START + HOUR
    (held,) = come_due(PLAN, state, due, CLOSED, due)
    assert isinstance(held, e.Held)
    assert held.again == START + 5 * HOUR
    assert when_due(PLAN, evolve(state, [held]), due) == START + 5 * HOUR


def test_where_nobody_knows_the_end_it_is_asked_again_soon() -> None:
    due = START + HOUR
    unknown = CLOSED.model_copy(update={"next_open": None, "causes": (e.Cause(code="unknown", text="x", source="x"),)})
    (held,) = come_due(PLAN, waiting(planned=HOUR), due, unknown, due)
    assert isinstance(held, e.Held)
    assert held.again == due + ASK_AGAIN


def test_another_one_in_the_way_holds_it_for_a_moment() -> None:
    due = START + HOUR
    (held,) = come_due(PLAN, waiting(planned=HOUR), due, HELD, due)
    assert isinstance(held, e.Held)
    assert held.again == due + SHORTLY


def test_one_that_only_waited_for_approvals_goes_by_itself() -> None:
    state = waiting(e.Approvals(role="lead"))
    assert when_due(PLAN, state, START) is None
    state = evolve(state, approve(PLAN, state, who("bo", "lead"), START + HOUR))
    assert when_due(PLAN, state, START) == START + HOUR
    (admitted,) = come_due(PLAN, state, START + HOUR, OPEN, START + HOUR)
    assert isinstance(admitted, e.Admitted)


def test_a_question_that_is_out_of_date_is_dropped() -> None:
    state = waiting(planned=HOUR)
    state = evolve(state, reschedule(PLAN, state, START + 2 * HOUR, ANN, START))
    assert come_due(PLAN, state, START + HOUR, OPEN, START + HOUR) == []


def test_what_is_being_rolled_back_cannot_go() -> None:
    state = evolve(waiting(), go(PLAN, waiting(), OPEN, ANN, START))
    assert go(PLAN, state, OPEN, ANN, START) == [], "it is so already"
    state = evolve(state, roll_back(PLAN, state, "v1", "slow", "", who("omar"), START))
    with pytest.raises(Refused) as why:
        go(PLAN, state, OPEN, ANN, START)
    assert (why.value.code, why.value.by) == (Code.ROLLING_BACK, "omar")


GATES = st.sampled_from([OPEN, CLOSED, HELD])


@given(
    st.lists(
        st.tuples(st.sampled_from(["approve bo", "approve cy", "approve ann", "go", "due", "later"]), GATES),
        max_size=25,
    )
)
def test_it_never_runs_without_two_other_people_and_an_open_gate(steps: list[tuple[str, e.Decision]]) -> None:
    state, now = waiting(TWO, planned=HOUR), START
    facts: list[e.Event] = []
    for step, gate in steps:
        new: list[e.Event] = []
        try:
            if step.startswith("approve"):
                name = step.partition(" ")[2]
                new = approve(PLAN, state, ANN if name == "ann" else who(name, "lead"), now)
            elif step == "go" and gate.open and not gate.lock:
                new = go(PLAN, state, gate, ANN, now)
            elif step == "due" and (due := when_due(PLAN, state, now)) is not None and due <= now:
                new = come_due(PLAN, state, due, gate, now)
            elif step == "later":
                now += timedelta(minutes=20)
        except Refused:
            continue
        if any(isinstance(fact, e.Admitted) for fact in new):
            assert len({fact.by.id for fact in state.approved.values() if now - fact.at < HOUR} - {ANN.id}) == 2
            assert gate.open
            assert not gate.lock
        state = evolve(state, new)
        facts += new
    assert (state.status is Status.RUNNING) == any(isinstance(fact, e.Admitted) for fact in facts)
