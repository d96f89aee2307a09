"""The desk where programs come in: each with a token, for its own service."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bot.access import ApiToken
from bot.cards import replies
from bot.cards.card import Answer
from bot.cards.gate_json import gate_json
from bot.cards.opening import say_opening
from bot.cards.view import View
from bot.cards.words import plain
from bot.desk import Denied, GateAnswer, Order, Standing, StartReply, Target
from bot.domain.calendar import Code
from bot.domain.deployment import Status
from bot.domain.errors import Unwell
from bot.domain.moment import moment_of
from bot.domain.people import Who, may
from bot.domain.pipeline import ROLE, Reply, Report
from bot.ports import Clock, Conflict, DeploymentRow, Store, Unit
from bot.services.checklists import UNREADABLE, Checklists, environments_of, service_of
from bot.services.deployments import Deployments, Request, planned_time
from bot.services.gate import Gate
from bot.services.pipeline import Pipeline
from bot.services.records import UnknownDeployment, load
from bot.services.standing import standing
from bot.services.starting import VERSION, WHEN_OPEN
from bot.services.tokens import Tokens
from checklists.library import Loaded
from checklists.zones import find_zone

_FIRST = ({Status.RUNNING, Status.DEPLOYED, Status.ROLLING_BACK}, {Status.WAITING}, {Status.SUCCEEDED})
"""Which of several live deployments is meant by a service and environment alone: the one that runs, and so on."""


class Programs:
    """`bot.desk.Desk` over the services that people's commands go through, too."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        gate: Gate,
        checklists: Checklists,
        deployments: Deployments,
        pipeline: Pipeline,
        tokens: Tokens,
    ) -> None:
        self._store, self._clock, self._gate, self._checklists = store, clock, gate, checklists
        self._deployments, self._pipeline, self._tokens = deployments, pipeline, tokens

    async def caller(self, token: str) -> ApiToken | None:
        """Who comes with this token; None: nobody, or it was revoked."""
        found = await self._tokens.known(token)
        return None if found is None or found.for_metrics else found

    async def gate(self, caller: ApiToken, service: str, environment: str, at: str) -> GateAnswer:
        """Whether a deployment may start, with reasons. Changes nothing. Raises Denied."""
        loaded = await self._checklist(caller, service)
        where = _environment(loaded, environment)
        now = self._clock.now()
        try:
            moment = moment_of(at, now, find_zone(loaded.policy.timezone)) if at.strip() else now
        except ValueError as error:
            raise Denied("invalid", str(error), field="at") from error
        try:
            read = await self._gate.read_calendars(loaded.policy, where, moment)
        except Unwell as problem:
            raise Denied("checklist_unusable", plain(str(problem))) from problem
        async with self._store.read() as unit:
            found = await self._gate.answer(
                unit, loaded.policy, service=caller.service, environment=where, at=moment, now=now, read=read
            )
        return GateAnswer(caller.service, where, moment.astimezone(find_zone(found.zone)), gate_json(found))

    async def start(self, caller: ApiToken, order: Order, *, key: str) -> StartReply:
        """Start a deployment, or let it wait. No window, freeze, lock or approval is passed by. Raises Denied."""
        key = _key(caller, "start", key)
        if (before := await self._started_before(key, order)) is not None:
            return before
        loaded = await self._checklist(caller, order.service)
        where = self._checked(loaded, order)
        known: list[str] = []

        async def unless(unit: Unit) -> Answer | None:
            # With what is decided now it is known whose answer it is, also to another order that has the same key.
            await unit.remember_delivery(f"{key}:order", json.dumps(asdict(order)), self._clock.now())
            row = await _same(unit, caller.service, where, order.version)
            if row is None:
                return None
            known.append(row.id)
            return replies.ok("It runs already")

        who = Who(chat="api", id=caller.id, name=caller.name, roles=frozenset({ROLE}))
        # What falls badly is told in the answer: there is nobody to ask.
        request = Request(order.version, loaded.source.name, where, order.when, order.note, confirmed=True)
        try:
            # A key of its own: what was answered is kept in full below, also where the process ends in between.
            answer = await self._deployments.start(request, who=who, key=f"{key}:answer", unless=unless)
        except Unwell as problem:
            raise Denied("invalid", plain(str(problem))) from problem
        async with self._store.read() as unit:
            answered = await unit.delivered(f"{key}:order")
            rows = await unit.rows(service=caller.service, environment=where)
        # One that is live comes before a newer one of the same version that was cancelled.
        row = _standing_of(rows, order.version) or next((row for row in rows if row.version == order.version), None)
        if answered is not None and json.loads(answered) != asdict(order):
            raise _key_reused()
        said = answer.card.text if answer.card is not None else ""
        if answer.refused or answer.form is not None:
            denied = await self._why_not(loaded, order, where, who, said)
            await self._keep(key, order, {"denied": [denied.code, denied.message, denied.gate]})
            raise denied
        if row is None:  # an older release has kept another order's answer
            raise _key_reused()
        await self._keep(key, order, {"id": row.id, "message": said})
        return StartReply(await self.standing(caller, row.id), created=not known, message=said)

    async def report(self, caller: ApiToken, target: Target, report: Report, *, key: str) -> Reply:
        """Take in what a pipeline reports. A rule's no is a reply; Denied is raised for a deployment not found."""
        key = _key(caller, json.dumps(asdict(target)), key)
        if (before := await self._pipeline.replied(key, report)) is not None:
            return before
        deployment = target.deployment or (await self._meant(caller, target)).id
        await self._own(caller, deployment)
        who = Who(chat="api", id=caller.id, name=caller.name, roles=frozenset({ROLE}))
        return await self._pipeline.report(deployment, report, who=who, key=key)

    async def standing(self, caller: ApiToken, deployment: str) -> Standing:
        """Where a deployment stands. Changes nothing. Raises Denied."""
        await self._own(caller, deployment)
        async with self._store.read() as unit:
            plan, state = await load(unit, deployment)
        return standing(View(plan, state, self._clock.now()))

    # --- whose it is ---

    async def _own(self, caller: ApiToken, deployment: str) -> None:
        row = None
        if (
            deployment.isascii() and deployment.isalnum()
        ):  # nothing else was ever an id, and some a database cannot hear
            async with self._store.read() as unit:
                row = await unit.row(deployment)
        if row is None:
            raise Denied("unknown_deployment", "There is no deployment of this id. POST /api/deployments gives one.")
        if row.service.casefold() != caller.service.casefold():
            raise _other(caller)

    async def _checklist(self, caller: ApiToken, service: str) -> Loaded:
        """The checklist of the caller's service, by its own name or the service's."""
        name = service or caller.service
        try:
            loaded = await self._checklists.load(name)
        except UNREADABLE as problem:
            if name.casefold() != caller.service.casefold():
                raise _other(caller) from problem
            if isinstance(problem, UNREADABLE[0]):
                raise Denied("unknown_service", f"{problem} The token is for a service that has none now.") from problem
            why = f"The checklist of {caller.service} cannot be used; `gonogo checklist lint` says more."
            raise Denied("checklist_unusable", why) from problem
        if service_of(loaded).casefold() != caller.service.casefold():
            raise _other(caller)
        return loaded

    async def _meant(self, caller: ApiToken, target: Target) -> DeploymentRow:
        """The live deployment that a service, an environment and perhaps a version mean."""
        if target.service and target.service.casefold() != caller.service.casefold():
            await self._checklist(caller, target.service)
        rows = await self._pipeline.live(
            service=caller.service, environment=target.environment, version=target.version or None
        )
        for status in _FIRST:
            if found := [row for row in rows if row.status in status]:
                if len(found) > 1:
                    versions = ", ".join(row.version for row in found)
                    raise Denied("several", f"Several are live: {versions}. Say which with `version`.", field="version")
                return found[0]
        what = f"{caller.service} {target.version}".strip()
        raise Denied(
            "unknown_deployment",
            f"No deployment of {what} to {target.environment} is live. Start one with POST /api/deployments.",
        )

    # --- a start ---

    def _checked(self, loaded: Loaded, order: Order) -> str:
        """The environment, as the checklist writes it. Raises Denied with the field that is wrong."""
        where = _environment(loaded, order.environment)
        if not VERSION.fullmatch(order.version):
            raise Denied("invalid", plain(replies.bad_version(order.version)), field="version")
        if order.when.strip() != WHEN_OPEN:
            try:
                planned_time(order.when, self._clock.now(), loaded.policy.timezone)
            except Unwell as problem:
                raise Denied("invalid", plain(str(problem)), field="when") from problem
        return where

    async def _why_not(self, loaded: Loaded, order: Order, where: str, who: Who, said: str) -> Denied:
        """A start was refused: by whom, and with the gate's own reasons where it was the gate."""
        policy, now = loaded.policy, self._clock.now()
        if not may(policy, "start", who):
            return Denied("not_entitled", f"{said} A policy may let pipelines start: `may: {{start: [{ROLE}]}}`.")
        at = None if order.when.strip() == WHEN_OPEN else planned_time(order.when, now, policy.timezone)
        read = await self._gate.read_calendars(policy, where, at or now)
        async with self._store.read() as unit:
            found = await self._gate.answer(
                unit, policy, service=service_of(loaded), environment=where, at=at or now, now=now, read=read
            )
        if found.open:
            return Denied("refused", said)
        locked = any(reason.code is Code.LOCK for reason in found.reasons)
        message = f"{service_of(loaded)} {order.version} → {where}: {say_opening(found, at or now, now)}."
        return Denied("locked" if locked else "closed", message, gate=gate_json(found))

    async def _started_before(self, key: str, order: Order) -> StartReply | None:
        """What this very order was told before. Raises Denied where that was a no, or the key another order's."""
        async with self._store.read() as unit:
            text = await unit.delivered(key)
            if text is None:
                return None
            kept = json.loads(text)
            if kept["order"] != asdict(order):
                raise _key_reused()
            if "denied" in kept:
                code, message, gate = kept["denied"]
                raise Denied(code, message, gate=gate)
            try:
                plan, state = await load(unit, kept["id"])
            except UnknownDeployment:  # the database was tidied up by hand
                return None
        return StartReply(standing(View(plan, state, self._clock.now())), created=False, message=kept["message"])

    async def _keep(self, key: str, order: Order, what: dict[str, Any]) -> None:
        text = json.dumps({"order": asdict(order), **what}, ensure_ascii=False)
        try:
            async with self._store.write() as unit:
                await unit.remember_delivery(key, text, self._clock.now())
        except Conflict:  # the same order at the same moment: the other one has kept the same
            return


async def _same(unit: Unit, service: str, environment: str, version: str) -> DeploymentRow | None:
    """A live deployment of this very version. One that is rolled back is on its way out."""
    return _standing_of(await unit.rows(service=service, environment=environment, live=True), version)


def _standing_of(rows: Sequence[DeploymentRow], version: str) -> DeploymentRow | None:
    return next(
        (row for row in rows if row.version == version and row.live and row.status != Status.ROLLING_BACK), None
    )


def _key_reused() -> Denied:
    why = "This Idempotency-Key came with another order before. Send every order with a key of its own."
    return Denied("key_reused", why, field="Idempotency-Key")


def _environment(loaded: Loaded, name: str) -> str:
    known = {each.casefold(): each for each in environments_of(loaded)}
    if (where := known.get(name.strip().casefold())) is None:
        message = plain(replies.unknown_environment(name, tuple(known.values())))
        raise Denied("invalid", message, field="environment")
    return where


def _key(caller: ApiToken, what: str, key: str) -> str:
    """A delivery's key. The caller's own words are hashed: they may be long, and nobody else's may be guessed."""
    return f"api:{hashlib.sha256(json.dumps([caller.id, what, key]).encode()).hexdigest()}"


def _other(caller: ApiToken) -> Denied:
    return Denied("other_service", f"This token is for {caller.service} only. Use the token of the service you mean.")
