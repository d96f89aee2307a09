"""What an announcement says: the team's template, every variable filled from what really happened."""

from __future__ import annotations

import contextlib
from datetime import datetime

from bot.cards.alerts import alert_words
from bot.cards.words import plain, role_words
from bot.domain import events as e
from bot.domain.alerts import alarms
from bot.domain.deployment import Deployment, Run
from bot.domain.verdict import YES_NO
from bot.domain.watch import time_to_recover
from checklists.plan import Plan
from checklists.policy import Announcement, Policy
from checklists.quantities import say_value
from checklists.templates import TemplateError, Unknown, render, template_for
from checklists.zones import find_zone


def announcement_text(plan: Plan, state: Deployment, announcement: Announcement, now: datetime) -> str:
    """The text of an announcement made at `now`, letter for letter.

    A template that cannot be rendered (lint reports it) does not silence the announcement: the nearest wording is used.
    """
    values = _values(plan, state, announcement, now)
    if plan.policy.templates.get(announcement):
        with contextlib.suppress(TemplateError):
            return render(template_for(plan.policy, announcement), values)
    if not _names_on_call(plan):
        values["on_call"] = Unknown("the policy names nobody to call")
    return render(template_for(Policy(), announcement), values)


def _values(plan: Plan, state: Deployment, announcement: Announcement, now: datetime) -> dict[str, object]:
    started = state.started
    zone = find_zone(plan.policy.timezone)
    run = _run_of(plan, state, announcement)
    changes: object = list(started.changes) if started.changes else Unknown(started.changes_unknown or "not recorded")
    return {
        "version": started.version,
        "previous_version": _previous(state),
        "service": started.service,
        "environment": started.environment,
        "checklist": started.checklist,
        "started_by": started.by.name,
        "deployed_by": state.deployed_by.name if state.deployed_by else Unknown("not deployed"),
        "on_call": _on_call(plan),
        "started_at": started.at.astimezone(zone),
        "deployed_at": state.t0.astimezone(zone) if state.t0 else Unknown("not deployed"),
        "finished_at": (state.ended_at or now).astimezone(zone),
        "duration": _duration(state),
        "downtime": Unknown("not measured"),
        "time_to_recover": time_to_recover(state) or Unknown("no issue was found, or it lasts"),
        "eta": plan.policy.expected or Unknown("the policy names no expected time"),
        "starts_in": _starts_in(plan, state, now),
        "changes": changes,
        "verification": _verification(plan, state),
        "metrics": _metrics(plan, run),
        "status": state.rolled_back.status if state.rolled_back else Unknown("not said"),
        "reason": _reason(state),
        "next_steps": (state.rollback.next_steps if state.rollback else "") or Unknown("not said"),
        "issues": [note.text for notes in state.notes.values() for note in notes],
        "issue": _issue(plan, state, run),
        "severity": (run.result.severity if run else "") or Unknown("no row of the matrix applies"),
        "action": (run.result.action if run else "") or Unknown("no row of the matrix applies"),
        "within": (run.result.within if run else "") or Unknown("no row of the matrix applies"),
        "automatic": bool(state.rollback and state.rollback.by.is_gonogo),
        "links": plan.policy.links,
    }


def _previous(state: Deployment) -> object:
    if state.rollback is not None and state.rollback.to_version:
        return state.rollback.to_version
    return state.started.previous_version or Unknown("no earlier deployment is recorded")


def _on_call(plan: Plan) -> object:
    person = plan.policy.people.get("on_call")
    if person is None:
        return Unknown("the policy names nobody as on_call")
    return person.contact or person.name or role_words("on_call")


def _names_on_call(plan: Plan) -> bool:
    """Whether the policy says whom or where to call. That the on-call is the "On-Call Engineer" says neither."""
    person = plan.policy.people.get("on_call")
    if person is None:
        return False
    named = (person.name or "").casefold().replace("-", " ")
    return bool(person.contact or (named and not named.startswith("on call")))


def _duration(state: Deployment) -> object:
    """From the first announcement of the start (else the start itself) to T0."""
    if state.t0 is None:
        return Unknown("not deployed")
    spoken = [
        said.at
        for kind in (Announcement.STARTING, Announcement.STARTED)
        if (said := state.announced.get(kind)) is not None and said.at <= state.t0
    ]
    return state.t0 - min([*spoken, state.t0] if spoken else [state.started.at])


def _starts_in(plan: Plan, state: Deployment, now: datetime) -> object:
    if state.planned_t0 is not None and state.planned_t0 > now:
        return state.planned_t0 - now
    for step in plan.steps:
        if (
            step.id in state.opened
            and step.id not in state.done
            and step.opens
            and step.opens.offset.total_seconds() < 0
        ):
            return -step.opens.offset
    return Unknown("no time was planned")


def _verification(plan: Plan, state: Deployment) -> list[str]:
    """Items really ticked from the phase of T0 on, in the document's order; not those that only announce."""
    return [
        plain(task.item.label)
        for step in plan.steps[plan.deployed_at :]
        for task in step.tasks
        if (mark := state.marks.get(task.id)) is not None and not mark.excused and task.announces is None
    ]


def _metrics(plan: Plan, run: Run | None) -> object:
    """The measures of the last check, as measured. A yes or no that is as it should be is no metric."""
    if run is None or not run.result.judged:
        return Unknown("no check has measured anything")
    return [
        {
            "name": measure_name(plan, judged.measurement.name),
            "value": say_measurement(judged.measurement),
            "target": judged.target,
            "ok": judged.verdict is e.Verdict.HEALTHY,
        }
        for judged in run.result.judged
        if judged.measurement.dimension != YES_NO or judged.verdict is not e.Verdict.HEALTHY
    ]


def measure_name(plan: Plan, name: str) -> str:
    """How people call a measure: the policy's `say`, else its name in words."""
    probe = plan.policy.probes.get(name)
    return (probe.say if probe else None) or name.replace("_", " ")


def say_measurement(measurement: e.Measurement) -> str:
    """The value with its unit, or why there is none."""
    if measurement.outcome is e.Outcome.MEASURED and measurement.value is not None and measurement.dimension != "ok":
        return say_value(measurement.value, measurement.dimension)
    return measurement.detail or measurement.outcome.value


def _run_of(plan: Plan, state: Deployment, announcement: Announcement) -> Run | None:
    """The run an announcement speaks of: the one that failed, the one that earned it; else the newest."""
    runs = [run for by_due in state.runs.values() for run in by_due.values()]
    told = runs
    if announcement is Announcement.ISSUE:
        told = [run for run in runs if run.result.verdict is e.Verdict.FAILING]
    elif announcement in (Announcement.SUCCEEDED, Announcement.STABLE):
        by = {check.id for check in plan.checks if announcement in check.then and state.settled(plan, check)}
        told = [run for run in runs if run.result.check in by]
    return max(told or runs, key=lambda run: (run.result.at, run.result.due), default=None)


def _reason(state: Deployment) -> object:
    if state.cancelled is not None:
        return state.cancelled.reason
    return state.rollback.reason if state.rollback else Unknown("none was given")


def _issue(plan: Plan, state: Deployment, run: Run | None) -> object:
    """The alarms that fire, and what is bad in the run that failed."""
    found = [alert_words(alert) for alert in alarms(state.alerts, state.t0)]
    if run is None and not found:
        return Unknown("no check has run")
    bad = [one for one in run.result.judged if one.verdict is not e.Verdict.HEALTHY] if run is not None else []
    found += [f"{measure_name(plan, one.measurement.name)} {say_measurement(one.measurement)}" for one in bad]
    return "; ".join(found) or Unknown("nothing was measured")
