"""What the monitoring systems send, letter for letter as they do."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "not-a-real-alerts-token"
SECRET = "not-a-real-client-secret"
BEARER = {"Authorization": f"Bearer {TOKEN}"}

# Written by Alertmanager 0.25 for a group of one alert.
_ALERTMANAGER: dict[str, Any] = {
    "receiver": "gonogo",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {
                "alertname": "HighErrorRate", "namespace": "production", "service": "api", "severity": "critical",
            },
            "annotations": {"summary": "5xx above 5 %", "runbook_url": "https://runbooks.azora.io/errors"},
            "startsAt": "2026-11-24T10:04:00.000Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.azora.io/graph?g0.expr=rate%3E0.05&g0.tab=1",
            "fingerprint": "9b6a3f9d2f0c1a44",
        }
    ],
    "groupLabels": {"alertname": "HighErrorRate"},
    "commonLabels": {"alertname": "HighErrorRate", "namespace": "production", "service": "api", "severity": "critical"},
    "commonAnnotations": {"summary": "5xx above 5 %"},
    "externalURL": "http://alertmanager.azora.io",
    "version": "4",
    "groupKey": '{}:{alertname="HighErrorRate"}',
    "truncatedAlerts": 0,
}  # fmt: skip


def alertmanager(
    *, at: str = "", ended: str = "", name: str = "", severity: str = "", fingerprint: str = "", **labels: str
) -> dict[str, Any]:
    """A group of one alert, firing, or resolved where it has `ended`."""
    body = copy.deepcopy(_ALERTMANAGER)
    (alert,) = body["alerts"]
    given = {"alertname": name, "severity": severity, **labels}
    alert["labels"] |= {label: value for label, value in given.items() if value}
    alert["startsAt"] = at or alert["startsAt"]
    alert["fingerprint"] = fingerprint or alert["fingerprint"]
    if ended:
        alert["endsAt"], alert["status"], body["status"] = ended, "resolved", "resolved"
    return body


def datadog(**variables: str) -> dict[str, Any]:
    """The payload of docs/alerts.md with its variables replaced as Datadog does."""
    usual = {
        "ALERT_TRANSITION": "Triggered",
        "ALERT_ID": "1234",
        "AGGREG_KEY": "9bd4ac313a4d1e8fae2482df7b77628",
        "EVENT_TITLE": "[P1] [Triggered on {service:api}] High error rate",
        "TEXT_ONLY_MSG": "5xx above 5 %\nfor 5 minutes",
        "ALERT_PRIORITY": "P1",
        "LINK": "https://app.datadoghq.com/event/jump_to?event_id=123456",
        "TAGS": "monitor,service:api,env:production",
        "DATE": "1795514640000",
    }
    values = usual | variables
    page = (ROOT / "docs/alerts.md").read_text("utf-8")
    template = page.split("## Datadog")[1].split("```json\n")[1].split("```")[0]

    def put(found: re.Match[str]) -> str:
        return json.dumps(values.get(found[1], found[0]))[1:-1]

    body: dict[str, Any] = json.loads(re.sub(r"\$([A-Z_]+)", put, template))
    return body


SENTRY_EVENT = {
    "action": "triggered",
    "installation": {"uuid": "24b7ab03-0f9d-4a3c-a1b0-000000000000"},
    "data": {
        "event": {
            "event_id": "e4874d664c3540c1a32eab185f12c5ab",
            "title": "ReferenceError: heck is not defined",
            "level": "fatal",
            "datetime": "2026-11-24T10:04:00.000000Z",
            "issue_id": "1170820242",
            "issue_url": "https://sentry.io/api/0/issues/1170820242/",
            "project": 1,
            "url": "https://sentry.io/api/0/projects/petforce/petforce-api/events/e4874d664c3540c1a32eab185f12c5ab/",
            "web_url": "https://sentry.io/organizations/petforce/issues/1170820242/events/e4874d664c3540c1a32eab185f12c5ab/",
            "tags": [["level", "fatal"]],
        },
        "triggered_rule": "Very Important Alert Rule!",
    },
    "actor": {"type": "application", "id": "sentry", "name": "Sentry"},
}
SENTRY_METRIC = {
    "action": "critical",
    "data": {
        "metric_alert": {
            "id": "4",
            "identifier": "4",
            "title": "Too many errors",
            "organization_id": "5",
            "projects": ["petforce-api"],
            "status": 1,
            "date_started": "2026-11-24T10:04:00Z",
            "date_closed": None,
            "alert_rule": {"id": "7", "name": "Too many errors", "aggregate": "count()"},
        },
        "description_text": "1000 events in the last 10 minutes\\nFilter: level:error",
        "description_title": "Critical: Too many errors",
        "web_url": "https://sentry.io/organizations/petforce/alerts/4/",
    },
}
SENTRY_ISSUE = {
    "action": "resolved",
    "data": {
        "issue": {
            "id": "1170820242",
            "title": "ReferenceError: heck is not defined",
            "culprit": "?(<anonymous>)",
            "level": "fatal",
            "firstSeen": "2026-11-24T10:04:00.000000Z",
            "lastSeen": "2026-11-24T10:09:00.000000Z",
            "project": {"id": "1", "name": "petforce-api", "slug": "petforce-api", "platform": "node"},
            "permalink": "https://sentry.io/organizations/petforce/issues/1170820242/",
            "status": "resolved",
        }
    },
}


def sentry(resource: str, body: object, secret: str = SECRET) -> tuple[dict[str, str], bytes]:
    """The headers and body of a webhook as Sentry signs it."""
    told = json.dumps(body).encode()
    signature = hmac.new(secret.encode(), told, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "Request-ID": "b2c1",
        "Sentry-Hook-Resource": resource,
        "Sentry-Hook-Timestamp": "1795514640",
        "Sentry-Hook-Signature": signature,
    }, told
