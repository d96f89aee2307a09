"""What a check found, with its numbers against their thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.cards.announcement import measure_name, say_measurement
from bot.cards.card import Block, Button, Buttons, Card, Fact, Facts, Slot, Text, Tone, escape
from bot.cards.charts import check_picture
from bot.cards.view import View
from bot.cards.words import LONGEST_TITLE, count, person, plain, short
from bot.domain import events as e
from bot.domain.course import LIVE_AFTER, awaited
from bot.domain.deployment import Run, measures_nothing
from checklists.plan import Check
from checklists.policy import Policy
from checklists.quantities import say_duration

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
    """The messages of a check: one for each, and in a series a new one only when the verdict changes."""
    runs = view.state.runs.get(check.id, {})
    slots: list[Slot] = []
    stretch: list[datetime] = []
    for due in sorted(runs):
        if stretch and runs[stretch[-1]].result.verdict is not runs[due].result.verdict:
            slots.append(_slot(view, check, stretch, len(slots)))
            stretch = []
        stretch.append(due)
    if stretch:
        slots.append(_slot(view, check, stretch, len(slots)))
    return slots


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
    if not check.series and (picture := check_picture(view, check, result)) is not None:
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
        mentions=("on_call",) if _calls(check, result) else (),
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


def _calls(check: Check, result: e.CheckRan) -> bool:
    """A series calls nobody while it is healthy; a single check always does, for its human items."""
    return not check.series or result.verdict is not e.Verdict.HEALTHY


def _lines(view: View, check: Check, run: Run, stretch: list[datetime]) -> Iterator[str]:
    result = run.result
    if len(stretch) > 1:
        first, last = view.clock(stretch[0]), view.clock(stretch[-1])
        yield f"{count(len(stretch), 'measurement')} from {first} to {last}; the latest:"
    if result.late_seconds:
        late = say_duration(timedelta(seconds=result.late_seconds))
        yield f"Ran {late} late: due {view.clock(result.due)}, asked as of then."
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
        yield "No data is not success. Look for yourself, then decide with a reason, or ask again."
    yield from _awaited(view, check)


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
    said = [kind for kind in check.then if kind not in view.state.announced]
    if not said or view.state.status not in LIVE_AFTER:
        return
    open_items = awaited(view.plan, view.state, check)
    if open_items:
        names = "; ".join(escape(plain(task.item.label), limit=80) for task in open_items[:3])
        more = f"; and {len(open_items) - 3} more" if len(open_items) > 3 else ""
        word = " and ".join("success" if kind == "succeeded" else kind.value for kind in said)
        yield f"Before “{word}” is announced, {count(len(open_items), 'item')} to tick: {names}{more}."


def _fact(view: View, judged: e.Judged) -> Fact:
    known = judged.measurement.outcome is e.Outcome.MEASURED and judged.verdict is not e.Verdict.INCONCLUSIVE
    return Fact(
        label=measure_name(view.plan, judged.measurement.name),
        value=say_measurement(judged.measurement),
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
    key = f"{view.id}:{check.id}:{view.state.due_times(check).index(run.result.due)}"
    if not measures_nothing(check):
        yield Button("Check again", f"again:{key}", "primary")
    yield Button("Go on, with a reason…", f"accept:{key}")
    yield Button("Roll back…", f"rollback:{view.id}", "danger")
