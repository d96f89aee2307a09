"""The processes: real ones, started again whenever they end, killed at a moment that is looked for in the database."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import signal
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.evidence import conninfo
from tests.faults.nursery import TELL, Child, Nursery

ENDS_WITHIN = 20.0
"""Seconds that a process asked to stop may take."""
STARTS_WITHIN = 45.0
AWAY = ("Check that the server runs", "Try again when it is back")
"""What a process says that finds no PostgreSQL when it starts; its supervisor starts it again."""
GAPS = {
    "a command or click is committed": "SELECT count(*) FROM deliveries",
    "facts are committed": "SELECT count(*) FROM events",
    "it is about to say something": "SELECT held_by FROM outbox WHERE said_at IS NULL AND first_tried IS NOT NULL",
    "it has said something": "SELECT count(*) FROM outbox WHERE said_at IS NOT NULL",
    "it is about to post a card": "SELECT held_by FROM mirrors m WHERE held_by IS NOT NULL AND EXISTS"
    " (SELECT 1 FROM posted_cards p WHERE p.deployment = m.deployment AND p.chat = m.chat AND p.message IS NULL)",
    "it has posted a card": "SELECT count(*) FROM posted_cards WHERE message IS NOT NULL",
    "a check is measured": "SELECT held_by FROM deadlines WHERE done_at IS NULL AND held_by IS NOT NULL",
    "a check is saved": "SELECT count(*) FROM deadlines WHERE done_at IS NOT NULL",
}
"""Moments between two steps: a count that grows, or somebody who holds a row."""


@dataclass(eq=False)
class Member:
    """One process."""

    slot: int
    role: str
    child: Child
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=400))
    """The end of what it wrote to standard error."""
    asked: int = 0
    """The signal it was sent."""
    asked_at: float = 0.0
    since: float | None = None
    """From when it was there to work."""

    @property
    def pid(self) -> int:
        return self.child.pid


class Fleet:
    """Keeps one process in every slot between `start` and `stop`."""

    def __init__(
        self, roles: Sequence[str], environment: dict[str, str], dice: random.Random, planted: str = ""
    ) -> None:
        """`planted` is a mistake of theirs."""
        self._roles, self._dice = roles, dice
        self._nursery = Nursery(planted)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GONOGO_")}
        self._environment = {**kept, "GONOGO_PORT": "0", **environment}
        self.members: dict[int, Member] = {}
        self.kills: Counter[str] = Counter()
        self.stops = 0
        self.problems: list[str] = []
        self.noise: Counter[str] = Counter()
        """What was logged as an error, by its event."""
        self.up: list[tuple[float, float]] = []
        self.pause = (0.0, 0.4)
        """Seconds until a slot is filled again."""
        self._slots: list[asyncio.Task[None]] = []
        self._stopping = False

    # --- keeping them ---

    async def start(self) -> None:
        """Begin to keep every slot filled."""
        await self._nursery.open()
        self._slots = [asyncio.create_task(self._keep(slot, role)) for slot, role in enumerate(self._roles)]

    async def all_ready(self) -> None:
        """Until every slot has a process that is there to work."""
        end = time.monotonic() + STARTS_WITHIN
        while len(self.ready) < len(self._roles):
            if time.monotonic() > end:
                said = "; ".join(map(_tail, self.members.values()))
                self.problems.append(f"4: {len(self.ready)} of {len(self._roles)} processes started: {said}")
                return
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Ask all to end, as a supervisor does."""
        self._stopping = True
        for member in list(self.members.values()):
            if member.ready.is_set():
                self.term(member)
            else:
                self.kill(member, "starting")
        await asyncio.gather(*self._slots)
        await self._nursery.close()

    async def abandon(self) -> None:
        """After something has failed."""
        self._stopping = True
        for slot in self._slots:
            slot.cancel()
        for member in self.members.values():
            member.child.send(signal.SIGKILL)
        await asyncio.gather(*self._slots, return_exceptions=True)
        await self._nursery.close()

    @property
    def ready(self) -> list[Member]:
        """Those that are there to work, and were not sent a signal."""
        return [each for each in self.members.values() if each.ready.is_set() and not each.asked]

    def member(self, pid: int | None) -> Member | None:
        """The one of this process id, or any; None while there is none."""
        found = [each for each in self.members.values() if each.pid == pid]
        there = found or [each for each in self.members.values() if not each.asked]
        return self._dice.choice(there) if there else None

    async def _keep(self, slot: int, role: str) -> None:
        while not self._stopping:
            child = await self._nursery.fork(role, self._environment)
            member = self.members[slot] = Member(slot, role, child)
            reading = [asyncio.create_task(self._out(member)), asyncio.create_task(self._err(member))]
            await self._ended(member)
            if member.since is not None:
                self.up.append((member.since, time.time()))
            await asyncio.gather(*reading)
            self.members.pop(slot, None)
            self._judge(member)
            if not self._stopping:
                await asyncio.sleep(self._dice.uniform(*self.pause))

    async def _ended(self, member: Member) -> None:
        gone = asyncio.create_task(member.child.wait())
        while not gone.done():
            await asyncio.wait({gone}, timeout=0.5)
            if not gone.done() and member.asked == signal.SIGTERM and time.time() - member.asked_at > ENDS_WITHIN:
                member.child.send(TELL)
                await asyncio.sleep(1)  # it says what it waits for
                self.problems.append(f"4: asked to stop, it did not within {ENDS_WITHIN:.0f} s: {member.lines}")
                member.asked = signal.SIGKILL
                member.child.send(signal.SIGKILL)

    async def _out(self, member: Member) -> None:
        async for line in member.child.stdout:
            if line.startswith(b"gonogo:"):
                member.since = time.time()
                member.ready.set()

    async def _err(self, member: Member) -> None:
        async for raw in member.child.stderr:
            line = raw.decode(errors="replace").rstrip()
            member.lines.append(line)
            if "[error" in line:
                self.noise[line.partition("]")[2].strip()[:100]] += 1

    def _judge(self, member: Member) -> None:
        code = member.child.returncode
        if member.asked == signal.SIGKILL or (member.asked == signal.SIGTERM and not member.ready.is_set()):
            return
        if not member.ready.is_set() and any(words in line for line in member.lines for words in AWAY):
            self.noise["started while the database was away"] += 1
        elif member.asked != signal.SIGTERM:
            self.problems.append(f"4: it ended by itself with {code}: {_tail(member)}")
        elif code != 0:
            self.problems.append(f"4: asked to stop, it ended with {code}: {_tail(member)}")

    def tails(self) -> str:
        """What each process wrote to standard error of late."""
        return "\n\n".join("\n".join(each.lines) for each in self.members.values())

    # --- breaking them ---

    def kill(self, member: Member | None, why: str) -> bool:
        """kill -9, now."""
        if member is None or member.asked == signal.SIGKILL or member.child.returncode is not None:
            return False
        member.asked = signal.SIGKILL
        member.child.send(signal.SIGKILL)
        self.kills[why] += 1
        return True

    def term(self, member: Member) -> None:
        """SIGTERM."""
        if member.asked or member.child.returncode is not None:
            return
        self.fill_disk(member, full=False)
        member.asked = signal.SIGTERM
        member.asked_at = time.time()
        member.child.send(signal.SIGTERM)
        self.stops += 1

    @staticmethod
    def fill_disk(member: Member, *, full: bool) -> None:
        """From now on no file of this process can grow beyond a page, as on a full disk; or it can again."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            _, most = resource.prlimit(member.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(member.pid, resource.RLIMIT_FSIZE, (4096 if full else most, most))


def _tail(member: Member) -> str:
    return " | ".join(list(member.lines)[-12:])


# --- looking for the moment ------------------------------------------------------------------------------------------


def wait_for_gap(url: str, gap: str, seconds: float, over: threading.Event) -> int | None:
    """Look as fast as the database answers until the moment has come; who holds the row then (0: nobody is named).
    None: it did not come. For a thread of its own."""
    end = time.monotonic() + seconds
    with contextlib.suppress(sqlite3.Error, psycopg.Error), contextlib.closing(_connected(url)) as connection:
        cursor = connection.cursor()
        query: Any = GAPS[gap] if url.startswith("sqlite") else GAPS[gap].encode()
        before = cursor.execute(query).fetchall()
        before = before if "count" in GAPS[gap] else []
        while time.monotonic() < end and not over.is_set():
            found = cursor.execute(query).fetchall()
            if found and found != before:
                holder = found[0][0]
                return int(holder.partition("-")[0]) if isinstance(holder, str) else 0
            time.sleep(0.0005)
    return None


def _connected(url: str) -> Any:
    if url.startswith("sqlite"):
        return sqlite3.connect(url.removeprefix("sqlite:///"), timeout=1, isolation_level=None)
    return psycopg.connect(conninfo(url), autocommit=True)


def pid_behind(port: int, pids: Iterable[int]) -> int | None:
    """Which of these processes has a connection from this port; None where the system does not tell."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                words = line.split()
                if int(words[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{words[9]}]")
    for pid in pids:
        with contextlib.suppress(OSError):
            for handle in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{pid}/fd/{handle}") in inodes:
                        return pid
    return None
