"""The card of a deployment: what runs, where it stands, who does the next thing, how long there is, how to get out."""

from __future__ import annotations

from collections.abc import Iterator

from bot.cards.card import Block, Button, Buttons, Card, Progress, Slot, Text, Tone, escape
from bot.cards.checks import check_slots, check_title
from bot.cards.items import phase_slots
from bot.cards.opening import say_opening
from bot.cards.view import View
from bot.cards.words import clock, count, person, plain, role_words
from bot.domain.deployment import Status
from bot.domain.events import Verdict
from checklists.plan import Task

_TONES = {
    Status.RUNNING: Tone.PLAIN,
    Status.DEPLOYED: Tone.WARN,
    Status.SUCCEEDED: Tone.GOOD,
    Status.STABLE: Tone.GOOD,
    Status.ROLLING_BACK: Tone.BAD,
    Status.ROLLED_BACK: Tone.BAD,
    Status.CANCELLED: Tone.PLAIN,
    Status.SUPERSEDED: Tone.PLAIN,
}
_SIGNS = {
    Status.RUNNING: "🚀",
    Status.DEPLOYED: "👀",
    Status.SUCCEEDED: "✅",
    Status.STABLE: "✅",
    Status.ROLLING_BACK: "🔄",
    Status.ROLLED_BACK: "🔄",
    Status.CANCELLED: "✖️",
    Status.SUPERSEDED: "⏭️",
}


def slots(view: View) -> list[Slot]:
    """Every message of a deployment, in the order in which they are to be posted."""
    wanted = [Slot("card", deployment_card(view))]
    for step in view.plan.every_step():
        if step.id in view.state.opened:
            wanted += phase_slots(view, step)
    for check in view.plan.checks:
        wanted += check_slots(view, check)
    return wanted


def deployment_card(view: View) -> Card:
    """The one card in the channel; also what `/deploy status` answers."""
    state = view.state
    tasks = tuple(task for step in view.active_steps for task in step.tasks)
    ticked, excused, total = view.done_of(tasks)
    label = f"{ticked + excused} of {total}" + (f" · {excused} not applicable" if excused else "")
    lines = list(_lines(view))
    title = f"{_SIGNS[state.status]} {view.name}"
    blocks: list[Block] = [
        Text(f"started by {person(state.started.by)} {clock(state.started.at, view.zone, view.now)}", small=True),
        Text(lines[0]),
        Progress(ticked + excused, total, label),
        *(Text(line) for line in lines[1:]),
    ]
    if buttons := tuple(_buttons(view)):
        blocks.append(Buttons(buttons))
    spoken = ". ".join(plain(line).rstrip(".") for line in lines)
    return Card(title=title, text=f"{view.name}. {spoken}. {label}.", blocks=tuple(blocks), tone=_TONES[state.status])


def where_it_stands(view: View) -> str:
    """One line: the phase, or how it ended. Inline Markdown."""
    state, now, zone = view.state, view.now, view.zone
    at = clock(state.ended_at, zone, now) if state.ended_at else ""
    match state.status:
        case Status.STABLE:
            return f"**Stable** since {at}: all checks passed."
        case Status.ROLLED_BACK if state.rollback is not None:
            back = f" to {escape(state.rollback.to_version)}" if state.rollback.to_version else ""
            return f"**Rolled back**{back} at {at}: {escape(state.rollback.reason)}"
        case Status.CANCELLED if state.cancelled is not None:
            return f"**Cancelled** by {person(state.cancelled.by)} at {at}: {escape(state.cancelled.reason)}"
        case Status.SUPERSEDED if state.superseded is not None:
            return f"**Superseded** at {at} by {escape(state.superseded.version)}, which is watched now."
        case Status.ROLLING_BACK if state.rollback is not None:
            back = f" to {escape(state.rollback.to_version)}" if state.rollback.to_version else ""
            since = clock(state.rollback.at, zone, now)
            who = person(state.rollback.by)
            return f"**Rolling back**{back} since {since}, decided by {who}: {escape(state.rollback.reason)}"
        case _:
            return _phase_line(view)


def _phase_line(view: View) -> str:
    step = view.state.current(view.plan)
    steps = view.plan.steps
    if step is None:
        return "All phases are complete; the checks go on."
    index = view.plan.index(step.id) or 0
    where = f"Phase {index + 1} of {len(steps)}: **{escape(plain(step.title))}**"
    if step.id in view.state.opened:
        return where
    due = _opens_at(view, index)
    return f"{where} opens {due} by itself" if due else where


def _opens_at(view: View, index: int) -> str:
    step, t0 = view.plan.steps[index], view.state.t0
    if t0 is None:
        return ""
    times = [t0 + step.opens.offset] if step.opens else []
    times += [view.state.due_times(check)[0] for check in view.plan.checks if check.phase == step.id]
    return clock(min(times), view.zone, view.now) if times else ""


def _lines(view: View) -> Iterator[str]:
    state = view.state
    yield where_it_stands(view)
    if state.status.ended:
        if left := [task for step in view.plan.steps for task in state.missing(step)]:
            yield f"{count(len(left), 'item')} left open."
        return
    if todo := _next_items(view):
        yield f"Next: {todo}"
    if state.status is Status.RUNNING:
        if state.started.planned_t0 is not None:
            yield f"Planned for {clock(state.started.planned_t0, view.zone, view.now)}."
        if view.opening is not None:
            yield f"Window {say_opening(view.opening, view.now)}."
    if state.t0 is not None and state.status is not Status.ROLLING_BACK:
        yield f"Deployed {clock(state.t0, view.zone, view.now)} by {person(state.deployed_by or state.started.by)}."
        yield from _check_lines(view)


def _next_items(view: View) -> str:
    """The first open items, with who is to do them."""
    if view.state.status is Status.ROLLING_BACK:
        open_tasks = [task for step in view.plan.rollback for task in view.state.missing(step)]
    else:
        opened = [step for step in view.plan.steps if step.id in view.state.opened]
        open_tasks = [task for step in opened for task in view.state.missing(step)]
    if not open_tasks:
        step = view.state.current(view.plan)
        if step is not None and step.deployed and view.state.t0 is None and view.state.status is Status.RUNNING:
            return "press Deployed when it is in production"
        return ""
    words = [f"{escape(plain(task.item.label), limit=80)}{_by(task)}" for task in open_tasks[:2]]
    more = f" · and {len(open_tasks) - 2} more" if len(open_tasks) > 2 else ""
    return " · ".join(words) + more


def _by(task: Task) -> str:
    if task.role:
        return f" ({role_words(task.role)})"
    return f" ({escape(task.owner)})" if task.owner else ""


def _check_lines(view: View) -> Iterator[str]:
    state = view.state
    coming = sorted(
        (due, check_title(check))
        for check in view.plan.checks
        for due in state.due_times(check)
        if due not in state.runs.get(check.id, {})
    )
    single = [due for due, title in coming if not any(c.series and check_title(c) == title for c in view.plan.checks)]
    if single:
        yield "Checks " + " · ".join(clock(due, view.zone, view.now) for due in single[:4])
    bad = [
        check_title(check)
        for check in view.plan.checks
        if (run := state.latest(check)) is not None and not run.passed and not state.settled(view.plan, check)
        if run.result.verdict is not Verdict.HEALTHY
    ]
    if bad:
        yield f"**Not healthy**: {escape(', '.join(dict.fromkeys(bad)))}. See the thread."
    if not coming and state.status is Status.SUCCEEDED:
        left = sum(len(state.missing(step)) for step in view.plan.steps)
        if left:
            yield f"All checks have run; {count(left, 'item')} to tick before it is closed."


def _buttons(view: View) -> Iterator[Button]:
    state, plan = view.state, view.plan
    if state.status is Status.ROLLING_BACK:
        yield Button("Rolled back…", f"rolledback:{view.id}", "primary")
        return
    if state.status.ended:
        return
    step = state.current(plan)
    if state.status is Status.RUNNING and step is not None:
        ready = not state.missing(step)
        index = plan.index(step.id) or 0
        if index < plan.deployed_at or (index == plan.deployed_at and not step.deployed):
            yield Button("Next phase", f"advance:{view.id}", "primary" if ready else "plain")
        if index >= plan.deployed_at:
            yield Button("Deployed", f"deployed:{view.id}", "primary")
    yield Button("Roll back…", f"rollback:{view.id}", "danger")
    if state.status is Status.RUNNING:
        yield Button("Cancel…", f"cancel:{view.id}")

