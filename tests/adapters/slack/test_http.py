"""Slack's signed requests, in our own server: the same conversation, and nobody else gets in."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from adapters.slack.adapter import SlackAdapter
from adapters.slack.config import SlackConfig
from adapters.slack.http import routes
from tests.adapters.slack.kit import BUTTONS, PEOPLE, REFUSED, Core, adapter_on, said
from tests.fakes.slack import FakeSlack


@pytest.fixture
async def over_http(slack: FakeSlack, core: Core) -> AsyncIterator[SlackAdapter]:
    async with adapter_on(slack, core, http=True) as adapter:
        slack.deliver_to = Starlette(routes=adapter.routes())
        yield adapter


async def test_a_command_and_a_click_do_what_they_do_over_the_socket(
    slack: FakeSlack, over_http: SlackAdapter, core: Core
) -> None:
    core.replies["status"] = said("Nothing runs.")
    core.replies["advance:d1"] = REFUSED
    assert (await slack.user("U1").command("/deploy", "status", channel="C1")).ok
    assert "Nothing runs." in slack.user("U1").screen("C1")
    await over_http.chat.post("#deployments", BUTTONS, key="d1:card")
    assert (await slack.user("U1").click(slack.messages("C1")[0], "Next")).ok
    await slack.until(lambda: "The window is closed." in slack.user("U1").screen("C1"))
    assert slack.socket.connections == []
    assert over_http.way_in == "HTTP at /slack/events"


async def test_several_replicas_behind_a_balancer_are_one(slack: FakeSlack, core: Core) -> None:
    async with adapter_on(slack, core, http=True) as one, adapter_on(slack, core, http=True) as other:
        slack.deliver_to = [Starlette(routes=each.routes()) for each in (one, other)]
        for number in range(4):
            assert (await slack.user("U1").command("/deploy", str(number), channel="C1")).ok
    assert [delivery.what for delivery in core.got] == ["0", "1", "2", "3"]


async def test_the_address_is_confirmed_to_slack(slack: FakeSlack, over_http: SlackAdapter) -> None:
    assert await slack.courier.verify_url()
    assert (await slack.courier.ssl_check()).ok


@pytest.mark.parametrize("skew", [-301.0, 301.0])
async def test_a_request_older_or_younger_than_five_minutes_is_refused(
    slack: FakeSlack, over_http: SlackAdapter, core: Core, skew: float
) -> None:
    slack.courier.skew = skew
    ack = await slack.user("U1").command("/deploy", "status", channel="C1")
    assert ack.status == 401
    slack.courier.skew = skew / 301 * 290
    assert (await slack.user("U1").command("/deploy", "status", channel="C1")).ok
    assert len(core.got) == 1


async def test_a_wrong_signature_is_refused(slack: FakeSlack, over_http: SlackAdapter, core: Core) -> None:
    slack.courier.signature = "v0=" + "0" * 64
    assert (await slack.user("U1").command("/deploy", "status", channel="C1")).status == 401
    slack.courier.signature, slack.courier.secret = None, "another"
    assert (await slack.user("U1").command("/deploy", "status", channel="C1")).status == 401
    assert core.got == []


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 401), (b"\xff\xfe", 401), (b"x" * 1_000_001, 413), (b"payload={", 401)]
)
async def test_anything_else_is_turned_away(over_http: SlackAdapter, body: bytes, status: int) -> None:
    transport = httpx.ASGITransport(app=Starlette(routes=over_http.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://gonogo.test") as client:
        headers = {"content-type": "application/x-www-form-urlencoded", "x-slack-request-timestamp": "now"}
        assert (await client.post("/slack/events", content=body, headers=headers)).status_code == status
        strange = {"x-slack-request-timestamp": str(int(time.time())), "x-slack-signature": b"v0=\xe9"}
        assert (await client.post("/slack/events", content=b"payload={", headers=strange)).status_code == 401  # type: ignore[arg-type]
        assert (await client.get("/slack/events")).status_code == 405


async def test_without_a_signing_secret_nothing_is_opened(slack: FakeSlack, adapter: SlackAdapter) -> None:
    assert adapter.routes() == []
    assert adapter.way_in == "Socket Mode"
    with pytest.raises(ValueError, match="SIGNING_SECRET"):
        routes(adapter.bolt, " ")


def test_with_no_way_in_it_says_which_there_are(core: Core) -> None:
    with pytest.raises(ValueError, match=r"APP_TOKEN.*SIGNING_SECRET"):
        SlackAdapter(SlackConfig("xoxb-1"), core, lambda: PEOPLE)


def test_secrets_are_not_printed() -> None:
    assert "hush" not in repr(SlackConfig("xoxb-hush", "xapp-hush", "hush"))
