"""The deployed service, simulated: health and version endpoints, and the numbers its monitoring would give."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from adapters.web.state import Sandbox
from bot.ports import Clock

_HEALTH = "service_health"
_KEPT = 100
"""How many changes of health are remembered, for questions about the past."""
_POINTS = 1_000
"""Of an answer about the past, at most."""


class Health(StrEnum):
    """How the simulated service is."""

    HEALTHY = "healthy"
    SLOW = "slow"
    FAILING = "failing"
    NO_DATA = "no data"


# Name of the measure -> unit, and its value when healthy, slow and failing. The first that matches counts.
_MEASURES: tuple[tuple[str, str, float, float, float], ...] = (
    (r"alert|incident|status_?page|_status$|provider|uptime|(^|_)app(_|$)", "ok", 1, 1, 0),
    (r"vs_(normal|baseline)|times_normal|baseline|ratio_to|spike", "x", 0.9, 1.8, 3.2),
    (r"success", "%", 99.97, 98.6, 92.8),
    (r"users?_(affected|hit|impacted)|affected_users|impact", "%", 0, 8, 62),
    (r"(error|failure|5xx|exception)s?_?(rate|ratio|share|percent)|^5xx$", "%", 0.05, 1.4, 7.2),
    (r"errors?$|exceptions?|crash|new_issues?|issues$|failures?$|user_reports?|reports$|complaints?",
     "count", 0, 2, 41),
    (r"quer(y|ies)", "ms", 12, 96, 300),
    (r"(^|_)p?50|median|p50", "ms", 42, 336, 1050),
    (r"p?95", "ms", 61, 488, 1525),
    (r"p?99", "ms", 78, 624, 1950),
    (r"latency|response_?times?|duration|load_time|ttfb|(^|_)lag(_|$)", "ms", 42, 336, 1050),
    (r"downtime", "min", 0, 0, 4),
    (r"cpu", "%", 38, 71, 93),
    (r"(disk|storage|space|volume)(_space)?_?(used|usage)|(used|usage)_(disk|storage)", "%", 36, 36, 36),
    (r"disk|storage|space|capacity", "%", 64, 64, 64),
    (r"mem(ory)?", "%", 52, 66, 88),
    (r"pods?|replicas?|nodes?|machines?|instances?|targets|ready|availab", "ratio", 1, 1, 0.5),
    (r"restart|oom|5xx|dead_?letter|slow_quer|timeouts?|load_balancer|unhealthy", "count", 0, 0, 6),
    # What people and pipelines do is not the service's health.
    (r"(^|_)ci($|_)|checks?$|pipeline", "ratio", 1, 1, 1),
    (r"approvals?|reviews?", "count", 2, 2, 2),
    (r"blocking|do_not_merge|concurrent|in_progress|deploy(ment)?_(flag|lock)|running|runs", "count", 0, 0, 0),
    (r"pool|connections?|quota|backlog|queue", "ratio", 0.4, 0.8, 0.98),
    (r"traffic|requests?|throughput|rps|rpm|scheduled|jobs?|cron|backups?|logins?|orders?|payments?",
     "count", 120, 96, 31),
    (r"smoke|health|migration|database|redis|cache|certificates?|ssl|dns", "ok", 1, 1, 0),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern), unit, values) for pattern, unit, *values in _MEASURES)


def measure(name: str, health: Health) -> tuple[float, str] | None:
    """What monitoring says of a measure, by its name: value and unit; None if it says nothing."""
    if health is Health.NO_DATA:
        return None
    column = (Health.HEALTHY, Health.SLOW, Health.FAILING).index(health)
    flat = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
    for pattern, unit, values in _COMPILED:
        if pattern.search(flat):
            return values[column], unit
    return None


class SimulatedService:
    """Keeps how the service is, with since when, so that a late check hears what was true at its own time.

    `deployed_version` says what the version endpoints answer; None reads as "unknown".
    """

    def __init__(self, sandbox: Sandbox, clock: Clock, deployed_version: Callable[[], Awaitable[str | None]]) -> None:
        self._sandbox = sandbox
        self._clock = clock
        self._deployed_version = deployed_version

    async def health(self, as_of: datetime | None = None) -> Health:
        """How the service is, or was."""
        return _health(await self._changes(), as_of)

    async def set_health(self, health: Health) -> None:
        """From now on it is so."""
        change = {"health": health.value, "since": self._clock.now().isoformat()}
        await self._sandbox.put(_HEALTH, [*await self._changes(), change][-_KEPT:])

    def routes(self) -> list[BaseRoute]:
        """`/service/metrics?name=…&as_of=…` and its past (`/past?name=…&start=…&end=…&step=…`), and under any other
        path of `/service/` a version or health endpoint."""
        return [
            Route("/service/metrics", self._metrics, methods=["GET"]),
            Route("/service/metrics/past", self._past, methods=["GET"]),
            Route("/service/{path:path}", self._endpoint, methods=["GET"]),
        ]

    async def _changes(self) -> list[dict[str, Any]]:
        return list(await self._sandbox.get(_HEALTH) or [])

    async def _metrics(self, request: Request) -> Response:
        try:
            text = request.query_params.get("as_of")
            as_of = _instant(text) if text else None
        except ValueError:
            return JSONResponse({"error": "as_of is an ISO 8601 instant"}, 400)
        found = measure(request.query_params.get("name", ""), await self.health(as_of))
        return JSONResponse({"value": found[0], "unit": found[1]}) if found else Response(status_code=204)

    async def _past(self, request: Request) -> Response:
        asked = request.query_params
        try:
            start, end = _instant(asked["start"]), _instant(asked["end"])
            step = timedelta(seconds=max(float(asked["step"]), 1.0))
            if not 0 <= (end - start) / step < _POINTS:
                raise ValueError
        except (KeyError, ValueError, OverflowError):
            return JSONResponse({"error": f"start and end are ISO 8601 instants, less than {_POINTS} steps apart"}, 400)
        changes = await self._changes()
        times = [start + step * number for number in range(int((end - start) / step) + 1)]
        known = ((at, measure(asked.get("name", ""), _health(changes, at))) for at in times)
        return JSONResponse({"points": [[at.isoformat(), *found] for at, found in known if found]})

    async def _endpoint(self, request: Request) -> Response:
        last = request.path_params["path"].rstrip("/").rpartition("/")[2]
        failing = await self.health() is Health.FAILING
        if "version" in last:
            version = await self._deployed_version() or "unknown"
            return JSONResponse(
                {"version": version, "commit": _commit(version), "buildTime": self._clock.now().date().isoformat()}
            )
        status = "error" if failing else "ok"
        return JSONResponse({"status": status, "timestamp": self._clock.now().isoformat()}, 503 if failing else 200)


def _health(changes: Sequence[Mapping[str, str]], as_of: datetime | None) -> Health:
    """How it was after the changes up to then."""
    past = [each for each in changes if as_of is None or datetime.fromisoformat(each["since"]) <= as_of]
    return Health(past[-1]["health"]) if past else Health.HEALTHY


def _instant(text: str) -> datetime:
    """An ISO 8601 instant, in UTC if it says nothing else. Raises ValueError."""
    at = datetime.fromisoformat(text.replace(" ", "+"))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _commit(version: str) -> str:
    """Looks like a commit, and is the same whenever it is asked."""
    return f"{sum(ord(letter) * 31**place for place, letter in enumerate(version)) % 16**7:07x}"
