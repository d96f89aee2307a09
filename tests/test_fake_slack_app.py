"""The loopback Slack and the real slack_bolt: people who act, over both modes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.slack import FakeSlack
from tests.fakes.slack_app import NOTE, over_http, over_socket, plain

pytestmark = pytest.mark.slow

MODES = pytest.mark.parametrize("mode", [over_socket, over_http])


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        yield slack


@MODES
async def test_a_command_is_answered_and_a_button_pressed(slack: FakeSlack, mode: Any) -> None:
    async with mode(slack) as bot:
        ana = slack.user("U1")
        ack = await ana.command("/deploy", "start v1.2.0 @ben <x>", channel="C1")
        assert (ack.ok, ack.status) == (True, 200)
        assert bot.got[0]["text"] == "start v1.2.0 <@U2> &lt;x&gt;"
        (card,) = await slack.until(lambda: slack.messages("C1"))
        said = {"starting start v1.2.0 @ben <x>", "Backup\n[Tick] [⋯ Undo | Note…]"}
        assert set(ana.screen("C1").split("\n\n")) == said
        assert slack.user("U2").screen("C1") == "Backup\n[Tick] [⋯ Undo | Note…]"

        ack = await ana.click(card, "Tick")
        body = bot.got[1]
        assert ack.ok
        assert body["container"] | {"is_ephemeral": None} == {
            "type": "message",
            "message_ts": card.ts,
            "channel_id": "C1",
            "is_ephemeral": None,
        }
        assert body["actions"][0]["value"] == "t1"
        assert body["message"]["blocks"] == card.blocks
        assert (body["user"]["id"], body["trigger_id"]) == ("U1", ack.trigger_id)
        with pytest.raises(AssertionError, match="0 controls are"):
            await ana.click(card, "Approve")


@MODES
async def test_a_modal_is_filled_in_refused_and_kept(slack: FakeSlack, mode: Any) -> None:
    async with mode(slack) as bot:
        ana = slack.user("U1")
        await ana.command("/deploy", channel="C1")
        (card,) = await slack.until(lambda: slack.messages("C1"))
        assert (await ana.click(card, value="note:1")).ok
        view = ana.modal
        assert view is not None

        assert (await ana.submit(view)).errors == {"why": "Please complete this required field."}
        assert len(bot.got) == 2
        bot.on_submit = {"response_action": "errors", "errors": {"why": "say more"}}
        assert (await ana.submit(view, {"Reason": "because", "Environment": "Production"})).errors == {
            "why": "say more"
        }
        assert view.open
        values = bot.got[-1]["view"]["state"]["values"]
        assert values["why"]["text"]["value"] == "because"
        assert values["env"]["choice"]["selected_option"]["value"] == "p"

        bot.on_submit = {"response_action": "errors", "errors": {"nowhere": "x"}}
        assert not (await ana.submit(view)).ok
        assert "trouble connecting" in slack.refused[-1]

        bot.on_submit = {"response_action": "push", "view": NOTE | {"title": plain("Sure?")}}
        await ana.submit(view)
        top = ana.modal
        assert top is not None
        assert slack.text(top).startswith("== Sure? ==")
        assert (await ana.click(top, "Look")).ok
        assert bot.got[-1]["view"]["id"] == top.id
        assert await ana.close(top) is not None
        assert bot.got[-1]["type"] == "view_closed"
        bot.on_submit = {}
        await ana.submit(view)
        assert ana.modal is None


@MODES
async def test_too_late_an_ack_shows_operation_timeout(slack: FakeSlack, mode: Any) -> None:
    async with mode(slack) as bot:
        slack.courier.ack_timeout = 0.1
        bot.gate.clear()
        ack = await slack.user("U1").command("/deploy", "start", channel="C1")
        assert ack.error == "operation_timeout"
        assert slack.user("U1").screen("C1") == '/deploy failed with the error "operation_timeout"'
        bot.gate.set()
        await slack.until(lambda: slack.messages("C1"))
        assert len(bot.got) == 1


@MODES
async def test_an_event_comes_again_until_it_is_acknowledged(slack: FakeSlack, mode: Any) -> None:
    async with mode(slack) as bot:
        delivery = await slack.user("U1").open_home()
        assert (delivery.ok, len(delivery.attempts)) == (True, 1)
        home = await slack.until(lambda: slack.homes.get("U1"))
        assert slack.text(home) == "Backup\n[Tick] [⋯ Undo | Note…]"
        assert (await slack.user("U1").click(home, "Tick")).ok
        assert bot.got[-1]["container"] == {"type": "view", "view_id": home.id}


async def test_triggers_expire_and_work_once(slack: FakeSlack) -> None:
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)

    async def refusal(trigger: str) -> str:
        with pytest.raises(SlackApiError) as error:
            await client.views_open(trigger_id=trigger, view=NOTE)
        return str(error.value.response["error"])

    used, late = slack.trigger("U1"), slack.trigger("U1")
    await client.views_open(trigger_id=used, view=NOTE)
    assert await refusal(used) == "exchanged_trigger_id"
    assert await refusal("1.2.x") == "invalid_trigger_id"
    slack.clock.forward(3.1)
    assert await refusal(late) == "expired_trigger_id"
    view = slack.user("U1").modal
    assert view is not None
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=view.id, hash="old", view=NOTE)
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.views_update(view_id=view.id, view=NOTE | {"title": plain("x" * 25)})


async def test_an_ack_with_impossible_blocks_is_refused(slack: FakeSlack) -> None:
    async def endpoint(request: Request) -> Response:
        return Response('{"blocks": [{"type": "nonsense"}]}', media_type="application/json")

    slack.deliver_to = Starlette(routes=[Route("/slack/events", endpoint, methods=["POST"])])
    await slack.user("U1").command("/deploy", channel="C1")
    assert slack.user("U1").screen("C1") == '/deploy failed with the error "invalid_blocks"'
    assert "nonsense" in slack.refused[0]


async def test_pings_are_found_wherever_they_hide(slack: FakeSlack) -> None:
    async with over_socket(slack) as bot:
        sneaky = [
            {"type": "section", "text": {"type": "mrkdwn", "text": "<!channel> <@U1> <!subteam^S1|@x>"}},
            {"type": "header", "text": plain("<!here>")},
            {"type": "section", "text": {"type": "mrkdwn", "text": "&lt;!everyone&gt;"}},
        ]
        await bot.app.client.chat_postMessage(channel="C1", text="ok", blocks=sneaky)
        assert slack.pings(slack.messages("C1")[0]) == ["!channel", "@U1", "!subteam^S1"]
