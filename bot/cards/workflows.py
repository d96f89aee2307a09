"""How the workflows that are started on GitHub are said: on the card, and to everybody."""

from __future__ import annotations

from collections.abc import Iterator

from bot.cards.card import Button, Buttons, Card, Text, Tone, escape
from bot.cards.pipeline import linked
from bot.cards.view import View
from bot.cards.words import person, plain
from bot.domain import events as e
from bot.domain.deployment import Status
from bot.domain.workflow_facts import Dispatch, Purpose
from bot.domain.workflows import dispatches, offered, standing, workflow_of
from checklists.plan import Plan

# --- on the card ---


def workflow_lines(view: View) -> Iterator[str]:
    """The latest start of the workflow that matters now. Inline Markdown."""
    purpose: Purpose = "rollback" if view.state.status is Status.ROLLING_BACK else "deploy"
    started = dispatches(view.state, purpose)
    if started and not view.state.status.ended:
        yield say_dispatch(view, started[-1])


def workflow_buttons(view: View) -> Iterator[Button]:
    """Starts the workflow that is offered now, where GitHub is connected."""
    purpose = offered(view.plan, view.state)
    workflow = workflow_of(view.plan, purpose) if purpose is not None else None
    if purpose is None or workflow is None or not view.github:
        return
    there = purpose == "deploy" and view.state.said_deployed is not None
    pressed = there or standing(view.state, purpose) is not None
    yield Button(f"Run {workflow.workflow}…"[:75], f"run:{view.id}:{purpose}", "plain" if pressed else "primary")


def say_dispatch(view: View, one: Dispatch) -> str:
    """How far one start has come, in one line. Inline Markdown."""
    name = f"**{escape(one.asked.workflow)}**"
    since = f"by {person(one.asked.by)} {view.when(one.asked.at)}"
    run = f", {linked('its run', one.link)}" if one.link else ""
    if one.ended is not None:
        how = "has succeeded" if one.ended.conclusion == "success" else f"ended: {escape(one.ended.conclusion)}"
        return f"{name} {how}, started {since}{run}"
    if one.answer is None:
        what = "is being started" if one.tried is None else "was asked for; GitHub has not answered yet"
        return f"{name} {what}, {since}"
    match one.answer.outcome:
        case "started":
            return f"{name} was started {since}{run}"
        case "refused":
            return f"{name} was **not** started: {escape(one.answer.problem)}"
        case _:
            look = linked("look at its runs", one.link) if one.link else "look at its runs"
            return (
                f"**Nobody can tell whether {escape(one.asked.workflow)} was started**: {look} before it is run again"
            )


def by_hand(plan: Plan) -> str:
    """What people must do about a rollback, without a full stop; empty where a workflow of the policy does it. gonogo
    itself runs no commands: without one it only calls the rollback, and whoever reads of it must know."""
    if plan.policy.pipeline.rollback is not None:
        return ""
    sections = [section for step in plan.rollback for section in step.phase.sections]
    if any(section.commands or any(item.command for item in section.items) for section in sections):
        return "somebody must run the commands in the thread"
    return "somebody must roll back by hand"


# --- what everybody is told ---


def workflow_notices(view: View, fact: e.Event) -> Iterator[tuple[str, Card, bool]]:
    """What is said once because of a fact, as `bot.cards.admission.notices` says it."""
    if not isinstance(fact, e.DispatchAnswered | e.DispatchEnded):
        return
    one = view.state.dispatches[fact.id]
    if isinstance(fact, e.DispatchAnswered):
        yield f"dispatch-{fact.id}", _answered(view, one), False
    elif (card := _ended(view, one, fact)) is not None:
        again = f"-{fact.attempt}" if fact.attempt > 1 else ""
        yield f"dispatch-{fact.id}-{fact.conclusion}{again}", card, False


def _answered(view: View, one: Dispatch) -> Card:
    assert one.answer is not None
    workflow, name = escape(one.asked.workflow), view.safe_name
    if one.answer.outcome == "started":
        run = f": {linked('its run', one.link)}" if one.link else ""
        return _card(f"▶️ {person(one.asked.by)} runs {workflow} for {name}{run}.", Tone.PLAIN)
    button = Button(f"Run {one.asked.workflow}…"[:75], f"run:{view.id}:{one.asked.purpose}")
    buttons = (button,) if offered(view.plan, view.state) == one.asked.purpose else ()
    if one.answer.outcome == "refused":
        line = f"🔴 {workflow} was not started for {name}: {escape(one.answer.problem)}."
    else:
        look = linked("its runs", one.link) if one.link else "its runs on GitHub"
        line = (
            f"❓ Nobody can tell whether {workflow} was started for {name}: {escape(one.answer.problem)}. "
            f"Look at {look} before it is run again."
        )
    return _card(line, Tone.BAD, *buttons, call=True)


def _ended(view: View, one: Dispatch, fact: e.DispatchEnded) -> Card | None:
    """The end of a rollback's workflow. A deploying one that fails is told as a failure of the pipeline."""
    if one.asked.purpose != "rollback":
        return None
    workflow, run = escape(one.asked.workflow), linked("its run", fact.link) if fact.link else "its run"
    done = Button("Rolled back…", f"rolledback:{view.id}", "primary")
    if fact.conclusion == "success":
        line = f"✅ {workflow} of {view.safe_name} has succeeded ({run}). Look whether the old version is well."
        return _card(line, Tone.GOOD, done)
    how = escape(fact.conclusion) + (f", attempt {fact.attempt}" if fact.attempt > 1 else "")
    line = f"🔴 {workflow} of {view.safe_name} ended with {how} ({run}). The rollback is not done."
    return _card(line, Tone.BAD, Button(f"Run {one.asked.workflow}…"[:75], f"run:{view.id}:rollback"), call=True)


def _card(line: str, tone: Tone, *buttons: Button, call: bool = False) -> Card:
    blocks: tuple[Text | Buttons, ...] = (Text(line), Buttons(buttons)) if buttons else (Text(line),)
    return Card("", plain(line), blocks, tone, mentions=("on_call",) if call else ())
