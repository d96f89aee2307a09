"""What somebody sees before doing anything: the form that starts a deployment, the Home tab, cards shown on demand.

Reads only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import structlog

from bot.cards import forms, replies
from bot.cards.card import Answer, Card
from bot.cards.deployment import slots
from bot.cards.home import home_card
from bot.cards.opening import say_opening
from bot.cards.view import View
from bot.domain.calendar import Opening
from bot.domain.errors import Unwell
from bot.domain.people import Who
from bot.ports import Clock, Store, UnknownRecord
from bot.services.checklists import ENVIRONMENTS, Checklists, environments_of
from bot.services.gate import Gate, standing_freezes
from bot.services.records import UnknownDeployment
from bot.services.views import Views
from checklists.library import ChecklistError
from checklists.policy_file import PolicyError
from checklists.reader import DocumentError

_GATES = 10
"""Checklists whose window the Home tab shows."""

log = structlog.get_logger(__name__)


class Lobby:
    """Answers without changing anything."""

    def __init__(self, store: Store, clock: Clock, gate: Gate, checklists: Checklists, views: Views) -> None:
        self._store, self._clock, self._gate = store, clock, gate
        self._checklists, self._views = checklists, views

    async def opening_form(self, answers: Mapping[str, str]) -> Answer:
        """The start form with what is answered so far, and whether the gate is open for it."""
        names = await self._checklists.names()
        if not names:
            return replies.checklist_names(names)
        service = answers.get("service") or await self._checklists.default() or names[0]
        environment = answers.get("environment") or ENVIRONMENTS[0]
        try:
            known = environments_of(await self._checklists.load(service))
            opening = await self._opening(service, environment)
            text = f"{service} → {environment}: {say_opening(opening, self._clock.now())}"
        except (ChecklistError, DocumentError, PolicyError, Unwell) as problem:
            known, text = ENVIRONMENTS, str(problem)
        return forms.start_form(
            answers.get("version", ""), names, known, service=service, environment=environment, text=text
        )

    async def home(self, who: Who) -> Card:
        """Running deployments with what waits for this person first, windows, freezes, last results."""
        async with self._store.read() as unit:
            live = await unit.rows(live=True)
            ended = await unit.rows(live=False, limit=5)
            now = self._clock.now()
            freezes = [freeze for freeze in standing_freezes(await unit.calendar()) if freeze.end > now]
        gates: list[tuple[str, Opening]] = []
        for name in (await self._checklists.names())[:_GATES]:
            with contextlib.suppress(ChecklistError, DocumentError, PolicyError, Unwell):
                gates.append((name, await self._opening(name, ENVIRONMENTS[0])))
        views: list[View] = []
        for row in live:
            try:
                views.append(await self._views.bare(row.id))
            except UnknownRecord as unknown:  # another release runs beside this one: the others are shown
                log.warning("home.skipped", deployment=row.id, problem=str(unknown))
        return home_card(who, views, gates, freezes, ended, now)

    async def cards(self, deployment: str) -> tuple[Card, ...]:
        """Every card of a deployment as it stands now; empty if there is none of this id."""
        try:
            return tuple(slot.card for slot in slots(await self._views.bare(deployment)))
        except UnknownDeployment:
            return ()

    async def _opening(self, name: str, environment: str) -> Opening:
        policy, now = (await self._checklists.load(name)).policy, self._clock.now()
        read = await self._gate.read_calendars(policy, environment, now)
        async with self._store.read() as unit:
            return await self._gate.opening(
                unit, policy, service=policy.service or name, environment=environment, at=now, read=read
            )
