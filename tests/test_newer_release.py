"""A newer release at work beside this one, on the same database: what it alone can read is left to it, and everything
else goes on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from adapters.store.codec import dump_event, load_events
from bot.domain.alerts import Signal
from bot.domain.events import CheckRan, Ticked
from bot.ports import UnknownRecord
from bot.services import checklists
from bot.services.lobby import Lobby
from tests.adapters.store_kit import LEASE, migrated_database, migrated_file, sqlite_url, url
from tests.core_kit import ANN, TUESDAY, Core, a_folder, open_core, told

__all__ = ["migrated_database", "migrated_file", "sqlite_url", "url"]

ALERTS = """
alerts:
  - {from: alertmanager, matching: 'app="shop"', environments: [production, staging]}
"""
BY = {"chat": "web", "id": "u9", "name": "new"}


@pytest.fixture
async def core(url: str, tmp_path: Path) -> AsyncIterator[Core]:
    folder = a_folder(tmp_path / "checklists")
    policy = folder / "shop.yaml"
    policy.write_text(policy.read_text() + ALERTS)
    async with open_core(url, folder) as core:
        yield core


async def add_fact(core: Core, deployment: str, body: dict[str, object]) -> None:
    """As a newer release writes it: the fact, and the revision."""
    body = {"at": "2026-11-24T15:00:00Z", "by": BY} | body
    async with core.store.read() as unit:
        row = await unit.row(deployment)
    assert row is not None
    await core.sql(
        "INSERT INTO events (deployment, seq, kind, at, body) VALUES (:id, :seq, :kind, 0, :body)",
        id=deployment, seq=row.revision + 1, kind=body["kind"], body=json.dumps(body),
    )  # fmt: skip
    await core.sql("UPDATE deployments SET revision = revision + 1 WHERE id = :id", id=deployment)


async def add_calendar(core: Core, **body: object) -> None:
    body = {"at": "2026-11-24T15:00:00Z", "by": BY} | body
    await core.sql(
        "INSERT INTO calendar_events (kind, at, body) VALUES (:kind, 0, :body)", kind=body["kind"],
        body=json.dumps(body),
    )  # fmt: skip


async def two_watched(core: Core) -> tuple[str, str]:
    """Two deployments whose first check is due now; a newer release has gone on with the second one."""
    ours, theirs = await core.start(), await core.start("v7", "shop staging")
    for deployment in (ours, theirs):
        await core.deploy(deployment)
    await core.scheduler.settle()
    await core.relay.settle()
    await add_fact(core, theirs, {"kind": "teleported", "to": "mars"})
    core.clock.later(minutes=30)
    return ours, theirs


async def facts_of(core: Core, deployment: str) -> list[str]:
    async with core.sandbox.engine.connect() as connection:
        query = text("SELECT body FROM events WHERE deployment = :id ORDER BY seq")
        return list((await connection.execute(query, {"id": deployment})).scalars())


# --- facts of a deployment --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fact", [{"kind": "teleported"}, {"kind": "noted", "item": "x", "text": "y", "mood": "good"}])
async def test_whoever_asks_for_what_a_newer_release_has_written_is_told_what_to_do(
    core: Core, fact: dict[str, object]
) -> None:
    deployment = await core.start()
    await add_fact(core, deployment, fact)
    before = await facts_of(core, deployment)
    for ask in (core.say("status shop"), core.click(f"advance:{deployment}")):
        with pytest.raises(UnknownRecord, match=r"another version of gonogo .* Install the newest one\."):
            await ask
    answer = told(await core.say("start v9 shop"))
    assert "A newer gonogo has written it" in answer
    assert "install the newest release" in answer
    assert await facts_of(core, deployment) == before


async def test_checks_of_the_others_run_and_those_of_the_newer_release_are_left_to_it(core: Core) -> None:
    ours, theirs = await two_watched(core)
    before = await facts_of(core, theirs)
    with capture_logs() as logs:
        await core.scheduler.settle()
        await core.time_passes()
        await core.scheduler.settle()
    assert await core.status(ours) == "succeeded"
    assert await facts_of(core, theirs) == before
    assert [entry["deployment"] for entry in logs if entry["event"] == "checks.foreign"] == [theirs]
    assert not [entry for entry in logs if entry["log_level"] == "error"]
    assert core.checks.foreign == {theirs}
    await core.time_passes()
    left = await core.store.claim_due(core.clock.now(), "newer", LEASE)
    assert "check:t30:0" in [one.deadline.key for one in left if one.deadline.deployment == theirs]


async def test_cards_of_the_others_are_drawn_and_those_of_the_newer_release_stay(core: Core) -> None:
    _, theirs = await two_watched(core)
    await core.scheduler.settle()
    stands = [text for text in await core.texts() if "v7" in text]
    with capture_logs() as logs:
        await core.relay.settle(every=True)
    assert any("Success" in text or "succeeded" in text for text in await core.texts())
    assert [text for text in await core.texts() if "v7" in text] == stands
    assert {entry["deployment"] for entry in logs if entry["event"] == "relay.card"} == {theirs}
    await core.time_passes()
    behind = await core.store.claim_mirrors("web", "newer", LEASE)
    assert [mirror.deployment for mirror in behind] == [theirs]


async def test_a_repeat_of_what_a_newer_release_has_done_and_answered_is_not_done_again(core: Core) -> None:
    await core.say("start v1.2.0 shop", key="k")
    await core.sql("""UPDATE deliveries SET answer = '{"card": {"hologram": 1}, "form": null}' WHERE key = 'k'""")
    assert "Already done" in told(await core.say("start v1.2.0 shop", key="k"))
    assert len(await core.rows()) == 1


async def test_lists_show_the_others(core: Core) -> None:
    _, theirs = await two_watched(core)
    assert "v7" in told(await core.say("status"))
    assert "v1.2.0" in told(await core.say("status shop production"))
    lobby = Lobby(core.store, core.clock, core.gate, core.checklists, core.views)
    with capture_logs() as logs:
        home = await lobby.home(ANN)
    assert "v1.2.0" in str(home)
    assert [entry["deployment"] for entry in logs if entry["event"] == "home.skipped"] == [theirs]


async def test_t0_is_not_refused_because_the_one_before_was_written_by_a_newer_release(core: Core) -> None:
    older = await core.start()
    await core.succeed(older)
    await add_fact(core, older, {"kind": "teleported"})
    with capture_logs() as logs:
        newest = await core.start("v1.3.0")
        await core.deploy(newest)
    assert await core.status(newest) == "deployed"
    assert await core.status(older) == "succeeded"
    assert {entry["deployment"] for entry in logs if entry["event"] == "records.skipped"} == {older}


async def test_an_alert_comes_to_the_others_and_its_sender_repeats_it(core: Core) -> None:
    ours, theirs = await core.start(), await core.start("v7", "shop staging")
    await add_fact(core, theirs, {"kind": "teleported"})
    signal = Signal("alertmanager", "f1", firing=True, name="Slow", labels={"app": "shop"}, since=TUESDAY)
    for _ in range(2):
        with pytest.raises(UnknownRecord):
            await core.alerts.take([signal])
        assert (await core.kinds(ours)).count("alert_raised") == 1


async def test_a_policy_with_words_of_a_newer_release_is_theirs(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = await core.start(), await core.start("v7", "pet preprod")
    monkeypatch.setattr(checklists, "_PLANS", {})
    policy = "service: pet.store\nteleport: {to: mars}\n"
    await core.sql("UPDATE checklists SET policy = :policy WHERE name = 'pet'", policy=policy)
    with pytest.raises(UnknownRecord, match=r"'pet' .* was read by another version of gonogo .*teleport"):
        await core.views.bare(theirs)
    with capture_logs() as logs:
        await core.relay.settle()
    assert {entry["deployment"] for entry in logs if entry["event"] == "relay.card"} == {theirs}
    assert any("v1.2.0" in text for text in await core.texts())
    assert await core.status(ours) == "running"


def test_what_is_as_it_is_by_default_is_not_written() -> None:
    ticked = Ticked(at=TUESDAY, by=ANN, item="tests-pass")
    assert set(json.loads(dump_event(ticked))) == {"kind", "at", "by", "item"}
    whole = ticked.model_dump_json()  # as releases wrote it once
    assert load_events([dump_event(ticked), whole]) == [ticked, ticked]


# --- freezes, locks and the like --------------------------------------------------------------------------------------


async def test_what_a_newer_release_says_of_a_service_closes_the_gate_of_that_one_alone(core: Core) -> None:
    await add_calendar(core, kind="paused", id="p1", service="pet.store", environment="production")
    answer = told(await core.say("start v1 pet preprod"))
    assert "“paused”, written by a newer gonogo (install it here too), cannot be read" in answer
    assert await core.status(await core.start()) == "running"


async def test_what_nobody_can_tell_the_service_of_closes_every_gate(core: Core) -> None:
    await add_calendar(core, kind="paused", everywhere=True)
    assert "“paused”, written by a newer gonogo" in told(await core.say("start v1 shop"))


async def test_what_a_newer_release_says_of_a_known_lock_is_about_its_service(core: Core) -> None:
    await core.say("lock pet preprod for 2h because the database moves")
    [body] = [json.loads(body) for body in await calendar(core)]
    await add_calendar(core, kind="prolonged", id=body["id"], hours=3)
    assert "“prolonged”" in told(await core.say("start v1 pet preprod", key="other"))
    assert await core.status(await core.start()) == "running"


async def calendar(core: Core) -> list[str]:
    async with core.sandbox.engine.connect() as connection:
        return list((await connection.execute(text("SELECT body FROM calendar_events ORDER BY seq"))).scalars())


async def test_checks_and_cards_go_on_beside_what_a_newer_release_says_of_services(core: Core) -> None:
    running = await core.start("v3", "shop staging")
    ours = await core.start()
    await core.deploy(ours)
    await add_calendar(core, kind="paused", everywhere=True)
    core.clock.later(minutes=30)
    with capture_logs() as logs:
        await core.scheduler.settle()
        await core.relay.settle(every=True)
    assert "check_ran" in await core.kinds(ours)
    assert [type(fact) for fact in await events(core, ours) if fact.kind == "check_ran"] == [CheckRan]
    assert await core.status(running) == "running"
    assert [entry for entry in logs if entry["log_level"] in ("warning", "error")] == []


async def events(core: Core, deployment: str) -> list[object]:
    async with core.store.read() as unit:
        return list(await unit.events(deployment))


# --- messages ---------------------------------------------------------------------------------------------------------


async def test_a_message_of_a_newer_release_is_left_to_it_and_the_others_are_said(core: Core) -> None:
    ours, theirs = await core.start(), await core.start("v7", "shop staging")
    await core.sql("DELETE FROM outbox")
    card = {"title": "", "text": "Hm", "blocks": [{"block": "Hologram"}], "tone": "plain", "mentions": []}
    for key, deployment, kept in (("a", theirs, card), ("b", theirs, None), ("c", ours, None)):
        kept = kept or card | {"text": f"Said {key}", "blocks": []}
        await core.sql(
            "INSERT INTO outbox (key, chat, channel, card, deployment, attempts)"
            " VALUES (:key, 'web', '#deployments', :card, :deployment, 0)",
            key=f"{deployment}:{key}:web:#deployments", deployment=deployment, card=json.dumps(kept),
        )  # fmt: skip
    with capture_logs() as logs:
        await core.relay.settle()
    said = await core.texts()
    assert "Said c" in said
    assert "Said b" not in said, "one that is behind it in its line waits"
    assert {entry["key"] for entry in logs if entry["event"] == "outbox.unread"} == {f"{theirs}:a:web:#deployments"}
    async with core.sandbox.engine.connect() as connection:
        left = (await connection.execute(text("SELECT said_at, held_by FROM outbox ORDER BY id"))).all()
    assert [row[0] is None for row in left] == [True, True, False]
    assert left[0][1] is None, "who can read it takes it"
