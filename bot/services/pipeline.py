"""What pipelines report: found by what they know of a deployment, decided by the rules, saved and answered once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace

import structlog

from bot.cards import pipeline as said
from bot.cards import replies
from bot.cards.view import View
from bot.domain.deployment import Deployment, Status
from bot.domain.errors import Refused
from bot.domain.people import Who
from bot.domain.pipeline import Reply as Reply
from bot.domain.pipeline import Report as Report
from bot.domain.pipeline import UnknownStep, hear, unheeded
from bot.domain.pipeline_facts import DEPLOYED
from bot.ports import Clock, DeploymentRow, Store, Unit, UnknownRecord
from bot.services.delivery import remembered
from bot.services.gate import Gate, Read
from bot.services.records import Records, load
from checklists.names import fold
from checklists.plan import Plan

MOST = 200
"""Live deployments that are looked through."""

log = structlog.get_logger(__name__)


class Pipeline:
    """Hears pipelines. `repository` is the one of policies that name none; `changed` is called after every commit."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        gate: Gate,
        records: Records,
        *,
        repository: str | None,
        changed: Callable[[], None],
    ) -> None:
        self._store, self._clock, self._gate, self._records = store, clock, gate, records
        self._repository, self._changed = repository or "", changed

    async def live(
        self,
        *,
        service: str | None = None,
        repository: str | None = None,
        environment: str | None = None,
        version: str | None = None,
    ) -> list[DeploymentRow]:
        """Deployments that have not ended, newest first; of each filter given the policy they run by must fit.

        `repository` is `owner/name`: the policy's own, else the one of the settings. Only `version` counts letters.
        """
        async with self._store.read() as unit:
            found = [
                row
                for row in await unit.rows(live=True, limit=MOST)
                if (service is None or row.service.casefold() == service.casefold())
                and (environment is None or row.environment.casefold() == environment.casefold())
                and version in (None, row.version)
            ]
            if repository is None:
                return found
            plans: dict[str, Plan] = {}
            for row in found:
                try:
                    plans[row.id] = (await load(unit, row.id))[0]
                except UnknownRecord as unknown:  # another release runs beside this one: the others are heard
                    log.warning("pipeline.skipped", deployment=row.id, problem=str(unknown))
        wanted = repository.casefold()
        return [
            row
            for row in found
            if row.id in plans and (plans[row.id].policy.repository or self._repository).casefold() == wanted
        ]

    async def report(self, deployment: str, report: Report, *, who: Who, key: str, unread: bool = False) -> Reply:
        """Take a report in, or say why not; the same `key` again changes nothing and gets the same reply. A step that
        the checklist does not know leaves nothing behind: mended, it may come with the same key. `unread`: nobody reads
        the reply, so that what keeps T0 from being set is told in the channel.

        T0 is refused where the policy does not let a run finish after its window has closed. Raises UnknownDeployment,
        and Conflict after several tries.
        """
        read = await self._read(deployment, report)

        async def work(unit: Unit) -> str:
            reply = replace(await decided(unit), deployment=deployment)
            return json.dumps({"report": asdict(report), "reply": asdict(reply)}, ensure_ascii=False)

        async def decided(unit: Unit) -> Reply:
            now = self._clock.now()
            plan, state = await load(unit, deployment)
            view = View(plan, state, now)
            if read is not None and _sets_t0(plan, state, report):
                opening = await self._gate.opening(
                    unit, plan.policy, service=plan.service, environment=plan.environment, at=now, read=read
                )
                if not opening.open:
                    return await no(unit, view, said.not_taken("closed", replies.closed_now(view, opening)))
            try:
                facts = hear(plan, state, report, who, now)
            except Refused as refused:
                return await no(unit, view, said.not_taken(refused.code.value, replies.refused(view, refused)))
            after = await self._records.add(unit, plan, state, facts, now) if facts else state
            return said.taken(view, View(plan, after, now), facts, report)

        async def no(unit: Unit, view: View, reply: Reply) -> Reply:
            plan, state, now = view.plan, view.state, view.now
            if unread and (facts := unheeded(plan, state, report, reply.code, reply.message, who, now)):
                await self._records.add(unit, plan, state, facts, now)
            return reply

        try:
            text = await remembered(self._store, self._clock, key, work)
        except UnknownStep as unknown:
            return replace(said.unknown_step(unknown), deployment=deployment)
        self._changed()
        return _reply(text, report)

    async def replied(self, key: str, report: Report) -> Reply | None:
        """The reply that this delivery got before, whatever has become of its deployment."""
        async with self._store.read() as unit:
            text = await unit.delivered(key)
        return None if text is None else _reply(text, report)

    async def _read(self, deployment: str, report: Report) -> Read | None:
        """What the gate has to be asked about, read before the transaction. None: it is not asked."""
        async with self._store.read() as unit:
            plan, state = await load(unit, deployment)
        if not _sets_t0(plan, state, report):
            return None
        return await self._gate.read_calendars(plan.policy, plan.environment, self._clock.now())


def _sets_t0(plan: Plan, state: Deployment, report: Report) -> bool:
    """Whether this is T0 of a run that may not finish in a closed window."""
    wanted = fold(report.event) == DEPLOYED and report.sets_t0
    return wanted and state.status is Status.RUNNING and not plan.policy.run_may_finish and not state.started.overrode


def _reply(text: str, report: Report) -> Reply:
    """The reply that was kept. A key that came with another report before is refused; what an older release did not
    know of a report is not compared."""
    kept, said_now = json.loads(text), asdict(report)
    if any(said_now.get(name) != value for name, value in kept["report"].items()):
        return said.key_reused()
    return Reply(**{**kept["reply"], "ticked": tuple(kept["reply"]["ticked"])})
