"""Pictures go with the message, with their words; without a drawing the words stand alone."""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from adapters.discord.chat import DiscordChat
from adapters.discord.client import Api
from bot.cards.card import Card, Picture, Text
from bot.cards.chart import Chart, Curve
from tests.adapters.discord.kit import PEOPLE, config
from tests.fakes.discord import FakeDiscord

WORDS = "Error rate 0.05%, target 0.1%"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CHART = Chart("Error rate", "UTC", NOON, NOON, (Curve("Error rate", "%", ((NOON, 0.05),)),))
CARD = Card("30-minute check: healthy", "healthy", (Text("All well"), Picture(WORDS, CHART)))


class OneColour:
    """`bot.ports.Pictures`: a real PNG of one pixel, its grey the number of times it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.broken = False

    async def png(self, chart: Chart) -> bytes:
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
    chat = DiscordChat(api, lambda: PEOPLE, pictures)
    yield chat
    await chat.close()
    await api.close()


async def test_a_picture_is_attached_and_shown_with_its_words(server: FakeDiscord, chat: DiscordChat) -> None:
    await chat.post("#deployments", CARD, key="d1:check:t30:0")
    [message] = server.messages("deployments")
    [file] = message.attachments
    assert file.filename == "chart-1.png"
    assert "attachment://chart-1.png" in str(message.components)
    assert WORDS in str(message.components)


async def test_a_newer_picture_replaces_the_older_one(server: FakeDiscord, chat: DiscordChat) -> None:
    message = await chat.post("#deployments", CARD, key="d1:check:t30:0")
    await chat.update("#deployments", message, CARD)
    [shown] = server.messages("deployments")
    assert len(shown.attachments) == 1


async def test_what_cannot_be_drawn_is_said_in_words(
    server: FakeDiscord, chat: DiscordChat, pictures: OneColour
) -> None:
    pictures.broken = True
    await chat.post("#deployments", CARD, key="d1:check:t30:0")
    [message] = server.messages("deployments")
    assert not message.attachments
    assert WORDS in str(message.components)
