"""What GitHub's webhooks lead to: reports, approvals taken back, items asked again, protection rules answered.

A delivery is done once. What it leads to is saved before it is known as delivered, each part under a key of its own: a
process that dies in between does the rest when GitHub delivers it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from weakref import WeakValueDictionary

from bot.domain import commits
from bot.domain import events as e
from bot.domain.deployment import Deployment, Status
from bot.domain.pipeline import DEPLOYED, FAILED, ROLE, Report
from bot.forge import (
    DeploymentEnded,
    ForgeError,
    Heard,
    ReleasePublished,
    RuleAsked,
    RunEnded,
    SourceChanged,
    TagMoved,
    Workflows,
)  # fmt: skip
from bot.ports import Clock, Conflict, DeploymentRow, Store
from bot.services.deployments import Move
from bot.services.dispatching import Dispatching
from bot.services.news import news
from bot.services.pipeline import Pipeline
from bot.services.protection import Protection, environment_of, github_user
from bot.services.records import Records, load
from bot.services.saving import save
from checklists.names import fold
from checklists.plan import Plan

RELEASED = "release published"
_SAID_NOTHING = ("skipped", "neutral", "stale")
"""Conclusions that are neither a success nor a failure."""


def succeeded(workflow: str) -> str:
    """The step that a workflow's success reports."""
    return f"workflow {workflow} succeeded"


class GitHubEvents:
    """`bot.forge.Hooks`. `forge` None: GitHub can be heard, and not asked."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        pipeline: Pipeline,
        records: Records,
        dispatching: Dispatching,
        protection: Protection,
        forge: Workflows | None,
        *,
        changed: Callable[[], None],
    ) -> None:
        self._store, self._clock, self._pipeline, self._records = store, clock, pipeline, records
        self._dispatching, self._protection, self._forge = dispatching, protection, forge
        self._changed = changed
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def hear(self, heard: Heard, *, keys: Sequence[str]) -> str:
        """See the port. The same delivery twice at once: the second one waits for the first."""
        key = keys[-1]
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:
            if await self._seen(keys):
                return "seen"
            denial: e.TurnedAway | None = None
            match heard:
                case RunEnded():
                    outcome = await self._run_ended(heard, key)
                case ReleasePublished():
                    report = Report(RELEASED, detail=heard.tag, link=heard.link)
                    rows = await self._of(heard.repository, lambda state: commits.is_of(state, heard.tag, ""))
                    outcome = await self._report(rows, report, heard.by, key)
                case DeploymentEnded():
                    outcome = await self._deployed(heard, key)
                case SourceChanged():
                    outcome = await self._news(heard)
                case TagMoved():
                    outcome = await self._tag_moved(heard)
                case RuleAsked():
                    outcome, denial = await self._rule(heard)
            if not isinstance(heard, SourceChanged):  # it comes often, and again does no harm
                await self._keep(keys, outcome, denial)
        self._changed()
        return outcome

    # --- reports ---

    async def _run_ended(self, heard: RunEnded, key: str) -> str:
        run, said = heard.run, []
        for row in await self._pipeline.live(repository=heard.repository):
            plan, state = await self._load(row)
            by_hand = run.event in ("", "workflow_dispatch")
            own = commits.dispatch_of(state, run.id, run.ref, run.workflow) if by_hand else None
            if own is not None:
                await self._dispatching.ended(row.id, own, heard.conclusion, run)
            elif not commits.is_of(state, run.ref, run.sha):
                continue
            if own is not None and own.asked.purpose == "rollback" and heard.conclusion != "success":
                said.append(f"{row.service}: noted")  # it is told as such
            else:
                said += [await self._told(row, report, heard.by, key) for report in _reports(plan, state, heard)]
        return _joined(said)

    async def _deployed(self, heard: DeploymentEnded, key: str) -> str:
        said = []
        for row in await self._pipeline.live(repository=heard.repository):
            plan, state = await self._load(row)
            if environment_of(plan.policy, heard.environment).casefold() != row.environment.casefold():
                continue
            own = commits.dispatch_of(state, heard.run or 0, heard.ref)
            if own is not None and own.asked.purpose == "rollback":
                continue
            if own is None and not commits.is_of(state, heard.ref, heard.sha):
                continue
            if heard.ok:
                detail = heard.detail or f"GitHub's deployment to {heard.environment}"
                sets_t0 = plan.policy.pipeline.deploy is not None
                report = Report(DEPLOYED, detail, heard.link, sets_t0=sets_t0)
            else:
                run = _named(heard.run, heard.attempt) if heard.run is not None else ""
                step = f"deployment to {heard.environment}"
                report = Report(FAILED, heard.detail, heard.link, step=step, run=run)
            said.append(await self._told(row, report, heard.by, key))
        return _joined(said)

    async def _report(self, rows: Sequence[DeploymentRow], report: Report, by: str, key: str) -> str:
        return _joined([await self._told(row, report, by, key) for row in rows])

    async def _told(self, row: DeploymentRow, report: Report, by: str, key: str) -> str:
        who = github_user(by).model_copy(update={"roles": frozenset({ROLE})})
        own = f"{key}:{row.id}:{fold(report.event)}:{fold(report.step)}"
        reply = await self._pipeline.report(row.id, report, who=who, key=own, unread=True)
        return f"{row.service}: {reply.code}"

    # --- what is behind a version ---

    async def _tag_moved(self, heard: TagMoved) -> str:
        rows = await self._of(
            heard.repository,
            lambda state: state.status is Status.WAITING and commits.same_version(state.started.version, heard.tag),
        )
        if not rows:
            return "nothing changes"
        sha, dropped = await self._where_now(heard), 0
        for row in rows:
            move = self._moved(heard.tag, sha)
            dropped += await save(self._store, self._clock, self._records, row.id, move)
        return f"approvals of {dropped} taken back" if dropped else "nothing changes"

    async def _where_now(self, heard: TagMoved) -> str | None:
        """The commit of the tag now: deliveries may come late or in another order, so GitHub is asked. Empty: there is
        none. Raises ForgeError where the delivery does not say it either."""
        if self._forge is None:
            return heard.sha
        try:
            return await self._forge.commit(heard.repository, heard.tag) or ""
        except ForgeError:
            if heard.sha is None:
                raise
            return heard.sha

    def _moved(self, tag: str, sha: str | None) -> Move:
        return lambda plan, state, now: commits.tag_moved(plan, state, tag, sha, now)

    async def _news(self, heard: SourceChanged) -> str:
        asked = 0
        for row in await self._pipeline.live(repository=heard.repository):
            if news(*await self._load(row), self._clock.now()):  # it comes often, and mostly there is nothing to write
                asked += await save(self._store, self._clock, self._records, row.id, news)
        return f"items of {asked} asked again" if asked else "nothing waits for it"

    # --- protection rules ---

    async def _rule(self, heard: RuleAsked) -> tuple[str, e.TurnedAway | None]:
        if self._forge is None:
            raise ForgeError("GONOGO_GITHUB_APP_ID is not set, and only an App may answer a protection rule")
        ruling = await self._protection.decide(heard, self._forge)
        waited = await self._forge.review(
            heard.repository, heard.run, heard.environment, approve=ruling.approve, comment=ruling.comment
        )
        outcome = "approved" if ruling.approve else "rejected"
        return (outcome, ruling.denial) if waited else (f"{outcome}, and GitHub did not wait for it any more", None)

    # --- once ---

    async def _seen(self, keys: Sequence[str]) -> bool:
        async with self._store.read() as unit:
            return any([await unit.delivered(key) is not None for key in keys])

    async def _keep(self, keys: Sequence[str], outcome: str, denial: e.TurnedAway | None) -> None:
        try:
            async with self._store.write() as unit:
                for key in keys:
                    await unit.remember_delivery(key, outcome, self._clock.now())
                if denial is not None:
                    await unit.append_calendar([denial])
        except Conflict:  # another process was handed the same, and has just kept it
            return

    async def _of(self, repository: str, fits: Callable[[Deployment], bool]) -> list[DeploymentRow]:
        rows = await self._pipeline.live(repository=repository)
        return [row for row in rows if fits((await self._load(row))[1])]

    async def _load(self, row: DeploymentRow) -> tuple[Plan, Deployment]:
        async with self._store.read() as unit:
            return await load(unit, row.id)


def _reports(plan: Plan, state: Deployment, heard: RunEnded) -> list[Report]:
    """What the end of a run says. Only the workflow that deploys is news when it fails: others, like those of a pull
    request, may fail as they like."""
    name, link = heard.run.workflow, heard.run.link
    step = f"workflow {name}"
    if heard.conclusion == "success":
        mended = [Report(step, link=link)] if fold(step) in state.failures else []
        return [*mended, Report(succeeded(name), detail=name, link=link)]
    deploy = plan.policy.pipeline.deploy
    if heard.conclusion in _SAID_NOTHING or deploy is None or deploy.workflow != name:
        return []
    again = f", attempt {heard.run.attempt}" if heard.run.attempt > 1 else ""
    run = _named(heard.run.id, heard.run.attempt)
    return [Report(FAILED, heard.conclusion + again, link, step=step, run=run)]


def _named(run: int, attempt: int) -> str:
    """One attempt of a run, as reports name it."""
    return f"{run}.{attempt}"


def _joined(said: Sequence[str]) -> str:
    return "; ".join(said)[:500] or "no deployment waits for it"
