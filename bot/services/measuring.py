"""Asks for many measures at once, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.domain.events import Measurement, Outcome
from bot.ports import TURN, Asked, History, Probe
from checklists.policy import ProbePolicy

AT_ONCE = 8
"""How many sources are asked at the same time: a check must not be a load of its own."""
WITHOUT_POLICY = timedelta(seconds=10)
"""How long a measure the policy has no source for may take."""
GRACE = timedelta(seconds=5)
"""What a source gets beyond its turn and the policy's timeout to say by itself that it timed out."""

log = structlog.get_logger(__name__)


async def measure_all(
    probe: Probe, names: Iterable[str], policies: Mapping[str, ProbePolicy], asked: Asked, *, at_once: int = AT_ONCE
) -> list[Measurement]:
    """One measurement for each different name, in the order of the names.

    Never raises (cancellation passes through): a source that hangs or breaks its contract is an error measurement, so
    that it cannot take the others with it.
    """
    turn = asyncio.Semaphore(at_once)

    async def one(name: str) -> Measurement:
        policy = policies.get(name)
        limit = (policy.timeout if policy else WITHOUT_POLICY) + GRACE + TURN
        async with turn:
            try:
                async with asyncio.timeout(limit.total_seconds()):
                    measurement = await probe.measure(name, policy, asked)
            except TimeoutError:
                return Measurement(
                    name=name, outcome=Outcome.ERROR, detail=f"no answer within {limit.total_seconds():.0f} s"
                )
            except Exception as error:
                log.exception("a probe broke its contract", measure=name)
                return Measurement(name=name, outcome=Outcome.ERROR, detail=f"the source broke: {type(error).__name__}")
        return measurement if measurement.name == name else measurement.model_copy(update={"name": name})

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(name)) for name in dict.fromkeys(names)]
    return [task.result() for task in tasks]


class OneAtATime:
    """`bot.ports.Probe` and `History` over another one: each measure of a service in an environment is asked once at a
    time.

    Who asks exactly the same (the same instant, the same version) meanwhile shares the answer; who asks something else
    about it, or for its past, waits until it is there.
    """

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._under_way: dict[tuple[str, str, str], _Question] = {}

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """See the port. Who asked first may give up: the others still get the answer, and the last one ends it."""
        key = (asked.service, asked.environment, name)
        while (other := self._under_way.get(key)) is not None and not other.answers(probe, asked):
            await asyncio.wait([other.answer])
        question = other or self._ask(key, name, probe, asked)
        question.waiting += 1
        try:
            return await asyncio.shield(question.answer)
        finally:
            question.waiting -= 1
            if question.waiting == 0:
                question.answer.cancel()  # nobody wants it any more; where it is there, nothing happens

    async def history(
        self, name: str, probe: ProbePolicy, asked: Asked, *, start: datetime, end: datetime, step: timedelta
    ) -> list[tuple[datetime, float]]:
        """What the other one knows of the past; empty where it knows nothing."""
        if not isinstance(self._probe, History):
            return []
        source, key = self._probe, (asked.service, asked.environment, name)
        while (other := self._under_way.get(key)) is not None:
            await asyncio.wait([other.answer])
        reading = asyncio.ensure_future(source.history(name, probe, asked, start=start, end=end, step=step))
        self._under_way[key] = _Question(probe, asked, reading)  # wanted by nobody else: its answer is none to them
        reading.add_done_callback(lambda _: self._under_way.pop(key))
        return await reading

    def _ask(self, key: tuple[str, str, str], name: str, probe: ProbePolicy | None, asked: Asked) -> _Question:
        answer = asyncio.ensure_future(self._probe.measure(name, probe, asked))
        question = self._under_way[key] = _Question(probe, asked, answer)
        answer.add_done_callback(lambda _: self._under_way.pop(key))
        return question


@dataclass(slots=True, eq=False)
class _Question:
    probe: ProbePolicy | None
    asked: Asked
    answer: asyncio.Future[Any]
    waiting: int = 0
    """How many want the answer; 0 again once it is being given up."""

    def answers(self, probe: ProbePolicy | None, asked: Asked) -> bool:
        """Whether its answer is one to this too."""
        return self.waiting > 0 and (self.probe, self.asked) == (probe, asked)
