"""The items and the checks in the thread."""

from __future__ import annotations

from bot.cards import card as c
from bot.cards.items import ROWS_PER_MESSAGE
from bot.cards.words import plain
from bot.domain import events as e
from bot.domain import moves
from tests.cards.drawn import buttons, lines, live, posted, ready, rows, shop
from tests.domain.runs import ALL, ANN, OMAR, QUINN, Course, plan, shipped

# --- items ------------------------------------------------------------------------------------------------------------


def test_an_item_says_who_ticked_it_and_when() -> None:
    course = shop()
    course.tick("tests", who=ANN)
    course.pass_time(minutes=3)
    course.do(moves.excuse, "flags-optional", "no flags", who=QUINN)
    course.do(moves.note, "tests", "twice", who=OMAR)
    found = rows(posted(course)["phase:p0:0"])
    assert found["tests"].status == "ann 10:04"
    assert plain(found["flags-optional"].status) == "quinn 10:07: not applicable, no flags"
    assert [plain(hint) for hint in found["tests"].hints] == ["📝 omar 10:07: twice"]
    assert [button.label for button in found["tests"].buttons] == ["Undo", "Note…"]
    assert [button.label for button in found["sign-off"].buttons] == ["Tick", "Not applicable…", "Note…"]
    assert found["sign-off"].hints == ("sign-off: QA",)


def test_an_item_says_what_ticks_it_and_when_it_is_expected() -> None:
    course = live(minutes=30)
    cards = posted(course)
    assert rows(cards["phase:p1:0"])["switch"].hints == ("ticks itself when measured healthy",)
    assert rows(cards["phase:p2:0"])["look"].hints == ("not expected before 12:04",)


def opened_by_clock(items: str, watch: str, minutes: int = 30) -> Course:
    """A deployment in production whose last phase, with one item, the clock has opened after 30 minutes."""
    text = "# Deploy\n- [ ] switch\n# After\n- [ ] look\n"
    yaml = f"phases: {{Deploy: {{deployed: true}}, After: {{opens: T+30m}}}}\nitems: {{look: {{{items}}}}}\n" + watch
    course = Course(plan(text, yaml + 'probes: {health: {http: "https://example.org"}}\n'))
    course.to_t0()
    course.tick_all()
    course.pass_time(minutes=30)
    course.ring_all()
    course.pass_time(minutes=minutes - 30)
    return course


OWN_CHECK = "watch: [{at: T+30m, probes: [health], phase: After, then: announce succeeded}]\n"
ASKED = "Due 10:34. Please tick what is true, or say why it does not apply."


def test_a_phase_the_clock_opened_calls_the_on_call_and_says_when_it_was_due() -> None:
    card = posted(opened_by_clock("", ""))["phase:p1:0"]
    assert (card.mentions, lines(card)) == (("on_call",), [ASKED])
    assert card.text == "After: 1 item to do. look"


def test_a_phase_whose_check_runs_with_it_leaves_the_call_to_that() -> None:
    cards = posted(opened_by_clock("", OWN_CHECK))
    assert (cards["phase:p1:0"].mentions, cards["check:t30:0"].mentions) == ((), ("on_call",))
    assert lines(cards["phase:p1:0"]) == [ASKED]


def test_nobody_is_called_for_what_ticks_itself_or_is_not_expected_yet() -> None:
    for items in ("probe: health", "due: T+2h"):
        cards = posted(opened_by_clock(items, OWN_CHECK))
        assert (cards["phase:p1:0"].mentions, lines(cards["phase:p1:0"])) == ((), ["Due 10:34."])
        assert (cards["check:t30:0"].mentions, lines(cards["check:t30:0"])) == ((), [])


def test_what_did_not_tick_itself_is_put_to_people_a_minute_later() -> None:
    cards = posted(opened_by_clock("probe: health", OWN_CHECK, minutes=31))
    assert lines(cards["phase:p1:0"]) == [ASKED]
    assert lines(cards["check:t30:0"]) == ["1 item is yours: look."]


def test_a_sign_off_calls_its_role() -> None:
    assert posted(shop())["phase:p0:0"].mentions == ("qa",)


def test_a_complete_phase_says_so_and_keeps_only_notes() -> None:
    course = ready()
    card = posted(course)["phase:p0:0"]
    assert (card.text, card.tone) == ("Before: complete.", c.Tone.GOOD)
    assert {button.label for row in rows(card).values() if row.status for button in row.buttons} == {"Note…"}


def test_while_it_is_rolled_back_the_items_of_the_run_have_no_buttons() -> None:
    course = live()
    course.do(moves.roll_back, "v1", "slow", "")
    cards = posted(course)
    assert all(row.buttons == () for row in rows(cards["phase:p1:0"]).values())
    assert rows(cards["phase:p3:0"])["switch-back"].buttons


def test_a_rollback_that_is_only_read_is_not_said_to_be_done() -> None:
    course = Course(shipped("maishapoa"))
    course.do(moves.roll_back, "v1", "slow", "", who=ALL)
    read = [card for name, card in posted(course).items() if "rollback-commands" in name]
    assert [(card.text, card.tone) for card in read] == [("Rollback Commands (Keep Ready): to read.", c.Tone.BAD)]
    assert any(isinstance(block, (c.Verbatim, c.Code)) for block in read[0].blocks)


def test_eight_hundred_items_are_split_and_each_stands_in_one_message() -> None:
    text = "# Long\n" + "".join(
        f"## Part {part}\n" + "".join(f"- [ ] item {part}.{n}\n" for n in range(80)) for part in range(10)
    )
    course = Course(plan(text))
    messages = [card for name, card in posted(course).items() if name.startswith("phase:")]
    ids = [row for card in messages for row in rows(card)]
    assert len(ids) == len(set(ids)) == 800
    assert all(len(rows(card)) <= ROWS_PER_MESSAGE for card in messages)
    assert messages[0].title == f"Long (1 of {len(messages)})"
    assert messages[0].text.startswith("Long (1 of 40): 800 items to do. item 0.0; item 0.1;")
    before = [sorted(rows(card)) for card in messages]
    course.tick(*ids[:30])
    assert [sorted(rows(card)) for name, card in posted(course).items() if name.startswith("phase:")] == before


# --- checks -----------------------------------------------------------------------------------------------------------


def result(course: Course, check: str, verdict: e.Verdict, **more: object) -> None:
    known = course.plan.check(check)
    assert known is not None
    due = course.state.due_times(known)[0]
    course.add([course.result(known, due, verdict).model_copy(update=more)])


def test_a_late_check_says_how_late_it_is() -> None:
    course = live()
    course.pass_time(minutes=77)
    result(course, "t30", e.Verdict.HEALTHY, late_seconds=47 * 60)
    card = posted(course)["check:t30:0"]
    assert card.title == "✅ 30-minute check: healthy"
    assert lines(card)[0] == "Ran 47 m late: due 10:34, asked as of then."
    assert card.text.startswith("shop v1.2.0 → production, 30-minute check: healthy. Ran 47 m late")


def test_a_check_shows_its_numbers_its_severity_and_what_can_be_done() -> None:
    course = live()
    course.pass_time(minutes=30)
    measured = e.Measurement(name="error_rate", outcome=e.Outcome.MEASURED, value=0.072, dimension="ratio")
    judged = (e.Judged(measurement=measured, target="< 1%", verdict=e.Verdict.FAILING),)
    result(course, "t30", e.Verdict.FAILING, judged=judged, severity="High", action="Roll back", within="<15 min")
    card = posted(course)["check:t30:0"]
    assert (card.title, card.tone, card.mentions) == ("🔴 30-minute check: failing", c.Tone.BAD, ("on_call",))
    assert "High: Roll back (<15 min)" in lines(card)
    assert c.Facts((c.Fact("Error rate", "7.2%", "< 1%", False),)) in card.blocks
    assert buttons(card) == ["Check again", "Go on, with a reason…", "Roll back…"]
    assert card.text.endswith("Error rate 7.2% (target < 1%)")


def test_a_row_without_a_time_limit_has_no_empty_brackets() -> None:
    course = live()
    result(course, "t30", e.Verdict.FAILING, severity="High", action="Quick fix or rollback", within="")
    assert lines(posted(course)["check:t30:0"])[0] == "High: Quick fix or rollback"


def test_no_data_is_not_success() -> None:
    course = live()
    course.go(e.Verdict.INCONCLUSIVE, minutes=30)
    card = posted(course)["check:t30:0"]
    assert card.title == "❔ 30-minute check: inconclusive"
    assert lines(card)[0] == "No data is not success. Look for yourself, then decide with a reason, or ask again."


def test_a_decision_stands_on_the_check() -> None:
    course = live()
    course.go(e.Verdict.DEGRADED, minutes=30)
    course.do(moves.accept, "t30", 0, "a known slow query", who=OMAR)
    card = posted(course)["check:t30:0"]
    assert card.title == "☑️ 30-minute check: degraded, going on by decision"
    assert lines(card) == ["omar decided to go on: a known slow query"]
    assert buttons(card) == []


def test_a_check_says_which_items_stand_before_its_announcement() -> None:
    course = live(minutes=30)
    assert lines(posted(course)["check:t30:0"]) == ["Before “success” is announced, 1 item to tick: switch."]
    course.tick("switch")
    assert lines(posted(course)["check:t30:0"]) == []


def test_measured_again_is_said() -> None:
    course = live()
    course.go(e.Verdict.FAILING, minutes=30)
    course.pass_time(minutes=6)
    course.settle(decide=False)
    assert "Measured again at 10:40, asked for by ann." in lines(posted(course)["check:t30:0"])


def test_a_series_posts_anew_only_when_its_verdict_changes() -> None:
    course = live()
    course.go(minutes=1)
    course.go(e.Verdict.FAILING, minutes=1)
    course.go(minutes=3)
    cards = {name: card for name, card in posted(course).items() if name.startswith("check:t0s")}
    assert [card.title for card in cards.values()] == [
        "✅ First minutes check: healthy",
        "🔴 First minutes check: failing",
        "✅ First minutes check: healthy",
    ]
    assert lines(cards["check:t0s:2"]) == ["3 measurements from 10:07 to 10:09; the latest:"]
    assert [card.mentions for card in cards.values()] == [(), ("on_call",), ()]


def test_what_nothing_measures_is_for_people_to_judge() -> None:
    yaml = "phases: {One: {deployed: true}}\nwatch: [{at: T+30m, phase: Two, then: announce succeeded}]"
    course = Course(plan("# One\n- [ ] a\n# Two\n- [ ] b\n", yaml))
    course.do(moves.deployed)
    course.go(minutes=30)
    card = posted(course)["check:t30:0"]
    assert card.title == "❔ T+30 m check: for you to judge"
    assert buttons(card) == ["Go on, with a reason…", "Roll back…"]
    course.finish(decide=False)
    assert posted(course)["check:t30:0"].title == "✅ T+30 m check: judged by people"
