"""The items of a phase as interactive messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from bot.cards.card import Block, Button, Card, Code, Heading, ItemRow, ItemState, Slot, Text, Tone, escape
from bot.cards.pipeline import linked
from bot.cards.placeholders import beware, filled
from bot.cards.prose import prose_blocks
from bot.cards.view import View
from bot.cards.words import count, person, plain, role_words, short, title
from bot.domain.reminders import for_people
from checklists.document import PhaseKind
from checklists.plan import Step, Task

ROWS_PER_MESSAGE = 25
"""Items in one message; a longer phase goes on in the next."""
_LONGEST_LABEL = 1_000
"""Characters of an item."""
_LONGEST_NOTE = 500
"""Characters of a note."""
_SPOKEN = 5
"""Items that are named in the text of a message."""


def phase_slots(view: View, step: Step) -> list[Slot]:
    """The messages of one open phase, in the thread of the deployment's card. Which item stands where never changes."""
    messages = list(_parts(step)) or [()]
    return [
        Slot(
            name=f"phase:{step.id}:{number}",
            card=_phase_card(view, step, part, number, len(messages)),
            thread="card",
        )
        for number, part in enumerate(messages)
    ]


def item_rows(view: View, tasks: tuple[Task, ...]) -> Iterator[Block]:
    """Items with the headings of their sections and the commands of those."""
    for heading, group in groupby(tasks, key=lambda task: task.section):
        here = tuple(group)
        ticked, excused, _ = view.done_of(here)
        yield Heading(f"{title(heading)} · {ticked + excused} of {len(here)}")
        for task in here:
            yield item_row(view, task)


def item_row(view: View, task: Task) -> ItemRow:
    """One item: what it says, what was done about it, and what can be."""
    mark = view.state.marks.get(task.id)
    step = view.plan.step(task.phase)
    kind = step.kind if step is not None else PhaseKind.RUN
    state, status = ItemState.OPEN, ""
    if mark is not None:
        state = ItemState.EXCUSED if mark.excused else ItemState.TICKED
        when = view.clock(mark.at)
        reason = f": not applicable, {escape(mark.reason)}" if mark.excused else ""
        value = f" · {linked(mark.value, mark.link)}" if mark.value else ""
        status = f"{person(mark.by)} {when}{reason}{value}"
    return ItemRow(
        id=task.id,
        markdown=_label(task),
        state=state,
        depth=task.item.depth,
        group=task.item.group,
        status=status,
        hints=tuple(_hints(view, task)),
        command=filled(task.item.command, view, kind) if task.item.command else None,
        buttons=tuple(_buttons(view, task)),
    )


def _label(task: Task) -> str:
    label = task.item.label
    return (
        label if len(label) <= _LONGEST_LABEL else escape(plain(label), limit=_LONGEST_LABEL)
    ) or "(an item without words)"


def _parts(step: Step) -> Iterator[tuple[Task, ...]]:
    """The items cut into messages, between sections where that is possible."""
    part: list[Task] = []
    for _, group in groupby(step.tasks, key=lambda task: task.section):
        section = list(group)
        if part and len(part) + len(section) > ROWS_PER_MESSAGE:
            yield tuple(part)
            part = []
        while len(section) > ROWS_PER_MESSAGE:
            yield tuple(section[:ROWS_PER_MESSAGE])
            section = section[ROWS_PER_MESSAGE:]
        part += section
    if part:
        yield tuple(part)


def _phase_card(view: View, step: Step, tasks: tuple[Task, ...], number: int, parts: int) -> Card:
    missing = view.state.missing(step)
    heading = title(step.title) + (f" ({number + 1} of {parts})" if parts > 1 else "")
    done = step.id in view.state.done
    state = "complete" if done else f"{count(len(missing), 'item')} to do" if missing else "all items done"
    if not step.tasks:
        state = "to read"
    here = [short(plain(task.item.label), 150) for task in missing if task in tasks]
    named = "; ".join(here[:_SPOKEN]) + (f"; and {len(here) - _SPOKEN} more here" if len(here) > _SPOKEN else "")
    blocks: list[Block] = []
    if number == 0:
        blocks += [Text(line, small=True) for line in _introduction(view, step)]
        blocks += list(_commands(view, step))
    read = ". ".join(
        plain(block.markdown).rstrip(".:") for block in blocks if isinstance(block, Text) and not block.small
    )
    blocks += list(item_rows(view, tasks))
    return Card(
        title=heading,
        text=" ".join(part for part in (f"{heading}: {state}.", named, read) if part),
        blocks=tuple(blocks),
        tone=_tone(view, step),
        mentions=_mentions(view, step) if number == 0 else (),
    )


def _tone(view: View, step: Step) -> Tone:
    if step.id in view.state.done or (step.tasks and not view.state.missing(step)):
        return Tone.GOOD
    return Tone.BAD if step.kind is PhaseKind.ROLLBACK else Tone.PLAIN


def _introduction(view: View, step: Step) -> Iterator[str]:
    if step.id in view.state.due_opened:
        due = view.opens_at(step) or view.state.opened[step.id]
        ask = " Please tick what is true, or say why it does not apply." if _left_to_people(view, step) else ""
        yield f"Due {view.when(due)}.{ask}"
    if step.kind is PhaseKind.ROLLBACK:
        yield "Rolling back: no window, freeze or open item stands in the way."


def _commands(view: View, step: Step) -> Iterator[Block]:
    for section in step.phase.sections:
        if step.kind is PhaseKind.ROLLBACK and not section.items and section.prose.strip():
            yield Heading(title(section.title))
            yield from _ready(view, step, prose_blocks(section.prose))
        else:
            yield from _ready(view, step, [Code(command) for command in section.commands])


def _ready(view: View, step: Step, blocks: Sequence[Block]) -> Iterator[Block]:
    """The same, commands filled in; one with a sample version in it says so."""
    for block in blocks:
        if not isinstance(block, Code):
            yield block
            continue
        yield Code(filled(block.text, view, step.kind))
        if warning := beware(block.text, view):
            yield Text(f"⚠️ {escape(warning)}", small=True)


def _mentions(view: View, step: Step) -> tuple[str, ...]:
    """Who is called when the phase is posted: sign-off roles, and the on-call for a rollback or where the clock opened
    it and something is left to people. What a check of the phase says at that moment calls them by itself."""
    roles = [task.role for task in step.tasks if task.role and task.required]
    opened_by_clock = step.id in view.state.due_opened and not _has_its_check(view, step)
    if step.kind is PhaseKind.ROLLBACK or (opened_by_clock and _left_to_people(view, step)):
        roles.insert(0, "on_call")
    return tuple(dict.fromkeys(role for role in roles if role))


def _left_to_people(view: View, step: Step) -> tuple[Task, ...]:
    """The open items that people are to judge by now."""
    state = view.state
    upto = view.now - state.t0 if state.t0 is not None else None
    return for_people(state, state.lacking_people(step, upto), view.now)


def _has_its_check(view: View, step: Step) -> bool:
    """Whether a check of the phase was due when it opened: its message comes, too."""
    opened = view.state.opened[step.id]
    return any(
        due <= opened for check in view.plan.checks if check.phase == step.id for due in view.state.due_times(check)[:1]
    )


def _hints(view: View, task: Task) -> Iterator[str]:
    marked = task.id in view.state.marks
    if task.role:
        yield f"sign-off: {escape(role_words(task.role))}"
    if task.owner:
        yield f"owner: {escape(task.owner)}"
    if not task.required and not marked:
        yield "may be left open"
    if task.probe and task.role is None and not marked:
        yield "ticks itself when measured healthy"
    if task.announces and task.role is None and not marked:
        yield "ticks itself when it is announced"
    if task.event and task.role is None and not marked:
        yield f"ticks itself when the pipeline reports “{escape(task.event)}”"
    if task.due is not None and not marked and view.state.t0 is not None and view.state.t0 + task.due > view.now:
        yield f"not expected before {view.clock(view.state.t0 + task.due)}"
    if task.item.command and not marked and (warning := beware(task.item.command, view)):
        yield f"⚠️ {escape(warning)}"
    for note in task.item.notes:
        yield note if len(note) <= _LONGEST_NOTE else escape(plain(note), limit=_LONGEST_NOTE)
    for written in view.state.notes.get(task.id, []):
        yield f"📝 {person(written.by)} {view.clock(written.at)}: {escape(written.text, limit=_LONGEST_NOTE)}"


def _buttons(view: View, task: Task) -> Iterator[Button]:
    state, key = view.state, f"{view.id}:{task.id}"
    step = view.plan.step(task.phase)
    if step is None or step.id not in state.opened or state.on_hold(step):
        return
    mark = state.marks.get(task.id)
    if mark is None:
        yield Button("Tick", f"tick:{key}", "primary")
        if task.probe and task.role is None:
            yield Button("Measure now", f"measure:{key}")
        yield Button("Not applicable…", f"excuse:{key}")
    elif mark.excused:
        yield Button("Tick", f"tick:{key}")
    if mark is not None and (step.id not in state.done or not task.required):
        yield Button("Undo", f"untick:{key}")
    yield Button("Note…", f"note:{key}")
