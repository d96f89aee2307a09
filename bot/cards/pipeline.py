"""How what a pipeline reports is said: to the pipeline itself, and on the deployment's card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.cards.card import Answer, Button, Buttons, Card, Text, Tone, escape
from bot.cards.view import View
from bot.cards.words import count, person, plain, short
from bot.domain import events as e
from bot.domain.deployment import Status
from bot.domain.errors import Code
from bot.domain.pipeline import Reply, Report, UnknownStep
from bot.domain.pipeline_facts import FAILED
from checklists.addresses import web_address
from checklists.names import did_you_mean, fold

_SHOWN = 12
"""Steps or items that are named in a sentence."""
_FAILURES = 5
"""Failed steps on the card."""


def linked(words: str, address: str | None) -> str:
    """Words as inline Markdown, as a link where there is an address that may be one."""
    safe = web_address(address) if address else ""
    return f"[{escape(words)}]({safe})" if safe else escape(words)


# --- to the pipeline, in plain text ---


def taken(before: View, after: View, facts: Sequence[e.Event], report: Report) -> Reply:
    """What a report did."""
    name = after.name
    ticked = tuple(
        plain(task.item.label)
        for step in after.plan.every_step()
        for task in step.tasks
        if task.id in after.state.marks and task.id not in before.state.marks and _is_reported(after, task.id)
    )
    told = [fact for fact in facts if isinstance(fact, e.Reported)]
    waiting = {item for fact in told for item in fact.items if item in after.state.reports}
    also = f" Ticked: {_named(ticked)}." if ticked else ""
    if any(isinstance(fact, e.PipelineFailed) for fact in facts):
        return Reply(True, (), "failed", f"{name}: the team is told. Nothing is cancelled or rolled back by itself.")
    if any(isinstance(fact, e.Deployed) for fact in facts):
        return Reply(True, ticked, "deployed", f"{name} is marked deployed; its checks count from now.{also}")
    if ticked:
        return Reply(True, ticked, "ticked", f"{name}: ticked {_named(ticked)}.")
    if waiting:
        items = count(len(waiting), "item")
        return Reply(True, (), "remembered", f"{name}: {items} will be ticked when the phase opens.")
    what = "that failure" if fold(report.event) == FAILED else f"“{short(report.event, 60)}”"
    return Reply(True, (), "already", f"{name}: {what} is known already; nothing was changed.")


def not_taken(code: str, answer: Answer) -> Reply:
    """A rule said no; its own words."""
    return Reply(False, (), code, answer.card.text if answer.card is not None else "")


def unknown_step(unknown: UnknownStep) -> Reply:
    """No item waits for it, and none is called so."""
    known = ", ".join(f"“{step}”" for step in unknown.known[:_SHOWN]) or "none by name"
    hint = did_you_mean(unknown.step, unknown.known).removesuffix("?")
    more = f" and {len(unknown.known) - _SHOWN} more" if len(unknown.known) > _SHOWN else ""
    sentence = (
        f"This checklist knows no step “{short(unknown.step, 60)}”{hint}. It knows {known}{more}. Write one of these, "
        "or the words of an item; in the policy, `event` of an item is the step that ticks it."
    )
    return Reply(False, (), "unknown_step", sentence)


def key_reused() -> Reply:
    """The same key with another report."""
    return Reply(
        False, (), "key_reused", "This key came with another report before. Send every report with a key of its own."
    )


# --- on the card and in the channel ---


def failure_lines(view: View) -> Iterator[str]:
    """What of the pipeline has failed and is not mended, and T0 that people have to set. Inline Markdown."""
    said = view.state.said_deployed
    if said is not None and view.state.status in (Status.WAITING, Status.RUNNING):
        words = linked("GitHub says it is deployed", said.link)
        yield f"**{words}** since {view.when(said.at)}, and T0 is not set: nothing checks it until it is"
    failures = list(view.state.failures.values())
    for fact in failures[-_FAILURES:]:
        yield f"**The pipeline failed** {view.when(fact.at)}: {_failure(fact)}"
    if len(failures) > _FAILURES:
        yield f"… and {count(len(failures) - _FAILURES, 'earlier failure')}"


def pipeline_notices(view: View, fact: e.Event) -> Iterator[tuple[str, Card, bool]]:
    """What is said once because of a fact, as `bot.cards.admission.notices` says it. One failure a minute."""
    if isinstance(fact, e.SaidDeployed):
        yield f"said-deployed-{fact.code}", _said_deployed(view, fact), False
    if not isinstance(fact, e.PipelineFailed):
        return
    line = f"🔴 The pipeline of {view.safe_name} reports a failure: {_failure(fact)}, says {person(fact.by)}."
    if view.state.t0 is None:
        todo = "Nothing is cancelled by itself: mend it and run it again, or cancel."
    else:
        todo = "It is in production, and nothing is rolled back by itself."
    blocks: list[Text | Buttons] = [Text(line), Text(todo)]
    if view.state.status not in (Status.WAITING, Status.ROLLING_BACK):
        out = Button("Roll back…", f"rollback:{view.id}", "danger")
        before = (Button("Cancel…", f"cancel:{view.id}"),) if view.state.t0 is None else ()
        blocks.append(Buttons((*before, out)))
    card = Card("", plain(f"{line} {todo}"), tuple(blocks), Tone.BAD, mentions=("on_call",))
    yield f"pipeline-failed-{int(fact.at.timestamp()) // 60}", card, False


def _said_deployed(view: View, fact: e.SaidDeployed) -> Card:
    """It is in production, and its checks do not run. Where the policy leaves T0 to people that is as it should be, and
    nobody is called."""
    line = f"⚠️ {linked('GitHub says', fact.link)} that {view.safe_name} is deployed."
    next_phase = Button("Next phase", f"advance:{view.id}", "primary")
    deployed = Button("Deployed", f"deployed:{view.id}", "primary")
    back = Button("Roll back…", f"rollback:{view.id}", "danger")
    buttons: tuple[Button, ...]
    match fact.code:
        case Code.NOT_ENTITLED:
            why, todo, buttons = "", "The policy leaves it to people to say so: press Deployed.", (deployed,)
        case Code.MISSING_ITEMS:
            why, todo = fact.why, "Nothing checks it until T0 is set: finish the phase, then press Deployed."
            buttons = (next_phase, deployed, back)
        case "closed":
            why, todo = (
                fact.why,
                "Nothing checks it until T0 is set: press Deployed once that is possible, or roll back.",
            )
            buttons = (deployed, back)
        case Code.WAITS:
            why, todo = (
                fact.why,
                "Nothing checks it until T0 is set. Look at who deployed it; then give the go, or cancel.",
            )
            buttons = (Button("Go", f"go:{view.id}", "primary"), Button("Cancel…", f"cancel:{view.id}"))
        case _:
            why, todo, buttons = fact.why, "Look which version serves now.", ()
    why = escape(why, limit=600)
    blocks: list[Text | Buttons] = [Text(part) for part in (line, why, todo) if part]
    if buttons:
        blocks.append(Buttons(buttons))
    calls = ("on_call",) if why else ()
    return Card("", plain(" ".join(filter(None, (line, why, todo)))), tuple(blocks), Tone.BAD, mentions=calls)


def _failure(fact: e.PipelineFailed) -> str:
    words = ": ".join(part for part in (fact.step, fact.detail) if part) or "no details were given"
    return linked(words, fact.link)


def _is_reported(view: View, item: str) -> bool:
    return view.state.marks[item].value.startswith("reported by ")


def _named(items: Sequence[str]) -> str:
    shown = ", ".join(f"“{short(item, 80)}”" for item in items[:_SHOWN])
    return shown + (f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else "")
