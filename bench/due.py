"""Due work: how long claiming takes beside the raw statement and APScheduler's own job store, and how late it begins.

Claimed are 100 due deadlines while 100,000 are pending, by `SqlStore.claim_due` and by the statement anybody would
write who knows the tables and wants nothing but rows. APScheduler's store (WAL, 50,000 pending) is asked for the due
jobs, each of which is then removed, as its scheduler does with what runs once. The lag is from when a check is due
until its source is asked, 100 of them each second; the source answers at once.
"""

from __future__ import annotations

import contextlib
import pickle
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import psycopg
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import create_engine, event, insert

from adapters.store.engine import BUSY_SECONDS
from adapters.store.migrate import migrate
from adapters.store.store import SqlStore
from adapters.store.tables import Instant
from bench.postgres import postgres
from bench.report import Line, in_turn_async, line, middle, over, percentile, run, unmeasured
from bench.watching import Instantly, spread
from tests.scale.fleet import RunningClock, open_fleet

PENDING, PENDING_THERE, DUE = 100_000, 50_000, 100
ROUNDS = 9
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PER_SECOND, SECONDS = 100, 12
RAW = """
UPDATE deadlines SET held_by = ?, held_until = ? WHERE rowid IN (
    SELECT rowid FROM deadlines WHERE done_at IS NULL AND due <= ? AND (held_until IS NULL OR held_until <= ?)
    ORDER BY due LIMIT ?)
RETURNING deployment, "key", due
"""
RAW_POSTGRES = """
WITH chosen AS (
    SELECT deployment, "key" FROM deadlines
    WHERE done_at IS NULL AND due <= %s AND (held_until IS NULL OR held_until <= %s)
    ORDER BY due LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE deadlines SET held_by = %s, held_until = %s FROM chosen
WHERE deadlines.deployment = chosen.deployment AND deadlines."key" = chosen."key"
RETURNING deadlines.deployment, deadlines."key", deadlines.due
"""
ON_POSTGRES = "… on PostgreSQL ÷ the raw claim statement there"


async def measure() -> list[Line]:
    """Claiming, and the lag."""
    with tempfile.TemporaryDirectory(prefix="gonogo-bench-") as made:
        claiming = await _claiming(Path(made))
    claiming.append(await _claiming_on_postgres())
    with tempfile.TemporaryDirectory(prefix="gonogo-bench-") as made:
        return [*claiming, await _lag(Path(made))]


async def _claiming(folder: Path) -> list[Line]:
    file = folder / "gonogo.db"
    await migrate(f"sqlite:///{file}")
    store = await SqlStore.open(f"sqlite:///{file}")
    raw = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)
    raw.execute("PRAGMA synchronous=FULL")
    _fill(raw)
    jobs = _job_store(folder / "apscheduler.db")
    minutes = (NOON + timedelta(minutes=number) for number in count(1))

    async def claimed() -> None:
        assert len(await store.claim_due(NOON, "bench", timedelta(hours=1), limit=DUE)) == DUE

    async def claimed_raw() -> None:
        now = _micro(datetime.now(UTC))
        raw.execute("BEGIN IMMEDIATE")
        found = raw.execute(RAW, ("raw", now + 3_600_000_000, _micro(NOON), now, DUE)).fetchall()
        raw.execute("COMMIT")
        assert len(found) == DUE

    async def run_by_apscheduler() -> None:
        due = jobs.get_due_jobs(next(minutes))
        assert len(due) == DUE
        for job in due:
            jobs.remove_job(job.id)

    def free() -> None:
        raw.execute("UPDATE deadlines SET held_by = NULL, held_until = NULL WHERE held_by IS NOT NULL")

    ours, bare, theirs = await in_turn_async(ROUNDS, claimed, claimed_raw, run_by_apscheduler, between=free)
    await store.close()
    raw.close()
    jobs.shutdown()
    return [
        line(
            "100 due checks claimed, 100,000 pending ÷ the raw claim statement", over(ours, bare), "≤", 2,
            note=f"{middle(ours) * 1000:.1f} ms, {middle(bare) * 1000:.1f} ms",
        ),
        line(
            "… ÷ APScheduler's SQL job store (WAL) with 50,000 pending", over(ours, theirs), "≤", 0.2,
            note=f"{middle(theirs) * 1000:.0f} ms",
        ),
    ]  # fmt: skip


async def _claiming_on_postgres() -> Line:
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(postgres())
        except (RuntimeError, OSError) as reason:
            return unmeasured(ON_POSTGRES, "≤ 2", str(reason))
        await migrate(url)
        store = await SqlStore.open(url)
        raw = stack.enter_context(psycopg.connect(url, autocommit=True))
        with raw.cursor() as cursor:
            cursor.executemany(DEPLOYMENTS.replace("?", "%s"), [(id, id, False, True) for id in IDS])
            cursor.executemany(DEADLINES.replace("?", "%s"), _rows())
        raw.execute("ANALYZE")

        async def claimed() -> None:
            assert len(await store.claim_due(NOON, "bench", timedelta(hours=1), limit=DUE)) == DUE

        async def claimed_raw() -> None:
            now = _micro(datetime.now(UTC))
            found = raw.execute(RAW_POSTGRES, (_micro(NOON), now, DUE, "raw", now + 3_600_000_000)).fetchall()
            assert len(found) == DUE

        def free() -> None:
            raw.execute("UPDATE deadlines SET held_by = NULL, held_until = NULL WHERE held_by IS NOT NULL")
            raw.execute("VACUUM deadlines")

        ours, bare = await in_turn_async(ROUNDS, claimed, claimed_raw, between=free)
        await store.close()
    note = f"{middle(ours) * 1000:.1f} ms, {middle(bare) * 1000:.1f} ms"
    return line(ON_POSTGRES, over(ours, bare), "≤", 2, note=note)


IDS = [f"d{number}" for number in range(PENDING // 10)]
DEPLOYMENTS = """
INSERT INTO deployments (id, service, environment, version, checklist, digest, status, locked, live, started_at,
    started_by, revision, written_at)
VALUES (?, ?, 'production', 'v1', 'shop', 'd', 'deployed', ?, ?, 0, 'ann', 1, 0)
"""
DEADLINES = 'INSERT INTO deadlines (deployment, "key", due) VALUES (?, ?, ?)'


def _fill(raw: sqlite3.Connection) -> None:
    raw.execute("BEGIN")
    raw.executemany(DEPLOYMENTS, ((id, id, False, True) for id in IDS))
    raw.executemany(DEADLINES, _rows())
    raw.execute("COMMIT")
    raw.execute("ANALYZE")


def _rows() -> list[tuple[str, str, int]]:
    """So many pending deadlines of ten for each deployment; a hundred of them, of as many deployments, are due."""
    rows = (
        (id, f"check:{key}:0", _micro(NOON + timedelta(days=key, seconds=place)))
        for place, id in enumerate(IDS)
        for key in range(10)
    )
    due = [(id, "check:t30:0", _micro(NOON - timedelta(seconds=place))) for place, id in enumerate(IDS[:DUE], 1)]
    return [*(row for row in rows if row[2] > _micro(NOON)), *due]


def _job_store(file: Path) -> SQLAlchemyJobStore:
    """A hundred jobs are due in each of the first minutes, the others later; written as the store writes them."""
    engine = create_engine(f"sqlite:///{file}", connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")

    store = SQLAlchemyJobStore(engine=engine)
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_jobstore(store)
    scheduler.start(paused=True)
    job = scheduler.add_job(_nothing, "date", run_date=NOON, id="first")
    store.remove_job("first")
    first_minutes = (ROUNDS + 1) * DUE

    def rows() -> Iterator[dict[str, object]]:
        for number in range(PENDING_THERE):
            minute = 1 + number // DUE if number < first_minutes else 1_000 + number
            at = NOON + timedelta(minutes=minute)
            state = job.__getstate__() | {"id": f"job{number}", "next_run_time": at}
            yield {"id": f"job{number}", "next_run_time": at.timestamp(), "job_state": pickle.dumps(state)}

    with engine.begin() as connection:
        connection.execute(insert(store.jobs_t), list(rows()))
    return store


def _nothing() -> None:
    """What is due does nothing."""


def _micro(at: datetime) -> int:
    kept = Instant().process_bind_param(at, None)  # type: ignore[arg-type]
    assert kept is not None
    return kept


async def _lag(folder: Path) -> Line:
    url = f"sqlite:///{folder}/gonogo.db"
    await migrate(url)
    clock, probe = RunningClock(NOON), Instantly()
    async with open_fleet(url, folder, clock, probe=probe) as fleet:
        deployments = await spread(fleet, NOON, PER_SECOND * SECONDS, timedelta(seconds=SECONDS))
        clock.start()
        fleet.scheduler.start()
        await clock.until(NOON + timedelta(seconds=SECONDS))
        await fleet.scheduler.settle()
        await fleet.scheduler.stop()
        runs = [run for deployment in deployments for run in await fleet.runs(deployment)]
    late = [(run.at - run.due).total_seconds() for run in runs]
    assert len(late) == PER_SECOND * SECONDS
    return line(
        "due-work lag p99 at 100 due/s, seconds", percentile(late, 99), "<", 1, unit=" s",
        note=f"median {percentile(late, 50) * 1000:.0f} ms",
    )  # fmt: skip


if __name__ == "__main__":
    run(measure)
