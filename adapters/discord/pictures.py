"""Pictures as files of Discord's messages: drawn before the message goes out, and sent along with it.

A message does not say which files its components show (discord/discord-api-docs pull 8279), so that an edit cannot name
them: it sends the picture again.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import discord
import structlog

from adapters.discord.faults import ANSWERED, ARCHIVED, Faults
from bot.cards.card import Card, Picture
from bot.cards.chart import Chart
from bot.ports import ChatError, Pictures

T = TypeVar("T")

PATIENCE = 6.0
"""Seconds a message waits for its pictures; then it goes out with their words."""
_REFUSED = (400, 403, 413)
_FORBIDDEN = "pictures are said in words: allow my role Attach Files in the channels I post to"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """The pictures of one message, in the order of its card; None for one that is said in words."""

    pngs: tuple[bytes | None, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What the message calls its files; nothing for one without."""
        return tuple(f"chart-{number}.png" if png else "" for number, png in enumerate(self.pngs, 1))

    def files(self) -> list[discord.File]:
        """The files, to be sent once."""
        drawn = [(name, png) for name, png in zip(self.names, self.pngs, strict=True) if png]
        return [discord.File(io.BytesIO(png), filename=name) for name, png in drawn]


IN_WORDS = Shown()


class Drawings:
    """The pictures of cards. Whatever is wrong with one, the message goes out: its words say the same."""

    def __init__(self, pictures: Pictures | None, faults: Faults, *, patience: float = PATIENCE) -> None:
        self._pictures, self._faults, self._patience = pictures, faults, patience

    async def of(self, card: Card) -> Shown:
        """What a card shows, as far as it is drawn in time. Never raises."""
        charts = [block.chart for block in card.blocks if isinstance(block, Picture)]
        if self._pictures is None or not charts:
            return IN_WORDS
        return Shown(tuple(await asyncio.gather(*(self._png(self._pictures, chart) for chart in charts))))

    async def send(self, shown: Shown, send: Callable[[Shown], Awaitable[T]]) -> T:
        """Send with the pictures; where Discord does not take them nothing was done, and it is sent with their words.
        Raises what `send` raises."""
        if not any(shown.pngs):
            return await send(IN_WORDS)
        try:
            sent = await send(shown)
        except (ChatError, discord.HTTPException) as error:
            cause = error.__cause__ if isinstance(error, ChatError) else error
            if not _is_refusal(cause):
                raise
            log.warning("discord.picture", problem=str(error))
            sent = await send(IN_WORDS)
            if isinstance(cause, discord.Forbidden):
                self._faults.note("pictures", _FORBIDDEN)
        else:
            self._faults.mend("pictures")
        return sent

    async def _png(self, pictures: Pictures, chart: Chart) -> bytes | None:
        try:
            async with asyncio.timeout(self._patience):
                return await pictures.png(chart)
        except Exception as problem:
            log.warning("discord.picture", problem=f"{type(problem).__name__}: {problem}".rstrip(": "))
            return None


def _is_refusal(cause: BaseException | None) -> bool:
    """Whether nothing was done, and it may be because of the files."""
    return isinstance(cause, discord.HTTPException) and (
        cause.status in _REFUSED and cause.code not in (ANSWERED, ARCHIVED)
    )
