"""One delivery, one transaction, one answer: what every command, click and form goes through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.cards import replies
from bot.cards.card import Answer
from bot.cards.codec import answer_from_text, answer_to_text
from bot.ports import Clock, Conflict, Store, Unit

_TRIES = 8


async def answered(store: Store, key: str) -> Answer | None:
    """The answer this delivery got before. Asked first where work goes ahead of the transaction."""
    async with store.read() as unit:
        before = await unit.delivered(key)
    return None if before is None else _answer(before)


async def once(store: Store, clock: Clock, key: str, work: Callable[[Unit], Awaitable[Answer]]) -> Answer:
    """Do the work of a delivery and remember its answer, all or nothing; a refusal is an answer like any other.

    The same `key` again changes nothing and gets the same answer. Where somebody else was faster the work is done anew
    on what they left. Raises Conflict after several tries, and what `work` raises: then nothing was changed.
    """

    async def told(unit: Unit) -> str:
        return answer_to_text(await work(unit))

    return _answer(await remembered(store, clock, key, told))


def _answer(kept: str) -> Answer:
    """A repeat is not done again, also where a newer release has done it the first time and this one cannot read what
    that one answered."""
    try:
        return answer_from_text(kept)
    except (KeyError, TypeError, ValueError):
        return replies.ok("Already done", "`/deploy status` shows how it stands")


async def remembered(store: Store, clock: Clock, key: str, work: Callable[[Unit], Awaitable[str]]) -> str:
    """Like `once`, for an answer that is text of its own: for a program."""
    for left in reversed(range(_TRIES)):
        try:
            async with store.write() as unit:
                before = await unit.delivered(key)
                if before is not None:
                    return before
                answer = await work(unit)
                await unit.remember_delivery(key, answer, clock.now())
            return answer
        except Conflict:
            if not left:
                raise
    raise AssertionError("unreachable: the last try raises")
