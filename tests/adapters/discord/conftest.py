"""A loopback Discord for every test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.discord.adapter import DiscordAdapter
from tests.adapters.discord.kit import ANA, QA, SRE, Core, adapter_on
from tests.fakes.discord import FakeDiscord


@pytest.fixture
async def server() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as fake:
        fake.add_role("testers", mentionable=True, id=QA)
        fake.add_role("sre", id=SRE)
        fake.add_person("vera", id=ANA)
        with fake.pointed():
            yield fake


@pytest.fixture
def core() -> Core:
    return Core()


@pytest.fixture
async def adapter(server: FakeDiscord, core: Core) -> AsyncIterator[DiscordAdapter]:
    """Listening."""
    async with adapter_on(server, core) as running:
        yield running
