"""A thousand deployments watched by one process, each asking ten probes a minute, over real HTTP."""

from __future__ import annotations

import resource
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

import pytest

from adapters.probes.turns import PER_SOURCE
from bot.domain.events import CheckRan, Outcome
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.scale.fleet import Fleet, Host, RunningClock, a_policy, open_fleet, serving

__all__ = ["migrated_file", "sqlite_url"]

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

SERVICES, ENVIRONMENTS, PROBES = 100, 10, 10
STUCK = 2
"""Services one of whose probes asks a host that hangs."""
MINUTES = 2
LATEST = 1.0
"""Seconds of real time, for 99 of 100."""
MOST_MEMORY = 100_000
"""Kilobytes: what a thousand checks a minute may take while they run."""
AT = datetime(2026, 11, 24, 15, tzinfo=UTC)


async def test_a_thousand_deployments_are_each_looked_at_once_a_minute(sqlite_url: str, tmp_path: Path) -> None:
    clock, hosts, hanging = RunningClock(AT, speed=1.0), [Host() for _ in range(5)], Host(hangs=True)
    async with serving([*hosts, hanging]), open_fleet(sqlite_url, tmp_path, clock) as fleet:
        _, fine = await deploy(fleet, [host.port for host in hosts], hanging.port)
        before = most_memory()
        clock.start()
        fleet.scheduler.start()
        await clock.until(AT + MINUTES * timedelta(minutes=1))
        await fleet.scheduler.settle()
        await fleet.scheduler.stop()
        grown = most_memory() - before
        runs = await all_runs(fleet, fine)
        late = sorted((run.at - run.due).total_seconds() / clock.speed for run in runs)

    assert len(runs) == len(fine) * MINUTES
    assert {judged.measurement.outcome for run in runs for judged in run.judged} == {Outcome.MEASURED}
    asked = {count for host in hosts for (service, _), count in host.asked.items() if number(service) >= STUCK}
    assert asked == {ENVIRONMENTS * MINUTES}, "once a minute for each deployment"
    assert max(host.most for host in hosts) <= PER_SOURCE
    assert 0 < hanging.most <= PER_SOURCE
    assert quantiles(late, n=100)[-1] < LATEST
    assert grown < MOST_MEMORY


async def deploy(fleet: Fleet, ports: list[int], hanging: int) -> tuple[list[str], list[str]]:
    """All of them, reaching T0 evenly over the first minute: those that ask the host which hangs, and the others."""
    found: list[str] = []
    for service in range(SERVICES):
        asks = [ports[each % len(ports)] for each in range(PROBES)]
        asks[0] = hanging if service < STUCK else asks[0]
        policy = a_policy(f"s{service}", asks, "1m", f"{MINUTES - 1}m")
        for environment in range(ENVIRONMENTS):
            # Each service has its deployments all over the minute.
            place = environment * SERVICES + service
            t0 = AT + timedelta(seconds=60 * (place + 0.5) / (SERVICES * ENVIRONMENTS))
            found.append(await fleet.deploy(f"s{service}", f"e{environment}", policy, t0))
    return found[: STUCK * ENVIRONMENTS], found[STUCK * ENVIRONMENTS :]


async def all_runs(fleet: Fleet, deployments: Iterable[str]) -> list[CheckRan]:
    return [run for deployment in deployments for run in await fleet.runs(deployment)]


def number(service: str) -> int:
    return int(service.removeprefix("s"))


def most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
