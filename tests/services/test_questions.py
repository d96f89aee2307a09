"""Forms behind buttons and commands: opened only where what they ask about can be done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.core_kit import SHOP_POLICY, Core, a_folder, open_core, told

__all__ = ["migrated_file", "sqlite_url"]


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    folder = a_folder(tmp_path / "checklists")
    more = "rollback: {alert: {error_rate: '> 5%'}, lasting: 5m, mode: automatic}\nmay: {cancel: [lead]}\n"
    (folder / "shop.yaml").write_text(SHOP_POLICY + more)
    async with open_core(sqlite_url, folder) as core:
        yield core


NAME = "shop v1.2.0 → production"


async def proposed(core: Core) -> str:
    """A deployment whose rollback is to come by itself within a minute; T0 was at 15:00."""
    deployment = await core.start()
    await core.deploy(deployment)
    core.probe.values["error_rate"] = 0.5
    core.clock.later(minutes=30)
    for _ in range(4):
        await core.scheduler.settle()
        core.clock.later(minutes=1)
    await core.scheduler.settle()
    assert "rollback_proposed" in await core.kinds(deployment)
    return deployment


async def refused(core: Core, verb: str, deployment: str) -> str:
    """What a button is answered with; nothing was changed by it."""
    before = await core.kinds(deployment)
    answer = await core.click(f"{verb}:{deployment}")
    assert (answer.form, await core.kinds(deployment)) == (None, before)
    return told(answer)


async def test_the_buttons_of_an_alert_open_their_forms_while_it_stands(core: Core) -> None:
    deployment = await proposed(core)
    stop = (await core.click(f"stop:{deployment}")).form
    assert stop is not None
    assert stop.text.startswith(f"gonogo calls a rollback of {NAME} at 15:35: error rate 50%")
    back = (await core.click(f"rollback:{deployment}")).form
    assert back is not None
    assert back.text == f"{NAME}. Nothing stands in the way of a rollback."


async def test_the_buttons_of_an_old_alert_say_how_it_stands(core: Core) -> None:
    deployment = await proposed(core)
    await core.submit(f"stop:{deployment}", {"reason": "a load test"})
    stopped = f"The rollback of {NAME} was stopped at 15:34 by ann already. From then on only people roll back."
    assert await refused(core, "stop", deployment) == stopped
    core.clock.later(minutes=6)
    await core.submit(f"rollback:{deployment}", {"version": "v1.1.0", "reason": "it was none"})
    rolling = (
        f"{NAME} is being rolled back since 15:40 by ann; its run is on hold. "
        "Press Rolled back… when the old version is back."
    )
    assert [await refused(core, verb, deployment) for verb in ("stop", "rollback")] == [rolling, rolling]
    await core.submit(f"rolledback:{deployment}", {"status": "well"})
    over = f"{NAME} is rolled back since Tue 24 Nov 15:40; its run can no longer be changed."
    assert [await refused(core, verb, deployment) for verb in ("stop", "rollback", "rolledback")] == [over] * 3


async def test_no_form_asks_about_a_rollback_of_what_only_waits(core: Core) -> None:
    answer = await core.say('schedule v1.2.0 shop "thu 10:00"')
    assert not answer.refused
    (row,) = await core.rows()
    said = (
        f"{NAME} has not been given the go yet: it is planned for Thu 26 Nov 10:00. "
        "It is asked for when its time has come; /deploy cancel gives it up."
    )
    assert await refused(core, "rollback", row.id) == said
    assert told(await core.say("rollback shop")) == said


async def test_who_may_not_is_told_before_the_form(core: Core) -> None:
    deployment = await core.start()
    assert await refused(core, "cancel", deployment) == "You cannot do that: this is for lead. Ask one of them."
    assert told(await core.say("cancel shop")) == "You cannot do that: this is for lead. Ask one of them."


async def test_a_rollback_to_the_version_that_runs_says_which_to_name(core: Core) -> None:
    await core.succeed(await core.start("v3"))
    core.clock.later(hours=25)
    await core.scheduler.settle()
    await core.deploy(await core.start("v4"))
    said = (
        "You cannot go back to v4: it is what is to be rolled back, and v3 ran before it. "
        "Say which version instead: /deploy rollback shop v3 REASON."
    )
    assert told(await core.say("rollback shop v4 broken")) == said
    assert told(await core.say("rollback shop v4")) == said
    assert [row.status for row in await core.rows() if row.version == "v4"] == ["deployed"]


@pytest.mark.parametrize(("version", "known"), [("v3", True), ("3", True), ("v2.9", False)])
async def test_a_version_that_was_never_here_is_gone_back_to_and_said_to_be_unknown(
    core: Core, version: str, known: bool
) -> None:
    await core.succeed(await core.start("v3"))
    core.clock.later(hours=25)
    await core.scheduler.settle()
    await core.deploy(await core.start("v4"))
    said = told(await core.say(f"rollback shop to {version} broken"))
    assert f"Rolling back to {version} since" in said
    unknown = f"{version} was never deployed to production from here: see that it is the right one."
    assert (unknown in said) is not known
    assert "gonogo only calls this rollback: somebody must roll back by hand" in said
