"""Pictures go with the message, with their words; without a drawing the words stand alone."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from adapters.discord.chat import DiscordChat
from adapters.discord.client import Api
from adapters.discord.pictures import Drawings
from bot.cards.card import Answer, Card, Picture, Text
from bot.cards.chart import Chart, Curve
from bot.ports import Ambiguous, ChannelGone
from tests.adapters.discord.kit import PEOPLE, Core, adapter_on, config
from tests.fakes.discord import FakeDiscord, Fault
from tests.fakes.discord_things import Message

WORDS = "Error rate 0.05%, target 0.1%"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CHART = Chart("Error rate", "UTC", NOON, NOON, (Curve("Error rate", "%", ((NOON, 0.05),)),))
CARD = Card("30-minute check: healthy", "healthy", (Text("All well"), Picture(WORDS, CHART)))


class OneColour:
    """`bot.ports.Pictures`: a real PNG of one pixel, its grey the number of times it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.broken = False
        self.go = asyncio.Event()
        self.go.set()

    async def png(self, chart: Chart) -> bytes:
        await self.go.wait()
        self.asked += 1
        if self.broken:
            raise ValueError("no point to draw")

        def chunk(kind: bytes, body: bytes) -> bytes:
            return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

        header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
        pixel = zlib.compress(bytes([0, self.asked]))
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


@pytest.fixture
def pictures() -> OneColour:
    return OneColour()


@pytest.fixture
async def chat(server: FakeDiscord, pictures: OneColour) -> AsyncIterator[DiscordChat]:
    api = Api(config(server), timeout=1.5)
    chat = DiscordChat(api, lambda: PEOPLE, Drawings(pictures, api.faults, patience=1.0))
    yield chat
    await chat.close()
    await api.close()


def only(server: FakeDiscord) -> Message:
    """The one message there is."""
    [message] = server.messages("deployments")
    return message


def shows(message: Message) -> bool:
    """Whether it has its picture with its words; without it, the words alone."""
    assert WORDS in str(message.components)
    assert len(message.attachments) == str(message.components).count("attachment_id") <= 1
    return bool(message.attachments)


async def test_a_picture_is_attached_and_shown_with_its_words(server: FakeDiscord, chat: DiscordChat) -> None:
    await chat.post("#deployments", CARD, key="d1:check:t30:0")
    message = only(server)
    assert shows(message)
    [file] = message.attachments
    assert (file.filename, file.content_type) == ("chart-1.png", "image/png")
    assert f"(image: {WORDS})" in server.text(message)


async def test_a_newer_picture_replaces_the_older_one(server: FakeDiscord, chat: DiscordChat) -> None:
    number = await chat.post("#deployments", CARD, key="d1:check:t30:0")
    before = only(server).attachments[0].content
    await chat.update("#deployments", number, CARD)
    message = only(server)
    assert shows(message)
    assert message.attachments[0].content != before


async def test_a_picture_stays_through_an_edit_by_a_process_that_did_not_post_it(
    server: FakeDiscord, chat: DiscordChat, pictures: OneColour
) -> None:
    number = await chat.post("#deployments", CARD, key="d1:check:t30:0")
    api = Api(config(server), timeout=1.5)
    other = DiscordChat(api, lambda: PEOPLE, Drawings(pictures, api.faults))
    await other.update("#deployments", number, Card(CARD.title, CARD.text, (Text("Accepted"), *CARD.blocks)))
    await api.close()
    assert shows(only(server))
    assert "Accepted" in server.text(only(server))


async def test_two_pictures_keep_their_order_where_one_cannot_be_drawn(server: FakeDiscord) -> None:
    class First(OneColour):
        async def png(self, chart: Chart) -> bytes:
            self.broken = chart.title == "broken"
            return await super().png(chart)

    api = Api(config(server), timeout=1.5)
    chat = DiscordChat(api, lambda: PEOPLE, Drawings(First(), api.faults))
    broken = Picture("words of the broken one", Chart("broken", "UTC", NOON, NOON, CHART.curves))
    await chat.post("#deployments", Card("t", "t", (broken, Picture(WORDS, CHART))), key="d1:x")
    await api.close()
    text = server.text(only(server))
    assert text.index("words of the broken one") < text.index(f"(image: {WORDS})")
    assert [file.filename for file in only(server).attachments] == ["chart-2.png"]


# --- what goes wrong ---


async def test_what_cannot_be_drawn_is_said_in_words(
    server: FakeDiscord, chat: DiscordChat, pictures: OneColour
) -> None:
    pictures.broken = True
    number = await chat.post("#deployments", CARD, key="d1:check:t30:0")
    assert not shows(only(server))
    pictures.broken = False
    await chat.update("#deployments", number, CARD)
    assert shows(only(server))
    pictures.broken = True
    await chat.update("#deployments", number, CARD)
    assert not shows(only(server)), "an old picture does not stay behind new words"


async def test_a_slow_drawing_does_not_hold_up_the_message(
    server: FakeDiscord, chat: DiscordChat, pictures: OneColour
) -> None:
    pictures.go.clear()
    await chat.post("#deployments", CARD, key="d1:check:t30:0")
    assert not shows(only(server))


async def test_without_the_permission_the_words_stand_there_and_it_says_what_to_allow(
    server: FakeDiscord, chat: DiscordChat
) -> None:
    server.forbid("deployments", "ATTACH_FILES")
    await chat.post("#deployments", CARD, key="d1:check:t30:0")
    assert not shows(only(server))
    assert any("Attach Files" in fault for fault in chat.faults())
    server.allow("deployments", "ATTACH_FILES")
    await chat.post("#deployments", CARD, key="d1:check:t2h:0")
    assert shows(server.messages("deployments")[1])
    assert chat.faults() == ()


async def test_a_channel_that_cannot_be_posted_to_is_no_matter_of_pictures(
    server: FakeDiscord, chat: DiscordChat
) -> None:
    server.forbid("deployments", "SEND_MESSAGES")
    with pytest.raises(ChannelGone):
        await chat.post("#deployments", CARD, key="d1:check:t30:0")
    assert not any("Attach Files" in fault for fault in chat.faults())


async def test_a_lost_answer_is_not_taken_for_a_refused_picture(server: FakeDiscord, chat: DiscordChat) -> None:
    server.faults.script("POST /channels/*/messages", Fault.drop(stored=True), times=9)
    with pytest.raises(Ambiguous):
        await chat.post("#deployments", CARD, key="d1:check:t30:0")
    assert shows(only(server))


# --- answers ---


async def test_status_is_whispered_with_its_picture(server: FakeDiscord, pictures: OneColour) -> None:
    core = Core(replies={"status": Answer(card=CARD)})
    async with adapter_on(server, core, pictures=pictures, patience=2.0):
        answer = await server.person("ana").slash("deploy status", channel="deployments")
    assert answer.ephemeral
    assert answer.message is not None
    assert shows(answer.message)


async def test_a_drawing_that_takes_long_comes_with_the_later_answer(server: FakeDiscord, pictures: OneColour) -> None:
    pictures.go.clear()
    core = Core(replies={"status": Answer(card=CARD)})
    async with adapter_on(server, core, pictures=pictures, patience=0.05):
        answer = await server.person("ana").slash("deploy status", channel="deployments")
        assert answer.kind == 5
        pictures.go.set()
        await answer.settled()
    assert answer.message is not None
    assert shows(answer.message)


async def test_an_answer_whose_picture_is_refused_is_said_in_words(server: FakeDiscord, pictures: OneColour) -> None:
    server.faults.script("POST /interactions/*/callback", Fault.status(413))
    core = Core(replies={"status": Answer(card=CARD)})
    async with adapter_on(server, core, pictures=pictures, patience=2.0):
        answer = await server.person("ana").slash("deploy status", channel="deployments")
    assert answer.message is not None
    assert not shows(answer.message)
