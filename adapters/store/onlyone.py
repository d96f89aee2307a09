"""One gonogo at a time on one SQLite file."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from adapters.store.engine import address, file_of
from bot.ports import StoreError

if sys.platform == "win32":
    import msvcrt

    # What is locked there cannot be read by others, so it is a byte far behind the number they want to read.
    _FAR = 1 << 30

    def _try_lock(handle: int) -> None:
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)
else:
    import fcntl

    def _try_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def hold(url: str) -> Iterator[None]:
    """Hold the SQLite file of this address against every other process; on PostgreSQL this does nothing.

    The lock belongs to the process and ends with it, however it ends. Raises StoreError if another process has it.
    """
    file = file_of(address(url))
    if file is None:
        yield
        return
    handle = _open(file)
    try:
        try:
            _try_lock(handle)
        except OSError:
            pid = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            raise StoreError(
                f"Another gonogo (pid {pid}) already runs on {file}. "
                "Stop it, or set GONOGO_DATABASE_URL to another database."
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        # The file stays: removing it would let a third process lock a new one while a second still waits for this one.
        os.close(handle)


def _open(file: Path) -> int:
    lock = file.resolve().with_name(f"{file.resolve().name}.lock")
    try:
        return os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(
            f"{lock} cannot be made ({error.strerror}). Check that its folder exists and that gonogo may write to it."
        ) from error
