"""Processes that serve, each on a free port of 127.0.0.1, for as long as a measure takes."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import uvicorn

from tests.process import ROOT


def serve(app: Any) -> None:
    """Inside such a process: serve as gonogo does, and say where."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off")).run(sockets=[listener])


@contextlib.contextmanager
def server(module: str, *arguments: str, python: str = sys.executable, **environment: str) -> Iterator[str]:
    """A process that runs a module of ours and prints where; its address. Raises AssertionError if it does not
    start."""
    with tempfile.TemporaryFile() as errors:
        command = [python, "-m", module, *arguments]
        child = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            assert child.stdout is not None
            address = child.stdout.readline().strip()
            if not address.startswith("http"):
                child.kill()
                errors.seek(0)
                raise AssertionError(f"{module} did not start: {errors.read()[-2_000:].decode()}")
            yield address
        finally:
            child.kill()
            child.communicate()
