"""The gate's answer for a program: `gonogo gate --json`, and the same over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.domain.calendar import Opening
from checklists.zones import find_zone


def gate_json(found: Opening) -> dict[str, Any]:
    """As plain JSON values. Instants carry the offset of the checklist's zone."""
    zone = find_zone(found.zone)

    def said(at: datetime | None) -> str | None:
        return None if at is None else at.astimezone(zone).isoformat()

    reasons = [
        {"code": reason.code.value, "text": reason.text, "source": reason.source, "until": said(reason.until)}
        for reason in found.reasons
    ]
    return {
        "open": found.open,
        "reasons": reasons,
        "next_open": said(found.next_open),
        "next_close": said(found.next_close),
        "zone": found.zone,
    }
