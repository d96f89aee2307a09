"""Rings when something is due; decides nothing. The database remembers what is due (rule 5), APScheduler only rings.

Due work of different deployments is done side by side, of one deployment in order of its time. What takes long (a
source that hangs) stands aside and holds up only its own deployment.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.ports import Claimed, Clock, Deadline, Store, StoreError
from bot.services.checks import Checks
from bot.services.notices import Notices

LEASE = timedelta(seconds=120)
"""A process that dies gives its work back after this; one that lives renews it in time, however long a probe takes."""
EVERY = timedelta(seconds=5)
"""How often the database is asked at least: so late is what another process has made due."""
SOON = timedelta(milliseconds=100)
"""Between two rings at least: what is due within it is claimed together."""
BREATH = 0.05
"""Seconds between two looks for due work at least: what ends within it makes room together."""
CALM = 0.25
"""The same while nothing is under way: ticks are committed many a second, and hardly any of them makes work due."""
AT_ONCE = 32
"""How many works have a place at the same time. More would only queue for the processor and the database."""
ASIDE = 1.0
"""Seconds after which a work no longer counts as one of those: it waits for somebody else."""
MOST = 1_000
"""How many are under way at most, those that stand aside included."""
CROWD = 8
"""So many are begun at once without a thought for their sources."""
PER_SECOND = 100
"""How fast the looks of a crowd begin. Each is taken a minute after the one before it, so a crowd stays spread."""
LOOKS = ("breach", "recovery")
"""The looks between the checks, which are not named in any document."""
_ROUNDS = 1_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Begun:
    claimed: Claimed
    task: asyncio.Task[None]
    since: float
    """When it began, or will, on the loop's clock."""


class Scheduler:
    """Runs due work. Any number of processes may: a due row is claimed with a lease."""

    def __init__(self, store: Store, clock: Clock, checks: Checks, notices: Notices, *, owner: str) -> None:
        self._store, self._clock, self._checks, self._owner = store, clock, checks, owner
        self._notices = notices
        self._ringer = AsyncIOScheduler(timezone="UTC")
        self._turn = asyncio.Lock()
        """Held by whoever claims: the worker, or a `settle`, which wants to be alone."""
        self._worker: asyncio.Task[None] | None = None
        self._begun: dict[str, _Begun] = {}
        """Deployment -> the work under way for it: never two at the same time."""
        self._owed: list[tuple[float, Claimed]] = []
        """Work that the database could not be asked about, and from when on, by the loop's clock, it is given back."""
        self._failures: dict[str, int] = {}
        """How often in a row that happened to a deployment's work."""
        self._rung = False
        self._ringing = False
        self._stopping = asyncio.Event()

    def start(self) -> None:
        """Begin to ring, at once for what became due while nobody looked. Must be called inside the running loop."""
        self._ring_every(EVERY, self._ring, "due")
        self._ring_every(LEASE / 3, self._keep, "leases")
        self._ringer.start()
        self._ringing = True
        self.wake()

    async def stop(self) -> None:
        """Stop ringing, and let the work that has begun come to its end (APScheduler would cancel it)."""
        self._stopping.set()
        if self._ringing:
            self._ringing = False
            self._ringer.shutdown(wait=False)
        if self._worker is not None:
            await asyncio.gather(self._worker, return_exceptions=True)
        await self._all_ended()

    def wake(self) -> None:
        """Something new may be due. However often it is said, one worker looks; a process that does not ring does no
        due work."""
        self._rung = True
        if self._ringing and (self._worker is None or self._worker.done()):
            self._worker = asyncio.get_running_loop().create_task(self._work())

    async def settle(self) -> None:
        """Do all that is due now, and what became due by it: one after the other, in order of its time, once what was
        under way has ended. So a moved clock finds the same order every time."""
        async with self._turn:
            await self._all_ended()
            await self._give_back(float("inf"))
            await self._notices.settle()
            for _ in range(_ROUNDS):
                claimed = await self._store.claim_due(
                    self._clock.now(), self._owner, LEASE, limit=1, busy=tuple(self._checks.foreign)
                )
                for one in claimed:
                    await self._begin(one).task
                if not claimed or self._stopping.is_set():
                    return

    # --- side by side ---

    async def _work(self) -> None:
        while self._rung and self._ringing:
            self._rung = False
            try:
                async with self._turn:
                    await self._give_back(asyncio.get_running_loop().time())
                    await self._notices.settle()
                    await self._begin_due()
                    await self._ring_at_the_next()
            except StoreError as problem:
                log.warning("scheduler.failed", problem=str(problem))
            except Exception:
                log.exception("scheduler.failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BREATH if self._begun else CALM):
                    await self._stopping.wait()

    async def _begin_due(self) -> None:
        """Begin as much as there are places for; each is claimed only then, so that it has its whole lease."""
        for _ in range(_ROUNDS):
            places = self._places()
            if places <= 0 or self._stopping.is_set():
                return
            claimed = await self._store.claim_due(
                self._clock.now(), self._owner, LEASE, limit=places, busy=(*self._begun, *self._checks.foreign)
            )
            for one in claimed:
                self._begin(one, pause=pause_before(one.deadline, len(claimed)))
            if len(claimed) < places:
                return

    def _places(self) -> int:
        now = asyncio.get_running_loop().time()
        counted = [begun for begun in self._begun.values() if now - begun.since < ASIDE]
        places = min(AT_ONCE - len(counted), MOST - len(self._begun))
        if places <= 0 and counted:
            free = min(begun.since for begun in counted) + ASIDE
            asyncio.get_running_loop().call_at(max(free, now + SOON.total_seconds()), self.wake)
        return places

    def _begin(self, claimed: Claimed, *, pause: float = 0.0) -> _Begun:
        loop, deployment = asyncio.get_running_loop(), claimed.deadline.deployment
        task = loop.create_task(self._run(claimed, pause))
        begun = self._begun[deployment] = _Begun(claimed, task, loop.time() + pause)
        task.add_done_callback(functools.partial(self._ended, deployment))
        return begun

    def _ended(self, deployment: str, _task: asyncio.Task[None]) -> None:
        del self._begun[deployment]
        self.wake()

    async def _run(self, claimed: Claimed, pause: float) -> None:
        """Work that fails keeps its lease: it is tried again when that is over, and holds nobody up until then. What
        the database has failed is given back sooner."""
        try:
            if pause:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._stopping.wait()
                    await self._store.release_due(claimed)
                    return
            await self._checks.run_due(claimed)
            self._failures.pop(claimed.deadline.deployment, None)
        except StoreError as problem:
            self._put_off(claimed)
            about = {"deployment": claimed.deadline.deployment, "key": claimed.deadline.key}
            log.warning("scheduler.work_failed", problem=str(problem), **about)
        except Exception:
            log.exception("scheduler.work_failed", deployment=claimed.deadline.deployment, key=claimed.deadline.key)

    def _put_off(self, claimed: Claimed) -> None:
        """A database that was away for a moment must not cost a check the two minutes of its lease; one that cannot
        keep this very work is not asked again and again."""
        deployment = claimed.deadline.deployment
        failed = self._failures[deployment] = self._failures.get(deployment, 0) + 1
        wait = min(LEASE, EVERY * 2 ** min(failed - 1, 10))
        self._owed.append((asyncio.get_running_loop().time() + wait.total_seconds(), claimed))

    async def _give_back(self, now: float) -> None:
        """What was put off until `now`. Raises StoreError while the database is away; then it is tried again."""
        for one in [one for one in self._owed if one[0] <= now]:
            await self._store.release_due(one[1])
            self._owed.remove(one)

    async def _all_ended(self) -> None:
        while self._begun:
            await asyncio.wait([begun.task for begun in self._begun.values()])

    # --- ringing ---

    def _ring_every(self, every: timedelta, what: object, name: str) -> None:
        self._ringer.add_job(
            what,
            IntervalTrigger(seconds=int(every.total_seconds())),
            id=name,
            replace_existing=True,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )

    async def _ring_at_the_next(self) -> None:
        """Between two rings something may become due: then ring at that moment too."""
        now = self._clock.now()
        due = await self._store.next_due(after=now)
        if due is not None and due - now < EVERY and self._ringing:
            # How long until then is the product's time; when that is, the machine's.
            at = datetime.now(UTC) + max(due - now, SOON)
            self._ringer.add_job(self._ring, DateTrigger(at), id="next", replace_existing=True, misfire_grace_time=None)

    async def _ring(self) -> None:
        self.wake()

    async def _keep(self) -> None:
        """Renew the leases of what takes long."""
        if held := [begun.claimed for begun in self._begun.values()]:
            await self._store.keep_due(held, LEASE)


def pause_before(deadline: Deadline, crowd: int) -> float:
    """How many seconds a look waits that was claimed in a crowd of so many, so that their sources are not asked all at
    the same moment: a part of the time the crowd may take, the same one each time for a deployment.

    None where few are due, and none for what a document names (a check, a phase, a go): that begins at its time.
    """
    if crowd <= CROWD or deadline.key.partition(":")[0] not in LOOKS:
        return 0.0
    return zlib.crc32(deadline.deployment.encode()) / 2**32 * crowd / PER_SECOND
