"""What a check found, with its numbers against their thresholds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from bot.cards.announcement import measure_name, say_measurement
from bot.cards.card import Block, Button, Buttons, Card, Fact, Facts, Slot, Text, Tone, escape
from bot.cards.charts import check_picture
from bot.cards.view import View
from bot.cards.words import LONGEST_TITLE, count, person, plain, short
from bot.domain import events as e
from bot.domain.course import LIVE_AFTER, awaited
from bot.domain.deployment import Run, measures_nothing
from bot.domain.issue import QUIET
from bot.domain.measured import instant_of, measured_now
from bot.domain.reminders import for_people, open_items
from bot.domain.tries import counted, kind_of, needed, try_due
from checklists.plan import Check, Task
from checklists.policy import Announcement, Policy
from checklists.quantities import say_duration

_CHANGES = 2
"""So often the verdict may change within `QUIET` before it flaps."""

_NAMED = 3
"""Measures that are named in a line."""

_TONES = {
    e.Verdict.HEALTHY: Tone.GOOD,
    e.Verdict.DEGRADED: Tone.WARN,
    e.Verdict.FAILING: Tone.BAD,
    e.Verdict.INCONCLUSIVE: Tone.WARN,
}
_SIGNS = {
    e.Verdict.HEALTHY: "✅",
    e.Verdict.DEGRADED: "🟡",
    e.Verdict.FAILING: "🔴",
    e.Verdict.INCONCLUSIVE: "❔",
}


def check_slots(view: View, check: Check) -> list[Slot]:
    """The messages of a check: one for each, and in a series a new one only when the verdict changes; one that flaps
    stays in its message."""
    found = _stretches(view.state.runs.get(check.id, {}))
    return [_slot(view, check, stretch, number) for number, stretch in enumerate(found)]


def _stretches(runs: Mapping[datetime, Run]) -> list[list[datetime]]:
    """The due times of each message, in order. What changes a third time within `QUIET` goes on in its message."""
    stretches: list[list[datetime]] = []
    changes: list[datetime] = []
    before: e.Verdict | None = None
    for due in sorted(runs):
        verdict = runs[due].result.verdict
        if verdict is not before:
            flaps = len(changes) >= _CHANGES and due - changes[-_CHANGES] <= QUIET
            if before is not None:
                changes.append(due)
            if not flaps:
                stretches.append([])
        before = verdict
        stretches[-1].append(due)
    return stretches


def check_title(check: Check) -> str:
    """`T+30 m check`, or the name the policy gives it."""
    return check.title if "check" in check.title.casefold() else f"{check.title} check"


def _slot(view: View, check: Check, stretch: list[datetime], number: int) -> Slot:
    due = stretch[-1]
    run = view.state.runs[check.id][due]
    return Slot(f"check:{check.id}:{number}", _card(view, check, run, stretch), thread="card")


def _card(view: View, check: Check, run: Run, stretch: list[datetime]) -> Card:
    result = run.result
    verdict, sign, tone = _verdict(view, check, run)
    name = short(check_title(check), LONGEST_TITLE)
    lines = list(_lines(view, check, run, stretch))
    blocks: list[Block] = [Text(line) for line in lines]
    if result.judged:
        blocks.append(Facts(tuple(_fact(view, judged) for judged in result.judged)))
    if (picture := check_picture(view, check, result)) is not None:
        blocks.append(picture)
    if buttons := tuple(_buttons(view, check, run)):
        blocks.append(Buttons(buttons))
    spoken = [plain(line).rstrip(".:") + "." for line in lines]
    if result.judged:
        spoken.append("; ".join(_spoken(view, judged) for judged in result.judged))
    return Card(
        title=f"{sign} {name}: {verdict}",
        text=" ".join([f"{view.name}, {name}: {verdict}.", *spoken]),
        blocks=tuple(blocks),
        tone=tone,
        mentions=("on_call",) if _calls(view, check, run, stretch[0]) else (),
    )


def _verdict(view: View, check: Check, run: Run) -> tuple[str, str, Tone]:
    """The verdict in words, its sign and its tone. What nothing measures is judged by people."""
    verdict = run.result.verdict
    if measures_nothing(check):
        if run.accepted is not None or view.state.settled(view.plan, check):
            return "judged by people", "✅", Tone.GOOD
        return "for you to judge", "❔", Tone.WARN
    if run.accepted is not None:
        return f"{verdict.value}, going on by decision", "☑️", Tone.GOOD
    return verdict.value, _SIGNS[verdict], _TONES[verdict]


def _calls(view: View, check: Check, run: Run, since: datetime) -> bool:
    """Whether a message calls the on-call: for their items (the first of the check), for what nobody could tell (once
    for each check), and for what got worse. What was as bad less than `QUIET` ago has called them already."""
    verdict = run.result.verdict
    if measures_nothing(check):
        return True
    if since == min(view.state.runs[check.id]) and _left_to_people(view, check):
        return True
    if verdict is e.Verdict.HEALTHY:
        return bool(_unsaid(view, check) and _before_announced(view, check))
    earlier = (
        (name, due, one.result.verdict)
        for name, runs in view.state.runs.items()
        for due, one in runs.items()
        if due < since
    )
    if verdict is e.Verdict.INCONCLUSIVE:
        return not any(name == check.id and found is verdict for name, _, found in earlier)
    bad = {e.Verdict.FAILING} if verdict is e.Verdict.FAILING else {e.Verdict.FAILING, e.Verdict.DEGRADED}
    return not any(found in bad and since - due <= QUIET for _, due, found in earlier)


def _lines(view: View, check: Check, run: Run, stretch: list[datetime]) -> Iterator[str]:
    result = run.result
    if len(stretch) > 1:
        first, last = view.clock(stretch[0]), view.clock(stretch[-1])
        verdicts = [view.state.runs[check.id][due].result.verdict for due in stretch]
        changed = sum(one is not other for one, other in itertools.pairwise(verdicts))
        flapped = f", and it changed {count(changed, 'time')}" if changed else ""
        yield f"{count(len(stretch), 'measurement')} from {first} to {last}{flapped}; the latest:"
    if result.late_seconds:
        yield f"Ran {late_words(view, result)}."
    if result.tries > 1:
        before = ", ".join(kind_words(one) for one in view.state.tries.get(check.id, {}).get(result.due, ()))
        yield f"Asked {count(result.tries, 'time')} until it was decided: {before}, then this."
    if result.again:
        yield f"Measured again at {view.clock(result.at)}, asked for by {person(result.by)}."
    if result.severity:
        within = f" ({escape(result.within)})" if result.within else ""
        yield f"**{escape(result.severity)}**: {escape(result.action)}{within}"
    if run.accepted is not None:
        yield f"{person(run.accepted.by)} decided to go on: {escape(run.accepted.reason, limit=500)}"
        return
    if not result.severity and result.verdict is not e.Verdict.HEALTHY:
        yield from _judgement(view.plan.policy)
    if measures_nothing(check):
        if not view.state.settled(view.plan, check):
            yield "Nothing is measured here: look for yourself and decide."
    elif result.verdict is e.Verdict.INCONCLUSIVE:
        if result.why:
            yield f"It could not be told: {escape(result.why, limit=600)}."
        yield "No data is not success. Look for yourself, then decide with a reason, or ask again."
    newer = view.state.newer
    names = [one.measurement.name for one in result.judged]
    if newer is not None and instant_of(view.plan, result, names) > newer.at and not run.passed:
        yield f"The deployment of {escape(newer.version)} began {view.clock(newer.at)}: this may be its doing."
    yield from _yours(view, check)
    yield from _awaited(view, check)


def late_words(view: View, result: e.CheckRan) -> str:
    """`47 m late: due 10:34, asked as of then`. What knows no past is named: that was measured when the check ran."""
    late = say_duration(timedelta(seconds=result.late_seconds))
    then = f"asked as of {view.clock(result.asked)}" if result.asked is not None else "asked as of then"
    now = [short(measure_name(view.plan, name), 60) for name in measured_now(view.plan, result)]
    words = f"{late} late: due {view.clock(result.due)}"
    if not now:
        return f"{words}, {then}"
    if len(now) == len(result.judged):
        return f"{words}, measured only at {view.clock(result.at)}"
    named = escape(", ".join(now[:_NAMED])) + (f" and {len(now) - _NAMED} more" if len(now) > _NAMED else "")
    verb = "were" if len(now) > 1 else "was"
    return f"{words}, {then}; {named} {verb} measured only at {view.clock(result.at)}"


def trying(view: View) -> Iterator[str]:
    """The checks that are being asked again: `**30-minute check**: failing 1 of 3, asked again 10:05`. Inline
    Markdown."""
    state = view.state
    for check in view.plan.checks if state.status in LIVE_AFTER else ():
        for due, before in sorted(state.tries.get(check.id, {}).items()):
            kind = kind_of(before[-1].verdict, before[-1].judged)
            if due in state.runs.get(check.id, {}) or kind is None:
                continue
            at = view.when(try_due(view.plan, check, due, before))
            how = f"{kind.value} {counted(before, kind)} of {needed(check, kind)}"
            yield f"**{escape(check_title(check))}**: {how}, asked again {at}"


def kind_words(tried: e.CheckTried) -> str:
    """How a try ended: `failing`, `inconclusive`, `could not be asked`."""
    kind = kind_of(tried.verdict, tried.judged)
    return kind.value if kind is not None else tried.verdict.value


def _judgement(policy: Policy) -> Iterator[str]:
    """What the checklist gives people to judge by, where no row of its matrix was met by a number."""
    for row in policy.matrix:
        means = f" ({escape(row.means)})" if row.means else ""
        said = row.within.casefold() in row.action.casefold()
        within = "" if said else f", {escape(row.within)}"
        yield f"**{escape(row.severity)}**{means}: {escape(row.action)}{within}"
    if policy.rollback.when and not policy.matrix:
        yield f"Roll back if: {escape('; '.join(policy.rollback.when), limit=600)}."


def _awaited(view: View, check: Check) -> Iterator[str]:
    """What still stands between this check and what it announces."""
    said = _unsaid(view, check)
    if not said:
        return
    if left := _before_announced(view, check):
        word = " and ".join("success" if kind == "succeeded" else kind.value for kind in said)
        yield f"Before “{word}” is announced, {count(len(left), 'item')} to tick: {names_of(left)}."


def _before_announced(view: View, check: Check) -> tuple[Task, ...]:
    """What people are to tick elsewhere before the check's announcement is made."""
    here = open_items(view.plan, view.state, check)
    left = [task for task in awaited(view.plan, view.state, check) if task not in here]
    return for_people(view.state, left, view.now)


def _left_to_people(view: View, check: Check) -> tuple[Task, ...]:
    """What people are to judge in the check's own phase."""
    if view.state.status not in LIVE_AFTER:
        return ()
    return for_people(view.state, open_items(view.plan, view.state, check), view.now)


def _unsaid(view: View, check: Check) -> list[Announcement]:
    """What the check is still to announce."""
    live = view.state.status in LIVE_AFTER
    return [kind for kind in check.then if kind not in view.state.announced] if live else []


def _yours(view: View, check: Check) -> Iterator[str]:
    """What is for people to look at, at the time of the check."""
    if left := _left_to_people(view, check):
        are = "items are" if len(left) > 1 else "item is"
        yield f"**{len(left)} {are} yours**: {names_of(left)}."


def names_of(tasks: Sequence[Task]) -> str:
    """The first of them by name, and how many more there are. Inline Markdown."""
    names = "; ".join(escape(plain(task.item.label), limit=80) for task in tasks[:3])
    return names + (f"; and {len(tasks) - 3} more" if len(tasks) > 3 else "")


def _fact(view: View, judged: e.Judged) -> Fact:
    known = judged.measurement.outcome is e.Outcome.MEASURED and judged.verdict is not e.Verdict.INCONCLUSIVE
    policy = view.plan.policy.probes.get(judged.measurement.name)
    compared = known and policy is not None and policy.baseline is not None and judged.measurement.detail
    against = f" ({judged.measurement.detail})" if compared else ""
    return Fact(
        label=measure_name(view.plan, judged.measurement.name),
        value=say_measurement(judged.measurement) + against,
        target=judged.target,
        ok=judged.verdict is e.Verdict.HEALTHY if known else None,
    )


def _spoken(view: View, judged: e.Judged) -> str:
    target = f" (target {judged.target})" if judged.target else ""
    return f"{measure_name(view.plan, judged.measurement.name)} {say_measurement(judged.measurement)}{target}"


def _buttons(view: View, check: Check, run: Run) -> Iterator[Button]:
    if run.passed or view.state.status not in LIVE_AFTER:
        return
    if measures_nothing(check) and view.state.settled(view.plan, check):
        return
    yield from decisions(view, check, run.result.due)


def decisions(view: View, check: Check, due: datetime) -> Iterator[Button]:
    """What can be decided about a check that has not passed."""
    key = f"{view.id}:{check.id}:{view.state.due_times(check).index(due)}"
    if not measures_nothing(check):
        yield Button("Check again", f"again:{key}", "primary")
    yield Button("Go on, with a reason…", f"accept:{key}")
    yield Button("Roll back…", f"rollback:{view.id}", "danger")
