"""Open incidents of a PagerDuty service (REST API v2, `GET /incidents`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from urllib.parse import urlencode

from pydantic import AwareDatetime, BaseModel, ValidationError

from adapters.calendars.fetch import Fetcher, Wish
from bot.domain.calendar import Busy, Code, Unreadable

FRESH = 60.0
"""Seconds for which an answer counts. An older one says nothing about now, so there is no stale copy."""
API = "https://api.pagerduty.com"
"""Accounts in the EU have https://api.eu.pagerduty.com."""
_LONGEST_TITLE = 300
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """Where and as whom it is asked. Without a token nothing is."""

    token: str = field(default="", repr=False)
    api: str = API


class _Incident(BaseModel):
    title: str
    created_at: AwareDatetime


class _Incidents(BaseModel):
    incidents: list[_Incident]


async def open_incidents(fetcher: Fetcher, account: PagerDuty, service: str, why: str | None) -> list[Busy]:
    """What is triggered or acknowledged, each until further notice, at most five of them: one is enough to close.

    Raises Unreadable, also without a token.
    """
    source = f"PagerDuty service {service}"
    if not account.token:
        raise Unreadable(source, "GONOGO_PAGERDUTY_TOKEN is not set; make a read-only REST API key there")
    query = [
        ("service_ids[]", service), ("statuses[]", "triggered"), ("statuses[]", "acknowledged"),
        # Or those open for longer than a month are left out.
        ("date_range", "all"),
        ("sort_by", "created_at:asc"), ("limit", str(_SHOWN)),
    ]  # fmt: skip
    headers = {"Authorization": f"Token token={account.token}", "Accept": "application/vnd.pagerduty+json;version=2"}
    mend = "it refused the key; GONOGO_PAGERDUTY_TOKEN must be a REST API key that may read incidents"
    url = f"{account.api.rstrip('/')}/incidents?{urlencode(query)}"
    found = await fetcher.get(Wish(url, source, FRESH, headers=headers, refused=mend), _read)
    return [
        Busy(
            incident.created_at.astimezone(UTC),
            None,
            f"{why or 'PagerDuty incident'}: {' '.join(incident.title.split())[:_LONGEST_TITLE] or 'without a title'}",
            source,
            Code.INCIDENT,
        )
        for incident in found.incidents[:_SHOWN]
    ]


def _read(content: bytes, source: str) -> _Incidents:
    try:
        return _Incidents.model_validate_json(content)
    except ValidationError:
        raise Unreadable(source, "its answer is not that of PagerDuty's REST API") from None
