"""A loopback Slack for every test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.slack.adapter import SlackAdapter
from adapters.slack.client import Api
from tests.adapters.slack.kit import Core, adapter_on
from tests.fakes.slack import FakeSlack


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        fake.add_group("S001", "qa", ["U2"])
        fake.add_group("S002", "oncall", ["U1"])
        fake.add_user("U003", "vera")
        yield fake


@pytest.fixture
async def api(slack: FakeSlack) -> AsyncIterator[Api]:
    """A client that gives up soon."""
    client = Api(slack.bot_token, base_url=slack.api_url, timeout=0.5)
    await client.open()
    yield client
    await client.close()


@pytest.fixture
def core() -> Core:
    return Core()


@pytest.fixture
async def adapter(slack: FakeSlack, core: Core) -> AsyncIterator[SlackAdapter]:
    """Listening by Socket Mode."""
    async with adapter_on(slack, core) as running:
        yield running


@pytest.fixture
async def nothing_is_refused(slack: FakeSlack) -> AsyncIterator[None]:
    """No test that asks for it may send Slack what it does not take."""
    yield
    assert [line for line in slack.refused if "warning sign" not in line] == []
