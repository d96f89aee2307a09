"""A real `gonogo` process and the command line against the loopback Discord."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from adapters.discord.invite import permissions
from tests.conversation.discord_team import NUMBERS, server_of, shop
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_screen import pressables
from tests.process import ROOT, Process, gonogo, new_database

pytestmark = pytest.mark.slow

DOCS = (ROOT / "docs/discord.md").read_text("utf-8")
ALWAYS = 'production: ["mon-fri 09:00-17:00"]', "production: always"


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        server_of(server)
        yield server


def surroundings(discord: FakeDiscord, folder: Path, **more: str) -> dict[str, str]:
    policy = shop(folder) / "shop.yaml"
    policy.write_text(policy.read_text().replace(*ALWAYS))
    return {
        "GONOGO_CHECKLISTS": str(policy.parent),
        "GONOGO_CHECKLIST": "shop",
        "GONOGO_DATABASE_URL": f"sqlite:///{folder / 'gonogo.db'}",
        "GONOGO_DISCORD_API_URL": discord.api_url,
        "GONOGO_DISCORD_TOKEN": discord.token,
        **more,
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


async def test_from_nothing_to_a_deployment_by_the_steps_of_the_page(discord: FakeDiscord, tmp_path: Path) -> None:
    """Every command of the page's steps is run or typed as it stands there."""
    steps = DOCS.split("## From nothing")[1].split("\n## ")[0]
    blocks = re.findall(r"```(?:sh|text)\n(.*?)```", steps, re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines() if line.strip()]
    environment = {name: value for name, value in surroundings(discord, tmp_path).items() if "TOKEN" not in name}
    ann = discord.person(NUMBERS["ann"])
    async with contextlib.AsyncExitStack() as stack:
        for line in lines:
            if line.startswith("export "):
                environment[line.removeprefix("export ").partition("=")[0]] = discord.token
            elif line.endswith(" run"):
                process = await stack.enter_async_context(running(tmp_path, **environment))
                await discord.ready()
            elif line.startswith("/deploy "):
                answer = await ann.slash("deploy start", channel="deployments", version=line.split("version:")[1])
                assert "Started shop v1.2.0 → production" in answer.text
            else:
                done = await run(tmp_path, *line.removeprefix(".venv/bin/gonogo ").split(), **environment)
                assert (done.returncode, done.stderr) == (0, ""), (line, done.stdout)
                if "invite" in line:
                    asked = parse_qs(urlsplit(done.stdout.strip()).query)
                    assert asked["permissions"] == [str(permissions().value)]
                else:
                    assert "ok  I may do in #deployments all that is needed" in done.stdout
        assert lines[-1] == "/deploy start version:v1.2.0"
        await discord.until(lambda: discord.threads and discord.messages(min(discord.threads)), what="the first phase")
        card = discord.messages("deployments")[0]
        phase = discord.messages(card.id)[0]
        tick = next(each.custom_id for each in pressables(phase) if each.label == "Tick")
        assert (await ann.click(phase, tick)).kind == 6
        assert (await asyncio.to_thread(process.stop, signal.SIGKILL))[0] == -signal.SIGKILL
        process = await stack.enter_async_context(running(tmp_path, **environment))
        await discord.until(
            lambda: "✅ Tests pass" in discord.text(phase), within=20, what="what was answered before the power cut"
        )
        assert len(discord.messages("deployments")) == 1
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{process.address}/healthz")).json() == {"status": "ok"}
        assert await asyncio.to_thread(process.stop) == (0, "")
        await discord.until(lambda: not discord.gateway.connections, what="no connection left")


async def test_a_token_that_is_not_accepted_ends_the_process_with_a_sentence(
    discord: FakeDiscord, tmp_path: Path
) -> None:
    new_database(tmp_path)
    environment = surroundings(discord, tmp_path, GONOGO_DISCORD_TOKEN="not.a.token")
    process = await asyncio.to_thread(Process, tmp_path, **environment)
    code = await asyncio.to_thread(process.child.wait, 20)
    assert code == 1
    assert "GONOGO_DISCORD_TOKEN is not accepted: copy the token under Bot" in process.errors
    assert "Traceback" not in process.errors
    assert "not.a.token" not in process.errors
    await asyncio.to_thread(process.stop)


async def test_the_doctor_ends_with_1_and_says_what_is_wrong(discord: FakeDiscord, tmp_path: Path) -> None:
    discord.forbid("deployments", "SEND_MESSAGES_IN_THREADS")
    done = await run(tmp_path, "doctor", **surroundings(discord, tmp_path))
    assert done.returncode == 1
    assert "NO  I may not Send Messages in Threads in #deployments\n    in the settings of #deployments" in done.stdout
    assert discord.token not in done.stdout + done.stderr


async def test_the_worker_posts_what_the_web_half_hears(discord: FakeDiscord, tmp_path: Path) -> None:
    """A process that does not listen knows the channels, too."""
    new_database(tmp_path)
    environment = surroundings(discord, tmp_path)
    async with running(tmp_path, **environment):
        await discord.ready()
        await discord.person(NUMBERS["ann"]).slash("deploy start", channel="deployments", version="v1.2.0")
        await discord.until(lambda: discord.messages("deployments"), what="the card")
    discord.remove_message(discord.messages("deployments")[0])
    process = await asyncio.to_thread(Process, tmp_path, role="worker", wait=False, **environment)
    try:
        await discord.until(lambda: discord.messages("deployments"), within=20, what="the card, posted anew")
        assert discord.gateway.connections == []
    finally:
        await asyncio.to_thread(process.stop, signal.SIGKILL)
