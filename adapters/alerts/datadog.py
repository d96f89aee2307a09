"""Datadog's Webhooks integration, with the payload that `docs/alerts.md` gives (reference: integrations/webhooks).

Its variables are replaced inside the JSON as text. One that does not apply to a notification stays as it is written, or
is empty.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator
from starlette.datastructures import Headers

from adapters.alerts.words import NAME, SUMMARY, Line, Told, cut, instant, key_of, link_of
from bot.domain.alerts import Signal

_FIRES = frozenset({"triggered", "re-triggered", "renotify", "warn", "re-warn", "no data", "re-no data"})
_CLEARS = re.compile(r"recovered\b.*|(?:warn|no data) recovered")
_MARK = re.compile(
    r"\[(?:P[1-5]|(?:Re-)?(?:Triggered|Warn|No Data)|Recovered|(?:Warn|No Data) Recovered|Renotify)\b[^\]]*\]\s*",
    re.IGNORECASE,
)
_LAST_SECOND = 253_402_300_799


def _text(value: object) -> object:
    """A variable as text, whether it was written with quotes or, for numbers, without."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return "" if isinstance(value, str) and value.startswith("$") else value


Variable = Annotated[Line, BeforeValidator(_text)]


class _Event(Told):
    transition: Variable
    alert_id: Variable = ""
    aggregation: Variable = ""
    title: Variable = ""
    message: Variable = ""
    priority: Variable = ""
    link: Variable = ""
    tags: Variable = ""
    date: Variable = ""


def read(body: bytes, headers: Headers) -> list[Signal]:
    """The alert, if the notification is about one that fires or clears. Raises ValidationError, ValueError."""
    event = _Event.model_validate_json(body)
    transition = event.transition.casefold()
    firing = transition in _FIRES
    if not firing and not _CLEARS.fullmatch(transition):
        return []
    if not event.alert_id and not event.aggregation:
        raise ValueError("alert_id and aggregation are empty: which monitor is it? Use the payload of docs/alerts.md.")
    at = _instant(event.date)
    return [
        Signal(
            source="datadog",
            fingerprint=key_of(f"{event.alert_id}:{event.aggregation}"),
            firing=firing,
            name=cut(_MARK.sub("", event.title).strip() or event.title or "a monitor without a name", NAME),
            severity=_severity(transition, event.priority),
            summary=cut(event.message.removeprefix("%%%").removesuffix("%%%").strip(), SUMMARY),
            link=link_of(event.link),
            since=at if firing else None,
            ended=at,
            tags=frozenset(tag.strip().casefold() for tag in event.tags.split(",") if tag.strip()),
        )
    ]


def _severity(transition: str, priority: str) -> str:
    """A warning is one whatever the monitor's priority; else that, `P1` to `P5`, or nothing."""
    if "warn" in transition:
        return "warning"
    return priority.upper() if re.fullmatch(r"[Pp][1-5]", priority) else ""


def _instant(milliseconds: str) -> datetime | None:
    """`$DATE`, in milliseconds since 1970; None where it is none."""
    if not re.fullmatch(r"\d{1,15}", milliseconds) or int(milliseconds) // 1000 > _LAST_SECOND:
        return None
    return instant(datetime.fromtimestamp(int(milliseconds) / 1000, UTC))
