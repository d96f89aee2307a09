"""Refusals as data: a closed list of codes, and what the sentence needs. The wording is in `bot.cards`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from checklists.plan import Step, Task


class Code(StrEnum):
    """Why something was not done."""

    ENDED = "ended"
    UNKNOWN_ITEM = "unknown_item"
    PHASE_NOT_OPEN = "phase_not_open"
    PHASE_DONE = "phase_done"
    NOT_ENTITLED = "not_entitled"
    MISSING_ITEMS = "missing_items"
    NOT_DEPLOYED = "not_deployed"
    NOT_YET = "not_yet"
    ALREADY_DEPLOYED = "already_deployed"
    NO_MORE_PHASES = "no_more_phases"
    REASON_NEEDED = "reason_needed"
    CANNOT_CANCEL = "cannot_cancel"
    ROLLING_BACK = "rolling_back"
    NOT_ROLLING_BACK = "not_rolling_back"
    UNKNOWN_CHECK = "unknown_check"
    CHECK_SETTLED = "check_settled"
    NO_ISSUE = "no_issue"
    NO_ROLLBACK_COMES = "no_rollback_comes"
    """None was to come by itself, or it was stopped: `by` and `at` say by whom and when."""
    SAME_VERSION = "same_version"
    """The version that is rolled back, where another is asked for."""
    NOTHING_TO_DO = "nothing_to_do"
    WAITS = "waits"
    """It has not been said to go."""
    OWN_APPROVAL = "own_approval"
    NOT_APPROVED = "not_approved"
    NO_APPROVAL_NEEDED = "no_approval_needed"


class Unwell(ValueError):
    """Input nobody can act on. The text is inline Markdown: what was wrong, and what to write instead."""


class Refused(Exception):
    """A rule said no; nothing was changed."""

    def __init__(
        self,
        code: Code,
        *,
        missing: Sequence[Task] = (),
        step: Step | None = None,
        task: Task | None = None,
        roles: Sequence[str] = (),
        by: str = "",
        at: datetime | None = None,
    ) -> None:
        super().__init__(code.value)
        self.code = code
        self.missing = tuple(missing)
        self.step = step
        self.task = task
        self.roles = tuple(roles)
        self.by = by
        self.at = at
