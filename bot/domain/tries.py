"""How often a check is asked until its result stands. Failing, inconclusive and in error are three things, and each
has a number of its own in the policy. Pure.

Healthy and degraded stand at once. Any other result stands when there are as many of its kind as the policy says; each
kind counts by itself, as what is unknown in between neither proves nor disproves what was seen. So nothing is asked
more often than `most_tries`, and missing evidence never turns into healthy by being asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from bot.domain.measured import measured_now
from bot.domain.watch_facts import CheckRan, CheckTried, Judged, Outcome, Verdict
from checklists.plan import Check, Plan

_NOT_ASKED = frozenset({Outcome.ERROR, Outcome.REFUSED})


class Kind(StrEnum):
    """Results that one repetition may change. The words are those that people read."""

    FAILING = "failing"
    INCONCLUSIVE = "inconclusive"
    """For want of data, or of evidence."""
    ERROR = "could not be asked"
    """Every measure that is unknown ended in an error or a refusal."""


def kind_of(verdict: Verdict, judged: Iterable[Judged]) -> Kind | None:
    """What a result counts as; None for one that stands at once."""
    if verdict is Verdict.FAILING:
        return Kind.FAILING
    if verdict is not Verdict.INCONCLUSIVE:
        return None
    unknown = [one.measurement.outcome for one in judged if one.verdict is Verdict.INCONCLUSIVE]
    return Kind.ERROR if unknown and _NOT_ASKED.issuperset(unknown) else Kind.INCONCLUSIVE


def needed(check: Check, kind: Kind) -> int:
    """How many results of a kind decide."""
    return {Kind.FAILING: check.failures, Kind.INCONCLUSIVE: check.inconclusive, Kind.ERROR: check.errors}[kind]


def most_tries(check: Check) -> int:
    """How often one due time of a check is asked at most: all kinds but one short by one, and then one more."""
    return check.failures + check.inconclusive + check.errors - 2


def counted(before: Sequence[CheckTried], kind: Kind) -> int:
    """How many of these tries are of a kind."""
    return sum(kind_of(tried.verdict, tried.judged) is kind for tried in before)


def stands(check: Check, before: Sequence[CheckTried], result: CheckRan) -> bool:
    """Whether a result decides, after the tries before it. What nothing measures is for people, at once."""
    kind = kind_of(result.verdict, result.judged)
    if kind is None or not (check.probes or check.measure or check.alert or check.minimum):
        return True
    return counted(before, kind) + 1 >= needed(check, kind) or len(before) + 1 >= most_tries(check)


def tried(result: CheckRan, number: int) -> CheckTried:
    """A result that does not decide yet, as the `number`-th try (from 1)."""
    return CheckTried(
        at=result.at,
        by=result.by,
        check=result.check,
        due=result.due,
        number=number,
        verdict=result.verdict,
        judged=result.judged,
        late_seconds=result.late_seconds,
        asked=result.speaks_of if result.late_seconds else None,
    )


def try_due(plan: Plan, check: Check, due: datetime, before: Sequence[CheckTried]) -> datetime:
    """When a check that was due at `due` is asked after these tries. Counted from its due time: late tries are made up
    for as of their own times, and slow ones do not push the next. What knows no past is not asked several times at one
    moment for that: from a late try that measured it on, each next one is counted from the last."""
    counted_from_due = due + len(before) * check.again
    if any(measured_now(plan, one) for one in before):
        return max(counted_from_due, before[-1].at + check.again)
    return counted_from_due
