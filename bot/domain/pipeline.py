"""What the team's pipeline may say about a deployment, and what follows from it. Pure.

A report ticks the items that wait for it by the policy (`ItemPolicy.event`), else those of the same words. It signs
nothing: an item that belongs to a role is never ticked by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain import events as e
from bot.domain import moves
from bot.domain.deployment import Deployment, Status
from bot.domain.errors import Code, Refused
from bot.domain.people import GONOGO, Who, may
from bot.domain.pipeline_facts import DEPLOYED as DEPLOYED
from bot.domain.pipeline_facts import FAILED as FAILED
from checklists.document import PhaseKind
from checklists.names import fold, match
from checklists.plan import Plan, Step, Task

ROLE = "pipeline"
"""The role of every pipeline: a policy's `may` can name it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a pipeline says: `event` is a step's name ("image pushed"), `deployed` or `failed`.

    `link` is an http(s) address where it can be read, `detail` a few words. `step` is what failed, where that is known.
    With `sets_t0` False, `deployed` ticks its items and leaves T0 to people. `run` is the run on GitHub and its
    attempt: what one run says twice of its failure is told once.
    """

    event: str
    detail: str = ""
    link: str = ""
    step: str = ""
    sets_t0: bool = True
    run: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a report. `ticked` are the words of the items that it ticked.

    `code` when accepted: `ticked`, `remembered` (its phase is not open yet), `deployed`, `failed` or `already`. Else
    why not: a `bot.domain.errors.Code`, `unknown_step`, `closed`, or `key_reused`.
    """

    accepted: bool
    ticked: tuple[str, ...]
    code: str
    message: str
    deployment: str = ""


class UnknownStep(Exception):
    """The checklist has no such step; nothing was changed. `known` are those it has."""

    def __init__(self, step: str, known: Sequence[str]) -> None:
        super().__init__(step)
        self.step, self.known = step, tuple(known)


def known_steps(plan: Plan) -> tuple[str, ...]:
    """The steps that items of this plan wait for, as the policy writes them, in the document's order. Those of
    sign-offs are none: no report ticks them."""
    tasks = [task for step in plan.every_step() for task in step.tasks if task.role is None]
    return tuple({fold(task.event): task.event for task in tasks if task.event}.values())


def hear(plan: Plan, state: Deployment, report: Report, who: Who, now: datetime) -> list[e.Event]:
    """The facts of a report; none where it is known already. Raises Refused and UnknownStep."""
    event = fold(report.event)
    if event == FAILED:
        return _failed(state, report, who, now)
    if event != DEPLOYED:
        tasks = _meant(plan, state, report.event, who)
        return _reported(state, report, tasks, who, now)
    facts = _reported(state, report, _possible(plan, state, _bound(plan, DEPLOYED)), who, now)
    if report.sets_t0 and (state.t0 is None or state.status.ended or state.status is Status.ROLLING_BACK):
        facts += moves.deployed(plan, state, who, now)
    return facts


def unheeded(
    plan: Plan, state: Deployment, report: Report, code: str, why: str, who: Who, now: datetime
) -> list[e.Event]:
    """What is kept of `deployed` where a rule keeps T0 from being set, and nobody reads that: its items tick, and
    people are told, once for each `code`. Nothing of any other report."""
    known = state.said_deployed
    if fold(report.event) != DEPLOYED or not report.sets_t0 or (known is not None and known.code == code):
        return []
    items = _reported(state, report, _possible(plan, state, _bound(plan, DEPLOYED)), who, now)
    return [*items, e.SaidDeployed(at=now, by=who, code=code, why=why, link=report.link)]


def ticks(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
    """The items of open phases that a report waits for. Gonogo's own doing, with who reported it."""
    found: list[e.Event] = []
    for item, report in state.reports.items():
        task = plan.task(item)
        step = plan.step(task.phase) if task is not None else None
        if task is None or step is None or task.role is not None:
            continue
        if step.id in state.opened and not state.on_hold(step) and item not in state.marks:
            said = f"reported by {report.by.name}" + (f": {report.detail}" if report.detail else "")
            found.append(e.Ticked(at=now, by=GONOGO, item=item, value=said, link=report.link or None))
    return found


def _failed(state: Deployment, report: Report, who: Who, now: datetime) -> list[e.Event]:
    if state.status.ended:
        raise Refused(Code.ENDED, at=state.ended_at)
    fact = e.PipelineFailed(
        at=now, by=who, step=report.step.strip(), detail=report.detail.strip(), link=report.link, run=report.run
    )
    known = state.failures.get(fold(fact.step))
    if known is not None and (known.detail, known.link) == (fact.detail, fact.link):
        return []
    if report.run and any(one.run == report.run for one in state.failures.values()):
        return []
    return [fact]


def _reported(state: Deployment, report: Report, tasks: Sequence[Task], who: Who, now: datetime) -> list[e.Event]:
    """The report, if it is news: for an item that is open, or because the step had failed before."""
    mended = fold(report.event) in state.failures or (fold(report.event) == DEPLOYED and bool(state.failures))
    detail, link = report.detail.strip(), report.link
    said = {item: (known.detail, known.link) for item, known in state.reports.items()}
    waiting = tuple(task.id for task in tasks if task.id not in state.marks and said.get(task.id) != (detail, link))
    if not waiting and not mended:
        return []
    step = " ".join(report.event.split())
    return [e.Reported(at=now, by=who, step=step, items=waiting, detail=detail, link=link)]


def _meant(plan: Plan, state: Deployment, step: str, who: Who) -> list[Task]:
    """The items a step is about. Raises UnknownStep, and Refused where a pipeline may not tick them or nobody can."""
    if bound := _bound(plan, step):
        return _workable(plan, state, bound)
    worded = [task for part in plan.every_step() for task in part.tasks if _says(part, task, step)]
    if not worded and fold(step) in state.failures:
        return []  # it had failed: that it is done now is news enough
    if not worded:
        raise UnknownStep(step, known_steps(plan))
    if not may(plan.policy, "tick", who):
        raise Refused(Code.NOT_ENTITLED, roles=plan.policy.may.get("tick", ()))
    return _nearest(plan, state, _workable(plan, state, worded))


def _bound(plan: Plan, step: str) -> list[Task]:
    wanted = fold(step)
    return [task for part in plan.every_step() for task in part.tasks if task.event and fold(task.event) == wanted]


def _says(part: Step, task: Task, words: str) -> bool:
    paths = (section.path for section in part.phase.sections if task.item in section.items)
    above = next(paths, ()) or (task.section,)
    return bool(match(words, *above, task.item.text) or match(words, *above, task.item.label))


def _workable(plan: Plan, state: Deployment, tasks: Sequence[Task]) -> list[Task]:
    """Those of the items that can be ticked now or later, less sign-offs. Raises Refused if there is none."""
    if found := _possible(plan, state, tasks):
        return found
    if all(task.role for task in tasks):
        raise Refused(Code.NOT_ENTITLED, task=tasks[0], roles=tuple(task.role for task in tasks[:1] if task.role))
    if state.status is Status.ROLLING_BACK:
        raise Refused(Code.ROLLING_BACK, by=state.rollback.by.name if state.rollback else "")
    if state.status.ended:
        raise Refused(Code.ENDED, at=state.ended_at)
    raise Refused(Code.NOT_ROLLING_BACK)


def _possible(plan: Plan, state: Deployment, tasks: Sequence[Task]) -> list[Task]:
    return [
        task
        for task in tasks
        if task.role is None and (step := plan.step(task.phase)) is not None and _can_come(state, step)
    ]


def _can_come(state: Deployment, step: Step) -> bool:
    """What was done before a rollback began is no step of the rollback."""
    return step.id in state.opened if step.kind is PhaseKind.ROLLBACK else not state.on_hold(step)


def _nearest(plan: Plan, state: Deployment, tasks: Sequence[Task]) -> list[Task]:
    """Of items with the same words, those that are open now; else those of the phase that comes first."""
    here = [task for task in tasks if task.phase in state.opened]
    if left := [task for task in here if task.id not in state.marks]:
        return left
    later = [task for task in tasks if task.phase not in state.opened]
    return [task for task in later if task.phase == later[0].phase] if later else here
