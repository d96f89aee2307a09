"""Why something was let through, held or turned away, as things stood then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.cards.card import Answer, escape
from bot.cards.opening import say_opening, say_when
from bot.cards.replies import ok
from bot.cards.view import View
from bot.cards.words import person, role_words
from bot.domain import events as e
from bot.domain.calendar_facts import TurnedAway
from bot.domain.decisions import opening_of
from bot.domain.facts import Decision


def denial(fact: TurnedAway, now: datetime) -> Answer:
    """A start that was not permitted."""
    zone = fact.gate.zone
    name = f"{fact.service} {fact.version} → {fact.environment}"
    first = f"{person(fact.by)} wanted to start it {say_when(fact.at, zone, now)} and was turned away. `{fact.id}`"
    return ok(f"Why not {name}", first, *_gate(fact.gate, now))


def deployment(view: View, facts: Sequence[e.Event]) -> Answer:
    """Every decision about a deployment, in order."""
    lines: list[str] = []
    for fact in facts:
        lines += _decided(view, fact)
    return ok(f"Why {view.name}", *lines, f"`{view.id}`")


def _decided(view: View, fact: e.Event) -> Iterator[str]:
    when, who = say_when(fact.at, view.zone, view.now), person(fact.by)
    match fact:
        case e.Started():
            yield f"**Started** by {who} {when}" + (f", by the lane {escape(fact.lane)}" if fact.lane else "")
            if fact.reason:
                yield f"Reason given: {escape(fact.reason)}"
            if fact.gate is not None:
                yield from _gate(fact.gate, view.now)
            if fact.overrode:
                yield f"It was started in spite of: {escape(', '.join(fact.overrode))}"
            for needed in fact.approvals:
                yield f"Approval needed: {needed.count} × {escape(role_words(needed.role))}"
        case e.Approved():
            yield f"**Approved** by {who} as {escape(role_words(fact.role))} {when}"
        case e.ApprovalsDropped():
            yield f"**Approvals taken back** {when}: {escape(fact.why)}"
        case e.Rescheduled():
            yield f"**Rescheduled** by {who} {when}, for {say_when(fact.planned_t0, view.zone, view.now)}"
        case e.Held():
            yield f"**Held** {when}"
            yield from _gate(fact.gate, view.now)
        case e.GoAsked():
            yield f"**Go or no-go asked** {when}"
            yield from _gate(fact.gate, view.now)
        case e.Admitted():
            yield f"**Go** by {who} {when}"
            yield from _gate(fact.gate, view.now)
            if fact.overrode:
                yield f"In spite of: {escape(', '.join(fact.overrode))}"
        case e.Cancelled():
            yield f"**Cancelled** by {who} {when}: {escape(fact.reason)}"
        case e.CheckAccepted():
            yield f"**Went on** by {who} {when} although a check was not healthy: {escape(fact.reason)}"
        case e.RollbackStarted():
            yield f"**Rollback** by {who} {when}: {escape(fact.reason)}"
        case _:
            return


def _gate(gate: Decision, now: datetime) -> Iterator[str]:
    """What the gate said, about the instant it was asked for."""
    yield f"• Window, asked for {say_when(gate.asked, gate.zone, now)}: {say_opening(opening_of(gate), gate.asked)}"
    for cause in gate.causes:
        until = f", until {say_when(cause.until, gate.zone, now)}" if cause.until is not None else ""
        yield f"• {cause.code.replace('_', ' ')}: {escape(cause.text)} ({escape(cause.source)}{until})"
    yield f"• Lock: {escape(gate.lock)}" if gate.lock else "• Lock: free"
