"""Baselines: the same measure in the time before T0, read from its source, less what other deployments did then."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from bot.domain import baseline
from bot.domain import events as e
from bot.domain.baseline import Disturbance, Normal
from bot.domain.deployment import Deployment
from bot.ports import TURN, Asked, DeploymentRow, History, Probe, Store, UnknownRecord
from bot.services.measuring import GRACE
from bot.services.records import load
from checklists.plan import Plan
from checklists.policy import ProbePolicy

log = structlog.get_logger(__name__)


async def others_before(store: Store, plan: Plan, state: Deployment) -> tuple[Disturbance, ...]:
    """What other deployments of this service here did in the time that baselines are taken from. Nothing is read where
    the policy has no baseline, and before T0."""
    longest = max((probe.before for probe in plan.policy.probes.values() if probe.baseline is not None), default=None)
    if longest is None or state.t0 is None:
        return ()
    start, end = state.t0 - longest, state.t0
    found: list[Disturbance] = []
    async with store.read() as unit:
        rows = await unit.rows(service=state.started.service, environment=state.started.environment)
        for row in rows:
            if row.id != state.id and _may_disturb(row, start, end):
                try:
                    found += baseline.disturbances(*await load(unit, row.id), start, end)
                except UnknownRecord as unknown:
                    log.warning("baselines.unread", deployment=row.id, problem=str(unknown))
                    found.append(_unread(row, end))
    return tuple(sorted(found, key=lambda one: (one.start, one.why)))


def _unread(row: DeploymentRow, end: datetime) -> Disturbance:
    """One that a newer release has written: nobody here knows what it did, so none of its time counts as normal."""
    over = row.ended_at + baseline.SETTLES if row.ended_at is not None else end
    return Disturbance(
        row.started_at, over, f"{row.version} was deployed by a newer gonogo, and nobody here can read it"
    )


def _may_disturb(row: DeploymentRow, start: datetime, end: datetime) -> bool:
    return row.started_at < end and (row.ended_at is None or row.ended_at + baseline.SETTLES > start)


async def against_before(
    probe: Probe,
    plan: Plan,
    asked: Asked,
    name: str,
    now: e.Measurement,
    disturbed: Sequence[Disturbance],
) -> e.Measurement:
    """The baseline probe `name`: how many times its value of the time before T0 another one has `now`. Never raises."""
    policy = plan.policy.probes[name]
    if now.outcome is not e.Outcome.MEASURED:
        return baseline.compare(name, now, Normal(None, policy.before))
    if asked.deployed_at is None:
        detail = "it is compared with the time before T0, and that is still to come"
        return e.Measurement(name=name, outcome=e.Outcome.NO_DATA, detail=detail, link=now.link)
    usual = await _normal(
        probe, plan.policy.probes.get(now.name), asked, asked.deployed_at, now.name, policy, disturbed
    )
    return baseline.compare(name, now, usual)


async def _normal(
    probe: Probe,
    of: ProbePolicy | None,
    asked: Asked,
    t0: datetime,
    name: str,
    policy: ProbePolicy,
    disturbed: Sequence[Disturbance],
) -> Normal:
    source: object = probe
    if of is None or not isinstance(source, History):
        return Normal(None, policy.before, "its source knows no past")
    limit: timedelta = of.timeout + GRACE + TURN
    start, step = t0 - policy.before, baseline.step_for(policy.before)
    try:
        async with asyncio.timeout(limit.total_seconds()):
            samples = await source.history(name, of, asked, start=start, end=t0, step=step)
    except TimeoutError:
        return Normal(None, policy.before, f"its source did not tell {baseline.time_before(policy.before)} in time")
    except Exception:
        log.exception("a source's past broke its contract", measure=name)
        return Normal(None, policy.before, "its source broke when it was asked for the past")
    return baseline.normal(samples, t0, policy.before, disturbed)
