"""What GitHub is told about a job that waits for a deployment protection rule. Plain text, as GitHub shows it."""

from __future__ import annotations

from datetime import datetime

from bot.cards.opening import say_opening
from bot.cards.view import View
from bot.cards.words import clock, plain, role_words
from bot.domain.admission import lacking
from bot.domain.calendar import Opening
from bot.domain.people import Who


def under_way(view: View) -> str:
    """A deployment of gonogo's permits it."""
    started = view.state.started
    since = clock(started.at, view.zone, view.now)
    return f"{view.name} is under way, started by {_name(started.by)} {since}."


def goes_back(view: View) -> str:
    """A rollback is never held up."""
    rollback = view.state.rollback
    why = f": {rollback.reason}" if rollback is not None else ""
    return f"{view.name} is being rolled back{why}. Nothing stands in the way of a rollback."


def still_waits(view: View) -> str:
    """It is planned, and has not been given its go."""
    needs = [f"{needed.count} × {role_words(needed.role)}" for needed in lacking(view.state, view.now)]
    planned = view.state.planned_t0
    waits = f"the approval of {' and '.join(needs)}" if needs else "its go"
    when = f", planned for {clock(planned, view.zone, view.now)}" if planned is not None else ""
    return f"{view.name} waits for {waits}{when}. Run this again once it is under way."


def moved(view: View, why: str) -> str:
    """The version is not what was approved."""
    return f"{view.name} was approved for another commit: {why}. Start a deployment of what it is now."


def gate(service: str, environment: str, found: Opening, at: datetime) -> str:
    """What a start would be told."""
    again = "" if found.open else " Run this again then; `/deploy why` tells more."
    return f"{service} → {environment}: {plain(say_opening(found, at))}.{again}"


def needs_approval(service: str, environment: str, role: str, count: int) -> str:
    """No deployment of gonogo's, and the policy asks for approvals."""
    return (
        f"{service} → {environment} needs the approval of {count} × {role_words(role)}. Start it with `/deploy start`, "
        "and run this again once it is under way."
    )


def no_environment(service: str, name: str) -> str:
    """GitHub's name of an environment means nothing to the policy."""
    return (
        f"{service} knows no environment {name[:60]!r}. Say which one it is in the policy: "
        f"`pipeline: {{environments: {{{name[:60]}: production}}}}`."
    )


def no_checklist(repository: str) -> str:
    """No policy is about this repository."""
    return f"No checklist of gonogo's is for {repository}. Write `repository: {repository}` into its policy."


def _name(who: Who) -> str:
    return "gonogo" if who.is_gonogo else who.name
