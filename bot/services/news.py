"""Items that tick themselves by what GitHub says are asked again when GitHub tells of a change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.domain import events as e
from bot.domain import workflows
from bot.domain.course import measurable, tick_measured
from bot.domain.deployment import Deployment
from bot.ports import Claimed, Clock, Probe, Store
from bot.services.asking import ask_items
from bot.services.records import Records, load
from bot.services.saving import finish
from checklists.plan import Plan, Task
from checklists.policy import Policy


class News:
    """Asks when it is due. `changed` is called after every commit."""

    def __init__(
        self, store: Store, clock: Clock, probe: Probe, records: Records, *, changed: Callable[[], None]
    ) -> None:
        self._store, self._clock, self._probe = store, clock, probe
        self._records, self._changed = records, changed

    async def run_due(self, claimed: Claimed) -> None:
        """`news:WHEN` of `bot.domain.workflows.due`."""
        deadline = claimed.deadline
        async with self._store.read() as unit:
            plan, state = await load(unit, deadline.deployment)
        tasks, now = waiting_items(plan, state), self._clock.now()
        healthy = await ask_items(self._probe, plan, state, tasks, now) if tasks else {}
        await finish(
            self._store, self._clock, self._records, claimed,
            lambda plan, state, now: tick_measured(plan, state, healthy, now),
        )  # fmt: skip
        self._changed()


def news(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
    """Items that are measured on GitHub are to be asked again, once for what comes in a burst."""
    return workflows.news_heard(state, now) if waiting_items(plan, state) else []


def waiting_items(plan: Plan, state: Deployment) -> list[Task]:
    """The open items that tick themselves by what GitHub says."""
    tasks = [task for step in plan.every_step() for task in measurable(plan, state, step.id)]
    return [task for task in tasks if task.probe and _on_github(plan.policy, task.probe)]


def _on_github(policy: Policy, name: str) -> bool:
    probe = policy.probes.get(name)
    names = (name, *(probe.all or ())) if probe is not None else ()
    return any((known := policy.probes.get(one)) is not None and known.github is not None for one in names)
