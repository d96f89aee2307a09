"""Cards cut into messages, the same promises in every chat: all is accepted, nothing is lost, nothing wanders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord import packing as discord_packing
from adapters.slack import packing as slack_packing
from bot.cards.card import Block, Card, Heading, Text
from tests.adapters.card_kit import LENGTHS, LONG, TWO_SECTIONS, three, wanderers, worked_on
from tests.adapters.discord import cards as discord
from tests.adapters.slack import cards as slack
from tests.adapters.slack.cards import NAMES, STATES, cards, checklist, items_of, loaded, row
from tests.fakes.any_card import any_card


@dataclass(frozen=True)
class Chat:
    """How a chat cuts a card, the messages it sends of it (proved to be accepted), and what each of them offers."""

    parts: Callable[[Card], tuple[Card, ...]]
    messages: Callable[..., list[Any]]
    offered: Callable[[Any], list[str]]
    longest: int
    """Characters of what a button or a menu carries."""


CHATS = {
    "slack": Chat(slack_packing.parts, slack.messages, slack.values, 150),
    "discord": Chat(discord_packing.parts, discord.messages, discord.actions, 100),
}


@pytest.fixture(params=CHATS.values(), ids=CHATS, scope="module")
def chat(request: pytest.FixtureRequest) -> Chat:
    found: Chat = request.param
    return found


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", NAMES)
def test_every_phase_of_every_checklist_is_accepted(chat: Chat, name: str, state: str) -> None:
    for card in cards(loaded(name), state):
        for message in chat.messages(card):
            assert all(len(action) <= chat.longest for action in chat.offered(message))
        chat.messages(card, folded=False)


@pytest.mark.parametrize("name", NAMES)
def test_no_item_wanders_to_another_message(chat: Chat, name: str) -> None:
    assert wanderers(name, chat.parts) == []


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost_and_the_order_stays(chat: Chat, name: str) -> None:
    for card in cards(loaded(name), "half"):
        assert [item for part in chat.parts(card) for item in items_of(part)] == items_of(card)


def test_a_card_that_fits_is_left_as_it_is(chat: Chat) -> None:
    card = Card("T", "t", (Text("one"), Heading("H · 0 of 1"), row()))
    assert chat.parts(card) == (card,)


def test_sections_stay_together_where_that_costs_nothing(chat: Chat) -> None:
    assert [items_of(part)[0] for part in chat.parts(TWO_SECTIONS)] == ["a0", "b0"]


def test_five_hundred_items(chat: Chat) -> None:
    long = checklist([f"Item {number} is checked on staging" for number in range(500)], sections=20)
    drawn = [card for card in cards(long, "fresh") if items_of(card)]
    sent = [message for card in drawn for message in chat.messages(card)]
    assert sum(len(items_of(part)) for card in drawn for part in chat.parts(card)) == 500
    assert len(sent) <= 60
    ticks = [action for message in sent for action in chat.offered(message) if action.startswith("tick:")]
    assert len(set(ticks)) == 500


@pytest.mark.parametrize("words", LONG.values(), ids=LONG)
@pytest.mark.parametrize("state", ["fresh", "done", "noted"])
def test_items_of_five_thousand_characters(chat: Chat, words: str, state: str) -> None:
    long = checklist([words, "short", words], sections=1)
    for card in cards(long, state):
        chat.messages(card)
        chat.messages(card, folded=False)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
@pytest.mark.slow
def test_ticking_excusing_and_noting_move_nothing(chat: Chat, data: st.DataObject) -> None:
    before, after = worked_on(data)
    assert [items_of(part) for part in chat.parts(before)] == [items_of(part) for part in chat.parts(after)]
    chat.messages(after)
    chat.messages(after, folded=False)


@pytest.mark.parametrize("block", LENGTHS.values(), ids=LENGTHS)
def test_any_length_is_accepted(chat: Chat, block: Callable[[int], Block]) -> None:
    for number in (0, 1, 100, 2_999, 12_000):
        chat.messages(three(block, number))


@given(card=any_card(st.sampled_from(list(LONG.values())) | st.text(max_size=20)))
@settings(max_examples=40, deadline=None)
def test_any_card_of_long_words_is_accepted(chat: Chat, card: Card) -> None:
    chat.messages(card)
    chat.messages(card, folded=False)
