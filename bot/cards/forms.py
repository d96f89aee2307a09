"""The questions asked before something is done."""

from __future__ import annotations

from bot.cards.card import Answer, Field, Form, Option
from bot.cards.view import View
from bot.cards.words import count, plain, short
from bot.cards.workflows import by_hand
from checklists.plan import Task
from checklists.policy import Announcement
from checklists.templates import names_in, template_for

_NAMED = 3
"""Items that are named in a form."""


def excuse_form(view: View, task: Task) -> Answer:
    """Why an item does not apply."""
    return _ask(
        "Not applicable",
        f"excuse:{view.id}:{task.id}",
        "Save",
        short(plain(task.item.label), 300),
        Field("reason", "Why does it not apply?", "paragraph", hint="Kept with the deployment, with your name."),
    )


def note_form(view: View, task: Task) -> Answer:
    """A note about an item."""
    return _ask(
        "Note",
        f"note:{view.id}:{task.id}",
        "Save",
        short(plain(task.item.label), 300),
        Field("text", "What should the others know?", "paragraph"),
    )


def accept_form(view: View, argument: str) -> Answer:
    """Going on although a check was not healthy."""
    return _ask(
        "Go on",
        f"accept:{view.id}:{argument}",
        "Go on",
        f"{view.name}: the check was not healthy.",
        Field("reason", "Why is it right to go on?", "paragraph", hint="Kept with the deployment, with your name."),
    )


def rollback_form(view: View, versions: tuple[str, ...], version: str = "") -> Answer:
    """Version, reason and next steps of a rollback; previous good versions are offered. `version` is the one it was
    asked for with. To be opened only where a rollback is possible: it says so."""
    known = tuple(Option(version, version) for version in versions)
    previous = version or view.state.started.previous_version or (versions[0] if versions else "")
    told = (Announcement.ROLLBACK_STARTED, Announcement.ROLLED_BACK)
    return _ask(
        "Roll back",
        f"rollback:{view.id}",
        "Roll back now",
        f"{view.name}. Nothing stands in the way of a rollback.",
        Field("version", "Back to which version?", "line", value=previous, required=False, options=known),
        Field("reason", "Why?", "paragraph"),
        Field(
            "next_steps", "What happens next?", "paragraph", required=False, hint=_becomes(view, "next_steps", *told)
        ),
    )


def rolled_back_form(view: View) -> Answer:
    """How the system is after the rollback, and what is still open in its list."""
    back = view.state.rollback.to_version if view.state.rollback else ""
    hint = _becomes(view, "status", Announcement.ROLLED_BACK)
    return _ask(
        "Rolled back",
        f"rolledback:{view.id}",
        "Announce",
        f"{view.name} is back on {back or 'the old version'}.{_still_open(view)}",
        Field("status", "How is the system now?", "line", value="System stable", hint=hint),
    )


def _still_open(view: View) -> str:
    """What people have not ticked of the rollback list; it does not hold the rollback up."""
    left = [task for step in view.plan.rollback for task in view.state.lacking_people(step)]
    if not left:
        return ""
    named = "; ".join(short(plain(task.item.label), 80) for task in left[:_NAMED])
    more = f"; and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
    return f" Still open in the rollback list: {count(len(left), 'item')} ({named}{more})."


def _becomes(view: View, name: str, *announcements: Announcement) -> str:
    """What becomes of an answer: the words of the team say it, or it is only kept."""
    if any(name in names_in(template_for(view.plan.policy, announcement)) for announcement in announcements):
        return "Goes into the announcement."
    return "Kept with the deployment; the announcement does not say it."


def stop_form(view: View) -> Answer:
    """Why the rollback that is to come by itself is stopped."""
    comes = view.state.proposed
    text = view.name
    if comes is not None and by_hand(view.plan):
        text = f"gonogo calls a rollback of {view.name} at {view.clock(comes.stops_at)}: {comes.reason}."
    elif comes is not None:
        text = f"{view.name} rolls back by itself at {view.clock(comes.stops_at)}: {comes.reason}."
    return _ask(
        "Stop the rollback",
        f"stop:{view.id}",
        "Stop it",
        text,
        Field("reason", "Why is it right to stay?", "paragraph", hint="From then on only people roll back."),
    )


def cancel_form(view: View) -> Answer:
    """Why a run is given up."""
    return _ask(
        "Cancel",
        f"cancel:{view.id}",
        "Cancel this deployment",
        f"{view.name} has not been deployed yet.",
        Field("reason", "Why?", "paragraph"),
    )


def start_form(
    version: str,
    checklists: tuple[str, ...],
    environments: tuple[str, ...],
    *,
    service: str = "",
    environment: str = "",
    text: str = "",
) -> Answer:
    """What to start; `text` says whether the gate is open for what is chosen so far."""
    return _ask(
        "Start a deployment",
        "start:",
        "Start",
        text,
        Field("version", "Version", "line", value=version, hint="A tag, branch or commit: v1.2.0"),
        Field("service", "Checklist", "choice", value=service, options=_options(checklists)),
        Field("environment", "Environment", "choice", value=environment, options=_options(environments)),
        Field("when", "When?", "line", required=False, hint="Empty: now. Or: tue 10:00, 2026-11-24 10:00"),
        Field("note", "Note", "line", required=False),
    )


def freeze_form(words: str) -> Answer:
    """When and why nothing is deployed."""
    return _ask(
        "Add a freeze",
        "freeze:",
        "Freeze",
        "",
        Field("when", "When?", "line", value=words, hint="1 dec - 3 jan, today, 2026-12-20 18:00 - 2026-12-27 08:00"),
        Field("reason", "Why?", "line"),
    )


def _options(names: tuple[str, ...]) -> tuple[Option, ...]:
    return tuple(Option(name, name) for name in names)


def _ask(title: str, action: str, submit: str, text: str, *fields: Field) -> Answer:
    return Answer(form=Form(title=title, action=action, fields=fields, submit=submit, text=text))
