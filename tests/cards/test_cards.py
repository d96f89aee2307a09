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
from bot.cards.deployment import deployment_card
from bot.cards.words import clock, code, count, plain, role_words, short
from bot.domain import events as e
from bot.domain import moves
from bot.domain.people import GONOGO, Who
from tests.cards.drawn import POLICY, buttons, lines, live, main, posted, shop, view
from tests.domain.runs import ALL, OMAR, QUINN, SHIPPED, START, Course, plan, shipped

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
        "gonogo only calls the rollback: somebody must roll back by hand",
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
        bare = re.sub(r"\\.|\*\*Rolling back\*\*|\[[\w: ]+\]\(time:[\w:-]+\)", "", markdown)
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
