"""Many tabs of one browser: a browser opens six connections to a host, and a page's stream is one. In a real Chromium
whose tabs are really hidden behind each other; Playwright's own pages all count as seen."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, async_playwright, expect

from tests.adapters.page_kit import address, room, tick
from tests.browser import ARGUMENTS

pytestmark = pytest.mark.slow

__all__ = ["address", "room"]

TABS = 8
ENDPOINT = re.compile(rb"ws://\S+")


@pytest.fixture
async def window(chromium: str, tmp_path: Path) -> AsyncIterator[BrowserContext]:
    """A window of a browser that runs as it does at somebody's desk: one tab is in front."""
    process = await asyncio.create_subprocess_exec(
        chromium,
        "--headless=new",
        "--remote-debugging-port=0",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=1400,900",
        *ARGUMENTS,
        "about:blank",
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(20):
            while (found := ENDPOINT.search(await process.stderr.readline())) is None:
                assert not process.stderr.at_eof(), "Chromium did not start"
        async with async_playwright() as playwright:
            browser = await playwright.chromium.connect_over_cdp(found[0].decode(), no_defaults=True)
            yield browser.contexts[0]
            await browser.close()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()


async def test_eight_tabs_load_and_each_shows_what_was_ticked_in_another(window: BrowserContext, address: str) -> None:
    window.set_default_timeout(10_000)
    first = await window.new_page()
    await first.goto(address)
    await first.get_by_role("combobox", name="Message or command").fill("/deploy start v1.2.0")
    await first.keyboard.press("Enter")
    await expect(first.locator("#thread .item").first).to_be_visible()
    others = [await window.new_page() for _ in range(TABS - 1)]
    for tab in others:
        await tab.bring_to_front()
        await tab.goto(f"{address}/#deployments/1")
        await expect(tab.locator("#thread .item").first).to_be_visible()
    assert await first.evaluate("document.visibilityState") == "hidden"

    await first.bring_to_front()
    await tick(first).click()
    await expect(first.locator("#thread .item.ticked")).to_have_count(1)
    for tab in others:
        assert await tab.locator("#thread .item.ticked").count() == 0, "a page that nobody sees follows nothing"
        await tab.bring_to_front()
        await expect(tab.locator("#thread .item.ticked")).to_have_count(1)

    await tick(others[-1], "Database backup completed").click()
    await expect(others[-1].locator("#thread .item.ticked")).to_have_count(2)
    await first.bring_to_front()
    await expect(first.locator("#thread .item.ticked")).to_have_count(2)
    await expect(first.locator("#connection")).to_have_text("")
