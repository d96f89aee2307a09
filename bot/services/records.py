"""Loading a deployment from its facts, and saving new ones: events, projection, deadlines and outbox in one
transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from bot.cards.admission import notices, took_over_card
from bot.cards.announcement import announcement_text
from bot.cards.card import Card
from bot.cards.said import announcement_card
from bot.cards.view import View
from bot.cards.workflows import by_hand
from bot.domain import events as e
from bot.domain.course import consequences, deadlines
from bot.domain.deployment import Deployment, Status, evolve, replay
from bot.domain.locks import after_rollback
from bot.domain.people import GONOGO
from bot.ports import Deadline, DeploymentRow, Outgoing, Unit, UnknownRecord
from bot.services.checklists import frozen_plan
from bot.services.lock_mirror import LockMirror
from checklists.plan import Plan
from checklists.policy import Announcement, Policy

MAIN_CHANNEL = "#deployments"
DUE_KINDS = frozenset({
    "go", "phase", "check", "items", "chase", "breach", "recovery", "escalate", "remind",
    "dispatch", "call", "look", "commit", "news",
})  # fmt: skip
"""The kinds of due work of this release: the first words of deadlines' keys. Others are another release's, which is at
work beside this one: they are left alone."""

log = structlog.get_logger(__name__)


class UnknownDeployment(LookupError):
    """No deployment of this id."""


async def load(unit: Unit, deployment: str) -> tuple[Plan, Deployment]:
    """A deployment and its plan. Raises UnknownDeployment."""
    state = await unit.state(deployment)
    if state is None:
        raise UnknownDeployment(deployment)
    started = state.started
    return await frozen_plan(unit, started.digest, started.environment, started.lane), state


class Records:
    """Saves facts and all that follows from them. `chats` are the chats the channel stands in; `mirror`, where there is
    one, is told when the lock changes hands."""

    def __init__(self, chats: tuple[str, ...], mirror: LockMirror | None = None) -> None:
        self._chats, self._mirror = chats, mirror

    async def begin(self, unit: Unit, plan: Plan, facts: Sequence[e.Event], now: datetime) -> Deployment:
        """Save the first facts of a deployment. Raises LockHeld if another one runs."""
        state = replay(facts)
        if state.status is Status.RUNNING:
            await self._mark(unit, state, now)
        return await self._save(unit, plan, state, list(facts), after=0, now=now)

    async def add(
        self, unit: Unit, plan: Plan, state: Deployment, facts: Sequence[e.Event], now: datetime
    ) -> Deployment:
        """Save more facts. Raises Conflict if somebody else has written meanwhile."""
        moved = evolve(state, facts)
        if any(isinstance(fact, e.Admitted) for fact in facts):
            await self._mark(unit, moved, now)
        if any(isinstance(fact, e.Deployed) for fact in facts):
            await self._take_over(unit, moved, now)
        return await self._save(unit, plan, moved, list(facts), after=state.revision, now=now)

    async def _save(
        self, unit: Unit, plan: Plan, state: Deployment, facts: list[e.Event], *, after: int, now: datetime
    ) -> Deployment:
        spoken, state = with_words(plan, state, consequences(plan, state, now), now)
        facts += spoken
        mirror = self._mirror if plan.policy.lock_webhook else None
        before = await unit.row(state.id) if mirror is not None else None
        row = await self._row(unit, state)
        await unit.append(row, after, facts)
        if any(isinstance(fact, e.RolledBack) for fact in facts):
            await unit.append_calendar([after_rollback(state, now)])
        if mirror is not None:
            await mirror.moved(unit, plan.policy, before, row, facts[0].by, now)
        wanted = [Deadline(state.id, key, due) for key, due in deadlines(plan, state).items()]
        await unit.plan_deadlines(state.id, wanted, DUE_KINDS)
        said = [fact for fact in facts if isinstance(fact, e.Announced)]
        await unit.say([message for fact in said for message in self._messages(plan, state, fact)])
        view = View(plan, state, now)
        for fact in facts:
            for name, card, everywhere in notices(plan, view, fact):
                await unit.say(self._everywhere(plan.policy, state, name, card, everywhere=everywhere))
        return state

    async def tell(self, unit: Unit, policy: Policy, key: str, card: Card) -> None:
        """Say something once in the home channel of a policy."""
        channel = home_of(policy)
        await unit.say([Outgoing(f"{key}:{chat}", chat, channel, card) for chat in self._chats])

    def _everywhere(
        self, policy: Policy, state: Deployment, name: str, card: Card, *, everywhere: bool
    ) -> list[Outgoing]:
        home = home_of(policy)
        channels = dict.fromkeys([home, *policy.channels.values()]) if everywhere else [home]
        return [
            Outgoing(f"{state.id}:{name}:{chat}:{channel}", chat, channel, card, deployment=state.id)
            for chat in self._chats
            for channel in channels
        ]

    async def _row(self, unit: Unit, state: Deployment) -> DeploymentRow:
        started = state.started
        locked = state.status.locks
        if state.status is Status.ROLLING_BACK:
            holder = await unit.lock_holder(started.service, started.environment)
            locked = holder is None or holder.id == state.id
        return DeploymentRow(
            id=state.id,
            service=started.service,
            environment=started.environment,
            version=started.version,
            checklist=started.checklist,
            digest=started.digest,
            status=state.status.value,
            locked=locked,
            live=not state.status.ended,
            started_at=started.at,
            started_by=started.by.name,
            deployed_at=state.t0,
            ended_at=state.ended_at,
            revision=state.revision,
        )

    async def _mark(self, unit: Unit, state: Deployment, now: datetime) -> None:
        """A newer deployment begins: the one that is still watched is told, as what it measures may be its doing."""
        for plan, older in await _still_watched(unit, state):
            fact = e.NewerStarted(at=now, by=GONOGO, id=state.id, version=state.started.version)
            await self._save(unit, plan, evolve(older, [fact]), [fact], after=older.revision, now=now)

    async def _take_over(self, unit: Unit, state: Deployment, now: datetime) -> None:
        """A newer deployment is in production: it takes over the watch of the older ones."""
        for plan, older in await _still_watched(unit, state):
            fact = e.Superseded(at=now, by=GONOGO, id=state.id, version=state.started.version)
            await self._save(unit, plan, evolve(older, [fact]), [fact], after=older.revision, now=now)
            card = took_over_card(View(plan, older, now), state.started.version)
            name = f"takeover-{state.id}"
            await unit.say(self._everywhere(plan.policy, older, name, card, everywhere=False))

    def _messages(self, plan: Plan, state: Deployment, fact: e.Announced) -> list[Outgoing]:
        return [
            Outgoing(
                key=f"{state.id}:{_name(fact)}:{chat}:{channel}",
                chat=chat,
                channel=channel,
                card=announcement_card(fact, state.started, hands=by_hand(plan)),
                deployment=state.id,
            )
            for chat in self._chats
            for channel in announcement_channels(plan.policy, fact.announcement)
        ]


async def _still_watched(unit: Unit, state: Deployment) -> list[tuple[Plan, Deployment]]:
    """The older deployments of the same service here. One that a newer release has written is left to that one: what
    people do now is not refused because of it."""
    found = []
    for row in await unit.rows(service=state.started.service, environment=state.started.environment, live=True):
        if row.id != state.id and row.status == Status.SUCCEEDED:
            try:
                found.append(await load(unit, row.id))
            except UnknownRecord as unknown:
                log.warning("records.skipped", deployment=row.id, problem=str(unknown))
    return found


def _name(said: e.Announced) -> str:
    """What the messages of an announcement are known by. One that comes again has a number."""
    return said.announcement.value + (f"-{said.number}" if said.number > 1 else "")


def home_of(policy: Policy) -> str:
    """The channel of the cards and of every announcement."""
    return policy.channels.get("deployments", MAIN_CHANNEL)


def announcement_channels(policy: Policy, announcement: Announcement) -> tuple[str, ...]:
    """Where something is announced: in `deployments`, and in the channels the policy's `also_in` names for it."""
    also = [policy.channels.get(key, MAIN_CHANNEL) for key in policy.also_in.get(announcement, ())]
    return tuple(dict.fromkeys([home_of(policy), *also]))


def channels_of(policy: Policy, message: Outgoing) -> tuple[str, ...]:
    """All channels in which what this message of a deployment announces is said."""
    name = message.key.split(":")[1].partition("-")[0]
    if name not in set(Announcement):
        return tuple(dict.fromkeys([home_of(policy), *policy.channels.values()]))
    return announcement_channels(policy, Announcement(name))


def with_words(
    plan: Plan, state: Deployment, facts: Sequence[e.Event], now: datetime
) -> tuple[list[e.Event], Deployment]:
    """The facts that follow, announcements with the exact text said at that point, and the state after them."""
    spoken: list[e.Event] = []
    for fact in facts:
        if isinstance(fact, e.Announced):
            told = evolve(state, [fact])
            fact = fact.model_copy(update={"text": announcement_text(plan, told, fact.announcement, now)})
        state = evolve(state, [fact])
        spoken.append(fact)
    return spoken, state
