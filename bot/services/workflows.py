"""Starting the document's workflows on GitHub: what people ask for and confirm. It is decided here, and sent by
`bot.services.dispatching` as soon as that is committed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from bot.cards import replies
from bot.cards import workflow_answers as said
from bot.cards.card import Answer
from bot.cards.view import View
from bot.domain import commits, workflows
from bot.domain import events as e
from bot.domain.deployment import Deployment
from bot.domain.errors import Refused
from bot.domain.people import Who
from bot.domain.workflow_facts import Purpose
from bot.domain.workflow_inputs import Filled, Unfilled, filled
from bot.forge import ForgeError, Workflows
from bot.ports import Clock, Store
from bot.services.delivery import answered
from bot.services.deployments import Deployments
from bot.services.records import load
from checklists.plan import Plan

PATIENCE = 15.0
"""Seconds that somebody who starts something waits for GitHub to say where the tag is, with all it takes to ask."""
_PURPOSES: dict[str, Purpose] = {"deploy": "deploy", "rollback": "rollback"}

log = structlog.get_logger(__name__)


class Dispatches:
    """`forge` None: GitHub is not connected, and whoever asks is told so. `repository` is the one of policies that name
    none."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        deployments: Deployments,
        forge: Workflows | None,
        *,
        repository: str | None,
        new_id: Callable[[], str],
        patience: float = PATIENCE,
    ) -> None:
        self._store, self._clock, self._deployments, self._patience = store, clock, deployments, patience
        self._forge, self._repository, self._new_id = forge, repository or "", new_id

    async def click(self, verb: str, deployment: str, argument: str, *, who: Who, key: str) -> Answer:
        """`run` asks, `rerun` asks although it was started before, `dispatch` does it. Raises UnknownDeployment."""
        name, _, rest = argument.partition(":")
        purpose = _PURPOSES.get(name)
        if (before := await answered(self._store, key)) is not None:
            return before
        if purpose is None:
            return said.no_such_button()
        if verb != "dispatch":
            return await self._ask(deployment, purpose, who, again=verb == "rerun")
        number, _, mark = rest.partition(":")
        told = int(number) if number.isascii() and number.isdecimal() and len(number) < 4 else -1
        return await self._start(deployment, purpose, told, mark, who, key)

    async def _ask(self, deployment: str, purpose: Purpose, who: Who, *, again: bool) -> Answer:
        """What would be started, to be confirmed; or that it was started already."""
        view = await self._view(deployment)
        try:
            workflows.must_be_offered(view.plan, view.state, purpose, who)
        except Refused as refused:
            return replies.refused(view, refused)
        one = workflows.standing(view.state, purpose)
        if one is not None and not again:
            return said.already(view, purpose, one)
        found = await self._ready(view, purpose)
        return found if isinstance(found, Answer) else said.confirm(view, purpose, self._of(view.plan), found)

    async def _start(self, deployment: str, purpose: Purpose, told: int, mark: str, who: Who, key: str) -> Answer:
        """Decide it, if it still is what was confirmed: `told` starts of it were known then, and `mark` is of what was
        shown."""
        view = await self._view(deployment)
        found = await self._ready(view, purpose)
        if isinstance(found, Answer):
            return found
        id, repository = self._new_id(), self._of(view.plan)

        def move(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
            workflows.must_be_offered(plan, state, purpose, who)
            if mark != said.mark_of(repository, found):
                return []
            return workflows.dispatch(plan, state, purpose, told, id, repository, found.ref, found.inputs, who, now)

        def reply(before: View, after: View, facts: list[e.Event]) -> Answer:
            if facts:
                return said.asked_for(after, after.state.dispatches[id])
            one = workflows.standing(after.state, purpose)
            if one is not None and told != len(workflows.dispatches(after.state, purpose)):
                return said.already(after, purpose, one)
            return said.confirm(after, purpose, repository, found)

        return await self._deployments.act(deployment, move, reply, key=key)

    async def _ready(self, view: View, purpose: Purpose) -> Filled | Answer:
        """What is to be sent, or why nothing may be."""
        workflow = workflows.workflow_of(view.plan, purpose)
        if self._forge is None or workflow is None:
            return said.not_connected()
        if not self._of(view.plan):
            return said.no_repository()
        try:
            found = filled(view.plan, view.state, workflow)
            now = await self._moved_to(view.plan, view.state) if purpose == "deploy" else None
        except (Unfilled, ForgeError) as problem:
            return said.unfilled(str(problem))
        if now is not None:
            return said.not_approved_any_more(commits.why_moved(view.state, view.state.started.version, now))
        return found

    # --- what was approved ---

    async def look_before_go(self, deployment: str) -> None:
        """Take the approvals of one that waits back where its tag is not where it was. Where GitHub cannot be asked
        nothing changes: its webhooks tell of it, too."""
        view = await self._view(deployment)
        version = view.state.started.version
        try:
            now_at = await self._moved_to(view.plan, view.state)
        except ForgeError as problem:
            log.warning("github.commit_unknown", deployment=deployment, problem=str(problem))
            return
        if now_at is not None:
            key = f"moved:{deployment}:{view.state.commit}:{now_at}:{view.state.revision}"
            await self._deployments.act(
                deployment, lambda p, s, now: commits.tag_moved(p, s, version, now_at, now), replies.quiet, key=key
            )

    async def _moved_to(self, plan: Plan, state: Deployment) -> str | None:
        """The commit of the version, where it is not the one that was approved; empty: there is none any more. None:
        it is the same, or nobody knows what was approved. Raises ForgeError."""
        if self._forge is None or not state.commit or not state.started.approvals:
            return None
        try:
            async with asyncio.timeout(self._patience):
                sha = await self._forge.commit(self._of(plan), state.started.version) or ""
        except TimeoutError:
            raise ForgeError(f"GitHub did not say within {self._patience:g} s where the tag is") from None
        return None if sha == state.commit else sha

    async def _view(self, deployment: str) -> View:
        async with self._store.read() as unit:
            plan, state = await load(unit, deployment)
        return View(plan, state, self._clock.now(), github=self._forge is not None)

    def _of(self, plan: Plan) -> str:
        return plan.policy.repository or self._repository
