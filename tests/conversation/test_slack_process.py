"""A real `gonogo` process and the command line against the loopback Slack."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shlex
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import structlog
from typer.testing import CliRunner

from adapters.slack.methods import bot_scopes
from bot.__main__ import cli
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_screen import pressables
from tests.fakes.slack_team import MAIN, USERS, key_of, shop, workspace
from tests.fakes.slack_things import BOT_USER
from tests.process import ROOT, Process, gonogo, new_database

pytestmark = pytest.mark.slow

DOCS = (ROOT / "docs/slack.md").read_text("utf-8")
ALWAYS = 'production: ["mon-fri 09:00-17:00"]', "production: always"


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        workspace(slack, ())
        slack.scopes = set(bot_scopes())
        yield slack


@pytest.fixture
def command_line() -> Iterator[CliRunner]:
    """The command line in this process. It sets logs up, for a standard error that is then gone."""
    yield CliRunner()
    structlog.reset_defaults()


def surroundings(slack: FakeSlack, folder: Path, **more: str) -> dict[str, str]:
    policy = shop(folder) / "shop.yaml"
    policy.write_text(policy.read_text().replace(*ALWAYS))
    return {
        "GONOGO_CHECKLISTS": str(policy.parent),
        "GONOGO_CHECKLIST": "shop",
        "GONOGO_DATABASE_URL": f"sqlite:///{folder / 'gonogo.db'}",
        "GONOGO_SLACK_API_URL": slack.api_url,
        "GONOGO_SLACK_BOT_TOKEN": slack.bot_token,
        **(more or {"GONOGO_SLACK_APP_TOKEN": slack.app_token}),
    }


@contextlib.asynccontextmanager
async def running(folder: Path, **environment: str) -> AsyncIterator[Process]:
    """It is killed in the end, however it stands."""
    process = await asyncio.to_thread(Process, folder, **environment)
    try:
        yield process
    finally:
        await asyncio.to_thread(process.stop, signal.SIGKILL)


async def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(gonogo, *arguments, folder=folder, **environment)


def card(slack: FakeSlack) -> object:
    return next((m for m in slack.messages(MAIN) if ":card" in key_of(m)), None)


async def test_from_nothing_to_a_deployment_by_the_steps_of_the_page(slack: FakeSlack, tmp_path: Path) -> None:
    """Every command of the page's steps is run or typed as it stands there."""
    steps = DOCS.split("## From nothing")[1].split("\n## ")[0]
    lines = [
        line.strip()
        for block in re.findall(r"```(?:sh|text)\n(.*?)```", steps, re.DOTALL)
        for line in block.splitlines()
    ]
    lines = [line for line in lines if line]
    environment = {name: value for name, value in surroundings(slack, tmp_path).items() if "TOKEN" not in name}
    given = {"GONOGO_SLACK_APP_TOKEN": slack.app_token, "GONOGO_SLACK_BOT_TOKEN": slack.bot_token}
    slack.channels["C1"].members.discard(BOT_USER)
    async with contextlib.AsyncExitStack() as stack:
        for line in lines:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").partition("=")
                assert given[name].startswith(value.rstrip("…"))
                environment[name] = given[name]
            elif line == "/invite @gonogo":
                slack.channels["C1"].members.add(BOT_USER)
            elif line.endswith(" run"):
                process = await stack.enter_async_context(running(tmp_path, **environment))
            elif line.startswith("/deploy "):
                ack = await slack.user(USERS["ann"]).command("/deploy", line.removeprefix("/deploy "), channel=MAIN)
                assert "Started shop v1.2.0 → production" in str(ack.body)
            else:
                done = await run(tmp_path, *line.removeprefix(".venv/bin/gonogo ").split(), **environment)
                assert (done.returncode, done.stderr) == (0, ""), (line, done.stdout)
                if "manifest" in line:
                    slack.scopes = set(json.loads(done.stdout)["oauth_config"]["scopes"]["bot"])
                else:
                    assert "ok  I am in #deployments" in done.stdout
        assert lines[-1] == "/deploy start v1.2.0"
        await slack.until(lambda: len(slack.posted.get("C1", {})) == 2, what="the card and its first phase")
        phase = slack.messages(MAIN, slack.messages(MAIN)[0].ts)[0]
        tick = next(each.value for each in pressables(phase.blocks) if each.label == "Tick")
        ack = await slack.user(USERS["ann"]).click(phase, tick)
        assert ack.ok
        assert (await asyncio.to_thread(process.stop, signal.SIGKILL))[0] == -signal.SIGKILL
        process = await stack.enter_async_context(running(tmp_path, **environment))
        await slack.until(
            lambda: "✅ Tests pass" in slack.text(phase), what="what was acknowledged before the power cut"
        )
        assert len(slack.posted["C1"]) == 2
        assert await asyncio.to_thread(process.stop) == (0, "")
        await slack.until(lambda: not slack.socket.connections, what="no connection left")


async def test_over_http_only_what_slack_signed_is_heard(slack: FakeSlack, tmp_path: Path) -> None:
    new_database(tmp_path)
    environment = surroundings(slack, tmp_path, GONOGO_SLACK_SIGNING_SECRET=slack.courier.secret)
    async with running(tmp_path, **environment) as process:
        slack.deliver_to = f"{process.address}/slack/events"
        assert await slack.courier.verify_url()
        assert (await slack.courier.ssl_check()).status == 200
        ack = await slack.user(USERS["ann"]).command("/deploy", "start v1.2.0", channel=MAIN)
        assert "Started shop v1.2.0 → production" in str(ack.body)
        await slack.until(lambda: len(slack.posted.get("C1", {})) == 2, what="the card and its first phase")
        slack.courier.skew = 600
        late = await slack.user(USERS["ann"]).command("/deploy", "cancel late", channel=MAIN)
        slack.courier.skew, slack.courier.signature = 0, "v0=00"
        forged = await slack.user(USERS["ann"]).command("/deploy", "cancel forged", channel=MAIN)
        assert (late.status, forged.status) == (401, 401)
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{process.address}/healthz")).json() == {"status": "ok"}
        assert await asyncio.to_thread(process.stop) == (0, "")


async def test_the_doctor_ends_with_1_and_says_what_is_wrong(slack: FakeSlack, tmp_path: Path) -> None:
    slack.scopes.discard("usergroups:read")
    slack.channels["C1"].members.discard(BOT_USER)
    environment = surroundings(slack, tmp_path)
    (tmp_path / "checklists/bad.yaml").write_text("windows: 5\n")
    (tmp_path / "checklists/bad.md").write_text("# Bad\n- [ ] One\n")
    done = await run(tmp_path, "doctor", **environment)
    assert done.returncode == 1
    assert "NO  Scopes: usergroups:read missing\n    run `gonogo slack manifest`" in done.stdout
    assert (
        "NO  I am not in #deployments\n    make the channel if there is none, and type there: /invite @gonogo"
        in done.stdout
    )
    assert "NO  The policy of bad can be read\n" in done.stdout
    assert slack.bot_token not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["GONOGO_SLACK_BOT_TOKEN", "GONOGO_SLACK_APP_TOKEN"])
def test_half_of_the_tokens_is_a_mistake(name: str, command_line: CliRunner) -> None:
    done = command_line.invoke(cli, ["run"], env={name: "x-fake"})
    assert done.exit_code == 1
    other = {"GONOGO_SLACK_BOT_TOKEN", "GONOGO_SLACK_APP_TOKEN"} - {name}
    assert other.pop() in done.output


def test_the_manifest_over_http_has_the_address(command_line: CliRunner) -> None:
    done = command_line.invoke(cli, ["slack", "manifest", "--http", "https://x.example"])
    assert json.loads(done.output)["settings"]["interactivity"]["request_url"] == "https://x.example/slack/events"
    refused = command_line.invoke(cli, ["slack", "manifest", "--http", "http://x.example"])
    assert refused.exit_code == 1
    assert "https" in refused.output


def test_what_the_page_says_of_render_prints_messages(command_line: CliRunner) -> None:
    commands = re.findall(r"^\.venv/bin/gonogo (render .*)$", DOCS, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        done = command_line.invoke(cli, shlex.split(command))
        assert done.exit_code == 0, done.output
        assert {call["method"] for call in json.loads(done.output)} == {"chat.postMessage"}
