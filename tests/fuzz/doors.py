"""What programs bring: alerts, GitHub's deliveries, a pipeline's requests, bent out of shape, to the whole application
over SQLite. What is turned away has changed no row."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from adapters.store.migrate import migrate
from adapters.web.clock import SandboxClock
from bot.app import App
from bot.domain.people import Who
from bot.doors import with_doors
from bot.front import SystemClock
from bot.sandbox_front import SandboxFront
from bot.services.tokens import Tokens
from bot.settings import Settings
from tests.adapters.alerts import bodies
from tests.adapters.api.kit import SHOP_EVENTS
from tests.core_kit import TUESDAY, a_folder
from tests.fakes import github_deliveries as github
from tests.fuzz.payloads import Ours, bent, world
from tests.fuzz.texts import Choices

Json = Any
_ANN = Who(chat="web", id="ann", name="Ann", roles=frozenset({"engineer"}))
_POLICY = (
    SHOP_EVENTS
    + """
repository: octo/shop
alerts:
  - {from: alertmanager, matching: 'namespace="production"'}
  - {from: datadog, matching: "service:api"}
  - {from: sentry, matching: petforce-api}
"""
)
_RUN = {"id": 1, "path": ".github/workflows/deploy.yml", "head_branch": "v1.2.0", "head_sha": github.SHA, "name": "x",
        "event": "workflow_dispatch", "html_url": "https://github.com/octo/shop/actions/runs/1"}  # fmt: skip
_RULE = github.about(
    "octo/shop", action="requested", environment="production", event="push", ref="v1.2.0", sha=github.SHA,
    deployment_callback_url="https://api.github.com/repos/octo/shop/actions/runs/1/deployment_protection_rule",
    deployment={"id": 10, "ref": "v1.2.0", "sha": github.SHA, "environment": "production"}, pull_requests=[],
)  # fmt: skip
_DELIVERIES: tuple[tuple[str, Json], ...] = (
    ("workflow_run", github.run_ended(_RUN)),
    ("workflow_run", github.run_ended(_RUN, "failure")),
    ("release", github.released()),
    ("deployment_status", github.deployment_status()),
    ("deployment_protection_rule", _RULE),
    ("push", github.tag_pushed("v1.2.0", github.SHA)),
    ("create", github.tag_created("v1.2.0")),
    ("check_suite", github.suite_completed()),
)
_ALERTS: dict[str, tuple[Json, ...]] = {
    "alertmanager": (bodies.alertmanager(), bodies.alertmanager(ended="2026-11-24T10:08:00.000Z")),
    "datadog": (bodies.datadog(), bodies.datadog(ALERT_TRANSITION="Recovered")),
    "sentry": (bodies.SENTRY_EVENT, bodies.SENTRY_METRIC, bodies.SENTRY_ISSUE),
}
_REQUESTS: tuple[tuple[str, str, Json], ...] = (
    ("GET", "/api/gate", {"service": "shop", "environment": "production", "at": "2026-11-24T10:00"}),
    ("POST", "/api/deployments", {"service": "shop", "version": "v1.2.0", "environment": "production", "when": ""}),
    ("POST", "/api/deployments/events", {"service": "shop", "environment": "production", "event": "step",
                                         "step": "tests passed", "link": "https://ci.example.com/1", "detail": "x"}),
    ("POST", "/api/deployments/{id}/events", {"event": "failed", "detail": "x"}),
    ("GET", "/api/deployments/{id}", {}),
)  # fmt: skip
_CHANGES_NOTHING = frozenset({400, 401, 403, 404, 405, 413, 415, 422})


@dataclass(frozen=True)
class There:
    client: httpx.AsyncClient
    database: sqlite3.Connection
    token: str
    deployment: str

    def rows(self) -> list[int]:
        """How many rows each table has."""
        tables = [name for (name,) in self.database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [self.database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables]


_there: There | None = None


async def _open() -> There:
    global _there
    if _there is not None:
        return _there
    here = world()
    home = Path(tempfile.mkdtemp(prefix="gonogo-fuzz-"))
    os.chdir(home)  # what the sandbox keeps beside its database stands here
    file, folder = home / "fuzz.db", a_folder(home / "checklists")
    (folder / "shop.yaml").write_text(_POLICY)
    await migrate(f"sqlite:///{file}")
    settings = Settings(
        _env_file=None, database_url=f"sqlite:///{file}", checklists=folder, checklist="shop",
        alerts_token=bodies.TOKEN, sentry_webhook_secret=bodies.SECRET, github_webhook_secret=github.SECRET,
    )  # fmt: skip
    app = await here.enter(App.open(settings, SandboxFront(settings, 1)))
    clock = app.front.clock
    assert isinstance(clock, SandboxClock)
    with contextlib.suppress(ValueError):
        await clock.advance_to(TUESDAY)
    await app.router.command("start v1.2.0 shop", who=_ANN, key="k1", channel="#deployments")
    async with app.store.read() as unit:
        (row,) = await unit.rows(live=True)
    _, token = await Tokens(app.store, SystemClock()).add(
        "shop", "ci", new_id=lambda: "t1", new_secret=lambda: secrets.token_urlsafe(32)
    )
    transport = httpx.ASGITransport(app=with_doors(app.front.asgi(), app.doors))
    client = await here.enter(httpx.AsyncClient(transport=transport, base_url="http://gonogo.test"))
    _there = There(client, sqlite3.connect(file), token, row.id)
    return _there


def _body(choices: Choices, payload: Json) -> bytes:
    """Some of the payload, or anything."""
    if choices.ConsumeIntInRange(0, 19) == 0:
        return choices.ConsumeBytes(2_000)
    return json.dumps(bent(choices, payload)).encode()


async def _send(method: str, path: str, **more: Any) -> None:
    there = await _open()
    before = there.rows()
    try:
        answer = await there.client.request(method, path, **more)
    except (httpx.InvalidURL, UnicodeEncodeError):
        return  # no client sends that
    # Without an App nobody can answer a protection rule; so that somebody sees it, the delivery has failed.
    if answer.status_code >= 500 and not (answer.status_code == 503 and "only an App may answer" in answer.text):
        raise Ours(f"HTTP {answer.status_code}: {answer.text[:200]}")
    if answer.status_code in _CHANGES_NOTHING and there.rows() != before:
        raise Ours(f"HTTP {answer.status_code}, and rows have changed: {answer.text[:200]}")


async def _alerts(source: str, choices: Choices) -> None:
    payloads = _ALERTS[source]
    body = _body(choices, payloads[choices.ConsumeIntInRange(0, len(payloads) - 1)])
    signed = choices.ConsumeIntInRange(0, 9) > 0
    headers = {"content-type": "application/json"}
    if source == "sentry":
        digest = hmac.new(bodies.SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers["sentry-hook-signature"] = digest if signed else "0" * 64
        headers["sentry-hook-resource"] = ("event_alert", "metric_alert", "issue")[choices.ConsumeIntInRange(0, 2)]
    else:
        headers |= bodies.BEARER if signed else {"authorization": "Bearer no"}
    await _send("POST", f"/hooks/{source}", content=body, headers=headers)


async def _github(choices: Choices) -> None:
    event, payload = _DELIVERIES[choices.ConsumeIntInRange(0, len(_DELIVERIES) - 1)]
    named = json.loads(json.dumps(payload).replace(github.REPOSITORY, "octo/shop"))
    body = _body(choices, named)
    headers = {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": f"d-{choices.ConsumeIntInRange(0, 2**31)}",
        "x-hub-signature-256": github.signature(body) if choices.ConsumeIntInRange(0, 9) else f"sha256={'0' * 64}",
    }
    await _send("POST", "/hooks/github", content=body, headers=headers)


async def _api(choices: Choices) -> None:
    there = await _open()
    method, path, payload = _REQUESTS[choices.ConsumeIntInRange(0, len(_REQUESTS) - 1)]
    headers = {"authorization": f"Bearer {there.token}" if choices.ConsumeIntInRange(0, 9) else "Bearer gng_no"}
    if choices.ConsumeIntInRange(0, 3) == 0:
        headers["idempotency-key"] = f"k{choices.ConsumeIntInRange(0, 50)}"
    path = path.replace("{id}", there.deployment)
    if method == "GET":
        asked = bent(choices, payload)
        params = {str(name): str(value) for name, value in asked.items()} if isinstance(asked, dict) else {}
        await _send("GET", path, params=params, headers=headers)
        return
    headers["content-type"] = "application/json"
    await _send("POST", path, content=_body(choices, payload), headers=headers)


def _target(send: Callable[[Choices], Any]) -> Callable[[Choices], None]:
    return lambda choices: world().run(send(choices))


TARGETS: dict[str, Callable[[Choices], None]] = {
    **{source: _target(lambda choices, source=source: _alerts(source, choices)) for source in _ALERTS},  # type: ignore[misc]
    "github": _target(_github),
    "api": _target(_api),
}
