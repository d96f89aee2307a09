"""A small shop in several states, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.domain import events as e
from bot.domain import moves
from bot.domain.errors import Refused
from tests.domain.runs import ANN, Course, plan

SHOP = """
# Before
- [ ] tests
- [ ] review
- [ ] changelog (optional)
- [ ] sign-off
# Deploy
- [ ] switch
# After
- [ ] look
# Back
- [ ] switch back
# Later
- [ ] post-mortem
"""
POLICY = """
phases: {Deploy: {deployed: true}, After: {opens: T+5m}, Later: {opens: T+1d}}
items: {sign-off: {role: qa}}
watch:
  - {at: T+30m, probes: [health], phase: After, then: announce succeeded}
  - {at: T+2h, probes: [health], then: announce stable}
"""


def shop(yaml: str = POLICY, text: str = SHOP) -> Course:
    return Course(plan(text, yaml, Back="rollback", Later="follow-up"))


def refused(course: Course, move: Callable[..., list[e.Event]], *args: str | int, who: object = ANN) -> Refused:
    """The refusal of a move; nothing was changed by it."""
    events, state = list(course.events), course.state
    with pytest.raises(Refused) as refusal:
        move(course.plan, course.state, *args, who, course.now)
    assert (course.events, course.state) == (events, state)
    return refusal.value


def ready() -> Course:
    """Before T0, all phases before it complete."""
    course = shop()
    course.tick("tests", "review", "sign-off")
    course.do(moves.advance)
    return course


def live() -> Course:
    course = ready()
    course.do(moves.deployed)
    return course
