"""Where a deployment stands, for a program."""

from __future__ import annotations

from datetime import datetime

from bot.cards.view import View
from bot.cards.words import plain
from bot.desk import Coming, Failure, Place, Said, Standing
from bot.domain.course import check_of, deadlines
from bot.domain.pipeline import known_steps
from checklists.zones import find_zone


def standing(view: View) -> Standing:
    """Counted as the card counts; instants in the checklist's zone."""
    plan, state, started = view.plan, view.state, view.state.started
    zone = find_zone(view.zone)

    def local(at: datetime | None) -> datetime | None:
        return None if at is None else at.astimezone(zone)

    ticked, excused, total = view.done_of(tuple(task for step in view.active_steps for task in step.tasks))
    step = None if state.status.ended else state.current(plan)
    return Standing(
        id=state.id,
        service=started.service,
        environment=started.environment,
        version=started.version,
        checklist=started.checklist,
        status=state.status.value,
        started_at=started.at.astimezone(zone),
        started_by=started.by.name,
        planned_at=local(state.planned_t0),
        deployed_at=local(state.t0),
        ended_at=local(state.ended_at),
        phase=None if step is None else Place(plain(step.title), (plan.index(step.id) or 0) + 1, len(plan.steps)),
        ticked=ticked,
        not_applicable=excused,
        total=total,
        next_due=_next_due(view),
        announcements=tuple(
            Said(fact.announcement.value, fact.at.astimezone(zone), fact.text) for fact in state.announced.values()
        ),
        failures=tuple(
            Failure(fact.step, fact.detail, fact.link, fact.at.astimezone(zone)) for fact in state.failures.values()
        ),
        steps=known_steps(plan),
        links=dict(plan.policy.links),
    )


def _next_due(view: View) -> Coming | None:
    """The earliest check, phase or go/no-go that comes by itself; measuring goes on beside it."""
    plan, zone = view.plan, find_zone(view.zone)
    found: list[tuple[datetime, str]] = []
    for key, at in deadlines(plan, view.state).items():
        kind, _, rest = key.partition(":")
        wanted = check_of(plan, view.state, key)
        step = plan.step(rest) if kind == "phase" else None
        if wanted is not None:
            found.append((at, wanted[0].title))
        elif step is not None:
            found.append((at, plain(step.title)))
        elif kind == "go":
            found.append((at, "go or no-go"))
    if not found:
        return None
    at, what = min(found)
    return Coming(at.astimezone(zone), what)
