"""The loopback Slack and the real slack_bolt: connections, signatures, and deliveries that go wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.slack import FakeSlack
from tests.fakes.slack_app import Bot, over_http, over_socket

pytestmark = pytest.mark.slow


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        yield slack


# --- Socket Mode ---


async def test_a_refresh_moves_the_app_to_a_new_connection(slack: FakeSlack) -> None:
    async with over_socket(slack):
        (first,) = slack.socket.live
        await slack.socket.disconnect("refresh_requested")
        (second,) = await slack.until(lambda: [each for each in slack.socket.live if each is not first])
        assert (await slack.user("U1").command("/deploy", channel="C1")).ok
        assert len(second.envelopes) == 1
        assert len(slack.called("apps.connections.open")) == 2


async def test_what_a_ghost_gets_is_lost_and_not_sent_again(slack: FakeSlack) -> None:
    async with over_socket(slack) as bot:
        slack.courier.ack_timeout = 0.1
        ghost = slack.socket.ghost()
        slack.socket.route = lambda ready: ghost
        assert (await slack.user("U1").command("/deploy", channel="C1")).error == "operation_timeout"
        assert bot.got == []
        slack.courier.ack_timeout = 3.0
        slack.socket.route = lambda ready: ready[0]
        assert (await slack.user("U1").command("/deploy", channel="C1")).ok
        assert [ack.late for ack in slack.socket.acks] == [False]


async def test_an_event_lost_to_a_ghost_is_retried_elsewhere(slack: FakeSlack) -> None:
    async with over_socket(slack) as bot:
        slack.courier.ack_timeout = 0.5
        ghost, order = slack.socket.ghost(), iter([True, False])
        slack.socket.route = lambda ready: ghost if next(order) else ready[0]
        delivery = await slack.user("U1").open_home()
        assert [ack.error for ack in delivery.attempts] == ["operation_timeout", None]
        await slack.until(lambda: slack.homes)
        assert bot.retries == ["1"]


async def test_without_a_connection_a_command_fails_at_once(slack: FakeSlack) -> None:
    ack = await slack.user("U1").command("/deploy", channel="C1")
    assert ack.error == "dispatch_failed"
    assert ack.elapsed < 1


async def test_the_eleventh_connection_is_sent_away_and_a_ticket_works_once(slack: FakeSlack) -> None:
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    for _ in range(9):
        slack.socket.ghost()
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as tenth:
        hello = await tenth.receive_json()
        assert (hello["type"], hello["num_connections"]) == ("hello", 10)
        assert hello["debug_info"]["approximate_connection_time"] == 3600
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)
        url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
        async with session.ws_connect(url) as eleventh:
            assert (await eleventh.receive_json())["reason"] == "too_many_websockets"
            assert (await eleventh.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_payloads_go_to_any_connection_once(slack: FakeSlack) -> None:
    async with over_socket(slack) as one:
        other = AsyncSocketModeHandler(one.app, slack.app_token)
        await other.connect_async()  # type: ignore[no-untyped-call]
        await slack.until(lambda: len(slack.socket.live) == 2)
        for _ in range(12):
            assert (await slack.user("U1").command("/deploy", channel="C1")).ok
        shares = [len(each.envelopes) for each in slack.socket.live]
        assert all(shares)
        assert sum(shares) == 12
        assert len(one.got) == 12
        await other.close_async()  # type: ignore[no-untyped-call]


async def test_a_deaf_connection_looks_healthy_and_a_mute_one_is_left(slack: FakeSlack) -> None:
    slack.courier.ack_timeout = 0.1
    handler = AsyncSocketModeHandler(Bot(slack).app, slack.app_token, ping_interval=0.2)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    (first,) = await slack.until(lambda: slack.socket.live)
    first.state = "deaf"
    assert (await slack.user("U1").command("/deploy", channel="C1")).error == "operation_timeout"
    assert slack.socket.live == [first]
    first.state = "mute"
    await slack.until(lambda: [each for each in slack.socket.live if each is not first])
    await handler.close_async()  # type: ignore[no-untyped-call]


async def test_a_process_that_dies_leaves_a_ghost_if_slack_lingers(slack: FakeSlack) -> None:
    slack.socket.linger = True
    async with over_socket(slack):
        slack.socket.live[0].drop()
        await slack.until(lambda: slack.socket.connections[0].state == "ghost")


# --- HTTP ---


async def test_wrong_signatures_and_old_timestamps_are_refused_by_the_app(slack: FakeSlack) -> None:
    async with over_http(slack) as bot:
        ana = slack.user("U1")
        slack.courier.skew = -301
        refused = await ana.command("/deploy", channel="C1")
        assert (refused.status, refused.error) == (401, "dispatch_failed")
        slack.courier.skew, slack.courier.signature = 0, "v0=" + "0" * 64
        assert (await ana.command("/deploy", channel="C1")).status == 401
        assert bot.got == []


async def test_the_request_url_is_verified_and_probed(slack: FakeSlack) -> None:
    async with over_http(slack):
        assert await slack.courier.verify_url()
        assert (await slack.courier.ssl_check()).status == 200


async def test_events_over_http_carry_retry_headers(slack: FakeSlack) -> None:
    seen = []

    async def endpoint(request: Request) -> Response:
        headers = request.headers
        seen.append((headers.get("x-slack-retry-num"), headers.get("x-slack-retry-reason")))
        return Response(status_code=500 if len(seen) < 3 else 200)

    slack.deliver_to = Starlette(routes=[Route("/slack/events", endpoint, methods=["POST"])])
    delivery = await slack.event({"type": "app_home_opened", "user": "U1", "tab": "home"})
    assert delivery.ok
    assert seen == [(None, None), ("1", "http_error"), ("2", "http_error")]


async def test_nobody_at_the_request_url(slack: FakeSlack) -> None:
    slack.deliver_to = "http://127.0.0.1:1/slack/events"
    assert (await slack.user("U1").command("/deploy", channel="C1")).error == "dispatch_failed"
