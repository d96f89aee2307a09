"""Alertmanager's webhook, version 4 of its body (reference: Alertmanager configuration, `webhook_config`).

A group's alerts come together, firing and resolved ones, and come again every `repeat_interval`.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Literal

from pydantic import Field
from starlette.datastructures import Headers

from adapters.alerts.words import NAME, SEVERITY, SUMMARY, Line, Told, cut, instant, key_of, link_of
from bot.cards.runs import clean
from bot.domain.alerts import Signal

_SUMMARIES = ("summary", "description", "message")


class _Alert(Told):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, Line] = Field(default_factory=dict)
    starts_at: datetime = Field(alias="startsAt")
    ends_at: datetime | None = Field(default=None, alias="endsAt")
    generator_url: Line = Field(default="", alias="generatorURL")
    fingerprint: Line = ""


class _Group(Told):
    version: Literal["4"]
    alerts: list[_Alert]
    external_url: Line = Field(default="", alias="externalURL")


def read(body: bytes, headers: Headers) -> list[Signal]:
    """The alerts of a group, in their order. Raises ValidationError."""
    group = _Group.model_validate_json(body)
    return [_signal(alert, group.external_url) for alert in group.alerts]


def _signal(alert: _Alert, page: str) -> Signal:
    name, severity = (" ".join(clean(alert.labels.get(label, "")).split()) for label in ("alertname", "severity"))
    said = next((alert.annotations[key] for key in _SUMMARIES if alert.annotations.get(key)), "")
    return Signal(
        source="alertmanager",
        fingerprint=key_of(alert.fingerprint) or _fingerprint(alert.labels),
        firing=alert.status == "firing",
        name=cut(name or "an alert without a name", NAME),
        severity=cut(severity, SEVERITY),
        summary=cut(said, SUMMARY),
        link=link_of(alert.generator_url, page),
        since=instant(alert.starts_at),
        ended=instant(alert.ends_at),
        labels=alert.labels,
    )


def _fingerprint(labels: dict[str, str]) -> str:
    """Alertmanager 0.18 and older send none: the labels are what makes two alerts the same."""
    return hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]
