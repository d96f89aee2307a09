"""Facts about alerts of a monitoring system that came in while a deployment was under way."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from bot.domain.facts import Fact

Source = Literal["alertmanager", "datadog", "sentry"]


class AlertRaised(Fact):
    """An alert of the service fires. `since` is when, by the sender's clock; the texts are the sender's own words."""

    kind: Literal["alert_raised"] = "alert_raised"
    source: Source
    fingerprint: str
    """What the sender calls this alert by: the same each time it fires."""
    name: str
    severity: str = ""
    summary: str = ""
    link: str = ""
    """A web address, or nothing."""
    since: datetime


class AlertCleared(Fact):
    """It fires no longer. `ended` is since when, by the sender's clock."""

    kind: Literal["alert_cleared"] = "alert_cleared"
    source: Source
    fingerprint: str
    ended: datetime
