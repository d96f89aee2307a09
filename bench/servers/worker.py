"""One of several processes on one PostgreSQL that do due work: `GO SECONDS` begins (SECONDS is how long its source
takes to answer), `STOP` ends it in good order; each is confirmed by a line."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.watching import Instantly
from bot.domain.events import Measurement
from bot.ports import Asked
from checklists.policy import ProbePolicy
from tests.scale.fleet import Fleet, RunningClock, open_fleet


@dataclass
class Away(Instantly):
    """A source that takes so many seconds."""

    seconds: float = 0.0

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """See the port."""
        await asyncio.sleep(self.seconds)
        return await super().measure(name, probe, asked)


async def main(url: str, folder: str, owner: str) -> None:
    """Until the other end of the pipe is closed."""
    clock, probe = RunningClock(datetime.now(UTC)), Away()
    clock.start()
    async with open_fleet(url, Path(folder), clock, owner, probe) as fleet:
        print("http://ready", flush=True)
        while line := (await asyncio.to_thread(sys.stdin.readline)).split():
            if line[0] == "GO":
                probe.seconds = float(line[1])
                # A scheduler that was stopped does not begin again.
                now = Fleet(fleet.store, clock, fleet.client, fleet.folder, owner, probe)
                now.scheduler.start()
            else:
                await now.scheduler.stop()
            print(line[0], flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
