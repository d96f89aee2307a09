"""Asks for many measures at once, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta

import structlog

from bot.domain.events import Measurement, Outcome
from bot.ports import Asked, Probe
from checklists.policy import ProbePolicy

AT_ONCE = 8
"""How many sources are asked at the same time: a check must not be a load of its own."""
WITHOUT_POLICY = timedelta(seconds=10)
"""How long a measure the policy has no source for may take."""
GRACE = timedelta(seconds=5)
"""What a source gets beyond the policy's timeout to say by itself that it timed out."""

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
        limit = (policy.timeout if policy else WITHOUT_POLICY) + GRACE
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
