"""A deployment in one row, for lists and locks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """The projection of one deployment for lists and locks. The events are the truth."""

    id: str
    service: str
    environment: str
    version: str
    checklist: str
    digest: str
    status: str
    locked: bool
    """Whether it keeps another deployment of its service and environment from starting. At most one row may."""
    live: bool
    """Whether its cards are still looked after."""
    started_at: datetime
    started_by: str
    deployed_at: datetime | None
    ended_at: datetime | None
    revision: int
    """How many events there are."""
