"""What is going on, for one person: running deployments with what waits for them, windows, freezes, last results."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.cards.card import Block, Button, Buttons, Card, Heading, Text, escape
from bot.cards.deployment import where_it_stands
from bot.cards.opening import say_opening
from bot.cards.view import View
from bot.cards.words import clock, count, plain
from bot.domain.calendar import Opening
from bot.domain.events import FreezeAdded
from bot.domain.people import Who, holds
from bot.domain.summary import DeploymentRow
from checklists.plan import Task

_SHOWN = 8


def home_card(
    who: Who,
    views: Sequence[View],
    gates: Sequence[tuple[str, Opening]],
    freezes: Sequence[FreezeAdded],
    ended: Sequence[DeploymentRow],
    now: datetime,
) -> Card:
    """The Home tab. `gates` are services with their production window; `freezes` those that stand or come."""
    blocks: list[Block] = []
    for view in views:
        blocks += _deployment(view, who)
    if not views:
        blocks.append(Text("No deployment is running. Start one with `/deploy start v1.2.0`."))
    if gates:
        blocks.append(Heading("Windows"))
        blocks += [Text(f"**{escape(name)}**: {say_opening(opening, now)}") for name, opening in gates]
    if freezes:
        blocks.append(Heading("Freezes"))
        blocks += [
            Text(f"{clock(freeze.start, 'UTC', now)} to {clock(freeze.end, 'UTC', now)} UTC: {escape(freeze.reason)}")
            for freeze in freezes[:_SHOWN]
        ]
    if ended:
        blocks.append(Heading("Last results"))
        blocks += [
            Text(
                f"{escape(row.service)} {escape(row.version)} → {escape(row.environment)}: {row.status}"
                + (f", {clock(row.ended_at, 'UTC', now)} UTC" if row.ended_at else "")
            )
            for row in ended[:_SHOWN]
        ]
    running = count(len(views), "deployment")
    return Card(title="Deployments", text=f"{running} running", blocks=tuple(blocks))


def _deployment(view: View, who: Who) -> list[Block]:
    open_tasks = [
        task for step in view.plan.every_step() if step.id in view.state.opened for task in view.state.missing(step)
    ]
    mine = [task for task in open_tasks if task.role is not None and holds(who, task.role)]
    others = [task for task in open_tasks if task.role is None]
    blocks: list[Block] = [Heading(view.name), Text(where_it_stands(view))]
    if mine:
        blocks.append(Text(f"**Waiting for you**: {_words(mine)}"))
    if others:
        blocks.append(Text(f"Open: {_words(others)}"))
    if coming := _next_check(view):
        blocks.append(Text(f"Next check {coming}"))
    shown = (mine or others)[:3]
    if shown:
        blocks.append(
            Buttons(tuple(Button(f"Tick: {plain(t.item.label)}"[:75], f"tick:{view.id}:{t.id}") for t in shown))
        )
    return blocks


def _words(tasks: Sequence[Task]) -> str:
    words = " · ".join(escape(plain(task.item.label), limit=80) for task in tasks[:3])
    return words + (f" · and {len(tasks) - 3} more" if len(tasks) > 3 else "")


def _next_check(view: View) -> str:
    due = [
        (at, check.title)
        for check in view.plan.checks
        for at in view.state.due_times(check)
        if at not in view.state.runs.get(check.id, {})
    ]
    if not due or view.state.status.ended:
        return ""
    at, title = min(due)
    return f"{clock(at, view.zone, view.now)}: {escape(title)}"
