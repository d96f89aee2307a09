"""A command of the team's own: whether it ends with exit code 0."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence

from adapters.probes.asking import Cannot, Found, Refused, measured, no, short, yes
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from checklists.policy import ProbePolicy

KEPT = 4096
"""Bytes of output that are kept, the last ones; the rest is read and dropped."""
DRAIN = 0.5
"""Seconds the output may still come after the command has ended: something it left behind may hold it open."""
PATH = "/usr/local/bin:/usr/bin:/bin"


class CommandProbe:
    """`bot.ports.Probe` for `command: NAME`, for the commands that `allowed` lists, each with all its arguments.

    No shell is asked. The command gets nothing of our environment but a `PATH`, and GONOGO_SERVICE, GONOGO_ENVIRONMENT,
    GONOGO_VERSION; it reads from nothing and runs in `/`. Whatever it started is killed with it when the time is over.
    It measures now, whatever `asked.as_of` says.
    """

    def __init__(self, allowed: Mapping[str, Sequence[str]]) -> None:
        self._allowed = allowed

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Run it once: yes for exit code 0, no for another; an error when it could not be run, or was killed. The last
        line it wrote is the detail."""
        if probe is None or probe.command is None:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=f"the policy names no command for {name}")
        return await measured(name, probe, self._run(probe.command.strip(), asked))

    async def _run(self, command: str, asked: Asked) -> Found:
        argv = self._allowed.get(command)
        if not argv:
            raise Refused(f"no command is called {short(command, 40)!r}: GONOGO_COMMANDS lists those that are allowed")
        environment = {
            "PATH": PATH,
            "LANG": "C.UTF-8",
            "GONOGO_SERVICE": asked.service,
            "GONOGO_ENVIRONMENT": asked.environment,
            "GONOGO_VERSION": asked.version,
        }
        output, transport, ours = await _pipe()
        with contextlib.closing(transport):
            try:
                process = await asyncio.create_subprocess_exec(
                    *argv, stdin=DEVNULL, stdout=ours, stderr=ours, env=environment, cwd="/", start_new_session=True
                )
            except (OSError, ValueError) as error:
                raise Cannot(f"{short(command, 40)} could not be started ({type(error).__name__})") from None
            finally:
                os.close(ours)
            reading = asyncio.create_task(_last(output))
            try:
                code = await process.wait()
                await asyncio.wait([reading], timeout=DRAIN)
            finally:
                _kill(process, left_behind=not reading.done())
                await process.wait()
        # The pipe is closed: what was read until now is all.
        said = _last_line(await reading)
        if code < 0:
            raise Cannot(f"{short(command, 40)} was ended by signal {-code}")
        return yes(said or "exit code 0") if code == 0 else no(f"exit code {code}" + (f": {said}" if said else ""))


async def _pipe() -> tuple[asyncio.StreamReader, asyncio.BaseTransport, int]:
    """Where a command writes to. A pipe of our own: asyncio's holds the end of a command up until the last of its
    children lets go of it."""
    ours, theirs = os.pipe()
    output = asyncio.StreamReader(limit=KEPT)
    protocol = asyncio.StreamReaderProtocol(output)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(ours, "rb"))
    return output, transport, theirs


async def _last(output: asyncio.StreamReader) -> bytes:
    kept = bytearray()
    while chunk := await output.read(KEPT):
        kept += chunk
        del kept[:-KEPT]
    return bytes(kept)


def _kill(process: Process, *, left_behind: bool) -> None:
    """The whole group, by the id of the process that leads it; a group that has ended as a whole is left alone."""
    if process.returncode is None or left_behind:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _last_line(output: bytes) -> str:
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    return short(lines[-1], 120) if lines else ""
