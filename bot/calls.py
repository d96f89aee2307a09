"""Makes the calls that stand in the outbox: what addresses of policies are told.

A call tells how it stands when it is made, not what was written down: of one service and environment the oldest change
that is not told is called for, and those behind it are told with it. It is repeated until it is answered 2xx, so the
receiver may hear it twice: what says the same has the same id. After a day it is given up, and the channel is told.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta

import structlog

from bot.caller import Caller, CallFailed
from bot.cards.lock_json import call_id, place_of, said_of
from bot.cards.locks import call_given_up
from bot.ports import Clock, Conflict, Outgoing, Posting, Store
from bot.services.checklists import Checklists
from bot.services.lock_mirror import CALLS, told_now
from bot.services.notices import policy_of
from bot.services.records import home_of

LEASE = timedelta(seconds=60)
"""Longer than a call may take."""
POLL = timedelta(seconds=2)
"""How long what another process has written may wait."""
PATIENCE = timedelta(hours=24)
"""So long a call is tried."""
_AT_ONCE = 10
_ROUNDS = 100
_LONGEST_WAIT = 600.0

log = structlog.get_logger(__name__)


class Calls:
    """`wake` may be called from anywhere on the loop; `settle` returns when there is nothing left to be called now."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        caller: Caller,
        checklists: Checklists,
        chats: tuple[str, ...],
        *,
        owner: str,
        changed: Callable[[], None],
    ) -> None:
        self._store, self._clock, self._caller, self._checklists = store, clock, caller, checklists
        self._chats, self._owner, self._changed = chats, owner, changed
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be something to tell."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled: call when woken, and look every `POLL` for what was put off or written elsewhere."""
        while True:
            try:
                await self.settle()
            except Exception:
                log.exception("calls.failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL.total_seconds()):
                    await self._woken.wait()
            self._woken.clear()

    async def settle(self) -> None:
        """Make every call that can be made now. One that is not answered does not hold up those of other services."""
        for _ in range(_ROUNDS):
            found = await self._store.claim_outbox(CALLS, self._owner, LEASE, limit=_AT_ONCE)
            if not found:
                return
            async with asyncio.TaskGroup() as group:
                for posting in found:
                    group.create_task(self._call(posting))

    async def _call(self, posting: Posting) -> None:
        message, now = posting.message, self._clock.now()
        try:
            await self._store.trying(posting, now)
        except Conflict:
            return  # the lease was lost: somebody else calls
        try:
            # First what is to be told, then how it stands: what is written later is told by a call of its own.
            told = [posting, *await self._store.behind(posting)]
            async with self._store.read() as unit:
                body = await told_now(unit, [each.message.card.text for each in told], now)
            await self._caller(message.channel, body.encode(), delivery=call_id(message.key, body))
        except CallFailed as failed:
            log.warning("calls.failed", key=message.key, problem=str(failed))
            tried = now - (posting.first_tried or now)
            if failed.final or tried >= PATIENCE:
                await self._give_up(posting, body, str(failed), tried)
                await self._told(told, "given up")
            else:
                await self._store.say_later(posting, _backoff(posting.attempts), str(failed))
        except asyncio.CancelledError:
            await self._store.say_later(posting, 0, "stopped")
            raise
        else:
            await self._told(told, "answered")

    async def _told(self, told: list[Posting], how: str) -> None:
        """The newest first: where a process dies in between, the oldest is called for again and nothing is lost."""
        for each in reversed(told):
            await self._store.said(each, how, each.message.channel, self._clock.now())

    async def _give_up(self, posting: Posting, body: str, why: str, tried: timedelta) -> None:
        """The channel is told once, with how it stands now: the key is the call's."""
        service, environment = place_of(body)
        card = call_given_up(service, environment, said_of(body), why, hours=int(tried / timedelta(hours=1)))
        home = home_of(await policy_of(self._checklists, service))
        async with self._store.write() as unit:
            await unit.say(
                [Outgoing(f"{posting.message.key}:given-up:{chat}", chat, home, card) for chat in self._chats]
            )
        self._changed()


def _backoff(attempts: int) -> float:
    """Seconds until the next try: 1, 2, 4 … at most ten minutes."""
    return min(_LONGEST_WAIT, 2.0 ** min(attempts, 10))
