"""The page in a real Chromium: live, and usable by keyboard, by screen reader and on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bot.cards import card as c
from bot.cards.card import Card
from tests.adapters.page_kit import CHANNEL, DESKTOP, PHONE, address, room, started, tick
from tests.fakes.sandbox import Item, Room, open_room, serving

pytestmark = pytest.mark.slow

__all__ = ["address", "room"]


# --- what one sees ----------------------------------------------------------------------------------------------------


async def test_a_newcomer_is_told_what_to_type(page: Page, address: str) -> None:
    await page.goto(address)
    await expect(page.get_by_role("heading", name="Your checklist, as your team will see it")).to_be_visible()
    await page.get_by_role("button", name="/deploy start v1.2.0").click()
    await expect(page.get_by_role("combobox", name="Message or command")).to_have_value("/deploy start v1.2.0")
    await page.keyboard.press("Enter")
    await expect(page.locator("#list .card .title")).to_have_text("🚀 azora v1.2.0 → production")
    await expect(page.locator("#welcome")).to_be_hidden()


async def test_two_people_see_the_same_at_once(browser: Browser, page: Page, address: str) -> None:
    await started(page, address)
    other = await (await browser.new_context()).new_page()
    await other.goto(f"{address}/#deployments/1")
    await other.get_by_label("You are").select_option("quinn")
    await expect(other.locator(".mention.mine")).to_have_text("@QA")
    await tick(other, "QA sign-off").click()
    await expect(page.locator("#thread .item.ticked .status")).to_have_text("Quinn 10:04")
    await tick(page).click()
    await expect(other.locator("#thread .item.ticked")).to_have_count(2)
    await expect(other.locator("#list progress")).to_have_js_property("value", 2)
    await expect(page.locator("[aria-busy]")).to_have_count(0, timeout=2000)
    await other.reload()
    await expect(other.get_by_label("You are")).to_have_value("quinn")
    await expect(other.locator("#thread .item.ticked")).to_have_count(2)


async def test_an_answer_is_for_its_author_alone_and_can_be_dismissed(
    browser: Browser, page: Page, address: str
) -> None:
    await started(page, address)
    other = await browser.new_page()
    await other.goto(f"{address}/#deployments/1")
    await expect(other.locator("#thread .item").first).to_be_visible()
    await tick(page, "QA sign-off").click()
    answer = page.locator("#thread-notices .private")
    await expect(answer).to_contain_text("Only visible to you")
    await expect(answer).to_contain_text("Ask Quinn")
    await expect(page.locator("#news")).to_contain_text("That is not yours to tick")
    await expect(other.locator(".private")).to_have_count(0)
    await answer.get_by_role("button", name="Dismiss").click()
    await expect(answer).to_have_count(0)
    await expect(tick(page, "QA sign-off")).to_be_focused()


async def test_the_stage_moves_the_clock_and_sets_the_health(page: Page, room: Room, address: str) -> None:
    await page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    room.deadlines.due = [room.clock.now()]
    room.deadlines.due = [due.replace(minute=34, second=30) for due in room.deadlines.due]
    await page.goto(address)
    await expect(page.locator("#next")).to_contain_text("Tue 24 Nov 10:34, in 30 m")
    await page.get_by_role("button", name="To the next event").click()
    await expect(page.locator("#offset")).to_have_text("30 m ahead")
    await expect(page.locator("#next")).to_have_text("Nothing is planned")
    await page.get_by_role("button", name="Let 24 hours pass").click()
    await expect(page.locator("#now")).to_have_text("Wed 25 Nov 10:34 UTC")
    await page.get_by_role("radio", name="Failing").check(force=True)
    await expect(page.locator("#stage")).to_have_attribute("data-health", "failing")
    await room.chat.post(CHANNEL, Card("Next day", "next day"), key="n")
    await expect(page.locator(".day")).to_have_text("Wednesday 25 November")


# --- keyboard and screen reader ---------------------------------------------------------------------------------------


async def test_a_deployment_goes_by_keyboard_alone(page: Page, address: str) -> None:
    await page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    await page.goto(address)
    await expect(page.locator("#welcome")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the composer")).to_be_focused()
    await page.keyboard.press("Enter")
    say = page.get_by_role("combobox", name="Message or command")
    await expect(say).to_be_focused()
    await page.keyboard.type("/")
    await expect(page.locator("#options").get_by_role("option")).to_have_count(1)
    await page.keyboard.press("Tab")
    await expect(say).to_have_value("/deploy ")
    await expect(page.locator("#options").get_by_role("option")).to_have_count(4)
    await page.keyboard.press("ArrowDown")
    await expect(say).to_have_attribute("aria-activedescendant", "option-0")
    await page.keyboard.press("ArrowUp")
    await expect(page.locator("#options").get_by_role("option", selected=True)).to_contain_text("rollback")
    await page.keyboard.press("Escape")
    await expect(say).to_have_attribute("aria-expanded", "false")
    await page.keyboard.type("sta")
    await expect(page.locator("#options").get_by_role("option")).to_have_count(2)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.keyboard.type("v1.2.0")
    await page.keyboard.press("Enter")
    await expect(tick(page)).to_be_visible()
    await expect(say).to_be_focused()  # the thread opened by itself, and took nothing away
    await tick(page).focus()
    await page.keyboard.press("Space")
    await expect(page.locator("#thread .item.ticked")).to_have_count(1)
    more = page.locator("#thread").get_by_label("More for: All tests passing (npm test)")
    await expect(more).to_be_focused()
    await expect(page.locator("#news")).to_contain_text("Tick: All tests passing (npm test): done")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#thread .item.ticked")).to_have_count(0)
    await expect(page.locator("details.menu[open]")).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(page.locator("#thread")).to_be_hidden()
    await expect(page.get_by_role("button", name="1 reply")).to_be_focused()
    await say.focus()
    await page.keyboard.press("ArrowUp")
    await expect(say).to_have_value("/deploy start v1.2.0")


async def test_everything_one_can_press_has_a_name(page: Page, room: Room, address: str) -> None:
    await started(page, address)
    await room.chat.post(CHANNEL, Card("Facts", "facts", (c.Facts((c.Fact("A", "1", "< 2", True),)),)), key="f")
    await page.locator("#list .buttons").first.get_by_role("button", name="Roll back…").click()
    await expect(page.get_by_role("dialog", name="Roll back azora")).to_be_visible()
    nameless = await page.evaluate(
        """() => [...document.querySelectorAll("button, summary, a, input, select, textarea, img")].filter((element) =>
            !(element.getAttribute("aria-label") || element.textContent.trim() || element.hasAttribute("alt")
              || element.labels?.length || element.hidden)).map((element) => element.outerHTML)"""
    )
    doubled = await page.evaluate(
        """() => { const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
                   return ids.filter((id, place) => ids.indexOf(id) !== place); }"""
    )
    assert (nameless, doubled) == ([], [])


async def test_a_form_says_what_is_missing_and_keeps_what_was_typed(page: Page, address: str) -> None:
    await started(page, address)
    opener = page.locator("#list").get_by_role("button", name="Roll back…")
    await opener.click()
    dialog = page.get_by_role("dialog", name="Roll back azora")
    await dialog.get_by_role("button", name="Roll back").click()
    reason = dialog.get_by_label("Reason")
    await expect(reason).to_be_focused()
    await expect(reason).to_have_attribute("aria-invalid", "true")
    await expect(dialog).to_contain_text("Please fill this in.")
    await reason.fill("slow")
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("Say why, in a few words.")
    await expect(reason).to_have_value("slow")
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(opener).to_be_focused()
    await opener.click()
    await reason.fill("It is <b>slow</b>")
    await dialog.get_by_role("button", name="Roll back").click()
    await expect(page.locator("#list .verbatim")).to_contain_text("Reason: It is <b>slow</b>")


# --- what stays as it was ---------------------------------------------------------------------------------------------


async def test_an_update_touches_only_what_changed(page: Page, room: Room, address: str) -> None:
    await started(page, address)
    await page.evaluate("() => document.querySelectorAll('#thread .item').forEach((item) => (item.mine = true))")
    await page.locator("#thread summary", has_text="Infrastructure").click()
    await page.locator("#thread .item").first.get_by_role("button", name="Copy").focus()
    room.core.items["review"].state = c.ItemState.TICKED
    await room.core._show(CHANNEL, None)  # type: ignore[arg-type]
    await expect(page.locator("#thread .item.ticked")).to_have_count(1)
    assert await page.evaluate("() => [...document.querySelectorAll('#thread .item')].every((item) => item.mine)")
    await expect(page.locator("#thread .item").first.get_by_role("button", name="Copy")).to_be_focused()
    await expect(page.locator("#thread details.part").nth(1)).not_to_have_attribute("open", "")


async def test_eight_hundred_items_stay_quick(page: Page, tmp_path: Path) -> None:
    items = tuple(
        Item(f"i{n}", f"Item {n} is as it **should** be", f"Part {n // 20}", "make it so") for n in range(800)
    )
    async with open_room(tmp_path / "long.db", items=items) as room, serving(room) as address:
        await started(page, address)
        await expect(page.locator("#thread .item")).to_have_count(800)
        target = tick(page, "Item 400 is as it should be")
        await target.scroll_into_view_if_needed()
        before = await page.locator("#thread-scroll").evaluate("(box) => box.scrollTop")
        took = await target.evaluate(
            """(button) => new Promise((done) => {
                const item = button.closest(".item"), start = performance.now();
                new MutationObserver(() => item.classList.contains("ticked") && done(performance.now() - start))
                    .observe(item, {attributes: true});
                button.click();
                if (button.getAttribute("aria-busy") !== "true") done(-1);
            })"""
        )
        assert 0 < took < 3000
        after = await page.locator("#thread-scroll").evaluate("(box) => box.scrollTop")
        assert abs(after - before) < 60


async def test_somebody_who_reads_further_up_is_left_there(page: Page, room: Room, address: str) -> None:
    for place in range(20):
        await room.chat.post(CHANNEL, Card(f"Message {place}", "text"), key=str(place))
    await page.goto(address)
    last = page.locator("#list .message").last
    await expect(last).to_be_in_viewport()
    await room.chat.post(CHANNEL, Card("At the end", "text"), key="end")
    await expect(last).to_contain_text("At the end")
    await expect(last).to_be_in_viewport()
    await page.locator("#messages").hover()
    await page.mouse.wheel(0, -3000)
    await expect(page.locator("#list .message").first).to_be_in_viewport()
    await room.chat.post(CHANNEL, Card("Below", "text"), key="below")
    newer = page.get_by_role("button", name="1 new message")
    await expect(newer).to_be_visible()
    await expect(page.locator("#list .message").first).to_be_in_viewport()
    await newer.click()
    await expect(last).to_contain_text("Below")
    await expect(last).to_be_in_viewport()


async def test_a_long_channel_is_shown_from_its_end(page: Page, room: Room, address: str) -> None:
    for place in range(130):
        await room.chat.post(CHANNEL, Card(f"Message {place}", "text"), key=str(place))
    await page.goto(address)
    await expect(page.locator("#list .message")).to_have_count(60)
    await page.get_by_role("button", name="Show earlier messages").click()
    await expect(page.locator("#list .message")).to_have_count(120)
    await page.get_by_role("button", name="Show earlier messages").click()
    await expect(page.locator("#list .message")).to_have_count(130)
    titles = await page.locator("#list .title").all_text_contents()
    assert titles == [f"Message {place}" for place in range(130)]
    await expect(page.get_by_role("button", name="Show earlier messages")).to_be_hidden()


async def test_another_channel_shows_that_it_has_news(page: Page, room: Room, address: str) -> None:
    await page.goto(address)
    await expect(page.locator("#welcome")).to_be_visible()
    await room.chat.post("#incidents", Card("Look", "look"), key="i")
    link = page.get_by_role("link", name="#incidents (new messages)")
    await link.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("#incidents")
    await expect(page.locator("#list .title")).to_have_text("Look")
    await page.go_back()
    await expect(page.get_by_role("heading", level=1)).to_have_text(CHANNEL)


async def test_the_thread_is_called_what_its_card_is_called_now(page: Page, room: Room, address: str) -> None:
    await started(page, address)
    await expect(page.locator("#thread-where")).to_have_text("🚀 azora v1.2.0 → production")
    await room.chat.update(
        CHANNEL, str(room.core.root), Card("🔄 azora v1.2.0 → production", "rolled back"), thread=None
    )
    await expect(page.locator("#thread-where")).to_have_text("🔄 azora v1.2.0 → production")


async def test_a_start_of_ones_own_takes_the_place_of_another_thread_and_nobody_else_s_does(
    browser: Browser, page: Page, address: str
) -> None:
    await started(page, address)
    other = await browser.new_page()
    await started(other, address)  # the second deployment
    await expect(page.locator("#list .replies")).to_have_count(2)
    await expect(page).to_have_url(f"{address}/#deployments/1")
    await expect(other).to_have_url(f"{address}/#deployments/3")
    await page.get_by_role("combobox", name="Message or command").fill("/deploy start v1.3.0")
    await page.keyboard.press("Enter")
    await expect(page.locator("#thread-where")).to_have_text("🚀 azora v1.3.0 → production")
    await expect(page.locator("#thread .item").first).to_be_visible()
    await expect(page).to_have_url(f"{address}/#deployments/5")
    await expect(other.locator("#list .replies")).to_have_count(3)
    await expect(other).to_have_url(f"{address}/#deployments/3")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_all_of_a_command_is_in_sight(page: Page, room: Room, address: str, size: dict[str, int]) -> None:
    await started(page, address, size)
    lines = [
        f'kubectl patch service api-gateway-{n} -n production -p \'{{"spec": {{"slot": "blue"}}}}\'' for n in range(20)
    ]
    command = "\n\n".join(lines)
    await room.chat.post(CHANNEL, Card("Rollback", "x", (c.Code(command),)), key="r", thread=room.core.root)
    box = page.locator("#thread .code pre").last
    await expect(box).to_have_text(command, use_inner_text=False)
    assert await box.evaluate("(box) => box.scrollWidth <= box.clientWidth && box.scrollHeight <= box.clientHeight")
    assert await page.locator("#thread-scroll").evaluate("(pane) => pane.scrollWidth <= pane.clientWidth")


# --- the phone --------------------------------------------------------------------------------------------------------


async def test_a_phone_shows_everything_without_scrolling_sideways(page: Page, room: Room, address: str) -> None:
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await page.goto(address)
    await expect(page.locator("#welcome")).to_be_visible()
    await room.chat.post(CHANNEL, Card("W" * 200, "x", (c.Code("y" * 300), c.Text("z" * 300))), key="wide")
    await started(page, address, PHONE)
    for pane in ("#messages", "#thread-scroll", "body", "#stage"):
        assert await page.locator(pane).evaluate("(box) => box.scrollWidth <= box.clientWidth"), pane
    await tick(page).click()
    await expect(page.locator("#thread .item.ticked")).to_have_count(1)
    await page.go_back()
    await expect(page.locator("#thread")).to_be_hidden()
    controls = page.get_by_role("button", name="+2 h").or_(page.get_by_role("button", name="Let 2 hours pass"))
    await expect(controls).to_be_hidden()
    await page.get_by_role("button", name="Sandbox").click()
    await controls.click()
    await expect(page.locator("#brief-clock")).to_have_text("Tue 24 Nov 12:04")
    await page.get_by_role("button", name="Channels").click()
    await page.get_by_role("link", name="#incidents").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("#incidents")


async def test_nothing_jumps_while_one_ticks(page: Page, address: str) -> None:
    await started(page, address)
    await page.evaluate(
        """() => { window.shifted = 0; new PerformanceObserver((list) => list.getEntries().forEach(
            (entry) => (window.shifted += entry.value))).observe({type: "layout-shift"}); }"""
    )
    for item in ("All tests passing (npm test)", "Database backup completed", "Disk space ≥ 30% free"):
        await tick(page, item).click()
        await expect(tick(page, item)).to_have_count(0)
    assert await page.evaluate("() => window.shifted") < 0.05
