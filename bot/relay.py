"""Brings the channel to what the database says: cards first, then what is to be said once.

One relay for each chat. A burst of clicks becomes one update, because what is drawn is always the newest state.
After an
ambiguous failure it looks before it posts again; a message that was deleted is posted anew.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta

import structlog

from bot.cards.card import Card, Slot
from bot.cards.codec import digest
from bot.cards.deployment import slots
from bot.cards.said import no_channel_card
from bot.cards.view import View
from bot.ports import (
    Ambiguous,
    Busy429,
    ChannelGone,
    Chat,
    ChatError,
    Clock,
    MessageGone,
    Mirror,
    Outgoing,
    PostedCard,
    Posting,
    Store,
)
from bot.services.views import Views

LEASE = timedelta(seconds=60)
POLL = timedelta(seconds=2)
"""How long a change made by another process may wait."""
REFRESH = timedelta(seconds=60)
"""How old the times on a card may get ("1 h 12 m left")."""
MAIN_CHANNEL = "#deployments"
_RETRY_SECONDS = 5.0
_LOOK_BACK = timedelta(minutes=5)
_ROUNDS = 200

log = structlog.get_logger(__name__)


class Relay:
    """Keeps one chat in step. `wake` may be called from anywhere on the loop; `settle` returns when there is nothing
    left to do."""

    def __init__(self, store: Store, chat: Chat, views: Views, clock: Clock, *, owner: str) -> None:
        self._store, self._chat, self._views, self._clock, self._owner = store, chat, views, clock, owner
        self._woken = asyncio.Event()
        self._turn = asyncio.Lock()

    def wake(self) -> None:
        """There may be something to show."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled: work when woken, look every `POLL` for what other processes did, every `REFRESH` at all
        cards."""
        loop = asyncio.get_running_loop()
        refreshed = -REFRESH.total_seconds()
        while True:
            every = loop.time() - refreshed >= REFRESH.total_seconds()
            try:
                await self.settle(every=every)
                refreshed = loop.time() if every else refreshed
            except Exception:
                log.exception("relay.failed", chat=self._chat.name)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL.total_seconds()):
                    await self._woken.wait()
            self._woken.clear()

    async def settle(self, *, every: bool = False) -> None:
        """Do all that can be done now. `every` looks at deployments that are up to date too: times and deleted
        messages."""
        async with self._turn:
            for _ in range(_ROUNDS):
                mirrors = await self._store.claim_mirrors(self._chat.name, self._owner, LEASE, every=every)
                every = False
                for mirror in mirrors:
                    await self._mirror(mirror)
                postings = [] if mirrors else await self._store.claim_outbox(self._chat.name, self._owner, LEASE)
                for posting in postings:
                    await self._say(posting)
                if not mirrors and not postings:
                    return

    # --- cards ---

    async def _mirror(self, mirror: Mirror) -> None:
        try:
            view = await self._views.view(mirror.deployment)
            await self._bring(mirror, view, slots(view))
        except Busy429 as busy:
            await self._store.mirror_later(mirror, busy.retry_after)
        except ChatError as problem:
            log.warning("relay.card", deployment=mirror.deployment, problem=str(problem))
            await self._store.mirror_later(mirror, _RETRY_SECONDS)
        else:
            await self._store.mirror_done(Mirror(mirror.deployment, mirror.chat, view.state.revision, mirror.lease))

    async def _bring(self, mirror: Mirror, view: View, wanted: Sequence[Slot]) -> None:
        channel = await self._channel(view.plan.policy.channels.get("deployments", MAIN_CHANNEL))
        standing = await self._store.posted(mirror.deployment, mirror.chat)
        for slot in wanted:
            thread = standing[slot.thread].message if slot.thread and slot.thread in standing else None
            placed = await self._place(mirror.deployment, slot, standing.get(slot.name), channel, thread)
            standing[slot.name] = placed

    async def _place(
        self, deployment: str, slot: Slot, was: PostedCard | None, channel: str, thread: str | None
    ) -> PostedCard:
        """Make one slot say what it should. Posts only when it is certain that it does not stand already."""
        seal = digest(slot.card)
        key = f"{deployment}:{slot.name}"
        if was is not None and was.message is None:
            since = was.tried_at - _LOOK_BACK
            found = await self._chat.find(was.channel, key, since=since, thread=thread)
            was = PostedCard(slot.name, was.channel, found, thread, "", was.tried_at) if found else None
        if was is not None and was.message is not None:
            if was.digest == seal:
                return was
            try:
                await self._chat.update(was.channel, was.message, slot.card, thread=was.thread)
                return await self._note(
                    deployment, PostedCard(slot.name, was.channel, was.message, was.thread, seal, was.tried_at)
                )
            except MessageGone:
                log.info("relay.reposted", deployment=deployment, slot=slot.name)
        now = self._clock.now()
        await self._note(deployment, PostedCard(slot.name, channel, None, thread, "", now))
        message = await self._chat.post(channel, slot.card, key=key, thread=thread)
        return await self._note(deployment, PostedCard(slot.name, channel, message, thread, seal, now))

    async def _note(self, deployment: str, card: PostedCard) -> PostedCard:
        await self._store.note_posted(deployment, self._chat.name, card)
        return card

    async def _channel(self, wanted: str) -> str:
        return wanted if await self._chat.has_channel(wanted) else MAIN_CHANNEL

    # --- what is said once ---

    async def _say(self, posting: Posting) -> None:
        message = posting.message
        try:
            channel, card = await self._where(message)
            found = None
            if posting.first_tried is not None:
                since = posting.first_tried - _LOOK_BACK
                found = await self._chat.find(channel, message.key, since=since)
            now = self._clock.now()
            if found is None:
                await self._store.trying(posting, now)
                found = await self._chat.post(channel, card, key=message.key)
            await self._store.said(posting, found, channel, self._clock.now())
        except Busy429 as busy:
            await self._store.say_later(posting, busy.retry_after, str(busy))
        except (Ambiguous, ChannelGone, MessageGone, ChatError) as problem:
            log.warning("relay.say", key=message.key, problem=str(problem))
            await self._store.say_later(posting, _backoff(posting.attempts), str(problem))

    async def _where(self, message: Outgoing) -> tuple[str, Card]:
        """The channel; where it does not exist, #deployments is told so instead of being told twice."""
        if message.channel == MAIN_CHANNEL or await self._chat.has_channel(message.channel):
            return message.channel, message.card
        return MAIN_CHANNEL, no_channel_card(message.channel)


def _backoff(attempts: int) -> float:
    """Seconds until the next try: 1, 2, 4 … at most a minute."""
    return float(min(60, 2 ** min(attempts, 6)))
