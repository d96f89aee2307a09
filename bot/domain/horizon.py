"""Whether a deployment that starts now will fit: into its window, and its checks into hours in which people are there.

Pure. A concern is no refusal: the person who starts is asked to confirm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal

from bot.domain.calendar import Code, Opening
from checklists.plan import Plan
from checklists.zones import find_zone

NIGHT = (time(22), time(7))
"""From when to when nobody is expected to look, by the clock on the wall of the policy's zone."""
_WEEKEND = (5, 6)


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that will fall badly. `what` is a check's title, empty for the deployment itself; `why` names the
    freeze."""

    code: Literal["late", "night", "weekend", "freeze"]
    what: str
    at: datetime
    why: str = ""


def moments(plan: Plan, start: datetime, planned: datetime | None) -> tuple[datetime, list[tuple[str, datetime]]]:
    """The expected T0, and when each single check falls, at most one of a time."""
    t0 = planned or start + (plan.policy.expected if plan.policy.expected is not None else start - start)
    found: dict[datetime, str] = {}
    for check in plan.checks:
        if not check.series:
            found.setdefault(t0 + check.offsets[0], check.title)
    return t0, [(title, at) for at, title in sorted(found.items())]


def concerns(
    plan: Plan, start: datetime, planned: datetime | None, opening: Opening, at: Callable[[datetime], Opening]
) -> list[Concern]:
    """What will fall badly, in order of time. `opening` is the gate's answer for the start, `at` asks it for later.

    A check by night or on a weekend is no concern where the start itself is: whoever starts then knows. Nor is a freeze
    that the start overrides.
    """
    t0, checks = moments(plan, start, planned)
    found: list[Concern] = []
    closes = opening.next_close
    if planned is None and closes is not None and t0 > closes:
        found.append(Concern("late", "", t0))
    zone = find_zone(plan.policy.timezone)
    begun = (planned or start).astimezone(zone)
    known = {reason.text for reason in opening.reasons}
    for title, when in checks:
        local = when.astimezone(zone)
        frozen = [reason for reason in at(when).reasons if reason.code is not Code.WINDOW and reason.text not in known]
        if frozen:
            found.append(Concern("freeze", title, when, frozen[0].text))
        elif local.weekday() in _WEEKEND and begun.weekday() not in _WEEKEND:
            found.append(Concern("weekend", title, when))
        elif _by_night(local) and not _by_night(begun):
            found.append(Concern("night", title, when))
    return found


def _by_night(local: datetime) -> bool:
    return local.time() >= NIGHT[0] or local.time() < NIGHT[1]
