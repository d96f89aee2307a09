"""`gonogo gate`: the answer a start would get, for a pipeline. Reads what a start reads, and changes nothing."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

from adapters.calendars.pagerduty import PagerDuty
from adapters.calendars.sources import FreezeSources
from adapters.store.engine import address, engine_for, file_of
from adapters.store.store import SqlStore
from adapters.web.clock import SandboxClock
from adapters.web.state import Sandbox
from bot.cards import replies
from bot.cards.gate_json import gate_json
from bot.cards.opening import say_opening
from bot.domain.calendar import Opening, opening, rules_for
from bot.domain.errors import Unwell
from bot.domain.moment import moment_of as moment_of
from bot.services.checklists import Checklists, environments_of, service_of
from bot.services.gate import Gate
from bot.settings import Settings
from checklists.library import ChecklistError, Loaded, load
from checklists.zones import find_zone


async def gate(
    settings: Settings, name: str, environment: str, *, at: str = "", now: datetime | None = None
) -> tuple[Opening, str, list[str]]:
    """Whether a deployment of this checklist may start: the answer, a line for people, and what was left out of it.

    Freezes and incidents said in chat are read where the database is there; one that cannot be read is an error, as
    they are not known then. `now` is the sandbox's clock in the sandbox, else real time. Raises Unwell, StoreError and
    what reading a checklist raises.
    """
    loaded = await _load(settings, name)
    policy, service = loaded.policy, service_of(loaded)
    known = {each.casefold(): each for each in environments_of(loaded)}
    if (where := known.get(environment.strip().casefold())) is None:
        raise Unwell(replies.unknown_environment(environment, tuple(known.values())))
    async with AsyncExitStack() as stack:
        store: SqlStore | None = None
        if _has_database(settings):
            store = await SqlStore.open(settings.database_url)
            stack.push_async_callback(store.close)
        present = now or await _now(settings, store is not None)
        moment = _moment(policy.timezone, at, present)
        sources = freeze_sources(settings, loaded.source.folder or settings.checklists)
        stack.push_async_callback(sources.close)
        the_gate = Gate(sources)
        read = await the_gate.read_calendars(policy, where, moment)
        left_out: list[str] = []
        if store is None:
            found = opening(rules_for(policy, where), moment, busy=read[0], unreadable=read[1])
            file = file_of(address(settings.database_url))
            left_out.append(f"There is no database {file}: freezes and incidents said in chat are not looked at.")
        else:
            async with store.read() as unit:
                found = await the_gate.answer(
                    unit,
                    policy,
                    service=service,
                    environment=where,
                    at=moment,
                    now=present,
                    read=read,
                )
    return found, f"{service} → {where}: {say_opening(found, moment, present)}.", left_out


def as_json(found: Opening) -> str:
    """The answer for a program. Instants carry the offset of the checklist's zone."""
    return json.dumps(gate_json(found), indent=2, ensure_ascii=False)


def freeze_sources(settings: Settings, folder: Path) -> FreezeSources:
    """What freezes read elsewhere; calendar files are in the folder of the policies. To be closed."""
    account = PagerDuty(settings.pagerduty_token.get_secret_value(), settings.pagerduty_api_url)
    return FreezeSources(folder, pagerduty=account)


async def _load(settings: Settings, name: str) -> Loaded:
    try:
        return load(name, (settings.checklists,), files=True)
    except ChecklistError:
        with suppress(ChecklistError):  # it may be called as its service is
            return await Checklists((settings.checklists,), None).load(name)
        raise


def _has_database(settings: Settings) -> bool:
    """Whether there is one to be read. A SQLite file that was never made holds nothing."""
    file = file_of(address(settings.database_url))
    return file is None or file.is_file()


def _moment(timezone: str, at: str, now: datetime) -> datetime:
    try:
        return moment_of(at, now, find_zone(timezone)) if at.strip() else now
    except ValueError as error:
        raise Unwell(str(error)) from error


async def _now(settings: Settings, there: bool) -> datetime:
    chats = (settings.slack_bot_token, settings.discord_token)
    if any(token.get_secret_value() for token in chats) or not there:
        return datetime.now(UTC)
    engine = engine_for(address(settings.database_url))
    try:
        clock = SandboxClock(Sandbox(engine))
        await clock.load()
        return clock.now()
    finally:
        await engine.dispose()
