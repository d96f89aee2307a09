"""Fixtures: a page in a real Chromium, driven by Playwright on the test's own event loop."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium(unavailable: Callable[[str, str], NoReturn]) -> str:
    """Where the machine's own Chromium is; Playwright's download is not used."""
    if importlib.util.find_spec("playwright") is None:
        unavailable("browser", "playwright is not installed")
    return next(filter(None, map(shutil.which, NAMES)), None) or unavailable(
        "browser", "no Chromium on PATH; on Debian and Ubuntu: apt-get install chromium"
    )


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A browser for tests that need several people: each `await browser.new_context()` is one.

    Started for each test (a third of a second): Playwright belongs to one event loop, and so does a test.
    """
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, headless=True, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A blank page. A script error nobody caught fails the test."""
    page = await browser.new_page()
    page.set_default_timeout(10_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    await page.close()
    assert errors == []
