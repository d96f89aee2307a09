"""Pictures on the sandbox page: drawn by the server, at addresses that change with what they show."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from adapters.pictures.pictures import MatplotlibPictures
from adapters.web.draw import draw_card
from bot.cards.card import Answer, Card, Picture, Text
from bot.cards.chart import Chart, Curve
from tests.fakes.sandbox import Room, open_room, serving

HOME = "http://127.0.0.1:8600"
T0 = datetime(2026, 11, 24, 10, 4, tzinfo=UTC)
WORDS = 'Error rate 0.05% (target < 0.1%) "quoted".'


def card(last: float = 0.05, alt: str = WORDS) -> Card:
    curve = Curve("Error rate", "%", ((T0, 0.02), (T0 + timedelta(minutes=30), last)))
    chart = Chart("shop v1", "UTC", T0, T0 + timedelta(minutes=30), (curve,))
    return Card("30-minute check: healthy", "healthy", (Text("All well"), Picture(alt, chart)))


@pytest.fixture(scope="module")
def pictures() -> MatplotlibPictures:
    return MatplotlibPictures()


@pytest.fixture
async def room(tmp_path: Path, pictures: MatplotlibPictures) -> AsyncIterator[Room]:
    async with open_room(tmp_path / "sandbox.db", pictures=pictures) as room:
        yield room


@pytest.fixture
async def http(room: Room) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(room.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=HOME, headers={"Origin": HOME}) as http:
        yield http


class Images(HTMLParser):
    """The images of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found.append(dict(attrs))


async def shown(http: httpx.AsyncClient) -> dict[str, str | None]:
    """The image of the only message."""
    (message,) = (await http.get("/api/messages")).json()["messages"]
    (image,) = Images(message["html"]).found
    return image


async def test_a_message_shows_its_picture_with_its_words(room: Room, http: httpx.AsyncClient) -> None:
    message = await room.chat.post("#deployments", card(), key="k")
    image = await shown(http)
    assert image["alt"] == WORDS
    assert re.fullmatch(rf"/pictures/{message}/[0-9a-f]{{32}}\.png", image["src"] or "")
    answer = await http.get(image["src"] or "")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")
    assert "immutable" in answer.headers["cache-control"]
    assert "img-src 'self'" in answer.headers["content-security-policy"]


async def test_a_new_picture_has_a_new_address_and_the_old_one_is_gone(room: Room, http: httpx.AsyncClient) -> None:
    message = await room.chat.post("#deployments", card(), key="k")
    before = (await shown(http))["src"] or ""
    await room.chat.update("#deployments", message, card(last=0.09))
    after = (await shown(http))["src"] or ""
    assert before != after
    assert [(await http.get(address)).status_code for address in (before, after)] == [404, 200]
    await room.chat.update("#deployments", message, replace(card(last=0.09), title="other words"))
    assert (await shown(http))["src"] == after


async def test_an_answer_shows_its_picture(room: Room, http: httpx.AsyncClient) -> None:
    async def answer(*_: object) -> Answer:
        return Answer(card=card())

    room.core._command = answer
    body = {"key": "key-0001", "persona": "ann", "channel": "#deployments", "text": "/deploy status"}
    said = (await http.post("/api/command", json=body)).json()
    (image,) = Images(said["card"]).found
    assert (await http.get(image["src"] or "")).content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "path", ["/pictures/1/0.png", "/pictures/99999999999/0.png", "/pictures/x/0.png", "/pictures/answers/0.png"]
)
async def test_what_is_shown_nowhere_is_not_found(room: Room, http: httpx.AsyncClient, path: str) -> None:
    await room.chat.post("#deployments", card(), key="k")
    assert (await http.get(path)).status_code == 404


async def test_a_chart_without_a_point_is_not_found(room: Room, http: httpx.AsyncClient) -> None:
    empty = Card("t", "t", (Picture(WORDS, Chart("t", "UTC", T0, T0, ())),))
    await room.chat.post("#deployments", empty, key="k")
    assert (await http.get((await shown(http))["src"] or "")).status_code == 404


def test_without_a_drawer_the_words_stand_there() -> None:
    html = draw_card(card())
    assert Images(html).found == []
    assert "Error rate 0.05% (target &lt; 0.1%)" in html


def test_words_of_a_picture_are_no_markup() -> None:
    (image,) = Images(draw_card(card(alt='"><script>x</script>'), lambda chart: "/pictures/1/a.png")).found
    assert image["alt"] == '"><script>x</script>'
    assert "<script>" not in draw_card(card(alt='"><script>x</script>'))


@pytest.mark.slow
async def test_the_open_page_shows_the_newest_picture(room: Room, page: Page) -> None:
    async with serving(room) as address:
        await page.set_viewport_size({"width": 375, "height": 812})
        await page.goto(address)
        message = await room.chat.post("#deployments", card(), key="k")
        image = page.get_by_role("img", name="Error rate 0.05%")
        await expect(image).to_be_visible()
        await expect(image).to_have_js_property("complete", True)
        await expect(image).to_have_js_property("naturalWidth", 720)
        first = await image.get_attribute("src")
        await room.chat.update("#deployments", message, card(last=0.09))
        await expect(image).not_to_have_attribute("src", first or "")
        await expect(image).to_have_js_property("naturalWidth", 720)
        box = await image.bounding_box()
        assert box is not None
        assert 250 < box["width"] <= 375
