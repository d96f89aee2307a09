"""The loopback Slack when it is busy, broken or slow, and the real slack_sdk's way with that."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.fakes.slack import FakeSlack, Fault

pytestmark = pytest.mark.slow


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        yield slack


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    """Without the blind retry of connection errors that slack_sdk has by default."""
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as error:
        await call
    return str(error.value.response["error"])


async def test_over_the_limit_slack_says_how_long_to_wait(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.limits.tier(3, 2)
    slack.limits.posts_per_channel()
    ts = (await client.chat_postMessage(channel="C1", text="x"))["ts"]
    assert await refused(client.chat_postMessage(channel="C1", text="x")) == "ratelimited"
    await client.chat_postMessage(channel="U1", text="elsewhere")
    for _ in range(2):
        await client.chat_update(channel="C1", ts=ts, text="y")
    with pytest.raises(SlackApiError) as error:
        await client.chat_update(channel="C1", ts=ts, text="y")
    assert error.value.response.status_code == 429
    assert 58 <= int(error.value.response.headers["Retry-After"]) <= 60
    slack.clock.forward(61)
    await client.chat_update(channel="C1", ts=ts, text="y")


async def test_a_429_is_obeyed_by_the_sdk(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.faults.script("chat.postMessage", Fault.ratelimited(0))
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    await client.chat_postMessage(channel="C1", text="x")
    assert [call.status for call in slack.called("chat.postMessage")] == [429, 200]


@pytest.mark.parametrize("stored", [False, True])
async def test_faults_come_before_or_after_the_message_is_kept(
    slack: FakeSlack, client: AsyncWebClient, stored: bool
) -> None:
    faults = [Fault.status(503, stored=stored), Fault.drop(stored=stored), Fault.error("fatal_error", stored=stored)]
    slack.faults.script("chat.*", *faults)
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="C1", text="1")
    with pytest.raises((aiohttp.ClientError, OSError)):
        await client.chat_postMessage(channel="C1", text="2")
    assert await refused(client.chat_postMessage(channel="C1", text="3")) == "fatal_error"
    assert [each.text for each in slack.messages("C1")] == (["1", "2", "3"] if stored else [])
    await client.chat_postMessage(channel="C1", text="4")


async def test_a_dropped_connection_makes_the_sdk_post_twice_by_default(slack: FakeSlack) -> None:
    slack.faults.script("chat.postMessage", Fault.drop(stored=True))
    await AsyncWebClient(slack.bot_token, base_url=slack.api_url).chat_postMessage(channel="C1", text="x")
    assert len(slack.messages("C1")) == 2


async def test_slow_and_half_open_answers_end_at_the_clients_patience(slack: FakeSlack) -> None:
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, timeout=0.1, retry_handlers=[])  # type: ignore[arg-type]
    slack.faults.script("chat.postMessage", Fault.slow(0.5), Fault.half_open())
    for text in ("slow", "half open"):
        with pytest.raises(asyncio.TimeoutError):
            await client.chat_postMessage(channel="C1", text=text)
    assert [each.text for each in slack.messages("C1")] == ["slow"]


async def test_chance_is_the_same_for_the_same_seed(slack: FakeSlack, client: AsyncWebClient) -> None:
    async def run() -> list[str | None]:
        slack.faults.clear()
        slack.faults.chance("auth.test", {Fault.error("internal_error"): 0.5}, seed=3)
        before = len(slack.calls)
        for _ in range(8):
            with contextlib.suppress(SlackApiError):
                await client.auth_test()
        return [call.error for call in slack.calls[before:]]

    first = await run()
    assert await run() == first
    assert len(set(first)) == 2


async def test_a_response_url_works_five_times_within_half_an_hour(slack: FakeSlack) -> None:
    hook = AsyncWebhookClient(slack.response_url("U1", "C1"))
    assert (await hook.send(text="only you")).status_code == 200
    assert [each.text for each in slack.user("U1").sees("C1")] == ["only you"]
    assert slack.user("U2").sees("C1") == []
    assert (await hook.send(text="all", response_type="in_channel")).status_code == 200
    assert slack.user("U2").screen("C1") == "all"
    assert (await hook.send(text="x", blocks=[{"type": "nonsense"}])).status_code == 400
    for _ in range(2):
        await hook.send(text="x")
    assert "used_url" in (await hook.send(text="x")).body
    late = AsyncWebhookClient(slack.response_url("U1", "C1"))
    slack.clock.forward(1801)
    assert "expired_url" in (await late.send(text="x")).body


async def test_a_response_url_fails_like_everything_else(slack: FakeSlack) -> None:
    slack.faults.script("response_url", Fault.status(500), Fault.status(500, stored=True))
    hook = AsyncWebhookClient(slack.response_url("U1", "C1"), retry_handlers=[])
    assert [(await hook.send(text=text)).status_code for text in ("lost", "kept")] == [500, 500]
    assert slack.screen("U1", "C1") == "kept"
    assert [call.body["text"] for call in slack.called("response_url")] == ["lost", "kept"]
