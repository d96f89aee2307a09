"""An interaction that Discord would never send changes nothing, and is never an error of ours."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.discord.adapter import DiscordAdapter
from tests.adapters.discord.kit import Core
from tests.fakes.discord import FakeDiscord

COMMAND, CLICK, FORM = 2, 3, 5


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (COMMAND, {"id": "5", "name": "deploy", "type": 1, "options": [{"name": 1, "type": 1}]}),
        (COMMAND, {"id": "5", "name": "deploy", "type": 1, "options": "start"}),
        (COMMAND, {"id": "5", "name": "deploy", "type": 1, "options": [{"name": "start", "type": "1"}]}),
        (CLICK, {"custom_id": ["tick:d1:x"], "component_type": 2}),
        (CLICK, {"custom_id": "tick:\udc8b", "component_type": 2}),
        (CLICK, {"custom_id": "show", "component_type": 3, "values": [["tick:d1:x"]]}),
        (FORM, {"custom_id": "cancel:d1", "components": [{"type": 18, "component": {"custom_id": 4, "value": "no"}}]}),
        (FORM, {"custom_id": "cancel:d1", "components": {"type": 18}}),
    ],
)
async def test_an_interaction_of_another_shape_does_nothing(
    server: FakeDiscord, core: Core, adapter: DiscordAdapter, kind: int, data: dict[str, Any]
) -> None:
    server.ack_within = 0.1
    answer = await server.person("ana").sends(kind, data, channel="deployments")
    assert answer.failed
    assert core.got == []


async def test_what_is_not_read_may_be_anything(server: FakeDiscord, core: Core, adapter: DiscordAdapter) -> None:
    data = {"custom_id": "tick:d1:x", "component_type": 2, "new": {"x": 1}, "resolved": []}
    await server.person("ana").sends(CLICK, data, channel="deployments")
    assert [delivery.what for delivery in core.got] == ["tick:d1:x"]
