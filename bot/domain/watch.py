"""Between the checks: whether what may lead to a rollback lasts, what then follows, and who is called meanwhile. Pure.

A number beyond its limit in `rollback.alert` is looked at every minute until it is within it again or has lasted as
long as the document says. What cannot be measured neither ends it nor counts for it: unknown is never a reason to roll
back by itself, and never a reason to stop looking.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import events as e
from bot.domain import workflows
from bot.domain.alerts import alarms
from bot.domain.deployment import Deployment, Run, Status, measures_nothing
from bot.domain.errors import Code, Refused
from bot.domain.measured import instant_of
from bot.domain.people import GONOGO, Who, may
from checklists.plan import Check, Plan
from checklists.policy import Announcement
from checklists.quantities import say_value

LOOK_EVERY = timedelta(minutes=1)
GRACE = timedelta(minutes=1)
"""How long before a rollback by itself it is said, so that somebody can stop it; at most half of what must last."""
WATCH_RECOVERY = timedelta(hours=2)
"""So long after a rollback began it is looked whether the old version is well."""
WORKFLOW_LASTS = timedelta(minutes=15)
"""So long the end of a rollback's workflow is waited for, as nobody may tell of it."""
_LIVE = (Status.DEPLOYED, Status.SUCCEEDED)


@dataclass(frozen=True, slots=True)
class Breach:
    """Something is beyond its limit: since when, when that was last seen, when anybody last looked, and what it was."""

    since: datetime
    seen: datetime
    looked: datetime
    judged: tuple[e.Judged, ...]

    @property
    def lasted(self) -> timedelta:
        """For how long it is known to have been so."""
        return self.seen - self.since


def breach_in(plan: Plan, judged: Iterable[e.Judged]) -> bool | None:
    """Whether one of the measures of `rollback.alert` is beyond its limit; None where that cannot be told."""
    limits = plan.policy.rollback.alert
    known: list[bool] = []
    unknown = not limits
    by_name = {one.measurement.name: one.measurement for one in judged}
    for name, band in limits.items():
        found = by_name.get(name)
        fits = found is not None and found.outcome is e.Outcome.MEASURED and found.dimension == band.dimension
        if found is None or not fits or found.value is None:
            unknown = True
        else:
            known.append(band.holds(found.value))
    if any(known):
        return True
    return None if unknown else False


def breach(plan: Plan, state: Deployment) -> Breach | None:
    """The breach that lasts now, if there is one. A decision to go on in spite of it ends it."""
    *_, last = [None, *_breaches(plan, state)]
    return last


def breaches(plan: Plan, state: Deployment) -> list[Breach]:
    """Every breach there was, in order, each as it was last known."""
    known = {one.since: one for one in _breaches(plan, state) if one is not None}
    return list(known.values())


def _breaches(plan: Plan, state: Deployment) -> Iterator[Breach | None]:
    """What was known after each look, in the order of their instants."""
    looks = [(seen.at, seen.breach, seen.judged) for seen in state.watched]
    tries = (one for by_due in state.tries.values() for tried in by_due.values() for one in tried)
    limits = plan.policy.rollback.alert
    looks += [(instant_of(plan, one, limits), breach_in(plan, one.judged), one.judged) for one in tries]
    for runs in state.runs.values():
        for run in runs.values():
            told = False if run.accepted is not None else breach_in(plan, run.result.judged)
            at = run.accepted.at if run.accepted is not None else instant_of(plan, run.result, limits)
            looks.append((at, told, run.result.judged))
    found: Breach | None = None
    for at, told, judged in sorted(looks, key=lambda look: look[0]):
        if told:
            found = Breach(found.since if found is not None else at, at, at, judged)
        elif told is False:
            found = None
        elif found is not None:
            found = Breach(found.since, found.seen, at, found.judged)
        yield found


def unwell(plan: Plan, state: Deployment) -> bool:
    """Whether the newest measurements are not healthy, and nobody has decided to go on nevertheless."""
    return any(not run.passed for run in newest(plan, state))


def newest(plan: Plan, state: Deployment) -> list[Run]:
    """What was measured last: the runs of the latest due time, of all checks that measure anything."""
    runs = {
        (check.id, due): run
        for check in plan.checks
        if not measures_nothing(check)
        for due, run in state.runs.get(check.id, {}).items()
    }
    latest = max((due for _, due in runs), default=None)
    return [run for (_, due), run in runs.items() if due == latest]


def time_to_recover(state: Deployment) -> timedelta | None:
    """From the first failing check of the newest issue until all was well again: a check was healthy, the probes found
    the old version well, or people said that it is back. None without an issue, or while it lasts."""
    if state.issue is None:
        return None
    ends = [state.issue.well, state.recovered.at if state.recovered else None]
    if not any(ends) and state.rolled_back is not None:
        ends = [state.rolled_back.at]
    over = [at for at in ends if at is not None and at >= state.issue.since]
    return min(over) - state.issue.since if over else None


def grace(plan: Plan) -> timedelta:
    """How long before the rollback it is said."""
    lasting = plan.policy.rollback.lasting or timedelta(0)
    return min(GRACE, lasting / 2)


def due(plan: Plan, state: Deployment) -> dict[str, datetime]:
    """When to look, and when to call the next one, by key."""
    found: dict[str, datetime] = {}
    policy = plan.policy
    if state.status in _LIVE:
        if policy.rollback.lasting is not None and state.stopped is None and (now := breach(plan, state)) is not None:
            at = now.looked + LOOK_EVERY
            # It is looked when it is next decided, too: looks that come a moment late must not cost another interval.
            decided = now.since + policy.rollback.lasting - grace(plan)
            if state.proposed is not None:
                decided = state.proposed.stops_at
            if now.looked < decided:
                at = min(at, decided)
            if now.lasted < policy.rollback.lasting or policy.rollback.mode == "automatic":
                found[f"breach:{at.isoformat()}"] = at
        level = len(state.escalated) + 1
        if (calls := _calls_at(plan, state, level)) is not None:
            # Each issue is escalated anew, by keys of its own: what is done stays done.
            said = state.announced[Announcement.ISSUE].number
            found[f"escalate:{level}" + (f":{said}" if said > 1 else "")] = calls
    if state.status is Status.ROLLING_BACK and state.rollback is not None and state.recovered is None:
        looked = max((seen.at for seen in state.watched), default=state.rollback.at)
        at = max(looked, state.rollback.at) + LOOK_EVERY
        if recovery_check(plan) is not None and at <= state.rollback.at + WATCH_RECOVERY:
            found[f"recovery:{at.isoformat()}"] = at
    return found


def recovery_check(plan: Plan) -> Check | None:
    """The check that tells whether the old version is well: the first single one that measures anything."""
    measured = [check for check in plan.checks if check.probes or check.measure]
    return next((check for check in measured if not check.series), measured[0] if measured else None)


def follows(plan: Plan, state: Deployment, now: datetime) -> list[e.Event]:
    """What follows by itself: a rollback is proposed, begins, or is no longer needed; the old version is back."""
    rollback = plan.policy.rollback
    if state.status is Status.ROLLING_BACK:
        ours = state.rollback is not None and state.rollback.by.is_gonogo
        ran = workflows.standing(state, "rollback")
        failed = ran is not None and ran.ended is not None and ran.ended.conclusion != "success"
        if ours and state.recovered is not None and not failed:
            return [e.RolledBack(at=now, by=GONOGO, status="System stable")]
        return []
    if state.status not in _LIVE or rollback.mode != "automatic" or rollback.lasting is None:
        return []
    lasts = breach(plan, state)
    if state.proposed is not None:
        if lasts is None:
            return [e.RollbackStopped(at=now, by=GONOGO, reason="it is within its limits again")]
        if lasts.seen < state.proposed.stops_at:
            return []
        proposed = state.proposed
        begun: list[e.Event] = [
            e.RollbackStarted(at=now, by=GONOGO, to_version=proposed.to_version, reason=_reason(plan, lasts))
        ]
        return [*begun, *(e.PhaseOpened(at=now, by=GONOGO, phase=step.id) for step in plan.rollback)]
    if lasts is None or state.stopped is not None or lasts.lasted < rollback.lasting - grace(plan):
        return []
    return [
        e.RollbackProposed(
            at=now,
            by=GONOGO,
            to_version=state.started.previous_version or "",
            reason=_reason(plan, lasts),
            stops_at=max(lasts.since + rollback.lasting, lasts.seen + grace(plan)),
        )
    ]


def look(plan: Plan, state: Deployment, due_at: datetime, judged: tuple[e.Judged, ...], now: datetime) -> list[e.Event]:
    """A look between two checks has been taken, if it is still wanted."""
    if f"breach:{due_at.isoformat()}" not in due(plan, state):
        return []
    return [e.Watched(at=now, by=GONOGO, due=due_at, breach=breach_in(plan, judged), judged=judged)]


def look_back(
    plan: Plan, state: Deployment, due_at: datetime, judged: tuple[e.Judged, ...], *, healthy: bool, now: datetime
) -> list[e.Event]:
    """While rolling back: what the probes say of the version that serves.

    What is well while the rollback's workflow is still to run, or runs, may be the new version on a good minute: that
    is no recovery yet. Where no workflow tells that it has ended well, what is well must last as long as what is bad
    must, to roll back by itself (`rollback.lasting`).
    """
    if f"recovery:{due_at.isoformat()}" not in due(plan, state):
        return []
    seen: list[e.Event] = [e.Watched(at=now, by=GONOGO, due=due_at, breach=breach_in(plan, judged), judged=judged)]
    if not healthy or _workflow_under_way(plan, state, now):
        return seen
    lasted = now - (well_since(state) or now)
    if not _workflow_succeeded(state) and lasted < (plan.policy.rollback.lasting or timedelta(0)):
        return seen
    return [*seen, e.Recovered(at=now, by=GONOGO, judged=judged)]


def _workflow_under_way(plan: Plan, state: Deployment, now: datetime) -> bool:
    """Whether the rollback's workflow is to be started by itself, or has been and its end is not known."""
    ran = workflows.standing(state, "rollback")
    if ran is None:
        return workflows.automatic(plan, state)
    return ran.open and now < ran.asked.at + WORKFLOW_LASTS


def _workflow_succeeded(state: Deployment) -> bool:
    ran = workflows.standing(state, "rollback")
    return ran is not None and ran.ended is not None and ran.ended.conclusion == "success"


def well_since(state: Deployment) -> datetime | None:
    """While rolling back: since when every look has been well. None where the last one was not, or there was none."""
    since = None
    for look in reversed(state.watched):
        well = bool(look.judged) and all(one.verdict is e.Verdict.HEALTHY for one in look.judged)
        if not well or state.rollback is None or look.at < state.rollback.at:
            break
        since = look.at
    return since


def escalate(plan: Plan, state: Deployment, key: str, now: datetime) -> list[e.Event]:
    """Nobody has acknowledged in time: call the next role, if that is still needed. `key` is the deadline's."""
    if key not in due(plan, state):
        return []
    level = len(state.escalated) + 1
    return [e.Escalated(at=now, by=GONOGO, role=plan.policy.escalation[level], level=level)]


def acknowledge(plan: Plan, state: Deployment, who: Who, now: datetime) -> list[e.Event]:
    """Somebody looks after it: nobody further is called."""
    if Announcement.ISSUE not in state.announced:
        raise Refused(Code.NO_ISSUE)
    if state.acknowledged is not None:
        return []
    if state.status.ended:
        raise Refused(Code.ENDED, at=state.ended_at)
    return [e.Acknowledged(at=now, by=who)]


def stop_rollback(plan: Plan, state: Deployment, reason: str, who: Who, now: datetime) -> list[e.Event]:
    """Stop the rollback that is to come by itself, with a reason; from then on only people roll back."""
    if not may(plan.policy, "rollback", who):
        raise Refused(Code.NOT_ENTITLED, roles=plan.policy.may.get("rollback", ()))
    if state.status is Status.ROLLING_BACK:
        begun = state.rollback
        raise Refused(Code.ROLLING_BACK, by=begun.by.name if begun else "", at=begun.at if begun else None)
    if state.status.ended:
        raise Refused(Code.ENDED, at=state.ended_at)
    if state.proposed is None:
        stopped = state.stopped
        raise Refused(Code.NO_ROLLBACK_COMES, by=stopped.by.name if stopped else "", at=stopped.at if stopped else None)
    if not reason.strip():
        raise Refused(Code.REASON_NEEDED)
    return [e.RollbackStopped(at=now, by=who, reason=reason.strip())]


def limit_of(plan: Plan, state: Deployment) -> datetime | None:
    """Until when the document wants it decided: from the first bad result of this stretch, the limit of its severity,
    else of the rollback. A stretch that flaps counts from its beginning. None where nothing is bad now or no limit is a
    duration."""
    bad = _bad_stretch(plan, state)
    if not bad:
        return None
    worst = max(bad, key=lambda result: (result.verdict is e.Verdict.FAILING, result.at))
    row = next((row for row in plan.policy.matrix if row.severity == worst.severity and row.limit is not None), None)
    limit = row.limit if row is not None else None
    if limit is None and worst.verdict is e.Verdict.FAILING:
        limit = plan.policy.rollback.within
    since = min(result.at for result in bad)
    if state.issue is not None and state.issue.well is None:
        since = min(since, state.issue.since)
    return None if limit is None else since + limit


def _bad_stretch(plan: Plan, state: Deployment) -> list[e.CheckRan]:
    """The failing and degraded results since the last that passed, if the newest are among them."""
    runs = sorted(
        (run for check in plan.checks for run in state.runs.get(check.id, {}).values() if not measures_nothing(check)),
        key=lambda run: (run.result.due, not run.passed),
        reverse=True,
    )
    stretch = list(itertools.takewhile(lambda run: not run.passed, runs))
    return [run.result for run in stretch if run.result.verdict in (e.Verdict.FAILING, e.Verdict.DEGRADED)]


def _calls_at(plan: Plan, state: Deployment, level: int) -> datetime | None:
    """When the next role is called, counted from the issue; the first of the escalation was called with it."""
    issue = state.announced.get(Announcement.ISSUE)
    if issue is None or state.acknowledged is not None or level >= len(plan.policy.escalation):
        return None
    if not unwell(plan, state) and not alarms(state.alerts, state.t0):
        return None
    within = plan.policy.acknowledge_within
    limits = [row.limit for row in plan.policy.matrix if row.limit is not None and row.severity == _severity(state)]
    last = state.escalated[-1].at if state.escalated else issue.at
    return last + min([within, *limits])


def _severity(state: Deployment) -> str:
    results = [run.result for runs in state.runs.values() for run in runs.values() if not run.passed]
    return max(results, key=lambda result: result.at).severity if results else ""


def _reason(plan: Plan, lasts: Breach) -> str:
    limits, probes = plan.policy.rollback.alert, plan.policy.probes
    beyond = []
    for found in (one.measurement for one in lasts.judged):
        limit = limits.get(found.name)
        if limit is not None and found.value is not None and limit.holds(found.value):
            probe = probes.get(found.name)
            name = (probe.say if probe is not None else None) or found.name.replace("_", " ")
            beyond.append(f"{name} {say_value(found.value, found.dimension)} (limit {limit.words})")
    seconds = int(lasts.lasted.total_seconds())
    return f"{', '.join(beyond)} for {f'{seconds // 60} min' if seconds >= 60 else f'{seconds} s'}"
