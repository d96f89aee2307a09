"""What the watch says: what is asked again, what flaps, who is called, until when it is to be decided."""

from __future__ import annotations

from dataclasses import replace

from bot.cards import card as c
from bot.cards.admission import notices
from bot.cards.announcement import announcement_text
from bot.cards.said import announcement_card
from bot.cards.workflows import by_hand
from bot.domain import events as e
from bot.domain import moves
from checklists.plan import Plan
from checklists.policy import Announcement
from tests.cards.drawn import buttons, lines, main, posted, view
from tests.domain.runs import ALL, GONOGO, Course, live, plan, shipped

TEXT = "# Deploy\n- [ ] switch\n# After\n- [ ] no complaints\n- [ ] logs are quiet\n# Back\n- [ ] back\n"
POLICY = """
phases: {Deploy: {deployed: true}, Back: {kind: rollback}}
probes:
  error_rate: {say: Error rate, prometheus: x, unit: ratio}
  p95: {prometheus: y, unit: s}
  slower: {say: Response time against normal, baseline: p95}
watch:
  - {at: T+0, name: First minutes, every: 1m, for: 20m, measure: {error_rate: "< 1%"}}
  - at: T+30m
    name: 30-minute check
    phase: After
    measure: {error_rate: "< 1%"}
    failures: 3
    inconclusive: 2
    then: announce succeeded
rollback: {within: 15m}
escalation: [on_call, lead]
"""
BAD, GOOD, UNKNOWN, SLOW = e.Verdict.FAILING, e.Verdict.HEALTHY, e.Verdict.INCONCLUSIVE, e.Verdict.DEGRADED
SIGNS = {"b": BAD, "g": GOOD, "?": UNKNOWN, "d": SLOW}


def watched(signs: str = "") -> Course:
    course = live(TEXT, POLICY, Back="rollback")
    course.tick("switch")
    for sign in signs:
        course.ring_all(SIGNS[sign])
        course.pass_time(minutes=1)
    return course


def at_thirty(verdict: e.Verdict = GOOD, **more: object) -> Course:
    course = watched("g" * 21)
    course.pass_time(minutes=9)
    check = course.plan.checks[1]
    (due,) = course.state.due_times(check)
    facts: list[e.Event] = [course.result(check, due, verdict).model_copy(update=more)]
    course.add([*facts, e.PhaseOpened(at=course.now, by=GONOGO, phase="p1", due=due)])
    return course


def of_series(course: Course) -> list[c.Card]:
    return [card for name, card in posted(course).items() if name.startswith("check:t0s")]


def told(course: Course) -> list[c.Card]:
    """The messages that the newest facts lead to."""
    return [card for fact in course.events for _, card, _ in notices(course.plan, view(course), fact)]


# --- flapping ---------------------------------------------------------------------------------------------------------


def test_what_flaps_calls_once_and_stays_in_its_message() -> None:
    course = watched("gbgbgbg")
    cards = of_series(course)
    assert [card.title for card in cards] == [
        "✅ First minutes check: healthy",
        "🔴 First minutes check: failing",
        "✅ First minutes check: healthy",
    ]
    assert [card.mentions for card in cards] == [(), ("on_call",), ()]
    assert lines(cards[-1])[0] == "5 measurements from 10:06 to 10:10, and it changed 4 times; the latest:"


def test_the_messages_of_a_series_only_grow() -> None:
    signs = "ggbbgb??dgbgb"
    before: list[str] = []
    for end in range(1, len(signs) + 1):
        now = [name for name in posted(watched(signs[:end])) if name.startswith("check:")]
        assert now[: len(before)] == before
        before = now


def test_what_gets_worse_calls_again_and_what_stays_as_bad_does_not() -> None:
    assert [card.mentions for card in of_series(watched("gdb"))] == [(), ("on_call",), ("on_call",)]
    assert [card.mentions for card in of_series(watched("gbd"))] == [(), ("on_call",), ()]


def test_what_could_not_be_told_calls_once_for_each_check() -> None:
    assert [card.mentions for card in of_series(watched("g?g"))] == [(), ("on_call",), ()]
    course = watched("?b?")
    assert [card.mentions for card in of_series(course)] == [("on_call",), ("on_call",), ()]


# --- what is asked again ----------------------------------------------------------------------------------------------


def test_the_card_says_how_often_it_failed_and_when_it_is_asked_again() -> None:
    course = watched("g" * 21)
    course.pass_time(minutes=9)
    course.ring("check:t30:0", BAD)
    assert "30-minute check: failing 1 of 3, asked again 10:35" in main(course)
    assert "check:t30:0" not in posted(course)
    course.pass_time(minutes=1)
    course.ring("check:t30:0:again:1", UNKNOWN)
    assert "30-minute check: inconclusive 1 of 2, asked again 10:36" in main(course)
    course.pass_time(minutes=1)
    course.ring("check:t30:0:again:2", UNKNOWN)
    assert not [line for line in main(course) if "asked again" in line]
    card = posted(course)["check:t30:0"]
    assert card.title == "❔ 30-minute check: inconclusive"
    assert "Asked 3 times until it was decided: failing, inconclusive, then this." in lines(card)


# --- unknown, and what is the on-call's -------------------------------------------------------------------------------


def test_what_could_not_be_told_says_why() -> None:
    card = posted(at_thirty(UNKNOWN, why="too little to tell by: 3 requests, more than 100 needed"))["check:t30:0"]
    assert lines(card)[0] == "It could not be told: too little to tell by: 3 requests, more than 100 needed."
    assert buttons(card) == ["Check again", "Go on, with a reason…", "Roll back…"]


def test_the_items_of_a_check_are_the_on_calls() -> None:
    course = at_thirty()
    card = posted(course)["check:t30:0"]
    assert card.mentions == ("on_call",)
    assert lines(card) == ["2 items are yours: no complaints; logs are quiet."]
    course.tick("no-complaints")
    assert lines(posted(course)["check:t30:0"]) == ["1 item is yours: logs are quiet."]
    course.tick("logs-are-quiet")
    assert lines(posted(course)["check:t30:0"]) == []


def test_a_reminder_names_the_items_and_the_last_one_says_so() -> None:
    course = at_thirty()
    for _ in range(4):
        course.go(minutes=30)
    reminders = [card for card in told(course) if card.mentions == ("on_call",)]
    assert [card.text for card in reminders][:1] == [
        "⏰ 2 items of the 30-minute check of shop v1.2.0 → production are still open: no complaints; logs are quiet. "
        "Tick what is true, or say why it does not apply."
    ]
    assert len(reminders) == 4
    assert reminders[-1].text.endswith(
        "This is the last reminder: until that is done, shop → production stays taken, and no other deployment starts."
    )


def test_who_is_called_when_nobody_decides_can_decide_there() -> None:
    course = at_thirty(UNKNOWN, why="no data for Error rate")
    course.tick("no-complaints", "logs-are-quiet")
    course.go(minutes=15)
    (card,) = told(course)
    assert card.mentions == ("lead",)
    assert card.text == (
        "❔ The 30-minute check of shop v1.2.0 → production could not be told: no data for Error rate. "
        "Nobody has decided for 15 m: measure again, go on with a reason, or roll back."
    )
    assert buttons(card) == ["Check again", "Go on, with a reason…", "Roll back…"]


# --- baselines --------------------------------------------------------------------------------------------------------


def test_times_normal_is_shown_with_both_numbers() -> None:
    detail = "420ms, 200ms in the hour before T0"
    measured = e.Measurement(
        name="slower", outcome=e.Outcome.MEASURED, value=2.1, dimension="times normal", detail=detail
    )
    judged = (e.Judged(measurement=measured, target="< 2 x", verdict=SLOW),)
    card = posted(at_thirty(SLOW, judged=judged))["check:t30:0"]
    fact = c.Fact("Response time against normal", f"2.1 x ({detail})", "< 2 x", False)
    assert c.Facts((fact,)) in card.blocks


# --- a rollback by itself ---------------------------------------------------------------------------------------------

AUTOMATIC = POLICY.replace(
    "rollback: {within: 15m}", 'rollback: {alert: {error_rate: "> 5%"}, lasting: 5m, mode: automatic}'
)
WORKFLOW = "pipeline: {rollback: {workflow: rollback.yml}}\n"


def rolls_back(plan: Plan) -> tuple[list[str], str, str]:
    """What is said of a rollback by itself: the messages before it, on the card meanwhile, and when it begins."""
    course = Course(plan)
    course.to_t0()
    for _ in range(5):
        course.ring_all(BAD)
        course.pass_time(minutes=1)
    before = [card.text for card in told(course) if card.text.startswith("⏳")]
    (meanwhile,) = [line for line in main(course) if "rollback" in line or "Rolls back" in line]
    course.ring_all(BAD)
    started = course.state.announced[Announcement.ROLLBACK_STARTED]
    said = announcement_card(started, course.state.started, hands=by_hand(plan))
    return before, meanwhile, said.text


def test_a_rollback_that_a_workflow_carries_out_comes_by_itself() -> None:
    before, meanwhile, begun = rolls_back(plan(TEXT, AUTOMATIC + WORKFLOW, Back="rollback"))
    assert [text.partition(": ")[0] for text in before] == [
        "⏳ shop v1.2.0 → production rolls back to v1.1.0 by itself at 10:09"
    ]
    assert meanwhile.startswith("Rolls back by itself at 10:09: ")
    assert "only calls" not in begun


def test_without_a_workflow_it_is_said_everywhere_that_gonogo_only_calls_the_rollback() -> None:
    before, meanwhile, begun = rolls_back(plan(TEXT, AUTOMATIC, Back="rollback"))
    assert [text.partition(": ")[0] for text in before] == [
        "⏳ gonogo calls a rollback of shop v1.2.0 → production to v1.1.0 at 10:09"
    ]
    assert before[0].endswith(". It only calls: somebody must roll back by hand.")
    assert meanwhile.startswith("gonogo calls a rollback at 10:09: ")
    assert meanwhile.endswith(". It only calls: somebody must roll back by hand")
    assert begun.endswith("\ngonogo only calls this rollback: somebody must roll back by hand.")


def test_where_there_are_commands_in_the_thread_they_are_pointed_at() -> None:
    assert by_hand(shipped("azora")) == "somebody must run the commands in the thread"
    assert by_hand(shipped("petforce")) == "", "its workflow does it"


# --- a newer one, the limit, the recovery -----------------------------------------------------------------------------


def test_the_start_of_a_newer_one_is_marked() -> None:
    course = at_thirty()
    course.add([e.NewerStarted(at=course.now, by=GONOGO, id="d2", version="v1.3.0")])
    assert "The deployment of v1.3.0 began 10:34: what is measured since may be its doing" in main(course)


def test_the_card_counts_down_to_the_limit() -> None:
    course = watched("gb")
    assert "Roll back or decide by 10:20, 14 m left" in main(course)
    course.pass_time(minutes=14)
    assert "Roll back or decide by 10:20, which is over" in main(course)


def test_while_rolling_back_it_is_told_since_when_all_is_well_and_that_this_proves_nothing_yet() -> None:
    course = watched("gb")
    course.do(moves.roll_back, "v1", "errors", "", who=ALL)

    def look(verdict: e.Verdict) -> list[str]:
        course.pass_time(minutes=1)
        measured = e.Measurement(name="error_rate", outcome=e.Outcome.MEASURED, value=0.001, dimension="ratio")
        judged = (e.Judged(measurement=measured, verdict=verdict),)
        course.add([e.Watched(at=course.now, by=GONOGO, due=course.now, breach=False, judged=judged)])
        return [line for line in main(course) if "Measured well" in line]

    assert look(BAD) == []
    told = ["Measured well since 10:08: not taken for the old version yet"]
    assert look(GOOD) == told
    assert look(GOOD) == told
    assert look(UNKNOWN) == []


def test_the_time_to_recover_is_recorded() -> None:
    course = watched("gb")
    course.do(moves.roll_back, "v1", "errors", "", who=ALL)
    course.pass_time(minutes=11)
    course.do(moves.rolled_back, "ok", who=ALL)
    assert main(course)[1] == "Rolled back to v1 at Tue 24 Nov 10:17, 12 m after the issue was found: errors"
    template = {Announcement.ROLLED_BACK: "Recovered in {{ time_to_recover }}"}
    plan = replace(course.plan, policy=course.plan.policy.model_copy(update={"templates": template}))
    said = announcement_text(plan, course.state, Announcement.ROLLED_BACK, course.now)
    assert said == "Recovered in 12 minutes"


def test_a_second_issue_has_messages_of_its_own() -> None:
    course = watched("b")
    keys = []
    for number in (1, 2):
        course.state.announced[Announcement.ISSUE] = e.Announced(
            at=course.now, by=GONOGO, announcement=Announcement.ISSUE, number=number
        )
        acknowledged = e.Acknowledged(at=course.now, by=GONOGO)
        for fact in (acknowledged, e.Escalated(at=course.now, by=GONOGO, role="lead", level=1)):
            keys += [key for key, _, _ in notices(course.plan, view(course), fact)]
    assert keys == ["acknowledged", "escalated-1", "acknowledged-2", "escalated-1-2"]
