"""`gonogo render --chat discord`: everything the five documents, and worse ones, would send is taken by Discord."""

from __future__ import annotations

from typing import Any

import pytest

from bot.preview import DISCORD_THREAD, Chat, Occasion, State, occasion, phases
from bot.settings import SHIPPED
from checklists.library import load
from tests.adapters.discord.cards import accepted, actions, obeyed, texts
from tests.adapters.slack.test_preview import NAMES, ODD, shop
from tests.fakes.discord_checks import Errors
from tests.fakes.discord_mentions import judged

FIELDS = {"content", "components", "flags", "nonce", "enforce_nonce", "tts", "allowed_mentions", "attachments"}
COMPONENTS_V2 = 1 << 15


def taken(sent: list[dict[str, Any]]) -> int:
    """How many, if Discord takes every one of them, and nobody is called but by name."""
    nonces = [call["body"]["nonce"] for call in sent]
    assert len(set(nonces)) == len(nonces)
    for call in sent:
        body = call["body"]
        assert set(body) == FIELDS
        accepted(body["components"])
        errors = Errors()
        assert judged(errors, body, answer=False)["parse"] == []
        assert errors.tree == {}
        assert (body["content"], body["flags"], body["enforce_nonce"]) == (None, COMPONENTS_V2, True)
        assert len(body["nonce"]) <= 25
        assert [hit for text in texts(body["components"]) for hit in obeyed(text)] == []
    return len(sent)


@pytest.mark.parametrize("name", NAMES)
def test_every_phase_in_every_state_is_taken(name: str) -> None:
    loaded = load(name, (SHIPPED,))
    for state in State:
        sent = phases(loaded, state, everything=True, chat=Chat.DISCORD)
        assert taken(sent) > len(loaded.checklist.phases) // 2


@pytest.mark.parametrize("name", NAMES)
async def test_every_event_is_taken(name: str) -> None:
    loaded = load(name, (SHIPPED,))
    for what in Occasion:
        assert taken(await occasion(loaded, what, chat=Chat.DISCORD)) >= 1


def test_the_card_is_in_the_channel_and_the_items_in_its_thread() -> None:
    card, *items = phases(load("petforce", (SHIPPED,)), State.FRESH, chat=Chat.DISCORD)
    assert card["method"] == "POST /channels/#engineering/messages"
    assert {item["method"] for item in items} == {f"POST /channels/{DISCORD_THREAD}/messages"}


@pytest.mark.parametrize("state", State)
def test_five_hundred_items_are_taken(state: State) -> None:
    long = shop(*(f"Item {number}: look at `dashboard {number}`" for number in range(500)))
    sent = phases(long, state, chat=Chat.DISCORD)
    assert taken(sent) > 20
    everything = "\n".join(action for call in sent for action in actions(call["body"]["components"]))
    assert state is State.DONE or all(f"tick:0a1b2c3d:item-{number}-" in everything for number in range(250, 500))


@pytest.mark.parametrize("words", [*ODD, "@everyone <@1> <@&2> :tada: ||x|| " * 100], ids=range(len(ODD) + 1))
@pytest.mark.parametrize("state", State)
def test_odd_words_are_taken_and_call_nobody(words: str, state: State) -> None:
    assert taken(phases(shop(*([words] * 12)), state, chat=Chat.DISCORD)) >= 2
