"""Mistakes put into gonogo on purpose, each the kind that one of its promises guards against; the checker must find it.

They are put in place in the process that all others are forked from, so that gonogo itself knows nothing of them.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
import secrets
from collections.abc import Callable
from typing import Any

NOW_AND_THEN = 0.4
Wrapper = Callable[..., Any]


def _around(where: Any, name: str, wrapper: Wrapper) -> None:
    """`wrapper(original, *arguments)` in the place of a function or method."""
    original = getattr(where, name)

    def instead(*arguments: Any, **named: Any) -> Any:
        return wrapper(original, *arguments, **named)

    setattr(where, name, instead)


def _chats() -> list[Any]:
    from adapters.discord.chat import DiscordChat
    from adapters.slack.chat import SlackChat

    return [SlackChat, DiscordChat]


def _now_and_then() -> bool:
    return random.random() < NOW_AND_THEN


# --- 1. clicks -------------------------------------------------------------------------------------------------------


def ack_first() -> None:
    """Slack is answered, and what was clicked is done afterwards."""
    from adapters.slack.app import Inbox

    original = Inbox.on_click

    async def on_click(inbox: Inbox, ack: Any, body: Any) -> None:
        async def nothing(*_: Any, **__: Any) -> None:
            """It was acknowledged already."""

        async def later() -> None:
            await asyncio.sleep(1.0)
            await original(inbox, nothing, body)

        await ack()
        inbox._tasks.spawn(later())

    setattr(Inbox, "on_click", on_click)  # noqa: B010 Bolt looks at the names of its arguments


def lose_a_tick() -> None:
    """Some ticks are answered and not kept."""
    from bot.domain import moves

    _around(moves, "tick", lambda original, *given: [] if _now_and_then() else original(*given))


def do_repeats() -> None:
    """A delivery that comes twice is done twice."""
    from adapters.store.unit import SqlUnit

    async def unknown(_original: Any, _unit: Any, _key: str) -> None:
        return None

    async def as_another(original: Any, unit: Any, key: str, *rest: Any) -> None:
        await original(unit, f"{key}:{secrets.token_hex(4)}", *rest)

    _around(SqlUnit, "delivered", unknown)
    _around(SqlUnit, "remember_delivery", as_another)


# --- 2. what is said and shown ---------------------------------------------------------------------------------------


def skip_the_lookup() -> None:
    """After a failure nobody knows the end of, it is posted again without a look."""

    async def nothing(_original: Any, *_: Any, **__: Any) -> None:
        return None

    for chat in _chats():
        _around(chat, "find", nothing)


def post_twice() -> None:
    """Some messages are posted twice."""

    async def twice(original: Any, *given: Any, **named: Any) -> Any:
        if _now_and_then():
            await original(*given, **named)
        return await original(*given, **named)

    for chat in _chats():
        _around(chat, "post", twice)


def stale_cards() -> None:
    """Some changes of a card are noted as shown, and are not."""

    async def perhaps(original: Any, *given: Any, **named: Any) -> Any:
        return None if _now_and_then() else await original(*given, **named)

    for chat in _chats():
        _around(chat, "update", perhaps)


def forget_to_say() -> None:
    """That it started is decided, and never put out."""
    from bot.services.records import Records

    def but_for_one(original: Any, records: Any, policy: Any, state: Any, fact: Any) -> Any:
        return [] if fact.announcement == "started" else original(records, policy, state, fact)

    _around(Records, "_messages", but_for_one)


# --- 3. checks and rollbacks -----------------------------------------------------------------------------------------


def lose_a_check() -> None:
    """One of the checks is done without a verdict."""
    from bot.services import checks

    def but_for_one(original: Any, plan: Any, state: Any, result: Any) -> Any:
        return [] if result.check == "t0-2" else original(plan, state, result)

    _around(checks, "record_check", but_for_one)


def check_twice() -> None:
    """Checks have two verdicts."""
    from bot.services import checks

    def twice(original: Any, *given: Any) -> Any:
        facts = original(*given)
        return [*(fact for fact in facts if fact.kind == "check_ran"), *facts]

    _around(checks, "record_check", twice)


def double_rollback() -> None:
    """A rollback begins twice."""
    from bot.domain import moves

    _around(moves, "roll_back", lambda original, *given, **named: [*original(*given, **named)] * 2)


# --- 4. state, locks, leases -----------------------------------------------------------------------------------------


def no_lock() -> None:
    """Nobody keeps others from starting."""
    from bot.services.records import Records

    async def unlocked(original: Any, *given: Any) -> Any:
        return dataclasses.replace(await original(*given), locked=False)

    _around(Records, "_row", unlocked)


def drop_leases() -> None:
    """Whoever asks gets what somebody else is working on."""
    from sqlalchemy import true

    from adapters.store import mirrors, outbox

    for module in (mirrors, outbox):
        _around(module, "free", lambda _original, *_given: true())


def keep_leases() -> None:
    """A message that was said stays held."""
    from adapters.store import outbox

    setattr(outbox, "_GIVEN_BACK", {})  # noqa: B010


MISTAKES: dict[str, tuple[Callable[[], None], str]] = {
    "ack-first": (ack_first, "acknowledged and is not in the database"),
    "lose-a-tick": (lose_a_tick, "was acknowledged, and was not ticked"),
    "do-repeats": (do_repeats, "was done 2 times"),
    "skip-the-lookup": (skip_the_lookup, "stands 2 times"),
    "post-twice": (post_twice, "stands 2 times"),
    "stale-cards": (stale_cards, "the card does not say"),
    "forget-to-say": (forget_to_say, "stands 0 times"),
    "lose-a-check": (lose_a_check, "has no verdict"),
    "check-twice": (check_twice, "has 2 verdicts"),
    "double-rollback": (double_rollback, "the rollback of"),
    "no-lock": (no_lock, "locked is False"),
    "drop-leases": (drop_leases, "times"),
    "keep-leases": (keep_leases, "is still held"),
}
"""By name: how it is put in, and words of what the checker says of it."""


def plant(name: str) -> None:
    """Put one in. Raises KeyError for a name that there is not."""
    put_in, _ = MISTAKES[name]
    put_in()
