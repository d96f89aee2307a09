"""A deployment that this release cannot read (a fact or a policy of another one) stands in nobody else's way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.github.api import GitHub
from adapters.github.auth import TokenAuth
from adapters.github.wire import Wire
from bot.forge import RuleAsked
from bot.ports import UnknownRecord
from bot.reaching import make_client
from bot.services import checklists
from bot.services.pipeline import Pipeline
from bot.services.protection import Protection
from bot.services.records import Records
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.core_kit import Core, a_folder, open_core, told

__all__ = ["migrated_file", "sqlite_url"]


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    folder = a_folder(tmp_path / "checklists")
    async with open_core(sqlite_url, folder) as core:
        yield core


async def spoil(core: Core, deployment: str, how: str) -> None:
    """As a newer release leaves it. The checklist on the disk is another one by now."""
    if how == "fact":
        await core.sql(
            "UPDATE events SET kind = 'tomorrow', body = :body WHERE deployment = :id"
            " AND seq = (SELECT max(seq) FROM events WHERE deployment = :id)",
            id=deployment,
            body='{"kind": "tomorrow"}',
        )
    else:
        await core.sql(
            "UPDATE checklists SET policy = policy || '\ntomorrow: 1\n' WHERE digest ="
            " (SELECT digest FROM deployments WHERE id = :id)",
            id=deployment,
        )
    checklists._PLANS.clear()
    with pytest.raises(UnknownRecord):
        await core.views.bare(deployment)
    policy = core.folder / "shop.yaml"
    policy.write_text(f"{policy.read_text()}notes: [another]\n")


EITHER = pytest.mark.parametrize("how", ["fact", "policy"])


@EITHER
async def test_the_next_one_starts_runs_and_is_checked_beside_one_that_is_still_watched(core: Core, how: str) -> None:
    old = await core.start("v1.1.0")
    await core.succeed(old)
    await spoil(core, old, how)
    new = await core.start("v1.2.0")
    await core.succeed(new)
    assert await core.status(old) == "succeeded", "who can read it says what becomes of it"
    await core.relay.settle()
    assert any("v1.2.0" in text for text in await core.texts())
    for command in ("status", "list"):
        assert "v1.2.0" in told(await core.say(command)), command
    assert not (await core.say("window shop")).refused


@EITHER
async def test_who_holds_the_service_is_named_where_its_deployment_cannot_be_read(core: Core, how: str) -> None:
    old = await core.start("v1.1.0")
    await spoil(core, old, how)
    refused = await core.say("start v1.2.0 shop")
    assert refused.refused
    assert "v1.1.0" in told(refused)
    assert "ann" in told(refused)
    elsewhere = await core.start("v1.2.0", "shop staging")
    assert await core.status(elsewhere) == "running"


@EITHER
async def test_a_protection_rule_is_answered_from_the_gate_beside_it(core: Core, how: str) -> None:
    policy = core.folder / "shop.yaml"
    policy.write_text(f"{policy.read_text()}repository: acme/shop\n")
    old = await core.start("v1.1.0")
    await core.succeed(old)
    await spoil(core, old, how)
    pipeline = Pipeline(core.store, core.clock, core.gate, Records(("web",)), repository=None, changed=core.changed)
    rule = Protection(core.store, core.clock, core.gate, core.checklists, pipeline, repository=None, new_id=core.new_id)
    asked = RuleAsked("acme/shop", "octo", "production", "v1.2.0", "a" * 40, 7)
    async with make_client() as client:  # which is not needed: no deployment of it can be read
        ruling = await rule.decide(asked, GitHub(Wire(client, "http://127.0.0.1:9"), TokenAuth("t")))
    assert ruling.approve, ruling.comment
