"""Answers of Slack that are kept for a while, so that a click waits for them at most once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from bot.ports import Ambiguous, Busy429, ChatError

V = TypeVar("V")

_AGAIN = 20.0
"""Seconds until something is asked again that was refused."""
_SOON = 2.0
"""Seconds until something is asked again that was not answered: a chat that is back is used again at once."""
_MANY = 5_000


class Cache(Generic[V]):
    """What `ask` says about a key. Younger than `fresh` seconds it is good; up to `stale` it is still used while it is
    asked anew in the background; older, one waits for the answer, `patience` seconds at most."""

    def __init__(self, ask: Callable[[str], Awaitable[V]], *, fresh: float, stale: float, patience: float) -> None:
        self._ask, self._fresh, self._stale, self._patience = ask, fresh, stale, patience
        self._kept: dict[str, tuple[V, float]] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._failed: dict[str, tuple[ChatError, float]] = {}

    async def get(self, key: str, *, fresh: float | None = None) -> V:
        """The answer. Raises what `ask` raises, and Ambiguous when it takes too long, if there is nothing to go by."""
        now = asyncio.get_running_loop().time()
        limit = self._fresh if fresh is None else fresh
        kept = self._kept.get(key)
        if kept is not None and now - kept[1] < limit:
            return kept[0]
        refused = self._failed.get(key)
        usable = kept is not None and now - kept[1] < self._stale
        if refused is None or now >= refused[1]:
            task = self._asking.get(key) or self._start(key)
            if not usable or fresh is not None:
                await asyncio.wait({task}, timeout=self._patience)
        after = self._kept.get(key)
        if after is not None and now - after[1] < self._stale:
            return after[0]
        refused = self._failed.get(key)
        raise refused[0] if refused is not None else Ambiguous("Slack did not answer in time")

    def knows(self, key: str) -> bool:
        """Whether `get` answers at once."""
        kept = self._kept.get(key)
        return kept is not None and asyncio.get_running_loop().time() - kept[1] < self._fresh

    def forget(self, key: str) -> None:
        """What is kept turned out to be wrong."""
        self._kept.pop(key, None)

    async def close(self) -> None:
        """Give up what is still being asked."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    def _start(self, key: str) -> asyncio.Task[None]:
        task = self._asking[key] = asyncio.create_task(self._learn(key))
        task.add_done_callback(lambda _: self._asking.pop(key, None))
        return task

    async def _learn(self, key: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            answer = await self._ask(key)
        except ChatError as problem:
            wait = _SOON if isinstance(problem, Ambiguous) else _AGAIN
            wait = problem.retry_after if isinstance(problem, Busy429) else wait
            if len(self._failed) >= _MANY:
                self._failed.clear()
            self._failed[key] = (problem, loop.time() + wait)
        else:
            self._failed.pop(key, None)
            if len(self._kept) >= _MANY:
                self._kept.clear()
            self._kept[key] = (answer, loop.time())
