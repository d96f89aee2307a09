"""Cards cut into messages: everything is accepted, nothing is lost, nothing wanders."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.packing import parts
from bot.cards.card import Button, Buttons, Card, Code, Fact, Facts, Heading, ItemRow, ItemState, Text, Tone, Verbatim
from bot.cards.said import announcement_card
from tests.adapters.slack.cards import (
    NAMES,
    STATES,
    announced,
    cards,
    checklist,
    items_of,
    loaded,
    messages,
    row,
    seen,
    texts,
    values,
)
from tests.fakes.any_card import any_card

LONG = {
    "latin": "word " * 1_000,
    "no blanks": "x" * 5_000,
    "arabic": "مرحبا بالعالم " * 357,
    "chinese": "検査項目" * 1_250,
    "emoji": "👩\u200d🚀🎉 " * 1_000,
    "backticks": "`a` ``b` c`` ` " * 333,
    "pipes": "| a | b " * 625,
    "signs": "<!channel> *a* _b_ ~c~ & " * 200,
    "links": "[runbook](https://docs.example/run?a=1&b=2) " * 110,
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", NAMES)
def test_every_phase_of_every_checklist_is_accepted(name: str, state: str) -> None:
    for card in cards(loaded(name), state):
        for message in messages(card):
            offered = values(message)
            assert all(len(value) <= 150 for value in offered)
        messages(card, folded=False)


@pytest.mark.parametrize("name", NAMES)
def test_no_item_wanders_to_another_message(name: str) -> None:
    def standing(state: str) -> dict[str, list[list[str]]]:
        rows = [card for card in cards(loaded(name), state) if any(items_of(card))]
        return {items_of(card)[0]: [items_of(part) for part in parts(card)] for card in rows}

    assert all(standing(state) == standing("fresh") for state in STATES)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost_and_the_order_stays(name: str) -> None:
    for card in cards(loaded(name), "half"):
        assert [item for part in parts(card) for item in items_of(part)] == items_of(card)


def test_a_card_that_fits_is_left_as_it_is() -> None:
    card = Card("T", "t", (Text("one"), Heading("H · 0 of 1"), row()))
    assert parts(card) == (card,)


def test_a_phase_of_twelve_items_is_at_most_two_messages() -> None:
    assert len(parts(next(card for card in cards(loaded("petforce"), "fresh") if len(items_of(card)) == 12))) == 2


def test_five_hundred_items() -> None:
    long = checklist([f"Item {number} is checked on staging" for number in range(500)], sections=20)
    drawn = [card for card in cards(long, "fresh") if items_of(card)]
    sent = [message for card in drawn for message in messages(card)]
    assert sum(len(items_of(part)) for card in drawn for part in parts(card)) == 500
    assert len(sent) <= 60
    ticks = [value for message in sent for value in values(message) if value.startswith("tick:")]
    assert len(set(ticks)) == 500


@pytest.mark.parametrize("words", LONG.values(), ids=LONG)
@pytest.mark.parametrize("state", ["fresh", "done", "noted"])
def test_items_of_five_thousand_characters(words: str, state: str) -> None:
    long = checklist([words, "short", words], sections=1)
    for card in cards(long, state):
        messages(card)
        messages(card, folded=False)


def test_what_goes_on_says_so() -> None:
    rows = [row(f"item-{number}", f"Item {number}") for number in range(25)]
    first, second, *_ = parts(Card("Pre-Deployment", "all", (Heading("Quality · 0 of 25"), *rows), mentions=("qa",)))
    assert (first.title, second.title) == ("Pre-Deployment", "Pre-Deployment (continued)")
    assert (first.text, first.mentions, second.mentions) == ("all", ("qa",), ())
    assert second.text.startswith("Pre-Deployment (continued): 0 of ")
    assert "Item 13" in second.text


def test_a_section_over_several_messages_counts_its_items_in_each() -> None:
    rows = [row(f"item-{number}", state="ticked" if number < 13 else "open") for number in range(25)]
    split = parts(Card("P", "t", (Heading("Quality · 13 of 25"), *rows)))
    headings = [block.text for part in split for block in part.blocks if isinstance(block, Heading)]
    counts = [len(items_of(part)) for part in split]
    assert headings[0] == f"Quality · {counts[0]} of {counts[0]}"
    assert headings[1] == f"Quality (continued) · {13 - counts[0]} of {counts[1]}"
    assert all(len(part.blocks) == count + 1 for part, count in zip(split, counts, strict=True))


def test_sections_stay_together_where_that_costs_nothing() -> None:
    one = [row(f"a{number}") for number in range(8)]
    two = [row(f"b{number}") for number in range(7)]
    split = parts(Card("P", "t", (Heading("A · 0 of 8"), *one, Heading("B · 0 of 7"), *two)))
    assert [items_of(part)[0] for part in split] == ["a0", "b0"]


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_ticking_excusing_and_noting_move_nothing(data: st.DataObject) -> None:
    labels = data.draw(st.lists(st.sampled_from([*LONG, "Tests pass `npm test`", "**b**"]), max_size=25))
    commands = data.draw(st.lists(st.none() | st.just("npm test"), min_size=25, max_size=25))
    rows = [row(f"item-{n}", LONG.get(label, label), command=commands[n]) for n, label in enumerate(labels)]

    def done(one: ItemRow) -> ItemRow:
        state = data.draw(st.sampled_from(ItemState))
        hints = tuple(
            LONG.get(hint, hint) for hint in data.draw(st.lists(st.sampled_from(["sign-off: QA", *LONG]), max_size=3))
        )
        status = "" if state is ItemState.OPEN else "Sam 10:04: not applicable, " + "why " * 70
        return row(one.id, one.markdown, state.value, command=one.command, hints=hints, status=status)

    before = Card("P", "t", (Heading(f"A · 0 of {len(rows)}"), *rows))
    lines = (Text("Due now. Please tick what is true, or say why it does not apply.", small=True),)
    after = replace(
        before, blocks=(*lines, Heading(f"A · 9 of {len(rows)}"), *map(done, rows)), tone=Tone.GOOD, mentions=("qa",)
    )
    assert [items_of(part) for part in parts(before)] == [items_of(part) for part in parts(after)]
    messages(after)
    messages(after, folded=False)


def test_a_long_announcement_is_said_whole() -> None:
    text = "\n".join(f"{number}. Änderung <{number}> *so* | wie sie ist" for number in range(900))
    sent = messages(announcement_card(announced(text)))
    shown = "\n".join("".join(texts(block, "text")) for message in sent for block in message["blocks"])
    assert shown == text
    assert len(sent) > 2


def any_length(block: Any, number: int) -> Card:
    return Card("T", "t", tuple(block(number) for _ in range(3)))


@pytest.mark.parametrize(
    "block",
    [
        lambda n: Text("*a* & `b` " * (n // 8)),
        lambda n: Text("&" * n, small=True),
        lambda n: Verbatim("文" * n),
        lambda n: Code("*" * n),
        lambda n: Heading("h " * n),
        lambda n: Facts(tuple(Fact("Error rate <1>", "v" * 300, "t" * 300, True) for _ in range(n // 100))),
        lambda n: Buttons(tuple(Button("b" * 90, f"x:{i}:{'y' * 90}") for i in range(n // 100))),
    ],
    ids=["text", "small", "verbatim", "code", "heading", "facts", "buttons"],
)
def test_any_length_is_accepted(block: Any) -> None:
    for number in (0, 1, 100, 2_999, 12_000):
        messages(any_length(block, number))


def test_long_prose_loses_no_word() -> None:
    prose = " ".join(f"word{number}" for number in range(3_000))
    sent = messages(Card("T", "t", (Text(prose),)))
    assert " ".join(" ".join(map(seen, texts(message["blocks"]))) for message in sent).split() == prose.split()


@given(any_card(st.sampled_from(list(LONG.values())) | st.text(max_size=20)))
@settings(max_examples=40, deadline=None)
def test_any_card_of_long_words_is_accepted(card: Card) -> None:
    messages(card)
    messages(card, folded=False)
