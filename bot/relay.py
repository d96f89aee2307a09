"""Brings the channel to what the database says: cards first, then what is to be said once.

One relay for each chat. A burst of clicks becomes one update, because what is drawn is always the newest state. After
an ambiguous failure it looks before it posts again; a message that was deleted is posted anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from bot.cards.card import Card, Slot
from bot.cards.codec import digest
from bot.cards.deployment import slots
from bot.cards.said import moved_card, no_channel_card
from bot.ports import (
    Busy429,
    ChannelGone,
    Chat,
    ChatError,
    Clock,
    Conflict,
    MessageGone,
    Mirror,
    Outgoing,
    PostedCard,
    Posting,
    Store,
    StoreError,
    Uneditable,
)
from bot.services.records import MAIN_CHANNEL, channels_of, home_of
from bot.services.views import Views

LEASE = timedelta(seconds=60)
LONGEST = timedelta(seconds=45)
"""What is not done by then is given up and done later: nobody else may hold the lease while a call is still out."""
POLL = timedelta(seconds=2)
"""How long a change made by another process may wait."""
REFRESH = timedelta(seconds=60)
"""How old the times on a card may get ("1 h 12 m left")."""
REST = timedelta(seconds=1)
"""How long the cards of a deployment stay as they are at least in a chat that limits edits: Slack takes some fifty a
minute in all (chat.update is Tier 3)."""
_SOON = 0.01
_SHORTEST_WAIT = 0.5
_LONGEST_WAIT = 5.0
"""Seconds between two tries at most: a chat that is back shows everything within ten seconds."""
_LOOK_BACK = timedelta(minutes=5)
_ROUNDS = 200
_IN_A_ROW = 10

log = structlog.get_logger(__name__)


class Relay:
    """Keeps one chat in step. `wake` may be called from anywhere on the loop; `settle` returns when there is nothing
    left that can be done now."""

    def __init__(
        self, store: Store, chat: Chat, views: Views, clock: Clock, *, owner: str, rest: timedelta = timedelta(0)
    ) -> None:
        """While it runs, the cards of one deployment `rest` after each change: what is clicked meanwhile is drawn at
        once, then."""
        self._store, self._chat, self._views, self._clock, self._owner = store, chat, views, clock, owner
        self._rest, self._resting = rest, timedelta(0)
        self._rested = 0.0
        """When, by the loop's clock, the last cards that were changed have rested."""
        self._woken = asyncio.Event()
        self._turn = asyncio.Lock()
        self._failed: dict[str, int] = {}
        """How often in a row the cards of a deployment could not be shown."""
        self._known: set[tuple[str, str]] = set()
        """Slots this process has seen standing. What stood there before it started may have been deleted meanwhile."""
        self._lost: set[str] = set()
        """Channels that turned out to be gone; asked anew at every refresh."""

    def wake(self) -> None:
        """There may be something to show."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled: work when woken, look every `POLL` for what other processes did, every `REFRESH` at all
        cards."""
        loop = asyncio.get_running_loop()
        refreshed = -REFRESH.total_seconds()
        self._resting = self._rest
        while True:
            every = loop.time() - refreshed >= REFRESH.total_seconds()
            try:
                await self.settle(every=every)
                refreshed = loop.time() if every else refreshed
            except Exception as problem:
                _log_problem("relay.failed", problem, chat=self._chat.name)
            rests = self._rested - loop.time()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rests if 0 < rests < POLL.total_seconds() else POLL.total_seconds()):
                    await self._woken.wait()
            self._woken.clear()

    async def settle(self, *, every: bool = False) -> None:
        """Do all that can be done now. `every` looks at live deployments that are up to date too, for times and for
        messages that were deleted while nobody looked."""
        async with self._turn:
            if every:
                self._lost.clear()
                await self._refresh()
            for _ in range(_ROUNDS):
                shown = await _several(self._show_next)
                said = await _several(self._say_next)
                if not shown and not said:
                    return

    async def _refresh(self) -> None:
        seen: set[str] = set()
        while mirrors := await self._store.claim_mirrors(self._chat.name, self._owner, LEASE, every=True, limit=1):
            # Those shown longest ago come first: one that comes again was the last.
            if await self._show(mirrors[0]) and mirrors[0].deployment in seen:
                return
            seen.add(mirrors[0].deployment)

    # One at a time is claimed, so that each has its whole lease.

    async def _show_next(self) -> bool:
        mirrors = await self._store.claim_mirrors(self._chat.name, self._owner, LEASE, limit=1)
        for mirror in mirrors:
            await self._show(mirror)
        return bool(mirrors)

    async def _say_next(self) -> bool:
        postings = await self._store.claim_outbox(self._chat.name, self._owner, LEASE, limit=1)
        for posting in postings:
            await self._say(posting)
        return bool(postings)

    # --- cards ---

    async def _show(self, mirror: Mirror) -> bool:
        """Whether the cards say now what they should. One deployment that cannot be shown does not hold up others."""
        try:
            async with asyncio.timeout(LONGEST.total_seconds()):
                revision = await self._bring(mirror)
        except Busy429 as busy:
            wait = max(busy.retry_after, _SHORTEST_WAIT)
        except asyncio.CancelledError:
            await self._store.mirror_later(mirror, 0)
            raise
        except Exception as problem:
            failed = self._failed[mirror.deployment] = self._failed.get(mirror.deployment, 0) + 1
            wait = _backoff(failed - 1)
            _log_problem("relay.card", problem, deployment=mirror.deployment)
        else:
            self._failed.pop(mirror.deployment, None)
            await self._store.mirror_done(dataclasses.replace(mirror, wanted=revision), rest=self._resting)
            self._rested = asyncio.get_running_loop().time() + self._resting.total_seconds() + _SOON
            return True
        await self._store.mirror_later(mirror, wait)
        return False

    async def _bring(self, mirror: Mirror) -> int:
        """Make every slot say what it should; the revision they say then."""
        view = await self._views.view(mirror.deployment)
        home = home_of(view.plan.policy)
        channel = await self._channel(home)
        standing = await self._store.posted(mirror.deployment, mirror.chat)
        card, *others = [part for slot in slots(view) for part in self._parts(slot)]
        standing[card.name] = await self._place(mirror.deployment, card, standing.get(card.name), None, channel)
        if standing[card.name].channel != home:
            others.insert(0, Slot("channel", no_channel_card(home), thread=card.name))
        for slot in others:
            root = standing.get(slot.thread) if slot.thread else None
            standing[slot.name] = await self._place(mirror.deployment, slot, standing.get(slot.name), root, channel)
        return view.state.revision

    def _parts(self, slot: Slot) -> list[Slot]:
        """A slot as the messages it needs in this chat; the first keeps its name."""
        cards = self._chat.parts(slot.card)
        names = [slot.name if number == 0 else f"{slot.name}+{number}" for number in range(len(cards))]
        return [dataclasses.replace(slot, name=name, card=card) for name, card in zip(names, cards, strict=True)]

    async def _place(
        self, deployment: str, slot: Slot, was: PostedCard | None, root: PostedCard | None, channel: str
    ) -> PostedCard:
        """Make one slot say what it should. Posts only when it is certain that it does not stand already."""
        here, seal, key = (deployment, slot.name), digest(slot.card), f"{deployment}:{slot.name}"
        thread, fixed = root.message if root else None, None
        if was is not None and was.thread != thread:
            was = None  # the message it hung under was posted anew, and it follows
        if was is not None and was.message is None:
            found = await self._chat.find(was.channel, key, since=was.tried_at - _LOOK_BACK, thread=thread)
            was = dataclasses.replace(was, message=found, digest="") if found else None
        if was is not None and was.message is not None:
            if was.digest == seal and here in self._known:
                return was
            # Whatever becomes of the edit, the card no longer counts as saying what it said before.
            was = await self._note(deployment, dataclasses.replace(was, digest=""))
            assert was.message is not None
            try:
                await self._chat.update(was.channel, was.message, slot.card, thread=was.thread)
                self._known.add(here)
                return await self._note(deployment, dataclasses.replace(was, digest=seal))
            except MessageGone as problem:
                log.info("relay.reposted", deployment=deployment, slot=slot.name, problem=str(problem))
                fixed = was if isinstance(problem, Uneditable) and thread is None else None
        now = self._clock.now()
        new = PostedCard(slot.name, root.channel if root else channel, None, thread, "", now)
        await self._note(deployment, new)
        try:
            message = await self._chat.post(new.channel, slot.card, key=key, thread=thread)
        except MessageGone:
            self._known.discard((deployment, slot.thread or ""))
            raise
        except ChannelGone:
            self._lost.add(new.channel)
            raise
        self._known.add(here)
        new = await self._note(deployment, dataclasses.replace(new, message=message, digest=seal))
        if fixed is not None:
            await self._point(fixed, key)
        return new

    async def _point(self, old: PostedCard, key: str) -> None:
        """Say under a card that cannot be edited that there is a newer one. Tried once: the newer one is there."""
        try:
            await self._chat.post(old.channel, moved_card(), key=f"{key}:moved:{old.message}", thread=old.message)
        except ChatError as problem:
            log.info("relay.pointer", problem=str(problem))

    async def _note(self, deployment: str, card: PostedCard) -> PostedCard:
        await self._store.note_posted(deployment, self._chat.name, card)
        return card

    async def _channel(self, wanted: str) -> str:
        """Where it is said: a channel that does not exist falls back to #deployments."""
        there = wanted not in self._lost and await self._chat.has_channel(wanted)
        return wanted if there else MAIN_CHANNEL

    # --- what is said once ---

    async def _say(self, posting: Posting) -> None:
        try:
            async with asyncio.timeout(LONGEST.total_seconds()):
                await self._stand(posting)
        except Busy429 as busy:
            wait, why = max(busy.retry_after, _SHORTEST_WAIT), str(busy)
        except Conflict:
            return  # the lease was lost: somebody else says it
        except asyncio.CancelledError:
            await self._store.say_later(posting, 0, "stopped")
            raise
        except Exception as problem:
            wait, why = _backoff(posting.attempts), str(problem) or type(problem).__name__
            _log_problem("relay.say", problem, key=posting.message.key)
        else:
            return
        await self._store.say_later(posting, wait, why)

    async def _stand(self, posting: Posting) -> None:
        """See to it that a message stands in its channel. Posts only when it is certain that it does not already."""
        message = posting.message
        channel, card, thread = await self._where(message)
        found = None
        if posting.first_tried is not None:
            channel, found = await self._look(message, channel, thread, posting.first_tried - _LOOK_BACK)
        if found is None:
            await self._store.trying(posting, self._clock.now())
            try:
                found = await self._chat.post(channel, card, key=message.key, thread=thread)
            except ChannelGone:
                self._lost.add(channel)
                raise
        await self._store.said(posting, found, channel, self._clock.now())

    async def _look(
        self, message: Outgoing, channel: str, thread: str | None, since: datetime
    ) -> tuple[str, str | None]:
        """Where a message that was tried before stands, if it does: also in the channel it fell back from, or to, when
        another process thought otherwise of that channel."""
        for place in dict.fromkeys([channel, message.channel, MAIN_CHANNEL]):
            with contextlib.suppress(ChannelGone):
                found = await self._chat.find(
                    place, message.key, since=since, thread=thread if place == channel else None
                )
                if found is not None:
                    return place, found
        return channel, None

    async def _where(self, message: Outgoing) -> tuple[str, Card, str | None]:
        """The channel, what is said there, and the message it hangs under."""
        if message.thread is not None and message.deployment is not None:
            root = (await self._store.posted(message.deployment, message.chat)).get(message.thread)
            if root is None or root.message is None:
                raise ChatError(f"the {message.thread} it hangs under does not stand yet")
            return root.channel, message.card, root.message
        channel = await self._channel(message.channel)
        return channel, message.card if channel == message.channel else await self._fallen_back(message), None

    async def _fallen_back(self, message: Outgoing) -> Card:
        """What #deployments is told where a channel does not exist: the message itself, unless it is said there anyway;
        and that the channel does not exist."""
        notice = no_channel_card(message.channel)
        if message.deployment is not None:
            view = await self._views.bare(message.deployment)
            channels = channels_of(view.plan.policy, message)
            missing = [channel for channel in channels if await self._channel(channel) != channel]
            if MAIN_CHANNEL in channels or missing[:1] != [message.channel]:
                return notice
        card = message.card
        return dataclasses.replace(card, text=f"{card.text} {notice.text}", blocks=(*card.blocks, *notice.blocks))


async def _several(work: Callable[[], Awaitable[bool]]) -> bool:
    """Do it a few times, or until there is nothing left; whether there was anything."""
    for done in range(_IN_A_ROW):
        if not await work():
            return done > 0
    return True


def _backoff(attempts: int) -> float:
    """Seconds until the next try: 1, 2, 4, 5, 5 …"""
    return min(_LONGEST_WAIT, 2.0 ** min(attempts, 6))


def _log_problem(event: str, problem: Exception, **about: object) -> None:
    """What a chat or the database says is a sentence; anything else is a fault of ours, with where it happened."""
    if isinstance(problem, ChatError | StoreError | TimeoutError):
        log.warning(event, problem=str(problem) or "no answer in time", **about)
    else:
        log.error(event, exc_info=problem, **about)
