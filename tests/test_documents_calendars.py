"""The five documents' calendars as dated questions, each with the answer a reader of the document would give.

Times without an offset are the wall clock's in the checklist's zone. The calendars have the events below; the incident
is open from 24 November 2026, 11:00 UTC on.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

import checklists
from adapters.calendars.sources import FreezeSources
from bot.cards.opening import say_reasons
from bot.domain.calendar import opening, rules_for, to_be_read
from bot.domain.events import IncidentOpened
from bot.domain.people import Who
from bot.gating import moment_of
from bot.services.gate import Gate, open_incidents
from checklists.library import Loaded, load
from checklists.zones import find_zone

SHIPPED = Path(checklists.__file__).parent
NAMES = ("azora", "ca-marketplace", "maishapoa", "petforce", "services-do")
EVENTS = {
    "ca-marketplace-campaigns.ics": "DTSTART:20261112T130000Z|DTEND:20261112T150000Z|SUMMARY:Winter sale",
    "petforce-company-events.ics": "DTSTART;VALUE=DATE:20260914|DTEND;VALUE=DATE:20260917|SUMMARY:Offsite",
    "services-do-high-traffic.ics": "DTSTART:20260505T150000Z|DTEND:20260505T210000Z|SUMMARY:Launch day",
}
ANN = Who(chat="web", id="u1", name="ann")
INCIDENT = IncidentOpened(at=datetime(2026, 11, 24, 11, tzinfo=UTC), by=ANN, id="i1", reason="checkout is down")

# "Deployment window announced": the document asks for an announced time, not for fixed hours, and names no freeze.
AZORA = """
2026-11-24 10:00 | open
2026-11-20 16:55 | open
2026-11-21 03:00 | open
2026-11-22 23:59 | open
2026-11-26 12:00 | open
2026-11-30 12:00 | open
2026-12-24 18:00 | open
2026-12-25 12:00 | open
2026-12-31 23:59 | open
2027-01-01 00:00 | open
2027-03-31 12:00 | open
2027-06-30 16:00 | open
2028-02-29 02:30 | open
2026-11-24 12:00 staging | open
2026-11-22 03:00 staging | open
"""

# "Recommended Deployment Windows" and "Deployment Freeze Periods".
CA_MARKETPLACE = """
2026-11-19 09:59 | before 10:00
2026-11-19 10:00 | open
2026-11-19 13:59 | open
2026-11-19 14:00 | after 14:00
2026-11-20 12:00 | Friday
2026-11-21 12:00 | weekend
2026-11-23 12:00 | Monday
2026-01-26 12:00 | major holiday: Republic Day and Monday
2026-11-08 12:00 | weekend and major holiday: Diwali
2023-08-15 12:00 | major holiday: Independence Day
2026-01-01 12:00 | New Year
2025-12-31 12:00 | New Year, month-end and quarter-end
2026-04-28 12:00 | open
2026-04-29 12:00 | month-end
2026-08-31 11:00 | month-end and Monday
2026-09-23 12:00 | open
2026-09-24 12:00 | quarter-end
2026-09-29 12:00 | month-end and quarter-end
2026-11-12 10:59 | open
2026-11-12 11:00 | large marketing campaign: Winter sale
2026-11-12 16:59 | large marketing campaign: Winter sale and after 14:00
2026-11-25 10:00 | active incident: checkout is down
2026-11-25 09:00 staging | open
2026-11-25 18:00 staging | after 18:00
2026-11-21 12:00 staging | Saturday
2026-04-29 12:00 staging | open
"""

# "Deployment window scheduled (Tue-Thu, 10 AM-2 PM)", and nothing else: neither holidays nor freezes.
MAISHAPOA = """
2026-11-24 00:00 | before 10:00
2026-11-24 09:59 | before 10:00
2026-11-24 10:00 | open
2026-11-25 12:00 | open
2026-11-26 13:59 | open
2026-11-26 14:00 | after 14:00
2026-11-26 23:59 | after 14:00
2026-11-27 12:00 | Friday
2026-11-28 12:00 | Saturday
2026-11-29 12:00 | Sunday
2026-11-23 12:00 | Monday
2026-01-01 12:00 | open
2026-12-24 13:00 | open
2028-02-29 12:00 | open
2026-03-31 12:00 | open
2026-11-29 03:00 staging | open
"""

# "Tuesday-Thursday, 10am-4pm EST (avoid Mondays and Fridays)", "No deployments during major holidays or company
# events", "No active incidents in production".
PETFORCE = """
2026-11-24 05:59 | before 10:00
2026-11-19 10:00 | open
2026-11-19 15:59 | open
2026-11-19 16:00 | after 16:00
2026-07-07T13:59Z | before 10:00
2026-07-07T14:00Z | open
2026-11-17T14:59Z | before 10:00
2026-11-17T15:00Z | open
2026-11-03 10:00 | open
2026-11-16 12:00 | Monday
2026-11-20 12:00 | Friday
2026-11-21 12:00 | Saturday
2026-11-11 12:00 | major holiday: Veterans Day
2025-11-27 12:00 | major holiday: Thanksgiving Day
2026-01-01 12:00 | major holiday: New Year's Day
2025-12-31 12:00 | open
2026-09-15 12:00 | company event: Offsite
2026-09-16 15:59 | company event: Offsite
2026-09-17 10:00 | open
2026-11-24T10:59Z | before 10:00
2026-12-02 12:00 | active incident: checkout is down
2026-11-22 03:00 staging | open
"""

# "Best times: Tuesday-Thursday, 10am-4pm", "Avoid: Friday afternoon, weekends, holidays, high traffic periods".
SERVICES_DO = """
2026-11-24 09:59 | before 10:00
2026-11-24 10:00 | open
2026-11-25 12:00 | open
2026-12-03 15:59 | open
2026-12-03 16:00 | after 16:00
2026-11-23 12:00 | Monday
2026-11-20 11:00 | Friday
2026-11-20 16:55 | Friday afternoon
2026-11-21 12:00 | weekend
2026-11-22 23:59 | weekend
2026-11-26 12:00 | holiday: Thanksgiving Day
2025-11-11 12:00 | holiday: Veterans Day
2026-12-25 11:00 | holiday: Christmas Day and Friday
2026-05-05 14:59 | open
2026-05-05 15:30 | high traffic period: Launch day
2026-05-05 20:59 | high traffic period: Launch day and after 16:00
2026-05-06 10:00 | open
2026-11-21 03:00 staging | open
"""

QUESTIONS = [
    pytest.param(name, *map(str.strip, line.split("|")), id=f"{name} {line}")
    for name, table in zip(NAMES, (AZORA, CA_MARKETPLACE, MAISHAPOA, PETFORCE, SERVICES_DO), strict=True)
    for line in table.strip().splitlines()
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The five pairs, with an event in each calendar."""
    folder = tmp_path_factory.mktemp("documents")
    for file in SHIPPED.iterdir():
        if file.suffix in (".md", ".yaml"):
            shutil.copy(file, folder)
    for name, event in EVENTS.items():
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", *event.split("|"), "END:VEVENT", "END:VCALENDAR", ""]
        (folder / name).write_bytes("\r\n".join(lines).encode())
    return folder


@pytest.fixture(scope="module")
def loaded(folder: Path) -> dict[str, Loaded]:
    return {name: load(name, (folder,)) for name in NAMES}


@pytest.mark.parametrize(("name", "question", "answer"), QUESTIONS)
async def test_the_document_s_answer(
    loaded: dict[str, Loaded], folder: Path, name: str, question: str, answer: str
) -> None:
    policy = loaded[name].policy
    when, environment = (
        question.removesuffix(" staging"),
        "staging" if question.endswith(" staging") else "production",
    )
    at = moment_of(when, INCIDENT.at, find_zone(policy.timezone))
    busy, unreadable = await Gate(FreezeSources(folder)).read_calendars(policy, environment, at)
    if any(freeze.incidents for freeze in to_be_read(policy, environment)):
        busy += open_incidents([INCIDENT], service=policy.service or name)
    found = opening(rules_for(policy, environment), at, busy=busy, unreadable=unreadable)
    assert (say_reasons(found) or "open") == answer
    assert found.open == (answer == "open")


def test_every_document_has_its_questions() -> None:
    asked = [str(question.values[0]) for question in QUESTIONS]
    assert all(asked.count(name) >= 15 for name in NAMES)
