"""A command's exit code: only what the settings list is run, without a shell, and nothing of it is left behind."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.probes.command import CommandProbe
from bot.domain.events import Measurement, Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED, healthy, unhealthy


async def run(*argv: str, name: str = "smoke", seconds: float = 20) -> Measurement:
    policy = ProbePolicy(command=name, timeout=timedelta(seconds=seconds))
    return await CommandProbe({"smoke": argv}).measure("it", policy, ASKED)


def python(source: str) -> tuple[str, ...]:
    return sys.executable, "-I", "-c", source


async def test_exit_code_0_is_healthy_and_the_last_line_is_said() -> None:
    found = await run(*python("print('first'); print('12 of 12 passed'); print()"))
    assert healthy(found)
    assert found.detail == "12 of 12 passed"
    assert (await run("true")).detail == "exit code 0"


async def test_another_exit_code_is_unhealthy() -> None:
    found = await run(*python("import sys; print('login: 500', file=sys.stderr); sys.exit(3)"))
    assert unhealthy(found)
    assert found.detail == "exit code 3: login: 500"


async def test_what_the_settings_do_not_list_is_refused() -> None:
    for command in ("other", "true", "", "smoke; true"):
        found = await run("true", name=command or " ")
        assert (found.outcome, "GONOGO_COMMANDS lists those that are allowed" in found.detail) == (
            Outcome.REFUSED,
            True,
        )
    assert (await CommandProbe({}).measure("it", ProbePolicy(command="smoke"), ASKED)).outcome is Outcome.REFUSED


async def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    found = await run("echo", f"$HOME; touch {tmp_path}/made", "`id`", "a*")
    assert found.detail.startswith(f"$HOME; touch {tmp_path}/made `id` a*"[:100])
    assert list(tmp_path.iterdir()) == []


async def test_the_environment_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONOGO_SLACK_BOT_TOKEN", "not-a-real-token")
    found = await run(*python("import os; print(sorted(os.environ), os.environ['GONOGO_VERSION'], os.getcwd())"))
    names = ["GONOGO_ENVIRONMENT", "GONOGO_SERVICE", "GONOGO_VERSION", "LANG", "PATH"]
    assert found.detail == f"{names} v1.2.0 /"


@pytest.mark.parametrize(
    "argv", [("/nowhere/at/all",), ("/",), ("true\0",), python("import os; os.kill(os.getpid(), 9)")]
)
async def test_what_cannot_run_or_is_killed_says_nothing_about_health(argv: tuple[str, ...]) -> None:
    found = await run(*argv)
    assert (found.outcome, found.value) == (Outcome.ERROR, None)


async def test_when_the_time_is_over_all_that_it_started_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    child = f"import os, time; open({str(note)!r}, 'a').write(f'{{os.getpid()}} '); print('x', flush=True)"
    source = (
        f"import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-I', '-c', "
        f"{child + '; time.sleep(60)'!r}], stdout=subprocess.PIPE); p.stdout.readline(); {child}; time.sleep(60)"
    )
    begun = time.monotonic()
    found = await run(*python(source), seconds=1)
    assert (found.outcome, found.detail) == (Outcome.ERROR, "no answer within 1 s")
    assert time.monotonic() - begun < 5
    pids = [int(pid) for pid in note.read_text().split()]
    assert len(pids) == 2
    for pid in pids:
        await _ends(pid)


async def test_a_child_that_holds_the_output_open_does_not_hold_us(tmp_path: Path) -> None:
    source = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-I', '-c', 'import time; time.sleep(60)']); "
        "print(p.pid)"
    )
    found = await run(*python(source), seconds=10)
    assert healthy(found)
    await _ends(int(found.detail))


async def test_endless_output_is_bounded() -> None:
    found = await run(*python("import sys\nfor n in range(200000): print('line', n)\nprint('x' * 9000)"))
    assert healthy(found)
    assert len(found.detail) == 120


async def _ends(pid: int) -> None:
    """Wait until no such process runs any more (a zombie does not run)."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return
        if state == "Z":
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{pid} still runs")
