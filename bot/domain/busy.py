"""What closes a calendar, as data: spans in which nothing is deployed, the closed list of causes, an unread source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Code(StrEnum):
    """Why it is closed. The list is closed: gates and tests name these."""

    WINDOW = "window"
    """Outside every window of the environment."""
    FREEZE = "freeze"
    HOLIDAY = "holiday"
    MONTH_END = "month_end"
    QUARTER_END = "quarter_end"
    CALENDAR = "calendar"
    """An event of a calendar."""
    INCIDENT = "incident"
    LOCK = "lock"
    """Somebody has the service just now: a deployment that runs, or a lock."""
    UNKNOWN = "unknown"
    """A source could not be read, and the policy says that this blocks."""


@dataclass(frozen=True, slots=True)
class Busy:
    """A span [start, end) of instants, UTC, in which nothing is deployed. `end` None is until further notice.

    `what` is read by people ("Black Friday campaign"); `source` is where it comes from: a file, `/deploy freeze`, an
    incident's name.
    """

    start: datetime
    end: datetime | None
    what: str
    source: str
    code: Code | str = Code.CALENDAR


class Unreadable(Exception):
    """A calendar or another source of freezes could not be read. `why` is a sentence for people."""

    def __init__(self, source: str, why: str) -> None:
        super().__init__(f"{source}: {why}")
        self.source = source
        self.why = why
