"""Threads for what may wait, and waiting for them in a way that leaves no connection in two hands."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import InterfaceError

P = ParamSpec("P")
R = TypeVar("R")


class Threads:
    """Where what may wait is done."""

    def __init__(self, most: int) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="sqlite")

    async def visit(self, run: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """Run it on a thread. Returns when it has ended there, also to who was cancelled meanwhile: nobody may touch
        the connection before."""
        return await ended(self.start(run, *arguments, **named))

    def start(self, run: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> asyncio.Future[R]:
        """Run it on a thread; its outcome. Raises InterfaceError after `end`."""
        try:
            return asyncio.wrap_future(self._pool.submit(run, *arguments, **named))
        except RuntimeError as closed:
            raise InterfaceError(None, None, sqlite3.ProgrammingError("its connections are closed")) from closed

    def end(self) -> None:
        """What is under way ends by itself."""
        self._pool.shutdown(wait=False)


def here(run: Callable[[], R]) -> asyncio.Future[R]:
    """Run it here; its outcome."""
    done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
    try:
        done.set_result(run())
    except Exception as error:
        done.set_exception(error)
    return done


async def ended(work: asyncio.Future[R]) -> R:
    """What comes of it; who is cancelled meanwhile is so once it has ended."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({work})
        if not work.cancelled():
            work.exception()  # nobody else asks for it
        raise
