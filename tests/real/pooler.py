"""A real PgBouncer before the test run's PostgreSQL, handing every transaction another connection."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

PROGRAM = shutil.which("pgbouncer", path=f"{os.defpath}:/usr/sbin:/sbin:/usr/local/sbin")
_STARTS_WITHIN = 20.0


@contextmanager
def pooler(folder: Path, server: str, *, connections: int) -> Iterator[int]:
    """PgBouncer in transaction mode over the server whose socket is in the folder `server`, with so many connections to
    it for each database; its port on 127.0.0.1."""
    assert PROGRAM is not None
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n* = host={server} user=postgres\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = transaction\ndefault_pool_size = {connections}\nmax_client_conn = 200\n"
    )
    command = [PROGRAM, str(config)]
    if os.geteuid() == 0:  # which it refuses to run as; and only the server's own account may open its socket
        account = pwd.getpwuid(Path(server).stat().st_uid)
        command += ["-u", account.pw_name]
    log = folder / "pgbouncer.log"
    with log.open("wb") as written:
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + _STARTS_WITHIN
        while not _answers(port):
            alive = process.poll() is None and time.monotonic() < end
            assert alive, f"PgBouncer did not start:\n{log.read_text()}"
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _answers(port: int) -> bool:
    try:
        with psycopg.connect(f"host=127.0.0.1 port={port} user=postgres dbname=postgres connect_timeout=5"):
            return True
    except psycopg.OperationalError:
        return False
