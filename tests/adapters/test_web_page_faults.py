"""The page when things fail: nothing is doubled, nothing is lost, and what went wrong is said. In a real Chromium."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from playwright.async_api import Page, Request, Route, expect

from bot.cards import card as c
from bot.cards.card import Card
from tests.adapters.page_kit import CHANNEL, address, room, started, tick
from tests.adapters.test_web_draw import ATTACKS
from tests.fakes.sandbox import Room, open_room, serving

pytestmark = pytest.mark.slow

__all__ = ["address", "room"]


async def test_a_click_that_did_not_arrive_is_sent_again_with_its_key(page: Page, room: Room, address: str) -> None:
    await started(page, address)
    keys: list[str] = []

    async def fail_once(route: Route, request: Request) -> None:
        keys.append(request.post_data_json["key"])
        await (route.abort() if len(keys) == 1 else route.continue_())

    await page.route("**/api/click", fail_once)
    await tick(page).click()
    await expect(tick(page)).to_have_attribute("aria-busy", "true")
    await expect(page.locator("#thread .item.ticked")).to_have_count(1)
    assert len(keys) == 2
    assert len(set(keys)) == 1


async def test_a_click_whose_answer_got_lost_is_done_once(page: Page, room: Room, address: str) -> None:
    await started(page, address)
    answered = 0

    async def lose_the_first(route: Route) -> None:
        nonlocal answered
        answered += 1
        if answered == 1:
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/api/submit", lose_the_first)
    await page.locator("#list").get_by_role("button", name="Roll back…").click()
    await page.get_by_label("Reason").fill("It is slow")
    await page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.locator("#list .verbatim")).to_have_count(1)
    submits = [key for kind, _, key in room.core.calls if kind == "submit"]
    assert len(submits) == 2
    assert len(set(submits)) == 1


async def test_a_failure_is_a_sentence_and_a_way_to_try_again(page: Page, room: Room, address: str) -> None:
    await started(page, address)
    room.core.broken = "The disk is full. Free some space and try again."
    await tick(page).click()
    failed = page.locator("#thread-notices .failed")
    await expect(failed).to_contain_text("The disk is full.")
    await expect(tick(page)).not_to_have_attribute("aria-busy", "true")
    room.core.broken = None
    await failed.get_by_role("button", name="Try again").click()
    await expect(page.locator("#thread .item.ticked")).to_have_count(1)
    await expect(failed).to_have_count(0)
    clicks = [key for kind, _, key in room.core.calls if kind == "click"]
    assert len(clicks) == 2
    assert len(set(clicks)) == 1


async def test_a_server_that_comes_back_finds_its_pages_in_step(page: Page, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = tmp_path / "sandbox.db"
    async with open_room(file) as room, serving(room, port) as address:
        await started(page, address)
        core = room.core
    await expect(page.locator("#connection")).to_have_text("Reconnecting…")
    async with open_room(file) as room:
        core.chat, core.clock = room.chat, room.clock
        core.items["review"].state = c.ItemState.TICKED
        await core._show(CHANNEL, None)  # type: ignore[arg-type]
        async with serving(room, port):
            await expect(page.locator("#thread .item.ticked")).to_have_count(1)
            await expect(page.locator("#connection")).to_have_text("")
            await expect(page.locator("#list .message")).to_have_count(2)


async def test_no_string_runs_as_script(page: Page, room: Room, address: str) -> None:
    troubles: list[str] = []
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.dismiss()))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    await started(page, address)
    for place, attack in enumerate(ATTACKS):
        blocks = (
            c.Text(attack),
            c.Heading(attack),
            c.ItemRow(f"{place}{attack}", attack, c.ItemState.OPEN, group=attack, hints=(attack,), command=attack),
            c.Buttons((c.Button(attack, f"note:d1:{place}"),)),
        )
        await room.chat.post(CHANNEL, Card(attack, attack, blocks, mentions=(attack,)), key=str(place))
    await expect(page.locator("#list .message")).to_have_count(2 + len(ATTACKS))
    say = page.get_by_role("combobox", name="Message or command")
    for attack in ATTACKS[:3]:
        await say.fill(f"/deploy start {attack}")
        await page.keyboard.press("Enter")
    await expect(page.locator(".typed .private")).to_have_count(3)
    assert await page.locator("#list :is(script, svg, iframe, style)").count() == 0
    assert troubles == []
