"""What a start is told while somebody has the service: a lock, or another deployment."""

from __future__ import annotations

from datetime import datetime

from bot.cards.card import Answer, Button, escape
from bot.cards.checks import names_of
from bot.cards.deployment import where_it_stands
from bot.cards.refusals import no
from bot.cards.reminders import before_success
from bot.cards.times import wall
from bot.cards.view import View
from bot.cards.words import clock, code, count, person, place
from bot.domain.calendar_facts import Locked
from bot.domain.deployment import Status
from bot.domain.summary import DeploymentRow
from checklists.plan import Plan


def held_by_lock(plan: Plan, version: str, lock: Locked, now: datetime) -> Answer:
    """Somebody has locked the service: who, why, until when, and how it is lifted."""
    zone = plan.policy.timezone
    until = f" until {wall(lock.until, zone, now)}" if lock.until is not None else ""
    unlock = code(f"/deploy unlock {plan.service} {plan.environment}", limit=200)
    name = f"{escape(plan.service)} {escape(version)} → {escape(plan.environment)}"
    return no(
        f"{name} cannot start: locked by {person(lock.by)} since {wall(lock.at, zone, now)}{until}: "
        f"{escape(lock.reason)}.\nWhen that is settled: {unlock}.",
        Button("Tell me when it is free", f"queue:{plan.service}:{plan.environment}"[:100]),
    )


def locked(view: View) -> Answer:
    """Another deployment of the same service and environment has it: whose it is, and what can be done."""
    mine, state = view.state.started, view.state
    here = place(mine.service, mine.environment)
    back, name = code(f"/deploy rollback {here}", limit=200), f"{escape(mine.service)} {escape(mine.version)}"
    if state.status is Status.ROLLING_BACK:
        what = f"{name} is being rolled back in {escape(mine.environment)}."
        way = "When the old version is back, press Rolled back… in its thread. It leaves a lock behind: lift that then."
    elif state.t0 is not None:
        by = person(state.deployed_by or mine.by)
        what = f"{name} was deployed to {escape(mine.environment)} by {by} {view.when(state.t0)}."
        way = f"{_until_success(view)} Or end it with {back}."
    else:
        since = view.when(mine.at)
        what = f"{name} is already being deployed to {escape(mine.environment)}, started by {person(mine.by)} {since}."
        cancel = code(f"/deploy cancel {here}", limit=200)
        way = f"One at a time: join it in its thread, wait for its success, or end it with {back} or {cancel}."
    return no(
        f"{what}\n{where_it_stands(view)}\n{way}",
        Button("Tell me when it is free", f"queue:{mine.service}:{mine.environment}"[:100]),
    )


def _until_success(view: View) -> str:
    if left := before_success(view):
        are, them = ("are", "them") if len(left) > 1 else ("is", "it")
        open_still = f"{count(len(left), 'item')} {are} still open: {names_of(left)}"
        return f"Its success waits for people, {open_still}. Tick {them} in its thread, or say why not."
    return "No item is open: its checks are still to pass, or somebody has to decide about one, in its thread."


def locked_elsewhere(row: DeploymentRow, plan: Plan, now: datetime) -> Answer:
    """The same of one that this release cannot read: what its row tells."""
    since = clock(row.started_at, plan.policy.timezone, now)
    return no(
        f"{escape(row.service)} {escape(row.version)} is already being deployed to {escape(row.environment)}, "
        f"started by {escape(row.started_by)} {since}.\nA newer gonogo has written it, and this one cannot read where "
        "it stands: install the newest release here too.",
        Button("Tell me when it is free", f"queue:{row.service}:{row.environment}"[:100]),
    )
