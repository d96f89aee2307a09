"""A signed payload that Slack would never send changes nothing, and is never an error of ours."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from tests.adapters.slack.kit import Core, adapter_on
from tests.fakes.slack import FakeSlack

USER = {"id": "U1", "username": "ana"}
ACTION = {"type": "button", "action_id": "a1", "block_id": "b1", "value": "tick:d1:i2", "action_ts": "2.2"}
CLICK = {"type": "block_actions", "user": USER, "actions": [ACTION], "trigger_id": "1.2", "channel": {"id": "C1"}}
VIEW = {"id": "V1", "type": "modal", "callback_id": "form", "private_metadata": "{}", "state": {"values": {}}}
FORM = {"type": "view_submission", "user": USER, "view": VIEW}


@pytest.mark.parametrize(
    "payload",
    [
        CLICK | {"user": None},
        CLICK | {"user": {"id": ["U1"]}},
        CLICK | {"actions": None},
        CLICK | {"actions": []},
        CLICK | {"actions": [{"type": "button"}]},
        CLICK | {"actions": [[ACTION]]},
        CLICK | {"event": 1},
        CLICK | {"trigger_id": "\udc8b"},
        FORM | {"view": [VIEW]},
        FORM | {"view": VIEW | {"callback_id": 1}},
        FORM | {"view": VIEW | {"state": {"values": []}}},
        FORM | {"view": VIEW | {"blocks": [["x"]]}},
        {"type": "shortcut", "user": USER},
        {},
        [],
    ],
)
async def test_a_payload_of_another_shape_is_not_acknowledged_and_does_nothing(
    slack: FakeSlack, core: Core, payload: Any
) -> None:
    assert (await _sent(slack, core, urllib.parse.urlencode({"payload": json.dumps(payload)}).encode())) == 400
    assert core.got == []


@pytest.mark.parametrize("body", [b"payload={", b"payload=[]", b"{", b"\x00", b"payload=%ff"])
async def test_a_body_without_a_payload_is_turned_away(slack: FakeSlack, core: Core, body: bytes) -> None:
    assert (await _sent(slack, core, body)) == 400
    assert core.got == []


async def test_what_is_not_read_may_be_anything(slack: FakeSlack, core: Core) -> None:
    payload = CLICK | {"container": None, "message": {"blocks": 1}, "token": None, "state": [], "new": {"x": 1}}
    assert (await _sent(slack, core, urllib.parse.urlencode({"payload": json.dumps(payload)}).encode())) == 200
    assert [delivery.what for delivery in core.got] == ["tick:d1:i2"]


async def _sent(slack: FakeSlack, core: Core, body: bytes) -> int:
    async with adapter_on(slack, core, http=True) as adapter:
        transport = httpx.ASGITransport(app=Starlette(routes=adapter.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://gonogo.test") as client:
            form = {"content-type": "application/x-www-form-urlencoded"}
            answer = await client.post("/slack/events", content=body, headers=slack.courier.signed(body) | form)
            return answer.status_code
