"""Cards of real checklists in every state, and Slack's messages read the way a person sees them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from adapters.slack import blocks, packing
from bot.cards.card import Button, Card, Heading, ItemRow, ItemState, Tone
from bot.cards.deployment import slots
from bot.cards.said import announcement_card
from bot.cards.view import View
from bot.domain import events as e
from bot.domain.deployment import replay
from bot.domain.people import Who
from checklists.library import Loaded, from_texts, load
from checklists.plan import Plan, make_plan
from checklists.policy import Announcement, Person
from tests.fakes.slack_blocks import problems, weigh

FOLDER = Path(__file__).resolve().parents[3] / "checklists"
NAMES = ("azora", "ca-marketplace", "maishapoa", "petforce", "services-do")
STATES = ("fresh", "half", "done", "noted", "ended", "rolling back")
NOW = datetime(2026, 11, 24, 10, 4, tzinfo=UTC)
ANN = Who(chat="slack", id="U0ANN", name="Ann")
SAM = Who(chat="slack", id="U0SAM", name="Sam *the* <!here> person with quite a long name `x` that goes on")
PEOPLE = {
    "on_call": Person(slack="U0ONCALL"),
    "qa": Person(slack="S0QA"),
    "tech_lead": Person(name="Tech *Lead* <!channel>", slack="@lead"),
}


@cache
def loaded(name: str) -> Loaded:
    return load(name, [FOLDER])


def plan_of(read: Loaded) -> Plan:
    return make_plan(read.checklist, read.policy, environment="production")


def view(read: Loaded, state: str) -> View:
    """A deployment with every phase open, in one of `STATES`."""
    plan = plan_of(read)
    started = e.Started(
        at=NOW, by=ANN, id="deadbeef", version="v1.2.0", service=plan.service, environment="production",
        checklist=plan.name, digest="d",
    )  # fmt: skip
    facts: list[e.Event] = [started]
    facts += [e.PhaseOpened(at=NOW, by=ANN, phase=step.id) for step in plan.every_step()]
    facts += _marks(plan, state)
    if state in ("half", "noted", "ended"):
        facts.append(e.Deployed(at=NOW, by=ANN))
        facts += _checks(plan)
    if state == "done":
        facts += [e.PhaseDone(at=NOW, by=ANN, phase=step.id) for step in plan.every_step()]
    if state == "ended":
        facts.append(e.Ended(at=NOW, by=ANN))
    if state == "rolling back":
        facts.append(e.RollbackStarted(at=NOW, by=SAM, to_version="v1.1.9", reason="*all* <!channel> red " * 20))
    return View(plan, replay(facts), NOW + timedelta(days=2))


def cards(read: Loaded, state: str) -> list[Card]:
    return [slot.card for slot in slots(view(read, state))]


def row(id: str = "item-1", markdown: str = "All `tests` pass", state: str = "open", **more: Any) -> ItemRow:
    """An item as the core draws it."""
    known = {
        "open": (Button("Tick", f"tick:deadbeef:{id}", "primary"), Button("Not applicable…", f"excuse:deadbeef:{id}")),
        "ticked": (Button("Undo", f"untick:deadbeef:{id}"),),
        "excused": (Button("Tick", f"tick:deadbeef:{id}"), Button("Undo", f"untick:deadbeef:{id}")),
    }
    buttons = (*known[state], Button("Note…", f"note:deadbeef:{id}"))
    return ItemRow(id, markdown, ItemState(state), **{"buttons": buttons, **more})


def phase(*rows: ItemRow, heading: str = "Code Quality", tone: Tone = Tone.PLAIN) -> Card:
    done = sum(one.state is not ItemState.OPEN for one in rows)
    return Card("Pre-Deployment", "what it says", (Heading(f"{heading} · {done} of {len(rows)}"), *rows), tone)


def messages(card: Card, *, folded: bool = True) -> list[dict[str, Any]]:
    """What would be sent, after proving that Slack takes it."""
    sent = [blocks.message(part, people=PEOPLE, folded=folded) for part in packing.parts(card)]
    for message in sent:
        assert problems(message["blocks"]) == []
        chars, size = weigh(message["blocks"])
        assert chars < 9_000
        assert size < 12_000
        assert 0 < len(message["text"]) <= 4_000
        assert message["blocks"]
    return sent


def texts(value: Any, kind: str = "mrkdwn") -> Iterator[str]:
    """Every text of a kind in blocks: `mrkdwn`, `plain_text`, or `text` and `link` of rich text."""
    if isinstance(value, dict):
        if value.get("type") == kind and isinstance(value.get("text"), str):
            yield value["text"]
        for part in value.values():
            yield from texts(part, kind)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part, kind)


def seen(mrkdwn: str) -> str:
    """mrkdwn as people see it, but for its formatting signs; a grave accent looks like a backtick."""
    linked = re.sub(r"<([^<>|]*)(?:\|([^<>]*))?>", lambda match: match.group(2) or match.group(1), mrkdwn)
    return html.unescape(linked).replace("\u200b", "").replace("ˋ", "`")


def values(message: dict[str, Any]) -> list[str]:
    """Every action a message offers, in order."""
    found = []
    for block in message["blocks"]:
        for element in [block.get("accessory"), *block.get("elements", [])]:
            if isinstance(element, dict) and element["type"] == "button":
                found.append(element["value"])
            if isinstance(element, dict) and element["type"] == "overflow":
                found += [option["value"] for option in element["options"]]
    return found


def items_of(part: Card) -> list[str]:
    return [block.id for block in part.blocks if isinstance(block, ItemRow)]


def checklist(lines: list[str], *, sections: int = 1) -> Loaded:
    """A document with one phase of these items in so many sections."""
    each = -(-len(lines) // sections)
    text = "# Long\n\n## Pre-Deployment\n"
    for number in range(sections):
        text += f"\n### Section {number + 1}\n\n"
        text += "".join(f"- [ ] {line}\n" for line in lines[number * each : (number + 1) * each])
    return from_texts("long", text, None)


def _marks(plan: Plan, state: str) -> Iterator[e.Event]:
    tasks = [task for step in plan.every_step() for task in step.tasks]
    for number, task in enumerate(tasks):
        if state in ("done", "ended") or (state == "half" and number % 2 == 0):
            yield e.Ticked(at=NOW, by=SAM if number % 3 else ANN, item=task.id, value="12 ms" if task.probe else "")
        elif state == "noted":
            yield e.Excused(at=NOW, by=SAM, item=task.id, reason="العربية `x` <!channel> & *why* 🎉 " * 12)
            for text in ("A | note ~with~ everything " * 20, "注意事項" * 100):
                yield e.Noted(at=NOW, by=SAM, item=task.id, text=text)


def _checks(plan: Plan) -> Iterator[e.Event]:
    verdicts = list(e.Verdict)
    for number, check in enumerate(plan.checks):
        verdict = verdicts[number % len(verdicts)]
        judged = tuple(
            e.Judged(
                measurement=e.Measurement(name=name, outcome=e.Outcome.MEASURED, value=0.12, dimension="ratio"),
                target="< 0.1 %",
                verdict=verdict,
            )
            for name in check.measure
        )
        yield e.CheckRan(at=NOW, by=ANN, check=check.id, due=NOW + check.offsets[0], verdict=verdict, judged=judged)


def announcement(text: str, service: str) -> Card:
    """A success of v1.2.0 of this service, in these words."""
    started = e.Started(
        at=NOW, by=ANN, id="deadbeef", version="v1.2.0", service=service, environment="production", checklist=service,
        digest="d",
    )  # fmt: skip
    return announcement_card(e.Announced(at=NOW, by=ANN, announcement=Announcement.SUCCEEDED, text=text), started)
