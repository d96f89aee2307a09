"""Every block of a card as Discord shows it: one tap for an item, a menu for the rest, finished sections folded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.layout import layout, marker, mentioned, nonce
from adapters.discord.packing import parts
from adapters.discord.rows import Ids, action_of
from bot.cards import card as c
from bot.cards.card import Card, Tone
from bot.cards.chart import Chart
from bot.cards.sections import section_of, whole_item
from checklists.policy import Person
from tests.adapters.card_kit import BARS, FACTS, TITLES, done, finished_section
from tests.adapters.discord.cards import (
    CONTAINER,
    GALLERY,
    PEOPLE,
    SECTION,
    SEPARATOR,
    TEXT,
    accepted,
    actions,
    buttons,
    menu,
    messages,
    obeyed,
    texts,
    walked,
    words,
)
from tests.adapters.discord.test_markdown import ATTACKS
from tests.adapters.slack.cards import announcement, phase, row
from tests.fakes.any_card import any_card


def draw(*blocks: c.Block, **more: Any) -> list[dict[str, Any]]:
    return messages(Card(more.pop("title", "Title"), more.pop("text", "text"), blocks, **more))[0]


def said(*blocks: c.Block) -> str:
    return "\n".join(texts(draw(*blocks, title="")))


# --- the card ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("title", "tone", "expected"), TITLES)
def test_the_tone_is_said_by_a_sign_before_the_title(title: str, tone: Tone, expected: str) -> None:
    assert texts(draw(title=title, tone=tone))[0].split("\n")[0] == f"## {expected}"


def test_the_tone_is_the_colour_of_the_box_too() -> None:
    boxes = [draw(c.Text("x"), tone=tone)[0] for tone in Tone]
    assert {box["type"] for box in boxes} == {CONTAINER}
    assert len({box["accent_color"] for box in boxes}) == len(Tone)
    assert boxes[0]["accent_color"] is None


def test_a_card_without_blocks_says_its_text() -> None:
    assert words(draw(title="", text="There is *nothing*")) == "There is *nothing*"


@pytest.mark.parametrize(
    ("role", "expected", "users", "roles"),
    [
        ("on_call", "<@100000000000000001>", [100000000000000001], []),
        ("qa", "<@&100000000000000002>", [], [100000000000000002]),
        ("vp_engineering", "VP Engineering", [], []),
        ("tech_lead", "Tech \\*Lead\\* @\u200beveryone", [], []),
        ("dba", "dba", [], []),
    ],
)
def test_roles_are_called(role: str, expected: str, users: list[int], roles: list[int]) -> None:
    card = Card("T", "t", (c.Text("x"),), mentions=(role, role))
    line, box = messages(card)[0]
    assert (line["type"], line["content"]) == (TEXT, f"🔔 {expected}")
    assert box["type"] == CONTAINER
    allowed = mentioned(card, PEOPLE).to_dict()
    assert allowed.get("parse") == []
    assert (allowed.get("users", []), allowed.get("roles", [])) == (users, roles)


def test_a_hundred_roles_are_called_as_far_as_a_line_holds() -> None:
    everybody = {f"r{number}": Person(discord=f"role:{10**17 + number}") for number in range(150)}
    card = Card("T", "t", (c.Text("x"),), mentions=tuple(everybody))
    line = layout(card, people=everybody).to_components()[0]["content"]
    assert len(line) <= 310
    assert line.endswith(" …")
    assert len(mentioned(card, everybody).to_dict()["roles"]) == 100


# --- its blocks -------------------------------------------------------------------------------------------------------


def test_lines_that_follow_each_other_are_one_text() -> None:
    blocks = (c.Text("one"), c.Text("**two**"), c.Text("small", small=True), c.Text(" "), c.Progress(1, 2, "1 of 2"))
    assert texts(draw(*blocks)) == ["## Title\none\n**two**\n-# small\n▓▓▓▓▓░░░░░ 1 of 2"]


ANNOUNCEMENT = "✅ Done **not bold** *or* `code` ~~x~~ :tada: @everyone &amp; <kept>\n  - kept\n\n> kept\n1. kept 10:04"


def test_an_announcement_is_shown_letter_for_letter() -> None:
    message = messages(announcement(ANNOUNCEMENT, "kept"))[0]
    assert words(message) == ANNOUNCEMENT
    assert obeyed(texts(message)[0]) == []


def test_below_words_that_name_no_service_stands_which_it_is() -> None:
    assert words(messages(announcement("Done.", "services.do-eu"))[0]) == "Done.\n-# services.do-eu v1.2.0 → production"


def test_a_command_can_be_copied() -> None:
    assert (
        said(c.Code("kubectl get pods\nkubectl logs `x` <pod>")) == "```\nkubectl get pods\nkubectl logs `x` <pod>\n```"
    )


@pytest.mark.parametrize(("done", "total", "bar"), BARS)
def test_progress_is_a_bar_that_is_full_only_at_the_end(done: int, total: int, bar: str) -> None:
    assert said(c.Progress(done, total, f"{done} of {total}")) == f"{bar} {done} of {total}"


def test_facts_are_one_line_each() -> None:
    assert said(FACTS) == (
        "❌ **Error rate**: 0.12 % · target \\< 0.1 %\n✅ **P99**: 180 ms · target \\< 200 ms\n"
        "❔ **Sentry**: no data · target 0\n• **Version**: v1.2.0"
    )


def test_buttons_have_their_styles_and_stand_five_in_a_row() -> None:
    named = [("Next", "advance:d", "primary"), ("Back…", "rollback:d", "danger"), ("X", "x:d", "plain")]
    pressed = buttons(draw(c.Buttons(tuple(c.Button(*each) for each in named))))
    assert [(each["label"], each["custom_id"], each["style"]) for each in pressed] == [
        ("Next", "advance:d", 1), ("Back…", "rollback:d", 4), ("X", "x:d", 2),
    ]  # fmt: skip
    many = draw(c.Buttons(tuple(c.Button(f"B{number}", f"x:{number}") for number in range(12))))
    assert [len(each["components"]) for each in walked(many) if each["type"] == 1] == [5, 5, 2]


def test_a_picture_is_attached_or_said_in_words() -> None:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    pictures = [c.Picture(f"Errors {number}: 0.1 %", Chart("t", "UTC", at, at, ())) for number in (1, 2)]
    card = Card("T", "t", (pictures[0], c.Text("between"), pictures[1]))
    drawn = accepted(layout(card, people={}, pictures=("one.png",)).to_components(), {"one.png": 1})
    gallery = next(each for each in walked(drawn) if each["type"] == GALLERY)
    assert gallery["items"][0]["media"]["url"] == "attachment://one.png"
    assert gallery["items"][0]["description"] == "Errors 1: 0.1 %"
    assert texts(drawn)[-1] == "between\nErrors 2: 0.1 %"
    assert parts(card) == (card,)


# --- items ------------------------------------------------------------------------------------------------------------


def sections(message: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in walked(message) if each["type"] == SECTION]


def test_an_open_item_is_ticked_with_one_tap_and_the_rest_is_in_a_menu() -> None:
    message = messages(phase(row(hints=("sign-off: QA", "📝 Ann 10:04: look")), row("item-2", "Docs")))[0]
    assert [(each["label"], each["custom_id"], each["style"]) for each in buttons(message)] == [
        ("Tick", "tick:deadbeef:item-1", 2), ("Tick", "tick:deadbeef:item-2", 2),
    ]  # fmt: skip
    assert texts(message)[1] == "☐ All `tests` pass\n-# sign-off: QA · 📝 Ann 10:04: look"
    assert [(option["label"], option["value"]) for option in menu(message)] == [
        ("☐ All tests pass", "show:deadbeef:item-1"), ("☐ Docs", "show:deadbeef:item-2"),
    ]  # fmt: skip
    select = next(each for each in walked(message) if each["type"] == 3)
    assert (select["custom_id"], select["placeholder"]) == ("more:deadbeef:0", "More about an item…")


def test_a_ticked_item_says_who_and_when_and_can_be_undone() -> None:
    message = messages(phase(row(state="ticked", status="Ann 10:04", hints=("note",)), row("item-2")))[0]
    assert texts(message)[1] == "✅ All `tests` pass\n-# Ann 10:04\n-# note"
    assert (buttons(message)[0]["label"], buttons(message)[0]["custom_id"]) == ("Undo", "untick:deadbeef:item-1")


def test_an_excused_item_can_be_undone() -> None:
    message = messages(phase(row(state="excused", status="Ann 10:04: not applicable, no"), row("item-2")))[0]
    assert texts(message)[1].startswith("➖")
    assert "untick:deadbeef:item-1" in actions(message)


def test_an_item_whose_run_is_over_has_no_button() -> None:
    over = phase(row(state="ticked", status="Ann 10:04", buttons=(), command="x"), row("b", buttons=()))
    message = messages(over, deployment="deadbeef")[0]
    assert buttons(message) == []
    assert [option["value"] for option in menu(message)] == ["show:deadbeef:item-1"]
    assert menu(messages(over)[0]) == []


def test_an_item_that_is_cut_is_shown_whole_on_demand() -> None:
    long = "word " * 1_000
    card = phase(row(markdown=long, hints=("h" * 3_000,)))
    message = messages(card)[0]
    assert "…" in texts(message)[1]
    assert "show:deadbeef:item-1" in actions(message)
    whole = whole_item(card, "item-1")
    assert whole is not None
    shown = " ".join(" ".join(words(part).split()) for part in messages(whole))
    assert long.strip() in shown
    assert shown.count("h") == 3_000
    pressed = {each["custom_id"] for part in messages(whole) for each in buttons(part)}
    assert pressed == {"tick:deadbeef:item-1", "excuse:deadbeef:item-1", "note:deadbeef:item-1"}


def test_depth_is_indented_and_groups_are_named_once() -> None:
    rows = (row("a", group="**Backend**"), row("b", depth=2, group="**Backend**"), row("c"))
    assert texts(messages(phase(*rows))[0])[1:] == [
        "**Backend**\n☐ All `tests` pass", "\u200b\u2003☐ All `tests` pass", "☐ All `tests` pass",
    ]  # fmt: skip


def test_equal_actions_are_numbered_and_found_again() -> None:
    ids = Ids()
    for action in ("tick:d:a", "tick:d:a", "read:x#3", "read:x#3", "y" * 100):
        assert action_of(ids.take(action) or "") == action
    assert ids.take("y" * 100) is None
    assert [each["custom_id"] for each in buttons(draw(c.Buttons((c.Button("A", "x:d"), c.Button("B", "x:d")))))] == [
        "x:d", "x:d#2",
    ]  # fmt: skip


# --- folding ----------------------------------------------------------------------------------------------------------


def test_a_finished_section_is_one_line_with_those_who_did_it() -> None:
    card = finished_section()
    line = sections(messages(card)[0])[0]
    assert line["components"][0]["content"] == "✅ **Code Quality** · 3 of 3 · Ann, Sam"
    assert (line["accessory"]["label"], line["accessory"]["custom_id"]) == ("Open", "open:deadbeef:item-0")
    assert [option["value"] for option in menu(messages(card)[0])] == ["show:deadbeef:open"]
    opened = section_of(card, "item-1")
    assert opened is not None
    assert "untick:deadbeef:item-1" in actions(messages(opened, folded=False)[0])


def test_a_finished_phase_is_one_line() -> None:
    message = messages(phase(*done("Ann", "Sam"), tone=Tone.GOOD))[0]
    assert actions(message) == ["openall:deadbeef:item-0"]
    assert words(message).split("\n")[-1] == "✅ 2 of 2 · Ann, Sam".replace("**", "")


# --- what a message is known by ---------------------------------------------------------------------------------------


def test_a_message_is_marked_with_its_key() -> None:
    key = marker("deadbeef:phase:pre:0")
    assert key == marker("deadbeef:phase:pre:0") != marker("deadbeef:phase:pre:1")
    for card in (phase(row()), Card("", "t", (c.Verbatim("x"),)), Card("T", "t", mentions=("qa",))):
        drawn = accepted(layout(card, people=PEOPLE, marker=key).to_components())
        assert tuple(each["id"] for each in drawn[:2]) == key
        assert [each["id"] for each in walked(drawn) if "id" in each] == list(key)
    unmarked = layout(phase(row()), people=PEOPLE).to_components()
    assert [each["type"] for each in unmarked] == [CONTAINER, SEPARATOR]
    assert not any("id" in each for each in walked(unmarked))


@given(st.text(max_size=40))
@settings(max_examples=100)
def test_a_marker_is_two_numbers_and_a_nonce_is_short(key: str) -> None:
    first, second = marker(key)
    assert first != second
    assert 0 < first < 2**30
    assert 0 < second < 2**30
    assert len(nonce(key)) == 24


async def test_a_view_is_stopped_so_that_nothing_keeps_it() -> None:
    view = layout(phase(row()), people=PEOPLE)
    assert view.is_finished()
    assert view.timeout is None


def test_a_card_that_is_more_than_a_message_is_refused() -> None:
    with pytest.raises(ValueError, match="40"):
        layout(phase(*(row(f"i{number}") for number in range(20))), people=PEOPLE)


@given(any_card(st.sampled_from(ATTACKS) | st.text(max_size=30)))
@settings(max_examples=120, deadline=None)
def test_any_card_is_accepted_and_obeys_nobody(card: Card) -> None:
    for folded in (True, False):
        for part in parts(card):
            view = layout(part, people=PEOPLE, folded=folded, deployment="deadbeef", marker=(1, 2))
            assert view.total_children_count <= 40
            assert view.content_length() <= 4_000
            message = accepted(view.to_components())
            assert [hit for text in texts(message) for hit in obeyed(text)] == []
