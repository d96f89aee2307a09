"""The live stream: nothing is missed, whatever happens to the connection. Over a real server on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.web.service import Health
from adapters.web.state import Bell, Sandbox
from bot.cards.card import Card
from tests.fakes.sandbox import Room, open_room, serving

CHANNEL = "#deployments"


@dataclass
class Told:
    """One event, or a comment."""

    kind: str
    data: dict[str, Any]
    id: str | None = None


class Listener:
    """What an open page hears."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self, kind: str | None = None) -> Told:
        """The next event, of this kind if one is named."""
        async with asyncio.timeout(10):
            while True:
                told = await self._one()
                if kind is None or told.kind == kind:
                    return told

    async def ended(self) -> bool:
        async with asyncio.timeout(10):
            with contextlib.suppress(StopAsyncIteration):
                while True:
                    await self._one()
            return True

    async def _one(self) -> Told:
        fields: dict[str, str] = {}
        while True:
            line = await anext(self._lines)
            if not line and fields:
                break
            name, _, value = line.partition(": ")
            fields[name or "comment"] = value
        kind = fields.get("event", "comment" if set(fields) == {"comment"} else "retry")
        return Told(kind, json.loads(fields.get("data", "{}")), fields.get("id"))


@contextlib.asynccontextmanager
async def listening(address: str, query: str = "?after=0", **headers: str) -> AsyncIterator[Listener]:
    async with (
        httpx.AsyncClient(base_url=address, timeout=None) as http,
        http.stream("GET", f"/events{query}", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Listener(answer.aiter_lines())


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(tmp_path / "sandbox.db", poll=0.02, heartbeat=0.1) as room:
        yield room


@pytest.fixture
async def address(room: Room) -> AsyncIterator[str]:
    async with serving(room) as address:
        yield address


def a_card(title: str) -> Card:
    return Card(title, title.lower())


async def test_a_page_hears_what_stands_and_then_what_comes(room: Room, address: str) -> None:
    root = await room.chat.post(CHANNEL, a_card("One"), key="one")
    async with listening(address) as page:
        first = await page.next("message")
        assert (first.id, first.data["title"], first.data["thread"]) == ("1", "One", None)
        assert (await page.next("sandbox")).data["health"] == "healthy"
        await room.chat.post(CHANNEL, a_card("Two"), key="two", thread=root)
        second = await page.next("message")
        assert (second.id, second.data["thread"]) == ("2", 1)
        assert second.data["replies"] == {"count": 1, "last": "2026-11-24T10:04:00Z"}
        await room.chat.update(CHANNEL, root, a_card("Three"))
        third = await page.next("message")
        assert (third.id, third.data["id"], third.data["edited"]) == ("3", 1, "2026-11-24T10:04:00Z")
        assert "Three" in third.data["html"]


async def test_a_page_that_comes_back_hears_exactly_what_it_missed(room: Room, address: str) -> None:
    messages = [await room.chat.post(CHANNEL, a_card(title), key=title) for title in ("One", "Two", "Three")]
    async with listening(address) as page:
        last = [await page.next("message") for _ in range(2)][-1]
    await room.chat.update(CHANNEL, messages[0], a_card("One again"))
    for place in range(20):
        await room.chat.update(CHANNEL, messages[1], a_card(f"Two, {place}"))
    # The header counts, not the address the page was opened with.
    async with listening(address, "?after=0", **{"Last-Event-ID": str(last.id)}) as page:
        heard = [(await page.next("message")).data["title"] for _ in range(3)]
    assert heard == ["Three", "One again", "Two, 19"]


async def test_many_changes_are_heard_in_order(room: Room, address: str) -> None:
    for place in range(120):
        await room.chat.post(CHANNEL, a_card(str(place)), key=str(place))
    async with listening(address) as page:
        heard = [(await page.next("message")).data["title"] for _ in range(120)]
    assert heard == [str(place) for place in range(120)]


async def test_a_page_of_another_database_is_told_to_start_again(address: str) -> None:
    async with listening(address, "?after=41") as page:
        assert (await page.next()).kind == "retry"
        assert (await page.next()).kind == "reset"
        assert await page.ended()


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "9" * 30, "٣"])
async def test_a_position_is_a_number(address: str, after: str) -> None:
    async with httpx.AsyncClient(base_url=address) as http:
        answer = await http.get("/events", params={"after": after})
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_a_quiet_page_hears_a_heartbeat_and_nothing_else(room: Room, address: str) -> None:
    async with listening(address) as page:
        kinds = [(await page.next()).kind for _ in range(4)]
    assert kinds == ["retry", "sandbox", "comment", "comment"]


async def test_a_page_hears_of_the_clock_and_the_service(room: Room, address: str) -> None:
    async with listening(address) as page:
        await page.next("sandbox")
        await room.service.set_health(Health.FAILING)
        assert (await page.next("sandbox")).data["health"] == "failing"
        await room.time.move(timedelta(hours=2))
        while (state := (await page.next("sandbox")).data)["offset"] != 7200:
            pass
        assert state["now"].startswith("2026-11-24T12:04:00")


async def test_a_page_hears_what_another_process_posts(room: Room, address: str, tmp_path: Path) -> None:
    async with open_room(tmp_path / "sandbox.db") as worker, listening(address) as page:
        await page.next("sandbox")
        await worker.chat.post(CHANNEL, a_card("From the worker"), key="w")
        assert (await page.next("message")).data["title"] == "From the worker"


async def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    async with open_room(file) as room:
        await room.chat.post(CHANNEL, a_card("Before"), key="b")
    async with open_room(file) as room, serving(room) as address:
        await room.chat.post(CHANNEL, a_card("After"), key="a")
        async with listening(address, **{"Last-Event-ID": "1"}) as page:
            assert (await page.next("message")).data["title"] == "After"


async def test_the_server_stops_although_pages_are_open(tmp_path: Path) -> None:
    async with open_room(tmp_path / "sandbox.db") as room, contextlib.AsyncExitStack() as pages:
        async with asyncio.timeout(4):
            async with serving(room) as address:
                open_pages = [await pages.enter_async_context(listening(address)) for _ in range(5)]
                for page in open_pages:
                    await page.next("sandbox")
        assert all([await page.ended() for page in open_pages])


async def test_pages_that_close_leave_nothing_behind(room: Room, address: str) -> None:
    for _ in range(10):
        async with listening(address) as page:
            await page.next("sandbox")
    assert await room.chat.post(CHANNEL, a_card("Still here"), key="s") == "1"
    async with asyncio.timeout(5):
        while room.engine.sync_engine.pool.checkedout():  # type: ignore[attr-defined]
            await room.sandbox.bell.wait(room.sandbox.bell.rings, 0.01)


async def test_a_bell_misses_no_ring() -> None:
    bell = Bell()
    heard = bell.rings
    bell.ring()
    assert await bell.wait(heard, 5) == 1
    waiting = asyncio.create_task(bell.wait(1, 5))
    await asyncio.sleep(0)
    bell.ring()
    bell.ring()
    assert await waiting == 3
    assert await bell.wait(3, 0.01) == 3
    bell.close()
    assert await bell.wait(bell.rings, 5) == bell.rings


async def test_settings_are_kept_and_ring(room: Room) -> None:
    again = Sandbox(room.engine)
    rings = room.sandbox.bell.rings
    await room.sandbox.put("x", {"a": [1, "é"]})
    await room.sandbox.put("x", {"a": [2]})
    assert await again.get("x") == {"a": [2]}
    assert await again.get("y") is None
    assert room.sandbox.bell.rings == rings + 2
