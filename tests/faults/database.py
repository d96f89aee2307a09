"""Where gonogo keeps its facts during a campaign: a SQLite file, or a PostgreSQL that can be stopped and started."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg

from tests.faults import evidence
from tests.postgres_keeper import SETTINGS, Server
from tests.process import gonogo, new_database


class Sqlite:
    """One file."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        new_database(folder)
        self.url = f"sqlite:///{folder / 'gonogo.db'}"

    def stop(self) -> None:
        """Nothing runs."""


class Postgres(Server):
    """A throw-away server in a folder of its own, which survives being stopped hard."""

    name = "postgresql"

    def __init__(self, folder: Path) -> None:
        run = folder / "postgres"
        run.mkdir()
        run.chmod(0o711)
        folder.chmod(0o711)
        super().__init__(run)
        self.start()
        self.url = f"postgresql+psycopg://postgres@/gonogo?host={self.home}"
        with psycopg.connect(f"host={self.home} user=postgres dbname=postgres", autocommit=True) as server:
            server.execute("CREATE DATABASE gonogo")
        done = gonogo("migrate", folder=folder, GONOGO_DATABASE_URL=self.url)
        if done.returncode != 0:
            raise AssertionError(done.stderr)

    def _as_account(self) -> dict[str, object]:
        """It has nothing to say to whoever reads about the play."""
        return {**super()._as_account(), "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def restart(self, dice: random.Random, counts: Counter[str]) -> None:
        """Fast, or as if it had crashed; a moment away; and back. Blocks."""
        assert self.process is not None
        how = dice.choice([signal.SIGINT, signal.SIGQUIT])
        counts["PostgreSQL restarted" if how == signal.SIGINT else "PostgreSQL crashed"] += 1
        self.process.send_signal(how)
        self.process.wait(20)
        time.sleep(dice.uniform(0, 1.5))
        with contextlib.suppress(FileNotFoundError):
            (self.data / "postmaster.pid").unlink()
        options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command: list[Any] = [self._programs() / "postgres", "-D", self.data, "-k", self.home, *options]
        self.process = subprocess.Popen(command, **self._as_account())  # type: ignore[call-overload]
        end = time.monotonic() + 20
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("PostgreSQL did not come back")
            time.sleep(0.02)


Database = Sqlite | Postgres


def make(kind: str, folder: Path) -> Database:
    """`sqlite` or `postgresql`, migrated and empty."""
    return Sqlite(folder) if kind == "sqlite" else Postgres(folder)


def behind(url: str, chats: list[str], at: float) -> list[str]:
    """What is still to be shown, said or run as of an instant (seconds since 1970); empty once all has settled."""
    now = int(at * 1_000_000)
    found = [f"not yet said: {key}" for (key,) in evidence.rows(url, "SELECT key FROM outbox WHERE said_at IS NULL")]
    due = "SELECT key FROM deadlines WHERE done_at IS NULL AND due <= ?"
    found += [f"due and not done: {key}" for (key,) in evidence.rows(url, due, now)]
    shown = dict.fromkeys(
        (id, chat)
        for id, chat in evidence.rows(
            url, "SELECT id, chat FROM deployments JOIN mirrors ON deployment = id WHERE shown = revision"
        )
    )
    everything = [(id, chat) for (id,) in evidence.rows(url, "SELECT id FROM deployments") for chat in chats]
    return found + [f"{chat} is behind with {id}" for id, chat in everything if (id, chat) not in shown]


def left_by_the_killed(url: str, living: set[int]) -> list[str]:
    """What is held by processes that are no more. Others free it within seconds, where there still are any."""
    held = " UNION ".join(
        f"SELECT held_by FROM {table} WHERE held_by IS NOT NULL" for table in ("deadlines", "mirrors", "outbox")
    )
    every = f"{held} UNION SELECT held_by FROM leases WHERE name NOT LIKE ?"
    holders = evidence.rows(url, every, "life:%")
    return [holder for (holder,) in holders if int(holder.partition("-")[0]) not in living]


def live(url: str) -> list[tuple[str, str, str]]:
    """Deployments that have not ended: id, service, status."""
    return evidence.rows(url, "SELECT id, service, status FROM deployments WHERE live")


def busy(url: str) -> set[str]:
    """Services that somebody is deploying."""
    return {service for (service,) in evidence.rows(url, "SELECT service FROM deployments WHERE locked")}
