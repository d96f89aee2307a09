"""Refusals and answers: one clear sentence each, and what to do now."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.cards import card as c
from bot.cards import forms, replies, taken
from bot.cards.help import help_answer
from bot.cards.outline import outline_json
from bot.cards.refusals import refusal
from bot.cards.view import View
from bot.commands import USAGES
from bot.domain import events as e
from bot.domain import moves
from bot.domain.calendar import opening, rules_for
from bot.domain.errors import Code, Refused
from bot.domain.summary import DeploymentRow
from tests.domain.runs import ANN, OMAR, START, Course, plan, shipped

TWO = """
# Before
- [ ] tests
- [ ] sign-off
# Deploy
- [ ] switch
# After
- [ ] look
# Back
- [ ] back
# Later
- [ ] tidy
"""
POLICY = """
phases: {Deploy: {deployed: true}, After: {opens: T+30m}}
items: {sign-off: {role: qa}}
watch: [{at: T+30m, probes: [health], then: announce succeeded}]
"""


def shop(text: str = TWO, yaml: str = POLICY) -> Course:
    return Course(plan(text, yaml, Back="rollback", Later="follow-up"))


def live() -> Course:
    course = shop()
    course.to_t0()
    return course


def view(course: Course) -> View:
    return View(course.plan, course.state, course.now)


def told(answer: c.Answer) -> str:
    assert answer.card is not None
    return answer.card.text


def turned_away(course: Course, move: object, *args: object, who: object = ANN) -> str:
    with pytest.raises(Refused) as why:
        move(course.plan, course.state, *args, who, course.now)  # type: ignore[operator]
    return told(refusal(view(course), why.value))


def test_who_advances_too_early_is_told_exactly_what_is_missing() -> None:
    assert turned_away(shop(), moves.advance) == (
        "Not yet: “Before” still needs 2 items ticked or excused: • tests • sign-off (QA)"
    )
    course = shop()
    course.tick("sign-off")
    assert turned_away(course, moves.advance) == "Not yet: “Before” still needs 1 item ticked or excused: • tests"


def test_of_very_many_missing_items_the_first_are_named() -> None:
    course = Course(plan("# One\n" + "".join(f"- [ ] item {n}\n" for n in range(30))))
    said = turned_away(course, moves.advance)
    assert said.startswith("Not yet: “One” still needs 30 items ticked or excused: • item 0 ")
    assert said.endswith("• item 9 … and 20 more")


def test_a_phase_without_open_items_that_comes_first_is_named_with_the_way_on() -> None:
    course = shop()
    course.tick_all()
    assert turned_away(course, moves.deployed) == (
        "Not yet: “Before” comes first, and its items are done. Press Next phase, or type /deploy advance."
    )


def test_an_item_that_is_not_open_says_when_it_opens() -> None:
    assert turned_away(shop(), moves.tick, "switch") == (
        "“switch” belongs to “Deploy”, which is not open yet. Finish the phases before it first."
    )
    course = live()
    assert turned_away(course, moves.tick, "look") == (
        "“look” belongs to “After”, which is not open yet. It opens by itself 10:34."
    )
    assert turned_away(course, moves.tick, "back").endswith("It opens when a rollback is started.")
    assert turned_away(course, moves.tick, "tidy").endswith("It opens by itself after the deployment.")


def test_somebody_elses_item_says_whose_it_is() -> None:
    assert turned_away(shop(), moves.tick, "sign-off") == (
        "You cannot do that: “sign-off” is for QA to tick. Ask one of them."
    )
    restricted = shop(yaml=POLICY + "may: {rollback: [on_call, tech_lead]}")
    assert turned_away(restricted, moves.roll_back, "v1", "slow", "") == (
        "You cannot do that: this is for on-call or tech lead. Ask one of them."
    )


def test_what_is_over_says_how_it_ended_and_when() -> None:
    course = shop()
    course.do(moves.cancel, "no")
    assert turned_away(course, moves.advance) == (
        "shop v1.2.0 → production has ended (cancelled at Tue 24 Nov 10:04); its run can no longer be changed."
    )


def test_while_it_is_rolled_back_one_is_told_who_decided_it() -> None:
    course = live()
    course.do(moves.roll_back, "v1", "slow", "", who=OMAR)
    assert turned_away(course, moves.tick, "switch") == (
        "shop v1.2.0 → production is being rolled back since 10:04 by omar; its run is on hold. "
        "Press Rolled back… when the old version is back."
    )


def test_deployed_twice_says_by_whom_and_when_it_was() -> None:
    assert turned_away(live(), moves.deployed) == (
        "It was already marked deployed by ann at 10:04. The checks count from then."
    )


@pytest.mark.parametrize("code", list(Code))
def test_every_refusal_is_a_sentence(code: Code) -> None:
    course = live()
    step, task = course.plan.steps[0], course.plan.steps[0].tasks[0]
    bare, full = Refused(code), Refused(code, step=step, task=task, missing=[task], roles=["qa"], by="ann", at=START)
    for why in (bare, full):
        said = told(refusal(view(course), why))
        assert said[0].isupper() or said[0] == "“" or said.startswith("shop v1.2.0"), said
        assert said.rstrip()[-1] in ".…:" or said.endswith("tests"), said
        assert code.value not in said or " " in code.value or code in (Code.ENDED,), "no codes of ours"
        assert "None" not in said
        assert "_" not in said


# --- answers ----------------------------------------------------------------------------------------------------------


def test_a_start_says_what_was_assumed() -> None:
    course = shop()
    course.state.started = course.state.started.model_copy(update={"defaults": ("No windows.",)})
    found = opening(rules_for(course.plan.policy, "production"), course.now)
    said = told(replies.started(View(course.plan, course.state, course.now, found)))
    assert said == (
        "Started shop v1.2.0 → production. The card is in #deployments, the checklist in its thread: 3 phases, "
        "first “Before”. The window is open at all times. No policy beside the checklist: No windows"
    )


def test_who_starts_a_second_one_is_told_whose_the_first_is_and_what_to_do() -> None:
    assert told(taken.locked(view(shop()))) == (
        "shop v1.2.0 is already being deployed to production, started by ann 10:04. Phase 1 of 3: Before "
        "One at a time: join it in its thread, wait for its success, or end it with "
        "/deploy rollback shop or /deploy cancel shop."
    )


def test_after_t0_who_starts_another_one_is_told_what_its_success_waits_for() -> None:
    course = live()
    course.pass_time(days=4)
    assert told(taken.locked(view(course))) == (
        "shop v1.2.0 was deployed to production by ann Tue 24 Nov 10:04. Phase 2 of 3: Deploy Its success waits for "
        "people, 1 item is still open: switch. Tick it in its thread, or say why not. "
        "Or end it with /deploy rollback shop."
    )
    course.tick_all()
    assert "No item is open: its checks are still to pass" in told(taken.locked(view(course)))


def test_while_one_is_rolled_back_nobody_is_told_to_cancel_it() -> None:
    course = live()
    course.do(moves.roll_back, "v1", "slow", "", who=OMAR)
    said = told(taken.locked(view(course)))
    assert said.startswith("shop v1.2.0 is being rolled back in production. Rolling back to v1 since 10:04")
    assert said.endswith("press Rolled back… in its thread. It leaves a lock behind: lift that then.")


def test_a_version_that_is_none_is_shown_harmlessly() -> None:
    said = replies.bad_version("<!channel> " + "v" * 5_000)
    assert len(said) < 250
    assert "\\<\\!channel\\>" in said


def test_open_items_are_listed_with_their_buttons() -> None:
    course = shop()
    answer = replies.items(view(course))
    assert told(answer) == "shop v1.2.0 → production: 2 open items: tests; sign-off"
    course.tick_all()
    assert told(replies.items(view(course))) == "shop v1.2.0 → production. Phase 1 of 3: Before. No item is open"


def test_after_a_rollback_began_the_items_of_the_run_are_not_offered() -> None:
    course = live()
    course.do(moves.roll_back, "v1", "slow", "")
    assert told(replies.items(view(course))) == "shop v1.2.0 → production: 1 open item: back"


def row(service: str = "shop", *, live: bool = True, hours: int = 0, version: str = "v1.2.0") -> DeploymentRow:
    return DeploymentRow(
        id="d",
        service=service,
        environment="production",
        version=version,
        checklist=service,
        digest="",
        status="running" if live else "stable",
        locked=live,
        live=live,
        started_at=START + timedelta(hours=hours),
        started_by="ann",
        deployed_at=None,
        ended_at=None,
        revision=1,
    )


def test_running_deployments_are_listed_first() -> None:
    said = told(replies.listing([row("old", live=False, hours=2), row("new")], START + timedelta(hours=3)))
    assert said == (
        "Deployments. new v1.2.0 → production · running · started by ann 10:04 UTC. "
        "old v1.2.0 → production · stable · started by ann 12:04 UTC"
    )
    assert told(replies.listing([], START)) == "No deployments yet. Start one with /deploy start v1.2.0"


def test_of_several_the_asker_names_one() -> None:
    assert told(replies.which([row("a"), row("b")], "advance")) == (
        "Several deployments are running. Say which: • /deploy advance a production for v1.2.0 "
        "• /deploy advance b production for v1.2.0"
    )


def test_nothing_to_act_on_says_what_there_is() -> None:
    assert told(replies.none_running("", "")) == (
        "No deployment is running. Start one with /deploy start v1.2.0; /deploy list shows earlier ones."
    )
    assert told(replies.none_running("shop", "staging")).startswith("No deployment of shop staging is running.")


def test_a_freeze_says_when_why_and_how_it_is_removed() -> None:
    freeze = e.FreezeAdded(
        at=START, by=ANN, id="f1", words="x", start=START, end=START + timedelta(days=2), reason="year-end *sales*"
    )
    assert told(replies.freeze_added(freeze, "UTC", START)) == (
        "Freeze added. In force now, until Thu 26 Nov 10:04 (UTC): year-end *sales* · f1. "
        "It holds every service, in every environment but staging. Rollbacks stay possible. "
        "Remove it with /deploy freeze remove f1"
    )
    coming = freeze.model_copy(update={"start": START + timedelta(days=1), "service": "shop"})
    assert told(replies.freeze_added(coming, "UTC", START)).startswith(
        "Freeze added. Tomorrow 10:04 to Thu 26 Nov 10:04 (UTC) for shop: year-end *sales* · f1. It holds shop, in"
    )
    assert told(replies.no_such_freeze("`x`")) == "There is no freeze 'x'. /deploy freeze list shows those that stand."


def test_a_checklist_is_read_part_by_part() -> None:
    document = shipped("azora").checklist
    answer = replies.checklist(document, "azora")
    assert answer.card is not None
    reads = [button.action for block in answer.card.blocks if isinstance(block, c.Buttons) for button in block.buttons]
    assert reads
    for action in reads:
        part = replies.checklist_part(document, action.split(":", 2)[2]).card
        assert part is not None
        assert len(part.text) > len(part.title)


def test_a_part_with_a_very_long_name_is_found_again() -> None:
    document = plan("# " + "very " * 10 + "long\n- [ ] a\n").checklist
    action = f"read:{document.name}:{document.phases[0].id}"[:100]
    assert "no such part" not in told(replies.checklist_part(document, action.split(":", 2)[2]))


def test_help_lists_every_command_and_what_start_means_here() -> None:
    usages = [(usage.name, usage.arguments, usage.does) for usage in USAGES]
    answer = help_answer(usages, ["azora", "shop"], "shop", {})
    assert answer.card is not None
    said = [block.markdown for block in answer.card.blocks if isinstance(block, c.Text)]
    assert len(said) == len(USAGES) + 2
    assert said[-2] == (
        "Without a service, what starts, plans, locks or asks about a window means `shop`; every other command means "
        "the deployment that runs. There are also: azora."
    )
    assert said[-1] == "A LANE is one of the policy's `overrides`: no checklist has any."
    assert "`/deploy status [service]` · where a deployment stands" in said


# --- forms ------------------------------------------------------------------------------------------------------------


def test_forms_keep_the_limits_of_the_chats() -> None:
    course = live()
    course.tick_all()
    shown = view(course)
    task = course.plan.steps[0].tasks[0]
    for answer in (
        forms.excuse_form(shown, task),
        forms.note_form(shown, task),
        forms.accept_form(shown, "t30:0"),
        forms.rollback_form(shown, ("v1.1.0", "v1.0.0")),
        forms.rolled_back_form(shown),
        forms.cancel_form(shown),
        forms.start_form("v1.2.0", ("azora", "shop"), ("staging", "production")),
        forms.freeze_form("today"),
    ):
        form = answer.form
        assert form is not None
        assert len(form.title) <= 24, "the longest title of a Slack modal"
        assert len(form.action) <= 100
        assert len(form.submit) <= 24
        assert all(len(field.label) <= 45 for field in form.fields), "the longest label of a Discord field"
        assert len(form.fields) <= 5


def test_a_rollback_offers_the_version_that_ran_before() -> None:
    form = forms.rollback_form(view(live()), ("v1.1.0", "v1.0.0")).form
    assert form is not None
    assert form.fields[0].value == "v1.1.0"
    assert [option.value for option in form.fields[0].options] == ["v1.1.0", "v1.0.0"]


def test_the_outline_has_every_item_of_the_document() -> None:
    document = shipped("azora").checklist
    found = outline_json(document)
    items = [item for phase in found["phases"] for section in phase["sections"] for item in section["items"]]
    assert len(items) == 124
    assert set(items[0]) == {"id", "text", "line", "depth", "command", "notes", "checked"}
