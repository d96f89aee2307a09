"""What a team's own flag is told of the lock of a service, as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from bot.domain.calendar_facts import Locked
from bot.domain.deployment import Status
from bot.domain.people import GONOGO
from bot.domain.summary import DeploymentRow

_HOLDS: dict[str, str] = {Status.ROLLING_BACK: "is being rolled back"}
_FREED: dict[str, str] = {
    Status.SUCCEEDED: "has succeeded",
    Status.STABLE: "is stable",
    Status.ROLLED_BACK: "was rolled back",
    Status.CANCELLED: "was cancelled",
    Status.SUPERSEDED: "was superseded",
}


def held_json(row: DeploymentRow, at: datetime) -> str:
    """A deployment holds the lock."""
    why = f"{row.version} {_HOLDS.get(row.status, 'is being deployed')}"
    return _json(
        "locked", row.service, row.environment, row.started_by, why, at, version=row.version, deployment=row.id
    )


def freed_json(row: DeploymentRow, by: str, at: datetime) -> str:
    """A deployment has freed the lock, and nothing else holds it."""
    why = f"{row.version} {_FREED.get(row.status, 'needs it no longer')}"
    return _json("unlocked", row.service, row.environment, by, why, at, version=row.version, deployment=row.id)


def locked_json(lock: Locked, at: datetime) -> str:
    """A lock that somebody set, or that a rollback left behind, holds."""
    until = _instant(lock.until) if lock.until is not None else None
    return _json(
        "locked", lock.service, lock.environment, lock.by.name, lock.reason, at,
        deployment=lock.deployment or None, until=until,
    )  # fmt: skip


def unlocked_json(lock: Locked, by: str, reason: str, at: datetime) -> str:
    """It was lifted, or is over, and nothing else holds."""
    return _json("unlocked", lock.service, lock.environment, by, reason, at)


def free_json(changes: Sequence[str], at: datetime) -> str:
    """Nothing holds: by whom and why is what the newest of these changes that freed it says, if any did."""
    known = [json.loads(change) for change in changes]
    freed = [change for change in known if change["event"] == "unlocked"]
    if freed:
        return json.dumps({**freed[-1], "at": _instant(at)}, ensure_ascii=False)
    return _json("unlocked", *place_of(changes[-1]), GONOGO.name, "nothing holds it any more", at)


def place_of(body: str) -> tuple[str, str]:
    """The service and the environment it is about."""
    known = json.loads(body)
    return known["service"], known["environment"]


def call_id(key: str, body: str) -> str:
    """What a receiver knows a call by: the same for a repeat, and another one as soon as something else is told."""
    told = {name: value for name, value in json.loads(body).items() if name != "at"}
    return f"{key}:{hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]}"


def said_of(body: str) -> str:
    """What it tells, for people."""
    known = json.loads(body)
    return f"{known['event']} ({known['reason']})" if known["reason"] else str(known["event"])


def _json(
    event: Literal["locked", "unlocked"], service: str, environment: str, by: str, reason: str, at: datetime,
    **more: str | None,
) -> str:  # fmt: skip
    known = {key: value for key, value in more.items() if value is not None}
    body = {"event": event, "service": service, "environment": environment, "by": by, "reason": reason, **known}
    return json.dumps({**body, "at": _instant(at)}, ensure_ascii=False)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
