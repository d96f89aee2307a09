"""What the sources know of the time in which nobody measured, before T0 and between the checks: for the pictures."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from bot.cards.charts import MOST_CURVES, charted
from bot.domain import events as e
from bot.domain.deployment import Deployment
from bot.domain.measured import last_measured
from bot.ports import Asked, History, Probe
from checklists.plan import Plan

BEFORE = timedelta(hours=1)
"""So long before T0 the first picture begins."""
MOST = 60
"""Points of one measure that are kept with a check: they are facts, and stay for ever."""
SHORTEST = timedelta(minutes=4)
"""A series that measures more often than this tells its own past."""
STEP = timedelta(minutes=1)
PATIENCE = 5.0
"""Seconds a check waits for its past; without it, its picture shows what was measured."""

log = structlog.get_logger(__name__)


async def read_past(
    probe: Probe, plan: Plan, state: Deployment, judged: Sequence[e.Judged], as_of: datetime
) -> tuple[e.Past, ...]:
    """What the sources of the measures that are drawn know of the time since each was last measured; at first, since an
    hour before T0. Empty where a source has no past. Never raises."""
    source: object = probe
    if state.t0 is None or not isinstance(source, History):
        return ()
    measured = [one.measurement for one in judged if one.measurement.outcome is e.Outcome.MEASURED]
    names = charted(plan, {one.name: one.dimension for one in measured}, MOST_CURVES)
    read = (_read(source, plan, state, name, as_of) for name in names)
    return tuple(past for past in await asyncio.gather(*read) if past is not None)


async def _read(source: History, plan: Plan, state: Deployment, name: str, as_of: datetime) -> e.Past | None:
    assert state.t0 is not None
    policy, last = plan.policy.probes.get(name), last_measured(plan, state, name)
    start = last or state.t0 - BEFORE
    if policy is None or policy.baseline is not None or as_of - start < SHORTEST:
        return None
    asked = Asked(plan.service, plan.environment, state.started.version, as_of, plan.policy.repository, state.t0)
    step = max(STEP, timedelta(minutes=math.ceil((as_of - start) / MOST / STEP)))
    try:
        async with asyncio.timeout(PATIENCE):
            found = await source.history(name, policy, asked, start=start, end=as_of, step=step)
    except TimeoutError:
        log.info("past.slow", measure=name)
        return None
    except Exception:
        log.exception("a source's past broke its contract", measure=name)
        return None
    known = [(at, value) for at, value in found if start < at < as_of and math.isfinite(value)][-MOST:]
    points = tuple((round((at - start).total_seconds()), float(f"{value:.4g}")) for at, value in known)
    return e.Past(name=name, start=start, points=points) if points else None
