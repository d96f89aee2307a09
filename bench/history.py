"""What years of history cost: `/deploy status` and a tick, beside 100,000 deployments with 1,000,000 ticks ÷ beside
none. Both databases are asked in turn by the same code, from the router to the commit."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from adapters.store.codec import dump_event
from adapters.store.migrate import migrate
from adapters.store.tables import Instant
from bench.report import Line, in_turn_async, line, middle, over, run
from bot.domain.events import Ticked
from tests.core_kit import ANN, TUESDAY, Core, a_folder, open_core

DEPLOYMENTS, TICKS = 100_000, 10
ITEMS, ROUNDS, EACH = 120, 20, 5
Work = Callable[[], Awaitable[None]]


async def measure() -> list[Line]:
    """Both databases, in turn."""
    with tempfile.TemporaryDirectory(prefix="gonogo-bench-") as made:
        async with _core(Path(made) / "empty", 0) as empty, _core(Path(made) / "full", DEPLOYMENTS) as full:
            times = []
            for ask in (_status, _tick):
                sides = [await ask(core) for core in (empty, full)]
                times.append(await in_turn_async(ROUNDS, *sides))
    lines = []
    for what, (young, old) in zip(("`status`", "a tick"), times, strict=True):
        note = f"{middle(old) / EACH * 1000:.2f} ms, {middle(young) / EACH * 1000:.2f} ms"
        ratio = over(old, young)
        lines.append(
            line(f"{what} with 1,000,000 ticks, 100,000 deployments of history ÷ empty", ratio, "≤", 1.2, note=note)
        )
    return lines


@contextlib.asynccontextmanager
async def _core(folder: Path, history: int) -> AsyncIterator[Core]:
    folder.mkdir()
    url = f"sqlite:///{folder / 'gonogo.db'}"
    await migrate(url)
    if history:
        _fill(folder / "gonogo.db", history)
    checklists = a_folder(folder / "checklists")
    items = "".join(f"- [ ] Item {number}\n" for number in range(ITEMS))
    (checklists / "long.md").write_text(f"# Long\n\n## All\n{items}\n## Switch\n- [ ] Traffic switched\n")
    (checklists / "long.yaml").write_text("service: long\nphases: {Switch: {deployed: true}}\n")
    async with open_core(url, checklists) as core:
        yield core


async def _status(core: Core) -> Work:
    async def ask() -> None:
        for _ in range(EACH):
            await core.say("status long")

    await core.start("v1.0.0", "long")
    return ask


async def _tick(core: Core) -> Work:
    async with core.store.read() as unit:
        holder = await unit.lock_holder("long", "production")
    assert holder is not None
    tasks = iter((await core.views.bare(holder.id)).plan.steps[0].tasks)

    async def tick() -> None:
        for task in itertools.islice(tasks, EACH):
            await core.click(f"tick:{holder.id}:{task.id}")

    return tick


def _fill(file: Path, count: int) -> None:
    """Deployments that ended, each with its ticks, their deliveries, its checks and its place in the channel."""
    day = 24 * 60 * 60 * 1_000_000
    body = dump_event(Ticked(at=TUESDAY - timedelta(days=30), by=ANN, item="tests-pass"))
    at = Instant().process_bind_param(TUESDAY - timedelta(days=30), None)  # type: ignore[arg-type]
    assert at is not None
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA synchronous=OFF")
        services = 200
        database.executemany(
            "INSERT INTO deployments"
            " VALUES (?, ?, 'production', 'v1', 'shop', 'd', 'stable', 0, 0, ?, 'ann', ?, ?, ?, ?)",
            (
                (f"h{n}", f"s{n % services}", when, when, when, TICKS, when)
                for n in range(count)
                for when in (at - n * 5 * 365 * day // count,)  # five years of them
            ),
        )
        database.executemany(
            "INSERT INTO events VALUES (?, ?, 'ticked', ?, ?)",
            ((f"h{n}", seq, at, body) for n in range(count) for seq in range(1, TICKS + 1)),
        )
        database.executemany(
            "INSERT INTO deliveries VALUES (?, '', ?)", ((f"slack:{n}", at) for n in range(count * TICKS))
        )
        database.executemany(
            "INSERT INTO deadlines VALUES (?, ?, ?, ?, NULL, NULL)",
            ((f"h{n}", f"check:t{key}:0", at, at) for n in range(count) for key in range(3)),
        )
        database.executemany(
            "INSERT INTO mirrors VALUES (?, 'web', ?, ?, NULL, NULL, NULL)",
            ((f"h{n}", TICKS, at) for n in range(count)),
        )
        database.execute("ANALYZE")


if __name__ == "__main__":
    run(measure)
