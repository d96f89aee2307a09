"""The door of GitHub's webhooks: who comes in, and what is made of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette

from adapters.github import hooks
from adapters.github.hooks import LARGEST, routes
from bot.forge import ForgeError, Heard, ReleasePublished, RuleAsked
from bot.ports import StoreError
from tests.fakes.github import GitHub
from tests.fakes.github_deliveries import (
    SECRET,
    Courier,
    about,
    released,
    rule_asked,
    run_ended,
    signature,
    suite_completed,
    tag_pushed,
)  # fmt: skip

BASE = "https://api.github.com"


@dataclass
class Ears:
    """`bot.forge.Hooks`: everything that was heard, and what is to go wrong."""

    heard: list[Heard] = field(default_factory=list)
    keys: list[Sequence[str]] = field(default_factory=list)
    problem: Exception | None = None
    waits: bool = False

    async def hear(self, heard: Heard, *, keys: Sequence[str]) -> str:
        if self.problem is not None:
            raise self.problem
        if self.waits:
            await asyncio.Event().wait()
        self.heard.append(heard)
        self.keys.append(keys)
        return "done"


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def courier(ears: Ears) -> Courier:
    return Courier(Starlette(routes=routes(SECRET, ears, BASE)))


async def test_a_signed_delivery_is_heard_and_accepted(ears: Ears, courier: Courier) -> None:
    answer = await courier.delivers("release", released())
    assert (answer.status_code, answer.json()) == (202, {"status": "done"})
    link = "https://github.com/acme/shop/releases/tag/v1.2.0"
    assert ears.heard == [ReleasePublished("acme/shop", "zoe", "v1.2.0", link)]


async def test_a_delivery_is_known_again_by_its_id_and_by_its_body(ears: Ears, courier: Courier) -> None:
    await courier.delivers("release", released())
    await courier.delivers("release", released())
    first, second = ears.keys
    assert first[0] != second[0]
    assert first[1] == second[1]


BODY = json.dumps(released()).encode()


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Hub-Signature-256": None},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": signature(BODY, "another secret")},
        {"X-Hub-Signature-256": signature(BODY + b" ")},
        {"X-Hub-Signature-256": signature(BODY).removeprefix("sha256=")},
        {"X-Hub-Signature-256": signature(BODY).upper()},
        {"X-Hub-Signature-256": signature(BODY)[:-1]},
        {"X-Hub-Signature-256": "sha1=" + "0" * 40},
        {"X-Hub-Signature-256": "sha256=" + "é" * 64},
    ],
)
async def test_what_is_not_signed_with_the_secret_is_refused(
    ears: Ears, courier: Courier, headers: dict[str, str | None]
) -> None:
    encoded = {name: value.encode() if value else value for name, value in headers.items()}
    answer = await courier.brings("release", BODY, headers=encoded)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert SECRET not in answer.text
    assert ears.heard == []


async def test_the_old_signature_alone_is_not_enough(ears: Ears, courier: Courier) -> None:
    sent = courier.headers("release", BODY)
    assert sent.pop("X-Hub-Signature-256")
    assert sent["X-Hub-Signature"].startswith("sha1=")
    assert (await courier.raw(BODY, sent)).status_code == 401
    assert ears.heard == []


async def test_a_body_that_was_cut_off_is_refused(ears: Ears, courier: Courier) -> None:
    sent = courier.headers("release", BODY)
    assert (await courier.raw(BODY[:-20], sent)).status_code == 401
    assert ears.heard == []


@pytest.mark.parametrize("secret", ["", "   "])
async def test_without_a_secret_nothing_is_there(ears: Ears, secret: str) -> None:
    courier = Courier(Starlette(routes=routes(secret, ears, BASE)), secret=secret)
    answer = await courier.delivers("release", released())
    assert answer.status_code == 404
    assert "GONOGO_GITHUB_WEBHOOK_SECRET" in answer.text
    assert ears.heard == []


async def test_a_form_is_no_delivery_and_says_what_to_set(ears: Ears, courier: Courier) -> None:
    body = b"payload=%7B%7D"
    answer = await courier.brings("release", body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status_code, "application/json" in answer.text) == (415, True)
    assert ears.heard == []


@pytest.mark.parametrize("missing", ["X-GitHub-Delivery", "X-GitHub-Event"])
async def test_a_delivery_without_a_name_is_refused(ears: Ears, courier: Courier, missing: str) -> None:
    assert (await courier.brings("release", BODY, headers={missing: None})).status_code == 400
    assert ears.heard == []


async def test_what_is_too_long_is_not_read_to_its_end(ears: Ears, courier: Courier) -> None:
    answer = await courier.brings("push", b"[" + b" " * LARGEST)
    assert answer.status_code == 413
    assert ears.heard == []


async def test_a_ping_is_answered(courier: Courier) -> None:
    answer = await courier.delivers("ping", about(zen="Design for failure.", hook_id=1))
    assert (answer.status_code, answer.json()["status"]) == (202, "pong")


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("star", about(action="created")),
        ("release", released(action="deleted")),
        ("workflow_run", {**run_ended(GitHub(BASE).run("deploy.yml", "main")), "action": "requested"}),
        ("push", {**tag_pushed("v1", "a" * 40), "ref": "refs/heads/main"}),
        ("check_suite", {**suite_completed(), "action": "requested"}),
    ],
)
async def test_what_nobody_listens_to_is_accepted_and_left(
    ears: Ears, courier: Courier, event: str, payload: dict[str, object]
) -> None:
    answer = await courier.delivers(event, payload)
    assert (answer.status_code, answer.json()["status"]) == (202, "ignored")
    assert ears.heard == []


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "the body"),
        (b"{", "the body"),
        (b"[]", "the body"),
        (b"{}", "repository"),
        (b'{"action": "published", "repository": {"full_name": "a/b"}}', "release"),
        (b"\xff\xfe", "the body"),
        (b"[" * 100_000, "the body"),
    ],
)
async def test_what_is_no_delivery_is_refused_with_what_is_wrong(
    ears: Ears, courier: Courier, body: bytes, where: str
) -> None:
    answer = await courier.brings("release", body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(f"this is no release of GitHub's: {where}")
    assert ears.heard == []


async def test_an_address_to_call_back_that_is_not_githubs_is_refused(ears: Ears, courier: Courier) -> None:
    github = GitHub(BASE)
    run = github.run("deploy.yml", "v1.2.0")["id"]
    evil = f"https://evil.example.org/repos/acme/shop/actions/runs/{run}/deployment_protection_rule"
    answer = await courier.delivers("deployment_protection_rule", rule_asked(github, run, callback=evil))
    assert (answer.status_code, "nothing was called" in answer.text) == (400, True)
    assert ears.heard == []
    assert (await courier.delivers("deployment_protection_rule", rule_asked(github, run))).status_code == 202
    assert isinstance(ears.heard[0], RuleAsked)


@pytest.mark.parametrize("problem", [ForgeError("GitHub answered HTTP 500"), StoreError("the disk is full")])
async def test_what_could_not_be_done_is_to_be_delivered_again(
    ears: Ears, courier: Courier, problem: Exception
) -> None:
    ears.problem = problem
    answer = await courier.delivers("release", released())
    assert (answer.status_code, answer.json()["detail"]) == (503, f"{problem}; redeliver it")


async def test_what_takes_too_long_is_to_be_delivered_again(
    ears: Ears, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "PATIENCE", 0.01)
    ears.waits = True
    assert (await courier.delivers("release", released())).status_code == 503


async def test_only_post_is_answered(courier: Courier) -> None:
    import httpx

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=courier.door), base_url="http://g.test") as client:
        assert (await client.get("/hooks/github")).status_code == 405
