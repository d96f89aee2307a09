"""Saving what was found out between two looks at a deployment. Where somebody was faster, it goes on top of theirs."""

from __future__ import annotations

from bot.ports import Claimed, Clock, Conflict, Store, Unit
from bot.services.deployments import Move
from bot.services.records import Records, load

_TRIES = 8


async def save(store: Store, clock: Clock, records: Records, deployment: str, move: Move) -> bool:
    """Save the facts of a move; whether there were any. Raises UnknownDeployment, and Conflict after several tries."""
    for left in reversed(range(_TRIES)):
        try:
            async with store.write() as unit:
                return await _moved(unit, clock, records, deployment, move)
        except Conflict:
            if not left:
                raise
    raise AssertionError("unreachable: the last try raises")


async def finish(store: Store, clock: Clock, records: Records, claimed: Claimed, move: Move) -> bool:
    """The same for work that was due, in the transaction that ends it. False: somebody else has done it, and nothing
    was saved."""
    deadline = claimed.deadline
    for left in reversed(range(_TRIES)):
        ours = False
        try:
            async with store.write() as unit:
                await unit.finish_deadline(deadline.deployment, deadline.key, clock.now())
                ours = True
                await _moved(unit, clock, records, deadline.deployment, move)
            return True
        except Conflict:
            if not ours:
                await store.release_due(claimed)
                return False
            if not left:
                raise
    raise AssertionError("unreachable: the last try raises")


async def _moved(unit: Unit, clock: Clock, records: Records, deployment: str, move: Move) -> bool:
    now = clock.now()
    plan, state = await load(unit, deployment)
    facts = move(plan, state, now)
    if facts:
        await records.add(unit, plan, state, facts, now)
    return bool(facts)
