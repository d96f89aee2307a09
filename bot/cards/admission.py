"""What is said while a deployment waits to go, and when it is let through in spite of something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.cards.card import Answer, Button, Buttons, Card, Field, Form, Option, Text, Tone, escape
from bot.cards.opening import say_opening, say_reasons, say_when
from bot.cards.pipeline import pipeline_notices
from bot.cards.refusals import no
from bot.cards.reminders import reminder_notices
from bot.cards.view import View
from bot.cards.words import code, count, person, place, plain, role_words, roles_words
from bot.cards.workflows import by_hand, workflow_notices
from bot.domain import events as e
from bot.domain.admission import approvers, lacking
from bot.domain.calendar import Opening
from bot.domain.decisions import opening_of
from bot.domain.deployment import Status
from bot.domain.horizon import Concern
from checklists.plan import Plan
from checklists.policy import Announcement, Override, Policy

OVERRIDE = "override"
"""The lane of who may start in spite of a window or a freeze."""


def wait_action(service: str, environment: str, version: str) -> str:
    """The action of a button that starts once the window opens; empty where it would be too long for a button."""
    action = f"wait:{service}|{environment}|{version}"
    return action if len(action) <= 100 and action.count("|") == 2 and action.count(":") == 1 else ""


def closed(plan: Plan, version: str, opening: Opening, at: datetime, now: datetime, *, may_override: bool) -> Answer:
    """The window or a freeze turned the start away; what can be done instead. `at`: when it was to start."""
    name = f"{escape(plan.service)} {escape(version)} → {escape(plan.environment)}"
    key = wait_action(plan.service, plan.environment, version)
    buttons: list[Button] = []
    if key and opening.next_open is not None:
        when = say_when(opening.next_open, opening.zone, at)
        buttons.append(Button(f"Wait until {when}", key, "primary"))
    if key:
        rest = key.partition(":")[2]
        for lane, way in plan.policy.overrides.items():
            if way.closed_windows:
                buttons.append(Button(f"{lane_words(lane).capitalize()}…", f"lane:{lane}:{rest}"[:100], "danger"))
        if may_override:
            buttons.append(Button("Override…", f"lane:{OVERRIDE}:{rest}"[:100], "danger"))
    return no(f"{name} cannot start: {say_opening(opening, at, now)}.", *buttons)


def unknown_lane(lane: str, policy: Policy, service: str, environment: str) -> str:
    """A lane the policy does not have: those it has, and what else can be done, by whom."""
    said = [f"{escape(service)} has no {escape(lane_words(lane), limit=40)} lane."]
    past = {name: " (past a closed window)" for name, way in policy.overrides.items() if way.closed_windows}
    if policy.overrides:
        ways = (code(f"--{name} REASON") + past.get(name, "") for name in policy.overrides)
        said.append(f"It has {', '.join(ways)}.")
    if allowed := policy.may.get("override", ()):
        said.append(f"`--override REASON` starts in spite of a window or freeze: it is for {roles_words(allowed)}.")
    elif not past:
        window = code(f"/deploy window {place(service, environment)}", limit=200)
        said.append(
            f"{window} shows when it opens. Nobody may start in spite of that; whoever keeps the policy may add a lane "
            "under `overrides`, or `may: {override: [ROLE]}`."
        )
    return " ".join(said)


def reason_needed(lane: str) -> str:
    """A lane without its reason."""
    return f"Please write why: `/deploy start v1.2.1 --{escape(lane, limit=40)} checkout is down`."


def may_not_override(policy: Policy) -> Answer:
    """Starting in spite of a freeze is for others, or for nobody."""
    allowed = policy.may.get("override", ())
    if not allowed:
        return no(
            "The policy lets nobody start in spite of a window or freeze. Whoever keeps it may add "
            "`may: {override: [ROLE]}`."
        )
    return no(
        f"Starting in spite of a window or freeze is for {' or '.join(map(role_words, allowed))}. Ask one of them."
    )


def lane_words(lane: str) -> str:
    """`skip-staging` as people say it."""
    return lane.replace("-", " ").replace("_", " ")


def nobody_can_approve(policy: Policy, role: str, needed: int, there: int) -> Answer:
    """A rule that cannot be met would be waited for for ever."""
    has = "nobody holds it" if there == 0 else f"only {count(there, 'other person')} hold it"
    known = policy.people.get(role)
    who = f" ({escape(known.name)})" if known and known.name else ""
    return no(
        f"This needs the approval of {needed} × {escape(role_words(role))}{who}, and {has} besides you, so it would "
        f"wait for ever. Name them under `people: {escape(role)}` of the policy."
    )


def confirm(
    view: View, concerns: Sequence[Concern], *, when: str, lane: str, reason: str, names: Sequence[str]
) -> Answer:
    """What will fall badly, and whether to start nevertheless."""
    started = view.state.started
    said = " ".join(say_concern(concern, view) for concern in concerns)
    fields = [
        Field("version", "Version", "line", value=started.version),
        Field("service", "Checklist", "choice", value=started.checklist, options=_same(started.checklist, names)),
        Field("environment", "Environment", "line", value=started.environment),
        Field("when", "When?", "line", value=when, required=False, hint="Empty: now. Or: tue 10:00"),
    ]
    if lane:
        fields.append(Field("reason", "Why?", "line", value=reason))
    form = Form("Start nevertheless?", f"start:{lane}:yes", tuple(fields), "Start nevertheless", said)
    return Answer(form=form)


def lane_form(
    lane: str, way: Override | None, service: str, environment: str, version: str, names: Sequence[str]
) -> Answer:
    """Why this lane."""
    price = f"{way.what}. " if way is not None else "The freeze stays; this start is recorded and announced. "
    if way is not None and way.role:
        price += f"It waits for the approval of {role_words(way.role)}. "
    fields = (
        Field("version", "Version", "line", value=version),
        Field("service", "Checklist", "choice", value=service, options=_same(service, names)),
        Field("environment", "Environment", "line", value=environment),
        Field("reason", "Why?", "paragraph", hint="Everybody is told."),
    )
    return Answer(form=Form(lane_words(lane).capitalize()[:24], f"start:{lane}:yes", fields, "Start", price.strip()))


def _same(service: str, names: Sequence[str]) -> tuple[Option, ...]:
    return tuple(Option(name, name) for name in dict.fromkeys([service, *names]))


def say_concern(concern: Concern, view: View) -> str:
    """What will fall badly, in one sentence."""
    when = say_when(concern.at.replace(second=0, microsecond=0), view.zone, view.now)
    match concern.code:
        case "late":
            closes = view.opening.next_close if view.opening else None
            end = f" at {say_when(closes, view.zone, view.now)}" if closes else ""
            return f"It takes until about {when}, and the window closes{end}."
        case "freeze":
            return f"The {concern.what} falls into a freeze: {when}, {concern.why}."
        case "weekend":
            return f"The {concern.what} falls on a weekend: {when}."
        case "night":
            return f"The {concern.what} falls into the night: {when}."


# --- while it waits ---


def waiting_lines(view: View) -> Iterator[str]:
    """What a waiting deployment waits for."""
    state, now = view.state, view.now
    if state.held is not None:
        why = state.held.gate.lock or say_opening(opening_of(state.held.gate), state.held.gate.asked)
        yield f"**Held**: {why}. It is asked again {view.when(state.held.again)}"
    elif state.go_asked is not None:
        yield "**Go or no-go?** Its time has come and the window is open"
    for needed in state.started.approvals:
        given = approvers(state, needed, now)
        names = f": {', '.join(person(by) for by in given)}" if given else ""
        yield f"Approved by {len(given)} of {needed.count} {escape(role_words(needed.role))}{names}"


def waiting_buttons(view: View) -> Iterator[Button]:
    """What can be done about one that waits."""
    state = view.state
    if state.status is not Status.WAITING:
        return
    if lacking(state, view.now):
        yield Button("Approve", f"approve:{view.id}", "primary")
    if state.go_asked is not None or state.held is not None:
        yield Button("Go", f"go:{view.id}", "primary")
        yield Button("No-go…", f"cancel:{view.id}", "danger")


def where_it_waits(view: View) -> str:
    """One line. Inline Markdown."""
    planned = view.state.planned_t0
    lack = lacking(view.state, view.now)
    needs = " and ".join(f"{needed.count} × {escape(role_words(needed.role))}" for needed in lack)
    until = f"for {view.when(planned)}" if planned is not None and planned > view.now else ""
    approval = f"for the approval of {needs}" if needs else ""
    return f"**Waiting** {' and '.join(filter(None, (until, approval))) or 'for the go'}"


def not_gone(view: View, gate: e.Decision) -> Answer:
    """Go was pressed, and it may not."""
    why = gate.lock or f"closed: {say_reasons(opening_of(gate))}"
    return no(f"{view.safe_name} may not go now: {why}. It is asked again by itself.")


# --- what everybody is told ---


def notices(plan: Plan, view: View, fact: e.Event) -> Iterator[tuple[str, Card, bool]]:
    """What is said once because of a fact: a name that makes it unique, the message, and whether to say it in every
    channel of the policy."""
    name, state = view.safe_name, view.state
    started = state.started
    match fact:
        case e.Started() if fact.lane or fact.overrode:
            yield "lane", _card(f"🚨 {_in_spite(view, fact.lane, fact.overrode, fact.reason)}", Tone.BAD), True
        case e.Admitted() if fact.overrode and not started.lane and not started.overrode:
            yield "went", _card(f"🚨 {_in_spite(view, '', fact.overrode, fact.reason)}", Tone.BAD), True
        case e.GoAsked():
            buttons = Buttons(
                (Button("Go", f"go:{view.id}", "primary"), Button("No-go…", f"cancel:{view.id}", "danger"))
            )
            window = say_opening(opening_of(fact.gate), fact.gate.asked)
            line = f"🚦 **Go or no-go?** {name}: its time has come, {window}. {person(started.by)}, your call."
            card = Card("", plain(line), (Text(line), buttons), mentions=("on_call",))
            yield f"go-{int(fact.at.timestamp())}", card, False
        case e.Held():
            why = fact.gate.lock or say_opening(opening_of(fact.gate), fact.gate.asked)
            digest = "lock" if fact.gate.lock else "-".join(sorted({cause.code for cause in fact.gate.causes}))
            line = f"✋ {name} is held: {why}. It is asked again by itself."
            yield f"held-{digest}-{int(fact.due.timestamp()) // 86400}", _card(line, Tone.WARN), False
        case e.ApprovalsDropped():
            line = f"↩️ The approvals of {name} are taken back: {escape(fact.why)}."
            yield f"dropped-{int(fact.at.timestamp())}", _card(line, Tone.WARN), False
        case e.RollbackProposed():
            to = f" to {escape(fact.to_version)}" if fact.to_version else ""
            when, why = view.when(fact.stops_at), escape(fact.reason)
            line = f"⏳ {name} rolls back{to} by itself at {when}: {why}."
            if hands := by_hand(plan):
                line = f"⏳ gonogo calls a rollback of {name}{to} at {when}: {why}. It only calls: {hands}."
            buttons = Buttons(
                (
                    Button("Stop it…", f"stop:{view.id}"),
                    Button("Roll back now…", f"rollback:{view.id}", "danger"),
                )
            )
            card = Card("", plain(line), (Text(line), buttons), Tone.BAD, mentions=("on_call",))
            yield f"proposed-{int(fact.at.timestamp())}", card, False
        case e.RollbackStopped():
            why = escape(fact.reason)
            if not fact.by.is_gonogo:
                line = f"⏹️ {person(fact.by)} stopped the rollback of {name} that was to come by itself: {why}."
            else:
                line = f"⏹️ {name} does not roll back by itself: {why}."
            yield f"stopped-{int(fact.at.timestamp())}", _card(line, Tone.WARN), False
        case e.Escalated():
            line = f"📣 Nobody has acknowledged the issue of {name}: calling {escape(role_words(fact.role))}."
            button = Buttons((Button("Acknowledge", f"acknowledge:{view.id}", "primary"),))
            card = Card("", plain(line), (Text(line), button), Tone.BAD, mentions=(fact.role,))
            yield f"escalated-{fact.level}{_of_issue(view)}", card, False
        case e.Acknowledged():
            line = f"🙋 {person(fact.by)} looks after the issue of {name}."
            yield f"acknowledged{_of_issue(view)}", _card(line, Tone.PLAIN), False
        case e.Chased():
            step = plan.step(fact.phase)
            if step is not None:
                left = state.missing(step)
                line = (
                    f"⏰ {person(started.by)}: “{escape(plain(step.title))}” of {name} is still to be closed, "
                    f"{count(len(left), 'item')} open."
                )
                yield f"chased-{fact.phase}-{int(fact.due.timestamp())}", _card(line, Tone.WARN), False
        case _:
            yield from pipeline_notices(view, fact)
            yield from workflow_notices(view, fact)
            yield from reminder_notices(view, fact)
    if isinstance(fact, e.Started) and fact.approvals:
        needs = " and ".join(f"{needed.count} × {escape(role_words(needed.role))}" for needed in fact.approvals)
        line = f"🙋 {name} waits for approval: {needs}."
        why = f" {escape(fact.reason)}" if fact.reason else ""
        card = Card(
            "", plain(line + why), (Text(line + why), Buttons((Button("Approve", f"approve:{view.id}", "primary"),))),
            mentions=tuple(needed.role for needed in fact.approvals),
        )  # fmt: skip
        yield "approval", card, False


def took_over_card(older: View, newer: str) -> Card:
    """A newer version is in production, and is what is watched from now on."""
    started = older.state.started
    line = (
        f"⏭️ {escape(started.service)} {escape(newer)} takes over the watch of {escape(started.version)} in "
        f"{escape(started.environment)}: the older one's remaining checks are dropped."
    )
    return _card(line, Tone.PLAIN)


def _of_issue(view: View) -> str:
    """Which issue it is about, where it is not the first: each has messages of its own."""
    said = view.state.announced.get(Announcement.ISSUE)
    return f"-{said.number}" if said is not None and said.number > 1 else ""


def _in_spite(view: View, lane: str, overrode: Sequence[str], reason: str) -> str:
    by = f"the {escape(lane_words(lane))} lane" if lane else "an override"
    what = f" in spite of: {escape(', '.join(overrode))}" if overrode else ""
    return f"{person(view.state.started.by)} starts {view.safe_name} by {by}{what}. Reason: {escape(reason)}"


def _card(line: str, tone: Tone) -> Card:
    return Card(title="", text=plain(line), blocks=(Text(line),), tone=tone)
