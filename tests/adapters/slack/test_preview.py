"""`gonogo render`: everything the five documents, and worse ones, would send is taken by Slack."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.errors import Unwell
from bot.preview import THREAD, Occasion, State, occasion, phases
from bot.settings import SHIPPED
from checklists.library import Loaded, from_texts, load
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_chat import checked_blocks, checked_metadata
from tests.fakes.slack_screen import message_text
from tests.fakes.slack_things import Message

NAMES = ("azora", "ca-marketplace", "maishapoa", "petforce", "services-do")
ODD = (
    "ضع النسخة الجديدة على الخادم ثم تحقق من السجلات",
    "👩‍👩‍👧‍👦🏳️‍🌈 deploy 🇩🇪 `kubectl get pods | grep web` **bold** _x_ ~y~ <b> & a|b|c",
    "``a ` b`` | c | `|` \\| <!channel> <@U1> @everyone",
    "word " * 1_000,
    "x" * 5_000,
    "<&>" * 1_667,
    "é" * 5_000,
)


def shop(*items: str, policy: str | None = None) -> Loaded:
    lines = "\n".join(f"- [ ] {item}" for item in items)
    return from_texts("shop", f"# Shop\n\n## Before\n\n### Things\n{lines}\n".encode(), policy)


def taken(slack: FakeSlack, sent: list[dict[str, Any]]) -> int:
    """How many, if Slack takes every one of them."""
    for call in sent:
        assert call["method"] == "chat.postMessage"
        body = call["body"]
        checked_blocks(slack, body["blocks"])
        checked_metadata(body["metadata"])
        assert 0 < len(body["text"]) <= 4_000
        assert body.get("thread_ts") in (None, THREAD)
    return len(sent)


@pytest.mark.parametrize("name", NAMES)
def test_every_phase_in_every_state_is_taken(name: str) -> None:
    slack, loaded = FakeSlack(), load(name, (SHIPPED,))
    for state in State:
        assert taken(slack, phases(loaded, state, everything=True)) > len(loaded.checklist.phases) // 2


@pytest.mark.parametrize("name", NAMES)
async def test_every_event_is_taken(name: str) -> None:
    slack, loaded = FakeSlack(), load(name, (SHIPPED,))
    for what in Occasion:
        assert taken(slack, await occasion(loaded, what)) >= 1


def test_what_is_printed_is_what_is_sent() -> None:
    loaded = load("petforce", (SHIPPED,))
    card, *items = phases(loaded, State.FRESH)
    assert list(card["body"]) == ["channel", "text", "blocks", "metadata", "unfurl_links", "unfurl_media"]
    assert card["body"]["channel"] == "#engineering"
    assert card["body"]["metadata"]["event_payload"]["key"].endswith(":card")
    assert {item["body"]["thread_ts"] for item in items} == {THREAD}


def test_a_phase_is_named_by_its_id_or_title_and_a_wrong_one_says_which_there_are() -> None:
    loaded = load("azora", (SHIPPED,))
    step = loaded.checklist.phases[1]
    assert phases(loaded, State.HALF, phase=step.id) == phases(loaded, State.HALF, phase=step.title.upper())
    with pytest.raises(Unwell, match="There are:"):
        phases(loaded, State.HALF, phase="Lunch")


async def test_what_is_never_announced_says_so() -> None:
    with pytest.raises(Unwell, match="never announces “issue”"):
        await occasion(shop("One"), Occasion.ISSUE)


@pytest.mark.parametrize("state", State)
def test_five_hundred_items_are_taken(state: State) -> None:
    sent = phases(shop(*(f"Item {number}: look at `dashboard {number}`" for number in range(500))), state)
    assert taken(FakeSlack(), sent) > 20
    everything = str(sent)
    assert state is State.DONE or all(f"tick:0a1b2c3d:item-{number}-" in everything for number in range(250, 500))


@pytest.mark.parametrize("words", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("state", State)
def test_odd_words_are_taken_and_call_nobody(words: str, state: State) -> None:
    slack = FakeSlack()
    sent = phases(shop(*([words] * 12)), state)
    assert taken(slack, sent) >= 2
    for call in sent:
        shown = Message("C1", "1.0", "UBOT", call["body"]["text"], call["body"]["blocks"])
        assert slack.pings(shown) == []
        assert "Traceback" not in message_text(slack, shown)
