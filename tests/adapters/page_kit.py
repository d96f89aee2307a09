"""What the tests of the page share: a sandbox with its server, and a page with a deployment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.fakes.sandbox import Room, open_room, serving

CHANNEL = "#deployments"
PHONE = {"width": 375, "height": 812}
DESKTOP = {"width": 1280, "height": 800}


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(tmp_path / "sandbox.db") as room:
        yield room


@pytest.fixture
async def address(room: Room) -> AsyncIterator[str]:
    async with serving(room) as address:
        yield address


async def started(page: Page, address: str, size: dict[str, int] = DESKTOP) -> None:
    """The page, with a deployment that was started from it and its thread open."""
    await page.set_viewport_size(size)  # type: ignore[arg-type]
    await page.goto(address)
    await page.get_by_role("combobox", name="Message or command").fill("/deploy start v1.2.0")
    await page.keyboard.press("Enter")
    if size is PHONE:
        await page.get_by_role("button", name="1 reply").click()
    await expect(page.locator("#thread .item").first).to_be_visible()


def tick(page: Page, item: str = "All tests passing (npm test)") -> Locator:
    """The button that ticks an item of the open thread."""
    return page.locator("#thread").get_by_role("button", name=f"Tick: {item}", exact=True)
