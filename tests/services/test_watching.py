"""The watch over a real store and a real channel: tries, issues that come again, newer deployments, who is reminded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from adapters.probes.simulated import SimulatedMetrics
from adapters.web.messages import Message
from adapters.web.service import Health, SimulatedService
from bot.cards.card import Buttons
from bot.domain import events as e
from bot.services.asking import ask_check
from bot.services.baselines import others_before
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.core_kit import SHOP_POLICY, TUESDAY, Core, a_folder, open_core
from tests.fakes.serving import serving

__all__ = ["migrated_file", "sqlite_url"]

MINUTE = timedelta(minutes=1)
TARGET = 'unit: ratio, target: "< 1%"}'
POLICY = (
    SHOP_POLICY.replace("  Errors are low: {probe: error_rate}", "  Tests pass: {optional: true}")
    .replace("then: announce succeeded}", "then: announce succeeded, failures: 3, inconclusive: 2, again: 2m}")
    .replace(TARGET, TARGET + "\n  p95: {prometheus: l, unit: ms}\n  slower: {baseline: p95}")
    + '  - {at: T+40m, measure: {slower: "< 2 x"}}\nescalation: [on_call, lead]\n'
)


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    folder = a_folder(tmp_path / "checklists")
    (folder / "shop.yaml").write_text(POLICY)
    async with open_core(sqlite_url, folder) as core:
        yield core


async def facts(core: Core, deployment: str) -> list[e.Event]:
    async with core.store.read() as unit:
        return await unit.events(deployment)


async def later(core: Core, **span: float) -> None:
    core.clock.later(**span)
    await core.scheduler.settle()
    await core.relay.settle()


async def succeed(core: Core, deployment: str) -> None:
    await core.deploy(deployment)
    await later(core, minutes=30)
    await core.tick(deployment, "Watch")
    assert await core.status(deployment) == "succeeded"


async def standing(core: Core, words: str) -> list[Message]:
    return [message for message in await core.channel() if words in message.card.text]


def buttons(message: Message) -> list[str]:
    return [button.label for block in message.card.blocks if isinstance(block, Buttons) for button in block.buttons]


async def test_the_third_failing_answer_decides_and_until_then_the_card_says_how_many_it_were(core: Core) -> None:
    deployment = await core.start()
    await core.deploy(deployment)
    core.probe.values["error_rate"] = 0.09
    await later(core, minutes=30)
    await later(core, minutes=2)
    (card,) = await standing(core, "30 m check: failing 2 of 3, asked again 15:34")
    assert "check_ran" not in await core.kinds(deployment)
    await later(core, minutes=2)
    (ran,) = [fact for fact in await facts(core, deployment) if isinstance(fact, e.CheckRan)]
    assert (ran.verdict, ran.tries, ran.at) == (e.Verdict.FAILING, 3, TUESDAY + 34 * MINUTE)
    assert len(await standing(core, "Issue detected")) == 1
    (check,) = [message for message in await core.thread(card) if "30 m check: failing" in message.card.text]
    assert "Asked 3 times until it was decided: failing, failing, then this." in check.card.text


async def test_tries_that_were_slept_through_are_asked_as_of_their_own_times(core: Core) -> None:
    deployment = await core.start()
    await core.deploy(deployment)
    core.probe.values["error_rate"] = 0.09
    core.probe.asked.clear()
    core.clock.later(minutes=39)
    await core.scheduler.settle()
    due = TUESDAY + 30 * MINUTE
    as_of = list(dict.fromkeys(asked.as_of for asked in core.probe.asked if asked.as_of < core.clock.now()))
    assert as_of == [due, due + 2 * MINUTE, due + 4 * MINUTE]
    (ran,) = [fact for fact in await facts(core, deployment) if isinstance(fact, e.CheckRan)]
    assert (ran.speaks_of, ran.late_seconds, ran.tries) == (due + 4 * MINUTE, 5 * 60, 3)


async def test_an_issue_that_comes_again_after_a_quiet_time_is_said_again(core: Core) -> None:
    policy = POLICY.replace(", failures: 3, inconclusive: 2, again: 2m", "").replace("T+40m", "T+2h")
    (core.folder / "shop.yaml").write_text(
        policy.replace('{slower: "< 2 x"}', '{error_rate: "< 1%"}, alert: {error_rate: "> 5%"}')
    )
    deployment = await core.start()
    await core.deploy(deployment)
    core.probe.values["error_rate"] = 0.09
    await later(core, minutes=30)
    core.probe.values["error_rate"] = 0.001
    await core.click(f"again:{deployment}:t30:0")
    core.probe.values["error_rate"] = 0.09
    await later(core, minutes=90)
    said = [fact for fact in await facts(core, deployment) if isinstance(fact, e.Announced)]
    assert [fact.number for fact in said if fact.announcement == "issue"] == [1, 2]
    assert len(await standing(core, "Issue detected")) == 2


async def test_a_result_that_nobody_could_tell_calls_the_on_call_and_then_the_next(core: Core) -> None:
    deployment = await core.start()
    await core.deploy(deployment)
    await core.tick(deployment, "Watch")
    core.probe.values["error_rate"] = None
    await later(core, minutes=30)
    await later(core, minutes=2)
    (card,) = await standing(core, "shop v1.2.0")
    (check,) = [message for message in await core.thread(card) if "30 m check: inconclusive" in message.card.text]
    assert check.card.mentions == ("on_call",)
    assert "It could not be told: no data for error rate." in check.card.text
    await later(core, minutes=15)
    (called,) = await standing(core, "Nobody has decided for 15 m")
    assert called.card.mentions == ("lead",)
    assert buttons(called) == ["Check again", "Go on, with a reason…", "Roll back…"]


async def test_the_on_call_is_reminded_of_what_is_theirs(core: Core) -> None:
    deployment = await core.start()
    await core.deploy(deployment)
    await later(core, minutes=30)
    (card,) = await standing(core, "shop v1.2.0")
    (check,) = [message for message in await core.thread(card) if "30 m check: healthy" in message.card.text]
    assert check.card.mentions == ("on_call",)
    assert "1 item is yours: Errors are low." in check.card.text
    await later(core, minutes=30)
    (reminder,) = await standing(core, "is still open: Errors are low.")
    assert reminder.card.mentions == ("on_call",)
    await core.tick(deployment, "Watch")
    await later(core, minutes=60)
    assert len(await standing(core, "is still open")) == 1


async def test_the_start_of_a_newer_one_is_marked_on_the_one_that_is_watched(core: Core) -> None:
    old = await core.start("v1")
    await succeed(core, old)
    core.clock.later(minutes=5)
    await core.start("v2")
    await core.relay.settle()
    (mark,) = [fact for fact in await facts(core, old) if isinstance(fact, e.NewerStarted)]
    assert (mark.version, mark.at) == ("v2", TUESDAY + 35 * MINUTE)
    (card,) = await standing(core, "shop v1 →")
    assert "The deployment of v2 began 15:35" in card.card.text
    core.probe.values["p95"] = None
    await later(core, minutes=5)
    (check,) = [message for message in await core.thread(card) if "40 m check: inconclusive" in message.card.text]
    assert "The deployment of v2 began 15:35: this may be its doing." in check.card.text


async def test_a_start_alone_marks_nothing(core: Core) -> None:
    deployment = await core.start()
    assert "newer_started" not in await core.kinds(deployment)


async def test_what_another_deployment_did_in_the_hour_before_is_no_baseline(core: Core) -> None:
    old = await core.start("v1.1.9")
    await succeed(core, old)
    core.clock.later(minutes=20)
    new = await core.start("v2")
    await core.deploy(new)
    view = await core.views.bare(new)
    (disturbed,) = await others_before(core.store, view.plan, view.state)
    assert (disturbed.start, disturbed.end) == (TUESDAY, TUESDAY + 30 * MINUTE)
    assert disturbed.why == "v1.1.9 was deployed at 15:00"
    elsewhere = await core.start("v1", "pet preprod")
    other = await core.views.bare(elsewhere)
    assert await others_before(core.store, other.plan, other.state) == ()


@pytest.mark.parametrize(
    ("health", "verdict"), [(Health.HEALTHY, e.Verdict.HEALTHY), (Health.SLOW, e.Verdict.DEGRADED)]
)
async def test_the_sandbox_knows_its_own_past(core: Core, health: Health, verdict: e.Verdict) -> None:
    """Real HTTP: the simulated service tells what it was in the hour before T0, and what it is now."""

    async def version() -> str | None:
        return "v1.2.0"

    service = SimulatedService(core.sandbox, core.clock, version)
    deployment = await core.start()
    await core.deploy(deployment)
    view = await core.views.bare(deployment)
    await service.set_health(health)
    core.clock.later(minutes=40)
    check = next(check for check in view.plan.checks if "slower" in check.measure)
    async with serving(Starlette(routes=service.routes())) as base, httpx.AsyncClient(trust_env=False) as client:
        probe = SimulatedMetrics(client, f"{base}/service")
        found = await ask_check(probe, view.plan, view.state, check, core.clock.now())
    assert found.verdict is verdict
    assert found.judged[0].measurement.detail.endswith("61ms in the hour before T0")
