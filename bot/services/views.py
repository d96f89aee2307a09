"""A deployment as cards need it: with the window as of now."""

from __future__ import annotations

from bot.cards.view import View
from bot.domain.deployment import Status
from bot.ports import Clock, Store
from bot.services.gate import Gate
from bot.services.records import load


class Views:
    """Reads only. `github`: it is connected."""

    def __init__(self, store: Store, clock: Clock, gate: Gate, *, github: bool = False) -> None:
        self._store, self._clock, self._gate, self._github = store, clock, gate, github

    async def bare(self, deployment: str) -> View:
        """One deployment now, without its window: no calendar is read, so none can be in the way. Raises
        UnknownDeployment."""
        async with self._store.read() as unit:
            plan, state = await load(unit, deployment)
        return View(plan, state, self._clock.now(), github=self._github)

    async def view(self, deployment: str) -> View:
        """One deployment now. Raises UnknownDeployment."""
        bare = await self.bare(deployment)
        plan, state, now = bare.plan, bare.state, bare.now
        if state.status not in (Status.WAITING, Status.RUNNING):
            return bare
        environment = state.started.environment
        at = max(now, state.planned_t0 or now)
        read = await self._gate.read_calendars(plan.policy, environment, at)
        async with self._store.read() as unit:
            opening = await self._gate.opening(
                unit, plan.policy, service=plan.service, environment=environment, at=at, read=read
            )
        return View(plan, state, now, opening, github=self._github)
