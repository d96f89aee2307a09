"""How long an acknowledgement takes while the process is busy watching: 50 clicks a second, 1,000 deployments watched,
100 of their checks due each second ÷ the same clicks while nothing is due. One process, over real HTTP, on SQLite."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.store.migrate import migrate
from adapters.store.store import SqlStore
from bench.report import Line, line, percentile, run
from bench.serving import server
from bench.team import slack_team
from bench.watching import ENVIRONMENTS, policy_of
from tests.scale.fleet import Host, RunningClock, open_fleet, serving

WATCHED, PER_SECOND, CLICKS = 1_000, 100, 50
IDLE, SETTLES = 10.0, 40.0
DEPLOYMENTS, ITEMS = 10, 120
PACE = 0.9
"""So many of the checks must have run when the last one was due."""


async def measure() -> list[Line]:
    """Idle first, then under load, the same process."""
    with tempfile.TemporaryDirectory(prefix="gonogo-bench-") as made, server("bench.servers.slack_api") as api:
        folder, host = Path(made), Host()
        database = f"sqlite:///{folder / 'gonogo.db'}"
        await migrate(database)
        async with serving([host]):
            # Writing a thousand deployments takes a while; their checks are due after that.
            due = datetime.now(UTC) + timedelta(seconds=SETTLES + IDLE + 60)
            ids = await _watched(folder, database, host.port, due)
            async with (
                slack_team(folder, database, api, deployments=DEPLOYMENTS, items=ITEMS) as team,
                team.clicks() as on,
            ):
                await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - IDLE - 2))
                idle = await on.steadily(CLICKS, IDLE)
                await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
                busy = await on.steadily(CLICKS, WATCHED / PER_SECOND)
                ran = await _ran(database, ids)
    p99, at_rest = percentile(busy, 99), percentile(idle, 99)
    note = f"{p99 * 1000:.0f} ms, {at_rest * 1000:.0f} ms; {ran} of {WATCHED} checks had run by then"
    what = "ack p99 at 50 clicks/s, 1,000 deployments watched, 100 checks due each second ÷ idle"
    found = line(what, p99 / at_rest, "≤", 2, note=note)
    # Clicks that are quick because the checks wait for them would be no merit.
    return [found if ran >= PACE * WATCHED else Line(found.what, found.value, found.goal, False, note)]


async def _watched(folder: Path, database: str, port: int, due: datetime) -> list[str]:
    found = []
    async with open_fleet(database, folder, RunningClock(due)) as fleet:
        for number in range(WATCHED):
            service, environment = f"w{number // ENVIRONMENTS}", f"e{number % ENVIRONMENTS}"
            source = f'{{http: "http://127.0.0.1:{port}/{service}/errors", json: value, unit: ratio}}'
            t0 = due - timedelta(minutes=30) + timedelta(seconds=(number + 0.5) / PER_SECOND)
            found.append(await fleet.deploy(service, environment, policy_of(service, source), t0))
    return found


async def _ran(database: str, ids: list[str]) -> int:
    store = await SqlStore.open(database)
    try:
        async with store.read() as unit:
            return sum([fact.kind == "check_ran" for id in ids for fact in await unit.events(id)])
    finally:
        await store.close()


if __name__ == "__main__":
    run(measure)
