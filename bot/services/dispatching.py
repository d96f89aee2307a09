"""What is due about workflows: sending what was decided, looking what came of it, and which commit was approved.

The sending is a fact before anything is sent. Where a process dies then, or GitHub does not answer, it is looked
whether the request has arrived, and it is never sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import structlog

from bot.domain import commits, workflows
from bot.domain import events as e
from bot.domain.deployment import Deployment
from bot.domain.people import GONOGO
from bot.domain.workflow_facts import Dispatch
from bot.domain.workflow_inputs import Filled, Unfilled, filled
from bot.forge import ForgeError, Run, StartedRun, Unsure, Workflows
from bot.ports import Claimed, Clock, Deadline, Store
from bot.services.deployments import Move
from bot.services.records import Records, load
from bot.services.saving import finish, save
from checklists.plan import Plan

DUE = ("dispatch", "call", "look", "commit")
"""The first words of the deadlines that are due here (`bot.domain.workflows.due`)."""
SKEW = timedelta(minutes=2)
"""So much GitHub's clock and ours may differ, where a run is looked for by when it was made."""
Outcome = Literal["started", "refused", "unknown"]

log = structlog.get_logger(__name__)


class Dispatching:
    """`forge` None: GitHub is not connected (any more), and what was decided before is told not to be done.
    `repository` is the one of policies that name none; `changed` is called after every commit."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        records: Records,
        forge: Workflows | None,
        *,
        repository: str | None,
        new_id: Callable[[], str],
        changed: Callable[[], None],
    ) -> None:
        self._store, self._clock, self._records, self._forge = store, clock, records, forge
        self._repository, self._new_id, self._changed = repository or "", new_id, changed

    async def run_due(self, claimed: Claimed) -> None:
        """`dispatch:rollback`, `call:ID`, `look:ID` or `commit:WHEN`. Raises ForgeError where it has to be tried again
        later."""
        deadline, forge = claimed.deadline, self._forge
        kind, _, rest = deadline.key.partition(":")
        if kind == "dispatch":
            problem = "GitHub is not connected" if forge is None else ""
            await self._finish(claimed, await self._automatic(deadline, problem))
        elif forge is None:
            await self._finish(claimed, _unconnected(kind, rest))
        elif kind == "call":
            await self._call(forge, claimed, rest)
        elif kind == "look":
            await self._finish(claimed, await self._look(forge, deadline, rest))
        else:
            await self._finish(claimed, await self._approved(forge, deadline))

    async def ended(self, deployment: str, one: Dispatch, conclusion: str, run: Run) -> None:
        """Its run is over."""
        id = one.asked.id
        await self._save(
            deployment,
            lambda plan, state, now: workflows.ended(
                state,
                e.DispatchEnded(at=now, by=GONOGO, id=id, conclusion=conclusion, link=run.link, attempt=run.attempt),
            ),
        )

    async def _automatic(self, deadline: Deadline, problem: str) -> Move:
        """A rollback by itself: its workflow is started without being asked for. What cannot be started (`problem` says
        why, where that is known) is told: everybody has read that it rolls back by itself."""
        (plan, state), id = await self._load(deadline.deployment), self._new_id()
        workflow, repository = plan.policy.pipeline.rollback, plan.policy.repository or self._repository
        found = Filled("", {})
        try:
            if workflow is None or not repository:
                raise Unfilled("the policy does not say in which `repository` the workflow is")
            found = filled(plan, state, workflow)
        except Unfilled as why:
            problem = problem or str(why)

        def move(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
            if not workflows.automatic(plan, state):
                return []
            facts = workflows.dispatch(plan, state, "rollback", 0, id, repository, found.ref, found.inputs, GONOGO, now)
            no = e.DispatchAnswered(at=now, by=GONOGO, id=id, outcome="refused", problem=problem)
            return [*facts, no] if facts and problem else facts

        return move

    async def _call(self, forge: Workflows, claimed: Claimed, id: str) -> None:
        """Send it. From the first commit on it may have arrived."""
        deployment, going = claimed.deadline.deployment, False

        def trying(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
            nonlocal going
            facts = workflows.tried(plan, state, id, now)
            going = any(isinstance(fact, e.DispatchTried) for fact in facts)
            return facts

        if not await self._finish(claimed, trying) or not going:
            return
        asked = (await self._load(deployment))[1].dispatches[id].asked
        try:
            run = await forge.dispatch(asked.repository, asked.workflow, asked.ref, asked.inputs)
        except Unsure as problem:
            log.warning("github.unsure", deployment=deployment, workflow=asked.workflow, problem=str(problem))
            return  # `look:ID` is due
        except ForgeError as problem:
            await self._save(deployment, _answers(id, "refused", problem=str(problem)))
        else:
            await self._save(deployment, _answers(id, "started", run))

    async def _look(self, forge: Workflows, deadline: Deadline, id: str) -> Move:
        """What came of a request without an answer: the one run that was started since, or nobody can tell."""
        _, state = await self._load(deadline.deployment)
        one, now = state.dispatches.get(id), self._clock.now()
        if one is None or one.answer is not None or one.tried is None:
            return lambda plan, state, now: []
        asked, since = one.asked, one.tried.at
        page = StartedRun(forge.runs_page(asked.repository, asked.workflow))
        try:
            runs = await forge.recent_runs(asked.repository, asked.workflow, asked.ref, since - SKEW)
        except ForgeError as problem:
            if now - since < workflows.GIVE_UP:
                raise
            return _answers(id, "unknown", page, f"GitHub could not be asked for an hour: {problem}")
        others = {other.answer.run for other in state.dispatches.values() if other.answer is not None}
        found = [run for run in runs if run.id not in others and run.created_at >= since - SKEW]
        if len(found) == 1:
            return _answers(id, "started", StartedRun(found[0].link, found[0].id))
        why = f"{len(found)} runs were started at that time" if found else "GitHub did not answer, and shows no run"
        return _answers(id, "unknown", page, why)

    async def _approved(self, forge: Workflows, deadline: Deadline) -> Move:
        """The commit that was approved; or the approvals are taken back, where it comes too late to tell."""
        plan, state = await self._load(deadline.deployment)
        sha: str | None = None
        try:
            sha = await forge.commit(plan.policy.repository or self._repository, state.started.version)
        except ForgeError as problem:
            if self._clock.now() - deadline.due < workflows.GIVE_UP:
                raise
            log.warning("github.commit_unknown", deployment=deadline.deployment, problem=str(problem))
        return lambda plan, state, now: commits.commit_known(plan, state, sha or "", now)

    async def _load(self, deployment: str) -> tuple[Plan, Deployment]:
        async with self._store.read() as unit:
            return await load(unit, deployment)

    async def _save(self, deployment: str, move: Move) -> None:
        await save(self._store, self._clock, self._records, deployment, move)
        self._changed()

    async def _finish(self, claimed: Claimed, move: Move) -> bool:
        done = await finish(self._store, self._clock, self._records, claimed, move)
        self._changed()
        return done


def _unconnected(kind: str, id: str) -> Move:
    """What becomes of a start that was decided while GitHub was connected, and is not any more."""
    why = "GitHub is not connected any more"
    if kind == "call":
        return _answers(id, "refused", problem=why)
    if kind == "look":
        return _answers(id, "unknown", problem=why)
    return lambda plan, state, now: []


def _answers(id: str, outcome: Outcome, run: StartedRun | None = None, problem: str = "") -> Move:
    link, number = (run.link, run.run) if run is not None else ("", None)

    def move(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
        fact = e.DispatchAnswered(at=now, by=GONOGO, id=id, outcome=outcome, link=link, run=number, problem=problem)
        return workflows.answered(state, fact)

    return move
