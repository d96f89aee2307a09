"""A transaction as the services see it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CursorResult,
    Executable,
    Row,
    String,
    bindparam,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from adapters.store import tables, tokens
from adapters.store.codec import dump_card, dump_event, load_calendar, load_events
from adapters.store.engine import AnyConnection
from adapters.store.errors import translated
from adapters.store.statements import insert_new, real_now
from adapters.store.states import States
from adapters.store.tables import calendar_events, checklists, deadlines, deliveries, deployments, outbox
from bot.access import ApiToken
from bot.domain.deployment import Deployment, Status
from bot.domain.events import CalendarEvent, Event
from bot.ports import Conflict, Deadline, DeploymentRow, FrozenChecklist, Outgoing, StoreError

_ROW = [deployments.c[field.name] for field in dataclasses.fields(DeploymentRow)]
_DENIED = "turned_away"

# What a click needs is put together once.
_DEPLOYMENT = bindparam("its_deployment", type_=String)
_DELIVERED = select(deliveries.c.answer).where(deliveries.c.key == bindparam("its_key"))
_REMEMBER = insert(deliveries)
_HELD = select(deployments.c.id).where(deployments.c.id == _DEPLOYMENT).with_for_update(key_share=True)
_EVENTS = (
    select(tables.events.c.body)
    .where(tables.events.c.deployment == _DEPLOYMENT, tables.events.c.seq >= bindparam("first"))
    .order_by(tables.events.c.seq)
)
_ADD_EVENTS = insert(tables.events)
_MOVE_ON = update(deployments).where(deployments.c.id == _DEPLOYMENT, deployments.c.revision == bindparam("after"))
_CALENDAR = (
    select(calendar_events.c.body)
    # A pipeline that keeps asking writes thousands of those; no rule reads them.
    .where(calendar_events.c.kind != _DENIED)
    .order_by(calendar_events.c.seq)
)
_OPEN_DEADLINE = (
    deadlines.c.deployment == _DEPLOYMENT,
    deadlines.c.key == bindparam("its_key", type_=String),
    deadlines.c.done_at.is_(None),
)
_DROP_DEADLINE, _SET_DEADLINE = delete(deadlines).where(*_OPEN_DEADLINE), update(deadlines).where(*_OPEN_DEADLINE)
_DEADLINES = select(deadlines.c.key, deadlines.c.due, deadlines.c.done_at).where(deadlines.c.deployment == _DEPLOYMENT)


class SqlUnit:
    """The `Unit` of both databases.

    A statement that failed undoes the whole unit, even if the caller swallows the exception: half is never saved.
    """

    def __init__(self, connection: AnyConnection, where: str, states: States, *, writes: bool) -> None:
        self._connection = connection
        self._states = states
        self._where = where
        self._writes = writes
        self.failed: StoreError | None = None
        """What went wrong first."""
        self.changed = False
        self._learned: dict[str, tuple[Deployment, str]] = {}

    async def delivered(self, key: str) -> str | None:
        """The answer given to this delivery before, or None."""
        found = await self._ask(_DELIVERED, {"its_key": key})
        return found.scalar_one_or_none()

    async def remember_delivery(self, key: str, answer: str, at: datetime) -> None:
        """Keep the answer. Raises Conflict if the key was delivered meanwhile."""
        await self._change(_REMEMBER, {"key": key, "answer": answer, "at": at})

    async def keep_checklist(self, frozen: FrozenChecklist) -> None:
        """Keep the texts; the same digest again changes nothing."""
        await self._change(insert_new(self._connection, checklists, "digest"), [dataclasses.asdict(frozen)])

    async def checklist(self, digest: str) -> FrozenChecklist:
        """The texts of this digest. Raises StoreError if they were never kept."""
        found = (await self._ask(select(checklists).where(checklists.c.digest == digest))).one_or_none()
        if found is None:
            raise StoreError(f"{self._where} does not hold the checklist {digest}. Restore a backup that does.")
        return FrozenChecklist(**found._mapping)

    async def events(self, deployment: str) -> list[Event]:
        """All facts of a deployment, in order. Empty if there is none of this id.

        In a unit that writes they are the last word until it ends: whoever else wants to change the deployment waits.
        """
        return load_events(await self._facts(deployment, 1))

    async def state(self, deployment: str) -> Deployment | None:
        """What all its facts add up to. None if there is none of this id. As binding as `events`."""
        for first in dict.fromkeys((self._states.begin(deployment), 1)):
            bodies = await self._facts(deployment, first)
            state = self._states.add_up(deployment, first, bodies)
            if state is not None:
                if not self.changed:
                    self._learned[deployment] = (state, bodies[-1])
                return state
        return None

    def remember(self) -> None:
        """What it has read of others is kept: to be remembered for the next one."""
        for state, newest in self._learned.values():
            self._states.remember(state, newest)

    async def _facts(self, deployment: str, first: int) -> Sequence[str]:
        if self._writes and self._connection.dialect.name == "postgresql":
            await self._ask(_HELD, {"its_deployment": deployment})
        found = await self._ask(_EVENTS, {"its_deployment": deployment, "first": first})
        return found.scalars().all()

    async def append(self, row: DeploymentRow, after: int, events: Sequence[Event]) -> None:
        """Add facts after the `after`-th and replace the projection by `row`.

        Mirrors remember the revision they have shown, so a higher one leaves all of them behind. Raises Conflict if
        there are more facts already, LockHeld if `row.locked` and another row holds the same service and environment.
        """
        if row.revision != after + len(events) or row.revision == 0:
            raise ValueError(f"revision {row.revision} is not {len(events)} events after {after}")
        facts = [
            {"deployment": row.id, "seq": seq, "kind": event.kind, "at": event.at, "body": dump_event(event)}
            for seq, event in enumerate(events, after + 1)
        ]
        projection = {column.name: getattr(row, column.name) for column in _ROW} | {"written_at": real_now()}
        if after == 0:
            await self._change(insert(deployments).values(projection))
        else:
            here = {"its_deployment": row.id, "after": after}
            if (await self._change(_MOVE_ON, here | projection)).rowcount != 1:
                raise self._fail(Conflict("This deployment has moved on meanwhile. Load again and decide again."))
        if facts:
            await self._change(_ADD_EVENTS, facts)

    async def plan_deadlines(
        self, deployment: str, wanted: Sequence[Deadline], kinds: Collection[str] | None = None
    ) -> None:
        """Make the open deadlines of the deployment exactly these. Those done stay done, whatever is wanted. With
        `kinds` (the first words of keys) those of any other kind stay as they are: another release wants them.

        One that is no longer wanted is forgotten, so wanting it again opens it again. One that moves keeps its holder.
        """
        found = await self._ask(_DEADLINES, {"its_deployment": deployment})
        known = {each.key: (each.due, each.done_at) for each in found}
        due_by_key = {each.key: each.due for each in wanted}
        new = [
            {"deployment": deployment, "key": key, "due": due} for key, due in due_by_key.items() if key not in known
        ]
        for key, (due, done_at) in known.items():
            if done_at is not None:
                continue
            this = {"its_deployment": deployment, "its_key": key}
            if key not in due_by_key:
                if kinds is None or key.partition(":")[0] in kinds:
                    await self._change(_DROP_DEADLINE, this)
            elif due_by_key[key] != due:
                await self._change(_SET_DEADLINE, this | {"due": due_by_key[key]})
        if new:
            await self._change(insert(deadlines), new)

    async def finish_deadline(self, deployment: str, key: str, at: datetime) -> None:
        """The due work is done. Raises Conflict if it was done, or dropped, meanwhile."""
        this = {"its_deployment": deployment, "its_key": key}
        done = await self._change(_SET_DEADLINE, this | {"done_at": at, "held_by": None, "held_until": None})
        if done.rowcount != 1:
            raise self._fail(Conflict(f"The deadline {key} was done or dropped meanwhile."))

    async def say(self, messages: Sequence[Outgoing]) -> None:
        """Put messages into the outbox; a key that is there already is left as it is."""
        if messages:
            new = [
                {
                    "key": each.key,
                    "chat": each.chat,
                    "channel": each.channel,
                    "card": dump_card(each.card),
                    "deployment": each.deployment,
                    "thread": each.thread,
                    "attempts": 0,
                }
                for each in messages
            ]
            await self._change(insert_new(self._connection, outbox, "key"), new)

    async def calendar(self) -> list[CalendarEvent]:
        """All freezes, incidents and locks ever set and lifted, in order; not the starts that were turned away."""
        found = await self._ask(_CALENDAR)
        return load_calendar(found.scalars().all())

    async def denials(self, limit: int = 1_000) -> list[CalendarEvent]:
        """The newest starts that were turned away, oldest of them first."""
        denied = calendar_events.c.kind == _DENIED
        newest = select(calendar_events.c.body).where(denied).order_by(calendar_events.c.seq.desc()).limit(limit)
        return load_calendar([*reversed((await self._ask(newest)).scalars().all())])

    async def append_calendar(self, events: Sequence[CalendarEvent]) -> None:
        """Add facts about freezes, incidents and locks."""
        if events:
            facts = [{"kind": event.kind, "at": event.at, "body": dump_event(event)} for event in events]
            await self._change(insert(calendar_events), facts)

    async def row(self, deployment: str) -> DeploymentRow | None:
        """The projection of one deployment."""
        found = (await self._ask(select(*_ROW).where(deployments.c.id == deployment))).one_or_none()
        return None if found is None else _row(found)

    async def rows(
        self,
        *,
        service: str | None = None,
        environment: str | None = None,
        live: bool | None = None,
        limit: int = 50,
    ) -> list[DeploymentRow]:
        """Projections, newest first."""
        asked = select(*_ROW).order_by(deployments.c.started_at.desc(), deployments.c.id.desc()).limit(limit)
        if service is not None:
            asked = asked.where(deployments.c.service == service)
        if environment is not None:
            asked = asked.where(deployments.c.environment == environment)
        if live is not None:
            asked = asked.where(deployments.c.live if live else ~deployments.c.live)
        return [_row(found) for found in await self._ask(asked)]

    async def lock_holder(self, service: str, environment: str) -> DeploymentRow | None:
        """Who holds the lock of this service and environment; where nobody does, whoever is rolled back there."""
        here = tuple_(deployments.c.service, deployments.c.environment) == (service, environment)
        found = (await self._ask(select(*_ROW).where(here, deployments.c.locked))).one_or_none()
        if found is None:
            # It began beside another one, which held the lock and has ended since.
            back = select(*_ROW).where(here, deployments.c.live, deployments.c.status == Status.ROLLING_BACK.value)
            found = (await self._ask(back.order_by(deployments.c.started_at, deployments.c.id).limit(1))).one_or_none()
        return None if found is None else _row(found)

    async def alone(self, service: str, environment: str) -> None:
        """Until this transaction ends, nobody else decides about who may deploy this service here: others wait.

        On SQLite every transaction that writes is alone already.
        """
        if self._connection.dialect.name == "postgresql":
            key = int.from_bytes(hashlib.sha256(f"{service}\0{environment}".encode()).digest()[:8], "big", signed=True)
            await self._ask(select(func.pg_advisory_xact_lock(key)))

    async def add_token(self, token: ApiToken) -> None:
        """Keep a new one. Raises Conflict if its id or digest is there already."""
        await self._change(tokens.added(token))

    async def token(self, digest: str) -> ApiToken | None:
        """The one of this digest, revoked or not."""
        found = (await self._ask(tokens.by_digest(digest))).one_or_none()
        return None if found is None else tokens.token_of(found)

    async def tokens(self) -> list[ApiToken]:
        """All that were ever made, oldest first."""
        return [tokens.token_of(found) for found in await self._ask(tokens.every())]

    async def revoke_token(self, id: str, at: datetime) -> bool:
        """It works no longer. Revoking again keeps the first time; False if there is none of this id."""
        return (await self._change(tokens.revoked(id, at))).rowcount == 1

    async def use_token(self, id: str, at: datetime) -> None:
        """Note that it was used."""
        await self._change(tokens.used(id, at))

    async def _ask(self, statement: Executable, values: Mapping[str, Any] | None = None) -> CursorResult[Any]:
        try:
            return await self._connection.execute(statement, values)
        except SQLAlchemyError as error:
            raise self._fail(translated(error, self._where)) from error

    async def _change(
        self, statement: Executable, rows: Sequence[dict[str, Any]] | dict[str, Any] | None = None
    ) -> CursorResult[Any]:
        if not self._writes:
            raise self._fail(StoreError("This transaction only reads. Change things in `Store.write()`."))
        self.changed = True
        try:
            return await self._connection.execute(statement, rows)
        except SQLAlchemyError as error:
            raise self._fail(translated(error, self._where)) from error

    def _fail(self, error: StoreError) -> StoreError:
        self.failed = self.failed or error
        return error


def _row(found: Row[*tuple[Any, ...]]) -> DeploymentRow:
    return DeploymentRow(*found)  # in the order of `_ROW`
