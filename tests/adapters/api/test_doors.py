"""Who comes in, and what is turned away before any rule is asked."""

from __future__ import annotations

import contextlib
import itertools
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

from adapters.api.doors import LONGEST_BODY, doors
from bot.__main__ import _settings as settings_and_logs
from bot.access import ApiToken
from bot.doors import with_doors
from tests.adapters.api.kit import Api, api, error, serve, slow
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.core_kit import a_folder

__all__ = ["api", "migrated_file", "sqlite_url"]

STEP = {"event": "step", "step": "tests pass"}
ASKS: list[tuple[str, str, Any]] = [
    ("GET", "/api/gate", None),
    ("POST", "/api/deployments", {"version": "v1.2.0"}),
    ("POST", "/api/deployments/events", STEP),
    ("GET", "/api/deployments/d1", None),
    ("POST", "/api/deployments/d1/events", STEP),
]
POSTS = [path for method, path, _ in ASKS if method == "POST"]


# --- who comes in -----------------------------------------------------------------------------------------------------


async def test_without_a_token_that_works_nobody_comes_in(api: Api) -> None:
    _, revoked_id = revoked = await api.new_token("shop", "old")
    await api.tokens.revoke(revoked_id)
    wrong = ("", "gng_", "gng_unknown", api.token[:-1], api.token + "x", api.token.upper(), revoked[0])
    for (method, path, body), token in itertools.product(ASKS, wrong):
        answer = await api.ask(method, path, body, token=token)
        assert answer.status_code == 401, (path, token)
        assert answer.headers["www-authenticate"] == 'Bearer realm="gonogo"'
        assert "gonogo token add" in error(answer)["message"]


async def test_a_token_comes_in_one_way_only(api: Api) -> None:
    good = [("Authorization", f"Bearer {api.token}")]
    ways: list[Any] = [
        [("Authorization", api.token)],
        [("Authorization", f"Basic {api.token}")],
        [("Authorization", f"Token {api.token}")],
        [("X-Api-Key", api.token)],
        [*good, *good],
        [("Cookie", f"token={api.token}")],
    ]
    for headers in ways:
        answer = await api.http.get("/api/gate", headers=headers)
        assert answer.status_code == 401, headers
    assert (await api.http.get("/api/gate", params={"token": api.token})).status_code == 401
    for headers in (good, [("authorization", f"bearer   {api.token}")]):
        assert (await api.http.get("/api/gate", headers=headers)).status_code == 200


async def test_a_token_is_asked_for_before_anything_else_is_looked_at(api: Api) -> None:
    for path in POSTS:
        answer = await api.http.post(path, content=b"x" * (LONGEST_BODY + 1))
        assert answer.status_code == 401
    assert (await api.http.delete("/api/gate")).status_code == 401


async def test_a_token_works_for_its_own_service_alone(api: Api) -> None:
    id = await api.start()
    before = (await api.state(id)).revision
    token, _ = await api.new_token("pet.store")
    for method, path, body in ASKS:
        where = path.replace("d1", id)
        if body is not None and id not in where:
            body = {**body, "service": "shop"}
        params = {"service": "shop"} if where == "/api/gate" else None
        answer = await api.ask(method, where, body, token=token, params=params)
        assert (answer.status_code, error(answer)["code"]) == (403, "other_service"), where
        assert "pet.store" in error(answer)["message"]
    assert (await api.state(id)).revision == before


async def test_a_service_is_named_by_itself_by_its_checklist_or_not_at_all(api: Api) -> None:
    token, _ = await api.new_token("pet.store")
    for params in ({}, {"service": "pet.store"}, {"service": "PET.Store"}, {"service": "pet"}):
        answer = await api.ask("GET", "/api/gate", token=token, params=params)
        assert answer.json()["service"] == "pet.store", params


async def test_its_use_is_noted_and_a_revoked_one_is_out_at_once(api: Api) -> None:
    text, id = await api.new_token("shop", "other")
    assert (await api.ask("GET", "/api/gate", token=text)).status_code == 200
    assert [token.last_used_at is None for token in await api.tokens.all()] == [True, False]
    await api.tokens.revoke(id)
    assert (await api.ask("GET", "/api/gate", token=text)).status_code == 401


# --- everything else is refused ---------------------------------------------------------------------------------------


async def test_there_is_nothing_at_any_other_address(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.token}"}
    for path in ("/api", "/api/nothing", "/api/gate/x", "/api/deployments/d1/events/x", "/api/deployments/d1/tick"):
        assert (await api.http.get(path, headers=headers)).status_code == 404, path
        assert (await api.http.post(path, headers=headers, json={})).status_code in (404, 405), path


async def test_the_pages_own_requests_stay_the_pages(api: Api) -> None:
    """A token opens none of them, and they need none."""
    assert (await api.http.get("/api/messages")).status_code == 200
    elsewhere = {"Authorization": f"Bearer {api.token}", "Host": "gonogo.example.com"}
    assert (await api.http.get("/api/messages", headers=elsewhere)).status_code in (400, 403, 421)
    assert (await api.http.get("/api/gate", headers=elsewhere)).status_code == 200


async def test_another_method_is_refused_with_those_there_are(api: Api) -> None:
    for method, path, _ in ASKS:
        for other in ("PUT", "DELETE", "PATCH", "HEAD", "POST" if method == "GET" else "GET"):
            answer = await api.http.request(other, path, headers={"Authorization": f"Bearer {api.token}"})
            assert (answer.status_code, answer.headers["allow"]) == (405, method), (other, path)


# --- bodies -----------------------------------------------------------------------------------------------------------


async def test_a_body_is_json_of_at_most_64_kb(api: Api) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b" " * 1024

    js = {"Content-Type": "application/json"}
    cases: list[tuple[int, Any, dict[str, str]]] = [
        (413, b'"' + b"x" * LONGEST_BODY + b'"', js),
        (413, pieces, js),
        (415, b"{}", {}),
        (415, b"{}", {"Content-Type": "text/plain"}),
        (415, b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}),
        (400, b"", js),
        (400, b"{", js),
        (400, b"\xff\xfe{}", js),
        (400, b'{"event": "step", ', js),
        (400, b"[" * 30_000, js),
        (422, b"[]", js),
        (422, b"null", js),
        (422, b'"v1"', js),
        (422, b"{}", {"Content-Type": "application/json; charset=utf-8"}),
    ]
    for path, (status, content, headers) in itertools.product(POSTS, cases):
        content = content() if callable(content) else content
        answer = await api.ask("POST", path, content=content, headers=headers)
        assert answer.status_code == status, (status, answer.text)


BAD: list[tuple[str, Any, str, str]] = [
    ("", {}, "version", "missing"),
    ("", {"version": ""}, "version", "at least 1 character"),
    ("", {"version": 5}, "version", "string"),
    ("", {"version": "v 1"}, "version", "v 1"),
    ("", {"version": "v1\u0007"}, "version", "control characters"),
    ("", {"version": "x" * 81}, "version", "at most 80"),
    ("", {"version": "v1", "lane": "emergency"}, "lane", "a person starts it in chat"),
    ("", {"version": "v1", "override": True}, "override", "cannot pass a window or freeze"),
    ("", {"version": "v1", "roles": ["lead"]}, "roles", "/api/docs"),
    ("", {"version": "v1", "environment": "moon"}, "environment", "production"),
    ("", {"version": "v1", "when": "some day"}, "when", "some day"),
    ("/events", {"event": "ticked"}, "event", "step"),
    ("/events", {"event": "step"}, "step", "say which step"),
    ("/events", {"event": "step", "step": "  "}, "step", "say which step"),
    ("/events", {"event": "step", "step": "Deployed"}, "step", "an event of its own"),
    ("/events", {"event": "deployed", "step": "x"}, "step", "leave it out"),
    ("/events", {**STEP, "link": "javascript:alert(1)"}, "link", "https://"),
    ("/events", {**STEP, "link": "https://user:pass@ci.example.com/"}, "link", "https://"),
    ("/events", {"event": "step", "step": " **failed** "}, "step", "an event of its own"),
    ("/events", {**STEP, "link": "https://ci.example.com/\u0000"}, "link", "control characters"),
    ("/events", {**STEP, "detail": "x" * 501}, "detail", "at most 500"),
    ("/events", {**STEP, "by": "ann"}, "by", "no such field"),
]


async def test_bad_input_names_its_field_and_changes_nothing(api: Api) -> None:
    for path, body, field, says in BAD:
        answer = await api.ask("POST", f"/api/deployments{path}", body)
        assert answer.status_code == 422, (body, answer.text)
        assert (error(answer)["code"], error(answer)["field"]) == ("invalid", field), body
        assert says in error(answer)["message"], body
    async with api.app.store.read() as unit:
        assert (await unit.rows(), await unit.calendar()) == ([], [])


async def test_an_idempotency_key_has_1_to_200_characters_and_comes_once(api: Api) -> None:
    for keys in ([""], ["x" * 201], ["a", "b"]):
        headers = [("Authorization", f"Bearer {api.token}"), *(("Idempotency-Key", key) for key in keys)]
        answer = await api.http.post("/api/deployments", json={"version": "v1"}, headers=headers)
        assert (answer.status_code, error(answer)["field"]) == (422, "Idempotency-Key"), keys


async def test_a_query_is_strict_too(api: Api) -> None:
    for query, field in (
        ("environment=a&environment=b", "environment"),
        ("when=now", "when"),
        ("environment=", "environment"),
    ):
        answer = await api.ask("GET", f"/api/gate?{query}")
        assert (answer.status_code, error(answer)["field"]) == (422, field)


async def test_a_body_that_does_not_come_is_not_waited_for(sqlite_url: str, tmp_path: Path) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    async with serve(file, a_folder(tmp_path / "checklists"), body_seconds=0.2) as api:
        api.token, _ = await api.new_token("shop")
        for path in POSTS:
            answer = await slow(api, path)
            assert (answer.status_code, error(answer)["code"]) == (408, "too_slow"), path


# --- when something is wrong with gonogo itself -----------------------------------------------------------------------


async def test_without_its_database_it_says_so_and_to_try_again(api: Api, sqlite_url: str) -> None:
    file = sqlite_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as behind:
        behind.execute("ALTER TABLE tokens RENAME TO gone")
        for method, path, body in ASKS:
            answer = await api.ask(method, path, body)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5"), path
            assert not {"tokens", Path(file).name} & set(re.findall(r"[\w.]+", answer.text)), (
                "it says not where that is"
            )
        behind.execute("ALTER TABLE gone RENAME TO tokens")
    assert (await api.ask("GET", "/api/gate")).status_code == 200


class Broken:
    """A desk with a fault."""

    async def caller(self, token: str) -> ApiToken | None:
        """Falls over with the token in its hands."""
        raise RuntimeError("a fault")

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(name)


async def test_a_fault_is_answered_and_no_token_stands_in_the_log(
    api: Api, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    settings_and_logs()  # as every command sets them up
    application = with_doors(api.app.front.asgi(), doors(Broken()))
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        answer = await http.get("/api/gate", headers={"Authorization": "Bearer gng_very-secret"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "broken")
    assert "gng_" not in answer.text
    written = "".join(capfd.readouterr())
    assert "the API could not answer" in written
    assert "a fault" in written
    assert "very-secret" not in written + caplog.text


async def test_nothing_that_is_refused_writes_a_token_into_the_log(
    api: Api, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    for token in (api.token, "gng_wrong-token"):
        await api.ask("POST", "/api/deployments", {"version": 5}, token=token)
        await api.ask("POST", "/api/deployments", {"version": "v1"}, token=token)
    httpcore = [record for record in caplog.records if not record.name.startswith(("httpcore", "httpx"))]
    written = "".join(capfd.readouterr()) + "".join(record.getMessage() for record in httpcore)
    assert api.token not in written
    assert "wrong-token" not in written
