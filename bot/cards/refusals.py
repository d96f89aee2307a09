"""Why something was not done, and what to do now: one clear sentence each."""

from __future__ import annotations

from bot.cards.card import Answer, Button, Buttons, Card, Text, Tone, escape
from bot.cards.view import View
from bot.cards.words import LONGEST_TITLE, code, count, place, plain, role_words, roles_words
from bot.domain.deployment import Status
from bot.domain.errors import Code, Refused
from checklists.document import PhaseKind
from checklists.plan import Step, Task

_SHOWN = 10


def refusal(view: View, refused: Refused) -> Answer:
    """The answer to who was turned away."""
    sentence = _sentence(view, refused)
    lines = [f"T{sentence[1:]}" if sentence.startswith("this ") else sentence]
    if refused.missing:
        shown = refused.missing[:_SHOWN]
        lines += [f"• {escape(plain(task.item.label))}{_for(task)}" for task in shown]
        if len(refused.missing) > _SHOWN:
            lines.append(f"… and {len(refused.missing) - _SHOWN} more")
    return no("\n".join(lines))


def no(sentence: str, *buttons: Button) -> Answer:
    """A plain refusal. `sentence` is inline Markdown, one line each."""
    lines = sentence.split("\n")
    blocks: list[Text | Buttons] = [Text(line) for line in lines]
    if buttons:
        blocks.append(Buttons(buttons))
    spoken = " ".join(plain(line) for line in lines)
    return Answer(card=Card(title="Not done", text=spoken, blocks=tuple(blocks), tone=Tone.WARN), refused=True)


def _sentence(view: View, refused: Refused) -> str:
    name = view.safe_name
    step = f"“{escape(plain(refused.step.title), limit=LONGEST_TITLE)}”" if refused.step else "this phase"
    item = f"“{escape(plain(refused.task.item.label), limit=LONGEST_TITLE)}”" if refused.task else "this item"
    at = f" at {view.clock(refused.at)}" if refused.at else ""
    by = f" by {escape(refused.by)}" if refused.by else ""
    match refused.code:
        case Code.ENDED if view.state.status is Status.ROLLED_BACK and refused.at is not None:
            return f"{name} is rolled back since {view.clock(refused.at)}; its run can no longer be changed."
        case Code.ENDED:
            return f"{name} has ended ({view.state.status.value}{at}); its run can no longer be changed."
        case Code.UNKNOWN_ITEM:
            return f"{name} has no such item. Use the buttons in its thread, or `/deploy items` to see them."
        case Code.PHASE_NOT_OPEN:
            return f"{item} belongs to {step}, which is not open yet. {_opens(view, refused.step)}"
        case Code.PHASE_DONE:
            return f"{step} was completed{at}, so {item} stays as it is. Add a note to it instead."
        case Code.NOT_ENTITLED:
            roles = roles_words(refused.roles)
            what = f"{item} is for {roles} to tick" if refused.task else f"this is for {roles}"
            return f"You cannot do that: {what}. Ask one of them."
        case Code.MISSING_ITEMS if not refused.missing:
            return f"Not yet: {step} comes first, and its items are done. Press Next phase, or type `/deploy advance`."
        case Code.MISSING_ITEMS:
            return f"Not yet: {step} still needs {count(len(refused.missing), 'item')} ticked or excused:"
        case Code.NOT_DEPLOYED:
            return f"{step} is complete when the deployment is done: press Deployed, or type `/deploy deployed`."
        case Code.NOT_YET:
            return f"{step} has not begun. {_opens(view, refused.step)}"
        case Code.ALREADY_DEPLOYED:
            return f"It was already marked deployed{by}{at}. The checks count from then."
        case Code.NO_MORE_PHASES:
            return "All phases are complete. The checks that remain run by themselves."
        case Code.REASON_NEEDED:
            return "Please write a reason; it is kept with the deployment."
        case Code.CANNOT_CANCEL:
            return "It is deployed and cannot be cancelled now. Roll it back with `/deploy rollback`, or let it finish."
        case Code.ROLLING_BACK:
            since = f" since {view.clock(refused.at)}" if refused.at else ""
            return (
                f"{name} is being rolled back{since}{by}; its run is on hold. Press Rolled back… when the old version "
                "is back."
            )
        case Code.NOT_ROLLING_BACK:
            return f"{name} is not being rolled back. Start with `/deploy rollback`."
        case Code.UNKNOWN_CHECK:
            return "There is no result of that check to decide about."
        case Code.CHECK_SETTLED:
            return f"That check is settled{by}."
        case Code.NOTHING_TO_DO:
            return f"Nothing is left to be done about that: {name} {_stands(view)}."
        case Code.NO_ISSUE:
            return f"There is no issue to acknowledge: nothing was found to fail. {name} {_stands(view)}."
        case Code.NO_ROLLBACK_COMES if refused.at:
            return f"The rollback of {name} was stopped{at}{by} already. From then on only people roll back."
        case Code.NO_ROLLBACK_COMES:
            return f"No rollback of {name} is to come by itself now, so there is none to stop. It {_stands(view)}."
        case Code.SAME_VERSION:
            return _another_version(view)
        case Code.WAITS:
            planned = _planned(view, refused)
            return (
                f"{name} has not been given the go yet{planned}. It is asked for when its time has come; "
                "`/deploy cancel` gives it up."
            )
        case Code.OWN_APPROVAL:
            return f"You asked for {name} yourself, so somebody else has to approve it."
        case Code.NOT_APPROVED:
            return f"{name} still lacks the approval of {roles_words(refused.roles)}."
        case Code.NO_APPROVAL_NEEDED:
            return f"{name} needs nobody's approval."


def _stands(view: View) -> str:
    """How it stands, in a few words after its name."""
    state = view.state
    match state.status:
        case Status.WAITING:
            return "still waits to go"
        case Status.RUNNING:
            return "is under way, and not deployed yet"
        case Status.DEPLOYED | Status.SUCCEEDED:
            return f"is deployed since {view.clock(state.t0)}, and watched" if state.t0 else "is deployed, and watched"
        case Status.ROLLING_BACK:
            return f"is being rolled back since {view.clock(state.rollback.at)}" if state.rollback else "is rolled back"
        case _:
            return f"is {state.status.value} since {view.clock(state.ended_at)}" if state.ended_at else "has ended"


def _another_version(view: View) -> str:
    """The version that is left was named as the one to go back to."""
    started = view.state.started
    where, before = place(started.service, started.environment), started.previous_version or ""
    command = code(f"/deploy rollback {where} {before or 'VERSION'} REASON", limit=200)
    ran = f", and {escape(before)} ran before it" if before else ""
    left = escape(started.version)
    return f"You cannot go back to {left}: it is what is to be rolled back{ran}. Say which version instead: {command}."


def _planned(view: View, refused: Refused) -> str:
    return f": it is planned for {view.clock(refused.at)}" if refused.at else ""


def _for(task: Task) -> str:
    return f" ({escape(role_words(task.role))})" if task.role else ""


def _opens(view: View, step: Step | None) -> str:
    """When or how a phase opens."""
    if step is not None and step.kind is PhaseKind.ROLLBACK:
        return "It opens when a rollback is started."
    if step is not None and step.kind is PhaseKind.FOLLOW_UP:
        return "It opens by itself after the deployment."
    due = view.opens_at(step) if step is not None else None
    if due is not None and due > view.now:
        return f"It opens by itself {view.clock(due)}."
    return "Finish the phases before it first."
