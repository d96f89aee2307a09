"""What `gonogo render` prints is what a client sends, to the letter."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.discord.chat import DiscordChat
from adapters.discord.client import Api
from adapters.discord.config import DiscordConfig
from adapters.discord.layout import marker
from adapters.discord.posting import deployment_of, post_body, thread_name, update_body
from bot.cards.card import Card, Text, Verbatim
from checklists.policy import Person
from tests.adapters.slack.cards import phase, row
from tests.fakes.discord import FakeDiscord

KEY = "deadbeef:phase:pre:0"
CARDS = {
    "items": phase(row(), row("b", state="ticked", status="Ann 10:04")),
    "mentions": Card("T", "t", (Text("x"),), mentions=("qa", "on_call", "dba")),
    "announcement": Card("", "It *is* done", (Verbatim("It *is* done @everyone"),)),
}


PEOPLE = {"qa": Person(discord=f"role:{10**17}"), "on_call": Person(discord=str(10**17 + 1))}


@pytest.fixture
async def server() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as fake:
        with fake.pointed():
            yield fake


@pytest.fixture
async def chat(server: FakeDiscord) -> AsyncIterator[DiscordChat]:
    api = Api(DiscordConfig(server.token, api_url=server.api_url))
    chat = DiscordChat(api, lambda: {role: [person] for role, person in PEOPLE.items()})
    yield chat
    await chat.close()
    await api.close()


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
async def test_what_is_printed_is_what_is_sent(card: Card, server: FakeDiscord, chat: DiscordChat) -> None:
    message = await chat.post("#deployments", card, key=KEY)
    assert server.called("POST /channels/*/messages")[-1].body == post_body(card, key=KEY, people=PEOPLE)
    await chat.update("#deployments", message, card)
    body = update_body(card, people=PEOPLE, deployment="deadbeef", marked=marker(KEY))
    assert server.called("PATCH /channels/*/messages/*")[-1].body == body


def test_a_key_begins_with_its_deployment() -> None:
    assert deployment_of(KEY) == "deadbeef"


@pytest.mark.parametrize(
    ("card", "name"),
    [
        (Card("🚀 azora v1.2.0 → production", "t"), "🚀 azora v1.2.0 → production"),
        (Card("", "  two\nlines "), "two lines"),
        (Card("", ""), "Deployment"),
        (Card("x" * 200, "t"), "x" * 99 + "…"),
    ],
)
def test_a_thread_is_named_after_its_card(card: Card, name: str) -> None:
    assert thread_name(card) == name
