"""How much due work two processes do on one PostgreSQL, beside one.

A few hundred checks are due at once. A source takes a while to answer, and a process asks so many at a time
(`bot.scheduler.AT_ONCE`): there two processes do twice as much while the cores have room. Where sources answer at once
there is nothing but processor time, and two processes need two cores, besides what PostgreSQL takes of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import IO

from adapters.store.migrate import migrate
from bench.postgres import postgres
from bench.report import Line, line, middle, over, run, unmeasured
from bench.watching import policy_of
from tests.process import ROOT
from tests.scale.fleet import Fleet, RunningClock, open_fleet

DUE, ROUNDS = 240, 3
AWAY = 0.4
"""Seconds until a source answers: what a question to a Prometheus over a network takes, and a little more."""
WHAT = "due checks/s, two processes on PostgreSQL ÷ one, sources answer after 0.4 s"
AT_ONCE = "… sources answer at once: processor time alone"
_LOOKS, _BETWEEN = 6_000, 0.02


class Worker:
    """A process that does due work when it is told to."""

    def __init__(self, url: str, folder: Path, name: str) -> None:
        command = [sys.executable, "-m", "bench.servers.worker", url, str(folder), name]
        with (folder / f"{name}.txt").open("wb") as errors:
            self.child = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        self._heard()

    def tell(self, words: str) -> None:
        """And wait until it is done. Raises RuntimeError when the process has ended."""
        _pipe(self.child.stdin).write(f"{words}\n")
        _pipe(self.child.stdin).flush()
        self._heard()

    def _heard(self) -> None:
        if not _pipe(self.child.stdout).readline():
            raise RuntimeError("a worker has ended")


def _pipe(found: IO[str] | None) -> IO[str]:
    assert found is not None
    return found


async def measure() -> list[Line]:
    """Both kinds of source."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gonogo-bench-")))
        try:
            url = stack.enter_context(postgres())
        except (RuntimeError, OSError) as reason:
            return [unmeasured(WHAT, "≥ 1.6", str(reason))]
        await migrate(url)
        workers = [stack.enter_context(_working(url, folder, name)) for name in ("first", "second")]
        clock = RunningClock(datetime.now(UTC))
        clock.start()
        async with open_fleet(url, folder, clock, "maker") as fleet:
            numbers = count()
            waiting = await _compared(fleet, workers, numbers, AWAY)
            alone = await _compared(fleet, workers, numbers, 0.0)
    found = line(WHAT, over(*waiting), "≥", 1.6, note=_said(*waiting))
    return [found, Line(AT_ONCE, round(over(*alone), 4), "", None, _said(*alone))]


def _said(two: Sequence[float], one: Sequence[float]) -> str:
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    return f"{middle(two):.0f}/s, {middle(one):.0f}/s; load {load:.1f} on {cores} cores"


@contextlib.contextmanager
def _working(url: str, folder: Path, name: str) -> Iterator[Worker]:
    worker = Worker(url, folder, name)
    try:
        yield worker
    finally:
        worker.child.kill()
        worker.child.communicate()


async def _compared(
    fleet: Fleet, workers: list[Worker], numbers: Iterator[int], seconds: float
) -> tuple[list[float], list[float]]:
    """Checks each second with all workers and with the first one, in turn."""
    two, one = [], []
    for number in range(ROUNDS + 1):
        for found, who in ((two, workers), (one, workers[:1])):
            rate = await _rate(fleet, who, next(numbers), seconds)
            if number:  # the first round warms up
                found.append(rate)
    return two, one


async def _rate(fleet: Fleet, workers: list[Worker], number: int, seconds: float) -> float:
    policy = policy_of(f"s{number}", "{prometheus: errors, unit: ratio}")
    t0 = fleet.clock.now() - timedelta(minutes=30)
    for place in range(DUE):
        await fleet.deploy(f"s{number}", f"e{place}", policy, t0)
    for worker in workers:
        await asyncio.to_thread(worker.tell, f"GO {seconds}")
    begun = time.perf_counter()
    await _all_done(fleet)
    took = time.perf_counter() - begun
    for worker in workers:
        await asyncio.to_thread(worker.tell, "STOP")
    return DUE / took


async def _all_done(fleet: Fleet) -> None:
    """Until nothing is due any more. Raises AssertionError after a while."""
    for _ in range(_LOOKS):
        due = await fleet.store.next_due()
        if due is None or due > fleet.clock.now():
            return
        await asyncio.sleep(_BETWEEN)
    raise AssertionError("not all checks are done")


if __name__ == "__main__":
    run(measure)
