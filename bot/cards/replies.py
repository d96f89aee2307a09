"""Answers that only the asker sees: what was done, what stands, and what cannot be understood."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.cards.card import Answer, Block, Button, Buttons, Card, Code, Heading, Text, Tone, escape
from bot.cards.charts import status_picture
from bot.cards.deployment import deployment_card, where_it_stands
from bot.cards.items import item_rows
from bot.cards.opening import say_opening
from bot.cards.prose import prose_blocks
from bot.cards.refusals import no, refusal
from bot.cards.view import View
from bot.cards.words import (
    LONGEST_TITLE,
    clock,
    code,
    count,
    person,
    plain,
    role_words,
    roles_words,
    short,
    title,
)
from bot.cards.workflows import by_hand
from bot.domain.calendar import Opening
from bot.domain.deployment import Status
from bot.domain.errors import Refused
from bot.domain.events import Event, FreezeAdded, IncidentOpened
from bot.domain.summary import DeploymentRow
from checklists.document import Checklist, PhaseKind
from checklists.plan import Task
from checklists.spellings import without_v

_SILENT = Answer()
_SPOKEN = 25
"""Items that are named in the text of an answer."""


def ok(title: str, *lines: str, blocks: Sequence[Block] = ()) -> Answer:
    """Done. Lines are inline Markdown."""
    heading = short(title, LONGEST_TITLE)
    text = ". ".join([heading, *(plain(line).rstrip(".") for line in lines)])
    return Answer(card=Card(title=heading, text=text, blocks=(*(Text(line) for line in lines), *blocks)))


# --- the start --------------------------------------------------------------------------------------------------------


def started(view: View, concerns: Sequence[str] = ()) -> Answer:
    """It runs, or waits; what was assumed, what the document asks of the start, and what will fall badly."""
    state, plan = view.state, view.plan
    channel = plan.policy.channels.get("deployments", "#deployments")
    first = f"{count(len(plan.steps), 'phase')}, first “{escape(plain(plan.steps[0].title))}”."
    lines = [f"The card is in {escape(channel)}, the checklist in its thread: {first}"]
    if state.planned_t0 is not None:
        when = clock(state.planned_t0, view.zone, view.now)
        lines.append(f"Planned for {when}; go or no-go is asked then.")
    if state.started.approvals:
        needs = " and ".join(f"{one.count} × {escape(role_words(one.role))}" for one in state.started.approvals)
        lines.append(f"It waits for approval: {needs}.")
    if view.opening is not None:
        spite = "; it starts nevertheless" if not view.opening.open else ""
        lines.append(f"The window is {say_opening(view.opening, state.planned_t0 or view.now, view.now)}{spite}.")
    lines += [f"No policy beside the checklist: {escape(line)}" for line in state.started.defaults]
    lines += [f"Please mind: {escape(line)}" for line in plan.policy.advice]
    lines += [f"Please mind: {concern}" for concern in concerns]
    if state.status is Status.WAITING and state.planned_t0 is None:
        return ok(f"{view.name} waits for its approval", *lines)
    return ok(f"{'Planned' if state.status is Status.WAITING else 'Started'} {view.name}", *lines)


def closed_now(view: View, opening: Opening) -> Answer:
    """The window is closed at this moment, whatever the start was permitted for."""
    planned = view.state.planned_t0
    when = f" It is planned for {view.clock(planned)}." if planned is not None else ""
    return no(f"{view.name} cannot be deployed now: {say_opening(opening, view.now)}.{when}")


def bad_version(version: str) -> str:
    """A version that is none."""
    return (
        f"“{escape(version, limit=40)}” is not a version. Use a tag, branch or commit: letters, digits and . _ + / - ; "
        "at most 64 characters, like `v1.2.0`."
    )


def unknown_environment(environment: str, known: Sequence[str]) -> str:
    """An environment nobody named."""
    return f"There is no environment “{escape(environment, limit=40)}”; there are {', '.join(map(escape, known))}."


def nothing_to_tick(name: str) -> str:
    """A document without items."""
    return (
        f"{escape(name)} has no items to tick. An item is a line like `- [ ] Tests pass`; "
        "`gonogo checklist lint` says more."
    )


# --- moves ------------------------------------------------------------------------------------------------------------


def quiet(before: View, after: View, facts: list[Event]) -> Answer:
    """The channel itself shows it; only a click that changed nothing is answered."""
    return _SILENT if facts else ok("It is so already", where_it_stands(after))


def moved(before: View, after: View, facts: list[Event]) -> Answer:
    """What stands after a move made by a command."""
    return ok(after.name, where_it_stands(after)) if facts else ok("It is so already", where_it_stands(after))


def rollback_begun(before: View, after: View, facts: list[Event], *, known: Collection[str]) -> Answer:
    """What stands after a rollback was begun. `known` are the versions that were deployed here."""
    begun = after.state.rollback
    if not facts or begun is None:
        return moved(before, after, facts)
    lines = [where_it_stands(after)]
    if begun.to_version and without_v(begun.to_version) not in {without_v(version) for version in known}:
        where = escape(after.state.started.environment)
        version = escape(begun.to_version)
        lines.append(f"{version} was never deployed to {where} from here: see that it is the right one.")
    if hands := by_hand(after.plan):
        lines.append(f"gonogo only calls this rollback: {hands}.")
    return ok(after.name, *lines)


def checked_again(before: View, after: View, facts: list[Event]) -> Answer:
    """A check was asked for once more; its message shows the numbers."""
    return _SILENT if facts else check_is_settled()


def check_is_settled() -> Answer:
    """Nothing to decide any more."""
    return ok("That check is settled", "It was healthy, or somebody has decided about it.")


def not_measured_healthy(task: Task) -> Answer:
    """An item's probe was asked, and is not healthy or not known."""
    return no(
        f"“{escape(plain(task.item.label))}” is not measured healthy now. Look yourself, and tick it if it is true."
    )


def no_such_check() -> Answer:
    """A check that never ran."""
    return no("There is no result of that check. Its message in the thread shows the latest.")


def refused(view: View, why: Refused) -> Answer:
    """A rule said no."""
    return refusal(view, why)


def not_entitled(roles: Sequence[str]) -> Answer:
    """The policy gives this to other roles."""
    return no(f"You cannot do that: it is for {roles_words(tuple(roles))}. Ask one of them.")


# --- asking -----------------------------------------------------------------------------------------------------------


def status(view: View, faults: Sequence[str] = ()) -> Answer:
    """The card with a small picture of what was measured, for the asker alone; `faults` are what is wrong with the
    chats just now."""
    card = deployment_card(view)
    if (picture := status_picture(view)) is not None:
        card = replace(card, blocks=(*card.blocks, picture))
    if faults:
        lines = tuple(Text(f"⚠️ {escape(fault, limit=500)}") for fault in faults)
        card = replace(card, text=f"{card.text} {' '.join(faults)}", blocks=(*card.blocks, *lines))
    return Answer(card=card)


def items(view: View) -> Answer:
    """The open items of the open phases with their buttons."""
    state = view.state
    steps = [step for step in view.plan.every_step() if step.id in state.opened and step.id not in state.done]
    still = [task for step in steps if not state.on_hold(step) for task in step.tasks if task.id not in state.marks]
    if not still:
        return ok(view.name, where_it_stands(view), "No item is open.")
    blocks: list[Block] = []
    for step in steps:
        if here := tuple(task for task in still if task.phase == step.id):
            blocks += [Heading(title(step.title)), *item_rows(view, here)]
    named = "; ".join(short(plain(task.item.label), 150) for task in still[:_SPOKEN])
    more = f"; and {len(still) - _SPOKEN} more" if len(still) > _SPOKEN else ""
    text = f"{view.name}: {count(len(still), 'open item')}: {named}{more}"
    return Answer(card=Card(title=f"{view.name}: open items", text=text, blocks=tuple(blocks)))


def listing(rows: Sequence[DeploymentRow], now: datetime) -> Answer:
    """Deployments, running ones first."""
    if not rows:
        return ok("No deployments yet", "Start one with `/deploy start v1.2.0`.")
    ordered = sorted(rows, key=lambda row: (not row.live, -row.started_at.timestamp()))
    lines = [
        f"**{escape(row.service)} {escape(row.version)}** → {escape(row.environment)} · {row.status} · started by "
        f"{escape(row.started_by)} {clock(row.started_at, 'UTC', now)} UTC"
        for row in ordered[:20]
    ]
    return ok("Deployments", *lines)


def which(rows: Sequence[DeploymentRow], command: str) -> Answer:
    """Several run: the asker has to name one."""
    lines = [
        f"• {code(f'/deploy {command} {row.service} {row.environment}', limit=200)} for {escape(row.version)}"
        for row in rows[:10]
    ]
    return no("Several deployments are running. Say which:\n" + "\n".join(lines))


def none_running(service: str, environment: str) -> Answer:
    """No deployment to act on."""
    where = " ".join(word for word in (service, environment) if word)
    what = f"No deployment of {escape(where)} is running" if where else "No deployment is running"
    return no(f"{what}. Start one with `/deploy start v1.2.0`; `/deploy list` shows earlier ones.")


def gone() -> Answer:
    """A click on a message of a deployment nobody knows."""
    return no("That deployment is not in this database. `/deploy list` shows those that are.")


def nothing_to_explain(word: str) -> Answer:
    """No decision to tell again."""
    what = (
        f"There is no deployment and no denial {code(word, limit=40)}" if word else "Nothing was started or turned away"
    )
    return no(f"{what}. `/deploy list` shows deployments.")


def window(name: str, environment: str, opening: Opening, at: datetime, now: datetime) -> Answer:
    """May it start at an instant, and when does it open or close."""
    return ok(f"{name} → {environment}", f"The window is {say_opening(opening, at, now)}.")


# --- freezes ----------------------------------------------------------------------------------------------------------


def freezes(standing: Sequence[FreezeAdded], zone: str, now: datetime) -> Answer:
    """Freezes that were added here; those of a policy are in its file."""
    coming = [freeze for freeze in standing if freeze.end > now]
    if not coming:
        return ok("No freezes", 'Add one with `/deploy freeze add "1 dec - 3 jan" reason`.')
    return ok("Freezes", *(_capital(_freeze_line(freeze, zone, now)) for freeze in coming))


def freeze_added(freeze: FreezeAdded, zone: str, now: datetime) -> Answer:
    """It holds from now on."""
    whose = escape(freeze.service) if freeze.service else "every service"
    lines = [f"It holds {whose}, in every environment but staging. Rollbacks stay possible."]
    if now - freeze.start > timedelta(days=1):
        lines.append(f"It began {clock(freeze.start, zone, now)}: if a later one is meant, write its dates.")
    remove = f"Remove it with `/deploy freeze remove {freeze.id}`."
    return ok("Freeze added", _capital(_freeze_line(freeze, zone, now)), *lines, remove)


def freeze_notice(freeze: FreezeAdded, zone: str, now: datetime) -> Card:
    """What the channel is told when a freeze is set."""
    line = f"🧊 {person(freeze.by)} added a freeze: {_freeze_line(freeze, zone, now)}"
    return notice(line)


def freeze_removed_notice(freeze: FreezeAdded, who: str) -> Card:
    """What the channel is told when a freeze is lifted."""
    line = f"🧊 {escape(who)} removed the freeze “{escape(freeze.reason)}”."
    return Card(title="", text=plain(line), blocks=(Text(line),))


def no_such_freeze(word: str) -> Answer:
    """An id nobody knows."""
    return no(f"There is no freeze {code(word, limit=30)}. `/deploy freeze list` shows those that stand.")


def _freeze_line(freeze: FreezeAdded, zone: str, now: datetime) -> str:
    what = f" for {escape(freeze.service)}" if freeze.service else ""
    end = clock(freeze.end, zone, now)
    span = f"in force now, until {end}" if freeze.start <= now else f"{clock(freeze.start, zone, now)} to {end}"
    return f"{span} ({zone}){what}: {escape(freeze.reason)} · `{freeze.id}`"


def _capital(line: str) -> str:
    return line[:1].upper() + line[1:]


def incidents(standing: Sequence[IncidentOpened], now: datetime) -> Answer:
    """Incidents that are open."""
    if not standing:
        return ok("No active incident")
    return ok("Active incidents", *(incident_line(incident, now) for incident in standing))


def incident_line(incident: IncidentOpened, now: datetime) -> str:
    """One incident: what, whose, since when."""
    what = f" ({escape(incident.service)})" if incident.service else ""
    since = clock(incident.at, "UTC", now)
    return f"🚨 {escape(incident.reason)}{what} · opened by {person(incident.by)} {since} UTC · `{incident.id}`"


def incident_closed_notice(incident: IncidentOpened, who: str) -> Card:
    """What the channel is told when an incident is over."""
    return notice(f"🚨 {escape(who)} closed the incident “{escape(incident.reason)}”.")


def notice(line: str) -> Card:
    """One line for the whole channel."""
    return Card(title="", text=plain(line), blocks=(Text(line),), tone=Tone.WARN)


def no_such_incident(word: str) -> Answer:
    """An id nobody knows."""
    return no(f"There is no open incident {code(word, limit=30)}. `/deploy incident list` shows them.")


# --- reading ----------------------------------------------------------------------------------------------------------


def checklist_names(known: Sequence[str]) -> Answer:
    """The checklists that exist."""
    if not known:
        return no("There is no checklist. Put a Markdown file into the checklists folder.")
    return ok("Checklists", *(f"• `/deploy checklist {name}`" for name in known))


def checklist(document: Checklist, name: str) -> Answer:
    """The parts of a document, each to be opened with a button."""
    lines = [
        f"**{escape(title(phase.title))}** · {phase.kind.value} · {count(len(phase.items), 'item')}"
        for phase in document.phases
    ]
    buttons = tuple(
        Button(short(plain(phase.title), 70), _read_action(name, phase.id))
        for phase in document.phases
        if phase.kind is PhaseKind.REFERENCE
    )
    blocks = (Buttons(buttons[:25]),) if buttons else ()
    return ok(document.title or name, *lines, blocks=blocks)


def checklist_part(document: Checklist, phase_id: str) -> Answer:
    """A reference part as written."""
    wanted = _read_action(document.name, phase_id)
    phase = next((phase for phase in document.phases if _read_action(document.name, phase.id) == wanted), None)
    if phase is None:
        return no("The checklist has no such part any more. Open it again with `/deploy checklist`.")
    heading = title(phase.title)
    blocks: list[Block] = []
    for section in phase.sections:
        if section.prose.strip():
            blocks += [] if section.title == phase.title else [Heading(title(section.title))]
            blocks += prose_blocks(section.prose)
    blocks = blocks or [Text("(empty)")]
    spoken = " ".join(block.text if isinstance(block, Code | Heading) else plain(_words_of(block)) for block in blocks)
    return Answer(card=Card(title=heading, text=f"{heading}. {spoken}"[:3_500], blocks=tuple(blocks)))


def _words_of(block: Block) -> str:
    return block.markdown if isinstance(block, Text) else ""


def _read_action(name: str, phase_id: str) -> str:
    return f"read:{name}:{phase_id}"[:100]
