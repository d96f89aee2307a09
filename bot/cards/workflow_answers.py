"""What is answered to who starts a workflow: what would be sent, that it was sent before, or why it may not be."""

from __future__ import annotations

import hashlib
import json

from bot.cards.card import Answer, Button, Buttons, Card, Code, Text, Tone, escape
from bot.cards.refusals import no
from bot.cards.replies import ok
from bot.cards.view import View
from bot.cards.workflows import say_dispatch
from bot.domain.workflow_facts import Dispatch, Purpose
from bot.domain.workflow_inputs import Filled
from bot.domain.workflows import dispatches, standing, workflow_of


def confirm(view: View, purpose: Purpose, repository: str, filled: Filled) -> Answer:
    """What would be started, letter for letter, with the button that does it."""
    workflow = workflow_of(view.plan, purpose)
    name = workflow.workflow if workflow is not None else ""
    lines = [f"repository: {repository}", f"ref: {filled.ref}"]
    lines += [f"{key}: {value}" for key, value in filled.inputs.items()]
    again = standing(view.state, purpose)
    blocks: list[Text | Code | Buttons] = []
    if again is not None:
        blocks.append(Text(f"⚠️ {say_dispatch(view, again)}. This starts it once more."))
    said = view.state.said_deployed
    if said is not None and purpose == "deploy":
        blocks.append(Text(f"⚠️ GitHub says it is deployed since {view.when(said.at)}. This deploys it once more."))
    number = len(dispatches(view.state, purpose))
    action = f"dispatch:{view.id}:{purpose}:{number}:{mark_of(repository, filled)}"
    button = Button(f"Run {name}{' again' if again is not None else ''} now"[:75], action, "danger")
    blocks += [Code("\n".join(lines)), Buttons((button,))]
    title = f"Run {name} for {view.name}?"
    return Answer(card=Card(title, f"{title} {'. '.join(lines)}.", tuple(blocks), Tone.WARN))


def mark_of(repository: str, filled: Filled) -> str:
    """Eight digits that are the same only for the same repository, ref and inputs: what was confirmed is what is
    sent."""
    said = json.dumps([repository, filled.ref, sorted(filled.inputs.items())])
    return hashlib.sha256(said.encode()).hexdigest()[:8]


def already(view: View, purpose: Purpose, one: Dispatch) -> Answer:
    """It was started before: by whom, where to look, and how to start it once more."""
    button = Button("Run it again…", f"rerun:{view.id}:{purpose}")
    return ok(f"{one.asked.workflow} was started already", say_dispatch(view, one), blocks=(Buttons((button,)),))


def asked_for(view: View, one: Dispatch) -> Answer:
    """It will be started at once; the card says what comes of it."""
    return ok(f"Starting {one.asked.workflow}", f"The card of {view.safe_name} shows what GitHub says.")


def not_connected() -> Answer:
    """No token and no App."""
    return no(
        "GitHub is not connected, so nothing can be started from here: run the command of the checklist. "
        "`GONOGO_GITHUB_TOKEN` or an App connects it."
    )


def no_such_button() -> Answer:
    """A button of another release."""
    return no("That button is from another release. `/deploy status` shows the current ones.")


def no_repository() -> Answer:
    """Nobody says where the workflow is."""
    return no("In which repository? Write `repository: owner/name` into the policy, or set `GONOGO_GITHUB_REPOSITORY`.")


def unfilled(sentence: str) -> Answer:
    """An input that nobody knows."""
    return no(f"Nothing was started. {escape(sentence)}.")


def not_approved_any_more(why: str) -> Answer:
    """The tag is not where it was when it was approved."""
    return no(f"Nothing was started: {escape(why)}. Start a deployment of what it is now, and have that approved.")
