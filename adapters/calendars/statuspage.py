"""Incidents of a provider, from its Atlassian Statuspage.

https://metastatuspage.com/api: `/api/v2/incidents/unresolved.json` lists what is investigating, identified or
monitoring; scheduled maintenance is not among it.
"""

from __future__ import annotations

from datetime import UTC

from pydantic import AwareDatetime, BaseModel, ValidationError

from adapters.calendars.fetch import Fetcher, Wish
from bot.domain.calendar import Busy, Code, Unreadable
from checklists.addresses import host_of

FRESH = 60.0
"""Seconds for which an answer counts. An older one says nothing about now, so there is no stale copy."""
_PATH = "/api/v2/incidents/unresolved.json"
_LONGEST_NAME = 300


class _Incident(BaseModel):
    name: str
    created_at: AwareDatetime
    started_at: AwareDatetime | None = None


class _Unresolved(BaseModel):
    incidents: list[_Incident]


async def unresolved(fetcher: Fetcher, page: str, why: str | None) -> list[Busy]:
    """What the status page lists as unresolved, each until further notice, oldest first. Raises Unreadable."""
    host = host_of(page)
    source = f"the status page {host}"
    wish = Wish(page.rstrip("/").removesuffix(_PATH) + _PATH, source, FRESH, headers={"Accept": "application/json"})
    found = await fetcher.get(wish, _read)
    return [
        Busy(
            (incident.started_at or incident.created_at).astimezone(UTC),
            None,
            f"{why or f'incident at {host}'}: {' '.join(incident.name.split())[:_LONGEST_NAME] or 'without a name'}",
            source,
            Code.INCIDENT,
        )
        for incident in sorted(found.incidents, key=lambda incident: incident.created_at)
    ]


def _read(content: bytes, source: str) -> _Unresolved:
    try:
        return _Unresolved.model_validate_json(content)
    except ValidationError:
        raise Unreadable(source, "its answer is not that of an Atlassian Statuspage") from None
