"""How soon a process answers, and what it takes with 1,000 deployments running, beside a bare import of the same
libraries.

The bare import is a Python that loads the third-party modules gonogo has loaded once it answers, and nothing else: one
chat is in use, so the other chat's library is not among them. gonogo runs on Slack over HTTP; its database is there.
Both sides find their modules compiled, as pip leaves them, wherever this runs from.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from adapters.store.migrate import migrate
from bench.clicks import SECRET
from bench.report import Line, line, middle, over, run
from bench.serving import server
from bench.watching import spread
from tests.process import ROOT, Process
from tests.scale.fleet import RunningClock, open_fleet

RUNNING, ROUNDS = 1_000, 5
_OTHER_CHAT = ("discord",)
_LOADED = """
import json, sys
import bot.__main__, bot.app, bot.fronts, adapters.slack.adapter
from importlib.metadata import packages_distributions
third = set(packages_distributions()) - {"bot", "adapters", "checklists", "migrations"}
print(json.dumps(sorted(name for name in sys.modules if name.partition(".")[0] in third)))
"""
_BARE = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmRSS")))
"""


async def measure() -> list[Line]:
    """Start-up without deployments; memory with many."""
    modules = await asyncio.to_thread(_libraries)
    with tempfile.TemporaryDirectory(prefix="gonogo-bench-") as made, server("bench.servers.slack_api") as api:
        folder = Path(made)
        await migrate(f"sqlite:///{folder / 'gonogo.db'}")
        ready, bare, memories = [], [], []
        for number in range(ROUNDS + 1):
            took = await asyncio.to_thread(_ready, folder, api)
            begun = time.perf_counter()
            memories.append(await asyncio.to_thread(_bare, modules, folder))
            if number:  # the first round fills the file cache, and compiles
                ready.append(took)
                bare.append(time.perf_counter() - begun)
        resident = await _with_deployments(folder, api)
    alone = middle(memories)
    return [
        line(
            "ready to answer ÷ a bare import of the libraries used", over(ready, bare), "≤", 1.3,
            note=f"{middle(ready):.2f} s, {middle(bare):.2f} s",
        ),
        line(
            "memory with 1,000 running deployments ÷ a bare import", resident / alone, "≤", 1.6,
            note=f"{resident / 1024:.0f} MB, {alone / 1024:.0f} MB",
        ),
    ]  # fmt: skip


def _compiled(folder: Path) -> dict[str, str]:
    """The first round compiles into this folder, the others find it there."""
    return {"PYTHONPYCACHEPREFIX": str(folder / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}


def _process(folder: Path, api: str) -> Process:
    return Process(
        folder,
        **_compiled(folder),
        GONOGO_SLACK_API_URL=f"{api}/api/",
        GONOGO_SLACK_BOT_TOKEN="xoxb-bench",
        GONOGO_SLACK_SIGNING_SECRET=SECRET,
    )


def _libraries() -> list[str]:
    command = [sys.executable, "-c", _LOADED]
    loaded = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in json.loads(loaded) if name.partition(".")[0] not in _OTHER_CHAT]


def _ready(folder: Path, api: str) -> float:
    """Seconds from the start of the process to its first answer."""
    begun = time.perf_counter()
    process = _process(folder, api)
    try:
        httpx.get(f"{process.address}/healthz", trust_env=False).raise_for_status()
        return time.perf_counter() - begun
    finally:
        process.child.kill()
        process.child.communicate()


def _bare(modules: list[str], folder: Path) -> int:
    command = [sys.executable, "-W", "ignore", "-c", _BARE, json.dumps(modules)]
    env = {**os.environ, **_compiled(folder)}
    return int(subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout)


async def _with_deployments(folder: Path, api: str) -> int:
    """Kilobytes that a process takes which has looked at each of its deployments."""
    clock = RunningClock(datetime.now(UTC))
    async with open_fleet(f"sqlite:///{folder / 'gonogo.db'}", folder, clock) as fleet:
        await spread(fleet, clock.now() + timedelta(days=1), RUNNING, timedelta(hours=1))
    process = await asyncio.to_thread(_process, folder, api)
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            begun, most, still = time.monotonic(), 0, 0
            while still < 5 and time.monotonic() - begun < 90:
                await asyncio.sleep(2)
                (await client.get(f"{process.address}/healthz")).raise_for_status()
                now = _resident(process.child.pid)
                still = still + 1 if now <= most * 1.01 else 0
                most = max(most, now)
        return most
    finally:
        process.child.kill()
        process.child.communicate()


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


if __name__ == "__main__":
    run(measure)
