"""docs/pipeline.md, done: its commands against the application; and azora's whole run with its pipeline."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

import httpx
import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import cli
from bot.domain import events as e
from tests.adapters.api.kit import RUN, Api, serve
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_team import shop, workspace
from tests.process import ROOT, Process, gonogo, new_database

__all__ = ["migrated_file", "sqlite_url"]

PAGE = (ROOT / "docs/pipeline.md").read_text("utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def bash(unavailable: Callable[[str, str], NoReturn]) -> str:
    """A shell and curl."""
    shell = shutil.which("bash")
    if shell is None or shutil.which("curl") is None:
        unavailable("curl", "there is no bash or no curl on this machine")
    return str(shell)


async def test_the_commands_of_the_page_do_what_it_says(
    bash: str, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GONOGO_DATABASE_URL", sqlite_url)
    async with serve(_file(sqlite_url), ROOT / "checklists") as api:
        made = await _gonogo(SHELL[0])
        token = made.stdout.strip()
        assert (made.exit_code, token[:4], len(token)) == (0, "gng_", 47)
        env = {"PATH": os.environ["PATH"], "GONOGO": api.address, "GONOGO_TOKEN": token, "ID": "unknown"}
        said = []
        for command in SHELL[1:]:
            said.append(await _shell(bash, command, env))
            if found := re.match(r'\{"id":"(\w+)"', said[-1]):
                env["ID"] = found[1]
        gate, _, started, step, failed, standing = said
        assert '"open":true' in gate
        assert '"status":"running"' in started
        assert '"code":"remembered"' in step
        assert '"code":"failed"' in failed
        assert '"step":"images signed","detail":"no key"' in standing

        [line] = (await _gonogo("token list")).stdout.splitlines()
        assert re.fullmatch(r"\w{8}  azora  ci  made [^,]+ UTC, last used .* UTC", line)
        assert (await _gonogo(f"token revoke {line[:8]}")).exit_code == 0
        assert (await api.ask("GET", "/api/gate", token=token)).status_code == 401, "at once, while it runs"
    kept = b"".join(file.read_bytes() for file in _file(sqlite_url).parent.iterdir() if file.is_file())
    assert token.encode() not in kept


@pytest.mark.slow
async def test_azora_runs_from_the_first_item_to_stable_with_its_pipeline(sqlite_url: str) -> None:
    async with serve(_file(sqlite_url), ROOT / "checklists") as api:
        api.token, _ = await api.new_token("azora")
        found = (await api.ask("POST", "/api/deployments", {"version": "v1.2.0"}, key="run-42")).json()
        id, steps = found["id"], found["steps"]
        assert {"lint passed", "images built", "images pushed", "green started", "deployed"} <= set(steps)
        for step in steps:
            if step != "deployed":
                told = await _event(api, id, event="step", step=step, link=f"{RUN}#{step.replace(' ', '-')}")
                assert told["code"] in ("ticked", "remembered"), step
        for _ in range(9):
            view = await api.app._views.bare(id)
            current = view.state.current(view.plan)
            if current is not None and not current.deployed:
                await api.tick_all(id)
                await api.click(f"advance:{id}")
        assert (await _event(api, id, event="deployed", link=RUN))["code"] == "deployed"
        for at in ("2026-11-24 15:31", "2026-11-24 17:01", "2026-11-25 15:01"):
            await api.set_clock(at)
            await api.app.settle()
            await api.tick_all(id)
            await api.app.settle()
        standing = (await api.ask("GET", f"/api/deployments/{id}")).json()
        assert (standing["status"], standing["ticked"]) == ("stable", standing["total"])
        assert [said["name"] for said in standing["announcements"]][:1] == ["starting"]
        names = [said["name"] for said in standing["announcements"]]
        assert len(names) == len(set(names))
        await _the_pipelines_items_say_so(api, id, steps)


@pytest.mark.slow
async def test_beside_slack_the_same_doors_stand_open_to_the_same_tokens(tmp_path: Path) -> None:
    new_database(tmp_path)
    async with FakeSlack() as slack:
        workspace(slack, ())
        env = {
            "GONOGO_CHECKLISTS": str(shop(tmp_path)),
            "GONOGO_CHECKLIST": "shop",
            "GONOGO_DATABASE_URL": f"sqlite:///{tmp_path / 'gonogo.db'}",
            "GONOGO_SLACK_API_URL": slack.api_url,
            "GONOGO_SLACK_BOT_TOKEN": slack.bot_token,
            "GONOGO_SLACK_APP_TOKEN": slack.app_token,
        }
        process = Process(tmp_path, wait=False, **env)
        try:
            assert await asyncio.to_thread(process.started), process.errors
            made = await asyncio.to_thread(partial(gonogo, "token", "add", "shop", folder=tmp_path, **env))
            async with httpx.AsyncClient(base_url=process.address, timeout=20) as http:
                good = {"Authorization": f"Bearer {made.stdout.strip()}"}
                assert (await http.get("/api/gate", headers=good)).json()["service"] == "shop"
                assert (await http.get("/api/gate")).status_code == 401
                assert (await http.get("/api/docs")).status_code == 200
                assert (await http.get("/healthz")).json() == {"status": "ok"}
                for path in ("/", "/api/messages", "/api/command", "/nothing"):
                    assert (await http.get(path, headers=good)).status_code == 404, path
        finally:
            _, errors = await asyncio.to_thread(process.stop)
    assert made.stdout.strip() not in errors


async def _the_pipelines_items_say_so(api: Api, id: str, steps: list[str]) -> None:
    view = await api.app._views.bare(id)
    tasks = [task for step in view.plan.steps for task in step.tasks if task.event]
    assert {task.event for task in tasks} == set(steps)
    for task in tasks:
        mark = view.state.marks[task.id]
        assert (mark.value, mark.by.is_gonogo) == ("reported by ci", True), task.item.label
        assert mark.link == (RUN if task.event == "deployed" else f"{RUN}#{str(task.event).replace(' ', '-')}")
    async with api.app.store.read() as unit:
        facts = await unit.events(id)
    by_ci = [fact for fact in facts if fact.by.chat == "api"]
    assert {type(fact) for fact in by_ci} == {e.Started, e.PhaseOpened, e.Reported, e.Deployed}


async def _event(api: Api, id: str, **body: str) -> dict[str, str]:
    answer = await api.ask("POST", f"/api/deployments/{id}/events", body)
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()
    return found


async def _shell(bash: str, command: str, env: dict[str, str]) -> str:
    """What a command of the page writes; it ends well."""
    pipe = asyncio.subprocess.PIPE
    done = await asyncio.create_subprocess_exec(
        bash, "-euo", "pipefail", "-c", command, env=env, stdout=pipe, stderr=pipe
    )
    out, errors = await asyncio.wait_for(done.communicate(), 30)
    assert done.returncode == 0, (command, out, errors)
    return out.decode()


async def _gonogo(line: str) -> Result:
    """A command of `gonogo`, beside the process that serves."""
    arguments = line.strip().removeprefix(".venv/bin/gonogo ").split()
    return await asyncio.to_thread(CliRunner().invoke, cli, arguments)


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))
