"""`gonogo gate`: the answer a start would get, for a pipeline. Reads what a start reads, and changes nothing."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.calendars.pagerduty import PagerDuty
from adapters.calendars.sources import FreezeSources
from adapters.store.engine import address, engine_for, file_of
from adapters.store.store import SqlStore
from adapters.web.clock import SandboxClock
from adapters.web.state import Sandbox
from bot.cards import replies
from bot.cards.opening import say_opening
from bot.domain.calendar import Opening, opening, rules_for
from bot.domain.errors import Unwell
from bot.services.checklists import Checklists, environments_of, service_of
from bot.services.gate import Gate
from bot.settings import Settings
from checklists.library import ChecklistError, Loaded, load
from checklists.windows import parse_when
from checklists.zones import find_zone, instants, reading

_AT_LIKE = "write --at like 2026-11-27T16:55, with an offset like 2026-11-27T16:55+01:00, or 'fri 16:55'"
_YEARS = range(1970, 2200)


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
        moment = await _moment(settings, policy.timezone, at, store is not None, now)
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
                    now=moment if not at.strip() else now or await _now(settings, store is not None),
                    read=read,
                )
    return found, f"{service} → {where}: {say_opening(found, moment)}.", left_out


def as_json(found: Opening) -> str:
    """The answer for a program. Instants carry the offset of the checklist's zone."""
    zone = find_zone(found.zone)

    def said(at: datetime | None) -> str | None:
        return None if at is None else at.astimezone(zone).isoformat()

    reasons = [
        {"code": reason.code.value, "text": reason.text, "source": reason.source, "until": said(reason.until)}
        for reason in found.reasons
    ]
    answer = {
        "open": found.open,
        "reasons": reasons,
        "next_open": said(found.next_open),
        "next_close": said(found.next_close),
        "zone": found.zone,
    }
    return json.dumps(answer, indent=2, ensure_ascii=False)


def freeze_sources(settings: Settings, folder: Path) -> FreezeSources:
    """What freezes read elsewhere; calendar files are in the folder of the policies. To be closed."""
    account = PagerDuty(settings.pagerduty_token.get_secret_value(), settings.pagerduty_api_url)
    return FreezeSources(folder, pagerduty=account)


def moment_of(words: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The instant that `--at` means: ISO 8601, past or future, or a future one in the words of `/deploy start … at`.

    Without an offset it is a reading of the clock in `zone`; one shown twice is the first. Raises ValueError for what
    nobody can read and what the clock jumps over.
    """
    try:
        at = datetime.fromisoformat(words.strip())
    except ValueError:
        return parse_when(words, now, zone)
    if at.year not in _YEARS:
        raise ValueError(f"{words!r} is too far away; {_AT_LIKE}")
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    if parts := instants(at, at + timedelta(microseconds=1), zone):
        return parts[0][0]
    after = reading(instants(at, at + timedelta(days=2), zone)[0][0], zone)
    gone = f"{at:%Y-%m-%d %H:%M} does not exist in {zone.key}, the clock jumps over it"
    raise ValueError(f"{gone}; write {after:%Y-%m-%d %H:%M} or later")


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


async def _moment(settings: Settings, timezone: str, at: str, there: bool, now: datetime | None) -> datetime:
    try:
        zone = find_zone(timezone)
        now = now or await _now(settings, there)
        return moment_of(at, now, zone) if at.strip() else now
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
