"""What a check or an item asks its probes, and what is made of the answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.cards.announcement import measure_name, say_measurement
from bot.domain import events as e
from bot.domain.deployment import Deployment
from bot.domain.verdict import Finding, judge
from bot.ports import Asked, Probe
from bot.services.measuring import measure_all
from checklists.plan import Check, Plan, Task
from checklists.policy import Policy, ProbePolicy
from checklists.quantities import Band


async def ask_check(probe: Probe, plan: Plan, state: Deployment, check: Check, as_of: datetime) -> Finding:
    """Measure everything a check needs, also what only the rollback limits and the matrix name, and judge it."""
    policy = plan.policy
    needed = [*check.probes, *check.measure, *check.alert]
    if needed:
        needed += [
            *policy.rollback.alert,
            *(name for row in policy.matrix for name in row.when if name in policy.probes),
        ]
    probes = tuple(_parts(check.probes, policy.probes))
    measured = await measure_all(probe, _parts(needed, policy.probes), policy.probes, _asked(plan, state, as_of))
    return judge(
        measured,
        probes=probes,
        measure={**_own_targets(probes, policy), **check.measure},
        alert=check.alert,
        matrix=policy.matrix,
        rollback=policy.rollback,
    )


async def ask_limits(probe: Probe, plan: Plan, state: Deployment, as_of: datetime) -> tuple[e.Judged, ...]:
    """Only what may lead to a rollback, for a look between two checks."""
    policy = plan.policy
    names = list(_parts(policy.rollback.alert, policy.probes))
    measured = await measure_all(probe, names, policy.probes, _asked(plan, state, as_of))
    return judge(measured, probes=(), measure={}, alert={}, matrix=(), rollback=policy.rollback).judged


async def ask_recovery(probe: Probe, plan: Plan, state: Deployment, check: Check, as_of: datetime) -> Finding:
    """The measures of a check, of the version that a rollback goes back to."""
    policy = plan.policy
    to_version = state.rollback.to_version if state.rollback is not None else ""
    asked = replace(_asked(plan, state, as_of), version=to_version or state.started.version)
    needed = list(_parts([*check.probes, *check.measure, *policy.rollback.alert], policy.probes))
    measured = await measure_all(probe, needed, policy.probes, asked)
    probes = tuple(_parts(check.probes, policy.probes))
    return judge(
        measured,
        probes=probes,
        measure={**_own_targets(probes, policy), **check.measure},
        alert={},
        matrix=(),
        rollback=policy.rollback,
    )


async def ask_items(
    probe: Probe, plan: Plan, state: Deployment, tasks: Sequence[Task], as_of: datetime
) -> dict[str, str]:
    """The items whose probe is healthy: id -> what was found, in words. What is unknown ticks nothing."""
    policy = plan.policy
    names = {task.id: tuple(_parts([task.probe], policy.probes)) for task in tasks if task.probe}
    everything = [name for parts in names.values() for name in parts]
    measured = {m.name: m for m in await measure_all(probe, everything, policy.probes, _asked(plan, state, as_of))}
    healthy: dict[str, str] = {}
    for task in tasks:
        parts = names.get(task.id, ())
        targets = _own_targets(parts, policy)
        if task.target is not None and len(parts) == 1:
            targets = {parts[0]: task.target}
        elif len(parts) == 1 and parts[0] not in targets:
            targets |= _checked_targets(plan, parts[0])
        found = judge(
            [measured[name] for name in parts],
            probes=parts,
            measure=targets,
            alert={},
            matrix=(),
            rollback=policy.rollback.model_copy(update={"alert": {}}),
        )
        if found.verdict is e.Verdict.HEALTHY:
            healthy[task.id] = ", ".join(
                f"{measure_name(plan, name)} {say_measurement(measured[name])}" for name in parts
            )
    return healthy


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
