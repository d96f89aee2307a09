"""The Home tab: drawn when somebody looks, and again when things change, for those who looked within the hour."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import structlog

from adapters.slack import blocks, limits, packing
from adapters.slack.client import Api
from adapters.slack.dialogue import SlackDialogue
from adapters.slack.faults import Refusal
from adapters.slack.people import first_holders
from adapters.slack.roles import People, Roster
from bot.ports import Busy429, ChatError

LATELY = 3_600.0
"""Seconds since somebody looked, within which their tab is kept up to date."""
_PAUSE = 2.0
_EVERY = 60.0

log = structlog.get_logger(__name__)


@dataclass
class _Seen:
    at: float
    hash: str = ""
    digest: str = ""


class Home:
    """`changed` may be called as often as one likes: what is published is the newest, once per `pause` seconds at most,
    and only where it says something new (views.publish is Tier 4). `hash` keeps an older draft from winning."""

    def __init__(
        self,
        api: Api,
        dialogue: SlackDialogue,
        roster: Roster,
        people: People,
        *,
        lately: float = LATELY,
        pause: float = _PAUSE,
        every: float = _EVERY,
    ) -> None:
        self._api, self._dialogue, self._roster, self._people = api, dialogue, roster, people
        self.lately, self.pause, self.every = lately, pause, every
        self._seen: dict[str, _Seen] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Something was committed."""
        self._changed.set()

    async def opened(self, user: str) -> None:
        """Somebody looks, or has just done something there. What cannot be shown is logged."""
        seen = self._seen.setdefault(user, _Seen(0.0))
        seen.at = asyncio.get_running_loop().time()
        await self._publish(user, again=True)

    async def run(self) -> None:
        """Until cancelled: publish anew what changed; once a minute also what another process or the time did."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.every):
                    await self._changed.wait()
            self._changed.clear()
            now = asyncio.get_running_loop().time()
            for user in [user for user, seen in self._seen.items() if now - seen.at > self.lately]:
                del self._seen[user]
                self._turns.pop(user, None)
            for user in list(self._seen):
                await self._publish(user)
            await asyncio.sleep(self.pause)

    async def _publish(self, user: str, *, again: bool = False) -> None:
        async with self._turns.setdefault(user, asyncio.Lock()):
            try:
                await self._draw(user, again=again)
            except Busy429 as busy:
                log.info("slack.home", problem=str(busy))
                self._changed.set()
            except ChatError as problem:
                log.warning("slack.home", problem=str(problem))
            except Exception as problem:
                log.error("slack.home", exc_info=problem)

    async def _draw(self, user: str, *, again: bool) -> None:
        seen = self._seen[user]
        view = await self._view(user)
        digest = hashlib.sha256(json.dumps(view, sort_keys=True).encode()).hexdigest()
        if digest == seen.digest and not again:
            return
        try:
            answer = await self._api.call("views.publish", user_id=user, view=view, hash=seen.hash or None)
        except Refusal as refusal:
            if refusal.code != "hash_conflict":
                raise
            # Another process has published meanwhile: what is newest is drawn again.
            answer = await self._api.call("views.publish", user_id=user, view=await self._view(user))
        seen.hash, seen.digest = str((answer.get("view") or {}).get("hash") or ""), digest

    async def _view(self, user: str) -> dict[str, Any]:
        card = await self._dialogue.home(who=await self._roster.who(user))
        people = first_holders(self._people())
        drawn = [block for part in packing.parts(card) for block in blocks.message(part, people=people)["blocks"]]
        return {"type": "home", "blocks": blocks.seal(drawn[: limits.MODAL_BLOCKS])}
