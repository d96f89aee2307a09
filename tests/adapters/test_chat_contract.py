"""What every chat keeps, as `bot.ports.Chat` says it: one suite over all of them. A chat joins by a line in `CHATS`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.discord.chat import DiscordChat
from adapters.discord.client import Api as DiscordApi
from adapters.discord.config import DiscordConfig
from adapters.slack.chat import SlackChat
from adapters.slack.client import Api
from adapters.store.engine import address, engine_for
from adapters.web.chat import WebChat
from adapters.web.state import Sandbox
from bot.cards import card as c
from bot.cards.card import Card
from bot.ports import ChannelGone, Chat, MessageGone
from tests.adapters.slack.kit import unpaced
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.fakes.discord import FakeDiscord
from tests.fakes.slack import FakeSlack

__all__ = ["migrated_file", "sqlite_url"]

MAIN, OTHER, NOWHERE = "#deployments", "#incidents", "#nowhere"


@dataclass
class Platform:
    """A chat, and what a test sees on the other side. `texts` are the messages of a channel or thread, oldest first."""

    chat: Chat
    texts: Callable[[str, str | None], Awaitable[list[str]]]
    delete: Callable[[str, str], Awaitable[None]]


@asynccontextmanager
async def web(url: str) -> AsyncIterator[Platform]:
    engine = engine_for(address(url))
    chat = WebChat(Sandbox(engine), Now(), [OTHER])

    async def texts(channel: str, thread: str | None) -> list[str]:
        read = chat.messages.roots(channel, None, 100) if thread is None else chat.messages.thread(int(thread), 100)
        return [message.card.text for message in await read]

    async def delete(channel: str, message: str) -> None:
        async with engine.begin() as connection:
            await connection.execute(text(f"DELETE FROM sandbox_messages WHERE id = {int(message)}"))

    yield Platform(chat, texts, delete)
    await engine.dispose()


@asynccontextmanager
async def slack(url: str) -> AsyncIterator[Platform]:
    async with FakeSlack() as workspace:
        workspace.add_channel(OTHER.removeprefix("#"))
        api = unpaced(Api(workspace.bot_token, base_url=workspace.api_url))
        await api.open()
        await api.identify()
        chat = SlackChat(api, dict)

        async def texts(channel: str, thread: str | None) -> list[str]:
            return [message.text for message in workspace.messages(channel, thread)]

        async def delete(channel: str, message: str) -> None:
            workspace.delete(workspace.message(workspace.channel_of(channel).id, message))

        yield Platform(chat, texts, delete)
        await chat.close()
        await api.close()


@asynccontextmanager
async def discord(url: str) -> AsyncIterator[Platform]:
    async with FakeDiscord() as server:
        server.add_channel(OTHER.removeprefix("#"))
        with server.pointed():
            api = DiscordApi(DiscordConfig(server.token, api_url=server.api_url))
            chat = DiscordChat(api, dict)

            async def texts(channel: str, thread: str | None) -> list[str]:
                return [server.text(message).splitlines()[1] for message in server.messages(thread or channel)]

            async def delete(channel: str, message: str) -> None:
                server.remove_message(next(each for each in server.messages(channel) if str(each.id) == message))

            yield Platform(chat, texts, delete)
            await chat.close()
            await api.close()


CHATS: dict[str, Callable[[str], AbstractAsyncContextManager[Platform]]] = {
    "web": web,
    "slack": slack,
    "discord": discord,
}


class Now:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture(params=CHATS)
async def there(request: pytest.FixtureRequest, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Platform]:
    async with CHATS[request.param](sqlite_url) as platform:
        yield platform


def a_card(text: str) -> Card:
    return Card("Title", text, (c.Text(text),))


def lately() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=5)


async def test_it_has_a_name(there: Platform) -> None:
    assert there.chat.name in CHATS


async def test_it_tells_which_channels_can_be_posted_to(there: Platform) -> None:
    assert await there.chat.has_channel(MAIN)
    assert await there.chat.has_channel(OTHER)
    assert not await there.chat.has_channel(NOWHERE)


async def test_a_channel_that_does_not_exist_is_gone(there: Platform) -> None:
    with pytest.raises(ChannelGone):
        await there.chat.post(NOWHERE, a_card("hello"), key="k")


async def test_a_message_stands_where_it_was_posted(there: Platform) -> None:
    await there.chat.post(MAIN, a_card("one"), key="k1")
    await there.chat.post(OTHER, a_card("two"), key="k2")
    assert await there.texts(MAIN, None) == ["one"]
    assert await there.texts(OTHER, None) == ["two"]


async def test_it_is_found_by_its_key_there_and_nowhere_else(there: Platform) -> None:
    message = await there.chat.post(MAIN, a_card("one"), key="d1:started:web:#deployments")
    find = there.chat.find
    assert await find(MAIN, "d1:started:web:#deployments", since=lately()) == message
    assert await find(MAIN, "d1:started:web:#deployment", since=lately()) is None
    assert await find(OTHER, "d1:started:web:#deployments", since=lately()) is None
    root = await there.chat.post(MAIN, a_card("root"), key="root")
    assert await find(MAIN, "d1:started:web:#deployments", since=lately(), thread=root) is None


async def test_it_is_found_among_many_and_after_it_was_changed(there: Platform) -> None:
    message = await there.chat.post(MAIN, a_card("one"), key="wanted")
    for number in range(12):
        await there.chat.post(MAIN, a_card(str(number)), key=f"k{number}")
    await there.chat.update(MAIN, message, a_card("changed"))
    assert await there.chat.find(MAIN, "wanted", since=lately()) == message


async def test_what_was_posted_before_the_time_asked_for_is_not_found(there: Platform) -> None:
    await there.chat.post(MAIN, a_card("one"), key="k")
    assert await there.chat.find(MAIN, "k", since=datetime.now(UTC) + timedelta(minutes=5)) is None


async def test_a_reply_hangs_under_its_message_and_is_found_there(there: Platform) -> None:
    root = await there.chat.post(MAIN, a_card("root"), key="card")
    reply = await there.chat.post(MAIN, a_card("reply"), key="phase", thread=root)
    assert await there.texts(MAIN, None) == ["root"]
    assert await there.texts(MAIN, root) == ["reply"]
    assert await there.chat.find(MAIN, "phase", since=lately(), thread=root) == reply
    assert await there.chat.find(MAIN, "phase", since=lately()) is None
    await there.chat.update(MAIN, reply, a_card("changed"), thread=root)
    assert await there.texts(MAIN, root) == ["changed"]


async def test_an_update_replaces_what_stands_and_repeating_it_is_harmless(there: Platform) -> None:
    message = await there.chat.post(MAIN, a_card("one"), key="k")
    for _ in range(2):
        await there.chat.update(MAIN, message, a_card("two"))
    assert await there.texts(MAIN, None) == ["two"]


async def test_a_message_that_is_not_there_is_gone(there: Platform) -> None:
    message = await there.chat.post(MAIN, a_card("one"), key="k")
    await there.delete(MAIN, message)
    with pytest.raises(MessageGone):
        await there.chat.update(MAIN, message, a_card("two"))
    with pytest.raises(MessageGone):
        await there.chat.post(MAIN, a_card("reply"), key="reply", thread=message)
    assert await there.chat.find(MAIN, "k", since=lately()) is None


async def test_the_same_key_twice_posts_twice(there: Platform) -> None:
    first, second = [await there.chat.post(MAIN, a_card("one"), key="k") for _ in range(2)]
    assert first != second
    assert await there.chat.find(MAIN, "k", since=lately()) in (first, second)


async def test_many_posts_at_once_all_stand(there: Platform) -> None:
    await asyncio.gather(*(there.chat.post(MAIN, a_card(f"m{number}"), key=f"k{number}") for number in range(10)))
    assert sorted(await there.texts(MAIN, None)) == [f"m{number}" for number in range(10)]
