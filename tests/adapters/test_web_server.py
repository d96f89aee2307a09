"""The sandbox over HTTP: what it answers, what it refuses, and that nothing is done twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from adapters.web.personas import PERSONAS
from adapters.web.server import make_routes
from tests.fakes.sandbox import NOW, Room, open_room

HOME = "http://127.0.0.1:8600"
START = {"key": "key-0001", "persona": "ann", "channel": "#deployments", "text": "/deploy start v1.2.0"}
TICK = {"key": "key-0002", "persona": "ann", "channel": "#deployments", "action": "tick:d1:tests"}


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(tmp_path / "sandbox.db") as room:
        yield room


def client_of(app: Starlette, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=HOME, headers=headers
    )


@pytest.fixture
async def http(room: Room) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(room.app, Origin=HOME) as http:
        yield http


async def said(http: httpx.AsyncClient, path: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = await http.post(path, json=body)
    assert answer.status_code == status, answer.text
    data: dict[str, Any] = answer.json()
    return data


# --- the page and its files -------------------------------------------------------------------------------------------


async def test_the_page_has_its_people_channels_and_suggestions(http: httpx.AsyncClient) -> None:
    page = (await http.get("/")).text
    for persona in PERSONAS:
        assert f'value="{persona.id}"' in page
    assert "#incidents" in page
    assert "/deploy start v1.2.0" in page


async def test_the_page_has_no_inline_script_or_style_and_asks_nobody_else(http: httpx.AsyncClient) -> None:
    page = (await http.get("/")).text
    assert "<style" not in page
    assert "style=" not in page
    assert page.count("<script") == 1
    assert "onclick" not in page
    static = Path(__file__).parents[2] / "adapters" / "web" / "static"
    for file in static.iterdir():
        content = file.read_text()
        assert content.replace("http://www.w3.org/2000/svg", "").count("://") == 0, file
        assert (await http.get(f"/static/{file.name}")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/", "/api/messages", "/static/app.js", "/service/health", "/healthz", "/nothing", "/api/click"]
)
async def test_every_answer_has_the_security_headers(http: httpx.AsyncClient, path: str) -> None:
    headers = (await http.get(path)).headers
    policy = headers["content-security-policy"]
    for directive in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ):
        assert directive in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers


async def test_healthz_tells_whether_the_database_can_be_read(room: Room, http: httpx.AsyncClient) -> None:
    assert (await http.get("/healthz")).json() == {"status": "ok"}
    async with room.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE sandbox_settings RENAME TO elsewhere"))
    assert (await http.get("/healthz")).status_code == 503
    answer = await http.get("/api/messages")
    assert answer.status_code == 503
    assert "Try again" in answer.json()["error"]


# --- who may ask ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1:8600", "localhost:8600", "[::1]:8600", "localhost", "LOCALHOST"])
async def test_loopback_names_are_answered(room: Room, host: str) -> None:
    async with client_of(room.app, Host=host) as http:
        assert (await http.get("/")).status_code == 200
        assert (await http.post("/api/health", json={"health": "slow"})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8600", "10.0.0.1", "0.0.0.0", "",
        "evil@localhost", "localhost/evil", "localhost:port", "[::1", "127.0.0.1:8600, evil.example",
    ],
)  # fmt: skip
async def test_other_names_are_refused(room: Room, host: str) -> None:
    async with client_of(room.app, Host=host) as http:
        for path in ("/", "/api/messages", "/events", "/service/health", "/static/app.js"):
            assert (await http.get(path)).status_code == 403
        assert (await http.post("/api/command", json=START)).status_code == 403
    assert room.core.calls == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "https://127.0.0.1:8600"},
        {"Origin": "http://localhost:8600"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_posts_of_other_sites_are_refused(room: Room, headers: dict[str, str]) -> None:
    async with client_of(room.app, **headers) as http:
        assert (await http.post("/api/command", json=START)).status_code == 403
    assert room.core.calls == []


async def test_a_client_that_is_no_browser_may_post(room: Room) -> None:
    async with client_of(room.app) as http:
        assert (await http.post("/api/command", json=START)).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_only_json_is_read(room: Room, http: httpx.AsyncClient, kind: str) -> None:
    answer = await http.post("/api/command", content=b"{}", headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert room.core.calls == []


async def test_other_methods_are_refused(http: httpx.AsyncClient) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await http.request(method, "/api/command", json=START)).status_code == 405
    assert (await http.options("/api/command")).status_code == 415


async def test_the_guard_comes_along_into_a_bigger_application(room: Room) -> None:
    routes = make_routes(
        sandbox=room.sandbox,
        chat=room.chat,
        dialogue=room.core,
        clock=room.clock,
        time=room.time,
        service=room.service,
    )
    app = Starlette(routes=[Route("/open", lambda request: PlainTextResponse("open")), *routes])
    async with client_of(app, Host="bot.example") as http:
        assert (await http.get("/open")).text == "open"
        assert (await http.get("/")).status_code == 403
        assert (await http.get("/nothing")).status_code == 403


# --- what is sent -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/command", {}),
        ("/api/command", {**START, "key": "short"}),
        ("/api/command", {**START, "text": 7}),
        ("/api/command", {**START, "more": 1}),
        ("/api/command", {**START, "text": "x" * 20_001}),
        ("/api/command", {**START, "persona": "mallory"}),
        ("/api/click", {**TICK, "action": ""}),
        ("/api/click", {**TICK, "action": "x" * 201}),
        ("/api/submit", {**TICK, "values": {"a": 1}}),
        ("/api/submit", {**TICK, "values": {str(n): "" for n in range(51)}}),
        ("/api/clock", {"key": "key-0001", "by": "-5m"}),
        ("/api/clock", {"by": "5m"}),
        ("/api/health", {"health": "great"}),
        ("/api/complete", {"text": ""}),
    ],
)
async def test_what_cannot_be_read_is_refused_in_a_sentence(
    room: Room, http: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    answer = await said(http, path, body, 422)
    assert answer["error"].endswith(".")
    assert room.core.calls == []


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'{"key": "\\ud800abcdefgh"}', b"\xff\xfe"])
async def test_broken_json_is_refused(http: httpx.AsyncClient, body: bytes) -> None:
    answer = await http.post("/api/command", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


async def test_a_body_that_is_too_long_is_refused(room: Room, http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/command", json={**START, "text": "x" * 200_000})
    assert answer.status_code == 413
    assert answer.json()["error"] == "That is too long."

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 50_000

    answer = await http.post("/api/command", content=endless(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert room.core.calls == []


@pytest.mark.parametrize("query", ["?thread=abc", "?thread=-1", "?before=1e3", "?thread=99999999999"])
async def test_ids_are_numbers(http: httpx.AsyncClient, query: str) -> None:
    assert (await http.get(f"/api/messages{query}")).status_code == 422


# --- commands, clicks, forms ------------------------------------------------------------------------------------------


async def test_a_command_reaches_the_core_without_its_slash(room: Room, http: httpx.AsyncClient) -> None:
    assert await said(http, "/api/command", START) == {"card": None, "form": None, "text": None}
    assert room.core.calls == [("command", "start v1.2.0", "key-0001")]
    channel = (await http.get("/api/messages")).json()
    assert [message["title"] for message in channel["messages"]] == ["🚀 azora v1.2.0 → production"]
    assert channel["messages"][0]["replies"] == {"count": 1, "last": "2026-11-24T10:04:00Z"}
    assert channel["channels"] == ["#deployments", "#incidents"]
    thread = (await http.get("/api/messages?thread=1")).json()
    assert [message["thread"] for message in thread["messages"]] == [None, 1]


async def test_what_is_no_command_is_answered_by_the_page(room: Room, http: httpx.AsyncClient) -> None:
    for line in ("hello", "/deployment x", "/other"):
        answer = await said(http, "/api/command", {**START, "text": line})
        assert "/deploy help" in answer["card"]
    assert room.core.calls == []


async def test_very_long_versions_reach_the_core(room: Room, http: httpx.AsyncClient) -> None:
    answer = await said(http, "/api/command", {**START, "text": f"/deploy start {'9' * 5000}"})
    assert "is not a version" in answer["text"]


async def test_a_click_sent_twice_is_done_once(room: Room, http: httpx.AsyncClient) -> None:
    await said(http, "/api/command", START)
    first, second = await asyncio.gather(*(said(http, "/api/click", TICK) for _ in range(2)))
    assert first == second
    thread = (await http.get("/api/messages?thread=1")).json()
    assert thread["messages"][1]["html"].count("item ticked") == 1
    assert len(room.core.answers) == 2


async def test_the_persona_brings_its_roles(room: Room, http: httpx.AsyncClient) -> None:
    await said(http, "/api/command", START)
    refused = await said(http, "/api/click", {**TICK, "action": "tick:d1:qa"})
    assert "sign-off" in refused["card"]
    assert await said(http, "/api/click", {**TICK, "key": "key-0003", "persona": "quinn", "action": "tick:d1:qa"}) == {
        "card": None,
        "form": None,
        "text": None,
    }


async def test_a_form_comes_and_goes(room: Room, http: httpx.AsyncClient) -> None:
    await said(http, "/api/command", START)
    form = (await said(http, "/api/click", {**TICK, "action": "rollback:d1:"}))["form"]
    assert 'data-action="rolledback:d1:"' in form
    values = {"version": "v1.1.9", "reason": "<b>slow</b>", "next": ""}
    short = {**TICK, "key": "key-0003", "action": "rolledback:d1:", "values": {**values, "reason": "x"}}
    again = await said(http, "/api/submit", short)
    assert "Say why" in again["form"]
    await said(http, "/api/submit", {**TICK, "key": "key-0004", "action": "rolledback:d1:", "values": values})
    channel = (await http.get("/api/messages")).json()
    assert "&lt;b&gt;slow&lt;/b&gt;" in channel["messages"][-1]["html"]


async def test_completion_offers_values_and_words(http: httpx.AsyncClient) -> None:
    answer = await said(http, "/api/complete", {"persona": "ann", "text": "st"})
    assert [option["value"] for option in answer["options"]] == ["start", "status"]


async def test_a_database_that_cannot_be_written_is_said(room: Room, http: httpx.AsyncClient) -> None:
    room.core.broken = "The disk is full. Free some space and try again."
    assert await said(http, "/api/command", START, 503) == {"error": room.core.broken}
    assert await said(http, "/api/click", TICK, 503) == {"error": room.core.broken}
    room.core.broken = None
    assert (await said(http, "/api/command", START))["card"] is None


async def test_a_fault_in_the_core_is_said_without_its_secrets(room: Room, http: httpx.AsyncClient) -> None:
    answer = await said(http, "/api/click", {**TICK, "action": "explode:d1:tests"}, 500)
    assert "log" in answer["error"]
    assert "explode" not in answer["error"]


# --- the stage --------------------------------------------------------------------------------------------------------


async def test_the_clock_moves_once_for_each_key(room: Room, http: httpx.AsyncClient) -> None:
    move = {"key": "move-0001", "by": "30m"}
    first, second = await asyncio.gather(*(said(http, "/api/clock", move) for _ in range(2)))
    assert first == second
    assert first["offset"] == 1800
    assert room.clock.now() == NOW + timedelta(minutes=30)
    assert (await said(http, "/api/clock", {"key": "move-0002", "by": "24h"}))["offset"] == 88_200


async def test_to_the_next_event_over_http(room: Room, http: httpx.AsyncClient) -> None:
    room.deadlines.due = [NOW + timedelta(minutes=7)]
    state = (await http.get("/api/messages")).json()["sandbox"]
    assert state["next"] == {"at": "2026-11-24T10:11:00Z", "kind": "due"}
    assert state["now"].startswith("2026-11-24T10:04:00")
    after = await said(http, "/api/clock", {"key": "move-0001", "by": "next"})
    assert (after["offset"], after["next"]) == (420, None)


async def test_the_health_is_set_and_shown(http: httpx.AsyncClient) -> None:
    assert (await said(http, "/api/health", {"health": "no data"}))["health"] == "no data"
    assert (await http.get("/api/messages")).json()["sandbox"]["health"] == "no data"
