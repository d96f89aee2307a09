"""What the tests of the Store share: a migrated database of either kind, and rows to put into it."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.store.migrate import migrate
from adapters.store.store import SqlStore
from adapters.store.tables import metadata
from bot.cards.card import Card
from bot.domain.events import Noted, Ticked
from bot.domain.people import Who
from bot.ports import Deadline, DeploymentRow, Outgoing
from tests.postgres import PostgresServer

ROOT = Path(__file__).resolve().parent.parent.parent
NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
ANN = Who(chat="web", id="u1", name="ann", roles=frozenset({"qa", "ops"}))
LEASE = timedelta(minutes=1)
OVER = timedelta(seconds=-1)
"""A lease that is over as soon as it is given."""
EITHER = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and no rows, to be copied."""
    file = tmp_path_factory.mktemp("store") / "migrated.db"
    asyncio.run(migrate(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def migrated_database(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of a PostgreSQL database with all tables, to be emptied before use: much faster than a new one."""
    name = postgres_server.create()
    asyncio.run(migrate(postgres_server.url(name)))
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """A migrated SQLite file of this test's own."""
    return f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'gonogo.db')}"


@pytest.fixture(params=EITHER)
def url(request: pytest.FixtureRequest) -> str:
    """A migrated database without rows: every test that uses it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    url: str = request.getfixturevalue("migrated_database")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(f"DELETE FROM {table.name}".encode())
    return url


@pytest.fixture(params=EITHER)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/gonogo.db"
    else:
        yield request.getfixturevalue("postgres_url")


@pytest.fixture(params=EITHER)
def spoiled_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own, which it may leave in any state."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    url: str = request.getfixturevalue("postgres_url")
    asyncio.run(migrate(url))
    return url


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    """An open Store."""
    store = await SqlStore.open(url)
    yield store
    await store.close()


@pytest.fixture
async def other(url: str) -> AsyncIterator[SqlStore]:
    """A second Store on the same database, as a second process would have it."""
    store = await SqlStore.open(url)
    yield store
    await store.close()


def a_row(id: str = "one", revision: int = 1, **changes: Any) -> DeploymentRow:
    """A deployment of its own service, so that only tests about locks meet them."""
    usual: dict[str, Any] = {
        "id": id,
        "service": f"service of {id}",
        "environment": "production",
        "version": "v1.2.0",
        "checklist": "azora",
        "digest": "d1",
        "status": "running",
        "locked": True,
        "live": True,
        "started_at": NOON,
        "started_by": "ann",
        "deployed_at": None,
        "ended_at": None,
        "revision": revision,
    }
    return DeploymentRow(**(usual | changes))


def tick(item: str = "smoke tests") -> Ticked:
    """A small event."""
    return Ticked(at=NOON, by=ANN, item=item)


def note(text: str) -> Noted:
    """An event with free text."""
    return Noted(at=NOON, by=ANN, item="smoke tests", text=text)


def a_message(key: str, **changes: Any) -> Outgoing:
    """A message to #deployments in the web chat."""
    usual: dict[str, Any] = {"key": key, "chat": "web", "channel": "#deployments", "card": Card(title=key, text=key)}
    return Outgoing(**(usual | changes))


def due(key: str, minutes: int = 0, deployment: str = "one") -> Deadline:
    """A deadline so many minutes after noon."""
    return Deadline(deployment, key, NOON + timedelta(minutes=minutes))


async def start(store: SqlStore, id: str = "one", **changes: Any) -> None:
    """Put a deployment of one event into the store."""
    async with store.write() as unit:
        await unit.append(a_row(id, **changes), 0, [tick()])


async def advance(store: SqlStore, id: str = "one", **changes: Any) -> None:
    """Add one event to it."""
    async with store.write() as unit:
        row = await unit.row(id)
        assert row is not None
        await unit.append(a_row(id, row.revision + 1, **changes), row.revision, [tick()])


@pytest.fixture
async def python() -> AsyncIterator[Callable[..., Any]]:
    """Starts another process that runs this code; whatever still runs at the end of the test is killed."""
    started: list[asyncio.subprocess.Process] = []

    async def run(code: str, *arguments: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, *arguments, cwd=ROOT, stdin=pipe, stdout=pipe
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()
