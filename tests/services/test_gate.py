"""What keeps a deployment from starting, and how it is said: freezes of the channel, incidents, calendars."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.busy import Busy, Unreadable
from bot.domain.people import Who
from bot.services.gate import Gate
from checklists.policy import FreezePolicy
from checklists.policy_file import load_policy
from tests.adapters.store_kit import NOON, migrated_file, sqlite_url
from tests.core_kit import ANN, HERE, Core, a_folder, open_core, told

__all__ = ["migrated_file", "sqlite_url"]

LEAD = Who(chat="web", id="u9", name="lee", roles=frozenset({"lead"}))
PARTY = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:gonogo\r
BEGIN:VEVENT\r
UID:1\r
DTSTART:20261124T140000Z\r
DTEND:20261124T180000Z\r
SUMMARY:Summer party\r
END:VEVENT\r
END:VCALENDAR\r
"""


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(sqlite_url, a_folder(tmp_path / "checklists")) as core:
        yield core


async def test_an_open_gate_starts(core: Core) -> None:
    assert told(await core.say("start v1 pet")).startswith("Started")


async def test_outside_the_window_it_says_why_and_when_it_opens(core: Core) -> None:
    core.clock.later(days=3)
    answer = told(await core.say("start v1 pet"))
    assert "cannot start: closed: Friday" in answer
    assert "Opens Tue 1 Dec 10:00 EST" in answer
    assert await core.rows() == []


async def test_a_freeze_said_in_chat_closes_it_and_lifting_it_opens_it(core: Core) -> None:
    await core.say('freeze add "today" big sale')
    assert "big sale" in told(await core.say("start v1 shop"))
    assert told(await core.say("start v1 shop staging")).startswith("Started")
    await core.say("freeze remove d1")
    assert told(await core.say("start v1 shop")).startswith("Started")


async def test_a_freeze_of_a_checklist_holds_its_service_and_no_other(core: Core) -> None:
    await core.say('freeze add "today" pet vet is in', who=LEAD)
    assert "vet is in" in told(await core.say("start v1 pet"))
    assert "vet is in" in told(await core.say("window pet"))
    assert told(await core.say("start v1 shop")).startswith("Started")


async def test_a_freeze_is_for_those_the_policy_names(core: Core) -> None:
    assert "You cannot do that: it is for lead" in told(await core.say('freeze add "today" pet vet is in'))
    assert "No freezes" in told(await core.say("freeze list"))


@pytest.mark.parametrize("scope", ["", "pet ", "pet.store "])
async def test_an_incident_closes_it_where_the_policy_says_so(core: Core, scope: str) -> None:
    await core.start("v0", "pet preprod")
    await core.say(f"incident open {scope}checkout is down")
    assert "active incident: checkout is down" in told(await core.say("start v1 pet"))
    assert told(await core.say("start v1 shop")).startswith("Started")
    await core.say("incident close d2")
    assert told(await core.say("start v1 pet")).startswith("Started")


async def test_an_incident_of_another_service_is_none_of_its_business(core: Core) -> None:
    await core.say("incident open shop checkout is down")
    assert told(await core.say("start v1 pet")).startswith("Started")


async def test_an_incident_can_be_opened_while_every_policy_is_broken(core: Core) -> None:
    for policy in core.folder.glob("*.yaml"):
        policy.write_text("windows: [")
    assert told(await core.say("incident open shop checkout is down")).startswith("Incident opened")
    await core.relay.settle()
    assert "checkout is down" in (await core.texts())[0]


async def test_an_event_of_the_calendar_closes_it(core: Core) -> None:
    (core.folder / "events.ics").write_bytes(PARTY.encode())
    assert "company event: Summer party" in told(await core.say("start v1 pet"))
    assert told(await core.say('start v1 pet at "tomorrow 12:00"')).startswith("Planned")


@pytest.mark.parametrize("content", [None, b"no calendar", b"\xff\xfe\x00"])
async def test_a_calendar_that_cannot_be_read_closes_it_and_is_named(core: Core, content: bytes | None) -> None:
    calendar = core.folder / "events.ics"
    calendar.unlink() if content is None else calendar.write_bytes(content)
    assert "events.ics cannot be read" in told(await core.say("start v1 pet"))
    assert "events.ics cannot be read" in told(await core.say("window pet"))
    assert await core.rows() == []


async def test_the_window_and_the_start_give_the_same_answer(core: Core) -> None:
    for hours in (0, 4, 20, 30, 44, 70, 90):
        core.clock.at += timedelta(hours=hours)
        window = told(await core.say("window pet"))
        start = told(await core.say("start v1 pet"))
        assert ("closed" in window) == ("closed" in start)
        if "closed" in start:
            assert start.split("closed: ")[1].rstrip(".") in window
        else:
            await core.say("cancel pet not now")


async def test_a_freeze_is_told_in_the_channel_of_the_team(core: Core) -> None:
    core.web.channels = (HERE, "#engineering")
    await core.say('freeze add "today" sale', who=ANN)
    await core.say('freeze add "today" pet vet is in', who=LEAD)
    await core.relay.settle()
    assert ["sale" in text for text in await core.texts()] == [True]
    assert ["vet is in" in text for text in await core.texts("#engineering")] == [True]


class Together:
    """`bot.ports.Calendars` whose sources answer only when both are being asked; the second cannot be read."""

    def __init__(self) -> None:
        self._both = asyncio.Barrier(2)

    async def busy(self, freeze: FreezePolicy, *, start: datetime, end: datetime, zone: str) -> list[Busy]:
        async with asyncio.timeout(5):
            await self._both.wait()
        if freeze.calendar == "https://b.example.com/b.ics":
            raise Unreadable("the calendar at b.example.com", "it does not answer")
        return [Busy(start, end, "All hands", "the calendar at a.example.com")]


async def test_all_calendars_are_asked_side_by_side() -> None:
    freezes = "freezes: [{calendar: 'https://b.example.com/b.ics'}, {calendar: 'https://a.example.com/a.ics'}]"
    policy = load_policy(freezes, file="x.yaml")
    busy, unreadable = await Gate(Together()).read_calendars(policy, "production", NOON)
    assert [one.what for one in busy] == ["All hands"]
    assert unreadable == [("the calendar at b.example.com", True)]
