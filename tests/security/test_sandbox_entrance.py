"""The sandbox beyond this machine: only who knows the token comes in, once, by a cookie that scripts cannot read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from adapters.web.entrance import COOKIE, Entrance
from tests.fakes.sandbox import Room, open_room, serving
from tests.process import Process, gonogo, new_database

TOKEN = "correct-horse-battery-staple"
HOME = "http://gonogo.test:8642"
START = {"key": "key-0001", "persona": "ann", "channel": "#deployments", "text": "/deploy start v1.2.0"}


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(tmp_path / "sandbox.db", entrance=Entrance(TOKEN)) as room:
        yield room


@pytest.fixture
async def stranger(room: Room) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(room.app), base_url=HOME) as client:
        yield client


async def entered(client: httpx.AsyncClient, token: str = TOKEN) -> httpx.Response:
    return await client.post("/api/enter", json={"token": token})


@pytest.mark.parametrize("path", ["/api/messages", "/events", "/service/health", "/pictures/1/a.png", "/nothing"])
async def test_a_stranger_gets_nothing(stranger: httpx.AsyncClient, path: str) -> None:
    assert (await stranger.get(path)).status_code == 401


@pytest.mark.parametrize("name", ["command", "click", "submit", "complete", "clock", "health", "nothing"])
async def test_a_stranger_does_nothing(room: Room, stranger: httpx.AsyncClient, name: str) -> None:
    assert (await stranger.post(f"/api/{name}", json=START)).status_code == 401
    assert room.core.calls == []


async def test_the_page_asks_a_stranger_for_the_token_and_shows_nothing_else(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/")
    assert answer.status_code == 401
    assert "GONOGO_SANDBOX_TOKEN" in answer.text
    assert "#deployments" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.text.count("<script") == 1
    assert '<script type="module" src=' in answer.text


async def test_what_anybody_may_know_is_open(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get("/healthz")).json() == {"status": "ok"}
    assert (await stranger.get("/static/enter.js")).status_code == 200


async def test_who_knows_the_token_is_asked_once(room: Room, stranger: httpx.AsyncClient) -> None:
    answer = await entered(stranger)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie, "it is derived from the token, and does not tell it"
    assert "#deployments" in (await stranger.get("/")).text
    assert (await stranger.post("/api/command", json=START)).status_code == 200
    assert len(room.core.calls) == 1


async def test_behind_tls_the_cookie_goes_over_tls_only(room: Room) -> None:
    transport = httpx.ASGITransport(room.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://gonogo.test") as client:
        assert "Secure" in (await entered(client)).headers["set-cookie"]


@pytest.mark.parametrize("wrong", ["", "x", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "ü" * 28])
async def test_another_token_is_refused(stranger: httpx.AsyncClient, wrong: str) -> None:
    answer = await entered(stranger, wrong)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert TOKEN not in answer.text


@pytest.mark.parametrize("body", [b"", b"[]", b'{"token": 7}', b'{"token": "a", "b": 1}', b"x" * 9_000, b"\xff"])
async def test_what_is_no_token_is_refused(stranger: httpx.AsyncClient, body: bytes) -> None:
    answer = await stranger.post("/api/enter", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (413, 422)


@pytest.mark.parametrize("value", ["", "x", TOKEN, "0" * 64, '"', "a=b; c"])
async def test_a_made_up_cookie_is_refused(stranger: httpx.AsyncClient, value: str) -> None:
    assert (await stranger.get("/api/messages", headers={"Cookie": f"{COOKIE}={value}"})).status_code == 401


@pytest.mark.parametrize("neighbour", ['theme={"dark": true}', "seen=a b", "flag"])
async def test_a_cookie_of_a_neighbour_that_is_written_badly_does_not_hide_ours(
    stranger: httpx.AsyncClient, neighbour: str
) -> None:
    await entered(stranger)
    both = f"{neighbour}; {COOKIE}={stranger.cookies[COOKIE]}"
    stranger.cookies.clear()
    assert (await stranger.get("/api/messages", headers={"Cookie": both})).status_code == 200


async def test_with_another_token_every_cookie_is_void(stranger: httpx.AsyncClient, tmp_path: Path) -> None:
    await entered(stranger)
    cookie = stranger.cookies[COOKIE]
    async with (
        open_room(tmp_path / "other.db", entrance=Entrance(TOKEN + "2")) as other,
        httpx.AsyncClient(transport=httpx.ASGITransport(other.app), base_url=HOME) as client,
    ):
        answer = await client.get("/api/messages", headers={"Cookie": f"{COOKIE}={cookie}"})
    assert answer.status_code == 401


async def test_a_program_may_bring_the_token_itself(stranger: httpx.AsyncClient) -> None:
    for said, status in ((f"Bearer {TOKEN}", 200), (f"Basic {TOKEN}", 401), ("Bearer ", 401), (TOKEN, 401)):
        answer = await stranger.get("/api/messages", headers={"Authorization": said})
        assert answer.status_code == status, said


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_with_the_cookie_another_site_still_does_nothing(
    room: Room, stranger: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    await entered(stranger)
    assert (await stranger.post("/api/command", json=START, headers=headers)).status_code == 403
    assert (await stranger.post("/api/enter", json={"token": TOKEN}, headers=headers)).status_code == 403
    assert room.core.calls == []


def test_a_token_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="could be guessed"):
        Entrance("password1234")


async def test_a_person_enters_the_token_once(room: Room, page: Page) -> None:

    async with serving(room) as address:
        await page.goto(address)
        await page.get_by_label("Its token").fill("wrong")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("This is not the token of this sandbox")
        await page.get_by_label("Its token").fill(TOKEN)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("combobox", name="Message or command")).to_be_visible()
        await page.reload()
        await expect(page.get_by_role("combobox", name="Message or command")).to_be_visible()
        assert await page.evaluate("document.cookie") == "", "no script reads it"
        await page.get_by_role("combobox", name="Message or command").fill("/deploy start v1.2.0")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("azora v1.2.0").first).to_be_visible()


# --- the process ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("token", "told"),
    [("", "The sandbox channel listens on 127.0.0.1 only, not on 0.0.0.0"), ("short", "could be guessed")],
)
def test_it_does_not_listen_elsewhere_without_a_good_token(tmp_path: Path, token: str, told: str) -> None:
    done = gonogo("run", folder=tmp_path, GONOGO_HOST="0.0.0.0", GONOGO_SANDBOX_TOKEN=token)
    assert done.returncode == 1
    assert told in done.stderr
    assert "GONOGO_SANDBOX_TOKEN" in done.stderr
    assert not token or token not in done.stderr.replace("shorter", "")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Process]:
    new_database(tmp_path)
    process = Process(tmp_path, GONOGO_HOST="0.0.0.0", GONOGO_SANDBOX_TOKEN=TOKEN)
    yield process
    process.stop()


@pytest.mark.slow
def test_with_a_token_it_listens_elsewhere_and_its_own_checks_come_in(elsewhere: Process) -> None:
    with httpx.Client(base_url=elsewhere.address) as client:
        assert client.get("/api/messages").status_code == 401
        assert client.get("/service/health").status_code == 401
        client.post("/api/enter", json={"token": TOKEN}).raise_for_status()
        assert client.get("/api/messages").status_code == 200
        assert client.get("/service/health").json()["status"] == "ok"
    assert elsewhere.stop() == (0, "")
