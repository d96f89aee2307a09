"""The lock of a service, told to the address that the policy names (`lock_webhook`): the team's own "deployment in
progress" flag.

What is told goes into the outbox in the transaction that changes the lock; `bot.calls` makes the calls, those of one
service and environment in order. Each tells how it is from then on: where a deployment has ended and a person's lock
still stands, that is `locked`, with the person's reason.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.cards.card import Card
from bot.cards.lock_json import freed_json, held_json, locked_json, unlocked_json
from bot.domain.calendar_facts import Locked
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
        held = before is not None and before.locked
        key, here = f"{row.id}:lock:{row.revision}", (row.service, row.environment)
        if row.locked and not held:
            await self._tell(unit, policy, key, *here, held_json(row, by.name, now))
        elif held and not row.locked:
            await self._freed(unit, policy, key, *here, now, lambda: freed_json(row, by.name, now))

    async def set(self, unit: Unit, policy: Policy, lock: Locked) -> None:
        """Somebody has set a lock, or renewed it."""
        await self._tell(
            unit, policy, f"lock:{lock.id}:set", lock.service, lock.environment, locked_json(lock, lock.at)
        )

    async def lifted(self, unit: Unit, policy: Policy, lock: Locked, by: Who, reason: str, now: datetime) -> None:
        """Somebody has lifted one."""
        key = f"lock:{lock.id}:lifted"
        await self._freed(
            unit, policy, key, lock.service, lock.environment, now, lambda: unlocked_json(lock, by.name, reason, now)
        )

    async def over(self, unit: Unit, policy: Policy, lock: Locked, now: datetime) -> None:
        """One has ended by itself. Told again, it is told once."""
        key = f"lock:{lock.id}:over"
        await self._freed(
            unit, policy, key, lock.service, lock.environment, now,
            lambda: unlocked_json(lock, GONOGO.name, "the lock is over", now),
        )  # fmt: skip

    async def _freed(
        self, unit: Unit, policy: Policy, key: str, service: str, environment: str, now: datetime,
        free: Callable[[], str],
    ) -> None:  # fmt: skip
        """Something holds no longer: what else does, or `free`."""
        if not policy.lock_webhook:
            return
        holder = await unit.lock_holder(service, environment)
        if holder is not None:
            body = held_json(holder, holder.started_by, now)
        else:
            lock = locked_by(await unit.calendar(), service, environment, now)
            body = locked_json(lock, now) if lock is not None else free()
        await self._tell(unit, policy, key, service, environment, body)

    async def _tell(self, unit: Unit, policy: Policy, key: str, service: str, environment: str, body: str) -> None:
        if policy.lock_webhook:
            line, card = f"{service}/{environment}", Card(title="", text=body, blocks=())
            await unit.say([Outgoing(f"{key}:{CALLS}", CALLS, policy.lock_webhook, card, thread=line)])
