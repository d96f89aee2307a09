"""A whole deployment as a person plays it in Chromium: the clock moves, the process is stopped or killed midway."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from checklists.quantities import spell_duration
from tests.process import Process, Records, new_database

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.timeout(150)

WHERE = "#list .card .title + .text.small + .text"
"""The line of the card that says where the deployment stands."""

CLICK = "action => document.querySelector(`#replies button.tick[data-action='${action}']`)?.click()"

STARTING = "Deployment starting in 30 minutes"
STARTED = """\
🚀 Production Deployment Starting
Service: azora
Version: v1.2.0
ETA: 30 minutes"""
SUCCEEDED = """\
✅ Production Deployment Complete

Service: azora
Version: v1.2.0
Deployed: {deployed} UTC
Duration: {duration}

Verification:
✓ Green pods healthy
✓ Traffic switched
✓ Error rate normal
✓ Requests flowing
✓ Error rate < 0.1%
✓ API latency < 100ms
✓ Database queries < 50ms
✓ All services healthy
✓ All services responding
✓ Metrics normal
✓ No error spikes
✓ Smoke tests passed
✓ Database consistent"""
STABLE = "Deployment stable: azora v1.2.0"
ROLLED_BACK = "Rollback completed. Investigating issue."


class Stage:
    """The process behind the page, always on the same port, and its database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: Records = new_database(folder, at="2026-11-24 10:00")
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as probe:
            self.port = probe.getsockname()[1]
        self.start()

    def start(self) -> None:
        self.process = Process(self.folder, GONOGO_PORT=str(self.port))

    def restart(self, sig: int) -> None:
        """End it with a signal, and start it again on the same database."""
        self.process.stop(sig)
        self.start()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    try:
        yield stage
    finally:
        stage.process.stop(signal.SIGKILL)


class Person:
    """Somebody at the page: types, ticks, presses, and reads."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def say(self, text: str) -> None:
        await self.page.fill("#say", text)
        await self.page.press("#say", "Enter")

    async def press(self, label: str) -> None:
        """A button of the deployment's card in the channel."""
        await self.page.click(f'#list button[data-label="{label}"] >> nth=-1')

    async def open_thread(self) -> None:
        thread, replies = self.page.locator("#thread"), self.page.locator("#list .replies").first
        await thread.or_(replies).first.wait_for()
        if not await thread.is_visible():
            await replies.click()
        await self.page.wait_for_selector("#replies button.tick")

    async def tick_everything(self) -> None:
        """Every box in the thread, section by section as they fold."""
        for _ in range(30):
            await self.page.eval_on_selector_all(
                "#replies details.part", "parts => parts.forEach(part => { part.open = true })"
            )
            boxes = self.page.locator('#replies li.item.open button.tick[data-label="Tick"]:not([aria-busy="true"])')
            for action in await boxes.evaluate_all("boxes => boxes.map(box => box.dataset.action)"):
                item = action.rpartition(":")[2]
                # An item may tick itself meanwhile; then its box is gone.
                await self.page.evaluate(CLICK, action)
                await self.page.wait_for_selector(f'#replies li.item.ticked[data-key="item:{item}"]', state="attached")
            if await self.page.locator("#replies li.item.open button.tick").count() == 0:
                return
        raise AssertionError("there is always something left to tick")

    async def to_deployed(self) -> None:
        for _ in range(12):
            await self.open_thread()
            await self.tick_everything()
            if await self.page.locator('#list button[data-label="Deployed"]').count():
                await self.press("Deployed")
                await self.page.wait_for_selector('#list .card .text:has-text("Deployed ")')
                return
            before = await self.where()
            await self.press("Next phase")
            await expect(self.page.locator(WHERE).last).not_to_have_text(before, timeout=10_000)
        raise AssertionError("the phases do not end")

    async def where(self) -> str:
        """The line of the card that says where it stands."""
        return str(await self.page.locator(WHERE).last.text_content())

    async def let_pass(self, by: str) -> None:
        await self.page.click(f'button[data-move="{by}"]')
        await self.page.wait_for_selector(f'button[data-move="{by}"]:not([disabled]):not([aria-busy="true"])')

    async def hears(self, text: str) -> None:
        """Wait until an announcement with these words stands in the channel."""
        await self.page.locator("#list .verbatim", has_text=text.splitlines()[0]).first.wait_for()

    async def heard(self) -> list[str]:
        """Every announcement in the channel, letter for letter."""
        said = await self.page.locator("#list .verbatim").all_text_contents()
        return [one.strip() for one in said]


@pytest.mark.slow
async def test_azora_is_played_to_stable_with_a_restart_in_the_middle(stage: Stage, page: Page) -> None:
    ann = Person(page)
    await page.goto(stage.process.address)
    await ann.say("/deploy start v1.2.0 --yes")
    await ann.to_deployed()
    await page.locator("#replies .title", has_text="After the switch check").first.wait_for()
    await ann.let_pass("30m")
    stage.restart(signal.SIGTERM)
    await page.reload()
    await ann.open_thread()
    await ann.tick_everything()
    await ann.hears("✅ Production Deployment Complete")
    await ann.let_pass("2h")
    await ann.tick_everything()
    await ann.let_pass("24h")
    await ann.tick_everything()
    await ann.hears(STABLE)

    deployed, spoken = stage.records.at("deployed"), stage.records.at("announced")
    succeeded = SUCCEEDED.format(deployed=f"{deployed:%Y-%m-%d %H:%M}", duration=spell_duration(deployed - spoken))
    assert await ann.heard() == [STARTING, STARTED, succeeded, STABLE]
    await page.wait_for_selector('#list .card:has-text("Stable since")')
    ran = stage.records.facts("check_ran")
    assert {fact["verdict"] for fact in ran} == {"healthy"}
    assert [fact["check"] for fact in ran][-3:] == ["t30", "t120", "t1440"]
    assert len(ran) == 6 + 5 + 3
    assert not any(fact.get("late_seconds") for fact in ran)


@pytest.mark.long
async def test_azora_is_played_to_rolled_back_with_a_kill_in_the_middle(stage: Stage, page: Page) -> None:
    ann = Person(page)
    await page.goto(stage.process.address)
    await ann.say("/deploy start v1.2.0 --yes")
    await ann.to_deployed()
    await page.click("label:has(input[name=health][value=failing])")
    await ann.let_pass("5m")
    await ann.hears("⚠️ Issue detected in production. Investigating...")
    stage.restart(signal.SIGKILL)
    await page.reload()
    await ann.press("Roll back…")
    dialog = page.locator("#dialog")
    await dialog.get_by_label("Back to which version?").fill("v1.1.0")
    await dialog.get_by_label("Why?").fill("error rate 7.2%")
    await dialog.get_by_label("What happens next?").fill("fix the connection pool")
    await dialog.get_by_role("button", name="Roll back now").click()
    await ann.hears("Rolling back")
    await ann.open_thread()
    await page.wait_for_selector('#replies li.item .words:text("Traffic switched back to blue")')
    await ann.press("Rolled back…")
    await dialog.get_by_role("button", name="Announce").click()
    await ann.hears(ROLLED_BACK)

    heard = await ann.heard()
    assert heard[:2] == [STARTING, STARTED]
    assert heard[2].startswith("⚠️ Issue detected in production. Investigating...")
    assert heard[-1] == ROLLED_BACK
    assert len(heard) == 5
    assert stage.records.facts("rollback_started")[0]["reason"] == "error rate 7.2%"
    await page.wait_for_selector('#list .card:has-text("Rolled back to v1.1.0")')
    await ann.let_pass("24h")
    assert await ann.heard() == heard
    assert stage.records.at("rolled_back") - stage.records.at("deployed") < timedelta(minutes=10)
