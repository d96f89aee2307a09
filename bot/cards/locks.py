"""How locks, queues and what ends them are said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.cards.card import Answer, Card, Text, Tone, escape
from bot.cards.refusals import no
from bot.cards.replies import notice, ok
from bot.cards.times import wall
from bot.cards.words import clock, code, person, place, plain
from bot.domain.calendar_facts import FreezeAdded, Locked, Queued, TurnedAway
from bot.domain.people import Who


def lock_line(lock: Locked, zone: str, now: datetime) -> str:
    """Where, whose, since when, until when, why."""
    until = f" until {wall(lock.until, zone, now)}" if lock.until is not None else ""
    where = f"{escape(lock.service)} → {escape(lock.environment)}"
    since = wall(lock.at, zone, now)
    return f"🔒 {where} is locked by {person(lock.by)} since {since}{until}: {escape(lock.reason)}"


def locked(lock: Locked, zone: str, now: datetime, *, running: str = "") -> Answer:
    """It holds from now on; a deployment that runs already goes on."""
    lines = [lock_line(lock, zone, now)]
    if running:
        lines.append(f"{escape(running)} runs already and goes on; the lock holds the next start.")
    return ok("Locked", *lines, f"Lift it with {code(f'/deploy unlock {lock.service} {lock.environment}', limit=200)}.")


def locked_already(lock: Locked, zone: str, now: datetime) -> Answer:
    """Another lock stands."""
    take = code(f"/deploy lock {place(lock.service, lock.environment)} --take", limit=200)
    return no(f"{lock_line(lock, zone, now)}.\nTo take it over: {take} with your reason.")


def not_locked(service: str, environment: str) -> Answer:
    """Nothing to lift."""
    return no(f"{escape(service)} → {escape(environment)} is not locked.")


def unlocked(lock: Locked) -> Answer:
    """It is free."""
    return ok("Unlocked", f"{escape(lock.service)} → {escape(lock.environment)} is free again.")


def locked_notice(lock: Locked, zone: str, now: datetime, *, taken_from: str = "") -> Card:
    """What the channel is told."""
    taken = f" (taken over from {escape(taken_from)})" if taken_from else ""
    return notice(lock_line(lock, zone, now) + taken)


def unlocked_notice(lock: Locked, who: Who, reason: str) -> Card:
    """What the channel is told."""
    why = f": {escape(reason)}" if reason else ""
    return notice(f"🔓 {person(who)} unlocked {escape(lock.service)} → {escape(lock.environment)}{why}")


def queued(place: int, service: str, environment: str) -> Answer:
    """They will be told."""
    ahead = "you are next" if place == 1 else f"{place - 1} before you"
    return ok("You will be told", f"When {escape(service)} → {escape(environment)} is free: {ahead}.")


def unqueued(service: str, environment: str) -> Answer:
    """Asked for again, it is taken back."""
    return ok("You will not be told", f"You are no longer in the queue of {escape(service)} → {escape(environment)}.")


def free_already(service: str, environment: str) -> Answer:
    """Nobody to wait for."""
    return ok("It is free", f"{escape(service)} → {escape(environment)} is free now: `/deploy start` it.")


def next_notice(waiting: Queued, zone: str, now: datetime) -> Card:
    """The first of the queue is told."""
    version = f" with {escape(waiting.version)}" if waiting.version else ""
    return notice(
        f"🔔 {person(waiting.by)}, you are next{version}: {escape(waiting.service)} → {escape(waiting.environment)} "
        "is free."
    )


def ending_notice(lock: Locked, zone: str, now: datetime) -> Card:
    """A lock ends soon."""
    assert lock.until is not None
    line = f"⌛ {person(lock.by)}: your lock of {escape(lock.service)} → {escape(lock.environment)} ends "
    again = code(f"/deploy lock {place(lock.service, lock.environment)}", limit=200)
    return notice(f"{line}{wall(lock.until, zone, now)}. To keep it: {again} with your reason.")


def ended_notice(lock: Locked, zone: str, now: datetime) -> Card:
    """A lock has ended by itself."""
    return notice(f"🔓 The lock of {escape(lock.service)} → {escape(lock.environment)} is over: it is free again.")


def call_given_up(service: str, environment: str, what: str, why: str, hours: int) -> Card:
    """The team's own flag could not be told of the lock; `what` is how it stands."""
    tried = f" for {hours} hours" if hours else ""
    line = (
        f"⚠️ {escape(service)} → {escape(environment)}: `lock_webhook` was not told{tried}: {escape(why)}. "
        f"It should say now: {escape(what)}. Please set it by hand."
    )
    return Card(title="", text=plain(line), blocks=(Text(line),), tone=Tone.WARN)


def freeze_begins(freeze: FreezeAdded, zone: str, now: datetime) -> Card:
    """From now on nothing is deployed."""
    what = f" of {escape(freeze.service)}" if freeze.service else ""
    return notice(f"🧊 The freeze{what} begins: {escape(freeze.reason)}, until {clock(freeze.end, zone, now)} ({zone})")


def freeze_ends(freeze: FreezeAdded, zone: str, now: datetime) -> Card:
    """It is over."""
    what = f" of {escape(freeze.service)}" if freeze.service else ""
    return notice(f"🧊 The freeze{what} is over: {escape(freeze.reason)}")


def turned_away_notice(fact: TurnedAway, why: Sequence[str]) -> Card:
    """Somebody was turned away by a freeze or a lock."""
    name = f"{escape(fact.service)} {escape(fact.version)} → {escape(fact.environment)}"
    line = f"✋ {person(fact.by)} was turned away from starting {name}: {escape(', '.join(why))}"
    return Card(title="", text=plain(line), blocks=(Text(line),), tone=Tone.WARN)
