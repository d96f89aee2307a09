"""The card of a deployment: what runs, where it stands, who does the next thing, how long there is, how to get out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.cards.admission import lane_words, waiting_buttons, waiting_lines, where_it_waits
from bot.cards.alerts import alert_lines, alert_slots
from bot.cards.card import Block, Button, Buttons, Card, Progress, Slot, Text, Tone, escape
from bot.cards.checks import check_slots, check_title, late_words, trying
from bot.cards.items import phase_slots
from bot.cards.opening import say_opening
from bot.cards.pipeline import failure_lines
from bot.cards.view import View
from bot.cards.words import LONGEST_TITLE, count, person, plain, role_words
from bot.cards.workflows import by_hand, workflow_buttons, workflow_lines
from bot.domain.deployment import Status, measures_nothing
from bot.domain.watch import limit_of, newest, time_to_recover, well_since
from checklists.plan import Task
from checklists.policy import Announcement
from checklists.quantities import say_duration

_CHECK_TIMES = 4
"""As many due times stand on the card."""

_TONES = {
    Status.WAITING: Tone.PLAIN,
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
    Status.WAITING: "🕙",
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
    return wanted + alert_slots(view)


def deployment_card(view: View) -> Card:
    """The one card in the channel; also what `/deploy status` answers."""
    state = view.state
    tasks = tuple(task for step in view.active_steps for task in step.tasks)
    ticked, excused, total = view.done_of(tasks)
    label = f"{ticked + excused} of {total}" + (f" · {excused} not applicable" if excused else "")
    lines = list(_lines(view))
    title = f"{_SIGNS[state.status]} {view.name}"
    blocks: list[Block] = [
        Text(f"started by {person(state.started.by)} {view.when(state.started.at)}", small=True),
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
    state = view.state
    at = view.when(state.ended_at) if state.ended_at else ""
    match state.status:
        case Status.STABLE:
            return f"**Stable** since {at}: {_how_it_passed(view)}"
        case Status.ROLLED_BACK if state.rollback is not None:
            back = f" to {escape(state.rollback.to_version)}" if state.rollback.to_version else ""
            took = time_to_recover(state)
            recovered = f", {say_duration(took)} after the issue was found" if took is not None else ""
            return f"**Rolled back**{back} at {at}{recovered}: {escape(state.rollback.reason)}"
        case Status.CANCELLED if state.cancelled is not None:
            return f"**Cancelled** by {person(state.cancelled.by)} at {at}: {escape(state.cancelled.reason)}"
        case Status.SUPERSEDED if state.superseded is not None:
            return f"**Superseded** at {at} by {escape(state.superseded.version)}, which is watched now."
        case Status.ROLLING_BACK if state.rollback is not None:
            back = f" to {escape(state.rollback.to_version)}" if state.rollback.to_version else ""
            since, who = view.when(state.rollback.at), person(state.rollback.by)
            return f"**Rolling back**{back} since {since}, decided by {who}: {escape(state.rollback.reason)}"
        case Status.WAITING:
            return f"{where_it_waits(view)}. {_phase_line(view)}"
        case _:
            return _phase_line(view)


def _how_it_passed(view: View) -> str:
    if not view.plan.checks:
        return "all items are done."
    decided = [run for runs in view.state.runs.values() for run in runs.values() if run.accepted is not None]
    return "all checks passed" + (f", {len(decided)} of them by somebody's decision." if decided else ".")


def _phase_line(view: View) -> str:
    step = view.state.current(view.plan)
    if step is None:
        return "All phases are complete; the checks go on."
    index = view.plan.index(step.id) or 0
    where = f"Phase {index + 1} of {len(view.plan.steps)}: **{escape(plain(step.title), limit=LONGEST_TITLE)}**"
    if step.id in view.state.opened:
        return where
    due = view.opens_at(step)
    return f"{where} opens {view.when(due)} by itself" if due else where


def _lines(view: View) -> Iterator[str]:
    state = view.state
    yield where_it_stands(view)
    if state.status.ended:
        if left := [task for step in view.plan.steps for task in state.missing(step)]:
            yield f"{count(len(left), 'item')} left open."
        return
    if state.status is Status.WAITING:
        yield from waiting_lines(view)
    yield from _by_hand_line(view)
    yield from workflow_lines(view)
    yield from failure_lines(view)
    yield from alert_lines(view)
    if todo := _next_items(view):
        yield f"Next: {todo}"
    if state.started.lane or state.started.overrode:
        yield from _lane_line(view)
    if state.status in (Status.WAITING, Status.RUNNING):
        if (planned := state.planned_t0) is not None:
            times = _check_times(view, planned)
            yield f"Planned for {view.when(planned)}" + (f" · checks {' · '.join(times)}" if times else "")
        if view.opening is not None and planned is not None and planned > view.now:
            yield f"Window then {say_opening(view.opening, planned, view.now)}"
        elif view.opening is not None:
            yield f"Window {say_opening(view.opening, view.now)}"
    elif state.t0 is not None and state.status is not Status.ROLLING_BACK:
        yield f"Deployed {view.when(state.t0)} by {person(state.deployed_by or state.started.by)}"
        if (said := state.announced.get(Announcement.SUCCEEDED)) is not None:
            yield f"Success announced {view.when(said.at)}; still watched"
        if times := _check_times(view, state.t0):
            yield f"Checks {' · '.join(times)}"
        yield from _bad_news(view)
        yield from _watch_lines(view)
    elif state.status is Status.ROLLING_BACK and state.rollback is not None and state.recovered is not None:
        took = say_duration(state.recovered.at - state.rollback.at)
        yield f"**Recovered** {view.when(state.recovered.at)}, {took} after the rollback began"
    elif state.status is Status.ROLLING_BACK and (since := well_since(state)) is not None:
        yield f"Measured well since {view.when(since)}: not taken for the old version yet"


def _by_hand_line(view: View) -> Iterator[str]:
    """That nobody but people rolls back, until their list is done or the old version is well."""
    state, steps = view.state, view.plan.rollback
    done = any(step.tasks for step in steps) and not any(state.lacking_people(step) for step in steps)
    if state.status is Status.ROLLING_BACK and state.recovered is None and not done and (hands := by_hand(view.plan)):
        yield f"**gonogo only calls the rollback**: {hands}"


def _lane_line(view: View) -> Iterator[str]:
    started = view.state.started
    by = f"By the {escape(lane_words(started.lane))} lane" if started.lane else "By an override"
    spite = f", in spite of {escape(', '.join(started.overrode))}" if started.overrode else ""
    yield f"{by}{spite}: {escape(started.reason)}"


def _next_items(view: View) -> str:
    """The first open items, with who is to do them. What only waits for an announcement is nobody's to do."""
    state, plan = view.state, view.plan
    steps = plan.rollback if state.status is Status.ROLLING_BACK else plan.steps
    open_tasks = [task for step in steps if step.id in state.opened for task in state.lacking_people(step)]
    step = state.current(plan)
    if not open_tasks:
        if state.status is Status.ROLLING_BACK:
            return "press Rolled back… when the old version is back"
        if step is None or state.status not in (Status.WAITING, Status.RUNNING):
            return ""
        if state.status is Status.WAITING and (step.deployed or step.id not in state.opened):
            return ""
        return "press Deployed when it is in production" if step.deployed else "press Next phase"
    words = [f"{escape(plain(task.item.label), limit=80)}{_by(task)}" for task in open_tasks[:2]]
    more = f" · and {len(open_tasks) - 2} more" if len(open_tasks) > 2 else ""
    return " · ".join(words) + more


def _by(task: Task) -> str:
    if task.role:
        return f" ({escape(role_words(task.role))})"
    if task.probe:
        return " (automatic)"
    if task.event:
        return " (pipeline)"
    return f" ({escape(task.owner)})" if task.owner else ""


def _check_times(view: View, t0: datetime) -> list[str]:
    """When the checks are due that are still to come: the single ones, or the next of a series if there is no other."""
    state, checks = view.state, view.plan.checks
    coming = [
        (t0 + offset, check.series)
        for check in checks
        for offset in check.offsets
        if t0 + offset not in state.runs.get(check.id, {})
    ]
    times = sorted({due for due, series in coming if not series} or {due for due, _ in coming[:1]})
    return [view.when(due) for due in times[:_CHECK_TIMES]] + ["…"] * (len(times) > _CHECK_TIMES)


def _bad_news(view: View) -> Iterator[str]:
    state = view.state
    bad: dict[str, str] = {}
    for check in view.plan.checks:
        run = state.latest(check)
        if run is not None and not run.passed and not measures_nothing(check):
            bad[check_title(check)] = run.result.verdict.value
    if bad:
        names = escape("; ".join(f"{name} {verdict}" for name, verdict in bad.items()))
        yield f"**Not healthy**: {names}. What to do is in the thread."


def _watch_lines(view: View) -> Iterator[str]:
    """The time limit of what is bad, who looks after it, and a rollback that comes by itself."""
    state = view.state
    yield from trying(view)
    for run in newest(view.plan, state):
        if run.result.late_seconds and (check := view.plan.check(run.result.check)) is not None:
            yield f"**{escape(check_title(check))}** ran {late_words(view, run.result)}"
    if state.newer is not None and not state.status.ended:
        begun = view.when(state.newer.at)  # and may have been rolled back by now
        yield f"The deployment of {escape(state.newer.version)} began {begun}: what is measured since may be its doing"
    if (limit := limit_of(view.plan, state)) is not None:
        left = limit - view.now
        when = f"{say_duration(left)} left" if left.total_seconds() > 0 else "which is over"
        yield f"**Roll back or decide by** {view.when(limit)}, {when}"
    if state.proposed is not None:
        when, why, hands = view.when(state.proposed.stops_at), escape(state.proposed.reason), by_hand(view.plan)
        only = f". It only calls: {hands}" if hands else ""
        yield f"{'**gonogo calls a rollback**' if hands else '**Rolls back by itself**'} at {when}: {why}{only}"
    if state.acknowledged is not None:
        yield f"{person(state.acknowledged.by)} looks after it since {view.when(state.acknowledged.at)}"


def _buttons(view: View) -> Iterator[Button]:
    state, plan = view.state, view.plan
    yield from workflow_buttons(view)
    if state.status is Status.ROLLING_BACK:
        yield Button("Rolled back…", f"rolledback:{view.id}", "primary")
        return
    if state.status.ended:
        return
    step = state.current(plan)
    yield from waiting_buttons(view)
    if state.status in (Status.WAITING, Status.RUNNING) and step is not None:
        ready = not state.missing(step)
        index = plan.index(step.id) or 0
        if index < plan.deployed_at or (index == plan.deployed_at and not step.deployed):
            yield Button("Next phase", f"advance:{view.id}", "primary" if ready else "plain")
        if index >= plan.deployed_at and state.status is Status.RUNNING:
            yield Button("Deployed", f"deployed:{view.id}", "primary")
    if state.proposed is not None:
        yield Button("Stop the rollback…", f"stop:{view.id}")
    if Announcement.ISSUE in state.announced and state.acknowledged is None and state.t0 is not None:
        yield Button("Acknowledge", f"acknowledge:{view.id}", "primary")
    if state.status is not Status.WAITING:
        yield Button("Roll back…", f"rollback:{view.id}", "danger")
    if state.status is Status.RUNNING or (state.status is Status.WAITING and state.go_asked is None):
        yield Button("Cancel…", f"cancel:{view.id}")
