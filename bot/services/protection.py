"""GitHub's deployment protection rule, answered from the gate: a closed window really stops the workflow.

What may run: a deployment of gonogo's that is under way, a rollback, or what a start would be permitted now. Everything
else is refused at once with the reasons, and people run it again: a job that waits for days is started by nobody's
decision.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from bot.cards import rules
from bot.cards.view import View
from bot.cards.words import plain
from bot.domain import events as e
from bot.domain.calendar import Opening
from bot.domain.commits import SHOWN, dispatch_of, is_of, same_version
from bot.domain.decisions import decision
from bot.domain.deployment import Status
from bot.domain.errors import Unwell
from bot.domain.people import Who
from bot.domain.workflow_facts import Dispatch
from bot.forge import ForgeError, RuleAsked, Workflows
from bot.ports import Clock, Store
from bot.services.checklists import UNREADABLE, Checklists, environments_of, service_of
from bot.services.gate import Gate
from bot.services.pipeline import Pipeline
from bot.services.records import load
from checklists.library import Loaded
from checklists.policy import Policy

_PERMITS = (Status.RUNNING, Status.DEPLOYED)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What GitHub is told. `denial` is kept, for `/deploy why`."""

    approve: bool
    comment: str
    denial: e.TurnedAway | None = None


class Protection:
    """Decides; reads only. `repository` is the one of policies that name none."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        gate: Gate,
        checklists: Checklists,
        pipeline: Pipeline,
        *,
        repository: str | None,
        new_id: Callable[[], str],
    ) -> None:
        self._store, self._clock, self._gate, self._checklists = store, clock, gate, checklists
        self._pipeline, self._repository, self._new_id = pipeline, repository or "", new_id

    async def decide(self, asked: RuleAsked, forge: Workflows) -> Ruling:
        """Whether the job may run. Raises ForgeError where nobody can tell: then GitHub goes on waiting."""
        views = await self._live(asked)
        workflow = (await forge.run(asked.repository, asked.run)).workflow if views else ""
        for view in views:  # where it was started from here it is known whose run this is
            started_here = self._own(asked, view, workflow) is not None
            if started_here and (ruling := await self._by_deployment(asked, view, workflow)) is not None:
                return ruling
        for view in views:
            if view.state.status is Status.ROLLING_BACK and _goes_back(asked, view, workflow):
                return Ruling(True, rules.goes_back(view))
        rulings = {}
        for view in views:
            if (ruling := await self._by_deployment(asked, view, workflow)) is not None:
                if not ruling.approve:
                    return ruling
                rulings[view.plan.service.casefold()] = ruling
        return await self._by_gate(asked, rulings)

    def _own(self, asked: RuleAsked, view: View, workflow: str) -> Dispatch | None:
        """The start of a workflow from here that this run came of."""
        return dispatch_of(view.state, asked.run, asked.ref, workflow)

    async def _live(self, asked: RuleAsked) -> list[View]:
        """Gonogo's deployments of this repository to this environment."""
        rows = await self._pipeline.live(repository=asked.repository)
        now = self._clock.now()
        async with self._store.read() as unit:
            views = [View(*await load(unit, row.id), now) for row in rows]
        return [
            view
            for view in views
            if environment_of(view.plan.policy, asked.environment).casefold() == view.plan.environment.casefold()
        ]

    async def _by_deployment(self, asked: RuleAsked, view: View, workflow: str) -> Ruling | None:
        """What a deployment of this very version, or one that started this run, says; None: nothing."""
        state = view.state
        own = self._own(asked, view, workflow)
        if own is None and not is_of(state, asked.ref, asked.sha):
            return None
        if own is not None and own.asked.purpose == "rollback":
            return Ruling(True, rules.goes_back(view)) if state.status is Status.ROLLING_BACK else None
        if state.status is Status.WAITING:
            return Ruling(False, rules.still_waits(view))
        if state.status not in _PERMITS:
            return None
        of_version = same_version(state.started.version, asked.ref)
        if state.commit and of_version and asked.sha and asked.sha != state.commit:
            why = f"this run is of {asked.sha[:SHOWN]}, approved was {state.commit[:SHOWN]}"
            return Ruling(False, rules.moved(view, why))
        if not view.plan.policy.run_may_finish and not state.started.overrode:
            found = await self._opening(view.plan.policy, view.plan.service, view.plan.environment, holder=False)
            if not found.open:
                comment = rules.gate(view.plan.service, view.plan.environment, found, view.now)
                return Ruling(False, comment, self._denial(asked, view.plan.service, view.plan.environment, found))
        return Ruling(True, rules.under_way(view))

    async def _by_gate(self, asked: RuleAsked, permitted: Mapping[str, Ruling]) -> Ruling:
        """What a start would be told now: of every checklist for this repository, each must permit it, as nobody says
        which of them is meant. `permitted`, by service, are those that have a deployment of this version under way;
        beside them one that knows no such environment is not meant."""
        told = [ruling.comment for ruling in permitted.values()]
        for loaded in await self._for(asked.repository, but=permitted):
            policy, service = loaded.policy, service_of(loaded)
            known = {name.casefold(): name for name in environments_of(loaded)}
            where = known.get(environment_of(policy, asked.environment).casefold())
            if where is None and permitted:
                continue
            if where is None:
                return Ruling(False, rules.no_environment(service, asked.environment))
            found = await self._opening(policy, service, where, holder=True)
            comment = rules.gate(service, where, found, self._clock.now())
            if not found.open:
                return Ruling(False, comment, self._denial(asked, service, where, found))
            if (needed := policy.approvals.get(where)) is not None:
                return Ruling(False, rules.needs_approval(service, where, needed.role, needed.count))
            told.append(comment)
        return Ruling(True, " ".join(told)) if told else Ruling(False, rules.no_checklist(asked.repository))

    async def _for(self, repository: str, *, but: Collection[str]) -> list[Loaded]:
        """The checklists of a repository, without those of some services. Raises ForgeError where there is none but one
        that cannot be read might be."""
        found, unreadable = [], []
        for name in await self._checklists.names():
            try:
                loaded = await self._checklists.load(name)
            except UNREADABLE:
                unreadable.append(name)
                continue
            ours = (loaded.policy.repository or self._repository).casefold() == repository.casefold()
            if ours and service_of(loaded).casefold() not in but:
                found.append(loaded)
        if not found and not but and unreadable:
            raise ForgeError(f"the checklist {unreadable[0]} cannot be read; `gonogo checklist lint` says more")
        return found

    async def _opening(self, policy: Policy, service: str, environment: str, *, holder: bool) -> Opening:
        """The gate now; with `holder` also whether somebody has the service."""
        now = self._clock.now()
        try:
            read = await self._gate.read_calendars(policy, environment, now)
            async with self._store.read() as unit:
                if holder:
                    return await self._gate.answer(
                        unit, policy, service=service, environment=environment, at=now, now=now, read=read
                    )
                return await self._gate.opening(
                    unit, policy, service=service, environment=environment, at=now, read=read
                )
        except Unwell as problem:
            raise ForgeError(plain(str(problem))) from None

    def _denial(self, asked: RuleAsked, service: str, environment: str, found: Opening) -> e.TurnedAway:
        now = self._clock.now()
        why = rules.gate(service, environment, found, now)
        return e.TurnedAway(
            at=now, by=github_user(asked.by), id=self._new_id(), service=service, environment=environment,
            version=asked.ref[:64], why=why, gate=decision(found, now),
        )  # fmt: skip


def environment_of(policy: Policy, name: str) -> str:
    """Our name of one of GitHub's environments."""
    known = {theirs.casefold(): ours for theirs, ours in policy.pipeline.environments.items()}
    return known.get(name.casefold(), name)


def github_user(login: str) -> Who:
    """Somebody on GitHub, who holds no role here."""
    return Who(chat="github", id=login[:80], name=f"{login[:80]} on GitHub")


def _goes_back(asked: RuleAsked, view: View, name: str) -> bool:
    """Whether this run is a rollback's: of the version it goes back to, or of the policy's workflow for it."""
    rollback, workflow = view.state.rollback, view.plan.policy.pipeline.rollback
    if rollback is not None and same_version(rollback.to_version, asked.ref):
        return True
    return workflow is not None and workflow.workflow == name
