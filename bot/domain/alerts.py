"""Alerts that come in: whose they are, what is news, and what they add up to. Pure.

An alert is known by its source and fingerprint. Each stretch in which it fires, short silences included, has one
message in the channel; the card counts what fires now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.alert_facts import AlertCleared, AlertRaised, Source
from bot.domain.issue import Issue, following
from bot.domain.people import GONOGO
from bot.domain.watch_facts import Verdict
from checklists.matchers import all_fit, parse_matchers
from checklists.policy import AlertPolicy, Policy

AGAIN = timedelta(minutes=30)
"""What fires again sooner than this after it cleared goes on with its old message: it calls nobody anew."""
MOST = 20
"""As many alerts of a deployment have a message of their own; the others are only counted."""
KEPT_FREE = 5
"""Of these places, so many are for alerts that call somebody."""
KNOWN = 200
"""As many different alerts of a deployment are kept at all: beyond that it is the monitoring that needs somebody."""
_CALLS = frozenset({"critical", "page", "p1", "fatal"})


@dataclass(frozen=True, slots=True)
class Signal:
    """One alert as a monitoring system tells it, attached to nothing yet. Texts are plain, cut and on one line."""

    source: Source
    fingerprint: str
    firing: bool
    name: str = ""
    severity: str = ""
    summary: str = ""
    link: str = ""
    since: datetime | None = None
    """When it began to fire; None: the sender does not say."""
    ended: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    """Alertmanager's."""
    tags: frozenset[str] = frozenset()
    """Datadog's, in small letters."""
    projects: frozenset[str] = frozenset()
    """Sentry's, by slug."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One stretch of an alert."""

    first: AlertRaised
    latest: AlertRaised
    number: int = 1
    """Which stretch of this alert, from 1."""
    times: int = 1
    """How often it was raised in this stretch."""
    cleared: AlertCleared | None = None
    shown: bool = True
    """It has a message of its own."""
    worse: bool = False
    """It became one that calls somebody: the next stretch tells it."""

    @property
    def firing(self) -> bool:
        """Whether it fires now."""
        return self.cleared is None and not self.worse

    @property
    def calls(self) -> bool:
        """Whether somebody is to look at once."""
        return calls(self.latest.severity)

    @property
    def since(self) -> datetime:
        """When it began; never later than we heard of it, whatever the sender's clock says."""
        return min(self.first.since, self.first.at)

    @property
    def ended(self) -> datetime | None:
        """When it ended, by the same rule; never before it began."""
        return max(self.since, min(self.cleared.ended, self.cleared.at)) if self.cleared is not None else None

    @property
    def id(self) -> str:
        """What its message is known by: made of letters and digits, whatever the sender's fingerprint is made of."""
        said = f"{self.first.source}\0{self.first.fingerprint}".encode()
        return f"{hashlib.sha256(said).hexdigest()[:12]}.{self.number}"


Alerts = dict[tuple[str, str], tuple[Alert, ...]]
"""Source and fingerprint -> its stretches, in order."""


def calls(severity: str) -> bool:
    """Whether an alert of this severity calls somebody: `critical`, `page`, `P1`, `fatal`."""
    return severity.strip().casefold() in _CALLS


def belongs(policy: Policy, environment: str, signal: Signal) -> bool:
    """Whether the policy says that this alert is of its service in this environment."""
    return any(
        entry.source == signal.source and environment in entry.environments and _meant(entry, signal)
        for entry in policy.alerts
    )


def _meant(entry: AlertPolicy, signal: Signal) -> bool:
    if entry.source == "alertmanager":
        return all_fit(parse_matchers(entry.matching), signal.labels)
    if entry.source == "datadog":
        return entry.tags <= signal.tags
    return entry.matching in signal.projects


def news(alerts: Mapping[tuple[str, str], tuple[Alert, ...]], signals: Iterable[Signal], now: datetime, *, takes: bool
) -> list[AlertRaised | AlertCleared]:  # fmt: skip
    """What these signals say that is not known. A repeat, also a late one, says nothing; with `takes` False new alerts
    are not taken, and only what is known can clear."""
    seen: Alerts = dict(alerts)
    facts: list[AlertRaised | AlertCleared] = []
    for signal in signals:
        last = seen.get((signal.source, signal.fingerprint), (None,))[-1]
        if last is None and len(seen) >= KNOWN:
            continue
        fact = _raised(last, signal, now) if signal.firing and takes else _cleared(last, signal, now)
        if fact is not None:
            note(seen, fact)
            facts.append(fact)
    return facts


def _raised(last: Alert | None, signal: Signal, now: datetime) -> AlertRaised | None:
    since = signal.since or now
    if last is not None:
        rises = last.firing and calls(signal.severity) and not last.calls
        if (last.firing or since <= last.latest.since) and not rises:
            return None
    return AlertRaised(
        at=now, by=GONOGO, source=signal.source, fingerprint=signal.fingerprint, name=signal.name,
        severity=signal.severity, summary=signal.summary, link=signal.link, since=since,
    )  # fmt: skip


def _cleared(last: Alert | None, signal: Signal, now: datetime) -> AlertCleared | None:
    if signal.firing or last is None or not last.firing:
        return None
    # Datadog says when it ended only; of what fires for the first time no earlier end can be told.
    told = signal.since or (signal.ended if last.number > 1 or last.times > 1 else None)
    if told is not None and told < last.latest.since:
        return None  # the end of an earlier time, told late
    return AlertCleared(
        at=now, by=GONOGO, source=signal.source, fingerprint=signal.fingerprint, ended=signal.ended or now
    )


def note(alerts: Alerts, fact: AlertRaised | AlertCleared) -> None:
    """Add a fact to what is known."""
    key = (fact.source, fact.fingerprint)
    stretches = alerts.get(key, ())
    last = stretches[-1] if stretches else None
    if isinstance(fact, AlertCleared):
        if last is not None:
            alerts[key] = (*stretches[:-1], replace(last, cleared=fact))
        return
    if last is not None and last.firing:
        stretches, last = (*stretches[:-1], replace(last, worse=True)), None
    if last is not None and last.cleared is not None and fact.at - last.cleared.at <= AGAIN:
        again = replace(last, latest=fact, cleared=None, times=last.times + 1)
        alerts[key] = (*stretches[:-1], again)
        return
    alerts[key] = (*stretches, Alert(fact, fact, number=len(stretches) + 1, shown=_room(alerts, fact)))


def heard(alerts: Alerts, fact: AlertRaised | AlertCleared, t0: datetime | None, issue: Issue | None) -> Issue | None:
    """Add a fact to what is known; the newest issue after it. An alarm is one, as a check that fails is."""
    key = (fact.source, fact.fingerprint)
    before = alerts.get(key, (None,))[-1]
    note(alerts, fact)
    now = alerts.get(key, (None,))[-1]
    was, alarmed = _alarming(before, t0), _alarming(now, t0)
    if alarmed and not (was and before is not None and now is not None and before.id == now.id):
        return following(issue, Verdict.FAILING, fact.at)
    return following(issue, Verdict.HEALTHY, fact.at) if was and not alarmed and not alarms(alerts, t0) else issue


def _room(alerts: Alerts, fact: AlertRaised) -> bool:
    places = MOST if calls(fact.severity) else MOST - KEPT_FREE
    taken = 0
    for stretches in alerts.values():
        taken += sum(alert.shown for alert in stretches)
        if taken >= places:
            return False
    return True


def every(alerts: Mapping[tuple[str, str], tuple[Alert, ...]]) -> list[Alert]:
    """Every stretch, in the order in which they began."""
    found = [alert for stretches in alerts.values() for alert in stretches]
    return sorted(found, key=lambda alert: (alert.first.at, alert.id))


def firing(alerts: Mapping[tuple[str, str], tuple[Alert, ...]]) -> list[Alert]:
    """What fires now: what calls somebody first, then by age."""
    found = [stretches[-1] for stretches in alerts.values() if stretches[-1].firing]
    return sorted(found, key=lambda alert: (not alert.calls, alert.since, alert.id))


def alarms(alerts: Mapping[tuple[str, str], tuple[Alert, ...]], t0: datetime | None) -> list[Alert]:
    """What fires now, calls somebody, and was raised after T0: an issue of the deployment, like a check that fails."""
    return [alert for alert in firing(alerts) if _alarming(alert, t0)]


def _alarming(alert: Alert | None, t0: datetime | None) -> bool:
    if alert is None or t0 is None or not alert.firing or not alert.calls:
        return False
    # What flapped before T0 and is raised again after it is news: its old message calls nobody.
    return min(alert.latest.since, alert.latest.at) >= t0
