"""The sandbox as a chat: the contract of the port, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from adapters.store.engine import address, engine_for
from adapters.web.chat import WebChat
from adapters.web.clock import SandboxClock
from adapters.web.state import Sandbox
from adapters.web.tables import metadata
from bot.cards.card import Card
from bot.ports import Ambiguous, ChannelGone, MessageGone
from tests.fakes.any_card import any_card
from tests.fakes.sandbox import NOW, Real

HELLO = Card("Hello", "hello")
CHANNEL = "#deployments"
LONG_AGO = NOW - timedelta(days=1)


class Bench:
    """A chat over a database, and the real time it goes by."""

    def __init__(self, url: str) -> None:
        self.real = Real()
        self.engine = engine_for(address(url))
        self.sandbox = Sandbox(self.engine)
        self.chat = WebChat(self.sandbox, SandboxClock(self.sandbox, self.real), ["#incidents", CHANNEL])


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with the sandbox's tables: every test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/sandbox.db"
    else:
        url = str(request.getfixturevalue("postgres_url"))

    async def make_tables() -> None:
        engine = engine_for(address(url))
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        await engine.dispose()

    asyncio.run(make_tables())
    return url


@pytest.fixture
async def bench(url: str) -> AsyncIterator[Bench]:
    bench = Bench(url)
    yield bench
    await bench.engine.dispose()


@pytest.fixture
def chat(bench: Bench) -> WebChat:
    return bench.chat


async def test_it_has_the_channels_it_was_given_and_deployments(chat: WebChat) -> None:
    assert chat.name == "web"
    assert await chat.has_channel(CHANNEL)
    assert await chat.has_channel("#incidents")
    assert not await chat.has_channel("#nowhere")
    assert chat.channels == (CHANNEL, "#incidents")


async def test_what_is_posted_is_found_by_its_key(chat: WebChat) -> None:
    message = await chat.post(CHANNEL, HELLO, key="d1:card")
    assert await chat.find(CHANNEL, "d1:card", since=LONG_AGO) == message
    assert await chat.find(CHANNEL, "d1:other", since=LONG_AGO) is None
    assert await chat.find("#incidents", "d1:card", since=LONG_AGO) is None
    assert await chat.find(CHANNEL, "d1:card", since=NOW + timedelta(seconds=1)) is None


async def test_a_reply_is_found_in_its_thread_only(chat: WebChat) -> None:
    root = await chat.post(CHANNEL, HELLO, key="card")
    reply = await chat.post(CHANNEL, HELLO, key="phase", thread=root)
    assert await chat.find(CHANNEL, "phase", since=LONG_AGO, thread=root) == reply
    assert await chat.find(CHANNEL, "phase", since=LONG_AGO) is None
    assert [message.id for message in await chat.messages.thread(int(root), 10)] == [int(reply)]


async def test_the_same_key_twice_posts_twice(chat: WebChat) -> None:
    first, second = [await chat.post(CHANNEL, HELLO, key="same") for _ in range(2)]
    assert first != second
    assert await chat.find(CHANNEL, "same", since=LONG_AGO) == second


async def test_an_update_replaces_what_it_says_and_says_when(bench: Bench) -> None:
    message = await bench.chat.post(CHANNEL, HELLO, key="card")
    bench.real.later(minutes=5)
    await bench.chat.update(CHANNEL, message, Card("Bye", "bye"))
    found = await bench.chat.messages.get(int(message))
    assert found is not None
    assert (found.card.title, found.revision, found.posted_at) == ("Bye", 1, NOW)
    assert found.edited_at == NOW + timedelta(minutes=5)


async def test_an_update_that_changes_nothing_wakes_nobody(bench: Bench) -> None:
    message = await bench.chat.post(CHANNEL, HELLO, key="card")
    change, rings = await bench.chat.messages.last_change(), bench.sandbox.bell.rings
    await bench.chat.update(CHANNEL, message, HELLO)
    assert await bench.chat.messages.last_change() == change
    assert bench.sandbox.bell.rings == rings


async def test_a_message_that_does_not_exist_is_gone(chat: WebChat) -> None:
    message = await chat.post(CHANNEL, HELLO, key="card")
    for unknown in ("999", "0", "-1", "1700000000.000100", "", "٣", "9" * 40):
        with pytest.raises(MessageGone):
            await chat.update(CHANNEL, unknown, HELLO)
        with pytest.raises(MessageGone):
            await chat.post(CHANNEL, HELLO, key="reply", thread=unknown)
    with pytest.raises(MessageGone):
        await chat.update("#incidents", message, HELLO)
    with pytest.raises(MessageGone):
        await chat.post("#incidents", HELLO, key="reply", thread=message)
    assert await chat.find(CHANNEL, "reply", since=LONG_AGO, thread=message) is None


async def test_a_channel_that_does_not_exist_is_gone(chat: WebChat) -> None:
    with pytest.raises(ChannelGone, match="#nowhere"):
        await chat.post("#nowhere", HELLO, key="card")


async def test_a_reply_to_a_reply_joins_the_thread(chat: WebChat) -> None:
    root = await chat.post(CHANNEL, HELLO, key="card")
    reply = await chat.post(CHANNEL, HELLO, key="one", thread=root)
    await chat.post(CHANNEL, HELLO, key="two", thread=reply)
    assert (await chat.messages.replies([int(root)]))[int(root)].count == 2


async def test_a_database_that_fails_is_ambiguous(bench: Bench) -> None:
    async with bench.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE sandbox_messages RENAME TO elsewhere"))
    with pytest.raises(Ambiguous):
        await bench.chat.post(CHANNEL, HELLO, key="card")
    with pytest.raises(Ambiguous):
        await bench.chat.update(CHANNEL, "1", HELLO)
    with pytest.raises(Ambiguous):
        await bench.chat.find(CHANNEL, "card", since=LONG_AGO)


async def test_changes_at_the_same_time_get_their_own_numbers(chat: WebChat) -> None:
    posted = await asyncio.gather(*(chat.post(CHANNEL, HELLO, key=f"k{place}") for place in range(12)))
    await asyncio.gather(*(chat.update(CHANNEL, message, Card(message, message)) for message in posted))
    changed = await chat.messages.changed(0, 100)
    assert [message.change for message in changed] == list(range(13, 25))
    assert await chat.messages.last_change() == 24


async def test_a_restart_loses_nothing(url: str) -> None:
    before = Bench(url)
    root = await before.chat.post(CHANNEL, HELLO, key="card")
    await before.chat.post(CHANNEL, HELLO, key="phase", thread=root)
    await before.engine.dispose()
    after = Bench(url)
    assert await after.chat.find(CHANNEL, "card", since=LONG_AGO) == root
    assert await after.chat.post(CHANNEL, HELLO, key="next") == "3"
    assert await after.chat.messages.last_change() == 3
    await after.engine.dispose()


async def test_a_channel_is_read_in_pages(chat: WebChat) -> None:
    for place in range(7):
        await chat.post(CHANNEL, HELLO, key=f"k{place}")
    assert [message.id for message in await chat.messages.roots(CHANNEL, None, 3)] == [5, 6, 7]
    assert [message.id for message in await chat.messages.roots(CHANNEL, 5, 3)] == [2, 3, 4]


# --- every card comes back as it was ----------------------------------------------------------------------------------


@given(cards=st.lists(any_card(), min_size=1, max_size=5))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_every_card_comes_back_as_it_was(url: str, cards: list[Card]) -> None:
    async def there_and_back() -> list[Card]:
        bench = Bench(url)
        posted = [await bench.chat.post(CHANNEL, card, key="card") for card in cards]
        found = [await bench.chat.messages.get(int(message)) for message in posted]
        await bench.engine.dispose()
        return [message.card for message in found if message is not None]

    assert asyncio.run(there_and_back()) == cards
