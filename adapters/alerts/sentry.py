"""Sentry's webhooks of an internal integration: issue alerts, metric alerts and issues (reference: integration
platform, webhooks). Other resources are taken and nothing is done with them.

An issue alert and the issue itself are the same alert here: resolving or archiving the issue clears it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field
from starlette.datastructures import Headers

from adapters.alerts.words import NAME, SEVERITY, SUMMARY, Line, Told, cut, instant, key_of, link_of
from bot.domain.alerts import Signal

_PROJECT = re.compile(r"/projects/[^/]+/([^/]+)/")

Id = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]


class _Event(Told):
    issue_id: Id
    title: Line = ""
    level: Line = ""
    at: datetime | None = Field(default=None, alias="datetime")
    url: Line = ""
    web_url: Line = ""


class _EventData(Told):
    event: _Event
    triggered_rule: Line = ""


class _EventAlert(Told):
    data: _EventData


class _Rule(Told):
    name: Line = ""


class _Incident(Told):
    id: Id
    title: Line = ""
    projects: tuple[str, ...] = ()
    date_started: datetime | None = None
    date_closed: datetime | None = None
    alert_rule: _Rule = _Rule()


class _MetricData(Told):
    metric_alert: _Incident
    description_title: Line = ""
    description_text: Line = ""
    web_url: Line = ""


class _MetricAlert(Told):
    action: str
    data: _MetricData


class _Project(Told):
    slug: str


class _Issue(Told):
    id: Id
    title: Line = ""
    culprit: Line = ""
    level: Line = ""
    project: _Project
    web_url: Line = ""
    permalink: Line = ""
    first_seen: datetime | None = Field(default=None, alias="firstSeen")
    last_seen: datetime | None = Field(default=None, alias="lastSeen")


class _IssueData(Told):
    issue: _Issue


class _IssueChange(Told):
    action: str
    data: _IssueData


def read(body: bytes, headers: Headers) -> list[Signal]:
    """The alert, if the resource is one of the three and tells of one. Raises ValidationError."""
    found: Signal | None = None
    match headers.get("sentry-hook-resource", ""):
        case "event_alert":
            found = _event(_EventAlert.model_validate_json(body).data)
        case "metric_alert":
            found = _metric(_MetricAlert.model_validate_json(body))
        case "issue":
            found = _issue(_IssueChange.model_validate_json(body))
    return [found] if found is not None else []


def _event(data: _EventData) -> Signal:
    event = data.event
    project = _PROJECT.search(event.url)
    return Signal(
        source="sentry",
        fingerprint=key_of(f"issue:{event.issue_id}"),
        firing=True,
        name=cut(event.title or "an issue without a title", NAME),
        severity=cut(event.level, SEVERITY),
        summary=cut(data.triggered_rule, SUMMARY),
        link=link_of(event.web_url),
        since=instant(event.at),
        projects=frozenset([project[1]] if project else []),
    )


def _metric(told: _MetricAlert) -> Signal | None:
    if told.action not in ("critical", "warning", "resolved"):
        return None
    data, incident = told.data, told.data.metric_alert
    return Signal(
        source="sentry",
        fingerprint=key_of(f"metric:{incident.id}"),
        firing=told.action != "resolved",
        name=cut(incident.alert_rule.name or data.description_title or incident.title or "a metric alert", NAME),
        severity="" if told.action == "resolved" else told.action,
        summary=cut(data.description_text.replace("\\n", " "), SUMMARY),
        link=link_of(data.web_url),
        since=instant(incident.date_started),
        ended=instant(incident.date_closed),
        projects=frozenset(incident.projects),
    )


def _issue(told: _IssueChange) -> Signal | None:
    if told.action not in ("created", "unresolved", "resolved", "archived", "ignored"):
        return None
    issue = told.data.issue
    firing = told.action in ("created", "unresolved")
    since = issue.first_seen if told.action == "created" else issue.last_seen
    return Signal(
        source="sentry",
        fingerprint=key_of(f"issue:{issue.id}"),
        firing=firing,
        name=cut(issue.title or "an issue without a title", NAME),
        severity=cut(issue.level, SEVERITY),
        summary=cut(issue.culprit, SUMMARY),
        link=link_of(issue.web_url, issue.permalink),
        since=instant(since) if firing else None,
        projects=frozenset({issue.project.slug}),
    )
