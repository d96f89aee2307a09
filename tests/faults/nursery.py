"""Where processes come from: one that has loaded gonogo's code forks each of them, so that a start costs what gonogo
does when it starts, and not two seconds of reading its libraries. What is forked runs the command line as it is.

    python -m tests.faults.nursery PLANTED    (with one end of a socket pair as standard input)

A request is a message {role, environment} with two handles, for standard output and standard error; the answers are
{began: pid} and, whenever one has ended, {ended: pid, code}.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import sys
from collections import deque
from typing import Any, NoReturn

from tests.process import ROOT

MESSAGE = 1 << 16
TELL = signal.SIGUSR2
"""Makes a process say what it is waiting for."""
PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that Linux sends when the parent has gone."""
LOADED = (
    "bot.__main__", "bot.app", "adapters.slack.adapter", "adapters.discord.adapter", "adapters.store.migrate",
    "psycopg", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite", "alembic",
)  # fmt: skip


class Child:
    """One process that was forked. `returncode` is None until it has ended, and negative when a signal ended it."""

    def __init__(self, pid: int, stdout: asyncio.StreamReader, stderr: asyncio.StreamReader) -> None:
        self.pid, self.stdout, self.stderr = pid, stdout, stderr
        self.returncode: int | None = None
        self._gone = asyncio.Event()

    def send(self, sig: int) -> None:
        """A signal; nothing when it has ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    async def wait(self) -> int:
        """Until it has ended; how."""
        await self._gone.wait()
        assert self.returncode is not None
        return self.returncode

    def ended(self, code: int) -> None:
        """The nursery has said so."""
        self.returncode = code
        self._gone.set()


class Nursery:
    """Forks processes. Ending it ends none of them."""

    def __init__(self, planted: str = "") -> None:
        self._planted = planted
        self._children: dict[int, Child] = {}
        self._answers: deque[asyncio.Future[int]] = deque()

    async def open(self) -> None:
        """Start it; the first request waits until the code is loaded."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.nursery", self._planted, stdin=theirs.fileno(), cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        theirs.close()
        ours.setblocking(False)
        self._link = ours
        self._hearing = asyncio.create_task(self._hear())

    async def fork(self, role: str, environment: dict[str, str]) -> Child:
        """`gonogo ROLE` in this environment and no other."""
        out, err = os.pipe(), os.pipe()
        said: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._answers.append(said)
        request = json.dumps({"role": role, "environment": environment}).encode()
        socket.send_fds(self._link, [request], [out[1], err[1]])
        os.close(out[1])
        os.close(err[1])
        readers = [await _reader(out[0]), await _reader(err[0])]
        child = Child(await said, *readers)
        code = self._early.pop(child.pid, None)
        self._children[child.pid] = child
        if code is not None:
            self._over(child.pid, code)
        return child

    async def close(self) -> None:
        """It ends. Again does nothing."""
        if self._link.fileno() < 0:
            return
        self._hearing.cancel()
        await asyncio.gather(self._hearing, return_exceptions=True)
        self._link.close()
        await self._process.wait()

    async def _hear(self) -> None:
        self._early: dict[int, int] = {}
        loop = asyncio.get_running_loop()
        while raw := await loop.sock_recv(self._link, MESSAGE):
            told = json.loads(raw)
            if "began" in told:
                self._answers.popleft().set_result(told["began"])
            elif told["ended"] in self._children:
                self._over(told["ended"], told["code"])
            else:
                self._early[told["ended"]] = told["code"]
        for waiting in self._answers:
            waiting.set_exception(RuntimeError("the nursery has ended"))

    def _over(self, pid: int, code: int) -> None:
        self._children.pop(pid).ended(code)


async def _reader(handle: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=1 << 20)
    pipe = os.fdopen(handle, "rb", buffering=0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader


# --- inside ----------------------------------------------------------------------------------------------------------


def main() -> None:
    """Fork whatever is asked for, until nobody is there to ask."""
    for name in LOADED:
        __import__(name)
    if planted := sys.argv[1]:
        from tests.faults import planted as mistakes

        mistakes.plant(planted)
    link = socket.socket(fileno=os.dup(0))
    awake, waker = socket.socketpair()
    waker.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([link, awake], [], [])
        if awake in ready:
            awake.recv(4096)
            _reap(link)
        if link in ready:
            try:
                raw, handles, _, _ = socket.recv_fds(link, MESSAGE, 2)
            except ConnectionError:
                return
            if not raw:
                return
            pid = os.fork()
            if pid == 0:
                link.close()
                awake.close()
                _live(json.loads(raw), handles)
            for handle in handles:
                os.close(handle)
            link.send(json.dumps({"began": pid}).encode())


def _reap(link: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            link.send(json.dumps({"ended": pid, "code": os.waitstatus_to_exitcode(status)}).encode())


def _tell(*_: object) -> None:
    """What every task waits for, to standard error."""
    for task in asyncio.all_tasks():
        task.print_stack(file=sys.stderr)


def _live(asked: dict[str, Any], handles: list[int]) -> NoReturn:
    code = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # whatever happens to the play, nobody is left over
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), 0)
        for number, handle in enumerate(handles, 1):
            os.dup2(handle, number)
            os.close(handle)
        os.environ.clear()
        os.environ.update(asked["environment"])
        signal.signal(TELL, _tell)
        sys.argv = ["gonogo", asked["role"]]
        from bot.__main__ import cli

        cli()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
