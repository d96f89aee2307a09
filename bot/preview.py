"""What would be said in a chat, before anything is: the messages of a checklist's phases and announcements, as JSON.

An imagined deployment goes its course by the real rules; its cards become what the chat's own code would send.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from adapters.discord import packing as discord_packing
from adapters.discord import posting as discord_posting
from adapters.slack import packing as slack_packing
from adapters.slack import posting as slack_posting
from adapters.web.service import Health, measure
from bot.cards.card import Card
from bot.cards.deployment import slots
from bot.cards.said import announcement_card
from bot.cards.view import View
from bot.cards.workflows import by_hand
from bot.domain import events as e
from bot.domain import moves
from bot.domain.course import begin, check_of, consequences, deadlines, open_due, record_check
from bot.domain.deployment import Deployment, Status, evolve, replay
from bot.domain.errors import Unwell
from bot.domain.people import Who
from bot.ports import Asked
from bot.services.asking import ask_check
from bot.services.records import announcement_channels, home_of, with_words
from checklists.document import PhaseKind
from checklists.library import Loaded
from checklists.plan import Plan, Step, make_plan
from checklists.policy import Announcement, Person, ProbePolicy
from checklists.quantities import to_base

NOW = datetime(2026, 11, 24, 10, 4, tzinfo=UTC)
"""A Tuesday."""
THREAD = "1795514640.000100"
"""What stands for the `ts` of the card, under which the rest hangs in Slack."""
DISCORD_THREAD = "1442500000000000000"
"""What stands for the id of the card, and of the thread below it, in Discord."""
_ID = "0a1b2c3d"
_STEPS = 500


class Chat(StrEnum):
    """Where it would be said."""

    SLACK = "slack"
    DISCORD = "discord"


class State(StrEnum):
    """How much of a phase is done."""

    FRESH = "fresh"
    HALF = "half"
    DONE = "done"


class Occasion(StrEnum):
    """What is to be told."""

    STARTED = "started"
    CHECK = "check"
    SUCCEEDED = "succeeded"
    STABLE = "stable"
    ISSUE = "issue"
    ROLLED_BACK = "rolled_back"


class _Drawer(Protocol):
    """The calls that say a card in one chat, one for each message it needs there."""

    def __call__(
        self, card: Card, *, channel: str, key: str, thread: bool, people: Mapping[str, Person]
    ) -> list[dict[str, Any]]: ...


def phases(
    loaded: Loaded, state: State, *, phase: str = "", everything: bool = False, chat: Chat = Chat.SLACK
) -> list[dict[str, Any]]:
    """The card and the messages of one phase (by id or title; the first one if none is named), or of all.

    Raises Unwell for a phase that does not exist.
    """
    plan = _plan(loaded)
    steps = list(plan.every_step()) if everything else [_step(plan, phase)]
    found: list[dict[str, Any]] = []
    for step in steps:
        view = View(plan, _phase_state(plan, step, state), NOW)
        named = [slot for slot in slots(view) if slot.name.startswith(f"phase:{step.id}:")]
        if step is steps[0]:
            named.insert(0, slots(view)[0])
        for slot in named:
            found += _sent(plan, chat, slot.card, slot.name, thread=slot.thread is not None)
    return found


async def occasion(loaded: Loaded, what: Occasion, *, chat: Chat = Chat.SLACK) -> list[dict[str, Any]]:
    """An announcement, in every channel it is said in; or the message of the first check.

    Raises Unwell where the policy never says that.
    """
    plan = _plan(loaded)
    course = _Course(plan, Health.FAILING if what is Occasion.ISSUE else Health.HEALTHY)
    if what is Occasion.CHECK:
        await course.until(lambda: bool(course.state.runs))
        view = View(plan, course.state, course.now)
        found = [slot for slot in slots(view) if slot.name.startswith("check:")]
        if not found:
            raise Unwell(f"{plan.name} has no checks.")
        return _sent(plan, chat, found[0].card, found[0].name, thread=True)
    announcement = Announcement(what.value)
    if what is Occasion.ROLLED_BACK:
        await course.until(lambda: course.state.t0 is not None)
        course.roll_back()
    await course.until(lambda: announcement in course.said)
    if announcement not in course.said:
        raise Unwell(f"{plan.name} never announces “{what.value}”.")
    card = announcement_card(course.said[announcement], course.state.started, hands=by_hand(plan))
    return [
        message
        for channel in announcement_channels(plan.policy, announcement)
        for message in _sent(plan, chat, card, f"{what.value}:{chat}:{channel}", channel=channel)
    ]


def _plan(loaded: Loaded) -> Plan:
    plan = make_plan(loaded.checklist, loaded.policy, environment="production")
    if not plan.steps:
        raise Unwell(f"{plan.name} has nothing to tick.")
    return plan


def _step(plan: Plan, named: str) -> Step:
    steps = list(plan.every_step())
    if not named:
        return steps[0]
    for step in steps:
        if named.casefold() in (step.id.casefold(), step.title.casefold()):
            return step
    known = "\n".join(f"  {step.id}  {step.title}" for step in steps)
    raise Unwell(f"{plan.name} has no phase {named!r}. There are:\n{known}")


def _sent(
    plan: Plan, chat: Chat, card: Card, name: str, *, thread: bool = False, channel: str = ""
) -> list[dict[str, Any]]:
    key, people = f"{_ID}:{name}", plan.policy.people
    return _DRAWERS[chat](card, channel=channel or home_of(plan.policy), key=key, thread=thread, people=people)


def _keys(key: str) -> Iterator[str]:
    """The keys of a card's messages, as the relay names them."""
    return (key if number == 0 else f"{key}+{number}" for number in itertools.count())


def _in_slack(
    card: Card, *, channel: str, key: str, thread: bool, people: Mapping[str, Person]
) -> list[dict[str, Any]]:
    under = THREAD if thread else None
    return [
        {
            "method": "chat.postMessage",
            "body": slack_posting.post_body(part, channel=channel, key=own, thread=under, people=people),
        }
        for part, own in zip(slack_packing.parts(card), _keys(key), strict=False)
    ]


def _in_discord(
    card: Card, *, channel: str, key: str, thread: bool, people: Mapping[str, Person]
) -> list[dict[str, Any]]:
    place = DISCORD_THREAD if thread else channel
    return [
        {
            "method": f"POST /channels/{place}/messages",
            "body": discord_posting.post_body(part, key=own, people=people),
        }
        for part, own in zip(discord_packing.parts(card), _keys(key), strict=False)
    ]


_DRAWERS: dict[Chat, _Drawer] = {Chat.SLACK: _in_slack, Chat.DISCORD: _in_discord}


def _started(plan: Plan) -> e.Started:
    return e.Started(
        at=NOW,
        by=_somebody(plan),
        id=_ID,
        version="v1.2.0",
        service=plan.service,
        environment=plan.environment,
        checklist=plan.name,
        digest="",
        previous_version="v1.1.0",
        changes_unknown="this is a preview",
    )


def _somebody(plan: Plan) -> Who:
    roles = {task.role for step in plan.every_step() for task in step.tasks if task.role}
    roles |= {role for allowed in plan.policy.may.values() for role in allowed}
    return Who(chat="slack", id="U0000ANN", name="Ann", roles=frozenset(roles))


def _phase_state(plan: Plan, step: Step, wanted: State) -> Deployment:
    """A deployment that has come to this phase."""
    ann = _somebody(plan)
    facts: list[e.Event] = list(begin(plan, _started(plan)))
    if step.kind is PhaseKind.ROLLBACK:
        facts += [e.Deployed(at=NOW, by=ann), e.RollbackStarted(at=NOW, by=ann, to_version="v1.1.0", reason="Too slow")]
    elif step.kind is PhaseKind.FOLLOW_UP or (plan.index(step.id) or 0) > plan.deployed_at:
        facts.append(e.Deployed(at=NOW, by=ann))
    if step is not plan.steps[0]:
        facts.append(e.PhaseOpened(at=NOW, by=ann, phase=step.id))
    if wanted is not State.FRESH:
        done = step.tasks if wanted is State.DONE else step.tasks[: (len(step.tasks) + 1) // 2]
        for number, task in enumerate(done):
            if number % 5 == 4:
                facts.append(e.Excused(at=NOW, by=ann, item=task.id, reason="There is nothing of that in this version"))
            else:
                facts.append(e.Ticked(at=NOW, by=ann, item=task.id))
        facts += [e.Noted(at=NOW, by=ann, item=task.id, text="Looked at it twice") for task in done[:1]]
    if wanted is State.DONE:
        facts.append(e.PhaseDone(at=NOW, by=ann, phase=step.id))
    return replay(facts)


@dataclass
class _Course:
    """A deployment in which everybody does at once what they are asked to do."""

    plan: Plan
    health: Health
    now: datetime = NOW
    said: dict[Announcement, e.Announced] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ann = _somebody(self.plan)
        facts = begin(self.plan, _started(self.plan))
        self.state = replay(facts)
        self._add([])

    def _add(self, facts: list[e.Event]) -> None:
        state = evolve(self.state, facts)
        spoken, self.state = with_words(self.plan, state, consequences(self.plan, state, self.now), self.now)
        self.said |= {fact.announcement: fact for fact in spoken if isinstance(fact, e.Announced)}

    def roll_back(self) -> None:
        """Back to v1.1.0, and done."""
        plan, ann = self.plan, self.ann
        self._add(moves.roll_back(plan, self.state, "v1.1.0", "Error rate at 7%", "Fix the query", ann, self.now))
        self._add([e.Ticked(at=self.now, by=ann, item=task.id) for step in plan.rollback for task in step.tasks])
        self._add(moves.rolled_back(plan, self.state, "System stable", ann, self.now))

    async def until(self, enough: Callable[[], bool]) -> None:
        """Go on until it is enough, or nothing more happens."""
        for _ in range(_STEPS):
            if enough() or self.state.status.ended or not (await self._go_on()):
                return

    async def _go_on(self) -> bool:
        plan, state = self.plan, self.state
        if left := [task for step in plan.steps if step.id in state.opened for task in state.missing(step)]:
            self._add([e.Ticked(at=self.now, by=self.ann, item=task.id) for task in left])
            return True
        step = state.current(plan)
        if state.status is Status.RUNNING and step is not None:
            self._add((moves.deployed if step.deployed else moves.advance)(plan, state, self.ann, self.now))
            return True
        due = {key: at for key, at in deadlines(plan, state).items() if key.startswith(("phase:", "check:"))}
        if not due:
            return False
        key, at = min(due.items(), key=lambda pair: pair[1])
        self.now = max(self.now, at)
        await self._ring(key, at)
        return True

    async def _ring(self, key: str, due: datetime) -> None:
        plan, state = self.plan, self.state
        kind, _, rest = key.partition(":")
        if kind == "phase":
            self._add(open_due(plan, state, rest, due, self.now))
            return
        wanted = check_of(plan, state, key)
        assert wanted is not None
        check, due = wanted
        found = await ask_check(_Numbers(self.health), plan, state, check, self.now)
        ran = e.CheckRan(
            at=self.now,
            by=self.ann,
            check=check.id,
            due=due,
            verdict=found.verdict,
            judged=found.judged,
            severity=found.advice.severity,
            action=found.advice.action,
            within=found.advice.within,
        )
        self._add(record_check(plan, state, ran))
        decided = due in self.state.runs.get(check.id, {})
        if decided and found.verdict is e.Verdict.INCONCLUSIVE and self.health is Health.HEALTHY:
            number = self.state.due_times(check).index(due)
            self._add(moves.accept(plan, self.state, check.id, number, "Looked at it", self.ann, self.now))


class _Numbers:
    """`bot.ports.Probe` with the sandbox's numbers, asked of nobody."""

    def __init__(self, health: Health) -> None:
        self._health = health

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> e.Measurement:
        """At once."""
        if probe is not None and probe.source and probe.source[0] == "http":
            status = "503, expected 200" if self._health is Health.FAILING else "200"
            value, dimension, detail = float(self._health is not Health.FAILING), "ok", f"HTTP {status}"
        elif known := measure(name, self._health):
            number, unit = known
            dimension, value = ("ok", number) if unit == "ok" else to_base(number, unit)
            detail = ("healthy" if number else "not healthy") if unit == "ok" else ""
        else:
            return e.Measurement(name=name, outcome=e.Outcome.NO_DATA, detail="no data")
        return e.Measurement(name=name, outcome=e.Outcome.MEASURED, value=value, dimension=dimension, detail=detail)

    async def history(
        self, name: str, probe: ProbePolicy, asked: Asked, *, start: datetime, end: datetime, step: timedelta
    ) -> list[tuple[datetime, float]]:
        """The healthy number, always: before T0 all was well."""
        known = measure(name, Health.HEALTHY)
        if known is None:
            return []
        return [(start + step * number, to_base(*known)[1]) for number in range(int((end - start) / step) + 1)]
