"""An issue: from the first failing check until all is well and stays so. It is announced once, however it flaps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.watch_facts import Verdict

QUIET = timedelta(minutes=30)
"""What fails again sooner than this after it last failed is the same issue, even if it was healthy in between."""


@dataclass(frozen=True, slots=True)
class Issue:
    """The newest issue of a deployment."""

    number: int
    """From 1."""
    since: datetime
    """When a check first failed."""
    seen: datetime
    """When one last failed."""
    well: datetime | None = None
    """Since when it is well again: a check after the last failing one was healthy, or a person decided to go on."""


def following(issue: Issue | None, verdict: Verdict, at: datetime) -> Issue | None:
    """The newest issue after a check was found so. Degraded and inconclusive neither begin nor end one."""
    if verdict is Verdict.FAILING:
        if issue is None or (issue.well is not None and at - issue.seen > QUIET):
            return Issue(issue.number + 1 if issue is not None else 1, at, at)
        return replace(issue, seen=at, well=None)
    if verdict is Verdict.HEALTHY and issue is not None and issue.well is None:
        return replace(issue, well=at)
    return issue
