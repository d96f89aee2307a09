"""What people are reminded of after T0: items of a check that are theirs, and a result that nobody could tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.cards.card import Buttons, Card, Text, Tone, escape
from bot.cards.checks import check_title, decisions, names_of
from bot.cards.view import View
from bot.cards.words import count, plain
from bot.domain import events as e
from bot.domain.course import awaited
from bot.domain.reminders import DECIDE_WITHIN, ITEMS_TIMES, open_items
from checklists.plan import Check, Task
from checklists.policy import Announcement
from checklists.quantities import say_duration


def reminder_notices(view: View, fact: e.Event) -> Iterator[tuple[str, Card, bool]]:
    """The message of a reminder: its key, the card, and whether it is said in every channel of the policy."""
    check = view.plan.check(fact.check) if isinstance(fact, e.Reminded) else None
    if not isinstance(fact, e.Reminded) or check is None:
        return
    key = f"remind-{fact.what}-{fact.check}-{int(fact.due.timestamp())}-{fact.number}"
    card = _items(view, check, fact) if fact.what == "items" else _decision(view, check, fact)
    yield key, card, False


def _items(view: View, check: Check, fact: e.Reminded) -> Card:
    left = open_items(view.plan, view.state, check)
    are = "are" if len(left) > 1 else "is"
    line = (
        f"⏰ {count(len(left), 'item')} of the {escape(check_title(check))} of {view.safe_name} {are} still open: "
        f"{names_of(left)}. Tick what is true, or say why it does not apply."
    )
    if fact.number >= ITEMS_TIMES:
        line += f" This is the last reminder: until that is done, {_stays(view, left)}."
    return Card("", plain(line), (Text(line),), Tone.WARN, mentions=(fact.role,))


def _stays(view: View, left: Sequence[Task]) -> str:
    started = view.state.started
    if view.state.status.locks and set(left) & set(before_success(view)):
        return f"{escape(started.service)} → {escape(started.environment)} stays taken, and no other deployment starts"
    return "its record stays open"


def before_success(view: View) -> tuple[Task, ...]:
    """The items people still have to tick before its success is announced, and another deployment may start."""
    plan, state = view.plan, view.state
    announcing = [check for check in plan.checks if Announcement.SUCCEEDED in check.then]
    if announcing:
        left = [task for check in announcing for task in awaited(plan, state, check)]
    else:
        left = [task for step in plan.steps for task in state.lacking_people(step)]
    return tuple(dict.fromkeys(left))


def _decision(view: View, check: Check, fact: e.Reminded) -> Card:
    run = view.state.runs.get(check.id, {}).get(fact.due)
    why = f": {escape(run.result.why, limit=600)}" if run is not None and run.result.why else ""
    line = (
        f"❔ The {escape(check_title(check))} of {view.safe_name} could not be told{why}. "
        f"Nobody has decided for {say_duration(DECIDE_WITHIN)}: measure again, go on with a reason, or roll back."
    )
    buttons = Buttons(tuple(decisions(view, check, fact.due)))
    return Card("", plain(line), (Text(line), buttons), Tone.WARN, mentions=(fact.role,))
