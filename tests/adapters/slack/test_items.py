"""Items as Slack shows them: one tap, a menu, and finished ones out of the way."""

from __future__ import annotations

from adapters.slack import blocks
from bot.cards import card as c
from bot.cards.card import Tone
from bot.cards.sections import section_of, whole_item
from tests.adapters.card_kit import done, finished_section
from tests.adapters.slack.cards import PEOPLE, messages, phase, row, texts, values
from tests.adapters.slack.test_blocks import kinds, words
from tests.fakes.slack_blocks import problems


def test_an_open_item_is_ticked_with_one_tap_and_has_a_menu() -> None:
    message = messages(phase(row(hints=("sign-off: QA", "📝 Ann 10:04: look"))))[0]
    section, context, actions = message["blocks"][2:]
    assert section["text"]["text"] == "☐ All `tests` pass"
    assert [option["text"]["text"] for option in section["accessory"]["options"]] == ["Not applicable…", "Note…"]
    assert context["elements"][0]["text"] == "sign-off: QA · 📝 Ann 10:04: look"
    button = actions["elements"][0]
    assert (button["value"], button["text"]["text"]) == ("tick:deadbeef:item-1", "Tick")
    assert button["accessibility_label"] == "Tick: All tests pass"
    assert "style" not in button


def test_a_ticked_item_says_who_and_when_and_can_be_undone() -> None:
    card = phase(row(state="ticked", status="Ann 10:04", hints=("note",)), row("item-2"))
    section, context = messages(card)[0]["blocks"][2:4]
    assert section["text"]["text"].startswith("✅")
    assert section["accessory"]["options"][0]["value"] == "untick:deadbeef:item-1"
    assert context["elements"][0]["text"] == "Ann 10:04\nnote"


def test_an_excused_item_can_still_be_ticked() -> None:
    message = messages(phase(row(state="excused", status="Ann 10:04: not applicable, no"), row("item-2")))[0]
    assert message["blocks"][2]["text"]["text"].startswith("➖")
    assert "tick:deadbeef:item-1" in values(message)
    assert "untick:deadbeef:item-1" in values(message)


def test_a_command_is_shown_on_demand() -> None:
    one = row(command="kubectl rollout undo")
    option = messages(phase(one))[0]["blocks"][2]["accessory"]["options"][-1]
    assert (option["text"]["text"], option["value"]) == ("Show command", "show:deadbeef:item-1")
    assert "kubectl rollout undo" in texts(blocks.command_answer(one)["blocks"], "text")
    assert problems(blocks.command_answer(row(command="`" * 9_000))["blocks"]) == []


def test_an_item_that_is_cut_is_shown_whole_on_demand() -> None:
    long = "word " * 1_000
    card = phase(row(markdown=long, hints=("h" * 3_000,)))
    message = messages(card)[0]
    assert message["blocks"][2]["text"]["text"].endswith("…")
    assert message["blocks"][2]["accessory"]["options"][-1]["text"]["text"] == "Show all"
    whole = whole_item(card, "item-1")
    assert whole is not None
    shown = " ".join(" ".join(words(part).split()) for part in messages(whole))
    assert long.strip() in shown
    assert shown.count("h") == 3_000
    assert whole_item(card, "another") is None


def test_depth_is_indented_and_groups_are_named_once() -> None:
    rows = (row("a", group="**Backend**"), row("b", depth=2, group="**Backend**"), row("c"))
    said = [block["text"]["text"] for block in messages(phase(*rows))[0]["blocks"] if block["type"] == "section"][1:]
    assert said == ["*Backend*\n☐ All `tests` pass", "\u200b\u2003☐ All `tests` pass", "☐ All `tests` pass"]


def test_buttons_that_no_menu_holds_stand_in_the_row() -> None:
    more = tuple(c.Button(f"B{number}", f"b{number}:deadbeef:item-1") for number in range(9))
    found = values(messages(phase(row(buttons=more, command="x")))[0])
    assert {button.action for button in more} <= set(found)


# --- folding ----------------------------------------------------------------------------------------------------------


def test_a_finished_section_is_one_line_with_those_who_did_it() -> None:
    card = finished_section()
    line = messages(card)[0]["blocks"][1]
    assert line["text"]["text"] == "✅ *Code Quality* · 3 of 3 · Ann, Sam"
    assert (line["accessory"]["text"]["text"], line["accessory"]["value"]) == ("Open", "open:deadbeef:item-0")
    opened = section_of(card, "item-1")
    assert opened is not None
    assert "untick:deadbeef:item-1" in values(messages(opened, folded=False)[0])
    assert "tick:deadbeef:open" not in values(messages(opened, folded=False)[0])


def test_a_finished_phase_is_one_line() -> None:
    message = messages(phase(*done("Ann", "Sam"), tone=Tone.GOOD))[0]
    assert kinds(message) == ["header", "section"]
    assert words(message) == "✅ 2 of 2 · Ann, Sam"
    assert values(message) == ["openall:deadbeef:item-0"]


def test_items_that_could_not_be_opened_again_are_not_folded() -> None:
    rows = [row(state="ticked", status="Ann 10:04", buttons=())]
    assert words(
        messages(phase(*rows, tone=Tone.GOOD))[0]
    ) == "Code Quality · 1 of 1\n✅ All `tests` pass\nAnn 10:04".replace(
        "Code Quality · 1 of 1", "*Code Quality · 1 of 1*"
    )


def test_the_deployment_may_be_told() -> None:
    over = phase(row(state="ticked", status="Ann 10:04", buttons=(), command="x"), tone=Tone.GOOD)
    folded = blocks.message(over, people=PEOPLE, deployment="deadbeef")
    assert values(folded) == ["openall:deadbeef:item-1"]
    assert values(blocks.message(over, people=PEOPLE, folded=False, deployment="deadbeef")) == ["show:deadbeef:item-1"]


def test_many_names_are_counted() -> None:
    line = words(messages(phase(*done("Ann", "Sam", "Kim", "Lee", "Eve", "Max"), tone=Tone.GOOD))[0])
    assert line == "✅ 6 of 6 · Ann, Sam, Kim, Lee and 2 more"
