"""The OpenAPI document and its page: valid, complete, and true."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import tomllib
from html.parser import HTMLParser
from importlib.metadata import version
from pathlib import Path
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from adapters.api.openapi import document
from adapters.api.operations import OPERATIONS, STATUS
from tests.adapters.api.kit import Api, api, serve, slow
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.core_kit import a_folder

__all__ = ["api", "migrated_file", "sqlite_url"]

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PAGE = (ROOT / "docs/pipeline.md").read_text("utf-8")


def test_the_document_is_valid_and_of_this_release() -> None:
    found = document()
    OpenAPIV31SpecValidator(found).validate()
    assert found["info"]["version"] == version("gonogo")
    assert found["security"] == [{"token": []}]
    assert found["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}


async def test_anybody_may_read_the_document_and_its_page(api: Api) -> None:
    answer = await api.http.get("/api/openapi.json")
    assert (answer.status_code, answer.json()) == (200, document())
    for path in ("/api/openapi.json", "/api/docs"):
        assert (await api.http.get(path)).headers["x-content-type-options"] == "nosniff"
        assert (await api.http.post(path, json={})).status_code in (404, 405)


async def test_the_page_explains_every_operation_and_needs_nothing_from_elsewhere(api: Api) -> None:
    answer = await api.http.get("/api/docs")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    page = _Page(answer.text)
    assert page.tags.isdisjoint({"script", "img", "iframe", "form", "link", "object"})
    assert not page.events
    assert {address.partition("#")[0] for address in page.addresses} == {"", "/api/openapi.json"}
    assert "color-scheme: light dark" in answer.text
    for operation in OPERATIONS:
        assert operation.id in page.ids
        assert f"{operation.method} {operation.path}" in answer.text
        for text in (operation.summary, *operation.good.values(), *operation.bad.values()):
            assert text.replace("`", "") in page.words
        for model in (operation.query, operation.body, operation.answer):
            for field in model.model_fields if model is not None else ():
                assert f"<code>{field}</code>" in answer.text, field


def test_an_installed_gonogo_has_every_page() -> None:
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    for templates in (ROOT / "adapters").glob("*/templates"):
        assert "templates/**" in packed[f"adapters.{templates.parent.name}"]


def test_every_code_has_a_status_that_is_described_wherever_it_can_come() -> None:
    for operation in OPERATIONS:
        assert {401, 403, 404, 503} <= set(operation.bad), operation.id
    assert set(STATUS.values()) == {403, 404, 422}


def test_the_pages_of_the_project_list_each_route_with_its_method() -> None:
    routes = {f"{operation.method} {operation.path}" for operation in OPERATIONS}
    assert set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /api/[^`?]*)`", PAGE)) == routes
    for path in ("/api/openapi.json", "/api/docs"):
        assert path in PAGE


def test_the_page_lists_every_code_an_error_can_have() -> None:
    told = set(re.findall(r"^\| `([a-z_]+)` \| 4\d\d|^\| `([a-z_]+)` \| 503", PAGE, re.MULTILINE))
    codes = {first or second for first, second in told}
    written = "".join(path.read_text("utf-8") for path in _sources())
    refusals = set(re.findall(r'Refusal\(\s*4\d\d,\s*"([a-z_]+)"', written))
    denied = set(re.findall(r'Denied\(\s*"([a-z_]+)"', written))
    assert refusals | denied | {"unknown_token", "no_token", "unavailable", "key_reused", "closed", "locked"} <= codes


async def test_every_documented_answer_is_really_given(sqlite_url: str, tmp_path: Path) -> None:
    """And no other: `Api.ask` holds each to the document."""
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    async with serve(file, a_folder(tmp_path / "checklists"), body_seconds=0.2) as api:
        await _everything(api, file)
        told = {(operation.id, status) for operation in OPERATIONS for status in (*operation.good, *operation.bad)}
        assert api.seen == told


async def _everything(api: Api, file: Path) -> None:
    start, step = {"version": "v1"}, {"event": "step", "step": "tests pass"}
    api.token, _ = await api.new_token("shop")
    pet, _ = await api.new_token("pet.store")
    ghost, _ = await api.new_token("ghost")
    id = (await api.ask("POST", "/api/deployments", start)).json()["id"]
    asks: list[tuple[str, str, Any]] = [
        ("GET", "/api/gate", None),
        ("POST", "/api/deployments", start),
        ("POST", "/api/deployments/events", step),
        ("GET", f"/api/deployments/{id}", None),
        ("POST", f"/api/deployments/{id}/events", step),
    ]
    for method, path, body in asks:
        await api.ask(method, path, body)
        await api.ask(method, path, body, token="")
        if path == "/api/gate":
            await api.ask(method, path, params={"service": "shop"}, token=pet)
            await api.ask(method, path, params={"at": "whenever"})
        elif body is not None:
            await api.ask(method, path, body if id in path else {**body, "service": "shop"}, token=pet)
            await api.ask(method, path, {})
            await api.ask(method, path, content=b"{", headers={"Content-Type": "application/json"})
            await api.ask(method, path, content=b"{}")
            await api.ask(method, path, content=b" " * 70_000, headers={"Content-Type": "application/json"})
            await slow(api, path)
        else:
            await api.ask(method, path, token=pet)
        await api.ask(method, path.replace(id, "nothing"), body, token=api.token if id in path else ghost)
    for path in ("/api/deployments/events", f"/api/deployments/{id}/events"):
        await api.ask("POST", path, {"event": "deployed"})
    api.policy("phases: [")
    await api.ask("GET", "/api/gate")
    await api.ask("POST", "/api/deployments", {"version": "v2"})
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as behind:
        behind.execute("DROP TABLE tokens")
    for method, path, body in asks:
        await api.ask(method, path, body)


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: set[str] = set()
        self.addresses: list[str] = []
        self.events: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.add(str(value))
            if name in ("href", "src", "action"):
                self.addresses.append(str(value))
            if name.startswith("on") or name == "style":
                self.events.append(name)


def _sources() -> list[Path]:
    return [ROOT / "adapters/api/doors.py", ROOT / "bot/services/programs.py"]
