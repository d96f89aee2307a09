"""A real `gonogo` process, and its database as anybody with a SQLite shell sees it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.store.migrate import migrate

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
_CLOCK = "clock_offset"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# --- the process ------------------------------------------------------------------------------------------------------


class Process:
    """One `gonogo run` (or another `role`) over the database in a folder, started at once; with `wait`, until it says
    where its page is."""

    address = ""

    def __init__(self, folder: Path, *arguments: str, role: str = "run", wait: bool = True, **environment: str) -> None:
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GONOGO_")},
            "GONOGO_PORT": "0",
            "GONOGO_DATABASE_URL": f"sqlite:///{folder / 'gonogo.db'}",
            **environment,
        }
        self._errors = folder / f"stderr-{role}.txt"
        with self._errors.open("wb") as errors:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "bot", role, *arguments],
                cwd=ROOT,
                env=env,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        if wait and not self.started():
            raise AssertionError(f"gonogo did not start: {self.errors}")

    def started(self) -> bool:
        """Wait until it says where its page is; False: it ended instead."""
        line = self.child.stdout.readline() if self.child.stdout else ""
        found = ADDRESS.search(line)
        if found is None:
            self.child.communicate(timeout=20)
            return False
        self.address = found[0]
        return True

    @property
    def errors(self) -> str:
        """What it has written to standard error."""
        return self._errors.read_text()

    def stop(self, sig: int = signal.SIGTERM) -> tuple[int, str]:
        """End it with a signal; its exit code, and what it wrote to standard error."""
        if self.child.poll() is None:
            self.child.send_signal(sig)
        self.child.communicate(timeout=20)
        return self.child.returncode, self.errors


def gonogo(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself, run in a folder of its own."""
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GONOGO_")},
        "PYTHONPATH": str(ROOT),
        "GONOGO_PORT": "0",
        **environment,
    }
    command = [sys.executable, "-m", "bot", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=50, check=False)


# --- the database, with SQL of our own --------------------------------------------------------------------------------


class Records:
    """The database as anybody with a SQLite shell sees it; nothing of gonogo's own code is used."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "gonogo.db"

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query gives."""
        with contextlib.closing(sqlite3.connect(self.file, timeout=10)) as connection:
            return connection.execute(query, values).fetchall()

    def change(self, statement: str, *values: object) -> None:
        """Change something behind gonogo's back; the process should not run."""
        with contextlib.closing(sqlite3.connect(self.file, timeout=10)) as connection, connection:
            connection.execute(statement, values)

    def facts(self, kind: str = "%", version: str = "%") -> list[dict[str, Any]]:
        """The facts of deployments, in order."""
        found = self.rows(
            "SELECT body FROM events JOIN deployments ON id = deployment WHERE kind LIKE ? AND version LIKE ?"
            " ORDER BY started_at, deployment, seq",
            kind,
            version,
        )
        return [json.loads(body) for (body,) in found]

    def at(self, kind: str, version: str = "%") -> datetime:
        """When the first fact of a kind happened."""
        return datetime.fromisoformat(self.facts(kind, version)[0]["at"])

    def everything(self) -> list[tuple[Any, ...]]:
        """All facts there are, but for the record of starts turned away: what must be the same after something that
        changes nothing."""
        return self.rows(
            "SELECT deployment, seq, body FROM events"
            " UNION ALL SELECT '', seq, body FROM calendar_events WHERE kind <> 'turned_away'"
        )

    @staticmethod
    def instant(text: str) -> int:
        """An instant as the database keeps it: microseconds since 1970."""
        return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)

    def now(self) -> int:
        """What the sandbox's clock says, as the database keeps it."""
        found = self.rows("SELECT value FROM sandbox_settings WHERE key = ?", _CLOCK)
        return (datetime.now(UTC) - _EPOCH) // timedelta(microseconds=1) + (int(found[0][0]) if found else 0)

    def set_clock(self, at: datetime) -> None:
        """Make the sandbox's clock say this instant now."""
        self._offset(at - datetime.now(UTC))

    def shift_clock(self, by: timedelta) -> None:
        """As if this much time had passed while nothing ran."""
        found = self.rows("SELECT value FROM sandbox_settings WHERE key = ?", _CLOCK)
        self._offset(timedelta(microseconds=int(found[0][0]) if found else 0) + by)

    def _offset(self, offset: timedelta) -> None:
        self.change(
            "INSERT INTO sandbox_settings (key, value) VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            _CLOCK,
            str(offset // timedelta(microseconds=1)),
        )


@functools.cache
def _migrated() -> Path:
    """An empty database, migrated once for all tests of this process."""
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("TEST_RUN_FOLDER")))
    with ThreadPoolExecutor(1) as elsewhere:  # a test may have a loop of its own
        elsewhere.submit(asyncio.run, migrate(f"sqlite:///{folder / 'gonogo.db'}")).result()
    return folder / "gonogo.db"


def new_database(folder: Path, at: str = "") -> Records:
    """An empty database in a folder; `at` is what the sandbox's clock says there, UTC: "2026-11-20 16:30"."""
    shutil.copy(_migrated(), folder / "gonogo.db")
    records = Records(folder)
    if at:
        records.set_clock(datetime.fromisoformat(f"{at}+00:00"))
    return records
