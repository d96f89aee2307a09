"""The lock of a service, told to the address that the policy names (`lock_webhook`): the team's own "deployment in
progress" flag.

Every change goes into the outbox in the transaction that makes it, so that none is forgotten. `bot.calls` makes the
calls. A call tells how it stands at that moment (`told_now`): where a deployment has ended and a person's lock still
stands, that is `locked`, with the person's reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.cards.card import Card
from bot.cards.lock_json import free_json, freed_json, held_json, locked_json, place_of, unlocked_json
from bot.domain.calendar_facts import Locked
from bot.domain.deployment import Status
from bot.domain.locks import locked_by
from bot.domain.people import GONOGO, Who
from bot.ports import DeploymentRow, Outgoing, Unit
from checklists.policy import Policy

CALLS = "webhook"
"""What the outbox calls the calls: a chat without people, whose channels are addresses."""


class LockMirror:
    """Writes down what is to be told. A policy without `lock_webhook` has nobody to tell."""

    async def moved(
        self, unit: Unit, policy: Policy, before: DeploymentRow | None, row: DeploymentRow, by: Who, now: datetime
    ) -> None:
        """A deployment's facts were saved: has it taken the lock, or freed it?"""
        held, holds = before is not None and _holds(before), _holds(row)
        key, here = f"{row.id}:lock:{row.revision}", (row.service, row.environment)
        if holds and not held:
            await self._tell(unit, policy, key, *here, held_json(row, now))
        elif held and not holds:
            await self._tell(unit, policy, key, *here, freed_json(row, by.name, now))

    async def set(self, unit: Unit, policy: Policy, lock: Locked) -> None:
        """Somebody has set a lock, or renewed it."""
        body = locked_json(lock, lock.at)
        await self._tell(unit, policy, f"lock:{lock.id}:set", lock.service, lock.environment, body)

    async def lifted(self, unit: Unit, policy: Policy, lock: Locked, by: Who, reason: str, now: datetime) -> None:
        """Somebody has lifted one."""
        body = unlocked_json(lock, by.name, reason, now)
        await self._tell(unit, policy, f"lock:{lock.id}:lifted", lock.service, lock.environment, body)

    async def over(self, unit: Unit, policy: Policy, lock: Locked, now: datetime) -> None:
        """One has ended by itself. Told again, it is told once."""
        body = unlocked_json(lock, GONOGO.name, "the lock is over", now)
        await self._tell(unit, policy, f"lock:{lock.id}:over", lock.service, lock.environment, body)

    async def _tell(self, unit: Unit, policy: Policy, key: str, service: str, environment: str, body: str) -> None:
        if policy.lock_webhook:
            line, card = f"{service}/{environment}", Card(title="", text=body, blocks=())
            await unit.say([Outgoing(f"{key}:{CALLS}", CALLS, policy.lock_webhook, card, thread=line)])


async def told_now(unit: Unit, changes: Sequence[str], now: datetime) -> str:
    """What a flag has to say now. `changes` is what was written down of one service and environment and is not told
    yet, oldest first; it is told by whom and why it is free, and nothing else: what holds by now is asked anew."""
    service, environment = place_of(changes[-1])
    holder = await unit.lock_holder(service, environment)
    if holder is not None:
        return held_json(holder, now)
    lock = locked_by(await unit.calendar(), service, environment, now)
    if lock is not None:
        return locked_json(lock, now)
    return free_json(changes, now)


def _holds(row: DeploymentRow) -> bool:
    """Whether nobody else may deploy because of it: what is rolled back beside another one has no lock of its own."""
    return row.locked or row.status == Status.ROLLING_BACK
