"""Socket Mode: no click is lost while connections come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from adapters.slack import socket as module
from adapters.slack.adapter import SlackAdapter
from adapters.slack.app import make_app
from adapters.slack.client import Api
from adapters.slack.socket import SocketMode
from bot.cards.card import Answer
from tests.adapters.slack.kit import Core, Held, adapter_on, said, soon
from tests.fakes.slack import FakeSlack, Fault
from tests.fakes.slack_deliveries import Ack


class Echo:
    """Listeners that acknowledge every command with its text."""

    async def on_command(self, ack: Callable[..., Any], body: dict[str, Any]) -> None:
        await ack(f"heard {body['text']}")

    async def on_click(self, ack: Callable[..., Any], body: dict[str, Any]) -> None:
        await ack()

    on_form = on_click

    async def on_home(self, event: dict[str, Any]) -> None:
        return None


@asynccontextmanager
async def listening(slack: FakeSlack, api: Api, **how: Any) -> AsyncIterator[SocketMode]:
    mode = SocketMode(api, make_app(Echo(), api), slack.app_token, **how)  # type: ignore[arg-type]
    await mode.start()
    await soon(lambda: len(slack.socket.live) == mode.connected == module.CONNECTIONS)
    try:
        yield mode
    finally:
        await mode.stop()


async def say(slack: FakeSlack, text: str) -> Ack:
    return await slack.user("U1").command("/deploy", text, channel="C1")


async def test_two_connections_share_the_work(slack: FakeSlack, api: Api) -> None:
    async with listening(slack, api):
        acks = [await say(slack, str(number)) for number in range(20)]
        assert [ack.body for ack in acks] == [{"text": f"heard {number}"} for number in range(20)]
        assert {bool(each.envelopes) for each in slack.socket.live} == {True}


async def test_where_slack_puts_the_second_connection_off_the_first_one_works_and_nobody_is_alarmed(
    slack: FakeSlack, api: Api
) -> None:
    slack.faults.script("apps.connections.open", Fault.none(), Fault.ratelimited(1))
    api._paces["apps.connections.open"]._patience = 0.1
    mode = SocketMode(api, make_app(Echo(), api), slack.app_token)  # type: ignore[arg-type]
    with capture_logs() as logs:
        await mode.start()
        assert (await say(slack, "one")).ok
        await soon(lambda: mode.connected == 2)
    await mode.stop()
    assert [line for line in logs if line["log_level"] == "warning"] == []
    assert api.faults.sentences() == ()


async def test_an_envelope_is_acknowledged_on_the_connection_it_came_by(slack: FakeSlack, api: Api) -> None:
    async with listening(slack, api):
        for number in range(10):
            await say(slack, str(number))
        for each in slack.socket.live:
            assert {ack.envelope_id for ack in slack.socket.acks if ack.connection == each.id} == set(each.envelopes)


async def test_a_refresh_leaves_no_gap(slack: FakeSlack, api: Api) -> None:
    async with listening(slack, api):
        for _ in range(3):
            old = slack.socket.live[0]
            refresh = asyncio.create_task(slack.socket.disconnect("refresh_requested", old))
            acks = await asyncio.gather(*(say(slack, str(number)) for number in range(10)))
            await refresh
            assert all(ack.ok for ack in acks)
            await slack.until(lambda: len(slack.socket.live) == 2)


async def test_after_a_warning_the_new_connection_stands_before_the_old_one_goes(slack: FakeSlack, api: Api) -> None:
    async with listening(slack, api):
        old = slack.socket.live[0]
        most = 0

        def gone() -> bool:
            nonlocal most
            most = max(most, len(slack.socket.live))
            return old not in slack.socket.live

        await slack.socket.disconnect("warning", old)
        await slack.until(gone)
        assert most == 3
        assert len(slack.socket.live) == 2


async def test_when_all_connections_are_refreshed_at_once_it_listens_again(slack: FakeSlack, api: Api) -> None:
    async with listening(slack, api):
        before = list(slack.socket.live)
        await slack.socket.disconnect("refresh_requested")
        await slack.until(lambda: len(set(slack.socket.live) - set(before)) == 2)
        assert (await say(slack, "still")).ok


async def test_a_cut_connection_is_replaced(slack: FakeSlack, api: Api) -> None:
    async with listening(slack, api):
        cut = slack.socket.live[0]
        cut.drop()
        await slack.until(lambda: len(set(slack.socket.live) - {cut}) == 2)
        assert (await say(slack, "still")).ok


async def test_a_connection_that_answers_no_ping_is_replaced(slack: FakeSlack, api: Api) -> None:
    async with listening(slack, api, heartbeat=0.1):
        mute = slack.socket.live[0]
        mute.state = "mute"
        await slack.until(lambda: mute not in slack.socket.live and len(slack.socket.live) == 2)


async def test_every_connection_is_renewed_in_time_and_deaf_ones_with_it(slack: FakeSlack, api: Api) -> None:
    async with listening(slack, api, renew=0.2):
        deaf = slack.socket.live[0]
        deaf.state = "deaf"
        await slack.until(lambda: deaf not in slack.socket.connections)
        await slack.until(lambda: len(slack.socket.live) >= 2)
        assert (await say(slack, "still")).ok


async def test_connections_that_lead_nowhere_are_a_fault_until_they_are_gone(slack: FakeSlack, api: Api) -> None:
    ghost = slack.socket.ghost()
    async with listening(slack, api, suspect=0.1):
        assert "3 connections" in api.faults.sentences()[0]
        slack.socket.connections.remove(ghost)
        await soon(lambda: not api.faults.sentences())


async def test_it_goes_on_trying_with_a_fresh_ticket_and_says_so_meanwhile(
    slack: FakeSlack, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_WAIT", 0.02)
    slack.faults.script("apps.connections.open", *[Fault.status(503)] * 8)
    mode = SocketMode(api, make_app(Echo(), api), slack.app_token, lost=0.0)  # type: ignore[arg-type]
    await mode.start()
    await soon(lambda: any("Socket Mode" in sentence for sentence in api.faults.sentences()))
    await soon(lambda: mode.connected == 2)
    assert api.faults.sentences() == ()
    await mode.stop()


async def test_a_wrong_app_token_is_named(slack: FakeSlack, api: Api) -> None:
    mode = SocketMode(api, make_app(Echo(), api), "xapp-wrong")  # type: ignore[arg-type]
    await mode.start()
    assert "GONOGO_SLACK_APP_TOKEN" in api.faults.sentences()[0]
    await mode.stop()


@pytest.mark.parametrize(
    ("reason", "word"), [("link_disabled", "Socket Mode is off"), ("too_many_websockets", "too many")]
)
async def test_when_slack_wants_none_it_says_why_and_waits(slack: FakeSlack, api: Api, reason: str, word: str) -> None:
    async with listening(slack, api, lost=0.2):
        await slack.socket.disconnect(reason)
        await soon(lambda: any(word in sentence for sentence in api.faults.sentences()))
        await slack.until(lambda: len(slack.socket.live) == 2)
        await soon(lambda: not api.faults.sentences())


async def test_with_ten_connections_already_it_says_so_and_comes_in_when_one_is_dropped(
    slack: FakeSlack, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_WAIT", 0.02)
    for _ in range(10):
        slack.socket.ghost()
    mode = SocketMode(api, make_app(Echo(), api), slack.app_token)  # type: ignore[arg-type]
    await mode.start()
    assert "too many connections" in api.faults.sentences()[0]
    del slack.socket.connections[:9]
    await soon(lambda: mode.connected == 2)
    assert not any("too many" in sentence for sentence in api.faults.sentences())
    await mode.stop()


async def test_under_slacks_published_limits_it_waits_for_its_turn(slack: FakeSlack, api: Api) -> None:
    slack.limits.as_published()
    mode = SocketMode(api, make_app(Echo(), api), slack.app_token)  # type: ignore[arg-type]
    await mode.start()
    try:
        assert mode.connected == 1
        assert (await say(slack, "heard")).ok
    finally:
        await mode.stop()
    assert sorted(call.status for call in slack.called("apps.connections.open")) == [200, 429]


async def test_stopping_closes_every_connection_and_leaves_no_ghost(slack: FakeSlack, api: Api) -> None:
    slack.socket.linger = True
    async with listening(slack, api):
        pass
    await slack.until(lambda: not slack.socket.connections)


async def test_a_stop_waits_for_what_is_being_done_and_acknowledges_it(slack: FakeSlack, core: Core) -> None:
    held = Held(said("Started."))
    core.replies["start v1"] = held
    async with adapter_on(slack, core) as adapter:
        command = asyncio.create_task(say(slack, "start v1"))
        await held.asked.wait()
        stop = asyncio.create_task(adapter.stop())
        await asyncio.sleep(0)
        held.go.set()
        assert (await command).ok
        await stop
    assert len(core.got) == 1


async def test_what_cannot_end_does_not_hold_up_the_stop(
    slack: FakeSlack, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_DRAIN", 0.1)
    held = Held(Answer())
    core.replies["start v1"] = held
    async with adapter_on(slack, core):
        command = asyncio.create_task(say(slack, "start v1"))
        await held.asked.wait()
    slack.courier.ack_timeout = 0.0
    command.cancel()
    assert core.got == []


async def test_a_line_that_is_dead_does_not_hold_up_the_stop(
    slack: FakeSlack, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GOODBYE", aiohttp.ClientWSTimeout(ws_close=0.1))
    async with listening(slack, api) as mode:
        for connection in slack.socket.connections:
            connection.stall()
        async with asyncio.timeout(5):
            await mode.stop()


async def test_it_may_be_stopped_twice_and_before_it_started(slack: FakeSlack, adapter: SlackAdapter) -> None:
    await adapter.stop()
    await adapter.stop()
