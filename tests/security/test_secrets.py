"""Secrets stand in no log, error, answer, message, database file or `repr`, whatever goes wrong. One is planted in
every setting that holds one, and every server they are sent to says them back."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import signal
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.chats_front import discord_config, slack_config
from bot.connections import probe_keys
from bot.settings import Settings
from tests.conversation.discord_team import server_of
from tests.fakes.discord import FakeDiscord
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import Fault
from tests.fakes.slack_screen import pressables
from tests.fakes.slack_team import MAIN, USERS, key_of, workspace
from tests.fakes.vendors import Vendor, vendor_server
from tests.process import Process, gonogo, new_database
from tests.security.planted import (
    NAMES,
    SOURCES,
    Echo,
    checklist,
    everything,
    files,
    search,
    secret,
    talkative_redis,
    value,
)

NOT_SENT = {
    "aws_secret_access_key",  # it signs
    "github_webhook_secret", "sentry_webhook_secret", "slack_signing_secret", "webhook_secret",  # they verify or sign
    "alerts_token", "sandbox_token",  # others bring them
    "redis_url", "slack_app_token", "slack_bot_token", "discord_token",  # to others than the vendor
}  # fmt: skip


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with vendor_server() as vendor:
        yield vendor


@pytest.fixture
async def redis() -> AsyncIterator[int]:
    async with talkative_redis() as port:
        yield port


async def run(folder: Path, *arguments: str, **environment: str) -> list[tuple[str, str]]:
    """A command that ends by itself; what it said."""
    done = await asyncio.to_thread(gonogo, *arguments, folder=folder, **environment)
    assert "Traceback" not in done.stderr, done.stderr
    return [(f"gonogo {arguments[0]}, stdout", done.stdout), (f"gonogo {arguments[0]}, stderr", done.stderr)]


# --- what is printed --------------------------------------------------------------------------------------------------


def test_the_search_finds_what_is_there() -> None:
    for name in NAMES:
        assert [found.name for found in search([("here", f"… {secret(name)} …")])] == [name]
    assert search([("here", "Authorization: Basic " + _basic(f"u:{secret('sentry_token')}"))])
    assert search([("here", "nothing")]) == []


@pytest.mark.parametrize("status", [401, *(pytest.param(status, marks=pytest.mark.slow) for status in (200, 400, 500))])
async def test_a_source_that_says_back_what_it_was_sent_is_not_repeated(
    tmp_path: Path, vendor: Vendor, redis: int, status: int
) -> None:
    vendor.serve = Echo(status)
    environment = {**everything(vendor, redis), **checklist(tmp_path / "lists")}
    said = await run(tmp_path, "probe", "shop", "--version", "v1", **environment)
    assert all(name in said[0][1] for name in SOURCES), "each was asked, and says how it went"
    sent = json.dumps([[dict(request.headers), request.query] for request in vendor.asked])
    assert {name for name in NAMES if secret(name) not in sent} <= NOT_SENT, "each was used"
    assert search(said) == []


@pytest.mark.slow
async def test_doctor_and_invite_repeat_no_token_of_a_chat(tmp_path: Path, vendor: Vendor, redis: int) -> None:
    environment = {
        **everything(vendor, redis),
        **checklist(tmp_path / "lists"),
        "GONOGO_SLACK_API_URL": f"{vendor.base}/api/",
        "GONOGO_DISCORD_API_URL": f"{vendor.base}/api/v10",
        "GONOGO_DATABASE_URL": f"sqlite:///{tmp_path / 'gonogo.db'}",
    }
    for status in (200, 401, 403):
        vendor.serve = Echo(status)
        assert search(await run(tmp_path, "doctor", **environment)) == []
    assert search(await run(tmp_path, "discord", "invite", **environment)) == []
    sent = json.dumps([dict(request.headers) for request in vendor.asked])
    assert {name for name in ("slack_bot_token", "discord_token") if secret(name) not in sent} == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        {"GONOGO_PORT": "no number"}, {"GONOGO_COMMANDS": "{"}, {"GONOGO_LOG_LEVEL": "LOUD"},
        {"GONOGO_CHECKLIST": "nowhere"}, {"GONOGO_DATABASE_URL": "nonsense://x"}, {"GONOGO_SLACK_PROCESSES": "77"},
    ],
)  # fmt: skip
async def test_settings_that_cannot_be_used_are_named_without_the_others(
    tmp_path: Path, vendor: Vendor, wrong: dict[str, str]
) -> None:
    said = await run(tmp_path, "run", **{**everything(vendor, 9), **checklist(tmp_path / "lists"), **wrong})
    assert next(iter(wrong)).removeprefix("GONOGO_").casefold() in said[1][1].casefold().replace(
        "database ", "database_url "
    )
    assert search(said) == []


@pytest.mark.slow
async def test_a_password_of_the_database_is_not_said(tmp_path: Path) -> None:
    url = f"postgresql://gonogo:{secret('redis_url')}@127.0.0.1:9/gonogo"
    for arguments in (("run",), ("migrate",), ("doctor",), ("gate", "azora")):
        assert search(await run(tmp_path, *arguments, GONOGO_DATABASE_URL=url)) == []


# --- what is kept in the process --------------------------------------------------------------------------------------


def planted(**more: Any) -> Settings:
    return Settings.model_validate({**{name: value(name) for name in NAMES}, **more})


def test_nothing_that_holds_a_secret_shows_it() -> None:
    settings = planted(
        prometheus_url="http://x", alertmanager_url="http://x", sentry_org="o", cloudflare_account="0" * 32,
        aws_region="eu-west-1", aws_access_key_id="AKIA", kubernetes_api_url="http://x",
        database_url=f"postgresql://u:{secret('redis_url')}@h/d",
    )  # fmt: skip
    keys = probe_keys(settings)
    assert None not in (keys.datadog, keys.redis, keys.github, keys.cloudwatch, keys.kubernetes), "each is there"
    held = [settings, keys, slack_config(settings), discord_config(settings)]
    for one in held:
        assert search([(type(one).__name__, f"{one!r} {one!s} {[one]!r}")]) == []
    assert search([("as JSON", settings.model_dump_json(exclude={"database_url"}))]) == []


def test_a_traceback_shows_no_secret() -> None:
    def fails(settings: Settings, config: object) -> None:
        raise ValueError(f"with {settings!r} and {config!r}")

    settings = planted()
    try:
        fails(settings, slack_config(settings))
    except ValueError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert search([("traceback", shown)]) == []


# --- a whole process, in Slack and Discord ----------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def living(folder: Path, **environment: str) -> AsyncIterator[Process]:
    process = await asyncio.to_thread(Process, folder, **environment)
    try:
        yield process
    finally:
        await asyncio.to_thread(process.stop, signal.SIGKILL)


@pytest.mark.slow
async def test_a_deployment_in_both_chats_on_which_everything_fails(tmp_path: Path, vendor: Vendor, redis: int) -> None:
    vendor.serve = Echo(400)
    run_in = tmp_path / "run"
    run_in.mkdir()
    new_database(run_in)
    async with FakeSlack() as slack, FakeDiscord() as discord:
        workspace(slack, ())
        server_of(discord)
        slack.bot_token, slack.app_token = value("slack_bot_token"), value("slack_app_token")
        discord.token = value("discord_token")
        environment = {
            **everything(vendor, redis),
            **checklist(tmp_path / "lists"),
            "GONOGO_SLACK_API_URL": slack.api_url,
            "GONOGO_DISCORD_API_URL": discord.api_url,
        }
        async with living(run_in, **environment) as process:
            ann = slack.user(USERS["ann"])

            async def types(text: str) -> None:
                assert (await ann.command("/deploy", text, channel=MAIN)).error is None

            async def press(label: str) -> None:
                def there() -> Any:
                    cards = [m for m in slack.messages(MAIN) if ":card" in key_of(m)]
                    return next((m for m in cards for p in pressables(m.blocks) if p.label == label), None)

                assert (await ann.click(await slack.until(there, what=label), label)).error is None

            await types("start v1.2.0 --yes")
            for button in ("Next phase", "Deployed"):
                phase, tick = await slack.until(lambda: _ticks(slack), what="something to tick")
                await ann.click(phase, tick)
                await press(button)
            check = await slack.until(
                lambda: next((m for m in _threads(slack) if "check" in slack.text(m).splitlines()[0]), None),
                what="the check",
            )
            assert "Kubernetes" in slack.text(check), "what failed is said"
            slack.faults.script("chat.update", Fault.error("internal_error"), Fault.error("invalid_auth"))
            slack.faults.script("chat.postMessage", Fault.error("invalid_blocks"))
            for line in ("status", "why shop", "items", "list", "window", "help", "rollback shop v1 it fails"):
                await types(line)
            answers = [("HTTP", text) for text in await _everything_served(process.address)]
            assert len(answers) > 5
            answers += await _metrics(run_in, process.address)
            code, errors = await asyncio.to_thread(process.stop)
        assert code == 0
        said = [("stderr", errors), *answers, *files(run_in)]
        said += [("Slack was sent", json.dumps([call.body for call in slack.calls], default=str))]
        said += [
            ("Slack shows", "\n".join(map(slack.text, [*slack.messages(MAIN), *_threads(slack), *slack.ephemerals])))
        ]
        said += [("Discord was sent", json.dumps([[c.path, c.query, c.body] for c in discord.calls], default=str))]
        said += [("Discord has", "".join(str(asdict(m)) for rows in discord.posted.values() for m in rows.values()))]
        assert "PLANTED" not in json.dumps(said[0][1]), errors
        assert search(said) == []
        assert any(call.method == "chat.postMessage" for call in slack.calls)
        assert any(call.name.startswith("POST /channels") for call in discord.calls)
        assert (run_in / "gonogo.db").stat().st_size > 50_000


@pytest.mark.slow
async def test_the_sandbox_serves_no_secret(tmp_path: Path, vendor: Vendor) -> None:
    new_database(tmp_path)
    chats = ("GONOGO_SLACK_", "GONOGO_DISCORD_")
    environment = {k: v for k, v in everything(vendor, 9).items() if not k.startswith(chats)}
    async with living(tmp_path, **environment) as process:
        async with httpx.AsyncClient(base_url=process.address) as client:
            entered = await client.post("/api/enter", json={"token": value("sandbox_token")})
            assert entered.status_code == 200
            wrong = await client.post("/api/enter", json={"token": "no"})
            cookies = {name: client.cookies[name] for name in client.cookies}
        served = await _everything_served(process.address, cookies)
        assert any("#deployments" in text for text in served)
        _, errors = await asyncio.to_thread(process.stop)
    said = [("stderr", errors), ("entering", str(entered.headers)), ("refused", wrong.text), *files(tmp_path)]
    assert search([*said, *(("served", text) for text in served)]) == []


def _threads(slack: FakeSlack) -> list[Any]:
    cards = [m for m in slack.messages(MAIN) if ":card" in key_of(m)]
    return slack.messages(MAIN, cards[-1].ts) if cards else []


def _ticks(slack: FakeSlack) -> tuple[Any, str] | None:
    """The last thing in the thread that can be ticked."""
    return next(
        (
            (m, p.value)
            for m in reversed(_threads(slack))
            for p in pressables(m.blocks)
            if p.label == "Tick" and p.value
        ),
        None,
    )


async def _metrics(folder: Path, address: str) -> list[tuple[str, str]]:
    """What `/metrics` says to who has a token for it, after all that."""
    made = await run(folder, "token", "add", "--metrics", GONOGO_DATABASE_URL=f"sqlite:///{folder / 'gonogo.db'}")
    async with httpx.AsyncClient(base_url=address) as client:
        assert (await client.get("/metrics")).status_code == 401
        answer = await client.get("/metrics", headers={"Authorization": f"Bearer {made[0][1].strip()}"})
    assert answer.status_code == 200
    for source in ("prometheus", "kubernetes", "redis"):
        assert f'gonogo_probe_seconds_count{{source="{source}"}}' in answer.text, answer.text
    for chat in ("slack", "discord"):
        assert f'gonogo_chat_connected{{chat="{chat}"}} 1.0' in answer.text, answer.text
    return [("/metrics", f"{answer.headers} {answer.text}")]


async def _everything_served(address: str, cookies: dict[str, str] | None = None) -> list[str]:
    """What is answered at every address anybody may know, asked rightly, wrongly and not at all."""
    paths = [
        "/", "/healthz", "/metrics", "/api/messages", "/api/v1", "/api/openapi.json", "/openapi.json", "/hooks/github",
        "/hooks/alertmanager", "/hooks/datadog", "/hooks/sentry", "/slack/events", "/nothing", "/%00",
        "/service/version",
    ]  # fmt: skip
    said = []
    async with httpx.AsyncClient(base_url=address, cookies=cookies) as client:
        for path in paths:
            for method in ("GET", "POST"):
                answer = await client.request(method, path, json={"token": "x"} if method == "POST" else None)
                said.append(f"{answer.status_code} {answer.headers} {answer.text}")
    return said


def _basic(words: str) -> str:
    return base64.b64encode(words.encode()).decode()
