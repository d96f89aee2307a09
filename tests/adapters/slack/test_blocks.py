"""Every block of a card as Slack shows it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack import people
from bot.cards import card as c
from bot.cards.card import Card, Tone
from bot.cards.runs import clean
from checklists.policy import Person
from tests.adapters.card_kit import BARS, FACTS, TITLES
from tests.adapters.slack.cards import PEOPLE, announcement, messages, phase, row, seen, texts
from tests.adapters.slack.test_mrkdwn import ATTACKS, obeyed
from tests.fakes.any_card import any_card


def draw(*parts: c.Block, **more: Any) -> dict[str, Any]:
    return messages(Card(more.pop("title", "Title"), more.pop("text", "text"), parts, **more))[0]


def kinds(message: dict[str, Any]) -> list[str]:
    return [block["type"] for block in message["blocks"]]


def words(message: dict[str, Any]) -> str:
    return "\n".join(map(seen, texts(message["blocks"])))


# --- the card ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("title", "tone", "expected"), TITLES)
def test_the_tone_is_said_once_by_an_emoji_before_the_title(title: str, tone: Tone, expected: str) -> None:
    assert draw(c.Text("x"), title=title, tone=tone)["blocks"][0]["text"]["text"] == expected


def test_the_text_for_screen_readers_is_escaped_and_never_too_long() -> None:
    assert draw(c.Text("x"), text="a <!channel> & b")["text"] == "a &lt;!channel&gt; &amp; b"
    long = draw(c.Text("x"), text="<" * 5_000)["text"]
    assert len(long) <= 3_900
    assert long.endswith("&lt;…")


def test_a_card_without_blocks_says_its_text() -> None:
    assert words(draw(title="", text="There is *nothing*")) == "There is *nothing*"


@pytest.mark.parametrize(
    ("role", "expected"),
    [("on_call", "<@U0ONCALL>"), ("qa", "<!subteam^S0QA>"), ("vp_engineering", "VP Engineering"), ("dba", "dba")],
)
def test_roles_are_called(role: str, expected: str) -> None:
    assert f"🔔 {expected}" in list(texts(draw(c.Text("x"), mentions=(role,))["blocks"]))


def test_a_handle_is_shown_and_calls_nobody() -> None:
    called = people.mention("tech_lead", PEOPLE["tech_lead"])
    assert seen(called) == "Tech *Lead* <!channel> (@lead)"
    assert obeyed(called) == []


def test_who_holds_a_role() -> None:
    members = {"S0QA": {"U0ANN", "U0SAM"}}
    known = {role: [person] for role, person in PEOPLE.items()}
    assert people.roles_of("U0ANN", known, members) == {"qa"}
    assert people.roles_of("U0ONCALL", known, members) == {"on_call"}
    assert people.roles_of("U0ANN", known, {}) == frozenset()
    assert people.roles_of("@lead", known, members) == frozenset()
    assert people.groups_of(known) == {"S0QA"}
    assert people.holders(Person(slack="U0ANN> <!channel")) == people.Holders()


# --- its blocks -------------------------------------------------------------------------------------------------------


def test_lines_that_follow_each_other_are_one_section() -> None:
    message = draw(c.Text("one"), c.Text("**two**"), c.Text("small", small=True), c.Text(" "))
    assert kinds(message) == ["header", "section", "context"]
    assert list(texts(message["blocks"])) == ["one\n*two*", "small"]


ANNOUNCEMENT = (
    "✅ Done **not bold** *or* `code` ~x~ :tada: <!channel> &amp; <kept>\n  - kept\n\n> kept https://a.example/s?x=1."
)


def test_an_announcement_is_shown_letter_for_letter() -> None:
    message = messages(announcement(ANNOUNCEMENT, "kept"))[0]
    elements = message["blocks"][0]["elements"][0]["elements"]
    assert "".join(element["text"] for element in elements) == ANNOUNCEMENT
    assert [element["url"] for element in elements if element["type"] == "link"] == ["https://a.example/s?x=1"]
    assert kinds(message) == ["rich_text"]


def test_below_words_that_name_no_service_stands_which_it_is() -> None:
    message = messages(announcement("Done.", "services.do-eu"))[0]
    assert kinds(message) == ["rich_text", "context"]
    assert message["text"] == "Done.\nservices.do-eu v1.2.0 → production"
    assert list(texts(message["blocks"][1:])) == ["services.do-eu v1.2.0 → production"]


@given(st.text(max_size=300).filter(lambda text: clean(text).strip()))
@settings(max_examples=60, deadline=None)
def test_any_words_are_shown_letter_for_letter(text: str) -> None:
    message = messages(Card("", text, (c.Verbatim(text),)))[0]
    shown = "".join(element["text"] for element in message["blocks"][0]["elements"][0]["elements"])
    assert shown == clean(text)


def test_a_command_can_be_copied() -> None:
    command = "kubectl get pods\nkubectl logs `x` <pod> && echo *\t1"
    assert list(texts(draw(c.Code(command))["blocks"], "text")) == [command]


@pytest.mark.parametrize(("done", "total", "bar"), BARS)
def test_progress_is_a_bar_that_is_full_only_at_the_end(done: int, total: int, bar: str) -> None:
    assert list(texts(draw(c.Progress(done, total, f"{done} of {total}"))["blocks"])) == [f"{bar} {done} of {total}"]


def test_facts_are_one_line_each() -> None:
    assert list(texts(draw(FACTS)["blocks"])) == [
        "❌ *Error rate*: 0.12 % · target &lt; 0.1 %\n✅ *P99*: 180 ms · target &lt; 200 ms\n"
        "❔ *Sentry*: no data · target 0\n• *Version*: v1.2.0"
    ]


def test_buttons_have_their_styles() -> None:
    buttons = (
        c.Button("Next", "advance:d", "primary"),
        c.Button("Back…", "rollback:d", "danger"),
        c.Button("X", "x:d"),
    )
    elements = draw(c.Buttons(buttons))["blocks"][1]["elements"]
    assert [element.get("style") for element in elements] == ["primary", "danger", None]
    assert [element["value"] for element in elements] == ["advance:d", "rollback:d", "x:d"]


def test_thirty_buttons_are_in_two_rows() -> None:
    buttons = tuple(c.Button(f"B{number}", f"x:{number}") for number in range(30))
    assert [len(block["elements"]) for block in draw(c.Buttons(buttons))["blocks"][1:]] == [15, 15]


# --- ids and safety ---------------------------------------------------------------------------------------------------


def test_a_block_that_says_something_new_has_a_new_id() -> None:
    before, after, again = (messages(phase(row(), row("b", hints=(hint,))))[0] for hint in ("x", "x", "y"))
    assert before == after
    old, new = ([block.get("block_id") for block in message["blocks"]] for message in (before, again))
    assert old[2:4] == new[2:4]
    ticked = messages(phase(row(state="ticked"), row("b")))[0]
    assert ticked["blocks"][2]["block_id"] != before["blocks"][2]["block_id"]


@given(any_card(st.sampled_from(ATTACKS) | st.text(max_size=30)))
@settings(max_examples=150, deadline=None)
def test_any_card_is_accepted_and_obeys_nobody(card: Card) -> None:
    for folded in (True, False):
        for message in messages(card, folded=folded):
            assert [hit for text in texts(message["blocks"]) for hit in obeyed(text)] == []
            assert not any("<!" in text or "<@" in text for text in texts(message["blocks"], "plain_text"))
            assert "<!" not in message["text"]
            json.dumps(message).encode()
