"""What a check or an item asks its probes, and what is made of the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.cards.announcement import measure_name, say_measurement
from bot.domain import events as e
from bot.domain.baseline import Disturbance
from bot.domain.deployment import Deployment
from bot.domain.measured import Healthy
from bot.domain.verdict import Finding, judge
from bot.ports import Asked, Probe
from bot.services.baselines import against_before
from bot.services.measuring import measure_all
from checklists.plan import Check, Plan, Task
from checklists.policy import Policy, ProbePolicy
from checklists.quantities import Band


async def ask_check(
    probe: Probe,
    plan: Plan,
    state: Deployment,
    check: Check,
    as_of: datetime,
    *,
    disturbed: Sequence[Disturbance] = (),
) -> Finding:
    """Measure everything a check needs, also what only the rollback limits and the matrix name, and judge it.
    `disturbed` is what baselines leave out."""
    policy = plan.policy
    needed = [*check.probes, *check.measure, *check.alert, *check.minimum]
    if needed:
        needed += [
            *policy.rollback.alert,
            *(name for row in policy.matrix for name in row.when if name in policy.probes),
        ]
    probes = tuple(_parts(check.probes, policy.probes))
    return judge(
        await _measured(probe, plan, state, needed, as_of, disturbed),
        probes=probes,
        measure={**_own_targets(probes, policy), **check.measure},
        alert=check.alert,
        matrix=policy.matrix,
        rollback=policy.rollback,
        minimum=check.minimum,
        critical=tuple(_parts(check.critical, policy.probes)),
    )


async def ask_limits(
    probe: Probe, plan: Plan, state: Deployment, as_of: datetime, *, disturbed: Sequence[Disturbance] = ()
) -> tuple[e.Judged, ...]:
    """Only what may lead to a rollback, for a look between two checks."""
    rollback = plan.policy.rollback
    measured = await _measured(probe, plan, state, rollback.alert, as_of, disturbed)
    return judge(measured, probes=(), measure={}, alert={}, matrix=(), rollback=rollback).judged


async def ask_recovery(
    probe: Probe,
    plan: Plan,
    state: Deployment,
    check: Check,
    as_of: datetime,
    *,
    disturbed: Sequence[Disturbance] = (),
) -> Finding:
    """The measures of a check, of the version that a rollback goes back to. Its evidence is needed here too. Where that
    version is not known, what would be compared with it cannot be told: never the version that is left."""
    policy = plan.policy
    to_version = state.rollback.to_version if state.rollback is not None else ""
    needed = [*check.probes, *check.measure, *check.minimum, *policy.rollback.alert]
    probes = tuple(_parts(check.probes, policy.probes))
    return judge(
        await _measured(probe, plan, state, needed, as_of, disturbed, version=to_version),
        probes=probes,
        measure={**_own_targets(probes, policy), **check.measure},
        alert={},
        matrix=(),
        rollback=policy.rollback,
        minimum=check.minimum,
    )


async def ask_items(
    probe: Probe,
    plan: Plan,
    state: Deployment,
    tasks: Sequence[Task],
    as_of: datetime,
    *,
    disturbed: Sequence[Disturbance] = (),
) -> dict[str, Healthy]:
    """The items whose probe is healthy: id -> what was found. What is unknown ticks nothing; where a check of
    the same probe needs a minimum of evidence, so does the item."""
    policy = plan.policy
    names = {task.id: tuple(_parts([task.probe], policy.probes)) for task in tasks if task.probe}
    minimums = {task.id: _evidence(plan, state, task, names.get(task.id, ())) for task in tasks}
    everything = [name for parts in [*names.values(), *minimums.values()] for name in parts]
    measured = {one.name: one for one in await _measured(probe, plan, state, everything, as_of, disturbed)}
    healthy: dict[str, Healthy] = {}
    for task in tasks:
        parts = names.get(task.id, ())
        targets = _own_targets(parts, policy)
        if task.target is not None and len(parts) == 1:
            targets = {parts[0]: task.target}
        elif len(parts) == 1 and parts[0] not in targets:
            targets |= _checked_targets(plan, parts[0])
        found = judge(
            [measured[name] for name in dict.fromkeys([*parts, *minimums[task.id]])],
            probes=parts,
            measure=targets,
            alert={},
            matrix=(),
            rollback=policy.rollback.model_copy(update={"alert": {}}),
            minimum=minimums[task.id],
        )
        if found.verdict is e.Verdict.HEALTHY:
            words = ", ".join(f"{measure_name(plan, name)} {say_measurement(measured[name])}" for name in parts)
            link = next((one.link for name in parts if (one := measured[name]).link), None)
            healthy[task.id] = Healthy(words, link)
    return healthy


async def _measured(
    probe: Probe,
    plan: Plan,
    state: Deployment,
    names: Iterable[str],
    as_of: datetime,
    disturbed: Sequence[Disturbance],
    *,
    version: str | None = None,
) -> list[e.Measurement]:
    """One measurement of each of these, or of their parts; a baseline is made of what it compares, asked for once."""
    policies = plan.policy.probes
    asked = _asked(plan, state, as_of)
    asked = replace(asked, version=asked.version if version is None else version)
    wanted = list(_parts(names, policies))
    base = {name: of for name in wanted if (of := _base(policies, name)) is not None}
    plain = [name for name in wanted if name not in base]
    found = {one.name: one for one in await measure_all(probe, [*plain, *base.values()], policies, asked)}
    compared = (against_before(probe, plan, asked, name, found[of], disturbed) for name, of in base.items())
    found |= {one.name: one for one in await asyncio.gather(*compared)}
    return [found[name] for name in wanted]


def _base(policies: Mapping[str, ProbePolicy], name: str) -> str | None:
    """What a baseline probe compares; None for any other, and for one that compares a baseline, or what is made of
    several, which nobody can: that has no source."""
    policy = policies.get(name)
    of = policies.get(policy.baseline) if policy is not None and policy.baseline is not None else None
    whole = of is not None and of.all is None and of.baseline is None
    return policy.baseline if policy is not None and whole else None


def _evidence(plan: Plan, state: Deployment, task: Task, parts: Sequence[str]) -> dict[str, Band]:
    """The minimum of evidence of the check that measures what an item is bound to, after T0; of several that of the
    item's own phase."""
    if state.t0 is None:
        return {}
    probes = plan.policy.probes
    found = [
        check
        for check in plan.checks
        if check.minimum and set(parts) & set(_parts([*check.probes, *check.measure, *check.alert], probes))
    ]
    return max(found, key=lambda check: check.phase == task.phase).minimum if found else {}


def _asked(plan: Plan, state: Deployment, as_of: datetime) -> Asked:
    return Asked(plan.service, plan.environment, state.started.version, as_of, plan.policy.repository, state.t0)


def _parts(names: Iterable[str | None], probes: Mapping[str, ProbePolicy]) -> Iterator[str]:
    """Each name once; a probe that is healthy when `all` others are stands for those."""
    seen: set[str] = set()
    waiting = [name for name in names if name]
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        probe = probes.get(name)
        if probe is not None and probe.all is not None:
            waiting[:0] = probe.all
        else:
            yield name


def _own_targets(names: Iterable[str], policy: Policy) -> dict[str, Band]:
    """What the probes themselves say is healthy."""
    known = ((name, policy.probes.get(name)) for name in names)
    return {name: probe.target for name, probe in known if probe is not None and probe.target is not None}


def _checked_targets(plan: Plan, name: str) -> dict[str, Band]:
    """What the first check that measures it says is healthy."""
    return next(({name: check.measure[name]} for check in plan.checks if name in check.measure), {})
