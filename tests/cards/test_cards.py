"""The card, the items and the checks, as somebody reads them who opens the channel at 3 a.m."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cards import card as c
from bot.cards.codec import card_from_json, card_to_json
from bot.cards.deployment import deployment_card, slots
from bot.cards.items import ROWS_PER_MESSAGE
from bot.cards.view import View
from bot.cards.words import clock, code, count, plain, role_words, short
from bot.domain import events as e
from bot.domain import moves
from bot.domain.calendar import opening, rules_for
from bot.domain.people import GONOGO, Who
from tests.domain.runs import ALL, ANN, OMAR, QUINN, SHIPPED, START, Course, plan, shipped

SHOP = """
# Before
- [ ] tests
- [ ] sign-off
- [ ] flags (optional)
# Deploy
- [ ] switch
# After
- [ ] look
# Back
- [ ] switch back
"""
POLICY = """
windows: {production: ["tue-thu 10:00-14:00"]}
phases: {Deploy: {deployed: true}, After: {opens: T+30m}, Back: {kind: rollback}}
items: {sign-off: {role: qa}, switch: {probe: health}, look: {due: T+2h}}
probes: {health: {http: "https://example.org"}, error_rate: {say: Error rate, datadog: x, unit: ratio}}
watch:
  - {at: T+0, name: First minutes, every: 1m, for: 5m, probes: [health]}
  - {at: T+30m, name: 30-minute check, measure: {error_rate: "< 1%"}, phase: After, then: announce succeeded}
  - {at: T+2h, name: 2-hour check, measure: {error_rate: "< 1%"}}
  - {at: T+24h, name: 24-hour check, measure: {error_rate: "< 1%"}, then: announce stable}
"""


def shop(yaml: str = POLICY, text: str = SHOP, **more: object) -> Course:
    return Course(plan(text, yaml, Back="rollback"), **more)  # type: ignore[arg-type]


def view(course: Course) -> View:
    running = course.state.status.value == "running"
    rules = rules_for(course.plan.policy, course.plan.environment)
    return View(course.plan, course.state, course.now, opening(rules, course.now) if running else None)


def lines(card: c.Card) -> list[str]:
    """What the paragraphs of a card say."""
    return [plain(block.markdown) for block in card.blocks if isinstance(block, c.Text)]


def main(course: Course) -> list[str]:
    return lines(deployment_card(view(course)))


def buttons(card: c.Card) -> list[str]:
    return [button.label for block in card.blocks if isinstance(block, c.Buttons) for button in block.buttons]


def posted(course: Course) -> dict[str, c.Card]:
    return {slot.name: slot.card for slot in slots(view(course))}


def rows(card: c.Card) -> dict[str, c.ItemRow]:
    return {block.id: block for block in card.blocks if isinstance(block, c.ItemRow)}


def ready() -> Course:
    course = shop()
    course.tick("tests", "sign-off")
    course.do(moves.advance)
    return course


def live(**span: float) -> Course:
    course = ready()
    course.do(moves.deployed)
    if span:
        course.go(**span)
    return course


# --- the card ---------------------------------------------------------------------------------------------------------


def test_the_card_says_what_runs_where_it_stands_who_is_next_and_how_long_there_is() -> None:
    course = shop()
    course.tick("tests")
    card = deployment_card(view(course))
    assert card.title == "🚀 shop v1.2.0 → production"
    assert lines(card) == [
        "started by ann 10:04",
        "Phase 1 of 3: Before",
        "Next: sign-off (QA)",
        "Window open until Tue 24 Nov 14:00 UTC, 3 h 56 m left",
    ]
    assert [block for block in card.blocks if isinstance(block, c.Progress)] == [c.Progress(1, 4, "1 of 4")]
    assert buttons(card) == ["Next phase", "Roll back…", "Cancel…"]


def test_excused_items_are_counted_apart() -> None:
    course = shop()
    course.do(moves.excuse, "tests", "docs only")
    assert c.Progress(1, 4, "1 of 4 · 1 not applicable") in deployment_card(view(course)).blocks


def test_an_optional_item_counts_once_it_is_ticked() -> None:
    course = shop()
    course.tick("flags-optional")
    assert c.Progress(1, 5, "1 of 5") in deployment_card(view(course)).blocks


def test_when_all_items_are_done_the_card_says_what_to_press() -> None:
    course = shop()
    course.tick("tests", "sign-off")
    assert "Next: press Next phase" in main(course)
    course.do(moves.advance)
    assert "Next: switch (automatic)" in main(course)
    course.tick("switch")
    assert "Next: press Deployed when it is in production" in main(course)
    assert buttons(deployment_card(view(course))) == ["Deployed", "Roll back…", "Cancel…"]


def test_a_planned_deployment_shows_when_its_checks_will_be() -> None:
    course = shop(planned_t0=START + timedelta(hours=2))
    assert "Planned for 12:04 · checks 12:34 · 14:04 · tomorrow 12:04" in main(course)


def test_after_t0_the_card_shows_the_checks_that_are_to_come() -> None:
    course = live()
    assert main(course)[1:] == [
        "Phase 2 of 3: Deploy",
        "Next: switch (automatic)",
        "Deployed 10:04 by ann",
        "Checks 10:34 · 12:04 · tomorrow 10:04",
    ]
    course.tick("switch")
    assert main(course)[1:3] == ["Phase 3 of 3: After opens 10:34 by itself", "Deployed 10:04 by ann"]
    course.go(minutes=30)
    assert "Checks 12:04 · tomorrow 10:04" in main(course)


def test_success_is_on_the_card_while_it_is_still_watched() -> None:
    course = live(minutes=30)
    course.tick("switch")
    assert "Success announced 10:34; still watched" in main(course)
    assert deployment_card(view(course)).title.startswith("✅")


def test_what_is_not_healthy_is_on_the_card() -> None:
    course = live()
    course.go(e.Verdict.INCONCLUSIVE, minutes=30)
    assert main(course)[-1] == (
        "Not healthy: First minutes check inconclusive; 30-minute check inconclusive. What to do is in the thread."
    )


def test_an_end_says_its_date_for_the_card_is_read_on_other_days() -> None:
    course = live()
    course.finish()
    assert main(course) == ["started by ann Tue 24 Nov 10:04", "Stable since Wed 25 Nov 10:04: all checks passed."]
    assert buttons(deployment_card(view(course))) == []


def test_checks_that_people_decided_about_are_not_said_to_have_passed() -> None:
    course = live()
    course.tick("switch")
    course.go(minutes=29)
    course.go(e.Verdict.DEGRADED, minutes=1)
    course.do(moves.accept, "t30", 0, "known", who=ALL)
    course.finish()
    assert main(course)[1].endswith("all checks passed, 1 of them by somebody's decision.")


def test_without_checks_nothing_is_said_about_them() -> None:
    course = Course(plan("# One\n- [ ] a"))
    course.finish()
    assert main(course)[1] == "Stable since Tue 24 Nov 10:04: all items are done."


def test_a_rollback_is_told_from_its_beginning_to_its_end() -> None:
    course = live()
    course.do(moves.roll_back, "v1.1.0", "error rate at 7%", "fix it", who=OMAR)
    assert main(course)[1:] == [
        "Rolling back to v1.1.0 since 10:04, decided by omar: error rate at 7%",
        "Next: switch back",
    ]
    assert buttons(deployment_card(view(course))) == ["Rolled back…"]
    assert c.Progress(0, 1, "0 of 1") in deployment_card(view(course)).blocks
    course.tick("switch-back")
    assert "Next: press Rolled back… when the old version is back" in main(course)
    course.do(moves.rolled_back, "fine")
    assert main(course)[1:] == ["Rolled back to v1.1.0 at Tue 24 Nov 10:04: error rate at 7%", "2 items left open."]


def test_a_cancellation_and_a_successor_are_told() -> None:
    course = shop()
    course.do(moves.cancel, "wrong version", who=QUINN)
    assert main(course)[1:] == ["Cancelled by quinn at Tue 24 Nov 10:04: wrong version", "4 items left open."]
    other = live(minutes=30)
    other.tick("switch")
    other.add([e.Superseded(at=other.now, by=GONOGO, id="d2", version="v1.3.0")])
    assert main(other)[1] == "Superseded at Tue 24 Nov 10:34 by v1.3.0, which is watched now."


def test_times_are_in_the_zone_of_the_policy() -> None:
    course = shop(POLICY + "timezone: America/New_York\n")
    assert main(course)[0] == "started by ann 05:04"


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


def test_a_phase_the_clock_opened_calls_the_on_call_and_says_when_it_was_due() -> None:
    card = posted(live(minutes=30))["phase:p2:0"]
    assert card.mentions == ("on_call",)
    assert lines(card) == ["Due 10:34. Please tick what is true, or say why it does not apply."]
    assert card.text == "After: 1 item to do. look"


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


# --- whatever is in it ------------------------------------------------------------------------------------------------


def everything(course: Course) -> Iterator[c.Card]:
    """The cards of a deployment at many moments of its life."""
    yield from posted(course).values()
    course.to_t0()
    course.go(e.Verdict.FAILING, minutes=31)
    yield from posted(course).values()
    back = Course(course.plan)
    back.do(moves.roll_back, "v1.1.0", "slow", "", who=ALL)
    yield from posted(back).values()
    course.finish()
    course.go(days=40)
    yield from posted(course).values()


@pytest.mark.parametrize("name", SHIPPED)
def test_every_card_of_the_five_keeps_the_limits_of_the_chats(name: str) -> None:
    for card in everything(Course(shipped(name))):
        assert 0 < len(card.title) <= 150
        assert card.text
        assert card_from_json(card_to_json(card)) == card
        for block in card.blocks:
            here = block.buttons if isinstance(block, (c.Buttons, c.ItemRow)) else ()
            assert all(len(button.action) <= 100 and len(button.label) <= 75 for button in here)
            assert not isinstance(block, c.Text) or len(block.markdown) <= 3_000


@pytest.mark.parametrize("name", SHIPPED)
def test_the_text_of_every_card_says_what_its_blocks_say(name: str) -> None:
    for card in everything(Course(shipped(name))):
        said = [
            plain(block.markdown).rstrip(".:") for block in card.blocks if isinstance(block, c.Text) and not block.small
        ]
        assert [line for line in said if line not in card.text] == []


NASTY = "*bold* _it_ `code` <!channel> <@U1> @everyone [x](http://evil) ~no~ | > # \\ ``` <script>"


def test_what_people_type_cannot_break_out() -> None:
    who = Who(chat="web", id="x", name=NASTY, roles=ALL.roles)
    course = shop()
    course.do(moves.note, "tests", NASTY, who=who)
    course.do(moves.excuse, "tests", NASTY, who=who)
    course.do(moves.roll_back, NASTY, NASTY, NASTY, who=who)
    texts = [
        markdown
        for card in posted(course).values()
        for block in card.blocks
        for markdown in (
            [block.markdown]
            if isinstance(block, c.Text)
            else [block.status, *block.hints]
            if isinstance(block, c.ItemRow)
            else []
        )
        if "everyone" in markdown
    ]
    assert len(texts) >= 3
    for markdown in texts:
        shown = plain(markdown)
        assert short(NASTY, 60)[:50] in shown, "it is shown as it was typed"
        bare = re.sub(r"\\.|\*\*Rolling back\*\*", "", markdown)
        assert not [sign for sign in ("<", ">", "@", "[", "`", "*", "_", "~", "|", "#") if sign in bare]


@given(st.text(max_size=400))
def test_escaped_text_reads_as_it_was_typed(text: str) -> None:
    flat = " ".join(text.split())
    shown = c.escape(text, limit=1_000)
    if "&" not in flat and flat.isprintable():
        assert plain(shown) == flat


@given(st.text(max_size=100))
def test_a_code_span_cannot_be_left(text: str) -> None:
    span = code(text)
    assert span.count("`") == 2
    assert span.startswith("`")
    assert span.endswith("`")
    assert len(span) <= 62


def test_titles_of_several_thousand_characters_are_cut() -> None:
    long = "very long " * 400
    course = Course(plan(f"# {long}\n## {long}!\n- [ ] {long}\n"))
    for card in posted(course).values():
        assert len(card.title) <= 150
        assert len(card.text) < 1_000
        for block in card.blocks:
            if isinstance(block, c.Heading):
                assert len(block.text) <= 170
            if isinstance(block, c.ItemRow):
                assert len(block.markdown) <= 1_010
            if isinstance(block, c.Text):
                assert len(block.markdown) <= 500


# --- small words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-24T10:04", "10:04"),
        ("2026-11-24T23:59", "23:59"),
        ("2026-11-25T00:00", "tomorrow 00:00"),
        ("2026-11-26T09:00", "Thu 26 Nov 09:00"),
        ("2026-11-23T23:59", "Mon 23 Nov 23:59"),
    ],
)
def test_a_time_says_its_day_when_it_is_not_today(at: str, said: str) -> None:
    assert clock(datetime.fromisoformat(at).replace(tzinfo=UTC), "UTC", START) == said


def test_today_is_today_in_the_zone() -> None:
    late = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
    assert clock(late, "America/New_York", datetime(2026, 11, 24, 23, 0, tzinfo=UTC)) == "22:00"
    assert clock(late, "Asia/Tokyo", datetime(2026, 11, 24, 14, 0, tzinfo=UTC)) == "tomorrow 12:00"


def test_plurals_and_roles_are_as_people_say_them() -> None:
    assert [count(n, "item") for n in (0, 1, 2)] == ["0 items", "1 item", "2 items"]
    assert [role_words(role) for role in ("qa", "on_call", "vp_engineering", "product_owner")] == [
        "QA",
        "on-call",
        "VP Engineering",
        "product owner",
    ]
